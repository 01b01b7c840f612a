package auth_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest/await"
)

// blind makes every further read of the accounts fail.
func (f *fixture) blind(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite", f.store.Path())
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "ALTER TABLE account RENAME COLUMN email TO hidden")
	must(t, err)
	if _, err := f.store.Accounts(t.Context()); err == nil {
		t.Fatal("the accounts can be read")
	}
}

func TestChecksReadNoDatabase(t *testing.T) {
	f := open(t)
	good, revoked := f.token(t, member), f.token(t, member)
	must(t, f.RevokeToken(t.Context(), revoked[:12]))
	cookie := begin(t, f.Auth, f.account(t, member), nil)
	f.checkSession(t, cookie, nil) // reads what was changed
	f.blind(t)
	for range 1000 {
		for token, want := range map[string]error{
			good: nil, revoked: auth.ErrTokenRevoked, "crt_" + strings.Repeat("A", 52): auth.ErrTokenInvalid,
		} {
			if _, err := f.CheckToken(t.Context(), token); err != want {
				t.Fatalf("CheckToken = %v, want %v", err, want)
			}
		}
		f.checkSession(t, cookie, nil)
		f.checkSession(t, &http.Cookie{Name: cookie.Name, Value: "unknown"}, auth.ErrUnauthenticated)
	}
}

func TestNoCallerIsAcceptedWhileAChangeCannotBeRead(t *testing.T) {
	t.Parallel()
	f := open(t)
	token := f.token(t, member)
	_, err := f.CheckToken(t.Context(), token)
	must(t, err)
	must(t, f.RevokeToken(t.Context(), token[:12]))
	f.blind(t)
	if _, err := f.CheckToken(t.Context(), token); err == nil || errors.Is(err, auth.ErrTokenRevoked) {
		t.Errorf("CheckToken = %v, want the store's error", err)
	}
}

func TestAChangeTakesEffectOnTheNextOfManyConcurrentChecks(t *testing.T) {
	t.Parallel()
	f := open(t)
	tokens := make([]string, 20)
	for i := range tokens {
		tokens[i] = f.token(t, member)
	}
	revoked := make([]atomic.Bool, len(tokens))
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for i, token := range tokens {
					was := revoked[i].Load()
					if _, err := f.CheckToken(t.Context(), token); err == nil && was || err != nil && err != auth.ErrTokenRevoked {
						t.Errorf("a token revoked %t: %v", was, err)
					}
				}
			}
		})
	}
	for i, token := range tokens {
		must(t, f.RevokeToken(t.Context(), token[:12]))
		revoked[i].Store(true)
		must(t, f.Maintain(t.Context()))
	}
	close(done)
	asking.Wait()
}

func TestAChangeByAnotherProcessTakesEffectAfterRefresh(t *testing.T) {
	f := open(t)
	token, session := f.token(t, member), begin(t, f.Auth, f.account(t, member), nil)
	if got := may(t, f.Auth, token); got != "rssssss" {
		t.Fatalf("May = %s", got)
	}
	other, err := store.Open(t.Context(), f.store.Path())
	must(t, err)
	defer other.Close()
	command := auth.New(auth.Options{Store: other, Clock: f.clock, Offers: offers, Hashing: cheap})
	for _, step := range []struct {
		change func() error
		may    string // empty: the account is shut out
	}{
		{func() error { return command.Subscribe(t.Context(), member, "everything", market.DeliveryDate{}) }, "rrrrrrr"},
		{func() error { return command.Unsubscribe(t.Context(), member) }, "rssssss"},
		{func() error { _, err := command.Disable(t.Context(), member); return err }, ""},
	} {
		must(t, step.change())
		must(t, f.Refresh(t.Context()))
		if step.may == "" {
			f.checkSession(t, session, auth.ErrUnauthenticated)
			if _, err := f.CheckToken(t.Context(), token); err != auth.ErrUnauthenticated {
				t.Errorf("CheckToken = %v, want %v", err, auth.ErrUnauthenticated)
			}
		} else if got := may(t, f.Auth, token); got != step.may {
			t.Errorf("May = %s, want %s", got, step.may)
		}
	}
}

