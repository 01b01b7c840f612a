package auth_test

import (
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

const (
	member   = "anne@example.org"
	admin    = "boris@example.org"
	password = "correct horse battery"
)

// cheap is the lowest cost of hashing.
var cheap = auth.Hashing{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// noon is 12:00 UTC on 2026-07-15, 14:00 in Paris.
var noon = time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)

var offers = []auth.Offer{
	{ID: "reserves", Datasets: []market.Dataset{market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity}},
	{ID: "everything"},
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is an Auth with its database and clock.
type fixture struct {
	*auth.Auth
	store *store.Store
	clock *clockwork.FakeClock
}

// open returns a fixture with one member and one administrator.
func open(t *testing.T) *fixture {
	t.Helper()
	f := openEmpty(t)
	must(t, f.AddUser(t.Context(), member, password, false))
	must(t, f.AddUser(t.Context(), admin, password, true))
	return f
}

// openEmpty returns a fixture without accounts.
func openEmpty(t *testing.T) *fixture {
	t.Helper()
	db := storetest.New(t)
	f := &fixture{store: db, clock: clockwork.NewFakeClockAt(noon)}
	f.Auth = f.configured(offers, false)
	return f
}

// configured returns an Auth with the same database and another configuration.
func (f *fixture) configured(offers []auth.Offer, secureCookie bool) *auth.Auth {
	return auth.New(auth.Options{Store: f.store, Clock: f.clock, Offers: offers, SecureCookie: secureCookie, Hashing: cheap})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) token(t *testing.T, email string) string {
	t.Helper()
	token, err := f.CreateToken(t.Context(), email, "script", market.DeliveryDate{})
	must(t, err)
	return token
}

// tokens returns the tokens of an account, or of all accounts if email is empty.
func (f *fixture) tokens(t *testing.T, email string) []store.Token {
	t.Helper()
	tokens, more, err := f.Tokens(t.Context(), email, whole)
	must(t, err)
	if more {
		t.Fatal("there are more tokens than a page has")
	}
	return tokens
}

// whole is a page large enough for everything in these tests.
var whole = auth.Page{Number: 1, Size: 1000}

func (f *fixture) account(t *testing.T, email string) store.Account {
	t.Helper()
	account, err := f.store.AccountByEmail(t.Context(), email)
	must(t, err)
	return account
}

// date parses YYYY-MM-DD; empty text gives the zero date.
func date(t *testing.T, text string) market.DeliveryDate {
	t.Helper()
	if text == "" {
		return market.DeliveryDate{}
	}
	d, err := market.ParseDeliveryDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
