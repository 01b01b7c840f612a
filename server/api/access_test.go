package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// caller is a client, and the code of the problem that it gets for each kind of dataset; empty: it may read it.
type caller struct {
	name   string
	dress  []func(*http.Request)
	prices string // day-ahead-prices
	afrr   string // afrr-energy
	rest   string // the four other datasets and the two aggregates
	page   bool   // its session may see the pages
}

// statusOf is the status that goes with a problem's code.
var statusOf = map[string]int{
	"": 200, "unauthenticated": 401, "token_invalid": 401, "token_expired": 401, "token_revoked": 401,
	"subscription_required": 401, "forbidden": 403, "not_found": 404, "method_not_allowed": 405,
}

// callers returns every kind of client.
func callers(t *testing.T, f *fixture) []caller {
	t.Helper()
	subscribed := func(account store.Account, offer string, start, end time.Time) store.Account {
		must(t, f.store.SetSubscription(t.Context(), store.Note{}, account.Email, store.Subscription{Offer: offer, Start: start, End: end}))
		return account
	}
	now := f.clock.Now()
	admin := f.account(t, "boris@example.org", store.Administrator)
	member := f.account(t, "anne@example.org", store.Member)
	whole := subscribed(f.account(t, "claire@example.org", store.Member), "everything", now, time.Time{})
	afrr := subscribed(f.account(t, "denis@example.org", store.Member), "afrr", now, now.Add(time.Second))
	over := subscribed(f.account(t, "elise@example.org", store.Member), "everything", now.Add(-time.Hour), now)
	early := subscribed(f.account(t, "farid@example.org", store.Member), "everything", now.Add(time.Second), time.Time{})
	gone := subscribed(f.account(t, "gilda@example.org", store.Member), "no-longer-offered", now, time.Time{})
	disabled := subscribed(f.account(t, "henri@example.org", store.Administrator), "everything", now, time.Time{})
	disabledToken, disabledSession := f.token(t, disabled, nil), f.session(t, disabled)
	must(t, f.store.DisableAccount(t.Context(), store.Note{}, disabled.Email, now))

	limited := func(datasets string) func(*store.Token) {
		return func(token *store.Token) { token.Datasets = datasets }
	}
	ending := func(end time.Time) func(*store.Token) {
		return func(token *store.Token) { token.Expires = end }
	}
	revoked := f.token(t, admin, ending(now))
	must(t, f.store.RevokeToken(t.Context(), store.Note{}, revoked[:12], now))
	ended := f.session(t, admin)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/logout", nil)
	r.AddCookie(ended)
	must(t, f.auth.EndSession(httptest.NewRecorder(), r))
	session, adminToken, unknown := f.session(t, admin), f.token(t, admin, nil), "crt_"+strings.Repeat("z", 52)

	as := func(changes ...func(*http.Request)) []func(*http.Request) { return changes }
	refused := func(name, code string, changes ...func(*http.Request)) caller {
		return caller{name: name, dress: changes, prices: code, afrr: code, rest: code}
	}
	const wall = "subscription_required"
	return []caller{
		{name: "administrator by token", dress: as(bearer(adminToken))},
		{name: "administrator by session", dress: as(carrying(session)), page: true},
		{name: "a scheme in lower case", dress: as(header("Authorization", "bearer "+adminToken))},
		{name: "a token that ends in a second", dress: as(bearer(f.token(t, admin, ending(now.Add(time.Second)))))},
		{name: "a token beside a cookie that is none", dress: as(bearer(adminToken), carrying(ended))},
		{name: "member by token", dress: as(bearer(f.token(t, member, nil))), afrr: wall, rest: wall},
		{name: "member by session", dress: as(carrying(f.session(t, member))), afrr: wall, rest: wall, page: true},
		{name: "subscriber to all by token", dress: as(bearer(f.token(t, whole, nil)))},
		{name: "subscriber to all by session", dress: as(carrying(f.session(t, whole))), page: true},
		{name: "subscriber to afrr-energy by token", dress: as(bearer(f.token(t, afrr, nil))), rest: wall},
		{name: "subscriber to afrr-energy by session", dress: as(carrying(f.session(t, afrr))), rest: wall, page: true},
		{name: "subscription over", dress: as(bearer(f.token(t, over, nil))), afrr: wall, rest: wall},
		{name: "subscription not begun", dress: as(bearer(f.token(t, early, nil))), afrr: wall, rest: wall},
		{name: "subscription to what is no longer offered", dress: as(bearer(f.token(t, gone, nil))), afrr: wall, rest: wall},
		{name: "token limited to afrr-energy", dress: as(bearer(f.token(t, admin, limited("afrr-energy")))), prices: "forbidden", rest: "forbidden"},
		{name: "token limited to prices", dress: as(bearer(f.token(t, admin, limited("day-ahead-prices")))), afrr: "forbidden", rest: "forbidden"},
		{name: "member's token limited to prices", dress: as(bearer(f.token(t, member, limited("day-ahead-prices")))), afrr: "forbidden", rest: "forbidden"},
		{name: "member's token limited to two", dress: as(bearer(f.token(t, member, limited("day-ahead-prices,afrr-energy")))), afrr: wall, rest: "forbidden"},

		refused("guest", "unauthenticated"),
		refused("expired token", "token_expired", bearer(f.token(t, admin, ending(now)))),
		refused("revoked token", "token_revoked", bearer(revoked)),
		refused("unknown token", "token_invalid", bearer(unknown)),
		refused("a token with one letter more", "token_invalid", bearer(adminToken+"x")),
		refused("a token in upper case", "token_invalid", bearer(strings.ToUpper(adminToken))),
		refused("a malformed token", "token_invalid", bearer("' OR 1=1 --")),
		refused("a token that is short", "token_invalid", bearer("crt_abc")),
		refused("no token after Bearer", "token_invalid", header("Authorization", "Bearer")),
		refused("an over-long token", "token_invalid", bearer("crt_"+strings.Repeat("a", 10_000))),
		refused("disabled account by token", "unauthenticated", bearer(disabledToken)),
		refused("disabled account by session", "unauthenticated", carrying(disabledSession)),
		refused("ended session", "unauthenticated", carrying(ended)),
		refused("unknown session", "unauthenticated", carrying(&http.Cookie{Name: ended.Name, Value: strings.Repeat("A", 43)})),
		refused("empty session", "unauthenticated", carrying(&http.Cookie{Name: ended.Name, Value: ""})),
		refused("over-long session", "unauthenticated", carrying(&http.Cookie{Name: ended.Name, Value: strings.Repeat("A", 10_000)})),
		refused("a token as a cookie", "unauthenticated", carrying(&http.Cookie{Name: ended.Name, Value: adminToken})),
		{name: "session beside an unknown token", dress: as(carrying(session), bearer(unknown)),
			prices: "token_invalid", afrr: "token_invalid", rest: "token_invalid", page: true},
		{name: "session beside Basic", dress: as(carrying(session), header("Authorization", "Basic YTpi")),
			prices: "unauthenticated", afrr: "unauthenticated", rest: "unauthenticated", page: true},
		{name: "session beside an empty Authorization", dress: as(carrying(session), header("Authorization", "")),
			prices: "unauthenticated", afrr: "unauthenticated", rest: "unauthenticated", page: true},
		refused("Basic", "unauthenticated", header("Authorization", "Basic "+adminToken)),
		refused("the token alone", "unauthenticated", header("Authorization", adminToken)),
		refused("two Authorization headers", "unauthenticated", bearer(adminToken), bearer(adminToken)),
		refused("the token in the query", "unauthenticated", func(r *http.Request) { r.URL.RawQuery = "access_token=" + adminToken }),
	}
}

