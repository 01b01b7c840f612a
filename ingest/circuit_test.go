package ingest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// failing has every call of capacity fail.
func (b *bench) failing(fault *source.Fault) (mend func()) {
	whole := b.market.capacity
	b.market.capacity = func(market.Period) (source.Reply[market.CapacityStep], error) {
		return source.Reply[market.CapacityStep]{}, fault
	}
	return func() { b.market.capacity = whole }
}

// until runs the feed's jobs, each at the time that the former one set, until n calls have been made, and tells how
// long after each other they were.
func (b *bench) until(name market.FeedName, n int) []time.Duration {
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
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	mend := b.failing(&source.Fault{Source: "RTE", Message: "no answer in time", Connection: true})
	pauses := b.until(market.FeedCapacity, 10)
	for i, want := range []time.Duration{0, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := pauses[i]; got < want || got > want+mostJitter {
			t.Errorf("call %d comes after %s, want %s", i+1, got, want)
		}
	}
	if got := b.status(market.FCRCapacity).State; got != report.StateDown {
		t.Errorf("state %s, want down", got)
	}
	mend()
	b.job(t.Context(), b.feed(market.FeedCapacity))
	if got := b.status(market.FCRCapacity); got.State != report.StateOK || len(got.Missing) != 0 {
		t.Errorf("after the source is back: state %s, missing %v", got.State, got.Missing)
	}
}

func TestWhichFeedsAFaultConcerns(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		fault  *source.Fault
		others report.State
	}{
		{"the host is not reached: its other feeds wait too", &source.Fault{Source: "RTE", Message: "no answer in time", Connection: true}, report.StateDown},
		{"one resource fails: no other waits", &source.Fault{Source: "RTE", Status: 500, Message: "Internal Server Error"}, report.StateOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 09:00")
			for _, name := range []market.FeedName{market.FeedDayAheadPrices, market.FeedAFRREnergy, market.FeedMFRREnergy} {
				b.job(t.Context(), b.feed(name))
			}
			b.failing(row.fault)
			b.until(market.FeedCapacity, failuresToOpen)
			want := map[market.Dataset]report.State{market.DayAheadPrices: report.StateOK, market.FCRCapacity: report.StateDown, market.AFRREnergy: row.others, market.MFRREnergy: row.others}
			for dataset, state := range want {
				if got := b.status(dataset).State; got != state {
					t.Errorf("%s is %s, want %s", dataset, got, state)
				}
			}
		})
	}
}

func TestASourceThatAsksToBeLeftAloneIs(t *testing.T) {
	t.Parallel()
	for _, row := range storetest.Some(2, []struct {
		name  string
		asked time.Duration
	}{{"a minute and a half, after the last of five tries", 90 * time.Second}, {"three hours", 3 * time.Hour}, {"a day", 24 * time.Hour}}) {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 09:00")
			mend := b.failing(&source.Fault{Source: "RTE", Status: 503, Message: "closed", Retryable: true, RetryAfter: row.asked})
			from := b.clock.Now()
			next := b.job(t.Context(), b.feed(market.FeedCapacity))
			if calls := len(b.market.asked[market.FeedCapacity]); calls != 1 || next.Before(from.Add(row.asked)) || next.After(from.Add(row.asked).Add(mostJitter)) {
				t.Errorf("%d calls, and the next one %s later", calls, next.Sub(from))
			}
			other := &bench{Feeds: New(b.options()), t: t, db: b.db, clock: b.clock, market: b.market}
			for who, current := range map[string]func(context.Context) (report.Report, error){"serve": b.Report, "another process": other.Report} {
				told, err := current(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				status := told.Datasets[slices.Index(market.Datasets(), market.FCRCapacity)]
				if status.State != report.StateDown || status.NextRunAt == nil || time.Time(*status.NextRunAt).Before(from.Add(row.asked)) {
					t.Errorf("%s tells %s, next run %v", who, status.State, status.NextRunAt)
				}
			}
			b.clock.Advance(row.asked - time.Second)
			b.job(t.Context(), b.feed(market.FeedCapacity))
			if calls := len(b.market.asked[market.FeedCapacity]); calls != 1 {
				t.Errorf("%d calls before it is over", calls)
			}
			mend()
			b.clock.Advance(time.Second)
			b.job(t.Context(), b.feed(market.FeedCapacity))
			if got := b.status(market.FCRCapacity); got.State != report.StateOK {
				t.Errorf("after it the state is %s", got.State)
			}
		})
	}
}

