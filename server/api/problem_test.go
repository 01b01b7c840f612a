package api_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"courant/server/api"
	"courant/store"
	"courant/web"
)

func TestProblemsSpeakTheLanguageThatIsAskedFor(t *testing.T) {
	t.Parallel()
	f := open(t)
	for accept, want := range map[string]string{
		"": "fr", "fr": "fr", "fr-CA": "fr", "en": "en", "en-GB": "en", "EN-us": "en", "de": "fr", "*": "fr", "de, en;q=0.5": "en",
		"en;q=0.1, fr;q=0.2": "fr", "fr;q=0, en": "en", "en;q=0": "fr", "en-US,en;q=0.9,fr;q=0.8": "en", "\x00;;q=,,": "fr", "en;q=x": "fr",
		strings.Repeat("en,", 3_400) + "fr": "en", strings.Repeat("x", 10_000): "fr", strings.Repeat("-", 10_000): "fr",
	} {
		w := f.ask(t, "GET", "/api/fcr-capacity", header("Accept-Language", accept))
		title := map[string]string{"fr": "Authentification requise", "en": "Authentication required"}[want]
		if p := problemOf(t, w); p.Title != title || p.Code != "unauthenticated" || w.Header().Get("Content-Language") != want {
			t.Errorf("Accept-Language %.40q: %q in %q, want %s", accept, p.Title, w.Header().Get("Content-Language"), want)
		}
		if !slices.Contains(w.Header().Values("Vary"), "Accept-Language") {
			t.Errorf("Vary is %q", w.Header().Values("Vary"))
		}
	}
}

func TestProblemsDifferBetweenLanguagesOnlyInTheirText(t *testing.T) {
	f := open(t)
	f.Handle("/panic", func(http.ResponseWriter, *http.Request) { panic("test") })
	admin := f.account(t, "boris@example.org", store.Administrator)
	revoked := f.token(t, admin, nil)
	must(t, f.store.RevokeToken(t.Context(), store.Note{}, revoked[:12], noon))
	form := header("Content-Type", "application/x-www-form-urlencoded")
	f.commit(t, marketOn(october))
	_, err := f.store.ThinAFRR(t.Context(), november, noon)
	must(t, err)
	valid := bearer(f.token(t, admin, nil))
	requests := map[web.ProblemCode]struct {
		status             int
		method, path, body string
		dress              []func(*http.Request)
	}{
		"unauthenticated":       {status: 401, method: "GET", path: "/api/afrr-energy"},
		"token_invalid":         {status: 401, method: "GET", path: "/api/afrr-energy", dress: []func(*http.Request){bearer("crt_x")}},
		"token_expired":         {status: 401, method: "GET", path: "/api/afrr-energy", dress: []func(*http.Request){bearer(f.token(t, admin, func(token *store.Token) { token.Expires = noon }))}},
		"token_revoked":         {status: 401, method: "GET", path: "/api/afrr-energy", dress: []func(*http.Request){bearer(revoked)}},
		"subscription_required": {status: 401, method: "GET", path: "/api/afrr-energy", dress: []func(*http.Request){bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))}},
		"forbidden":             {status: 403, method: "GET", path: "/api/afrr-energy", dress: []func(*http.Request){bearer(f.token(t, admin, func(token *store.Token) { token.Datasets = "mfrr-energy" }))}},
		"not_found":             {status: 404, method: "GET", path: "/api/nothing"},
		"method_not_allowed":    {status: 405, method: "PUT", path: "/api/afrr-energy"},
		"gone":                  {status: 410, method: "GET", path: "/api/datasets/afrr-energy/archive/2026-10.parquet", dress: []func(*http.Request){valid}},
		"precondition_failed":   {status: 412, method: "GET", path: "/api/datasets/mfrr-energy/archive/2026-10.parquet", dress: []func(*http.Request){valid, header("If-Match", `"x"`)}},
		"range_not_satisfiable": {status: 416, method: "GET", path: "/api/datasets/mfrr-energy/archive/2026-10.parquet", dress: []func(*http.Request){valid, header("Range", "bytes=99999999-")}},
		"invalid_parameter":     {status: 400, method: "POST", path: "/login", body: "email=%zz", dress: []func(*http.Request){form}},
		"payload_too_large":     {status: 413, method: "POST", path: "/login", body: strings.Repeat("a", 64<<10+1), dress: []func(*http.Request){form}},
		"internal":              {status: 500, method: "GET", path: "/panic"},
		"unavailable":           {status: 503, method: "GET", path: "/readyz"},
	}
	for _, kind := range web.Problems() {
		request, tried := requests[kind.Code]
		if !tried && kind.Code != web.ProblemRateLimited { // see TestRetryAfterIsTheTimeToWait
			t.Errorf("no request is answered with %s", kind.Code)
		}
		if !tried {
			continue
		}
		in := func(language string) problem {
			w := f.send(t, request.method, request.path, strings.NewReader(request.body), append(request.dress, header("Accept-Language", language))...)
			return problemOf(t, w)
		}
		fr, en := in("fr"), in("en")
		if fr.Code != string(kind.Code) || en.Code != fr.Code || fr.Status != request.status || en.Status != request.status || fr.Type != en.Type {
			t.Errorf("%s: %+v in French, %+v in English", kind.Code, fr, en)
		}
		if fr.Title != kind.Title.FR || en.Title != kind.Title.EN || fr.Title == en.Title || fr.Detail == en.Detail {
			t.Errorf("%s: %+v in French, %+v in English", kind.Code, fr, en)
		}
	}
}

