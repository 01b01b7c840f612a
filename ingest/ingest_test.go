package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.SaveTime()
	goleak.VerifyTestMain(m)
}

// fakeMarket is both sources: it answers every call with what its functions make of the window, and notes the call.
type fakeMarket struct {
	prices    func(market.Period) (source.Reply[market.Price], error)
	capacity  func(market.Period) (source.Reply[market.CapacityStep], error)
	afrr      func(market.Period) (source.Reply[market.AFRRStep], error)
	mfrr      func(market.Period) (source.Reply[market.MFRRStep], error)
	imbalance func(market.Period) (source.Reply[market.ImbalanceStep], error)

	ahead map[string]time.Duration // this machine's clock less that of a host, where the host says its time

	mu    sync.Mutex
	asked map[market.FeedName][]market.Period
}

// traffic is that of one call to the host.
func (m *fakeMarket) traffic(host string) source.Traffic {
	traffic := source.Traffic{Bytes: 100, Tries: 1}
	if ahead, tells := m.ahead[host]; tells {
		traffic.Clock = market.ClockReading{Host: host, Ahead: ahead}
	}
	return traffic
}

func (m *fakeMarket) note(feed market.FeedName, window market.Period) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked[feed] = append(m.asked[feed], window)
}

// dates are the delivery dates of the feed's calls so far, and forgets the calls.
func (m *fakeMarket) dates(feed market.FeedName) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var dates []string
	for _, window := range m.asked[feed] {
		for _, d := range window.Dates() {
			dates = append(dates, d.String())
		}
	}
	delete(m.asked, feed)
	return dates
}

func (m *fakeMarket) DayAheadPrices(_ context.Context, window market.Period) (source.Reply[market.Price], source.Traffic, error) {
	m.note(market.FeedDayAheadPrices, window)
	reply, err := m.prices(window)
	return reply, m.traffic("entsoe.example"), err
}

func (m *fakeMarket) ProcuredReserves(_ context.Context, window market.Period) (source.Reply[market.CapacityStep], source.Traffic, error) {
	m.note(market.FeedCapacity, window)
	reply, err := m.capacity(window)
	return reply, m.traffic("rte.example"), err
}

func (m *fakeMarket) MarginalPrice(_ context.Context, window market.Period) (source.Reply[market.AFRRStep], source.Traffic, error) {
	m.note(market.FeedAFRREnergy, window)
	reply, err := m.afrr(window)
	return reply, m.traffic("rte.example"), err
}

func (m *fakeMarket) StandardMFRR(_ context.Context, window market.Period) (source.Reply[market.MFRRStep], source.Traffic, error) {
	m.note(market.FeedMFRREnergy, window)
	reply, err := m.mfrr(window)
	return reply, m.traffic("rte.example"), err
}

func (m *fakeMarket) ImbalanceData(_ context.Context, window market.Period) (source.Reply[market.ImbalanceStep], source.Traffic, error) {
	m.note(market.FeedImbalance, window)
	reply, err := m.imbalance(window)
	return reply, m.traffic("rte.example"), err
}

func (m *fakeMarket) readers() map[market.FeedName]Reader {
	return map[market.FeedName]Reader{
		market.FeedDayAheadPrices: ReaderOf(market.Prices, m.DayAheadPrices), market.FeedCapacity: ReaderOf(market.Capacity, m.ProcuredReserves),
		market.FeedAFRREnergy: ReaderOf(market.AFRR, m.MarginalPrice), market.FeedMFRREnergy: ReaderOf(market.MFRR, m.StandardMFRR),
		market.FeedImbalance: ReaderOf(market.Imbalance, m.ImbalanceData),
	}
}

// bench is feeds over a new database, a clock that stands, and a market that gives every step of every window.
type bench struct {
	*Feeds
	t      *testing.T
	db     *store.Store
	clock  *clockwork.FakeClock
	market *fakeMarket
}