// route is a path and what it allows.
type route struct {
	path  string
	allow []string // other than OPTIONS
}

var routes = []route{
	{"/api/day-ahead-prices", []string{"GET", "HEAD"}},
	{"/api/fcr-capacity", []string{"GET", "HEAD"}},
	{"/api/afrr-capacity", []string{"GET", "HEAD"}},
	{"/api/mfrr-capacity", []string{"GET", "HEAD"}},
	{"/api/afrr-energy", []string{"GET", "HEAD"}},
	{"/api/mfrr-energy", []string{"GET", "HEAD"}},
	{"/api/imbalance-prices", []string{"GET", "HEAD"}},
	{"/api/balancing-capacity", []string{"GET", "HEAD"}},
	{"/api/balancing-energy", []string{"GET", "HEAD"}},
	{"/healthz", []string{"GET", "HEAD"}},
	{"/readyz", []string{"GET", "HEAD"}},
	{"/", []string{"GET", "HEAD"}},
	{"/prix", []string{"GET", "HEAD"}},
	{"/prices", []string{"GET", "HEAD"}},
	{"/explorer", []string{"GET", "HEAD"}},
	{"/explore", []string{"GET", "HEAD"}},
	{"/capacite", []string{"GET", "HEAD"}},
	{"/capacity", []string{"GET", "HEAD"}},
	{"/energie", []string{"GET", "HEAD"}},
	{"/energy", []string{"GET", "HEAD"}},
	{"/etat", []string{"GET", "HEAD"}},
	{"/status", []string{"GET", "HEAD"}},
	{"/csv/fr/day-ahead-prices", []string{"GET", "HEAD"}},
	{"/csv/en/afrr-energy", []string{"GET", "HEAD"}},
	{"/csv/en/imbalance-prices", []string{"GET", "HEAD"}},
	{"/csv/fr/mfrr-capacity", []string{"GET", "HEAD"}},
	{"/login", []string{"GET", "HEAD", "POST"}},
	{"/logout", []string{"POST"}},
	{"/language", []string{"POST"}},
	{"/static/style.css", []string{"GET", "HEAD"}},
	{"/api/", nil},
	{"/api/nothing", nil},
	{"/api/day-ahead-prices/", nil},
	{"/api/DAY-AHEAD-PRICES", nil},
	{"/nothing", nil},
	{"/static/nothing.css", []string{"GET", "HEAD"}},
}

