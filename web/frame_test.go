package web_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"courant/web"
)

func TestNavigationLeadsWhereTheVisitorMayGo(t *testing.T) {
	t.Parallel()
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	nav := regexp.MustCompile(`(?s)<nav.*?</nav>`)
	link := regexp.MustCompile(`<a href="([^"]*)"( aria-current="page")?>`)
	for _, test := range []struct {
		name  string
		visit web.Visit
		want  []string
	}{
		{"guest", web.Visit{Language: web.French, Path: "/login"}, []string{"/docs"}},
		{"member", web.Visit{Language: web.French, Path: "/prix?from=2026-10-25", Email: "anne@example.org"},
			[]string{"/", "/prix*", "/capacite", "/energie", "/explorer", "/docs", "/etat", "/alertes"}},
		{"member by a path in the other language", web.Visit{Language: web.English, Path: "/energie", Email: "anne@example.org"},
			[]string{"/", "/prices", "/capacity", "/energy*", "/explore", "/docs", "/status", "/alerts"}},
		{"administrator", web.Visit{Language: web.English, Path: "/admin", Email: "boris@example.org", Admin: true},
			[]string{"/", "/prices", "/capacity", "/energy", "/explore", "/docs", "/status", "/alerts", "/admin*"}},
	} {
		page, err := p.Overview(test.visit, web.Overview{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, match := range link.FindAllStringSubmatch(nav.FindString(string(page)), -1) {
			path := match[1]
			if match[2] != "" {
				path += "*"
			}
			got = append(got, path)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the navigation leads to %v, want %v", test.name, got, test.want)
		}
	}
}

func TestTheLanguageSwitchComesBackToThePage(t *testing.T) {
	t.Parallel()
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	page, err := p.Overview(web.Visit{Language: web.English, Path: "/prices?from=2026-10-25&to=2026-10-26", Email: "anne@example.org"}, web.Overview{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<input type="hidden" name="next" value="/prices?from=2026-10-25&amp;to=2026-10-26">`,
		`value="en" lang="en" aria-current="true">`, `value="fr" lang="fr">`,
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestAssetsAreLoadedByTheirContent(t *testing.T) {
	t.Parallel()
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	page, err := p.Login(web.Visit{Language: web.French}, web.Login{})
	if err != nil || !regexp.MustCompile(`href="/static/style\.css\?v=[0-9a-f]{8}"`).Match(page) {
		t.Errorf("error %v; the page loads its style otherwise: %s", err, page)
	}
}