func newBench(t *testing.T, now string, options ...store.Option) *bench {
	t.Helper()
	db := storetest.New(t, options...)
	b := &bench{t: t, db: db, clock: clockwork.NewFakeClockAt(paris(t, now)), market: &fakeMarket{asked: map[market.FeedName][]market.Period{}}}
	b.market.prices = func(window market.Period) (source.Reply[market.Price], error) {
		var reply source.Reply[market.Price]
		for s := window.Start; s < window.End; s += market.QuarterSeconds {
			reply.Rows = append(reply.Rows, market.Price{Start: s, Resolution: market.PT15M, Price: market.Num(float64(s / market.QuarterSeconds % 96))})
		}
		return reply, nil
	}
	b.market.capacity = func(window market.Period) (source.Reply[market.CapacityStep], error) {
		var reply source.Reply[market.CapacityStep]
		for s := window.Start; s < window.End; s += market.QuarterSeconds {
			reply.Rows = append(reply.Rows,
				capacityStep(market.FCRCapacity, s, market.Symmetric, "STD"),
				capacityStep(market.AFRRCapacity, s, market.Upward, "STD"), capacityStep(market.AFRRCapacity, s, market.Downward, "STD"),
				capacityStep(market.MFRRCapacity, s, market.Upward, "SPE0"), capacityStep(market.MFRRCapacity, s, market.Downward, "SPE"))
		}
		return reply, nil
	}
	b.market.afrr = func(window market.Period) (source.Reply[market.AFRRStep], error) {
		var reply source.Reply[market.AFRRStep]
		for s := window.Start; s < window.End; s += market.AFRRSeconds {
			reply.Rows = append(reply.Rows, market.AFRRStep{Start: s, DemandMW: market.Num(1)})
		}
		return reply, nil
	}
	b.market.mfrr = func(window market.Period) (source.Reply[market.MFRRStep], error) {
		var reply source.Reply[market.MFRRStep]
		for s := window.Start - window.Start%market.QuarterSeconds; s < window.End; s += market.QuarterSeconds {
			for _, direction := range []market.Direction{market.Upward, market.Downward} {
				reply.Rows = append(reply.Rows, market.MFRRStep{Start: s, Direction: direction, ClearingPrice: market.Num(7)})
			}
		}
		return reply, nil
	}
	// A quarter hour of imbalance prices is published only after its end.
	b.market.imbalance = func(window market.Period) (source.Reply[market.ImbalanceStep], error) {
		var reply source.Reply[market.ImbalanceStep]
		for s := window.Start - window.Start%market.QuarterSeconds; s+market.QuarterSeconds <= window.End; s += market.QuarterSeconds {
			reply.Rows = append(reply.Rows, imbalanceStep(s))
		}
		return reply, nil
	}
	b.Feeds = New(b.options())
	return b
}

// options are those of the feeds of a process that has just started.
func (b *bench) options() Options {
	return Options{
		Store: b.db, Clock: b.clock, Log: slog.New(slog.DiscardHandler), Readers: b.market.readers(),
		Schedules: map[market.FeedName]Schedule{market.FeedDayAheadPrices: pricesHours, market.FeedCapacity: capacityHours, market.FeedAFRREnergy: energyHours, market.FeedMFRREnergy: energyHours, market.FeedImbalance: imbalanceHours},
	}
}

func capacityStep(dataset market.Dataset, start int64, direction market.Direction, product string) market.CapacityStep {
	return market.CapacityStep{Dataset: dataset, Start: start, Direction: direction, TimeHorizon: "DAILY", Product: product,
		OfferedMW: market.Num(200), ContractedMW: market.Num(100), Price: market.Num(1.25)}
}

func imbalanceStep(start int64) market.ImbalanceStep {
	return market.ImbalanceStep{Start: start, PositivePrice: market.Num(48.08), NegativePrice: market.Num(53.28), ImbalanceMWh: market.Num(-100.98),
		SystemTrend: market.Str(string(market.Upward))}
}

func (b *bench) feed(name market.FeedName) *feed {
	for _, feed := range b.feeds {
		if feed.Name == name {
			return feed
		}
	}
	b.t.Fatalf("no feed %s", name)
	return nil
}

