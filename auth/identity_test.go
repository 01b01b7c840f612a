package auth_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
	"courant/store/market"
)

// may returns what a token may read, a letter per dataset in the order of market.Datasets: r read, s subscription required,
// f forbidden.
func may(t *testing.T, accounts *auth.Auth, token string) string {
	t.Helper()
	identity, err := accounts.CheckToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	var verdicts strings.Builder
	for _, dataset := range market.Datasets() {
		switch err := identity.May(dataset); err {
		case nil:
			verdicts.WriteByte('r')
		case auth.ErrSubscriptionRequired:
			verdicts.WriteByte('s')
		case auth.ErrForbidden:
			verdicts.WriteByte('f')
		default:
			t.Fatal(err)
		}
	}
	return verdicts.String()
}

func TestWhatAnAccountMayRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		email, offer, until string
		later               time.Duration
		configured          []auth.Offer
		want                string
	}{
		"without a subscription":           {email: member, configured: offers, want: "rssssss"},
		"offer of everything":              {email: member, offer: "everything", configured: offers, want: "rrrrrrr"},
		"offer of the reserves":            {email: member, offer: "reserves", configured: offers, want: "rrrrsss"},
		"last second of the last day":      {email: member, offer: "everything", until: "2026-07-15", later: 10*time.Hour - time.Second, configured: offers, want: "rrrrrrr"},
		"after the last day":               {email: member, offer: "everything", until: "2026-07-15", later: 10 * time.Hour, configured: offers, want: "rssssss"},
		"offer that is no longer there":    {email: member, offer: "everything", configured: offers[:1], want: "rssssss"},
		"offer that covers less than then": {email: member, offer: "everything", configured: []auth.Offer{{ID: "everything", Datasets: []market.Dataset{market.MFRREnergy}}}, want: "rssssrs"},
		"administrator":                    {email: admin, want: "rrrrrrr"},
		"administrator's ended one":        {email: admin, offer: "reserves", until: "2026-07-15", later: 48 * time.Hour, configured: offers, want: "rrrrrrr"},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			if test.offer != "" {
				must(t, f.Subscribe(t.Context(), test.email, test.offer, date(t, test.until)))
			}
			token := f.token(t, test.email)
			f.clock.Advance(test.later)
			if got := may(t, f.configured(test.configured, false), token); got != test.want {
				t.Errorf("May = %s, want %s", got, test.want)
			}
		})
	}
}

func TestASubscriptionThatHasNotBegunCoversNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	must(t, f.store.SetSubscription(t.Context(), store.Note{}, member, store.Subscription{Offer: "everything", Start: noon.Add(time.Minute)}))
	if got := may(t, f.Auth, f.token(t, member)); got != "rssssss" {
		t.Errorf("May = %s, want rssssss", got)
	}
}

func TestTheLimitOfATokenComesBeforeTheSubscription(t *testing.T) {
	for name, test := range map[string]struct{ email, limit, want string }{
		"member":                  {member, "day-ahead-prices,afrr-energy", "rfffsff"},
		"member, without prices":  {member, "afrr-energy", "ffffsff"},
		"administrator":           {admin, "afrr-energy", "ffffrff"},
		"an unknown dataset only": {admin, "no-such-data", "fffffff"},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			token := "crt_" + strings.Repeat("x", 40)
			hash := sha256.Sum256([]byte(token))
			must(t, f.store.AddToken(t.Context(), store.Note{}, store.Token{Name: "limited", Prefix: token[:12], Hash: hash[:],
				Datasets: test.limit, Created: noon, Account: f.account(t, test.email)}))
			if got := may(t, f.Auth, token); got != test.want {
				t.Errorf("May = %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhatACallerMayReadNowIsLookedUpWithoutCountingARequest(t *testing.T) {
	t.Parallel()
	f := open(t)
	text, err := f.CreateToken(t.Context(), member, "test", market.DeliveryDate{}, market.AFRREnergy)
	must(t, err)
	caller, err := f.CheckToken(t.Context(), text)
	must(t, err)
	must(t, f.Subscribe(t.Context(), member, "everything", market.DeliveryDate{}))
	for _, row := range []struct {
		dataset market.Dataset
		want    error
	}{{market.AFRREnergy, nil}, {market.DayAheadPrices, auth.ErrForbidden}} {
		now, err := f.Current(t.Context(), caller)
		must(t, err)
		if err := now.May(row.dataset); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.dataset, err)
		}
	}
	tokens, _, err := f.Tokens(t.Context(), member, auth.Page{Number: 1, Size: 10})
	must(t, err)
	used, err := f.TokensUsed(t.Context(), tokens)
	must(t, err)
	if today := used[caller.TokenID].Today; today != 1 {
		t.Errorf("%d requests are counted", today)
	}
	must(t, f.RevokeToken(t.Context(), text[:12]))
	if _, err := f.Current(t.Context(), caller); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("a revoked token: %v", err)
	}
	if _, err := f.Current(t.Context(), auth.Identity{}); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("nobody: %v", err)
	}
}

func TestASessionThatIsOnlyLookedUpStaysIdle(t *testing.T) {
	t.Parallel()
	f := open(t)
	account, err := f.SignIn(t.Context(), member, password)
	must(t, err)
	caller, err := f.CheckSession(request(t, begin(t, f.Auth, account, nil)))
	must(t, err)
	for range 11 {
		f.clock.Advance(time.Hour)
		if _, err := f.Current(t.Context(), caller); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.Advance(time.Hour)
	if _, err := f.Current(t.Context(), caller); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("after 12 hours: %v", err)
	}
}
