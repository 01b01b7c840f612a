package auth_test

import (
	"errors"
	"strings"
	"testing"

	"courant/auth"
	"courant/store"
	"courant/store/market"
)

// lookAlikes are addresses that look like those of two accounts, or that Unicode folds to them.
var lookAlikes = map[string]string{
	"dotted I":                  "mik@w\u0130k\u0130.example",
	"dotted I in the name":      "m\u0130k@wiki.example",
	"Kelvin sign":               "mi\u212A@wiki.example",
	"Kelvin sign in the domain": "mik@wi\u212Ai.example",
	"long s":                    "jo\u017F@pas.example",
	"long s in the domain":      "jos@pa\u017F.example",
	"fullwidth letters":         "\uff4d\uff49\uff4b@wiki.example",
	"fullwidth domain":          "mik@\uff57\uff49\uff4b\uff49.example",
	"fullwidth at":              "mik\uff20wiki.example",
	"zero-width space":          "mi\u200bk@wiki.example",
	"in the domain":             "mik@wi\u200bki.example",
	"at the end":                "mik@wiki.example\u200b",
	"ideographic full stop":     "mik@wiki\u3002example",
	"trailing dot":              "mik@wiki.example.",
	"IP literal":                "mik@[192.0.2.1]",
}

func TestALookAlikeAddressMatchesNoAccount(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, email := range []string{"mik@wiki.example", "jos@pas.example"} {
		must(t, f.AddUser(t.Context(), email, password, false))
	}
	everybody, err := f.store.Accounts(t.Context())
	must(t, err)
	for name, email := range lookAlikes {
		for entrance, enter := range map[string]func() error{
			"SignIn":         func() error { _, err := f.SignIn(t.Context(), email, password); return err },
			"AddUser":        func() error { return f.AddUser(t.Context(), email, password, false) },
			"Invite":         func() error { _, err := f.Invite(t.Context(), email, false); return err },
			"SetPassword":    func() error { return f.SetPassword(t.Context(), email, "another password") },
			"ChangePassword": func() error { _, err := f.ChangePassword(t.Context(), email, password, "another password"); return err },
			"PasswordLink":   func() error { _, err := f.PasswordLink(t.Context(), email); return err },
			"Disable":        func() error { _, err := f.Disable(t.Context(), email); return err },
			"Enable":         func() error { return f.Enable(t.Context(), email) },
			"Subscribe":      func() error { return f.Subscribe(t.Context(), email, "everything", market.DeliveryDate{}) },
			"Unsubscribe":    func() error { return f.Unsubscribe(t.Context(), email) },
			"CreateToken": func() error {
				_, err := f.CreateToken(t.Context(), email, "script", market.DeliveryDate{})
				return err
			},
			"Tokens": func() error { _, _, err := f.Tokens(t.Context(), email, whole); return err },
		} {
			if err := enter(); !errors.Is(err, auth.ErrEmail) && err != auth.ErrBadCredentials {
				t.Errorf("%s by a %s: %v", entrance, name, err)
			}
		}
		for _, mayBeNew := range []bool{false, true} {
			if to, secret, err := f.RequestLink(t.Context(), email, mayBeNew); to != "" || secret != "" || err != nil {
				t.Errorf("a link for a %s goes to %q: %q, %v", name, to, secret, err)
			}
		}
	}
	after, err := f.store.Accounts(t.Context())
	must(t, err)
	if len(after) != len(everybody) {
		t.Errorf("%d accounts became %d", len(everybody), len(after))
	}
}