// rows is how many native rows of the dataset's delivery date are held.
func (b *bench) rows(dataset market.Dataset, text string) int {
	b.t.Helper()
	d := date(b.t, text)
	coverage, err := b.db.Coverage(b.t.Context(), dataset, d, d)
	if err != nil {
		b.t.Fatal(err)
	}
	return coverage.Rows()
}

func (b *bench) summary(dataset market.Dataset) store.RunSummary {
	b.t.Helper()
	summary, err := b.db.RunSummary(b.t.Context(), dataset)
	if err != nil {
		b.t.Fatal(err)
	}
	return summary
}

func (b *bench) runDates(name market.FeedName, first, last string) (store.Run, error) {
	b.t.Helper()
	feed := b.feed(name)
	return b.run(b.t.Context(), feed, windowsOf(feed.Feed, date(b.t, first), date(b.t, last))[0], 0)
}

func TestARefusedDateLeavesTheRest(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole := b.market.capacity
	b.market.capacity = func(window market.Period) (source.Reply[market.CapacityStep], error) {
		reply, err := whole(window)
		for i := range reply.Rows {
			if reply.Rows[i].Dataset == market.AFRRCapacity && reply.Rows[i].Start == date(t, "2026-11-02").Start().Unix() {
				reply.Rows[i].Price = market.Num(-1)
			}
		}
		return reply, err
	}
	run, err := b.runDates(market.FeedCapacity, "2026-11-01", "2026-11-03")
	if err != nil || run.Outcome != store.OutcomePartial {
		t.Fatalf("outcome %s, error %v", run.Outcome, err)
	}
	const reason = "afrr-capacity 2026-11-02 refused: 2026-11-01T23:00:00Z: a price of -1 EUR/MW for 15 min is out of bounds"
	if run.Error != reason {
		t.Errorf("the run says %q, want %q", run.Error, reason)
	}
	for _, row := range []struct {
		dataset market.Dataset
		date    string
		rows    int
	}{
		{market.AFRRCapacity, "2026-11-01", 192}, {market.AFRRCapacity, "2026-11-02", 0}, {market.AFRRCapacity, "2026-11-03", 192},
		{market.FCRCapacity, "2026-11-02", 96}, {market.MFRRCapacity, "2026-11-02", 192},
	} {
		if got := b.rows(row.dataset, row.date); got != row.rows {
			t.Errorf("%s of %s: %d rows, want %d", row.dataset, row.date, got, row.rows)
		}
	}
	for _, dataset := range []market.Dataset{market.FCRCapacity, market.AFRRCapacity} { // 3 November, the newest date, was read well
		if !b.summary(dataset).LastSuccess.Equal(b.clock.Now()) {
			t.Errorf("%s: last success %s", dataset, b.summary(dataset).LastSuccess)
		}
	}
	if got := b.status(market.AFRRCapacity); got.State != report.StateError || got.LastError == nil || *got.LastError != reason {
		t.Errorf("status %+v", got)
	}
	if got := b.status(market.FCRCapacity); got.LastError != nil {
		t.Errorf("status %+v", got)
	}
}

func TestWhatWasStoredStaysWhenItsDateIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-11-01", "2026-11-01"); err != nil {
		t.Fatal(err)
	}
	b.market.prices = func(window market.Period) (source.Reply[market.Price], error) {
		return source.Reply[market.Price]{Rows: []market.Price{{Start: window.Start, Resolution: market.PT15M, Price: market.Num(100_001)}}}, nil
	}
	run, err := b.runDates(market.FeedDayAheadPrices, "2026-11-01", "2026-11-01")
	if err != nil || run.Outcome != store.OutcomeFailed || b.rows(market.DayAheadPrices, "2026-11-01") != 96 {
		t.Errorf("outcome %s, error %v, %d rows", run.Outcome, err, b.rows(market.DayAheadPrices, "2026-11-01"))
	}
}

func TestAWindowIsCommittedWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole, lost := b.market.afrr, &source.Fault{Source: "RTE", Call: "afrr_marginal_price", Status: 500, Message: "Internal Server Error"}
	b.market.afrr = func(window market.Period) (source.Reply[market.AFRRStep], error) {
		if window.End == date(t, "2026-10-25").End().Unix() {
			return source.Reply[market.AFRRStep]{}, lost
		}
		return whole(window)
	}
	run, err := b.runDates(market.FeedAFRREnergy, "2026-10-25", "2026-10-25")
	if !errors.Is(err, lost) || run.Outcome != store.OutcomeFailed || run.Bytes != 200 || b.rows(market.AFRREnergy, "2026-10-25") != 0 {
		t.Errorf("run %+v, error %v, %d rows", run, err, b.rows(market.AFRREnergy, "2026-10-25"))
	}
	if got := b.status(market.AFRREnergy).LastError; got == nil || *got != lost.Error() {
		t.Errorf("last error %v, want %q", got, lost.Error())
	}
	b.market.afrr = whole
	if _, err := b.runDates(market.FeedAFRREnergy, "2026-10-25", "2026-10-25"); err != nil || b.rows(market.AFRREnergy, "2026-10-25") != 22_500 {
		t.Errorf("error %v, %d rows", err, b.rows(market.AFRREnergy, "2026-10-25"))
	}
}

func TestAnInterruptedRunIsNoFault(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	ctx, cancel := context.WithCancel(t.Context())
	b.market.prices = func(market.Period) (source.Reply[market.Price], error) {
		cancel()
		return source.Reply[market.Price]{}, ctx.Err()
	}
	feed := b.feed(market.FeedDayAheadPrices)
	run, err := b.run(ctx, feed, windowsOf(feed.Feed, b.today(), b.today())[0], 0)
	if !errors.Is(err, context.Canceled) || run.Outcome != store.OutcomeInterrupted {
		t.Errorf("outcome %s, error %v", run.Outcome, err)
	}
}

func TestStepsOfEnergyThatHaveNotBegunAreDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:07")
	feed := b.feed(market.FeedMFRREnergy)
	if _, err := b.run(t.Context(), feed, windowsOf(feed.Feed, b.today(), b.today())[0], 0); err != nil {
		t.Fatal(err)
	}
	// 00:00 to 12:00, both begun, in two directions.
	if got, want := b.rows(market.MFRREnergy, "2026-11-20"), 2*(12*4+1); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	const start = 1_790_000_000 - 1_790_000_000%900
	prices := func(v float64) market.Batch {
		return market.Prices.Batch([]market.Price{{Start: start, Resolution: market.PT15M, Price: market.Num(v)}})
	}
	capacity := func(price, mw float64) market.Batch {
		step := capacityStep(market.FCRCapacity, start, market.Symmetric, "STD")
		step.Price, step.OfferedMW = market.Num(price), market.Num(mw)
		return market.Capacity.Batch([]market.CapacityStep{step})
	}
	for _, row := range []struct {
		name    string
		batch   market.Batch
		refused bool
	}{
		{"the highest price", prices(100_000), false},
		{"a price beyond", prices(100_000.01), true},
		{"the lowest price", prices(-100_000), false},
		{"a price below", prices(-100_000.01), true},
		{"a free capacity", capacity(0, 1), false},
		{"a capacity price below zero", capacity(-0.01, 1), true},
		{"the highest capacity price, per 15 min", capacity(25_000, 1), false},
		{"a capacity price beyond", capacity(25_000.01, 1), true},
		{"the greatest power", capacity(1, 200_000), false},
		{"a power beyond", capacity(1, 200_001), true},
		{"a step of nulls", market.AFRR.Batch([]market.AFRRStep{{Start: start}}), false},
		{"a settlement price beyond", market.MFRR.Batch([]market.MFRRStep{{Start: start, SettlementPricePrevious: market.Num(1e9)}}), true},
		{"an activated volume beyond", market.MFRR.Batch([]market.MFRRStep{{Start: start, ActivatedVolumeDAMW: market.Num(1e9)}}), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := answer{batch: row.batch}
			check(&a)
			if refused := len(a.refusals.List()) > 0; refused != row.refused || a.batch.IsEmpty() != row.refused || a.refused.IsEmpty() == row.refused {
				t.Errorf("refusals %v, rows left %v, rows of refused dates %v", a.refusals.List(), a.batch, a.refused)
			}
		})
	}
}

