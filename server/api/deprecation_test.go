package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"courant/web"
)

func TestADeprecatedRouteAnnouncesItsEndAndAnswersAsBefore(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	for _, row := range []struct {
		path   string
		dress  []func(*http.Request)
		status int
		link   string
	}{
		{"/csv/fr/afrr-energy", []func(*http.Request){admin}, 200, `</api/datasets/afrr-energy/rows>; rel="successor-version"`},
		{"/csv/en/day-ahead-prices?from=2026-10-25&to=2026-10-25", []func(*http.Request){admin}, 200, `</api/datasets/day-ahead-prices/rows>; rel="successor-version"`},
		{"/csv/en/day-ahead-prices", nil, 401, `</api/datasets/day-ahead-prices/rows>; rel="successor-version"`},
		{"/csv/en/day-ahead-prices?from=x", []func(*http.Request){admin}, 400, `</api/datasets/day-ahead-prices/rows>; rel="successor-version"`},
		{"/csv/en/a%3E%0A%22b", []func(*http.Request){admin}, 404, `</api/datasets/a%3E%0A%22b/rows>; rel="successor-version"`},
		{"/api/datasets/day-ahead-prices/rows", []func(*http.Request){admin}, 200, ""},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			w := f.ask(t, method, row.path, row.dress...)
			deprecation, sunset := "@1796083200", "Tue, 01 Jun 2027 00:00:00 GMT"
			if row.link == "" {
				deprecation, sunset = "", ""
			}
			for name, want := range map[string]string{"Deprecation": deprecation, "Sunset": sunset, "Link": row.link} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s %s: %s %q, want %q", method, row.path, name, got, want)
				}
			}
			if w.Code != row.status {
				t.Errorf("%s %s answers %d", method, row.path, w.Code)
			}
		}
	}
}

func TestEveryDeprecatedRouteIsMarkedInOpenAPI(t *testing.T) {
	t.Parallel()
	f := open(t)
	all := document(t, f, english).Paths.Map()
	deprecations := web.Deprecations()
	if d := deprecations[web.PathCSV]; !d.Since.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) || !d.Sunset.Equal(time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%s is deprecated from %s to %s", web.PathCSV, d.Since, d.Sunset)
	}
	for path, item := range all {
		d, is := deprecations[path]
		if item.Get == nil {
			continue
		}
		if item.Get.Deprecated != is || is && !strings.Contains(item.Get.Description, "Deprecated from 2026-12-01, removed no earlier than 2027-06-01; use "+d.Successor+".") {
			t.Errorf("%s is deprecated: %t: %s", path, item.Get.Deprecated, item.Get.Description)
		}
		if is && (item.Get.Responses.Value("200").Value.Headers["Sunset"] == nil || item.Get.Responses.Value("200").Value.Headers["Deprecation"] == nil) {
			t.Errorf("%s lacks the headers of a deprecation", path)
		}
	}
}