func TestCloseStoresUsage(t *testing.T) {
	f := open(t)
	token, cookie := f.token(t, member), begin(t, f.Auth, f.account(t, member), nil)
	f.clock.Advance(time.Hour)
	for range 3 {
		_, err := f.CheckToken(t.Context(), token)
		must(t, err)
	}
	f.checkSession(t, cookie, nil)
	tokens := f.tokens(t, member)
	if !tokens[0].LastUsed.IsZero() {
		t.Error("the usage is written during the request")
	}
	f.Start()
	must(t, f.Close())

	later := f.configured(offers, false)
	tokens, _, err := later.Tokens(t.Context(), member, whole)
	must(t, err)
	used, err := later.TokensUsed(t.Context(), tokens)
	must(t, err)
	day := store.TokenUse{TokenID: tokens[0].ID, Day: market.DeliveryDateOf(noon), Requests: 3}
	want := auth.TokenUsed{Last: noon.Add(time.Hour), Today: 3, CountedDays: 3, Days: []store.TokenUse{day}}
	if got := used[tokens[0].ID]; !reflect.DeepEqual(got, want) {
		t.Errorf("the token was used %+v, want %+v", got, want)
	}
	f.clock.Advance(12*time.Hour - time.Second)
	if _, err := later.CheckSession(request(t, cookie)); err != nil {
		t.Errorf("12 hours after its last use, less a second: %v", err)
	}
}

func TestRequestsOfATokenAreCountedByDay(t *testing.T) {
	t.Parallel()
	f := open(t)
	token, other := f.token(t, member), f.token(t, member)
	use := func(times int) {
		t.Helper()
		for range times {
			_, err := f.CheckToken(t.Context(), token)
			must(t, err)
		}
	}
	check := func(today, counted int64) {
		t.Helper()
		tokens := f.tokens(t, member)
		used, err := f.TokensUsed(t.Context(), tokens)
		must(t, err)
		if got := used[tokens[0].ID]; got.Today != today || got.CountedDays != counted {
			t.Errorf("%+v, want %d today and %d", got, today, counted)
		}
		if got := used[tokens[1].ID]; !reflect.DeepEqual(got, auth.TokenUsed{}) {
			t.Errorf("the token %s was used %+v", other[:12], got)
		}
	}
	use(2)
	check(2, 2) // not written yet
	must(t, f.Maintain(t.Context()))
	use(3)
	check(5, 5)
	f.clock.Advance(10*time.Hour - time.Second) // the last second of the day in Paris
	use(1)
	must(t, f.Maintain(t.Context()))
	check(6, 6)
	f.clock.Advance(time.Second)
	use(4)
	check(4, 10)
	must(t, f.Maintain(t.Context()))
	f.clock.Advance(28 * 24 * time.Hour)
	must(t, f.Maintain(t.Context()))
	check(0, 10)
	f.clock.Advance(24 * time.Hour)
	check(0, 4)
}

func TestRowsAndBytesCountForTheDayOnWhichTheRequestBegan(t *testing.T) {
	t.Parallel()
	f := open(t)
	token := f.token(t, member)
	request := func() *auth.Use {
		t.Helper()
		identity, err := f.CheckToken(t.Context(), token)
		must(t, err)
		return identity.Use()
	}
	id, today := f.tokens(t, member)[0].ID, market.DeliveryDateOf(noon)
	check := func(want ...store.TokenUse) {
		t.Helper()
		got, err := f.TokenDays(t.Context(), id)
		must(t, err)
		for i := range got {
			got[i].Last = time.Time{}
		}
		for i := range want {
			want[i].TokenID = id
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the token was used %+v, want %+v", got, want)
		}
	}
	check()
	long := request()
	long.AddRows(3)
	long.AddBytes(300)
	check(store.TokenUse{Day: today, Requests: 1, Rows: 3, Bytes: 300})
	must(t, f.Maintain(t.Context()))
	f.clock.Advance(24 * time.Hour)
	request().AddBytes(1)
	long.AddRows(4)
	yesterday := store.TokenUse{Day: today, Requests: 1, Rows: 7, Bytes: 300}
	check(store.TokenUse{Day: today.Add(1), Requests: 1, Bytes: 1}, yesterday)
	must(t, f.Maintain(t.Context()))
	check(store.TokenUse{Day: today.Add(1), Requests: 1, Bytes: 1}, yesterday)
	f.clock.Advance(398 * 24 * time.Hour)
	must(t, f.Maintain(t.Context()))
	check(store.TokenUse{Day: today.Add(1), Requests: 1, Bytes: 1}, yesterday)
	f.clock.Advance(24 * time.Hour)
	check(store.TokenUse{Day: today.Add(1), Requests: 1, Bytes: 1})
	var session auth.Identity
	session.Use().AddRows(1)
	session.Use().AddBytes(1)
}

func TestStartStoresUsageOnceAMinute(t *testing.T) {
	t.Parallel()
	f := open(t)
	token := f.token(t, member)
	_, err := f.CheckToken(t.Context(), token)
	must(t, err)
	written := make(chan struct{}, 1)
	f.Start()
	defer f.Close()
	must(t, f.clock.BlockUntilContext(await.Context(t), 1))
	f.store.Watch(time.Millisecond, func() error {
		tokens, err := f.store.Tokens(t.Context(), 0, noon, 0, 10)
		if err == nil && tokens[0].LastUsed.Equal(noon) {
			select {
			case written <- struct{}{}:
			default:
			}
		}
		return err
	}, func(err error) { t.Error(err) })
	f.clock.Advance(time.Minute)
	select {
	case <-written:
	case <-t.Context().Done():
		t.Error("nothing is stored")
	}
}

