package web_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"courant/store/market"
	"courant/web"
)

// Every address on a page is one that the reference lists, so that no template spells a path of its own that nothing answers.
func TestLinksAndFormsLeadToRoutesOfTheReference(t *testing.T) {
	var gets, posts []*regexp.Regexp
	parameter := regexp.MustCompile(`\\\{\w+\\\}`)
	for _, route := range web.Reference(web.RowsRoute(market.DayAheadPrices, nil, nil), web.RowsRoute(market.FCRCapacity, nil, nil)) {
		pattern := regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(route.Path), `[^/]+`) + "$")
		if route.Method == "GET" {
			gets = append(gets, pattern)
		} else {
			posts = append(posts, pattern)
		}
	}
	known := func(routes []*regexp.Regexp, path string) bool {
		return slices.ContainsFunc(routes, func(route *regexp.Regexp) bool { return route.MatchString(path) })
	}
	address := regexp.MustCompile(`(href|method="get" action|method="post" action)="(/[^"?#]*)`)
	for _, language := range []web.Language{web.French, web.English} {
		for name, page := range pages(t, language, false) {
			for _, match := range address.FindAllStringSubmatch(page, -1) {
				routes := gets
				if strings.HasPrefix(match[1], `method="post"`) {
					routes = posts
				}
				if !known(routes, match[2]) {
					t.Errorf("%s in %s: nothing answers %s %q", name, language, match[1], match[2])
				}
			}
		}
	}
}
