package ingest

import (
	"testing"
	"time"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// everyJob runs each feed once.
func (b *bench) everyJob() {
	for _, feed := range b.feeds {
		if !feed.isOff() {
			b.job(b.t.Context(), feed)
		}
	}
}

// held is how many rows each dataset has.
func (b *bench) held() map[market.Dataset]int {
	b.t.Helper()
	held := map[market.Dataset]int{}
	for _, dataset := range market.Datasets() {
		coverage, err := b.db.Coverage(b.t.Context(), dataset, EarliestDate, b.today().Add(30))
		if err != nil {
			b.t.Fatal(err)
		}
		held[dataset] = coverage.Rows()
	}
	return held
}

// The machine's clock is set wrong and right again while the sources go by the true time.
func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		jump time.Duration
	}{{"an hour back", -time.Hour}, {"a day forward", 24 * time.Hour}} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 14:00")
			wrong := time.Duration(0)
			until := func(window market.Period, end time.Time) market.Period {
				window.End = min(window.End, end.Unix())
				return window
			}
			right := func() time.Time { return b.clock.Now().Add(-wrong) }
			prices, capacity, afrr, mfrr, imbalance := b.market.prices, b.market.capacity, b.market.afrr, b.market.mfrr, b.market.imbalance
			tomorrow := b.today().Add(1).End()
			b.market.prices = func(w market.Period) (replyOfPrices, error) { return prices(until(w, tomorrow)) }
			b.market.capacity = func(w market.Period) (replyOfCapacity, error) { return capacity(until(w, tomorrow)) }
			b.market.afrr = func(w market.Period) (replyOfAFRR, error) { return afrr(until(w, right())) }
			b.market.mfrr = func(w market.Period) (replyOfMFRR, error) { return mfrr(until(w, right())) }
			b.market.imbalance = func(w market.Period) (replyOfImbalance, error) { return imbalance(until(w, right())) }
			b.everyJob()
			before := b.held()

			wrong = row.jump
			b.clock.Advance(row.jump)
			b.everyJob()
			for dataset, rows := range b.held() {
				if rows < before[dataset] {
					t.Errorf("%s had %d rows and has %d", dataset, before[dataset], rows)
				}
			}

			// The clock is right again, and an hour has gone by.
			wrong = 0
			b.clock.Advance(time.Hour - row.jump)
			b.everyJob()
			b.clock.Advance(time.Hour)
			b.everyJob()
			hour := 2 * 3600
			want := map[market.Dataset]int{
				market.DayAheadPrices: before[market.DayAheadPrices], market.FCRCapacity: before[market.FCRCapacity],
				market.AFRRCapacity: before[market.AFRRCapacity], market.MFRRCapacity: before[market.MFRRCapacity],
				market.AFRREnergy:      before[market.AFRREnergy] + hour/market.AFRRSeconds,
				market.MFRREnergy:      before[market.MFRREnergy] + 2*hour/market.QuarterSeconds,
				market.ImbalancePrices: before[market.ImbalancePrices] + hour/market.QuarterSeconds,
			}
			for dataset, rows := range b.held() {
				if rows != want[dataset] {
					t.Errorf("%s has %d rows, want %d", dataset, rows, want[dataset])
				}
				if status := b.status(dataset); status.LastError != nil {
					t.Errorf("%s says %s", dataset, *status.LastError)
				}
			}
		})
	}
}

func TestAClockFarAheadForAMomentDoesNoLastingHarm(t *testing.T) {
	t.Parallel()
	const hundredDays = 100 * 24 * time.Hour
	b := newBench(t, "2026-11-20 13:00")
	prices, tomorrow := b.market.prices, date(t, "2026-11-21")
	b.market.prices = func(w market.Period) (replyOfPrices, error) { // tomorrow is not published yet
		if w.End = min(w.End, tomorrow.Start().Unix()); w.Start >= w.End {
			return replyOfPrices{}, nil
		}
		return prices(w)
	}
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	b.clock.Advance(hundredDays)
	b.Feeds = New(b.options())
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	b.clock.Advance(25*time.Second - hundredDays)
	b.Feeds = New(b.options())
	b.market.prices = prices
	b.market.dates(market.FeedDayAheadPrices)
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	if _, stored := b.stored("2026-11-21"); !stored {
		t.Errorf("tomorrow is not asked for again: asked %v, status %+v", b.market.dates(market.FeedDayAheadPrices), b.status(market.DayAheadPrices))
	}
	got := b.status(market.DayAheadPrices)
	if got.State != report.StateOK || len(got.Missing) > 0 || got.LastError != nil || got.LastSuccessAt == nil || !time.Time(*got.LastSuccessAt).Equal(b.clock.Now()) {
		t.Errorf("status %+v", got)
	}
}

func TestADateThatIsNotOverIsNoGap(t *testing.T) {
	t.Parallel()
	now := paris(t, "2026-11-20 12:00")
	long := store.FetchHistory{SameSince: now.AddDate(0, 0, -30), Answered: now}
	for _, row := range []struct {
		date  string
		asked store.FetchHistory
		gap   bool
	}{
		{"2026-11-21", long, false}, {"2026-11-20", long, false}, {"2026-11-19", long, false}, {"2026-11-13", long, false},
		{"2026-11-12", long, true}, {"2026-11-12", store.FetchHistory{}, false},
	} {
		if got := isGap(date(t, row.date), row.asked, now); got != row.gap {
			t.Errorf("%s, asked %+v: gap %v", row.date, row.asked, got)
		}
	}
}