func TestFewStepsOutOfBoundsAreLeftOut(t *testing.T) {
	t.Parallel()
	day, other := date(t, "2026-11-02"), date(t, "2026-11-03")
	steps := func(of market.DeliveryDate, from, bad int) []market.AFRRStep {
		var rows []market.AFRRStep
		for i := from; i < from+300; i++ {
			row := market.AFRRStep{Start: of.Start().Unix() + int64(i)*market.AFRRSeconds, DemandMW: market.Num(1)}
			if i < from+bad {
				row.UpwardPrice = market.Num(1e9)
			}
			rows = append(rows, row)
		}
		return rows
	}
	left := func(of market.DeliveryDate, steps int, reason string) market.Omission {
		return market.Omission{Dataset: market.AFRREnergy, Date: of, Steps: steps, Reason: reason}
	}
	const outOfBounds = "2026-11-01T23:00:00Z: a price of 1e+09 EUR/MWh is out of bounds"
	for _, row := range []struct {
		name     string
		rows     []market.AFRRStep
		omitted  []market.Omission // by the decoder
		want     []market.Omission
		kept     int
		refused  string
		setApart int
	}{
		{"none", steps(day, 0, 0), nil, nil, 300, "", 0},
		{"one", steps(day, 0, 1), nil, []market.Omission{left(day, 1, outOfBounds)}, 299, "", 0},
		{"nearly a hundredth of the date", steps(day, 0, 215), nil, []market.Omission{left(day, 215, outOfBounds)}, 85, "", 0},
		{"a hundredth", steps(day, 0, 216), nil, nil, 0, outOfBounds, 300},
		{"nearly a hundredth with those that the decoder left out", steps(day, 0, 5), []market.Omission{left(day, 210, "odd")}, []market.Omission{left(day, 215, "odd")}, 295, "", 0},
		{"a hundredth with those that the decoder left out", steps(day, 0, 6), []market.Omission{left(day, 210, "odd")}, nil, 0, "odd", 300},
		{"a hundredth in two replies", steps(day, 0, 0), []market.Omission{left(day, 108, "odd"), left(day, 108, "odder")}, nil, 0, "odd", 300},
		{"of two dates", append(steps(day, 0, 216), steps(other, 0, 1)...), nil, []market.Omission{left(other, 1, "2026-11-02T23:00:00Z: a price of 1e+09 EUR/MWh is out of bounds")}, 299, outOfBounds, 300},
	} {
		t.Run(row.name, func(t *testing.T) {
			reserve := market.Omission{Dataset: market.FCRCapacity, Date: day, Reason: "not known"}
			a := answer{batch: market.AFRR.Batch(row.rows), omissions: append([]market.Omission{reserve}, row.omitted...)}
			check(&a)
			if diff := cmp.Diff(append([]market.Omission{reserve}, row.want...), a.omissions, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
				t.Errorf("omissions (-want +got):\n%s", diff)
			}
			reason := ""
			for _, r := range a.refusals.List() {
				reason = r.Reason
				if r.Final {
					t.Error("a person may not accept")
				}
			}
			if reason != row.refused || len(market.AFRR.In(a.batch)) != row.kept || len(market.AFRR.In(a.refused)) != row.setApart {
				t.Errorf("refused because %q, %d rows kept, %d set apart", reason, len(market.AFRR.In(a.batch)), len(market.AFRR.In(a.refused)))
			}
		})
	}
}

