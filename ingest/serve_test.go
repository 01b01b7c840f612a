package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store/market"
	"courant/store/storetest/await"
)

// serving runs the feeds and tells, by waiting on the clock, when all of them rest until their next run.
func (b *bench) serving() (rest func(), stop func() error) {
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx) }()
	rest = func() {
		b.t.Helper()
		if err := b.clock.BlockUntilContext(await.Context(b.t), b.running()); err != nil {
			b.t.Fatal(err)
		}
	}
	return rest, func() error {
		cancel()
		return await.Value(b.t, ended)
	}
}

// running is how many feeds have credentials.
func (b *bench) running() int {
	n := 0
	for _, feed := range b.feeds {
		if !feed.isOff() {
			n++
		}
	}
	return n
}

func TestServeRunsEachFeedAtOnceAndThenOnItsSchedule(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	rest, stop := b.serving()
	rest()
	for name, first := range map[market.FeedName]string{market.FeedDayAheadPrices: "2026-10-17", market.FeedCapacity: "2026-11-21", market.FeedAFRREnergy: "2026-11-20", market.FeedMFRREnergy: "2026-11-20"} {
		if asked := b.market.dates(name); len(asked) == 0 || asked[0] != first {
			t.Errorf("at once %s asks for %v", name, asked)
		}
	}
	b.clock.Advance(17 * time.Minute)
	rest()
	for name, want := range map[market.FeedName][]string{market.FeedDayAheadPrices: nil, market.FeedCapacity: nil, market.FeedAFRREnergy: {"2026-11-20"}, market.FeedMFRREnergy: {"2026-11-20"}} {
		if diff := cmp.Diff(want, b.market.dates(name)); diff != "" {
			t.Errorf("after a quarter of an hour %s: %s", name, diff)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestServeReportsTheNextRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	rest, stop := b.serving()
	rest()
	report, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range report.Datasets {
		if at := status.NextRunAt; at == nil || !time.Time(*at).After(b.clock.Now()) || time.Time(*at).After(b.clock.Now().Add(61*time.Minute)) {
			t.Errorf("%s runs next at %v", status.Dataset, at)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestServeWithoutCredentialsRunsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	b.Feeds = New(Options{Store: b.db, Clock: b.clock})
	_, stop := b.serving()
	if err := stop(); err != nil || len(b.market.asked) > 0 {
		t.Errorf("error %v, asked %v", err, b.market.asked)
	}
}

func (b *bench) status(dataset market.Dataset) report.Status {
	b.t.Helper()
	clock, err := b.clockFinding(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	status, err := b.Feeds.status(b.t.Context(), dataset, nil, clock)
	if err != nil {
		b.t.Fatal(err)
	}
	return status
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		now   string
		then  time.Duration // after the first run
		state report.State
	}{
		{"prices before tomorrow is due", "2026-11-20 10:00", 0, report.StateOK},
		{"prices a day later, before the next are due", "2026-11-20 13:00", 23 * time.Hour, report.StateOK},
		{"prices a day later, and nothing is due", "2026-11-20 13:00", 25 * time.Hour, report.StateOK},
		{"prices when tomorrow is due", "2026-11-20 13:00", 25*time.Hour + 30*time.Minute, report.StateLate},
		{"prices when tomorrow is due and something came today", "2026-11-20 15:00", 23*time.Hour + 30*time.Minute, report.StateLate},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, row.now)
			b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
			b.clock.Advance(row.then)
			if got := b.status(market.DayAheadPrices); got.State != row.state {
				t.Errorf("state %s, want %s: %+v", got.State, row.state, got)
			}
		})
	}
}

func TestMissingDatesAndWhy(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-11-14", "2026-11-15"); err != nil {
		t.Fatal(err)
	}
	whole := b.market.prices
	b.market.prices = func(window market.Period) (reply replyOfPrices, err error) { return reply, nil }
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-11-16", "2026-11-16"); err != nil {
		t.Fatal(err)
	}
	b.market.prices = func(window market.Period) (reply replyOfPrices, err error) {
		reply, err = whole(window)
		reply.Rows = reply.Rows[:40]
		return reply, err
	}
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-11-17", "2026-11-17"); err != nil {
		t.Fatal(err)
	}
	b.market.prices = func(window market.Period) (reply replyOfPrices, err error) {
		reply.Refusals.RefuseFinally(market.DayAheadPrices, market.DeliveryDateOf(window.From()), "two series differ")
		return reply, nil
	}
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-11-18", "2026-11-18"); err != nil {
		t.Fatal(err)
	}
	b.market.prices = func(market.Period) (reply replyOfPrices, err error) { return reply, context.DeadlineExceeded }
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-11-19", "2026-11-19"); err == nil {
		t.Fatal("no error")
	}
	want := []report.Missing{
		{Date: date(t, "2026-11-16"), Expected: 96, Received: 0, Reason: report.ReasonNotPublished},
		{Date: date(t, "2026-11-17"), Expected: 96, Received: 40, Reason: report.ReasonPartial},
		{Date: date(t, "2026-11-18"), Expected: 96, Received: 0, Reason: report.ReasonRejected},
		{Date: date(t, "2026-11-19"), Expected: 96, Received: 0, Reason: report.ReasonSourceError},
		{Date: date(t, "2026-11-20"), Expected: 96, Received: 0, Reason: report.ReasonNotAsked},
	}
	status := b.status(market.DayAheadPrices)
	if diff := cmp.Diff(want, status.Missing, cmp.Comparer(func(a, b market.DeliveryDate) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if status.LastError == nil || *status.LastError != context.DeadlineExceeded.Error()+"; delivery dates with an error before it: 1" || status.FirstDate.String() != "2026-11-14" {
		t.Errorf("status %+v", status)
	}
}

func TestMFRRCapacityIsExpectedFromTheDateItIsSold(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-06-01 12:00")
	whole := b.market.capacity
	b.market.capacity = func(window market.Period) (replyOfCapacity, error) {
		reply, err := whole(window)
		kept := reply.Rows[:0]
		for _, row := range reply.Rows {
			if row.Dataset != market.MFRRCapacity || row.Direction == market.Upward || row.Start >= market.MFRRCapacity.About().Due[1].First.Start().Unix() {
				kept = append(kept, row)
			}
		}
		reply.Rows = kept
		return reply, err
	}
	if err := b.Fetch(t.Context(), request(t, market.MFRRCapacity, "2026-04-25", "2026-06-02")); err != nil {
		t.Fatal(err)
	}
	if got := b.status(market.MFRRCapacity); len(got.Missing) != 0 {
		t.Errorf("missing %v", got.Missing)
	}
}

type (
	replyOfPrices    = source.Reply[market.Price]
	replyOfCapacity  = source.Reply[market.CapacityStep]
	replyOfAFRR      = source.Reply[market.AFRRStep]
	replyOfMFRR      = source.Reply[market.MFRRStep]
	replyOfImbalance = source.Reply[market.ImbalanceStep]
)

var (
	unreached  = &source.Fault{Source: "RTE", Message: "no answer in time", Connection: true, Retryable: true}
	unreadable = &source.Fault{Source: "RTE", Message: "the reply cannot be read", Unreadable: true}
)