func TestALinkGoesToTheStoredAddress(t *testing.T) {
	f := open(t)
	// as an earlier version stored it
	must(t, f.store.AddAccount(t.Context(), store.Note{}, store.Account{Email: "andr\u00e9@m\u00fcnchen.example", PasswordHash: "hash", Role: store.Member, Created: noon}))
	must(t, f.AddUser(t.Context(), "carl@z\u00fcrich.example", password, false))
	for typed, want := range map[string]string{
		" ANNE@Example.ORG\r\n":             member,
		"andr\u00e9@M\u00fcnchen.EXAMPLE":   "andr\u00e9@m\u00fcnchen.example",
		"andr\u00e9@xn--mnchen-3ya.example": "",
		"andre\u0301@m\u00fcnchen.example":  "",
		"carl@z\u00fcrich.example":          "carl@xn--zrich-kva.example",
		"carl@XN--Zrich-KVA.example":        "carl@xn--zrich-kva.example",
	} {
		to, secret, err := f.RequestLink(t.Context(), typed, false)
		if to != want || (secret != "") != (want != "") || err != nil {
			t.Errorf("the link for %q goes to %q, want %q; %v", typed, to, want, err)
		}
	}
	if to, secret, err := f.RequestLink(t.Context(), "Dora@z\u00fcrich.example", true); to != "dora@xn--zrich-kva.example" || secret == "" || err != nil {
		t.Errorf("the invitation goes to %q, %v", to, err)
	}
}

func TestAnOldAccountIsFoundByItsStoredAddress(t *testing.T) {
	f := open(t)
	hash := f.account(t, member).PasswordHash
	const stored = "andr\u00e9@m\u00fcnchen.example"
	must(t, f.store.AddAccount(t.Context(), store.Note{}, store.Account{Email: stored, PasswordHash: hash, Role: store.Member, Created: noon}))
	account, err := f.SignIn(t.Context(), " Andr\u00e9@M\u00fcnchen.example ", password)
	if err != nil || account.Email != stored {
		t.Errorf("SignIn = %q, %v", account.Email, err)
	}
	must(t, f.SetPassword(t.Context(), stored, "another password"))
	must(t, f.Subscribe(t.Context(), stored, "everything", market.DeliveryDate{}))
	must(t, f.Unsubscribe(t.Context(), stored))
	f.token(t, stored)
	if got := f.tokens(t, stored); len(got) != 1 {
		t.Errorf("%d tokens", len(got))
	}
	_, err = f.Disable(t.Context(), stored)
	must(t, err)
}

func TestNoSecondAccountForTheCanonicalFormOfAnOldAddress(t *testing.T) {
	f := open(t)
	const before = "carl@m\u00fcnchen.example"
	must(t, f.store.AddAccount(t.Context(), store.Note{}, store.Account{Email: before, Role: store.Administrator, Created: noon}))
	for _, email := range []string{before, "carl@xn--mnchen-3ya.example"} {
		if err := f.AddUser(t.Context(), email, password, false); !errors.Is(err, store.ErrExists) {
			t.Errorf("AddUser(%s) = %v, want %v", email, err, store.ErrExists)
		}
		if _, err := f.Invite(t.Context(), email, false); !errors.Is(err, store.ErrExists) {
			t.Errorf("Invite(%s) = %v, want %v", email, err, store.ErrExists)
		}
	}
	if to, secret, err := f.RequestLink(t.Context(), "carl@xn--mnchen-3ya.example", true); to != "" || secret != "" || err != nil {
		t.Errorf("RequestLink = %q, %q, %v", to, secret, err)
	}
}

func TestCollisionsAreAddressesWithTheSameCanonicalForm(t *testing.T) {
	f := open(t)
	for _, email := range []string{"carl@m\u00fcnchen.example", "carl@xn--mnchen-3ya.example", "dora@m\u00fcnchen.example", "andr\u00e9@example.org", "eve@[192.0.2.1]"} {
		must(t, f.store.AddAccount(t.Context(), store.Note{}, store.Account{Email: email, Role: store.Member, Created: noon}))
	}
	got, err := f.Collisions(t.Context())
	must(t, err)
	if len(got) != 1 || strings.Join(got[0], " ") != "carl@m\u00fcnchen.example carl@xn--mnchen-3ya.example" {
		t.Errorf("Collisions = %q", got)
	}
}