func TestTheTypeOfAProblemOpensAPageThatExplainsItsCode(t *testing.T) {
	t.Parallel()
	for _, publicURL := range []string{"", "https://courant.example"} {
		f := open(t, func(o *api.Options) { o.PublicURL = publicURL })
		p := problemOf(t, f.ask(t, "GET", "/api/afrr-energy"))
		if want := publicURL + "/docs/problems/unauthenticated"; p.Type != want {
			t.Errorf("with the public address %q the type is %q, want %q", publicURL, p.Type, want)
		}
		for _, kind := range web.Problems() {
			for language, want := range map[string]string{"fr": kind.Title.FR, "en": kind.Title.EN} {
				w := f.ask(t, "GET", kind.Path(), header("Accept-Language", language))
				page := html.UnescapeString(w.Body.String())
				if w.Code != 200 || !strings.Contains(page, "<h1>"+want+"</h1>") || !strings.Contains(page, "<code>"+string(kind.Code)+"</code>") {
					t.Errorf("%s in %s answers %d: %s", kind.Path(), language, w.Code, page)
				}
			}
		}
		if w := f.ask(t, "GET", "/docs/problems/nothing"); problemOf(t, w).Code != "not_found" {
			t.Errorf("a code that there is not answers %d", w.Code)
		}
	}
}

func TestAPanicIsAProblemThatNamesItsLineInTheLog(t *testing.T) {
	t.Parallel()
	f := open(t)
	for path, value := range map[string]any{
		"/panic/text": "the secret is 42", "/panic/error": http.ErrBodyNotAllowed, "/panic/slice": []string{"the secret is 42"},
	} {
		f.Handle(path, func(http.ResponseWriter, *http.Request) { panic(value) })
		w := f.ask(t, "GET", path)
		if p := problemOf(t, w); w.Code != 500 || p.Code != "internal" {
			t.Errorf("%s answers %d %s", path, w.Code, p.Code)
		}
		for _, leak := range append([]string{"secret", "server_test"}, leaks...) {
			if strings.Contains(strings.ToLower(w.Body.String()), leak) {
				t.Errorf("%s: the body holds %q", path, leak)
			}
		}
		var messages []string
		for line := range strings.Lines(f.log.String()) {
			var record struct{ Msg, Request, Stack, Panic, Error string }
			must(t, json.Unmarshal([]byte(line), &record))
			if record.Request != w.Header().Get("X-Request-Id") {
				continue
			}
			messages = append(messages, record.Msg)
			if record.Msg == "request panicked" && (!strings.Contains(record.Stack, "problem_test.go") || record.Panic == "") {
				t.Errorf("%s is logged as %s", path, line)
			}
		}
		if want := []string{"request panicked", "request failed"}; !slices.Equal(messages, want) {
			t.Errorf("under the answer's id the log has %q, want %q", messages, want)
		}
	}
}

