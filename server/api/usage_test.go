package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// used asks for the usage of a token and returns the rows and bytes of all days, and the answer.
func (f *fixture) used(t testing.TB, token func(*http.Request)) (rows, bytes int, answer string) {
	t.Helper()
	w := f.ask(t, "GET", "/api/usage", token)
	var read struct{ Days []struct{ Rows, Bytes int } }
	if err := json.Unmarshal(w.Body.Bytes(), &read); err != nil || w.Code != 200 {
		t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
	}
	for _, day := range read.Days {
		rows, bytes = rows+day.Rows, bytes+day.Bytes
	}
	return rows, bytes, w.Body.String()
}

func TestTheUsageOfATokenCountsTheRowsAndBytesThatWereSent(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 1_000_000 })
	f.commit(t, marketOn(turnBack))
	f.refresh(t)
	f.Settle()
	owner := f.account(t, "boris@example.org", store.Administrator)
	token := bearer(f.token(t, owner, nil))
	quarters := turnBack.Steps(market.QuarterSeconds)
	tag := f.ask(t, "GET", "/api/day-ahead-prices", carrying(f.session(t, owner))).Header().Get("Etag") // of a session
	prices := "/api/datasets/day-ahead-prices/rows?date=2026-10-25"
	_, before, _ := f.used(t, token)
	last := len(f.ask(t, "GET", "/api/usage", token).Body.String())
	for _, test := range []struct {
		method, path string
		rows         int
		changes      []func(*http.Request)
	}{
		{"GET", "/api/day-ahead-prices", quarters, nil},
		{"GET", "/api/day-ahead-prices", quarters, []func(*http.Request){header("Accept-Encoding", "gzip")}},
		{"GET", "/api/day-ahead-prices", 0, []func(*http.Request){header("If-None-Match", tag)}},
		{"HEAD", "/api/day-ahead-prices", 0, nil},
		{"GET", prices, quarters, nil},
		{"GET", prices + "&format=parquet", quarters, nil},
		{"GET", prices + "&format=csv", quarters, []func(*http.Request){header("Accept-Encoding", "zstd")}},
		{"GET", prices + "&resolution=P1D", 1, nil},
		{"GET", prices + "&limit=7", 7, nil},
		{"HEAD", prices, 0, nil},
		{"GET", "/csv/en/day-ahead-prices", quarters, nil},
		{"GET", "/price?bzn=FR&start=2026-10-25&end=2026-10-25", quarters, nil},
		{"GET", "/api/revisions/day-ahead-prices?from=2026-10-25&to=2026-10-25", 0, nil},
		{"GET", "/api/datasets", 0, nil},
		{"GET", "/api/unknown", 0, nil},
	} {
		rowsBefore, bytesBefore, _ := f.used(t, token)
		sent := f.ask(t, test.method, test.path, append(test.changes, token)...)
		rows, bytes, _ := f.used(t, token)
		rows, bytes = rows-rowsBefore, bytes-bytesBefore
		if want := sent.Body.Len(); rows != test.rows || bytes < want || bytes > want+2*last {
			t.Errorf("%s %s, status %d: %d rows and %d bytes are counted, want %d and %d", test.method, test.path, sent.Code, rows, bytes, test.rows, want)
		}
	}
	if before != 0 {
		t.Errorf("the first answer has %d bytes of answers before it", before)
	}
	rowsBefore, _, _ := f.used(t, token)
	f.call(t, "read_rows", `{"dataset":"day-ahead-prices","limit":5}`, token)
	if rows, _, _ := f.used(t, token); rows != rowsBefore+5 {
		t.Errorf("a tool counts %d rows, want 5", rows-rowsBefore)
	}
}

func TestTheUsageOfATokenIsListedByDayWithWhatIsLeftOfItsLimit(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 60 })
	owner := f.account(t, "boris@example.org", store.Administrator)
	token := bearer(f.token(t, owner, nil))
	f.ask(t, "GET", "/api/status", token)
	f.clock.Advance(10 * time.Hour) // midnight in Paris
	f.ask(t, "GET", "/api/status", token)
	_, _, answer := f.used(t, token)
	var days []string
	for _, part := range strings.Split(answer, "{")[2:4] {
		days = append(days, part[:len(`"date":"2026-07-15","requests":1`)])
	}
	if want := []string{`"date":"2026-07-15","requests":1`, `"date":"2026-07-16","requests":2`}; !slices.Equal(days, want) {
		t.Errorf("the days are %q, want %q", days, want)
	}
	if want := `"limits":{"per_minute":60,"left":58,"resets_at":"2026-07-15T22:00:02.000Z"}}`; !strings.HasSuffix(answer, want) {
		t.Errorf("the answer is %s, want at its end %s", answer, want)
	}
	page := f.ask(t, "GET", "/docs/tokens", carrying(f.session(t, owner)), header("Accept-Language", "en")).Body.String()
	if !strings.Contains(page, "<summary>Usage by day: test <code>") || strings.Count(page, `<th scope="row">`) != 3 {
		t.Errorf("the page of tokens shows no usage by day: %s", page)
	}
	for name, test := range map[string]struct {
		dress func(*http.Request)
		want  int
	}{
		"session":     {carrying(f.session(t, owner)), 401},
		"feeds token": {bearer(f.token(t, owner, func(token *store.Token) { token.Scope = store.ScopeFeeds })), 403},
	} {
		if w := f.ask(t, "GET", "/api/usage", test.dress); w.Code != test.want {
			t.Errorf("%s: %d, want %d", name, w.Code, test.want)
		}
	}
	other := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	if _, _, answer := f.used(t, other); strings.Count(answer, `"date"`) != 1 || !strings.Contains(answer, fmt.Sprintf(`"requests":%d`, 1)) {
		t.Errorf("another token sees %s", answer)
	}
}
