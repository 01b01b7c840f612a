package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// scoped is a change of a token that gives it a scope.
func scoped(scope store.Scope) func(*store.Token) {
	return func(t *store.Token) { t.Scope = scope }
}

const webhookBody = `{"url":"https://receiver.example.org/courant?key=1","description":"pump","events":[` +
	`{"type":"price.below","dataset":"afrr-capacity","keys":{"direction":"UPWARD"},"threshold":12.5},{"type":"date.complete","dataset":"day-ahead-prices"}]}`

// add makes a webhook by the API and returns its ID and its secret.
func (f *fixture) addWebhook(t testing.TB, dress func(*http.Request)) (id int64, secret string) {
	t.Helper()
	w := f.send(t, "POST", "/api/webhooks", strings.NewReader(webhookBody), dress)
	var made struct {
		ID     int64
		Secret string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 201 || w.Header().Get("Location") != fmt.Sprintf("/api/webhooks/%d", made.ID) {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	return made.ID, made.Secret
}

func TestAWebhookIsMadeListedTestedAndDeletedByTheAPI(t *testing.T) {
	t.Parallel()
	f := open(t)
	account := f.account(t, "boris@example.org", store.Administrator)
	other := bearer(f.token(t, f.account(t, "denis@example.org", store.Administrator), scoped(store.ScopeWebhooks)))
	doc := document(t, f)
	for name, dress := range map[string]func(*http.Request){
		"session": carrying(f.session(t, account)), "token": bearer(f.token(t, account, scoped(store.ScopeWebhooks))),
	} {
		id, secret := f.addWebhook(t, dress)
		if !strings.HasPrefix(secret, "whsec_") {
			t.Errorf("%s: secret %q", name, secret)
		}
		path := fmt.Sprintf("/api/webhooks/%d", id)
		w := f.ask(t, "GET", path, dress)
		want := fmt.Sprintf(`{"id":%d,"url":"https://receiver.example.org/courant?key=1","events":[`+
			`{"type":"price.below","dataset":"afrr-capacity","column":"price","keys":{"direction":["UPWARD"]},"threshold":12.5},`+
			`{"type":"date.complete","dataset":"day-ahead-prices","column":null,"keys":null,"threshold":null}],`+
			`"description":"pump","created_at":"%s","disabled_at":null,"disabled_reason":null}`, id, f.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
		if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != 200 {
			t.Errorf("%s: %d (-want +got):\n%s", name, w.Code, diff)
		}
		for target, route := range map[string]string{"/api/webhooks": "/api/webhooks", path: "/api/webhooks/{id}"} {
			w := f.ask(t, "GET", target, dress)
			if err := fits(t, doc, route, target, w.Code, w.Header(), w.Body.Bytes()); err != nil {
				t.Errorf("%s: %s: %v", name, target, err)
			}
		}
		w = f.ask(t, "POST", path+"/test", dress)
		var sent struct{ ID, State string }
		if err := json.Unmarshal(w.Body.Bytes(), &sent); err != nil || w.Code != 202 || sent.State != "waiting" {
			t.Errorf("%s: the test: %d %s", name, w.Code, w.Body)
		}
		if w := f.ask(t, "POST", path+"/deliveries/"+sent.ID+"/resend", dress); w.Code != 202 || !strings.Contains(w.Body.String(), sent.ID) {
			t.Errorf("%s: resent: %d %s", name, w.Code, w.Body)
		}
		w = f.ask(t, "GET", path+"/deliveries", dress)
		if err := fits(t, doc, "/api/webhooks/{id}/deliveries", path, w.Code, w.Header(), w.Body.Bytes()); err != nil || !strings.Contains(w.Body.String(), `"type":"test"`) {
			t.Errorf("%s: deliveries: %v %s", name, err, w.Body)
		}
		if w := f.ask(t, "POST", path+"/secret", dress); w.Code != 200 || strings.Contains(w.Body.String(), secret) || !strings.Contains(w.Body.String(), "whsec_") {
			t.Errorf("%s: the new secret: %d %s", name, w.Code, w.Body)
		}
		if w := f.ask(t, "POST", path+"/enable", dress); w.Code != 200 {
			t.Errorf("%s: enabled: %d %s", name, w.Code, w.Body)
		}
		for _, w := range []*httptest.ResponseRecorder{
			f.ask(t, "GET", path, other), f.ask(t, "DELETE", path, other), f.ask(t, "POST", path+"/test", other), f.ask(t, "GET", path+"/deliveries", other),
			f.ask(t, "POST", path+"/secret", other), f.ask(t, "POST", path+"/deliveries/"+sent.ID+"/resend", other), f.ask(t, "GET", "/api/webhooks/x", dress),
		} {
			if w.Code != 404 {
				t.Errorf("%s: another account's webhook: %d %s", name, w.Code, w.Body)
			}
		}
		if w := f.ask(t, "DELETE", path, dress); w.Code != 204 || w.Body.Len() > 0 {
			t.Errorf("%s: deleted: %d %s", name, w.Code, w.Body)
		}
		if w := f.ask(t, "GET", path, dress); w.Code != 404 {
			t.Errorf("%s: after that: %d", name, w.Code)
		}
	}
	notes, _, err := f.auth.Notes(t.Context(), 0)
	must(t, err)
	if n := notes[0]; n.Event != "hook_deleted" || n.Actor != "boris@example.org" || n.Detail != "webhook receiver.example.org" {
		t.Errorf("%+v", n)
	}
}

func TestDeliveriesAreListedInPages(t *testing.T) {
	t.Parallel()
	f := open(t)
	dress := carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
	id, _ := f.addWebhook(t, dress)
	for range 5 {
		if w := f.ask(t, "POST", fmt.Sprintf("/api/webhooks/%d/test", id), dress); w.Code != 202 {
			t.Fatal(w.Body)
		}
	}
	seen := map[string]bool{}
	pages := 0
	for next := fmt.Sprintf("/api/webhooks/%d/deliveries?limit=2", id); next != ""; pages++ {
		w := f.ask(t, "GET", next, dress)
		var page struct {
			Deliveries []struct{ ID string }
			Next       *string
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &page))
		for _, d := range page.Deliveries {
			seen[d.ID] = true
		}
		next = ""
		if page.Next != nil {
			next = *page.Next
		}
	}
	if len(seen) != 5 || pages != 3 {
		t.Errorf("%d deliveries on %d pages", len(seen), pages)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "cursor=", "cursor=-1", "page=2", "limit=1&x=%zz", "limit=%2B5"} {
		name, _, _ := strings.Cut(query[strings.LastIndex(query, "&")+1:], "=")
		w := f.ask(t, "GET", fmt.Sprintf("/api/webhooks/%d/deliveries?%s", id, query), dress, english)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "“"+name+"”") {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func TestWhoMayUseWebhooks(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.PublicURL = "https://courant.example" })
	f.commit(t, oneOfEach(12.5))
	f.refresh(t)
	admin := f.account(t, "boris@example.org", store.Administrator)
	member := f.account(t, "anne@example.org", store.Member)
	webhooks := bearer(f.token(t, admin, scoped(store.ScopeWebhooks)))
	session := carrying(f.session(t, admin))
	for name, test := range map[string]struct {
		method, path, body string
		dress              func(*http.Request)
		status             int
		code               string
	}{
		"a guest":                          {"GET", "/api/webhooks", "", func(*http.Request) {}, 401, "unauthenticated"},
		"a token of the API":               {"GET", "/api/webhooks", "", bearer(f.token(t, admin, nil)), 403, "forbidden"},
		"a feeds token":                    {"GET", "/api/webhooks", "", bearer(f.token(t, admin, scoped(store.ScopeFeeds))), 403, "forbidden"},
		"a token of a dataset":             {"GET", "/api/webhooks", "", bearer(f.token(t, admin, func(t *store.Token) { t.Datasets = "afrr-energy" })), 403, "forbidden"},
		"its token elsewhere":              {"GET", "/api/day-ahead-prices", "", webhooks, 403, "forbidden"},
		"its token at a price feed":        {"GET", "/api/feeds/evcc", "", webhooks, 403, "forbidden"},
		"its token at the metrics":         {"GET", "/metrics", "", webhooks, 403, "forbidden"},
		"another site":                     {"POST", "/api/webhooks", webhookBody, both(session, header("Sec-Fetch-Site", "cross-site")), 403, "forbidden"},
		"a dataset without a subscription": {"POST", "/api/webhooks", webhookBody, carrying(f.session(t, member)), 401, "subscription_required"},
		"no JSON":                          {"POST", "/api/webhooks", "url=x", session, 400, "invalid_parameter"},
		"two objects":                      {"POST", "/api/webhooks", webhookBody + "{}", session, 400, "invalid_parameter"},
		"an unknown member":                {"POST", "/api/webhooks", strings.Replace(webhookBody, `"description"`, `"name"`, 1), session, 400, "invalid_parameter"},
		"a private address":                {"POST", "/api/webhooks", strings.Replace(webhookBody, "receiver.example.org", "10.0.0.1", 1), session, 400, "invalid_parameter"},
		"no address":                       {"POST", "/api/webhooks", strings.Replace(webhookBody, "https://receiver.example.org/courant?key=1", "", 1), session, 400, "invalid_parameter"},
		"an unknown dataset":               {"POST", "/api/webhooks", strings.Replace(webhookBody, "afrr-capacity", "afrr", 1), session, 400, "invalid_parameter"},
		"too large":                        {"POST", "/api/webhooks", `{"description":"` + strings.Repeat("x", 70<<10) + `"}`, session, 413, "payload_too_large"},
		"a method that there is not":       {"PUT", "/api/webhooks", "", session, 405, "method_not_allowed"},
		"a delivery that there is not":     {"POST", "/api/webhooks/1/deliveries/msg_x/resend", "", session, 404, "not_found"},
	} {
		w := f.send(t, test.method, test.path, strings.NewReader(test.body), test.dress)
		if w.Code != test.status || problemOf(t, w).Code != test.code {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	w := f.send(t, "POST", "/api/webhooks", strings.NewReader(strings.Replace(webhookBody, "afrr-capacity", "afrr", 1)), session, english)
	if want := "“events[0].dataset” accepts: one of day-ahead-prices"; !strings.Contains(w.Body.String(), want) {
		t.Errorf("%s does not say %s", w.Body, want)
	}
}

// both applies two changes to a request.
func both(a, b func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) { a(r); b(r) }
}

func TestAnAccountHasAFewWebhooksAndTests(t *testing.T) {
	t.Parallel()
	f := open(t)
	dress := carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
	var id int64
	for range store.MostHooks {
		id, _ = f.addWebhook(t, dress)
	}
	if w := f.send(t, "POST", "/api/webhooks", strings.NewReader(webhookBody), dress, english); w.Code != 400 || !strings.Contains(w.Body.String(), "at most 20") {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
	path := fmt.Sprintf("/api/webhooks/%d/test", id)
	for range 20 {
		f.ask(t, "POST", path, dress)
	}
	if w := f.ask(t, "POST", path, dress); w.Code != 429 {
		t.Errorf("a test too many: %d %s", w.Code, w.Body)
	}
	f.clock.Advance(time.Hour)
	if w := f.ask(t, "POST", path, dress); w.Code != 202 {
		t.Errorf("an hour later: %d %s", w.Code, w.Body)
	}
}

func TestATokenForWebhooksIsMadeInThePage(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.PublicURL = "https://courant.example" })
	anne := f.signIn(t, email, password)
	form := map[string][]string{"name": {"hooks"}, "webhooks": {"1"}}
	page := f.follow(t, f.submit(t, "POST", "/docs/tokens", form, anne, english), anne, english)
	if !strings.Contains(page, "https://courant.example/api/webhooks</pre>") || !strings.Contains(page, "<td>webhooks only</td>") {
		t.Errorf("the page: %s", page)
	}
	for _, other := range []string{"feeds", "dataset"} {
		form := map[string][]string{"name": {"hooks"}, "webhooks": {"1"}, other: {string(market.DayAheadPrices)}}
		if w := f.submit(t, "POST", "/docs/tokens", form, anne, english); w.Code != 400 {
			t.Errorf("with %s: %d", other, w.Code)
		}
	}
}

func TestTheDocumentationDescribesWebhooksOnce(t *testing.T) {
	t.Parallel()
	page := open(t).ask(t, "GET", "/docs", english).Body.String()
	for text, want := range map[string]int{`<section id="webhooks">`: 1, "<code>POST /api/webhooks</code>": 1, "GET /api/webhooks": 0, "events[].threshold": 1} {
		if got := strings.Count(page, text); got != want {
			t.Errorf("%q comes %d times, want %d", text, got, want)
		}
	}
}
