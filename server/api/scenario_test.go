package api_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"courant/store"
)

// scenario is a page or a form of accounts, and who may use it.
type scenario struct {
	method, path string
	who          string // public, account, administrator, hidden
	fields       url.Values
	status       int    // for those who may
	location     string // with a 303
}

// scenarios are all routes of accounts; %d in a path is the ID of a member's account.
var scenarios = []scenario{
	{"GET", "/mot-de-passe-oublie", "public", nil, 200, ""},
	{"GET", "/forgotten", "public", nil, 200, ""},
	{"POST", "/forgotten", "hidden", nil, 404, ""}, // no mails are sent
	{"GET", "/inscription", "hidden", nil, 404, ""},
	{"GET", "/signup", "hidden", nil, 404, ""},
	{"POST", "/signup", "hidden", nil, 404, ""},
	{"GET", "/set-password", "public", nil, 404, ""},
	{"GET", "/set-password?key=" + strings.Repeat("A", 52), "public", nil, 404, ""},
	{"POST", "/set-password", "public", url.Values{"key": {strings.Repeat("A", 52)}, "email": {"eve@example.org"}, "password": {password}}, 404, ""},
	{"GET", "/offres", "public", nil, 200, ""},
	{"GET", "/offers", "public", nil, 200, ""},
	{"POST", "/login", "public", url.Values{"email": {"nobody@example.org"}, "password": {"not the password"}}, 401, ""},

	{"GET", "/compte", "account", nil, 200, ""},
	{"GET", "/account", "account", nil, 200, ""},
	{"POST", "/account/password", "account", url.Values{"former": {"not the password"}, "password": {password}}, 400, ""},
	{"GET", "/docs/jetons", "account", nil, 200, ""},
	{"GET", "/docs/tokens", "account", nil, 200, ""},
	{"POST", "/docs/tokens", "account", nil, 400, ""},
	{"POST", "/docs/tokens", "account", url.Values{"name": {"script"}, "expires": {"2026-02-30"}}, 400, ""},
	{"POST", "/docs/tokens", "account", url.Values{"name": {"script"}, "expires": {"2026-07-14"}}, 400, ""},
	{"POST", "/docs/tokens", "account", url.Values{"name": {"script"}, "dataset": {"weather"}}, 400, ""},
	{"POST", "/docs/tokens/revoke", "account", nil, 400, ""},
	{"POST", "/docs/tokens/revoke", "account", url.Values{"id": {"1"}}, 404, ""}, // another's
	{"POST", "/account/sessions", "account", nil, 303, "/compte"},

	{"GET", "/administration", "administrator", nil, 200, ""},
	{"GET", "/admin", "administrator", nil, 200, ""},
	{"GET", "/administration/comptes/%d", "administrator", nil, 200, ""},
	{"GET", "/admin/users/%d", "administrator", nil, 200, ""},
	{"GET", "/admin/users/999", "administrator", nil, 404, ""},
	{"GET", "/admin/users/x", "administrator", nil, 404, ""},
	{"GET", "/administration/journal", "administrator", nil, 200, ""},
	{"GET", "/admin/audit", "administrator", nil, 200, ""},
	{"GET", "/admin/audit?before=1", "administrator", nil, 200, ""},
	{"GET", "/admin/audit?before=x", "administrator", nil, 400, ""},
	{"POST", "/admin/users", "administrator", url.Values{"email": {"no address"}}, 400, ""},
	{"POST", "/admin/users", "administrator", url.Values{"email": {"target@example.org"}}, 400, ""},
	{"POST", "/admin/users/%d/subscription", "administrator", url.Values{"offer": {"nothing"}}, 400, ""},
	{"POST", "/admin/users/%d/subscription", "administrator", url.Values{"offer": {"afrr"}, "until": {"2026-07-14"}}, 400, ""},
	{"POST", "/admin/users/%d/subscription", "administrator", url.Values{"offer": {"afrr"}}, 303, "/administration/comptes/%d"},
	{"POST", "/admin/users/%d/unsubscribe", "administrator", nil, 303, "/administration/comptes/%d"},
	{"POST", "/admin/users/%d/unsubscribe", "administrator", nil, 400, ""}, // it has none any more
	{"POST", "/admin/users/%d/disable", "administrator", nil, 303, "/administration/comptes/%d"},
	{"POST", "/admin/users/%d/link", "administrator", nil, 400, ""}, // to a disabled account
	{"POST", "/admin/users/%d/enable", "administrator", nil, 303, "/administration/comptes/%d"},
	{"POST", "/admin/users/%d/link", "administrator", nil, 303, "/administration/comptes/%d"},
	{"POST", "/admin/users/999/disable", "administrator", nil, 404, ""},
	{"POST", "/admin/quarantine/7", "administrator", url.Values{"decision": {"accept"}}, 303, "/etat"},
	{"POST", "/admin/quarantine/7", "administrator", nil, 400, ""},
	{"POST", "/admin/quarantine/x", "administrator", nil, 404, ""},
}

// visitor is a kind of visitor of the pages.
type visitor struct {
	name    string
	dress   []func(*http.Request)
	account bool // the session is valid
	admin   bool
	foreign bool // sent by a page of another site
}

