package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"courant/server/api"
	"courant/store/storetest/await"
)

// peer sets the address that a request comes from.
func peer(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":1234" }
}

// floodSignIns fails to sign in as often as one origin may, each time with another address.
func (f *fixture) floodSignIns(t *testing.T, dress ...func(*http.Request)) {
	t.Helper()
	for i := range 30 {
		w := f.submit(t, "POST", "/login", url.Values{"email": {fmt.Sprintf("nobody%d@example.org", i)}, "password": {"x"}}, dress...)
		if w.Code != 401 {
			t.Fatalf("attempt %d: %d", i+1, w.Code)
		}
	}
}

func TestBehindAFloodOfSignInsAStrangerWaitsAndAKnownDeviceDoesNot(t *testing.T) {
	t.Parallel()
	trusted := func(o *api.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }
	for name, from := range map[string]func(client string) func(*http.Request){
		"peers": peer,
		"clients of a proxy": func(client string) func(*http.Request) {
			return func(r *http.Request) { peer("10.0.0.1")(r); header("X-Forwarded-For", client)(r) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := withUser(t, trusted)
			right := url.Values{"email": {email}, "password": {password}}
			cookies := f.submit(t, "POST", "/login", right, from("192.0.2.9")).Result().Cookies()
			if len(cookies) != 2 || cookies[1].Name != "courant_device" {
				t.Fatalf("signing in sets %v", cookies)
			}
			f.floodSignIns(t, from("192.0.2.9"))
			w := f.submit(t, "POST", "/login", right, from("192.0.2.9"), english)
			if w.Code != 429 || w.Header().Get("Retry-After") != "900" || w.Header().Get("Set-Cookie") != "" || !strings.Contains(w.Body.String(), "Try again in 15 min.") {
				t.Errorf("a stranger behind it: %d, %v", w.Code, w.Header())
			}
			if w := f.submit(t, "POST", "/login", right, from("192.0.2.9"), carrying(cookies[1])); w.Code != 303 {
				t.Errorf("a known device behind it: %d", w.Code)
			}
			if w := f.submit(t, "POST", "/login", right, from("192.0.2.8")); w.Code != 303 {
				t.Errorf("a stranger from elsewhere: %d", w.Code)
			}
		})
	}
}

func TestEveryWayOfSigningInSetsTheCookieOfTheDevice(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.OpenSignup = true })
	session := f.signIn(t, email, password)
	for _, row := range []struct {
		path   string
		fields url.Values
		dress  []func(*http.Request)
	}{
		{"/account/password", url.Values{"former": {password}, "password": {"another good phrase"}}, []func(*http.Request){session}},
		{"/signup", url.Values{"email": {"carl@example.org"}, "password": {"another good phrase"}}, nil},
		{"/login", url.Values{"email": {"carl@example.org"}, "password": {"another good phrase"}}, nil},
	} {
		w := f.submit(t, "POST", row.path, row.fields, row.dress...)
		if cookies := w.Result().Cookies(); w.Code != 303 || len(cookies) != 2 || cookies[1].Name != "courant_device" {
			t.Errorf("%s: %d, %v", row.path, w.Code, cookies)
		}
	}
	key, err := f.auth.PasswordLink(t.Context(), email)
	must(t, err)
	w := f.submit(t, "POST", "/set-password", url.Values{"key": {key}, "password": {"a third good phrase"}})
	if cookies := w.Result().Cookies(); w.Code != 303 || len(cookies) != 2 {
		t.Errorf("/set-password: %d, %v", w.Code, cookies)
	}
}

func TestEachFormThatHashesIsLimitedByOrigin(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.OpenSignup = true })
	f.floodSignIns(t)
	for i := range 20 {
		if w := f.submit(t, "POST", "/signup", url.Values{"email": {"nobody"}, "password": {"x"}}); w.Code != 400 {
			t.Fatalf("sign-up %d: %d", i+1, w.Code)
		}
	}
	for path, fields := range map[string]url.Values{
		"/login":        {"email": {"nobody@example.org"}, "password": {"x"}},
		"/signup":       {"email": {"nobody@example.org"}, "password": {"another good phrase"}},
		"/set-password": {"key": {strings.Repeat("A", 52)}, "password": {"another good phrase"}},
	} {
		if w := f.submit(t, "POST", path, fields); w.Code != 429 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d, %v", path, w.Code, w.Header())
		}
	}
	session := f.signIn(t, email, password, peer("192.0.2.200"))
	for i := range 11 {
		w := f.submit(t, "POST", "/account/password", url.Values{"former": {"x"}, "password": {"another good phrase"}}, session)
		if want := map[bool]int{false: 400, true: 429}[i == 10]; w.Code != want {
			t.Errorf("change %d of the password: %d, want %d", i+1, w.Code, want)
		}
	}
}

func TestAnswersToAnOriginOverTheLimitAreDelayedUnlessTheClientIsGone(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	f.floodSignIns(t)
	wrong := url.Values{"email": {"nobody@example.org"}, "password": {"x"}}
	for i := range 30 {
		if w := f.submit(t, "POST", "/login", wrong); w.Code != 429 {
			t.Fatalf("refusal %d: %d", i+1, w.Code)
		}
	}
	begin := func(ctx context.Context) chan int {
		status := make(chan int, 1)
		go func() {
			r := httptest.NewRequestWithContext(ctx, "POST", "/login", strings.NewReader(wrong.Encode()))
			urlencoded(r)
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			status <- w.Code
		}()
		must(t, f.clock.BlockUntilContext(await.Context(t), 1))
		return status
	}
	late := begin(t.Context())
	select {
	case code := <-late:
		t.Fatalf("%d at once", code)
	default:
	}
	f.clock.Advance(2 * time.Second)
	if code := await.Value(t, late); code != 429 {
		t.Errorf("late it is %d", code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := begin(ctx)
	cancel()
	await.Value(t, gone)
}

func TestMailsOfOriginsWithFewerRequestsAreSentFirst(t *testing.T) {
	t.Parallel()
	done, mails := api.QueuedMails(2000, 5)
	if len(done) != 1000 || mails != 1005 {
		t.Fatalf("%d are done and %d dropped", len(done), mails)
	}
	for i, origin := range done[:5] {
		if origin != fmt.Sprint("person ", i) {
			t.Errorf("place %d has %s", i, origin)
		}
	}
}