func TestAPanicAfterTheAnswerHasBegunIsLoggedAndAddsNothingToIt(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.Handle("/panic", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("begun"))
		panic("too late")
	})
	if w := f.ask(t, "GET", "/panic"); w.Body.String() != "begun" {
		t.Errorf("the answer is %q", w.Body)
	}
	if !strings.Contains(f.log.String(), `"panic":"too late"`) {
		t.Errorf("the log is %s", f.log)
	}
}

func TestARequestIDIsNewAndNotTheCallers(t *testing.T) {
	t.Parallel()
	f := open(t)
	seen := map[string]bool{"mine": true}
	for range 20 {
		id := f.ask(t, "GET", "/healthz", header("X-Request-Id", "mine")).Header().Get("X-Request-Id")
		if seen[id] {
			t.Errorf("the id %s comes twice", id)
		}
		seen[id] = true
	}
}

func TestADatabaseErrorIsAProblemWithoutItsMessage(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	admin := f.admin(t)
	must(t, f.store.Close())
	w := f.ask(t, "GET", "/api/day-ahead-prices", admin)
	if p := problemOf(t, w); w.Code != 500 || p.Code != "internal" {
		t.Errorf("a closed database answers %d %s", w.Code, p.Code)
	}
	for _, leak := range append([]string{"database"}, leaks...) {
		if strings.Contains(strings.ToLower(w.Body.String()), leak) {
			t.Errorf("the body holds %q", leak)
		}
	}
	if !strings.Contains(f.log.String(), w.Header().Get("X-Request-Id")) || !strings.Contains(f.log.String(), "database is closed") {
		t.Errorf("the log is %s", f.log)
	}
}

func TestABrowserIsShownAPageForAnErrorAndAProgramReadsJSON(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.Handle("/panic", func(http.ResponseWriter, *http.Request) { panic("test") })
	browser := header("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	english := header("Accept-Language", "en")
	member := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	for _, row := range []struct {
		method, path string
		status       int
		want         []string
	}{
		{"GET", "/admin", 403, []string{"This address is for administrators.", "Back to the overview", `value="/admin"`, "anne@example.org"}},
		{"GET", "/nothing/%3Cscript%3E", 404, []string{"There is nothing at this address.", "Back to the overview"}},
		{"POST", "/admin/users/1/disable", 403, []string{"This address is for administrators.", `name="next" value="/"`}},
		{"PUT", "/login", 405, []string{"Method not allowed"}},
		{"GET", "/panic", 500, []string{"Internal error", "<code>X-Request-Id: "}},
		{"GET", "/csv/en/nothing", 404, []string{"There is nothing at this address."}},
	} {
		send := func(dress ...func(*http.Request)) *httptest.ResponseRecorder {
			return f.send(t, row.method, row.path, strings.NewReader(""), append(dress, member, english, urlencoded)...)
		}
		w := send(browser)
		if w.Code != row.status || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %q", row.method, row.path, w.Code, w.Header())
		}
		for _, text := range row.want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s %s: the page lacks %q: %s", row.method, row.path, text, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s %s: the page has the script of its address", row.method, row.path)
		}
		for _, accept := range []string{"", "*/*", "application/json"} {
			if w := send(header("Accept", accept)); w.Code != row.status || problemOf(t, w).Status != row.status {
				t.Errorf("%s %s with Accept %q: %d", row.method, row.path, accept, w.Code)
			}
		}
	}
	if p := problemOf(t, f.ask(t, "GET", "/api/fcr-capacity", browser)); p.Code != "unauthenticated" {
		t.Errorf("the API answers a browser with %s", p.Code)
	}
}
