package api_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

func TestAnAnswerOfDataHasNoHeadersButThose(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.Simulated = true })
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	f.Settle()
	admin := f.account(t, "boris@example.org", store.Administrator)
	token := bearer(f.token(t, admin, nil))
	live := httptest.NewServer(f)
	defer live.Close()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	headers := func(path string, changes ...func(*http.Request)) (int, http.Header) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, live.URL+path, nil)
		must(t, err)
		for _, change := range changes {
			change(r)
		}
		response, err := client.Do(r)
		must(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		must(t, err)
		response.Body.Close()
		return response.StatusCode, response.Header
	}
	check := func(what string, status int, got http.Header, wantStatus int, want ...string) {
		t.Helper()
		slices.Sort(want)
		if difference := cmp.Diff(want, slices.Sorted(maps.Keys(got))); status != wantStatus || difference != "" {
			t.Errorf("%s: %d, headers (-want +got):\n%s", what, status, difference)
		}
		if got.Get("X-Content-Type-Options") != "nosniff" || got.Get("X-Courant-Data") != "simulated" {
			t.Errorf("%s: %v", what, got)
		}
	}
	common := []string{"Cache-Control", "Vary", "X-Content-Type-Options", "X-Courant-Data", "Date"}
	with := func(more ...string) []string { return slices.Concat(common, more) }
	for _, endpoint := range endpoints {
		path := "/api/" + endpoint
		status, got := headers(path, token, header("Accept-Encoding", "gzip"))
		check(path+" in gzip", status, got, 200, with("Etag", "Content-Type", "Content-Length", "Content-Encoding", "Ratelimit")...)
		status, got = headers(path, token)
		check(path, status, got, 200, with("Etag", "Content-Type", "Content-Length", "Ratelimit")...)
		status, got = headers(path, carrying(f.session(t, admin)))
		check(path+" by session", status, got, 200, with("Etag", "Content-Type", "Content-Length")...)
		status, got = headers(path, token, header("If-None-Match", "*"))
		check(path+", unchanged", status, got, 304, with("Etag", "Ratelimit")...)
	}
	const rows = "/api/datasets/day-ahead-prices/rows"
	shown := with("Etag", "Ratelimit", "X-Courant-Position", "X-Courant-Attribution")
	for query, more := range map[string][]string{
		"":               {"Content-Type"},
		"?limit=2":       {"Content-Type", "Link"},
		"?format=csv":    {"Content-Type", "Content-Disposition"},
		"?format=ndjson": {"Content-Type"},
	} {
		status, got := headers(rows+query, token)
		check(rows+query, status, got, 200, slices.Concat(shown, more)...)
		status, got = headers(rows+query, token, header("If-None-Match", got.Get("Etag")))
		check(rows+query+", unchanged", status, got, 304, slices.Concat(shown, slices.DeleteFunc(slices.Clone(more), func(name string) bool { return name != "Link" }))...)
	}
	status, got := headers(rows, token, header("Accept-Encoding", "gzip"))
	check(rows+" in gzip", status, got, 200, slices.Concat(shown, []string{"Content-Type", "Content-Encoding"})...)
	status, got = headers("/csv/en/day-ahead-prices", token)
	check("csv", status, got, 200, with("Content-Type", "Content-Length", "Content-Disposition", "Ratelimit", "Deprecation", "Sunset", "Link")...)
	for _, path := range []string{"/api/datasets", "/api/status"} {
		status, got := headers(path, token)
		check(path, status, got, 200, with("Content-Type", "Content-Length", "Ratelimit")...)
	}
}

func TestAnErrorOfDataHasTheHeadersOfAPage(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	token := f.admin(t)
	for _, row := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/datasets/none", 404}, {"GET", "/api/datasets/day-ahead-prices/rows?from=x", 400},
		{"HEAD", "/csv/en/none", 404}, {"POST", "/api/day-ahead-prices", 405}, {"OPTIONS", "/api/day-ahead-prices", 204},
	} {
		w := f.ask(t, row.method, row.path, token)
		for _, name := range []string{"X-Request-Id", "Content-Security-Policy", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "X-Content-Type-Options"} {
			if len(w.Header()[name]) != 1 || w.Code != row.status {
				t.Errorf("%s %s: %d, %s is %q", row.method, row.path, w.Code, name, w.Header()[name])
			}
		}
	}
}