func visitors(t *testing.T, f *fixture) []visitor {
	t.Helper()
	person := func(name string, admin bool) (email string, session func(*http.Request), account store.Account) {
		email = name + "@example.org"
		must(t, f.auth.AddUser(t.Context(), email, password, admin))
		account, err := f.auth.User(t.Context(), email)
		must(t, err)
		return email, carrying(f.session(t, account)), account
	}
	_, member, _ := person("anne", false)
	subscribed, subscriber, _ := person("claire", false)
	must(t, f.store.SetSubscription(t.Context(), store.Note{}, subscribed, store.Subscription{Offer: "everything", Start: noon.Add(-time.Hour)}))
	_, admin, account := person("boris", true)
	_, doubtful, _ := person("gilda", true)
	_, foreign, _ := person("henri", true)
	disabled, shutOut, _ := person("denis", true)
	must(t, f.store.DisableAccount(t.Context(), store.Note{}, disabled, noon))
	_, ended, _ := person("farid", true)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/logout", nil)
	ended(r)
	must(t, f.auth.EndSession(httptest.NewRecorder(), r))
	as := func(changes ...func(*http.Request)) []func(*http.Request) { return changes }
	return []visitor{
		{name: "guest"},
		{name: "administrator's token", dress: as(bearer(f.token(t, account, nil)))},
		{name: "member", dress: as(subscriber), account: true},
		{name: "member without subscription", dress: as(member), account: true},
		{name: "administrator", dress: as(admin), account: true, admin: true},
		{name: "ended session", dress: as(ended)},
		{name: "disabled administrator", dress: as(shutOut)},
		{name: "administrator's cookie with a bad token", dress: as(doubtful, bearer("crt_bad")), account: true, admin: true},
		{name: "administrator from another site", dress: as(foreign, header("Origin", "https://evil.example")), account: true, admin: true, foreign: true},
		{name: "guest from another site", dress: as(header("Sec-Fetch-Site", "cross-site")), foreign: true},
	}
}

// expect returns the status and the Location of the answer to a visitor.
func (s scenario) expect(v visitor) (status int, location string) {
	switch {
	case s.method == "POST" && v.foreign:
		return 403, ""
	case s.who == "public" || s.who == "hidden":
		return s.status, s.location
	case !v.account && s.method == "GET":
		return 303, "/login?next=" + url.QueryEscape(s.path)
	case !v.account:
		return 303, "/login?next=" // and a page that can be shown
	case s.who == "administrator" && !v.admin:
		return 403, ""
	}
	return s.status, s.location
}

func TestEveryRouteOfAccountsAnswersEveryVisitor(t *testing.T) {
	f := open(t)
	f.refresh(t)
	target := f.account(t, "target@example.org", store.Member)
	f.token(t, target, nil)
	for _, visitor := range visitors(t, f) {
		t.Run(visitor.name, func(t *testing.T) {
			for _, scenario := range scenarios {
				if strings.Contains(scenario.path, "%d") {
					scenario.path = fmt.Sprintf(scenario.path, target.ID)
				}
				if strings.Contains(scenario.location, "%d") {
					scenario.location = fmt.Sprintf(scenario.location, target.ID)
				}
				w := f.submit(t, scenario.method, scenario.path, scenario.fields, visitor.dress...)
				what := scenario.method + " " + scenario.path + " " + scenario.fields.Encode()
				status, location := scenario.expect(visitor)
				got := w.Header().Get("Location")
				if w.Code != status || got != location && !(location == "/login?next=" && strings.HasPrefix(got, location)) {
					t.Errorf("%s: %d to %q, want %d to %q: %.300s", what, w.Code, got, status, location, w.Body)
				}
				checkSecrecy(t, what, w, visitor)
				f.checkLanguageSwitch(t, what, w, visitor)
			}
		})
	}
}

// checkSecrecy fails the test if an answer has something that it must not have.
func checkSecrecy(t *testing.T, what string, w *httptest.ResponseRecorder, v visitor) {
	t.Helper()
	text := strings.ToLower(w.Body.String())
	hidden := []string{"from account", "insert into", "sqlite", "sql:", "courant.db", ".go:", "goroutine", "courant/server", "/tmp/", "argon2", "not the password", password}
	if !v.admin {
		hidden = append(hidden, "target@example.org", "boris@example.org")
	}
	if !v.account {
		hidden = append(hidden, "anne@example.org", "claire@example.org")
	}
	for _, secret := range hidden {
		if strings.Contains(text, secret) {
			t.Errorf("%s: the body holds %q", what, secret)
		}
	}
	if w.Code == 200 && w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: Cache-Control %q", what, w.Header().Get("Cache-Control"))
	}
	if w.Header().Get("Set-Cookie") != "" {
		t.Errorf("%s: sets %q", what, w.Header().Get("Set-Cookie"))
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s: Content-Security-Policy %q", what, policy)
	}
}

// checkLanguageSwitch fails the test if the language switch of a page does not lead to a page.
func (f *fixture) checkLanguageSwitch(t *testing.T, what string, w *httptest.ResponseRecorder, v visitor) {
	t.Helper()
	match := regexp.MustCompile(`<input type="hidden" name="next" value="([^"]*)">\s*<button[^>]*name="language"`).FindStringSubmatch(w.Body.String())
	if match == nil {
		return // no page
	}
	next := html.UnescapeString(match[1])
	if again := f.ask(t, "GET", next, v.dress...); !slices.Contains([]int{200, 303, 404}, again.Code) {
		t.Errorf("%s: the language switch leads to %s, which answers %d", what, next, again.Code)
	}
}

// submit sends a form, or asks for a page.
func (f *fixture) submit(t testing.TB, method, path string, fields url.Values, dress ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader(fields.Encode())
		dress = append(dress, urlencoded)
	}
	return f.send(t, method, path, body, dress...)
}