// spoilt has no document of capacity be readable that holds one of the delivery dates.
func (b *bench) spoilt(days ...string) {
	whole := b.market.capacity
	b.market.capacity = func(window market.Period) (replyOfCapacity, error) {
		for _, day := range days {
			if window.Holds(date(b.t, day).Start().Unix()) {
				return replyOfCapacity{}, unreadable
			}
		}
		return whole(window)
	}
}

func TestAnUnreadableDateDoesNotBlockOthers(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	b.spoilt("2026-11-21")
	b.jobsUntil(market.FeedCapacity, "2026-11-20 16:00") // it is all that is asked for
	if got := b.status(market.FCRCapacity); got.State == report.StateDown || b.reasonOf(market.FCRCapacity, "2026-11-21") != report.ReasonSourceError {
		t.Errorf("while it is asked for alone: %+v", got)
	}
	b.jobsUntil(market.FeedCapacity, "2026-11-21 09:00")
	if got := b.rows(market.FCRCapacity, "2026-11-22"); got != 96 {
		t.Errorf("the next date, asked for together with it, has %d rows", got)
	}
	b.jobsUntil(market.FeedCapacity, "2026-11-25 09:00")
	if got := b.status(market.FCRCapacity); got.State == report.StateDown || len(got.Missing) != 1 || got.Missing[0].Date != date(t, "2026-11-21") {
		t.Errorf("days later: %+v", got)
	}
}

func TestAnUnreadableDateAfterAnOutageDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	mend := b.failing(&source.Fault{Source: "RTE", Status: 503, Message: "closed"})
	b.until(market.FeedCapacity, failuresToOpen+1)
	mend()
	b.spoilt("2026-11-21")
	b.jobsUntil(market.FeedCapacity, "2026-11-20 13:00")
	if got := b.status(market.FCRCapacity); got.State != report.StateError || len(got.Missing) != 1 || b.reasonOf(market.FCRCapacity, "2026-11-21") != report.ReasonSourceError {
		t.Errorf("%+v", got)
	}
}

func TestARefusedRunningDayDoesNotBlockOtherDates(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 18:00")
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	whole := b.market.mfrr
	b.market.mfrr = func(window market.Period) (replyOfMFRR, error) {
		if window.To().After(market.DeliveryDateOf(b.clock.Now()).Start()) {
			return replyOfMFRR{}, &source.Fault{Source: "RTE", Status: 400, Message: "the window was refused"}
		}
		return whole(window)
	}
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-20 22:00")
	if got := b.status(market.MFRREnergy); got.State != report.StateError || b.reasonOf(market.MFRREnergy, "2026-11-20") != report.ReasonSourceError {
		t.Errorf("on the day: %+v", got)
	}
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-21 12:00")
	if got := b.status(market.MFRREnergy); got.State != report.StateError || len(got.Missing) != 1 || b.reasonOf(market.MFRREnergy, "2026-11-21") != report.ReasonSourceError {
		t.Errorf("on the next day: %+v", got)
	}
	if got := b.rows(market.MFRREnergy, "2026-11-20"); got != 192 {
		t.Errorf("of the day that is over there are %d rows", got)
	}
}

