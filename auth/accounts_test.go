package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
	"courant/store/market"
)

func TestAddressesAreMadeCanonicalOrRefused(t *testing.T) {
	f := open(t)
	for name, test := range map[string]struct{ email, want string }{
		"plain":                  {"carl@example.org", "carl@example.org"},
		"capitals and spaces":    {"\t Dora.D@Example.ORG \n", "dora.d@example.org"},
		"accents":                {"andr\u00e9@example.org", ""},
		"capitals of others":     {"\u0130ris@example.org", ""},
		"domain with umlaut":     {"Carl@m\u00fcnchen.Example", "carl@xn--mnchen-3ya.example"},
		"its A-label":            {"dora@XN--Mnchen-3YA.example", "dora@xn--mnchen-3ya.example"},
		"umlaut as a capital":    {"eve@M\u00dcNCHEN.example", ""}, // nothing but A to Z is folded
		"umlaut in two parts":    {"eve@mu\u0308nchen.example", ""},
		"sharp s":                {"eve@fa\u00df.example", "eve@xn--fa-hia.example"}, // not fass
		"A-label of nothing":     {"eve@xn--a.example", ""},
		"A-label of plain text":  {"eve@xn--example-.org", ""},
		"trailing dot":           {"eve@example.org.", ""},
		"full stop of another":   {"eve@example\u3002org", ""},
		"hyphens":                {"eve@r3---sn.example.org", "eve@r3---sn.example.org"},
		"underscore in a domain": {"eve@example_.org", ""},
		"one label":              {"eve@localhost", "eve@localhost"},
		"IP literal":             {"eve@[192.0.2.1]", ""},
		"IPv6 literal":           {"eve@[IPv6:2001:db8::1]", ""},
		"IP address":             {"eve@192.0.2.1", ""},
		"invisible in the name":  {"eve\u200b@example.org", ""},
		"invisible at the end":   {"eve@example.org\u200b", ""},
		"wide space at the end":  {"eve@example.org\u00a0", ""},
		"tag":                    {"e+courant@example.org", "e+courant@example.org"},
		"254 bytes":              {strings.Repeat("f", 242) + "@example.org", strings.Repeat("f", 242) + "@example.org"},
		"255 bytes":              {strings.Repeat("g", 243) + "@example.org", ""},
		"none":                   {"", ""},
		"no domain":              {"carl", ""},
		"display name":           {"Carl <carl@example.org>", ""},
		"brackets":               {"<carl@example.org>", ""},
		"quotes":                 {`"carl c"@example.org`, ""},
		"two":                    {"carl@example.org, dora@example.org", ""},
		"line in the middle":     {"carl@exam\nple.org", ""},
		"turns the text around":  {"carl\u202e@example.org", ""},
		"not UTF-8":              {"carl\xff@example.org", ""},
		"an address and a comma": {"carl@example.org,", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := f.AddUser(t.Context(), test.email, password, false)
			if test.want == "" {
				if !errors.Is(err, auth.ErrEmail) || !errors.As(err, new(auth.InputError)) {
					t.Fatalf("AddUser = %v, want %v", err, auth.ErrEmail)
				}
				return
			}
			must(t, err)
			f.account(t, test.want)
		})
	}
}

func TestAnAddressHasOneAccount(t *testing.T) {
	f := open(t)
	before := f.account(t, member)
	if err := f.AddUser(t.Context(), strings.ToUpper(member), "another password", true); !errors.Is(err, store.ErrExists) {
		t.Errorf("AddUser = %v, want %v", err, store.ErrExists)
	}
	if after := f.account(t, member); after != before {
		t.Errorf("the account that was there became %+v", after)
	}
}

func TestUsersAreListedByAddress(t *testing.T) {
	t.Parallel()
	f := open(t)
	must(t, f.AddUser(t.Context(), "aaron@example.org", password, false))
	users, _, err := f.Users(t.Context(), whole)
	must(t, err)
	var got []string
	for _, user := range users {
		got = append(got, user.Email+" "+string(user.Role)+" "+user.Created.Format(time.RFC3339))
	}
	want := "aaron@example.org member 2026-07-15T12:00:00Z\n" +
		"anne@example.org member 2026-07-15T12:00:00Z\n" +
		"boris@example.org administrator 2026-07-15T12:00:00Z"
	if strings.Join(got, "\n") != want {
		t.Errorf("Users =\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestChangesToAnUnknownAccountAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	const nobody = "nobody@example.org"
	for name, change := range map[string]func() error{
		"SetPassword": func() error { return f.SetPassword(t.Context(), nobody, password) },
		"Disable":     func() error { _, err := f.Disable(t.Context(), nobody); return err },
		"Subscribe":   func() error { return f.Subscribe(t.Context(), nobody, "everything", market.DeliveryDate{}) },
		"Unsubscribe": func() error { return f.Unsubscribe(t.Context(), nobody) },
		"CreateToken": func() error {
			_, err := f.CreateToken(t.Context(), nobody, "script", market.DeliveryDate{})
			return err
		},
		"Tokens": func() error { _, _, err := f.Tokens(t.Context(), nobody, whole); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := change(); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "account "+nobody) {
				t.Errorf("%v, want the account %s not found", err, nobody)
			}
		})
	}
}

