package auth_test

import (
	"bytes"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
)

// request carries a session cookie, unless it is nil.
func request(t *testing.T, cookie *http.Cookie) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if cookie != nil {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return r
}

// begin begins a session of an account and returns its cookie.
func begin(t *testing.T, accounts *auth.Auth, account store.Account, former *http.Cookie) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := accounts.BeginSession(w, request(t, former), account); err != nil {
		t.Fatal(err)
	}
	return onlyCookie(t, w)
}

func onlyCookie(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies are set: %v", len(cookies), cookies)
	}
	return cookies[0]
}

func (f *fixture) checkSession(t *testing.T, cookie *http.Cookie, want error) {
	t.Helper()
	if _, err := f.CheckSession(request(t, cookie)); err != want {
		t.Errorf("CheckSession = %v, want %v", err, want)
	}
}

func TestASessionIsThatOfItsAccount(t *testing.T) {
	f := open(t)
	for email, isAdmin := range map[string]bool{member: false, admin: true} {
		account, err := f.SignIn(t.Context(), email, password)
		must(t, err)
		identity, err := f.CheckSession(request(t, begin(t, f.Auth, account, nil)))
		must(t, err)
		if identity.AccountID != account.ID || identity.Email != email || identity.Admin != isAdmin || identity.TokenID != 0 {
			t.Errorf("CheckSession = %+v, want that of %s", identity, email)
		}
		if err := identity.May(store.AFRREnergy); (err == nil) != isAdmin {
			t.Errorf("May of %s = %v", email, err)
		}
	}
}

func TestTheSessionCookie(t *testing.T) {
	f := open(t)
	for _, secure := range []bool{false, true} {
		got := begin(t, f.configured(offers, secure), f.account(t, member), nil)
		if got.Name != "courant_session" || got.Path != "/" || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode ||
			got.Secure != secure || got.MaxAge != 30*24*60*60 || got.Domain != "" || len(got.Value) < 40 {
			t.Errorf("cookie %s", got)
		}
	}
}

func TestTheDatabaseDoesNotHoldTheSessionID(t *testing.T) {
	f := open(t)
	cookie := begin(t, f.Auth, f.account(t, member), nil)
	for _, suffix := range []string{"", "-wal"} {
		file, err := os.ReadFile(f.store.Path() + suffix)
		must(t, err)
		if bytes.Contains(file, []byte(cookie.Value)) {
			t.Errorf("the id is in the file courant.db%s", suffix)
		}
	}
}

func TestRequestsWithoutASession(t *testing.T) {
	f := open(t)
	for name, cookie := range map[string]*http.Cookie{
		"no cookie":    nil,
		"empty cookie": {Name: "courant_session"},
		"unknown id":   {Name: "courant_session", Value: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"other cookie": {Name: "session", Value: begin(t, f.Auth, f.account(t, member), nil).Value},
	} {
		t.Run(name, func(t *testing.T) { f.checkSession(t, cookie, auth.ErrUnauthenticated) })
	}
}

func TestSigningInNeverTakesOverAnID(t *testing.T) {
	f := open(t)
	planted := &http.Cookie{Name: "courant_session", Value: "planted-by-somebody-else"}
	cookie := begin(t, f.Auth, f.account(t, member), planted)
	if cookie.Value == planted.Value {
		t.Error("an unknown id that came in became the session's")
	}
	f.checkSession(t, planted, auth.ErrUnauthenticated)

	second := begin(t, f.Auth, f.account(t, admin), cookie)
	if second.Value == cookie.Value {
		t.Error("the id of the former session became the new one's")
	}
	f.checkSession(t, cookie, auth.ErrUnauthenticated)
	identity, err := f.CheckSession(request(t, second))
	must(t, err)
	if identity.Email != admin {
		t.Errorf("the new session is that of %s", identity.Email)
	}
}

func TestEndSession(t *testing.T) {
	f := open(t)
	cookie, other := begin(t, f.Auth, f.account(t, member), nil), begin(t, f.Auth, f.account(t, member), nil)
	for name, cookie := range map[string]*http.Cookie{"a session": cookie, "none": nil} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			must(t, f.EndSession(w, request(t, cookie)))
			if got := onlyCookie(t, w); got.Name != "courant_session" || got.Value != "" || got.MaxAge >= 0 || got.Path != "/" {
				t.Errorf("cookie %s, want it taken back", got)
			}
		})
	}
	f.checkSession(t, cookie, auth.ErrUnauthenticated)
	f.checkSession(t, other, nil)
}

func TestSessionsEndWithWhatTheyWereBegunWith(t *testing.T) {
	for name, change := range map[string]func(*fixture) error{
		"password changed": func(f *fixture) error { return f.SetPassword(t.Context(), member, "another password") },
		"account disabled": func(f *fixture) error { _, err := f.Disable(t.Context(), member); return err },
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			signedIn := f.account(t, member)
			cookie, bystander := begin(t, f.Auth, signedIn, nil), begin(t, f.Auth, f.account(t, admin), nil)
			must(t, change(f))
			f.checkSession(t, cookie, auth.ErrUnauthenticated)
			f.checkSession(t, bystander, nil)
			// Nor does a sign-in that was under way outlive the change.
			f.checkSession(t, begin(t, f.Auth, signedIn, nil), auth.ErrUnauthenticated)
		})
	}
}

func TestAnIdleSessionEndsAfterTwelveHours(t *testing.T) {
	f := open(t)
	cookie := begin(t, f.Auth, f.account(t, member), nil)
	f.clock.Advance(12*time.Hour - time.Second)
	f.checkSession(t, cookie, nil)
	f.clock.Advance(12*time.Hour - time.Second)
	f.checkSession(t, cookie, nil)
	f.clock.Advance(12 * time.Hour)
	f.checkSession(t, cookie, auth.ErrUnauthenticated)
}

func TestASessionInUseEndsAfterThirtyDays(t *testing.T) {
	f := open(t)
	cookie := begin(t, f.Auth, f.account(t, member), nil)
	for range 30*3 - 1 {
		f.clock.Advance(8 * time.Hour)
		f.checkSession(t, cookie, nil)
	}
	f.clock.Advance(8*time.Hour - time.Second)
	f.checkSession(t, cookie, nil)
	f.clock.Advance(time.Second)
	f.checkSession(t, cookie, auth.ErrUnauthenticated)
}

func TestASessionIsGoodWhileTheDatabaseCannotBeWritten(t *testing.T) {
	f := open(t)
	cookie := begin(t, f.Auth, f.account(t, member), nil)
	f.clock.Advance(time.Hour)
	db, err := sql.Open("sqlite", f.store.Path())
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "CREATE TRIGGER full BEFORE UPDATE ON session BEGIN SELECT RAISE(FAIL, 'full'); END")
	must(t, err)
	for range 3 {
		f.checkSession(t, cookie, nil)
		if err := f.KeepBooks(t.Context()); err == nil {
			t.Fatal("the database can be written")
		}
		f.clock.Advance(11 * time.Hour)
	}
}
