package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"courant/server/api"
)

const otherSite = "https://charts.example.org"

func TestScriptsOfConfiguredSitesReadDataNeverWithCookies(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t, reporting(inState("ok")), func(o *api.Options) {
		o.CORSOrigins = []string{"https://Charts.example.org:443", "http://localhost:5173"}
	})
	for _, path := range []string{
		"/api/day-ahead-prices", "/api/datasets/day-ahead-prices/archive/2026-07.parquet", "/api/datasets", "/api/datasets/afrr-energy/rows?limit=1", "/api/feeds/evcc", "/price?bzn=FR", "/api/status", "/csv/en/afrr-energy",
		"/api/feeds/evcc?nothing=1", // refused
	} {
		w := f.ask(t, "GET", path, admin, header("Origin", otherSite))
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != otherSite || !strings.Contains(w.Header().Get("Access-Control-Expose-Headers"), "ETag") ||
			!strings.Contains(w.Header().Get("Access-Control-Expose-Headers"), "Accept-Ranges, Content-Range") {
			t.Errorf("%s: origin %q, %v", path, got, w.Header())
		}
		for name, origin := range map[string]string{"another site": "https://evil.example", "none": "", "null": "null", "a part": "https://charts.example.or"} {
			w := f.ask(t, "GET", path, admin, header("Origin", origin))
			if w.Header()["Access-Control-Allow-Origin"] != nil || !varies(w.Header()) {
				t.Errorf("%s, %s: %v", path, name, w.Header())
			}
		}
		preflight := func(origin, method string) http.Header {
			t.Helper()
			w := f.ask(t, "OPTIONS", path, header("Origin", origin), header("Access-Control-Request-Method", method), header("Access-Control-Request-Headers", "authorization"))
			if w.Code != 204 || w.Header()["Access-Control-Allow-Credentials"] != nil || !varies(w.Header()) {
				t.Errorf("%s: the preflight of %s answers %d, %v", path, origin, w.Code, w.Header())
			}
			return w.Header()
		}
		if h := preflight(otherSite, "GET"); h.Get("Access-Control-Allow-Methods") != "GET, HEAD" || h.Get("Access-Control-Allow-Headers") != "Authorization, If-None-Match, Range, If-Range, Last-Event-ID" {
			t.Errorf("%s: the preflight answers %v", path, h)
		}
		if h := preflight("https://evil.example", "GET"); h["Access-Control-Allow-Origin"] != nil || h["Access-Control-Allow-Methods"] != nil {
			t.Errorf("%s: the preflight of another site answers %v", path, h)
		}
	}
	for _, path := range []string{"/docs", "/login", "/docs/tokens", "/metrics"} {
		if w := f.ask(t, "GET", path, admin, header("Origin", otherSite)); w.Header()["Access-Control-Allow-Origin"] != nil {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
}

// varies reports whether the answer may differ for another origin.
func varies(h http.Header) bool { return slices.Contains(h["Vary"], "Origin") }

func TestScriptsOfOtherSitesReadNothingByDefault(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	w := f.ask(t, "GET", "/api/day-ahead-prices", admin, header("Origin", otherSite))
	preflight := f.ask(t, "OPTIONS", "/api/day-ahead-prices", header("Origin", otherSite), header("Access-Control-Request-Method", "GET"))
	for _, h := range []http.Header{w.Header(), preflight.Header()} {
		if h["Access-Control-Allow-Origin"] != nil || h["Access-Control-Allow-Methods"] != nil || varies(h) {
			t.Errorf("%v", h)
		}
	}
}
