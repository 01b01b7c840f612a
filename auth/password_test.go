package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"

	"courant/auth"
	"courant/store"
)

func TestPasswordsAreStoredAsArgon2id(t *testing.T) {
	f := openEmpty(t)
	f.Auth = auth.New(auth.Options{Store: f.store, Clock: f.clock})
	must(t, f.AddUser(t.Context(), member, password, false))
	must(t, f.AddUser(t.Context(), admin, password, true))
	if _, err := f.SignIn(t.Context(), member, password); err != nil {
		t.Fatal(err)
	}
	hash := f.account(t, member).PasswordHash
	const want = "$argon2id$v=19$m=19456,t=2,p=1$"
	for name, hash := range map[string]string{"an account's": hash, "nobody's": auth.DummyHash} {
		params, salt, key, err := argon2id.DecodeHash(hash)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.HasPrefix(hash, want) || len(salt) != 16 || len(key) != 32 {
			t.Errorf("%s: %+v, salt of %d and key of %d bytes; want %s, 16 and 32", name, params, len(salt), len(key), want)
		}
	}
	if other := f.account(t, admin).PasswordHash; other == hash {
		t.Error("two accounts with one password have one hash")
	}
}

func TestInvalidPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	for name, test := range map[string]struct {
		password string
		want     error
	}{
		"none":                        {"", auth.ErrPasswordShort},
		"11 characters":               {"elevenchars", auth.ErrPasswordShort},
		"11 characters in more bytes": {strings.Repeat("é", 11), auth.ErrPasswordShort},
		"11 characters, decomposed":   {strings.Repeat("e\u0301", 11), auth.ErrPasswordShort},
		"12 characters":               {"twelve chars", nil},
		"256 bytes":                   {"été à Besançon" + strings.Repeat("é", 119), nil},
		"257 bytes":                   {strings.Repeat("é", 128) + "x", auth.ErrPasswordLong},
		"not UTF-8":                   {"twelve chars\xff", auth.ErrPasswordText},
	} {
		t.Run(name, func(t *testing.T) {
			if err := f.SetPassword(t.Context(), member, test.password); !errors.Is(err, test.want) {
				t.Errorf("SetPassword = %v, want %v", err, test.want)
			}
		})
	}
}

func TestRefusalsDoNotRepeatThePassword(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, secret := range []string{"secretshort", "secret" + strings.Repeat("x", 256), "secret secret\xff"} {
		if err := f.AddUser(t.Context(), "carl@example.org", secret, false); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("AddUser = %v, want an error without the password", err)
		}
	}
}

func TestSignIn(t *testing.T) {
	f := open(t)
	const disabled, accented = "denis@example.org", "zoe@example.org"
	must(t, f.AddUser(t.Context(), disabled, password, false))
	_, err := f.Disable(t.Context(), disabled)
	must(t, err)
	must(t, f.AddUser(t.Context(), accented, "été à Besançon", false))
	for name, test := range map[string]struct {
		email, password string
		want            error
	}{
		"right":                         {member, password, nil},
		"address in capitals, spaces":   {" Anne@Example.ORG ", password, nil},
		"accents typed in two strokes":  {accented, "e\u0301te\u0301 a\u0300 Besanc\u0327on", nil},
		"wrong password":                {member, password + "!", auth.ErrBadCredentials},
		"no password":                   {member, "", auth.ErrBadCredentials},
		"password in capitals":          {member, strings.ToUpper(password), auth.ErrBadCredentials},
		"unknown address":               {"nobody@example.org", password, auth.ErrBadCredentials},
		"not an address":                {"nobody", password, auth.ErrBadCredentials},
		"disabled":                      {disabled, password, auth.ErrBadCredentials},
		"disabled, wrong password":      {disabled, password + "!", auth.ErrBadCredentials},
		"unknown, password of a nobody": {"nobody@example.org", "", auth.ErrBadCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			account, err := f.SignIn(t.Context(), test.email, test.password)
			if err != test.want {
				t.Fatalf("SignIn = %v, want exactly %v", err, test.want)
			}
			if err != nil && account != (store.Account{}) {
				t.Errorf("SignIn returns account %d with its error", account.ID)
			}
			if err == nil && account.ID != f.account(t, account.Email).ID {
				t.Errorf("SignIn = account %d", account.ID)
			}
		})
	}
}

func TestSignInHashesWhetherOrNotThereIsAnAccount(t *testing.T) {
	t.Parallel()
	f := open(t)
	_, err := f.Disable(t.Context(), admin)
	must(t, err)
	hashed := 0
	f.Compare(func(string, string) (bool, error) { hashed++; return true, nil })
	for i, email := range []string{admin, "nobody@example.org", "not an address"} {
		if _, err := f.SignIn(t.Context(), email, "wrong password"); err != auth.ErrBadCredentials || hashed != i+1 {
			t.Errorf("SignIn of %s = %v, after %d hashings", email, err, hashed)
		}
	}
}

func TestACancelledSignInIsNotHashed(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.SetPassword(ctx, member, "another password"); !errors.Is(err, context.Canceled) {
		t.Errorf("SetPassword = %v, want %v", err, context.Canceled)
	}
}