func TestNothingIsLeftOutOfADateThatIsRefused(t *testing.T) {
	t.Parallel()
	day := date(t, "2026-11-02")
	rows := []market.AFRRStep{
		{Start: day.Start().Unix(), UpwardPrice: market.Num(1e9)}, {Start: day.Start().Unix() + market.AFRRSeconds, UpwardPrice: market.Num(1)},
	}
	a := answer{batch: market.AFRR.Batch(rows), omissions: []market.Omission{{Dataset: market.AFRREnergy, Date: day, Steps: 1, Reason: "odd"}}}
	a.refusals.Refuse(market.AFRREnergy, day, "not known")
	check(&a)
	refusals := a.refusals.List()
	if len(a.omissions) != 0 || len(refusals) != 1 || refusals[0].Reason != "not known" || !a.batch.IsEmpty() || a.refused.Len() != 2 {
		t.Errorf("omissions %v, refusals %v, %d rows kept, %d set apart", a.omissions, refusals, a.batch.Len(), a.refused.Len())
	}
}

func TestAMissingPeriodThatALaterReplyHasIsNoLongerRecorded(t *testing.T) {
	t.Parallel()
	day, other := date(t, "2026-11-02"), date(t, "2026-11-03")
	lacks := func(dataset market.Dataset, of market.DeliveryDate) market.Omission {
		return market.Omission{Dataset: dataset, Date: of, Reason: "not known"}
	}
	a := answer{omissions: []market.Omission{lacks(market.FCRCapacity, day), lacks(market.FCRCapacity, other), lacks(market.MFRRCapacity, day), lacks(market.FCRCapacity, other)},
		batch: market.Capacity.Batch([]market.CapacityStep{capacityStep(market.FCRCapacity, day.Start().Unix(), market.Symmetric, "STD")})}
	a.dropResolvedOmissions()
	want := []market.Omission{lacks(market.FCRCapacity, other), lacks(market.MFRRCapacity, day)}
	if diff := cmp.Diff(want, a.omissions, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFeedRequestsWhatIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 13:00")
	ctx := t.Context()
	b.job(ctx, b.feed(market.FeedDayAheadPrices))
	if got := b.market.dates(market.FeedDayAheadPrices); len(got) != 36 || got[0] != "2026-10-17" || got[35] != "2026-11-21" {
		t.Fatalf("a new database asks for %d dates: %v", len(got), got)
	}
	b.job(ctx, b.feed(market.FeedDayAheadPrices))
	if got := b.market.dates(market.FeedDayAheadPrices); got != nil {
		t.Errorf("a whole one asks for %v", got)
	}
	b.clock.Advance(72 * time.Hour)
	b.job(ctx, b.feed(market.FeedDayAheadPrices))
	want := []string{"2026-11-14", "2026-11-15", "2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"}
	if diff := cmp.Diff(want, b.market.dates(market.FeedDayAheadPrices)); diff != "" {
		t.Errorf("three days later, for what is missing and for what three nights would have read again: %s", diff)
	}
}

func TestACapacityDateIsIncompleteUntilEveryReserveIsStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	whole := b.market.capacity
	lacking := market.MFRRCapacity
	b.market.capacity = func(window market.Period) (source.Reply[market.CapacityStep], error) {
		reply, err := whole(window)
		kept := reply.Rows[:0]
		for _, row := range reply.Rows {
			if row.Dataset != lacking || row.Direction == market.Upward || row.Start < b.today().End().Unix() {
				kept = append(kept, row)
			}
		}
		reply.Rows = kept
		return reply, err
	}
	b.job(t.Context(), b.feed(market.FeedCapacity))
	b.market.dates(market.FeedCapacity)
	for range 3 {
		next := b.job(t.Context(), b.feed(market.FeedCapacity))
		if diff := cmp.Diff([]string{"2026-11-21"}, b.market.dates(market.FeedCapacity)); diff != "" {
			t.Errorf("asked for %s", diff)
		}
		if wait := next.Sub(b.clock.Now()); wait < 10*time.Minute || wait > 11*time.Minute {
			t.Errorf("again in %s", wait)
		}
	}
	lacking = ""
	next := b.job(t.Context(), b.feed(market.FeedCapacity))
	if wait := next.Sub(b.clock.Now()); wait < time.Hour || wait > 61*time.Minute {
		t.Errorf("whole, and again in %s", wait)
	}
}

