package auth_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
	"courant/store/market"
)

func TestATokenIsShownOnceAndStoredAsItsHash(t *testing.T) {
	t.Parallel()
	f := open(t)
	token, other := f.token(t, member), f.token(t, member)
	if !regexp.MustCompile(`^crt_[A-Za-z0-9]{40,}$`).MatchString(token) {
		t.Errorf("token %q", token)
	}
	if token == other {
		t.Error("two tokens are the same")
	}
	kept := f.tokens(t, member)
	hash := sha256.Sum256([]byte(token))
	if len(kept) != 2 || !bytes.Equal(kept[0].Hash, hash[:]) || kept[0].Prefix != token[:12] || kept[0].Name != "script" {
		t.Errorf("Tokens = %+v", kept)
	}
	for _, suffix := range []string{"", "-wal"} {
		file, err := os.ReadFile(f.store.Path() + suffix)
		must(t, err)
		if bytes.Contains(file, []byte(token)) {
			t.Errorf("the token is in the file courant.db%s", suffix)
		}
	}
}

func TestTokensOfOneAccountOrOfAll(t *testing.T) {
	t.Parallel()
	f := open(t)
	first, second := f.token(t, admin), f.token(t, member)
	for email, want := range map[string]string{
		"":                      first[:12] + " " + second[:12],
		member:                  second[:12],
		strings.ToUpper(member): second[:12],
		" " + admin + "  ":      first[:12],
	} {
		tokens := f.tokens(t, email)
		var got []string
		for _, token := range tokens {
			got = append(got, token.Prefix)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("Tokens(%q) = %s, want %s", email, got, want)
		}
	}
}

func TestCreateToken(t *testing.T) {
	t.Parallel()
	f := open(t)
	const disabled = "denis@example.org"
	must(t, f.AddUser(t.Context(), disabled, password, false))
	_, err := f.Disable(t.Context(), disabled)
	must(t, err)
	for name, test := range map[string]struct {
		email, name, expires string
		want                 error
	}{
		"plain":                   {member, "script", "", nil},
		"100 accented letters":    {member, strings.Repeat("é", 100), "", nil},
		"101 letters":             {member, strings.Repeat("x", 101), "", auth.ErrTokenName},
		"no name":                 {member, "", "", auth.ErrTokenName},
		"a name of spaces":        {member, " \t ", "", auth.ErrTokenName},
		"a name of two lines":     {member, "a\nb", "", auth.ErrTokenName},
		"a name that hides":       {member, "a\u202eb", "", auth.ErrTokenName},
		"a name not in UTF-8":     {member, "a\xff", "", auth.ErrTokenName},
		"today":                   {member, "script", "2026-07-15", nil},
		"yesterday":               {member, "script", "2026-07-14", auth.ErrPastDate},
		"not an address":          {"anne", "script", "", auth.ErrEmail},
		"unknown account":         {"nobody@example.org", "script", "", store.ErrNotFound},
		"disabled account":        {disabled, "script", "", auth.ErrAccountDisabled},
		"address with a capital":  {"Anne@example.org", "script", "", nil},
		"administrator's account": {admin, "script", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := f.CreateToken(t.Context(), test.email, test.name, date(t, test.expires))
			if !errors.Is(err, test.want) || (token != "") != (test.want == nil) {
				t.Errorf("CreateToken = %q, %v; want error %v", token, err, test.want)
			}
		})
	}
}

func TestCheckTokenFindsItsAccount(t *testing.T) {
	f := open(t)
	for email, isAdmin := range map[string]bool{member: false, admin: true} {
		identity, err := f.CheckToken(t.Context(), f.token(t, email))
		must(t, err)
		if identity.Email != email || identity.Admin != isAdmin || identity.AccountID != f.account(t, email).ID || identity.TokenID == 0 {
			t.Errorf("CheckToken = %+v, want that of %s", identity, email)
		}
	}
}

func TestCheckTokenRefuses(t *testing.T) {
	t.Parallel()
	f := open(t)
	expiring := func(email string) string {
		token, err := f.CreateToken(t.Context(), email, "script", date(t, "2026-07-15"))
		must(t, err)
		return token
	}
	revoked := func(token string) string {
		must(t, f.RevokeToken(t.Context(), token[:12]))
		return token
	}
	good := f.token(t, member)
	tests := map[string]struct {
		token string
		want  error
	}{
		"good":                          {good, nil},
		"revoked":                       {revoked(f.token(t, member)), auth.ErrTokenRevoked},
		"expired":                       {expiring(member), auth.ErrTokenExpired},
		"revoked and expired":           {revoked(expiring(member)), auth.ErrTokenRevoked},
		"account disabled":              {f.token(t, admin), auth.ErrUnauthenticated},
		"account disabled and revoked":  {revoked(f.token(t, admin)), auth.ErrTokenRevoked},
		"of the right form but unknown": {"crt_" + strings.Repeat("A", 52), auth.ErrTokenInvalid},
	}
	_, err := f.Disable(t.Context(), admin)
	must(t, err)
	f.clock.Advance(24 * time.Hour)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			identity, err := f.CheckToken(t.Context(), test.token)
			if err != test.want {
				t.Errorf("CheckToken = %v, want exactly %v", err, test.want)
			}
			if err != nil && identity.AccountID != 0 {
				t.Errorf("CheckToken returns %+v with its error", identity)
			}
		})
	}
}