// expectation is the status, and the code of the problem or the content type of the answer.
type expectation struct {
	status      int
	code        string
	contentType string
	location    string
}

// expect returns what a caller is answered.
func (c caller) expect(r route, method string) expectation {
	problem := func(code string) expectation {
		return expectation{status: statusOf[code], code: code, contentType: "application/problem+json"}
	}
	switch {
	case r.allow == nil:
		return problem("not_found")
	case method == "OPTIONS":
		return expectation{status: 204}
	case !slices.Contains(r.allow, method):
		return problem("method_not_allowed")
	case r.path == "/static/nothing.css":
		return problem("not_found")
	case r.path == "/static/style.css":
		return expectation{status: 200, contentType: "text/css; charset=utf-8"}
	case r.path == "/healthz" || r.path == "/readyz":
		return expectation{status: 200, contentType: "text/plain; charset=utf-8"}
	case r.path == "/login" && c.page:
		return expectation{status: 303, location: "/"}
	case r.path == "/login":
		return expectation{status: 200, contentType: "text/html; charset=utf-8"}
	}
	contentType, isAPI := "application/json", strings.HasPrefix(r.path, "/api/")
	switch isCSV := strings.HasPrefix(r.path, "/csv/"); {
	case isCSV:
		contentType = "text/csv; charset=utf-8"
	case !isAPI && !c.page:
		return expectation{status: 303, location: loginFor(r.path)}
	case !isAPI:
		return expectation{status: 200, contentType: "text/html; charset=utf-8"}
	}
	code := c.rest
	switch path.Base(r.path) {
	case "day-ahead-prices":
		code = c.prices
	case "afrr-energy":
		code = c.afrr
	}
	if code != "" {
		return problem(code)
	}
	return expectation{status: 200, contentType: contentType}
}

// loginFor returns the address to which a guest who requests a page is redirected, without its query.
func loginFor(page string) string {
	if page == "/" {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(page)
}

// leaks are texts that no answer may contain, in lower case.
var leaks = []string{"select ", "insert ", "sqlite", "sql:", "courant.db", ".go:", "goroutine", "runtime error", "courant/server", "/tmp/", "crt_"}

// listElement is the HTML element select, in a page or in the style.
var listElement = regexp.MustCompile(`<select |\bselect \{`)

func TestEveryRouteAnswersEveryCaller(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(12.5))
	f.refresh(t)
	for _, caller := range callers(t, f) {
		t.Run(caller.name, func(t *testing.T) {
			for _, route := range routes {
				for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
					if method == "POST" && slices.Contains(route.allow, "POST") {
						continue // signing in and out has tests of its own
					}
					w := f.ask(t, method, route.path, caller.dress...)
					checkAnswer(t, method+" "+route.path, w, method, caller.expect(route, method), route.allow)
				}
			}
		})
	}
}

