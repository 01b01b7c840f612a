package auth_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
)

const newPassword = "correct horse staple"

func TestAnInvitedPersonSetsAPasswordOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	const carl = "carl@example.org"
	secret, err := f.Invite(t.Context(), " Carl@example.org ", false)
	must(t, err)
	if _, err := f.SignIn(t.Context(), carl, ""); !errors.Is(err, auth.ErrBadCredentials) {
		t.Errorf("before: SignIn = %v, want %v", err, auth.ErrBadCredentials)
	}
	for range 2 { // opening it does not use it
		if email, err := f.Link(t.Context(), secret); err != nil || email != carl {
			t.Errorf("Link = %q, %v; want %s", email, err, carl)
		}
	}
	if _, err := f.UseLink(t.Context(), secret, "", "short"); !errors.Is(err, auth.ErrPasswordShort) {
		t.Errorf("UseLink = %v, want %v", err, auth.ErrPasswordShort)
	}
	account, err := f.UseLink(t.Context(), secret, "boris@example.org", newPassword)
	if err != nil || account.Email != carl || account.Role != store.Member {
		t.Errorf("UseLink = %+v, %v", account, err)
	}
	if _, err := f.SignIn(t.Context(), carl, newPassword); err != nil {
		t.Error(err)
	}
	if _, err := f.UseLink(t.Context(), secret, "", "another password"); err != auth.ErrLink {
		t.Errorf("UseLink again = %v, want %v", err, auth.ErrLink)
	}
	if _, err := f.Invite(t.Context(), carl, false); !errors.Is(err, store.ErrExists) {
		t.Errorf("Invite again = %v, want %v", err, store.ErrExists)
	}
}

func TestAnAccountWithoutAPasswordIsInvitedAgain(t *testing.T) {
	t.Parallel()
	f := open(t)
	first, err := f.Invite(t.Context(), "carl@example.org", true)
	must(t, err)
	f.clock.Advance(7*24*time.Hour - time.Millisecond)
	if _, err := f.Link(t.Context(), first); err != nil {
		t.Errorf("in the last moment: %v", err)
	}
	f.clock.Advance(time.Millisecond)
	if _, err := f.Link(t.Context(), first); err != auth.ErrLink {
		t.Errorf("after 7 days: %v, want %v", err, auth.ErrLink)
	}
	if _, err := f.Invite(t.Context(), "carl@example.org", false); !errors.Is(err, store.ErrExists) {
		t.Errorf("in another role: %v, want %v", err, store.ErrExists)
	}
	second, err := f.Invite(t.Context(), "carl@example.org", true)
	must(t, err)
	if account, err := f.UseLink(t.Context(), second, "", newPassword); err != nil || account.Role != store.Administrator {
		t.Errorf("UseLink = %+v, %v", account, err)
	}
}

func TestSettingAPasswordByALinkEndsTheSessions(t *testing.T) {
	f := open(t)
	cookie := begin(t, f.Auth, f.account(t, member), nil)
	secret, err := f.PasswordLink(t.Context(), member)
	must(t, err)
	f.checkSession(t, cookie, nil)
	_, err = f.UseLink(t.Context(), secret, "", newPassword)
	must(t, err)
	f.checkSession(t, cookie, auth.ErrUnauthenticated)
}

func TestNoLinkForUnknownOrDisabledAccounts(t *testing.T) {
	t.Parallel()
	f := open(t)
	if _, err := f.PasswordLink(t.Context(), "nobody@example.org"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	secret, err := f.PasswordLink(t.Context(), member)
	must(t, err)
	_, err = f.Disable(t.Context(), member)
	must(t, err)
	if _, err := f.PasswordLink(t.Context(), member); !errors.Is(err, auth.ErrAccountDisabled) {
		t.Errorf("disabled: %v", err)
	}
	for name, secret := range map[string]string{
		"of a disabled account": secret, "unknown": strings.Repeat("A", 52), "nothing": "", "over-long": strings.Repeat("A", 10_000), "SQL": "' OR 1=1 --",
	} {
		if _, err := f.UseLink(t.Context(), secret, member, newPassword); err != auth.ErrLink {
			t.Errorf("%s: %v, want %v", name, err, auth.ErrLink)
		}
	}
}

func TestTheSecretOfALinkIsNotStored(t *testing.T) {
	t.Parallel()
	f := open(t)
	secret, err := f.PasswordLink(t.Context(), member)
	must(t, err)
	for _, suffix := range []string{"", "-wal"} {
		file, err := os.ReadFile(f.store.Path() + suffix)
		must(t, err)
		if bytes.Contains(file, []byte(secret)) {
			t.Errorf("the secret is in the file courant.db%s", suffix)
		}
	}
}

func TestTheFirstLinkIsOnlyForADatabaseWithoutAccounts(t *testing.T) {
	t.Parallel()
	if secret, err := open(t).FirstLink(t.Context()); err != nil || secret != "" {
		t.Errorf("FirstLink with accounts = %q, %v", secret, err)
	}
	db := openEmpty(t)
	secret, err := db.FirstLink(t.Context())
	must(t, err)
	if email, err := db.Link(t.Context(), secret); err != nil || email != "" {
		t.Errorf("Link = %q, %v", email, err)
	}
	if _, err := db.UseLink(t.Context(), secret, "no address", newPassword); !errors.Is(err, auth.ErrEmail) {
		t.Errorf("UseLink without an address = %v, want %v", err, auth.ErrEmail)
	}
	account, err := db.UseLink(t.Context(), secret, "Anne@example.org", newPassword)
	if err != nil || account.Email != member || account.Role != store.Administrator {
		t.Errorf("UseLink = %+v, %v", account, err)
	}
	if secret, err := db.FirstLink(t.Context()); err != nil || secret != "" {
		t.Errorf("FirstLink afterwards = %q, %v", secret, err)
	}
}

func TestChangePasswordNeedsTheCurrentPassword(t *testing.T) {
	f := open(t)
	cookie := begin(t, f.Auth, f.account(t, member), nil)
	if _, err := f.ChangePassword(t.Context(), member, "not the password", newPassword); !errors.Is(err, auth.ErrBadCredentials) {
		t.Errorf("ChangePassword = %v, want %v", err, auth.ErrBadCredentials)
	}
	f.checkSession(t, cookie, nil)
	account, err := f.ChangePassword(t.Context(), member, password, newPassword)
	must(t, err)
	f.checkSession(t, cookie, auth.ErrUnauthenticated)
	f.checkSession(t, begin(t, f.Auth, account, nil), nil)
}

func TestCommonPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, common := range []string{
		"aaaaaaaaaaaa", "abababababab", "xk9xk9xk9xk9", "123456789012", "098765432109", "qwertyuiop12", "azertyuiop!!", "abcdefghijklm",
		"passwordpassword", "Password1234!", "Motdepasse2026", "courantcourant", "Courant-2026-2026", "P4ssw0rd1234", "iloveyou12345",
		"anneanneanne", "Anne.Example.1985", "admin@courant1", "1q2w3e4r1q2w3e4r", "qsdfghjklmqsd", "éééééééééééé",
	} {
		if err := f.SetPassword(t.Context(), member, common); !errors.Is(err, auth.ErrPasswordCommon) {
			t.Errorf("%q: %v, want %v", common, err, auth.ErrPasswordCommon)
		}
	}
	for _, good := range []string{
		"correct horse battery", "another password", "GZ7Q2PLMXA4NKV3R", "été à Besançon", "839203847561", "soleil marche internet elephant", "twelve chars",
	} {
		if err := f.SetPassword(t.Context(), member, good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}