func TestAnAccountListsAndEndsItsSessions(t *testing.T) {
	f := open(t)
	sign := func(email, browser, origin string) *http.Cookie {
		r := httptest.NewRequestWithContext(auth.WithActor(t.Context(), auth.Actor{Origin: origin}), http.MethodPost, "/login", nil)
		r.Header.Set("User-Agent", browser)
		w := httptest.NewRecorder()
		must(t, f.BeginSession(w, r, f.account(t, email)))
		return onlyCookie(t, w)
	}
	first := sign(member, "Firefox", "192.0.2.1")
	f.clock.Advance(time.Hour)
	second, bystander := sign(member, strings.Repeat("é", 200), "192.0.2.2"), sign(admin, "Chromium", "192.0.2.3")
	f.clock.Advance(time.Minute)
	identity, err := f.CheckSession(request(t, second))
	must(t, err)
	lines, _, err := f.Sessions(t.Context(), identity, whole)
	must(t, err)
	want := []auth.SessionLine{
		{Begun: noon.Add(time.Hour), Seen: noon.Add(time.Hour + time.Minute), Origin: "192.0.2.2", Browser: strings.Repeat("é", 100), Own: true},
		{Begun: noon, Seen: noon, Origin: "192.0.2.1", Browser: "Firefox"},
	}
	if len(lines) != 2 || lines[0] != want[0] || lines[1] != want[1] {
		t.Errorf("Sessions = %+v, want %+v", lines, want)
	}
	must(t, f.EndOtherSessions(t.Context(), identity))
	f.checkSession(t, first, auth.ErrUnauthenticated)
	f.checkSession(t, second, nil)
	f.checkSession(t, bystander, nil)
}

func TestATokenLimitedToDatasetsReadsOnlyThose(t *testing.T) {
	t.Parallel()
	f := open(t)
	token, err := f.CreateToken(t.Context(), admin, "script", market.DeliveryDate{}, market.AFRREnergy, market.DayAheadPrices, market.AFRREnergy)
	must(t, err)
	if got := may(t, f.Auth, token); got != "rfffrff" {
		t.Errorf("May = %s, want rfffrf", got)
	}
	tokens := f.tokens(t, admin)
	if tokens[0].Datasets != "day-ahead-prices,afrr-energy" {
		t.Errorf("the token is limited to %q", tokens[0].Datasets)
	}
}