func TestWhenTheClockIsKnownToBeWrong(t *testing.T) {
	t.Parallel()
	now := paris(t, "2026-11-20 12:00")
	reading := func(host string, ahead time.Duration, agreeing int, age time.Duration) market.ClockReading {
		return market.ClockReading{Host: host, Ahead: ahead, Agreeing: agreeing, Read: now.Add(-age)}
	}
	hours := 2 * time.Hour
	for _, row := range []struct {
		name     string
		readings []market.ClockReading
		told     bool
		wrong    bool
	}{
		{"no reading", nil, false, false},
		{"right", []market.ClockReading{reading("a", 3*time.Second, 9, 0), reading("b", -time.Second, 9, 0)}, false, false},
		{"three minutes off", []market.ClockReading{reading("a", 3*time.Minute, 9, 0), reading("b", 3*time.Minute, 9, 0)}, true, false},
		{"one reading of two hours", []market.ClockReading{reading("a", -hours, 1, 0)}, true, false},
		{"two runs of one host", []market.ClockReading{reading("a", -hours, 2, 0)}, true, false},
		{"three runs of one host", []market.ClockReading{reading("a", -hours, 3, 0)}, true, true},
		{"two hosts that agree", []market.ClockReading{reading("a", hours, 1, 0), reading("b", hours+time.Minute, 1, 0)}, true, true},
		{"two hosts that do not", []market.ClockReading{reading("a", hours, 1, 0), reading("b", -hours, 1, 0)}, true, false},
		{"long ago", []market.ClockReading{reading("a", hours, 9, 4*time.Hour)}, false, false},
		{"made while the clock was ahead", []market.ClockReading{reading("a", 100*24*time.Hour, 9, -100*24*time.Hour)}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := findClock(row.readings, now); got.isShown() != row.told || got.wrong != row.wrong {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAClockThatIsBehindIsAnErrorAndHidesNoLag(t *testing.T) {
	t.Parallel()
	const behind = 2 * time.Hour
	b := newBench(t, "2026-11-20 12:00")
	options := b.options()
	options.CompareClocks = true
	b.Feeds = New(options)
	b.market.ahead = map[string]time.Duration{"rte.example": 0, "entsoe.example": 0}
	b.everyJob()
	for _, dataset := range market.Datasets() {
		if got := b.status(dataset); got.State != report.StateOK {
			t.Fatalf("%+v", got)
		}
	}
	// The clock is set back while the sources go on: what they gave last ended just now by the wrong clock.
	b.market.ahead = map[string]time.Duration{"rte.example": -behind, "entsoe.example": -behind}
	b.clock.Advance(time.Minute)
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	current, err := b.Report(t.Context())
	if err != nil || current.Clock == nil || current.Clock.AheadSeconds != -7200 || current.Clock.Host != "rte.example" || current.Clock.Wrong {
		t.Fatalf("after one run: %+v, %v", current.Clock, err)
	}
	if got := b.status(market.MFRREnergy); *got.LagSeconds < 6000 || got.State != report.StateOK {
		t.Errorf("after one run: %+v, lag %d", got, *got.LagSeconds)
	}
	if b.ClockWrong(t.Context()) {
		t.Error("one run is believed")
	}
	for range 3 {
		b.clock.Advance(time.Minute)
		b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	}
	current, err = b.Report(t.Context())
	if err != nil || current.Clock == nil || !current.Clock.Wrong || !b.ClockWrong(t.Context()) {
		t.Fatalf("after more: %+v, %v", current.Clock, err)
	}
	for _, status := range current.Datasets {
		if status.State != report.StateError || status.LastError == nil {
			t.Errorf("%s is %s, %v", status.Dataset, status.State, status.LastError)
		}
	}
	// What comes now is stamped with the sources' time.
	newest := func() store.Change {
		t.Helper()
		changes, err := b.db.Changes(t.Context(), store.BeforeAll, 10_000)
		if err != nil || len(changes) == 0 {
			t.Fatalf("%d changes, %v", len(changes), err)
		}
		return changes[len(changes)-1]
	}
	before := newest().Position
	b.clock.Advance(15 * time.Minute)
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	if got := newest(); got.Position == before || !got.Stamp.Equal(b.clock.Now().Add(behind)) {
		t.Errorf("the newest commit after %d is %d and has the stamp %s", before, got.Position, got.Stamp)
	}
	if ahead := b.clockAhead(t.Context(), []market.ClockReading{{Host: "rte.example"}}); ahead != 0 {
		t.Errorf("a run that finds the clock right has it %s ahead", ahead)
	}
	// Set right, it is believed with the next run of each source that had found it wrong.
	b.market.ahead = map[string]time.Duration{"rte.example": 0, "entsoe.example": 0}
	b.clock.Advance(behind)
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	if current, err = b.Report(t.Context()); err != nil || current.Clock != nil || b.status(market.MFRREnergy).State != report.StateOK {
		t.Errorf("once it is right: %+v, %v", current.Clock, err)
	}
}

func TestNoGapIsJudgedWhileTheClockIsWrong(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	const day = "2026-11-10"
	b, _ := withHole(t, "2026-11-10 23:00", day)
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-19 12:00")
	if got := b.reasonOf(market.MFRREnergy, day); got != report.ReasonSourceGap {
		t.Fatalf("it is missing for %q", got)
	}
	options := b.options()
	options.CompareClocks = true
	b.Feeds = New(options)
	b.market.ahead = map[string]time.Duration{"rte.example": 20 * time.Minute}
	for range 3 {
		b.nextJob(market.FeedMFRREnergy)
	}
	if got := b.reasonOf(market.MFRREnergy, day); got != report.ReasonPartial || b.status(market.MFRREnergy).State != report.StateError {
		t.Errorf("it is missing for %q: %+v", got, b.status(market.MFRREnergy))
	}
}