func checkAnswer(t *testing.T, what string, w *httptest.ResponseRecorder, method string, want expectation, allow []string) {
	t.Helper()
	location, _, _ := strings.Cut(w.Header().Get("Location"), url.QueryEscape("?"))
	if w.Code != want.status || w.Header().Get("Content-Type") != want.contentType || location != want.location {
		t.Errorf("%s: %d %q to %q, want %+v", what, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Location"), want)
		return
	}
	if want.code != "" && method != "HEAD" {
		if p := problemOf(t, w); p.Code != want.code {
			t.Errorf("%s: code %s, want %s", what, p.Code, want.code)
		}
	}
	challenge := ""
	if want.status == 401 {
		challenge = "Bearer"
	}
	if got := w.Header().Get("WWW-Authenticate"); got != challenge {
		t.Errorf("%s: WWW-Authenticate %q, want %q", what, got, challenge)
	}
	if want.status == 405 || want.status == 204 {
		allowed := strings.Split(w.Header().Get("Allow"), ", ")
		if expected := append([]string{"OPTIONS"}, allow...); !slices.Equal(slices.Sorted(slices.Values(allowed)), slices.Sorted(slices.Values(expected))) {
			t.Errorf("%s: Allow %v, want %v", what, allowed, expected)
		}
	}
	if method == "HEAD" && w.Body.Len() > 0 {
		t.Errorf("%s: a body of %d bytes", what, w.Body.Len())
	}
	if got := w.Header()["Set-Cookie"]; got != nil {
		t.Errorf("%s: sets %v", what, got)
	}
	text := listElement.ReplaceAllString(strings.ToLower(w.Body.String()), "")
	for _, leak := range leaks {
		if strings.Contains(text, leak) {
			t.Errorf("%s: the body holds %q", what, leak)
		}
	}
	if strings.Count(text, "@example.org") > 1 || want.code != "" && strings.Contains(text, "@") {
		t.Errorf("%s: the body tells of others: %s", what, w.Body)
	}
	if path := strings.TrimPrefix(what, method+" "); want.status == 200 && isDataPath(path) {
		return // TestAnAnswerOfDataHasNoHeadersButThose
	}
	for name, value := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Courant-Data": "",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	} {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %s %q, want %q", what, name, got, value)
		}
	}
	if len(w.Header().Get("X-Request-Id")) < 20 {
		t.Errorf("%s: X-Request-Id %q", what, w.Header().Get("X-Request-Id"))
	}
}

// isDataPath reports whether answers at a path are data.
func isDataPath(path string) bool {
	return strings.HasPrefix(path, "/csv/") || strings.HasPrefix(path, "/api/") && path != "/api/openapi.json"
}

func TestAChangeOfAnAccountOrTokenAppliesToTheNextRequest(t *testing.T) {
	f := open(t)
	f.refresh(t)
	account := f.account(t, "anne@example.org", store.Member)
	token := f.token(t, account, func(token *store.Token) { token.Expires = noon.Add(time.Hour) })
	session := f.session(t, account)
	check := func(what string, change func(*http.Request), want string) {
		t.Helper()
		code := ""
		w := f.ask(t, "GET", "/api/afrr-energy", change)
		if w.Code != 200 {
			code = problemOf(t, w).Code
		}
		if code != want {
			t.Errorf("%s: %q, want %q", what, code, want)
		}
	}
	check("before", bearer(token), "subscription_required")
	must(t, f.auth.Subscribe(t.Context(), account.Email, "afrr", market.DeliveryDateOf(noon)))
	check("subscribed", bearer(token), "")
	check("subscribed", carrying(session), "")
	f.clock.Advance(time.Hour)
	check("the token's end", bearer(token), "token_expired")
	check("the token's end", carrying(session), "")
	f.clock.Advance(market.DeliveryDateOf(noon).End().Sub(f.clock.Now()) - time.Millisecond)
	check("the subscription's last millisecond", carrying(session), "")
	f.clock.Advance(time.Millisecond)
	check("the end of its Paris day", carrying(session), "subscription_required")
	must(t, f.auth.RevokeToken(t.Context(), token[:12]))
	check("revoked", bearer(token), "token_revoked")
	must(t, f.store.DisableAccount(t.Context(), store.Note{}, account.Email, f.clock.Now()))
	check("disabled", carrying(session), "unauthenticated")
}