func TestAWindowThatCannotBeReadIsAskedForInHalves(t *testing.T) {
	t.Parallel()
	week := market.Dates(date(t, "2026-11-01"), date(t, "2026-11-07"))
	for _, row := range []struct {
		name    string
		spoilt  []string
		lost    int // dates
		want    []string
		outcome store.Outcome
	}{
		{"one date", []string{"2026-11-02"}, 1, []string{"01 02 03 04 05 06 07", "01 02 03", "01", "02 03", "02", "03", "04 05 06 07"}, store.OutcomePartial},
		{"two dates", []string{"2026-11-01", "2026-11-07"}, 2, []string{"01 02 03 04 05 06 07", "01 02 03", "01", "02 03", "04 05 06 07", "04 05", "06 07", "06", "07"}, store.OutcomePartial},
		{"all", []string{"2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06", "2026-11-07"}, 7,
			[]string{"01 02 03 04 05 06 07", "01 02 03", "01", "02 03", "02", "03", "04 05 06 07", "04 05", "04", "05", "06 07", "06", "07"}, store.OutcomeFailed},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			b.spoilt(row.spoilt...)
			run, err := b.runDates(market.FeedCapacity, "2026-11-01", "2026-11-07")
			if !errors.Is(err, unreadable) || run.Outcome != row.outcome {
				t.Errorf("outcome %s, error %v", run.Outcome, err)
			}
			if diff := cmp.Diff(row.want, b.callsOf(market.FeedCapacity)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			held := 0
			for _, d := range week {
				if b.rows(market.FCRCapacity, d.String()) == 96 {
					held++
				}
			}
			if held != 7-row.lost {
				t.Errorf("%d dates are held", held)
			}
		})
	}
}

func TestFewDocumentsAreAskedForWhereNoneCanBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	b.market.prices = func(market.Period) (replyOfPrices, error) { return replyOfPrices{}, unreadable }
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-08-01", "2026-10-29"); !errors.Is(err, unreadable) {
		t.Errorf("error %v", err)
	}
	if calls := len(b.market.asked[market.FeedDayAheadPrices]); calls > 2*mostUnreadable+1 {
		t.Errorf("%d calls", calls)
	}
}

func TestARereadIsNotLostWhileACircuitIsOpen(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 23:00")
	b.job(t.Context(), b.feed(market.FeedCapacity))
	mend := b.failing(&source.Fault{Source: "RTE", Status: 503, Message: "Service Unavailable"})
	b.feed(market.FeedCapacity).pauses = map[market.DeliveryDate]pause{}
	for range failuresToOpen {
		b.feed(market.FeedCapacity).circuit.fail(b.clock.Now())
	}
	b.clock.Advance(30 * time.Second)
	b.job(t.Context(), b.feed(market.FeedCapacity))
	mend()
	b.market.dates(market.FeedCapacity)
	b.clock.Advance(5 * time.Hour)
	b.job(t.Context(), b.feed(market.FeedCapacity))
	if got := b.market.dates(market.FeedCapacity); len(got) < 7 {
		t.Errorf("asked for %v", got)
	}
}

func TestACircuitWhoseTimeHasPassedDoesNotKeepAFeedBusy(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 20:00")
	feed := b.feed(market.FeedDayAheadPrices)
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
	t.Parallel()
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

func TestTheStatusTellsRefusedCredentialsFromASourceThatIsNotReached(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	for _, row := range []struct {
		fault *source.Fault
		want  report.Trouble
	}{
		{&source.Fault{Source: "RTE", Status: 401, Message: "the client credentials are refused", Cause: source.ErrCredentials}, report.TroubleCredentials},
		{&source.Fault{Source: "RTE", Message: "no answer in time", Connection: true}, report.TroubleConnection},
		{&source.Fault{Source: "RTE", Status: 500, Message: "Internal Server Error"}, ""},
	} {
		mend := b.failing(row.fault)
		b.job(t.Context(), b.feed(market.FeedCapacity))
		if got := b.status(market.FCRCapacity).Trouble; got != row.want {
			t.Errorf("after %v the trouble is %q, want %q", row.fault, got, row.want)
		}
		mend()
	}
	b.feed(market.FeedCapacity).setTrouble(&source.Fault{Connection: true})
	b.feed(market.FeedCapacity).setTrouble(nil)
	if got := b.status(market.FCRCapacity).Trouble; got != "" {
		t.Errorf("after a run that succeeded the trouble is %q", got)
	}
}
