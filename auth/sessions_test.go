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
	"courant/store/market"
)

// request returns a request with a cookie, unless that is nil.
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

func TestASessionIdentifiesItsAccount(t *testing.T) {
	t.Parallel()
	f := open(t)
	for email, isAdmin := range map[string]bool{member: false, admin: true} {
		account, err := f.SignIn(t.Context(), email, password)
		must(t, err)
		identity, err := f.CheckSession(request(t, begin(t, f.Auth, account, nil)))
		must(t, err)
		if identity.AccountID != account.ID || identity.Email != email || identity.Admin != isAdmin || identity.TokenID != 0 {
			t.Errorf("CheckSession = %+v, want that of %s", identity, email)
		}
		if err := identity.May(market.AFRREnergy); (err == nil) != isAdmin {
			t.Errorf("May of %s = %v", email, err)
		}
	}
}

func TestTheSessionCookie(t *testing.T) {
	f := open(t)
	for _, secure := range []bool{false, true} {
		got := begin(t, f.configured(offers, secure), f.account(t, member), nil)
		want := map[bool]string{false: "courant_session", true: "__Host-courant_session"}[secure]
		if got.Name != want || got.Path != "/" || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode ||
			got.Secure != secure || got.MaxAge != 30*24*60*60 || got.Domain != "" || len(got.Value) < 40 {
			t.Errorf("cookie %s", got)
		}
	}
}

func TestTheDatabaseDoesNotContainTheSessionID(t *testing.T) {
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

func TestRequestsWithoutASessionAreRefused(t *testing.T) {
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

func TestSigningInNeverReusesASessionID(t *testing.T) {
	f := open(t)
	planted := &http.Cookie{Name: "courant_session", Value: "planted-by-somebody-else"}
	cookie := begin(t, f.Auth, f.account(t, member), planted)
	if cookie.Value == planted.Value {
		t.Error("the session got the unknown id of the request")
	}
	f.checkSession(t, planted, auth.ErrUnauthenticated)

	second := begin(t, f.Auth, f.account(t, admin), cookie)
	if second.Value == cookie.Value {
		t.Error("the new session got the id of the earlier one")
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
				t.Errorf("cookie %s, want it deleted", got)
			}
		})
	}
	f.checkSession(t, cookie, auth.ErrUnauthenticated)
	f.checkSession(t, other, nil)
}

func TestSessionsEndWhenTheAccountIsDisabledOrItsPasswordChanges(t *testing.T) {
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
			// A sign-in that was in progress ends with the change too.
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

func TestASessionStaysValidWhileTheDatabaseCannotBeWritten(t *testing.T) {
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
		if err := f.Maintain(t.Context()); err == nil {
			t.Fatal("the database can be written")
		}
		f.clock.Advance(11 * time.Hour)
	}
}

// carrying returns a request with cookies.
func carrying(t *testing.T, cookies ...*http.Cookie) *http.Request {
	r := request(t, nil)
	for _, cookie := range cookies {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return r
}

func TestASessionFromBeforeTheHostPrefixStaysValidUntilTheNextSignIn(t *testing.T) {
	f := open(t)
	former := begin(t, f.Auth, f.account(t, member), nil) // courant_session, as all were
	tls := f.configured(offers, true)
	if _, err := tls.CheckSession(carrying(t, former)); err != nil {
		t.Fatalf("CheckSession = %v", err)
	}
	w := httptest.NewRecorder()
	must(t, tls.BeginSession(w, carrying(t, former), f.account(t, member)))
	cookies := w.Result().Cookies()
	if len(cookies) != 2 || cookies[0].Name != "__Host-courant_session" || cookies[1].Name != "courant_session" || cookies[1].MaxAge >= 0 {
		t.Fatalf("cookies %v", cookies)
	}
	if _, err := tls.CheckSession(carrying(t, former)); err != auth.ErrUnauthenticated {
		t.Errorf("the earlier session: %v", err)
	}
	if _, err := tls.CheckSession(carrying(t, cookies[0])); err != nil {
		t.Errorf("the new session: %v", err)
	}
	w = httptest.NewRecorder()
	must(t, tls.EndSession(w, carrying(t, cookies[0], former)))
	if got := w.Result().Cookies(); len(got) != 2 || got[0].MaxAge >= 0 || got[1].MaxAge >= 0 {
		t.Errorf("signing out sets %v", got)
	}
}

func TestACookieOfAnotherHostOpensNoSession(t *testing.T) {
	f := open(t)
	tls := f.configured(offers, true)
	own, others := begin(t, tls, f.account(t, member), nil), begin(t, tls, f.account(t, admin), nil)
	tossed := &http.Cookie{Name: "courant_session", Value: others.Value}
	for name, cookies := range map[string][]*http.Cookie{
		"before the own":          {tossed, own},
		"after the own":           {own, tossed},
		"beside one that is over": {tossed, {Name: own.Name, Value: "over"}},
		"alone":                   {tossed},
	} {
		identity, err := tls.CheckSession(carrying(t, cookies...))
		if identity.Email == admin {
			t.Errorf("%s: the session is that of the other host", name)
		}
		if withOwn := cookies[0] == own || cookies[len(cookies)-1] == own; withOwn != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManySessionsAndTokensOfOneAccountDoNotSlowDownOthers(t *testing.T) {
	f := open(t)
	cookie := begin(t, f.Auth, f.account(t, admin), nil)
	db, err := sql.Open("sqlite", f.store.Path())
	must(t, err)
	defer db.Close()
	for _, statement := range []string{
		// 20 000 sessions and tokens from before there was a limit, half of them expired; the other tokens are revoked.
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
			INSERT INTO session SELECT printf('%064d', i), 1, x'00', 1, iif(i % 2, 1, 9e15) FROM n`,
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
			INSERT INTO token (account_id, name, prefix, hash, datasets, created_ms, expires_ms, revoked_ms)
			SELECT 1, 'script', printf('crt_%08d', i), CAST(printf('%d', i) AS BLOB), '', 1, iif(i % 2, 1, NULL), iif(i % 2, NULL, 1) FROM n`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		must(t, err)
	}
	begin(t, f.Auth, f.account(t, member), nil) // a change
	f.checkSession(t, cookie, nil)
	if tokens, sessions := f.DirectorySize(); tokens != 0 || sessions != 2 {
		t.Errorf("%d tokens and %d sessions are in the directory, want none and 2", tokens, sessions)
	}
	_, err = f.Prune(t.Context(), false)
	must(t, err)
	for query, want := range map[string]int{"session WHERE account_id = 1": 100, "token WHERE revoked_ms IS NOT NULL": 1000} {
		var got int
		must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+query).Scan(&got))
		if got != want {
			t.Errorf("%d of %s are left, want %d", got, query, want)
		}
	}
	f.checkSession(t, cookie, nil)
}

func TestSessionsAreListedByPages(t *testing.T) {
	f := open(t)
	var identity auth.Identity
	for range 5 {
		var err error
		identity, err = f.CheckSession(request(t, begin(t, f.Auth, f.account(t, member), nil)))
		must(t, err)
		f.clock.Advance(time.Second)
	}
	for number, want := range map[int]int{0: 2, 1: 2, 2: 2, 3: 1, 4: 0} {
		lines, more, err := f.Sessions(t.Context(), identity, auth.Page{Number: number, Size: 2})
		if err != nil || len(lines) != want || more != (number < 3) {
			t.Errorf("page %d: %d lines, more %t, %v", number, len(lines), more, err)
		}
		if number == 1 && !lines[0].Own {
			t.Error("the newest is not first")
		}
	}
}
