package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

var accountsMorning = time.Date(2026, 7, 15, 6, 0, 0, 0, time.UTC)

// openWithAccounts is a store in which anne@example.org and boris@example.org, an administrator, have accounts.
func openWithAccounts(t *testing.T) *store.Store {
	t.Helper()
	s := openNew(t)
	for email, role := range map[string]store.Role{"anne@example.org": store.Member, "boris@example.org": store.Administrator} {
		if err := s.AddAccount(t.Context(), store.Note{}, store.Account{Email: email, PasswordHash: "hash of " + email, Role: role, Created: accountsMorning}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func accountOf(t *testing.T, s *store.Store, email string) store.Account {
	t.Helper()
	account, err := s.AccountByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func TestAnAccountComesBackAsItWasAdded(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	got := accountOf(t, s, "boris@example.org")
	want := store.Account{ID: got.ID, Email: "boris@example.org", PasswordHash: "hash of boris@example.org",
		Role: store.Administrator, Created: accountsMorning}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by address (-want +got):\n%s", diff)
	}
}

func TestAnAddressHasOneAccount(t *testing.T) {
	s := openWithAccounts(t)
	err := s.AddAccount(t.Context(), store.Note{}, store.Account{Email: "anne@example.org", PasswordHash: "other", Role: store.Administrator, Created: accountsMorning})
	if !errors.Is(err, store.ErrExists) {
		t.Errorf("AddAccount = %v, want %v", err, store.ErrExists)
	}
	if got := accountOf(t, s, "anne@example.org"); got.Role != store.Member || got.PasswordHash != "hash of anne@example.org" {
		t.Errorf("the account that was there became %+v", got)
	}
}

func TestAccountsAreListedByAddress(t *testing.T) {
	s := openWithAccounts(t)
	if err := s.AddAccount(t.Context(), store.Note{}, store.Account{Email: "aaron@example.org", Role: store.Member, Created: accountsMorning}); err != nil {
		t.Fatal(err)
	}
	accounts, err := s.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var emails []string
	for _, account := range accounts {
		emails = append(emails, account.Email)
	}
	if got, want := strings.Join(emails, " "), "aaron@example.org anne@example.org boris@example.org"; got != want {
		t.Errorf("Accounts = %s, want %s", got, want)
	}
}

func TestUnknownAccountsAndTokensAreNotFound(t *testing.T) {
	s := openWithAccounts(t)
	ctx := t.Context()
	const nobody = "nobody@example.org"
	for name, err := range map[string]error{
		"AccountByEmail":  second(s.AccountByEmail(ctx, nobody)),
		"SetPassword":     s.SetPassword(ctx, store.Note{}, nobody, "hash"),
		"DisableAccount":  s.DisableAccount(ctx, store.Note{}, nobody, accountsMorning),
		"SetSubscription": s.SetSubscription(ctx, store.Note{}, nobody, store.Subscription{Offer: "all", Start: accountsMorning}),
		"EndSubscription": s.EndSubscription(ctx, store.Note{}, "anne@example.org"),
		"RevokeToken":     s.RevokeToken(ctx, store.Note{}, "crt_00000000", accountsMorning),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s = %v, want %v", name, err, store.ErrNotFound)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAPasswordOrTheDisablingOfAnAccountBeginsAnEpoch(t *testing.T) {
	s := openWithAccounts(t)
	ctx := t.Context()
	if err := s.SetPassword(ctx, store.Note{}, "anne@example.org", "new hash"); err != nil {
		t.Fatal(err)
	}
	if got := accountOf(t, s, "anne@example.org"); got.PasswordHash != "new hash" || got.Epoch != 1 {
		t.Errorf("after SetPassword: %+v", got)
	}
	for _, later := range []time.Duration{time.Hour, 2 * time.Hour} {
		if err := s.DisableAccount(ctx, store.Note{}, "anne@example.org", accountsMorning.Add(later)); err != nil {
			t.Fatal(err)
		}
	}
	if got := accountOf(t, s, "anne@example.org"); !got.Disabled.Equal(accountsMorning.Add(time.Hour)) || got.Epoch < 2 {
		t.Errorf("after DisableAccount twice: %+v, want it disabled since the first time, in a later epoch", got)
	}
	if got := accountOf(t, s, "boris@example.org"); got.Epoch != 0 || !got.Disabled.IsZero() {
		t.Errorf("the other account became %+v", got)
	}
}

func TestAnAccountHasOneSubscription(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	for _, want := range []store.Subscription{
		{Offer: "reserves", Start: accountsMorning, End: accountsMorning.Add(time.Hour)},
		{Offer: "everything", Start: accountsMorning.Add(time.Minute)},
	} {
		if err := s.SetSubscription(t.Context(), store.Note{}, "anne@example.org", want); err != nil {
			t.Fatal(err)
		}
		if got := accountOf(t, s, "anne@example.org").Subscription; got != want {
			t.Errorf("subscription %+v, want %+v", got, want)
		}
	}
	if err := s.EndSubscription(t.Context(), store.Note{}, "anne@example.org"); err != nil {
		t.Fatal(err)
	}
	if got := accountOf(t, s, "anne@example.org").Subscription; got != (store.Subscription{}) {
		t.Errorf("subscription %+v is left", got)
	}
}

func TestWhenASubscriptionIsActive(t *testing.T) {
	t.Parallel()
	start, end := accountsMorning, accountsMorning.Add(time.Hour)
	for name, test := range map[string]struct {
		subscription store.Subscription
		now          time.Time
		want         bool
	}{
		"none":              {store.Subscription{}, start, false},
		"before its start":  {store.Subscription{"all", start, end}, start.Add(-1), false},
		"at its start":      {store.Subscription{"all", start, end}, start, true},
		"before its end":    {store.Subscription{"all", start, end}, end.Add(-1), true},
		"at its end":        {store.Subscription{"all", start, end}, end, false},
		"without end":       {store.Subscription{Offer: "all", Start: start}, end.AddDate(100, 0, 0), true},
		"without end, soon": {store.Subscription{Offer: "all", Start: start}, start.Add(-1), false},
	} {
		if got := test.subscription.Active(test.now); got != test.want {
			t.Errorf("%s: Active = %t, want %t", name, got, test.want)
		}
	}
}

func onlyToken(t *testing.T, s *store.Store) store.Token {
	t.Helper()
	tokens, err := s.Tokens(t.Context(), 0, accountsMorning, 0, 10)
	if err != nil || len(tokens) != 1 {
		t.Fatalf("Tokens = %+v, %v; want one", tokens, err)
	}
	return tokens[0]
}

func TestATokenComesBackWithItsAccount(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	ctx := t.Context()
	if err := s.SetSubscription(ctx, store.Note{}, "anne@example.org", store.Subscription{Offer: "all", Start: accountsMorning}); err != nil {
		t.Fatal(err)
	}
	want := store.Token{Name: "script", Prefix: "crt_00000000", Hash: []byte("hash"), Datasets: "afrr-energy", Created: accountsMorning,
		Expires: accountsMorning.Add(time.Hour), Account: accountOf(t, s, "anne@example.org")}
	if err := s.AddToken(ctx, store.Note{}, want); err != nil {
		t.Fatal(err)
	}
	got := onlyToken(t, s)
	want.ID = got.ID
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Tokens (-want +got):\n%s", diff)
	}
}

func TestTokensAreListedThoseThatAreGoodFirst(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	for _, token := range []struct{ email, prefix string }{
		{"boris@example.org", "crt_bbbbbbbb"}, {"anne@example.org", "crt_zzzzzzzz"}, {"anne@example.org", "crt_aaaaaaaa"},
	} {
		err := s.AddToken(t.Context(), store.Note{}, store.Token{Name: "script", Prefix: token.prefix, Hash: []byte(token.prefix), Created: accountsMorning,
			Account: accountOf(t, s, token.email)})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Those that are no longer good come after the others, the newest first.
	for i, end := range []time.Duration{time.Second, time.Minute} {
		hash := fmt.Sprintf("crt_ended%03d", i)
		err := s.AddToken(t.Context(), store.Note{}, store.Token{Name: "script", Prefix: hash, Hash: []byte(hash), Created: accountsMorning, Expires: accountsMorning.Add(end),
			Account: accountOf(t, s, "anne@example.org")})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RevokeToken(t.Context(), store.Note{}, "crt_zzzzzzzz", accountsMorning); err != nil {
		t.Fatal(err)
	}
	anne := accountOf(t, s, "anne@example.org").ID
	for list, want := range map[struct {
		id         int64
		skip, most int
	}]string{
		{0, 0, 10}:    "crt_bbbbbbbb crt_aaaaaaaa crt_ended001 crt_ended000 crt_zzzzzzzz",
		{anne, 0, 10}: "crt_aaaaaaaa crt_ended001 crt_ended000 crt_zzzzzzzz",
		{anne, 1, 2}:  "crt_ended001 crt_ended000",
		{anne, 4, 2}:  "",
		{99, 0, 10}:   "",
	} {
		tokens, err := s.Tokens(t.Context(), list.id, accountsMorning.Add(time.Minute), list.skip, list.most)
		if err != nil {
			t.Fatal(err)
		}
		var prefixes []string
		for _, token := range tokens {
			prefixes = append(prefixes, token.Prefix)
		}
		if got := strings.Join(prefixes, " "); got != want {
			t.Errorf("Tokens of %+v = %s, want %s", list, got, want)
		}
	}
}

func TestATokenIsRevokedOnce(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	for _, prefix := range []string{"crt_aaaaaaaa", "crt_bbbbbbbb"} {
		err := s.AddToken(t.Context(), store.Note{}, store.Token{Name: "script", Prefix: prefix, Hash: []byte(prefix), Created: accountsMorning,
			Account: accountOf(t, s, "anne@example.org")})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, later := range []time.Duration{time.Hour, 2 * time.Hour} {
		if err := s.RevokeToken(t.Context(), store.Note{}, "crt_aaaaaaaa", accountsMorning.Add(later)); err != nil {
			t.Fatal(err)
		}
	}
	tokens, err := s.Tokens(t.Context(), accountOf(t, s, "anne@example.org").ID, accountsMorning, 0, 10)
	if err != nil || len(tokens) != 2 || !tokens[1].Revoked.Equal(accountsMorning.Add(time.Hour)) || !tokens[0].Revoked.IsZero() {
		t.Errorf("Tokens = %+v, %v; want the second revoked an hour later", tokens, err)
	}
}