func TestOnlyAFeedsTokenMayStandInAnAddress(t *testing.T) {
	t.Parallel()
	f := open(t)
	feeds, err := f.CreateFeedsToken(t.Context(), admin, "evcc", market.DeliveryDate{})
	must(t, err)
	over, err := f.CreateFeedsToken(t.Context(), admin, "evcc of before", market.DeliveryDateOf(f.clock.Now()))
	must(t, err)
	whole := f.token(t, admin)
	limited, err := f.CreateToken(t.Context(), admin, "script", market.DeliveryDate{}, market.DayAheadPrices)
	must(t, err)
	revoked := f.token(t, admin)
	must(t, f.RevokeToken(t.Context(), revoked[:12]))
	identity, err := f.CheckTokenInAddress(t.Context(), feeds)
	if err != nil || identity.Scope != store.ScopeFeeds || identity.Admin || identity.Email != admin {
		t.Errorf("a feeds token: %+v, %v", identity, err)
	}
	if got := may(t, f.Auth, feeds); got != "rffffff" {
		t.Errorf("a feeds token may read %s", got)
	}
	if identity, err := f.CheckToken(t.Context(), whole); err != nil || identity.Scope != store.ScopeAPI {
		t.Errorf("a token of the API: %+v, %v", identity, err)
	}
	f.clock.Advance(24 * time.Hour)
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"of the API":            {whole, auth.ErrNotFeedsToken},
		"limited to prices":     {limited, auth.ErrNotFeedsToken},
		"of the API, revoked":   {revoked, auth.ErrNotFeedsToken},
		"of the feeds, expired": {over, auth.ErrTokenExpired},
		"unknown":               {"crt_" + strings.Repeat("z", 52), auth.ErrTokenInvalid},
		"empty":                 {"", auth.ErrTokenInvalid},
		"too long":              {"crt_" + strings.Repeat("z", 200), auth.ErrTokenInvalid},
	} {
		if _, err := f.CheckTokenInAddress(t.Context(), test.token); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestAnAccountRevokesOnlyItsOwnTokens(t *testing.T) {
	f := open(t)
	token := f.token(t, member)
	tokens := f.tokens(t, member)
	if err := f.RevokeOwnToken(t.Context(), auth.Identity{AccountID: f.account(t, admin).ID}, tokens[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another's token: %v, want %v", err, store.ErrNotFound)
	}
	if _, err := f.CheckToken(t.Context(), token); err != nil {
		t.Error(err)
	}
	must(t, f.RevokeOwnToken(t.Context(), auth.Identity{AccountID: f.account(t, member).ID}, tokens[0].ID))
	if _, err := f.CheckToken(t.Context(), token); err != auth.ErrTokenRevoked {
		t.Errorf("CheckToken = %v, want %v", err, auth.ErrTokenRevoked)
	}
}

func TestAnAccountHasAtMostAHundredValidTokens(t *testing.T) {
	f := open(t)
	first := f.token(t, member)
	for i := range 99 {
		hash := sha256.Sum256([]byte{byte(i)})
		must(t, f.store.AddToken(t.Context(), store.Note{}, store.Token{Name: "script", Prefix: "crt_00000000", Hash: hash[:], Created: noon, Account: f.account(t, member)}))
	}
	if _, err := f.CreateToken(t.Context(), member, "one more", market.DeliveryDate{}); err != auth.ErrTokenCount {
		t.Errorf("CreateToken = %v, want %v", err, auth.ErrTokenCount)
	}
	must(t, f.RevokeToken(t.Context(), first[:12]))
	f.token(t, member)
}

func TestExtendingASubscriptionKeepsItsStart(t *testing.T) {
	f := open(t)
	must(t, f.Subscribe(t.Context(), member, "reserves", date(t, "2026-07-20")))
	f.clock.Advance(time.Hour)
	must(t, f.Subscribe(t.Context(), member, "reserves", date(t, "2026-08-20")))
	got := f.account(t, member).Subscription
	if !got.Start.Equal(noon) || !got.End.Equal(date(t, "2026-08-20").End()) {
		t.Errorf("extended: %+v", got)
	}
	must(t, f.Subscribe(t.Context(), member, "everything", market.DeliveryDate{}))
	if got := f.account(t, member).Subscription; !got.Start.Equal(noon.Add(time.Hour)) || !got.End.IsZero() {
		t.Errorf("another offer: %+v", got)
	}
}

func TestEnablingAnAccountRestoresItsTokens(t *testing.T) {
	f := open(t)
	token, cookie := f.token(t, member), begin(t, f.Auth, f.account(t, member), nil)
	_, err := f.Disable(t.Context(), member)
	must(t, err)
	must(t, f.Enable(t.Context(), member))
	if _, err := f.CheckToken(t.Context(), token); err != nil {
		t.Error(err)
	}
	f.checkSession(t, cookie, auth.ErrUnauthenticated) // it ended
}

func TestASubscriberIsWarnedFourteenDaysBeforeTheEnd(t *testing.T) {
	t.Parallel()
	end := date(t, "2026-08-20").End()
	for name, test := range map[string]struct {
		email string
		now   time.Time
		want  time.Time
	}{
		"earlier":       {member, end.AddDate(0, 0, -14).Add(-time.Second), time.Time{}},
		"14 days":       {member, end.AddDate(0, 0, -14), end},
		"last second":   {member, end.Add(-time.Second), end},
		"over":          {member, end, time.Time{}},
		"administrator": {admin, end.Add(-time.Second), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			must(t, f.Subscribe(t.Context(), test.email, "everything", date(t, "2026-08-20")))
			token := f.token(t, test.email)
			f.clock.Advance(test.now.Sub(noon))
			identity, err := f.CheckToken(t.Context(), token)
			must(t, err)
			if !identity.EndsSoon.Equal(test.want) {
				t.Errorf("EndsSoon = %v, want %v", identity.EndsSoon, test.want)
			}
		})
	}
}

// failing is an ended context whose Err calls a function.
type failing struct {
	context.Context
	do func()
}

func (c *failing) Err() error {
	c.do()
	return c.Context.Err()
}

func TestRequestsAreCountedWhileStoringUsageFails(t *testing.T) {
	t.Parallel()
	f := open(t)
	token := f.token(t, member)
	use := func() {
		t.Helper()
		_, err := f.CheckToken(t.Context(), token)
		must(t, err)
	}
	use()
	use()
	// The token is used again while storing fails.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Maintain(&failing{ctx, sync.OnceFunc(use)}); err == nil {
		t.Fatal("the usage is stored")
	}
	must(t, f.Maintain(t.Context()))
	tokens := f.tokens(t, member)
	used, err := f.TokensUsed(t.Context(), tokens)
	must(t, err)
	if got := used[tokens[0].ID].Today; got != 3 {
		t.Errorf("%d requests are counted, want 3", got)
	}
}