func TestASessionEndsByItself(t *testing.T) {
	f := open(t)
	f.refresh(t)
	session := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	f.clock.Advance(11 * time.Hour)
	if w := f.ask(t, "GET", "/api/day-ahead-prices", session); w.Code != 200 {
		t.Errorf("a session in use answers %d", w.Code)
	}
	f.clock.Advance(12 * time.Hour)
	if w := f.ask(t, "GET", "/api/day-ahead-prices", session); w.Code != 401 || problemOf(t, w).Code != "unauthenticated" {
		t.Errorf("an idle session answers %d", w.Code)
	}
}

func TestQueryParametersAreIgnored(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(1))
	f.refresh(t)
	admin := f.admin(t)
	for _, endpoint := range endpoints {
		want := f.ask(t, "GET", "/api/"+endpoint, admin).Body.Bytes()
		for _, query := range []string{"?", "?from=2020-01-01&limit=-1", "?%zz=1;;", "?" + strings.Repeat("a=b&", 1000)} {
			w := f.ask(t, "GET", "/api/"+endpoint+query, admin)
			if w.Code != 200 {
				t.Errorf("%s%s answers %d", endpoint, query, w.Code)
			}
			same(t, w.Body.Bytes(), want)
		}
	}
}

func TestHEADIsGETWithoutItsBody(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(1))
	f.refresh(t)
	live := httptest.NewServer(f)
	defer live.Close()
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	admin := f.admin(t)
	headers := func(method, path string, changes ...func(*http.Request)) (http.Header, int64) {
		r, err := http.NewRequestWithContext(t.Context(), method, live.URL+path, nil)
		must(t, err)
		for _, change := range changes {
			change(r)
		}
		response, err := client.Do(r)
		must(t, err)
		response.Body.Close()
		response.Header.Del("X-Request-Id")
		response.Header.Del("Date")
		response.Header.Del("RateLimit") // which counts
		return response.Header, response.ContentLength
	}
	for _, route := range routes {
		for name, dress := range map[string][]func(*http.Request){"administrator": {admin}, "guest": nil} {
			get, length := headers("GET", route.path, dress...)
			head, again := headers("HEAD", route.path, dress...)
			if head.Get("Location") != "" {
				get.Del("Content-Length") // net/http counts the empty body of a redirect for GET only
				length = again
			}
			if length != again {
				t.Errorf("%s, %s: Content-Length %d of GET, %d of HEAD", name, route.path, length, again)
			}
			if !slices.Contains(route.allow, "GET") && route.allow != nil {
				continue // both are 405
			}
			same(t, jsonOf(t, head), get)
		}
	}
}

func TestEveryAnswerIsMarkedAsSimulated(t *testing.T) {
	const french, english = "Données simulées", "Simulated data"
	for _, simulated := range []bool{true, false} {
		f := open(t, func(o *api.Options) { o.Simulated = simulated })
		admin := f.admin(t)
		session := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
		want := ""
		if simulated {
			want = "simulated"
		}
		said := func(when string, w *httptest.ResponseRecorder) {
			t.Helper()
			if got := w.Header().Get("X-Courant-Data"); got != want {
				t.Errorf("%s, %d: X-Courant-Data %q, want %q", when, w.Code, got, want)
			}
		}
		all := func(when string) {
			t.Helper()
			for _, endpoint := range endpoints {
				for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
					said(when, f.ask(t, method, "/api/"+endpoint, admin))
					said(when, f.ask(t, method, "/api/"+endpoint))
					said(when, f.ask(t, method, "/api/"+endpoint, admin, header("If-None-Match", "*")))
				}
			}
		}
		all("before the bodies are built")
		f.refresh(t)
		all("after")
		for path, dress := range map[string]func(*http.Request){"/login": func(*http.Request) {}, "/": session} {
			for language, sentence := range map[string]string{"fr": french, "en": english} {
				w := f.ask(t, "GET", path, dress, header("Accept-Language", language))
				if strings.Contains(w.Body.String(), sentence) != simulated {
					t.Errorf("the page %s in %s says that its data are simulated: %t", path, language, !simulated)
				}
			}
		}
	}
}