func TestEnergyBeginsThreeDatesBackAndFollowsItsNewestStep(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	ctx, feed := t.Context(), b.feed(market.FeedAFRREnergy)
	next := b.job(ctx, feed)
	if diff := cmp.Diff([]string{"2026-11-20", "2026-11-19", "2026-11-18"}, b.market.dates(market.FeedAFRREnergy)); diff != "" {
		t.Error(diff)
	}
	if wait := next.Sub(b.clock.Now()); wait < 15*time.Minute || wait > 16*time.Minute {
		t.Errorf("again in %s", wait)
	}
	b.clock.Advance(15 * time.Minute)
	b.job(ctx, feed)
	asked := b.market.asked[market.FeedAFRREnergy]
	newest := paris(t, "2026-11-20 12:00").Add(-4 * time.Second)
	if len(asked) != 1 || !asked[0].From().Equal(newest.Add(-30*time.Minute)) || !asked[0].To().Equal(b.clock.Now()) {
		t.Errorf("asked for %v", asked)
	}
}

func TestYesterdayIsReadAgainWhole(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 23:50")
	ctx, feed := t.Context(), b.feed(market.FeedMFRREnergy)
	b.job(ctx, feed)
	b.clock.Advance(20 * time.Minute) // 00:10
	if next := b.job(ctx, feed); next.Before(paris(t, "2026-11-21 00:20")) || next.After(paris(t, "2026-11-21 00:22")) {
		t.Errorf("again at %s", next)
	}
	b.market.dates(market.FeedMFRREnergy)
	b.clock.Advance(10 * time.Minute) // 00:20
	b.job(ctx, feed)
	if diff := cmp.Diff([]string{"2026-11-21", "2026-11-20"}, b.market.dates(market.FeedMFRREnergy)); diff != "" {
		t.Error(diff)
	}
	b.clock.Advance(15 * time.Minute)
	b.job(ctx, feed)
	if diff := cmp.Diff([]string{"2026-11-21"}, b.market.dates(market.FeedMFRREnergy)[:1]); diff != "" {
		t.Error(diff)
	}
}

func TestALostFortnightHealsFromTheFirstStoredDate(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-01 12:00")
	ctx, feed := t.Context(), b.feed(market.FeedMFRREnergy)
	b.job(ctx, feed)
	b.market.dates(market.FeedMFRREnergy)
	b.clock.Advance(14 * 24 * time.Hour)
	b.job(ctx, feed)
	asked := b.market.dates(market.FeedMFRREnergy)
	// The dates of 30 and 31 October, which were there, missed nights in which they are read again.
	if len(asked) != 17 || b.rows(market.MFRREnergy, "2026-11-01") != 192 || b.rows(market.MFRREnergy, "2026-11-14") != 192 {
		t.Errorf("asked for %v", asked)
	}
}

func TestAHoleThatTheSourceNeverFillsIsAskedForLessAndLess(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 06:00")
	whole, hole := b.market.mfrr, date(t, "2026-11-18")
	b.market.mfrr = func(window market.Period) (source.Reply[market.MFRRStep], error) {
		reply, err := whole(window)
		kept := reply.Rows[:0]
		for _, row := range reply.Rows {
			if !hole.Period().Holds(row.Start) {
				kept = append(kept, row)
			}
		}
		reply.Rows = kept
		return reply, err
	}
	asked := 0
	for range 4 * 12 {
		b.job(t.Context(), b.feed(market.FeedMFRREnergy))
		for _, d := range b.market.dates(market.FeedMFRREnergy) {
			if d == hole.String() {
				asked++
			}
		}
		b.clock.Advance(15 * time.Minute)
	}
	// At 0, 15, 45, 105, 225 and 465 minutes, and the first time once more by itself: its neighbour was there.
	if asked != 7 {
		t.Errorf("asked %d times in 12 hours, want 7", asked)
	}
}