func TestSetPasswordReplacesTheEarlierPassword(t *testing.T) {
	t.Parallel()
	f := open(t)
	must(t, f.SetPassword(t.Context(), member, "another password"))
	if _, err := f.SignIn(t.Context(), member, password); err != auth.ErrBadCredentials {
		t.Errorf("SignIn with the former password = %v", err)
	}
	if _, err := f.SignIn(t.Context(), member, "another password"); err != nil {
		t.Errorf("SignIn with the new password = %v", err)
	}
}

func TestDisableReportsTheLastAdministrator(t *testing.T) {
	f := open(t)
	const second = "second@example.org"
	must(t, f.AddUser(t.Context(), second, password, true))
	for _, step := range []struct {
		email string
		last  bool
	}{
		{admin, false},  // second is left
		{admin, false},  // again
		{member, false}, // no administrator
		{second, true},
		{second, false}, // again: there was none to lose
	} {
		last, err := f.Disable(t.Context(), step.email)
		must(t, err)
		if last != step.last {
			t.Errorf("Disable(%s) = %t, want %t", step.email, last, step.last)
		}
		if f.account(t, step.email).Disabled.IsZero() {
			t.Errorf("%s is not disabled", step.email)
		}
	}
}

func TestSubscribe(t *testing.T) {
	f := open(t)
	for name, test := range map[string]struct {
		offer, until string
		want         error
		end          string
	}{
		"without end":          {"everything", "", nil, "0001-01-01T00:00:00Z"},
		"to a day in summer":   {"everything", "2026-08-31", nil, "2026-08-31T22:00:00Z"},
		"to a day in winter":   {"everything", "2026-12-31", nil, "2026-12-31T23:00:00Z"},
		"to the 25 hour day":   {"reserves", "2026-10-25", nil, "2026-10-25T23:00:00Z"},
		"to today":             {"reserves", "2026-07-15", nil, "2026-07-15T22:00:00Z"},
		"to yesterday":         {"reserves", "2026-07-14", auth.ErrPastDate, ""},
		"to an unknown offer":  {"Reserves", "", auth.ErrUnknownOffer, ""},
		"to the offer nothing": {"", "", auth.ErrUnknownOffer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := f.Subscribe(t.Context(), member, test.offer, date(t, test.until))
			if !errors.Is(err, test.want) {
				t.Fatalf("Subscribe = %v, want %v", err, test.want)
			}
			if err != nil {
				return
			}
			got := f.account(t, member).Subscription
			if got.Offer != test.offer || !got.Start.Equal(noon) || got.End.Format(time.RFC3339) != test.end {
				t.Errorf("subscription %+v, want offer %s, start %v, end %s", got, test.offer, noon, test.end)
			}
		})
	}
}

func TestUnknownOfferErrorListsTheKnownOffers(t *testing.T) {
	t.Parallel()
	f := open(t)
	err := f.Subscribe(t.Context(), member, "reserve", market.DeliveryDate{})
	if want := `unknown offer "reserve": the configuration has reserves, everything`; err == nil || err.Error() != want {
		t.Errorf("Subscribe = %v, want %s", err, want)
	}
	err = f.configured(nil, false).Subscribe(t.Context(), member, "reserve", market.DeliveryDate{})
	if want := `unknown offer "reserve": the configuration has no offers`; err == nil || err.Error() != want {
		t.Errorf("Subscribe = %v, want %s", err, want)
	}
}

func TestUnsubscribe(t *testing.T) {
	f := open(t)
	must(t, f.Subscribe(t.Context(), member, "everything", market.DeliveryDate{}))
	must(t, f.Unsubscribe(t.Context(), member))
	if got := f.account(t, member).Subscription; got != (store.Subscription{}) {
		t.Errorf("subscription %+v is left", got)
	}
	if err := f.Unsubscribe(t.Context(), member); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the second Unsubscribe = %v, want %v", err, store.ErrNotFound)
	}
}

func TestAnInvitedAdministratorDoesNotCountAsOneWhoCanSignIn(t *testing.T) {
	f := open(t)
	_, err := f.Invite(t.Context(), "invited@example.org", true)
	must(t, err)
	for email, want := range map[string]bool{admin: true, "invited@example.org": false, member: false} {
		last, err := f.IsLastAdministrator(t.Context(), f.account(t, email))
		must(t, err)
		if last != want {
			t.Errorf("IsLastAdministrator(%s) = %t, want %t", email, last, want)
		}
	}
	if last, err := f.Disable(t.Context(), admin); err != nil || !last {
		t.Errorf("Disable = %t, %v; nobody is left who can sign in", last, err)
	}
}

func TestASubscriptionAfterAGapBeginsAnew(t *testing.T) {
	f := open(t)
	must(t, f.Subscribe(t.Context(), member, "reserves", date(t, "2026-07-16")))
	f.clock.Advance(3 * 24 * time.Hour)
	must(t, f.Subscribe(t.Context(), member, "reserves", date(t, "2026-08-20")))
	if got := f.account(t, member).Subscription.Start; !got.Equal(noon.Add(3 * 24 * time.Hour)) {
		t.Errorf("it began at %v", got)
	}
}
