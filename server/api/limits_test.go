package api_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/server/api"
	"courant/store"
)

// passes counts how many of n requests one after the other are answered; each of the others has to be refused alike.
func (f *fixture) passes(t *testing.T, n int, retryAfter string, dress func(*http.Request)) int {
	t.Helper()
	passed := 0
	for range n {
		w := f.ask(t, "GET", "/api/day-ahead-prices", dress)
		if w.Code == 200 {
			passed++
			continue
		}
		if p := problemOf(t, w); w.Code != 429 || p.Code != "rate_limited" || w.Header().Get("Retry-After") != retryAfter {
			t.Fatalf("%d %s, Retry-After %q, want 429 rate_limited and %q", w.Code, p.Code, w.Header().Get("Retry-After"), retryAfter)
		}
	}
	return passed
}

func TestATokenHasAMinutesRequestsAtOnceRefilledEvenly(t *testing.T) {
	f := open(t)
	f.refresh(t)
	account := f.account(t, "anne@example.org", store.Member)
	one, two, session := bearer(f.token(t, account, nil)), bearer(f.token(t, account, nil)), carrying(f.session(t, account))
	for _, step := range []struct {
		advance time.Duration
		want    int
	}{
		{0, 600}, {0, 0}, {99 * time.Millisecond, 0}, {time.Millisecond, 1}, {0, 0}, {time.Second, 10},
		{30 * time.Second, 300}, {time.Hour, 600}, {0, 0},
	} {
		f.clock.Advance(step.advance)
		if got := f.passes(t, step.want+2, "1", one); got != step.want {
			t.Errorf("%s later %d requests pass, want %d", step.advance, got, step.want)
		}
	}
	if got := f.passes(t, 600, "", two); got != 600 {
		t.Errorf("of another token %d requests pass", got)
	}
	if got := f.passes(t, 700, "", session); got != 700 {
		t.Errorf("of a session %d requests pass", got)
	}
}

func TestRetryAfterIsTheTimeToWait(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 2 })
	f.refresh(t)
	admin := f.admin(t)
	for _, step := range []struct {
		advance time.Duration
		passed  int
		wait    string
	}{
		{0, 2, "30"}, {time.Second, 0, "29"}, {28500 * time.Millisecond, 0, "1"}, {500 * time.Millisecond, 1, "30"},
	} {
		f.clock.Advance(step.advance)
		if got := f.passes(t, step.passed+3, step.wait, admin); got != step.passed {
			t.Errorf("%s later %d requests pass, want %d", step.advance, got, step.passed)
		}
	}
}

func TestRefusedRequestsDoNotDelayTheNextAllowedOne(t *testing.T) {
	t.Parallel()
	clock := clockwork.NewFakeClockAt(noon)
	take := api.NewLimits(clock, 60)
	hammer := func(want int64) {
		t.Helper()
		var passed atomic.Int64
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() {
				for range 2000 {
					if _, ok := take(1); ok {
						passed.Add(1)
					}
				}
			})
		}
		asking.Wait()
		if got := passed.Load(); got != want {
			t.Errorf("of many requests at once %d pass, want %d", got, want)
		}
		if wait, ok := take(1); ok || wait != time.Second {
			t.Errorf("the next one is to wait for %s, want 1s", wait)
		}
	}
	hammer(60)
	for range 10 {
		clock.Advance(time.Second)
		hammer(1)
	}
}

func TestARequestThatIsRefusedForAnotherReasonCountsToo(t *testing.T) {
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 3 })
	f.refresh(t)
	member := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	for i, want := range []int{401, 401, 401, 429} {
		if w := f.ask(t, "GET", "/api/fcr-capacity", member); w.Code != want {
			t.Errorf("request %d: %d, want %d", i+1, w.Code, want)
		}
	}
}

func TestTokensThatAreNoLongerUsedAreForgotten(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 2 })
	most := 0
	for id := range int64(10_000) {
		most = max(most, f.TakeOf(id))
		f.clock.Advance(time.Second)
	}
	if most > 1001 {
		t.Errorf("%d are known at once, of which 30 are in use", most)
	}
}