func TestOneFaultDoesNotBlockTheOtherWindows(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		fault *source.Fault
		calls int
	}{
		{"a window that cannot be read", &source.Fault{Source: "RTE", Message: "the reply cannot be read"}, failuresToOpen},
		{"a source that is not reached", &source.Fault{Source: "RTE", Message: "no answer in time", Connection: true}, 1},
		{"credentials that are refused", &source.Fault{Source: "RTE", Status: 401, Message: "refused"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			b.market.capacity = func(market.Period) (source.Reply[market.CapacityStep], error) {
				return source.Reply[market.CapacityStep]{}, row.fault
			}
			b.job(t.Context(), b.feed(market.FeedCapacity))
			if got := len(b.market.asked[market.FeedCapacity]); got != row.calls {
				t.Errorf("%d calls, want %d", got, row.calls)
			}
		})
	}
}

func TestARereadThatFailedIsStillDue(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 23:50")
	ctx, feed, whole := t.Context(), b.feed(market.FeedMFRREnergy), b.market.mfrr
	b.job(ctx, feed)
	b.market.mfrr = func(market.Period) (source.Reply[market.MFRRStep], error) {
		return source.Reply[market.MFRRStep]{}, &source.Fault{Source: "RTE", Status: 503, Message: "Service Unavailable"}
	}
	b.clock.Advance(32 * time.Minute) // 00:22
	b.job(ctx, feed)
	b.market.mfrr = whole
	b.market.dates(market.FeedMFRREnergy)
	b.clock.Advance(15 * time.Minute)
	b.job(ctx, feed)
	if diff := cmp.Diff([]string{"2026-11-21", "2026-11-20"}, b.market.dates(market.FeedMFRREnergy)); diff != "" {
		t.Error(diff)
	}
}

func TestAnOutageDoesNotMakeDatesRest(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-16 12:00")
	ctx, feed, whole := t.Context(), b.feed(market.FeedMFRREnergy), b.market.mfrr
	b.job(ctx, feed)
	b.market.mfrr = func(market.Period) (source.Reply[market.MFRRStep], error) {
		return source.Reply[market.MFRRStep]{}, &source.Fault{Source: "RTE", Message: "no answer in time", Connection: true}
	}
	for b.clock.Now().Before(paris(t, "2026-11-18 10:00")) {
		next := b.job(ctx, feed)
		b.clock.Advance(next.Sub(b.clock.Now()))
	}
	b.market.mfrr = whole
	b.job(ctx, feed)
	for _, day := range []string{"2026-11-16", "2026-11-17"} {
		if got := b.rows(market.MFRREnergy, day); got != 192 {
			t.Errorf("the first job after the outage leaves %s with %d rows", day, got)
		}
	}
}

func TestASourceThatLagsIsFollowedOverMidnight(t *testing.T) {
	t.Parallel()
	for _, row := range storetest.Some(2, []struct {
		name, evening string
		lag           time.Duration
	}{
		{"an hour and a half", "2026-11-20 18:00", 90 * time.Minute},
		{"four hours", "2026-11-20 18:00", 4 * time.Hour},
		{"into the day on which the clock goes back", "2026-10-24 18:00", 90 * time.Minute},
		{"into the day on which it goes forward", "2026-03-28 18:00", 90 * time.Minute},
	}) {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, row.evening)
			whole := b.market.mfrr
			published := func() int64 { return b.clock.Now().Add(-row.lag).Unix() }
			b.market.mfrr = func(window market.Period) (source.Reply[market.MFRRStep], error) {
				window.End = min(window.End, published())
				return whole(window)
			}
			for range 4 * 14 {
				b.job(t.Context(), b.feed(market.FeedMFRREnergy))
				extent, err := b.db.Extent(t.Context(), market.MFRREnergy)
				if err != nil {
					t.Fatal(err)
				}
				if behind := published() - extent.NewestStart; behind > 2*market.QuarterSeconds {
					t.Fatalf("at %s the newest quarter is %d s older than what is published", b.clock.Now().In(market.Paris), behind)
				}
				b.clock.Advance(15 * time.Minute)
			}
		})
	}
}
