package ingest

import (
	"context"
	"slices"
	"testing"
	"time"

	"courant/ingest/source"
	"courant/store"
)

// failing has every call of capacity fail.
func (b *bench) failing(fault *source.Fault) (mend func()) {
	whole := b.market.capacity
	b.market.capacity = func(store.Period) (source.Reply[store.CapacityStep], error) {
		return source.Reply[store.CapacityStep]{}, fault
	}
	return func() { b.market.capacity = whole }
}

// until runs the feed's jobs, each at the time that the former one set, until n calls have been made, and tells how
// long after each other they were.
func (b *bench) until(name FeedName, n int) []time.Duration {
	b.t.Helper()
	var pauses []time.Duration
	last := b.clock.Now()
	for calls := 0; calls < n; {
		next := b.job(b.t.Context(), b.feed(name))
		if made := len(b.market.asked[name]); made > calls {
			pauses, last, calls = append(pauses, b.clock.Now().Sub(last)), b.clock.Now(), made
		}
		b.clock.Advance(next.Sub(b.clock.Now()))
	}
	return pauses
}

func TestACircuitOpensAfterFiveFailedRunsAndTriesAgain(t *testing.T) {
	b := newBench(t, "2026-11-20 09:00")
	mend := b.failing(&source.Fault{Source: "RTE", Message: "no answer in time", Connection: true})
	pauses := b.until(Capacity, 10)
	for i, want := range []time.Duration{0, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := pauses[i]; got < want || got > want+mostJitter {
			t.Errorf("call %d comes after %s, want %s", i+1, got, want)
		}
	}
	if got := b.status(store.FCRCapacity).State; got != StateDown {
		t.Errorf("state %s, want down", got)
	}
	mend()
	b.job(t.Context(), b.feed(Capacity))
	if got := b.status(store.FCRCapacity); got.State != StateOK || len(got.Missing) != 0 {
		t.Errorf("after the source is back: state %s, missing %v", got.State, got.Missing)
	}
}

func TestWhichFeedsAFaultConcerns(t *testing.T) {
	for _, row := range []struct {
		name   string
		fault  *source.Fault
		others State
	}{
		{"the host is not reached: its other feeds wait too", &source.Fault{Source: "RTE", Message: "no answer in time", Connection: true}, StateDown},
		{"one resource fails: no other waits", &source.Fault{Source: "RTE", Status: 500, Message: "Internal Server Error"}, StateOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 09:00")
			for _, name := range []FeedName{DayAheadPrices, AFRREnergy, MFRREnergy} {
				b.job(t.Context(), b.feed(name))
			}
			b.failing(row.fault)
			b.until(Capacity, failuresToOpen)
			want := map[store.Dataset]State{store.DayAheadPrices: StateOK, store.FCRCapacity: StateDown, store.AFRREnergy: row.others, store.MFRREnergy: row.others}
			for dataset, state := range want {
				if got := b.status(dataset).State; got != state {
					t.Errorf("%s is %s, want %s", dataset, got, state)
				}
			}
		})
	}
}

func TestASourceThatAsksToBeLeftAloneIs(t *testing.T) {
	for _, row := range []struct {
		name  string
		asked time.Duration
	}{{"a minute and a half, after the last of five tries", 90 * time.Second}, {"three hours", 3 * time.Hour}, {"a day", 24 * time.Hour}} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 09:00")
			mend := b.failing(&source.Fault{Source: "RTE", Status: 503, Message: "closed", Retryable: true, RetryAfter: row.asked})
			from := b.clock.Now()
			next := b.job(t.Context(), b.feed(Capacity))
			if calls := len(b.market.asked[Capacity]); calls != 1 || next.Before(from.Add(row.asked)) || next.After(from.Add(row.asked).Add(mostJitter)) {
				t.Errorf("%d calls, and the next one %s later", calls, next.Sub(from))
			}
			other := &bench{Feeds: New(b.options()), t: t, db: b.db, clock: b.clock, market: b.market}
			for who, report := range map[string]func(context.Context) (Report, error){"serve": b.Report, "another process": other.Report} {
				told, err := report(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				status := told.Datasets[slices.Index(store.Datasets(), store.FCRCapacity)]
				if status.State != StateDown || status.NextRunAt == nil || time.Time(*status.NextRunAt).Before(from.Add(row.asked)) {
					t.Errorf("%s tells %s, next run %v", who, status.State, status.NextRunAt)
				}
			}
			b.clock.Advance(row.asked - time.Second)
			b.job(t.Context(), b.feed(Capacity))
			if calls := len(b.market.asked[Capacity]); calls != 1 {
				t.Errorf("%d calls before it is over", calls)
			}
			mend()
			b.clock.Advance(time.Second)
			b.job(t.Context(), b.feed(Capacity))
			if got := b.status(store.FCRCapacity); got.State != StateOK {
				t.Errorf("after it the state is %s", got.State)
			}
		})
	}
}

func TestARereadIsNotLostWhileACircuitIsOpen(t *testing.T) {
	b := newBench(t, "2026-11-20 23:00")
	b.job(t.Context(), b.feed(Capacity))
	mend := b.failing(&source.Fault{Source: "RTE", Status: 503, Message: "Service Unavailable"})
	b.feed(Capacity).pauses = map[store.DeliveryDate]pause{}
	for range failuresToOpen {
		b.feed(Capacity).circuit.fail(b.clock.Now())
	}
	b.clock.Advance(30 * time.Second)
	b.job(t.Context(), b.feed(Capacity))
	mend()
	b.market.dates(Capacity)
	b.clock.Advance(5 * time.Hour)
	b.job(t.Context(), b.feed(Capacity))
	if got := b.market.dates(Capacity); len(got) < 7 {
		t.Errorf("asked for %v", got)
	}
}

func TestACircuitWhoseTimeHasPassedDoesNotKeepAFeedBusy(t *testing.T) {
	b := newBench(t, "2026-11-20 20:00")
	feed := b.feed(DayAheadPrices)
	b.job(t.Context(), feed)
	for range failuresToOpen {
		feed.host.fail(b.clock.Now())
	}
	b.clock.Advance(2 * time.Minute)
	if wait := b.job(t.Context(), feed).Sub(b.clock.Now()); wait < 10*time.Minute {
		t.Errorf("nothing is due, and the feed runs again in %s", wait)
	}
}

func TestRunsThatEndWhileTheCircuitIsOpenDoNotMakeItsPauseLonger(t *testing.T) {
	var c circuit
	now := paris(t, "2026-11-20 09:00")
	for range failuresToOpen + 3 {
		c.fail(now)
	}
	if until, open := c.openUntil(); !open || !until.Equal(now.Add(time.Minute)) {
		t.Errorf("open %t until %s", open, until)
	}
	c.fail(now.Add(time.Minute))
	if until, _ := c.openUntil(); !until.Equal(now.Add(3 * time.Minute)) {
		t.Errorf("after the next failed run: until %s", until)
	}
}