func TestMalformedTokensDoNotReachTheDatabase(t *testing.T) {
	t.Parallel()
	f := open(t)
	good := f.token(t, member)
	_, err := f.CheckToken(t.Context(), good) // reads who may come in
	must(t, err)
	must(t, f.store.Close())
	for name, token := range map[string]string{
		"none":              "",
		"the mark alone":    "crt_",
		"too short":         good[:43],
		"over-long":         "crt_" + strings.Repeat("A", 1<<20),
		"no mark":           strings.TrimPrefix(good, "crt_"),
		"mark in capitals":  "CRT_" + strings.TrimPrefix(good, "crt_"),
		"space at its end":  good + " ",
		"line at its end":   good + "\n",
		"other characters":  good + "-",
		"a letter with hat": good + "ê",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := f.CheckToken(t.Context(), token); err != auth.ErrTokenInvalid {
				t.Errorf("CheckToken = %v, want %v", err, auth.ErrTokenInvalid)
			}
		})
	}
}

func TestATokenExpiresAtTheEndOfItsDateInParis(t *testing.T) {
	t.Parallel()
	f := open(t)
	token, err := f.CreateToken(t.Context(), member, "script", date(t, "2026-10-25"))
	must(t, err)
	end := time.Date(2026, 10, 25, 23, 0, 0, 0, time.UTC)
	f.clock.Advance(end.Sub(noon) - time.Second)
	if _, err := f.CheckToken(t.Context(), token); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	f.clock.Advance(time.Second)
	if _, err := f.CheckToken(t.Context(), token); err != auth.ErrTokenExpired {
		t.Errorf("at the end: %v, want %v", err, auth.ErrTokenExpired)
	}
	must(t, f.Refresh(t.Context()))
	if _, err := f.CheckToken(t.Context(), token); err != auth.ErrTokenExpired {
		t.Errorf("at the end, read from the database: %v, want %v", err, auth.ErrTokenExpired)
	}
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	f := open(t)
	token, other := f.token(t, member), f.token(t, member)
	for name, test := range map[string]struct {
		prefix string
		want   error
	}{
		"eleven characters": {token[:11], auth.ErrTokenPrefix},
		"the whole token":   {token, auth.ErrTokenPrefix},
		"nothing":           {"", auth.ErrTokenPrefix},
		"wildcard":          {"crt_%%%%%%%%", auth.ErrTokenPrefix},
		"unknown":           {"crt_zzzzzzzz", store.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			err := f.RevokeToken(t.Context(), test.prefix)
			if !errors.Is(err, test.want) {
				t.Errorf("RevokeToken = %v, want %v", err, test.want)
			}
			if strings.Contains(err.Error(), token) {
				t.Error("the error repeats the token")
			}
		})
	}
	must(t, f.RevokeToken(t.Context(), token[:12]))
	f.clock.Advance(time.Hour)
	must(t, f.RevokeToken(t.Context(), token[:12])) // again
	tokens := f.tokens(t, member)
	if !tokens[1].Revoked.Equal(noon) {
		t.Errorf("revoked at %v, want the first time, %v", tokens[1].Revoked, noon)
	}
	if _, err := f.CheckToken(t.Context(), other); err != nil {
		t.Errorf("the other token: %v", err)
	}
}

func TestATokenCreatedByAnotherProcessIsValidAtOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	_, err := f.CheckToken(t.Context(), f.token(t, member)) // reads who may come in
	must(t, err)
	other, err := store.Open(t.Context(), f.store.Path())
	must(t, err)
	defer other.Close()
	command := auth.New(auth.Options{Store: other, Clock: f.clock})
	token, err := command.CreateToken(t.Context(), member, "script", market.DeliveryDate{})
	must(t, err)
	if identity, err := f.CheckToken(t.Context(), token); err != nil || identity.Email != member {
		t.Errorf("CheckToken = %+v, %v", identity, err)
	}
}

func TestAnAccountHasAtMostAHundredValidTokensUnderConcurrentRequests(t *testing.T) {
	t.Parallel()
	f := open(t)
	var asking sync.WaitGroup
	var made, refused atomic.Int64
	for range 8 {
		asking.Go(func() {
			for range 20 {
				switch _, err := f.CreateToken(t.Context(), member, "script", market.DeliveryDate{}); err {
				case nil:
					made.Add(1)
				case auth.ErrTokenCount:
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	if made.Load() != 100 || refused.Load() != 60 {
		t.Errorf("%d are created and %d refused", made.Load(), refused.Load())
	}
}

func TestAnAccountHasAtMostAHundredSessionsUnderConcurrentSignIns(t *testing.T) {
	f := open(t)
	account := f.account(t, member)
	var signingIn sync.WaitGroup
	for range 8 {
		signingIn.Go(func() {
			for range 15 {
				if err := f.BeginSession(httptest.NewRecorder(), request(t, nil), account); err != nil {
					t.Error(err)
				}
			}
		})
	}
	signingIn.Wait()
	f.checkSession(t, begin(t, f.Auth, account, nil), nil)
	if _, sessions := f.DirectorySize(); sessions != 100 {
		t.Errorf("%d sessions are open", sessions)
	}
}
