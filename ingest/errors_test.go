package ingest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// refusing has the market refuse all that it gives of the dataset's delivery date.
func refusing[R any](b *bench, ask *func(market.Period) (source.Reply[R], error), dataset market.Dataset, day string, dateOf func(R) market.DeliveryDate) (mend func()) {
	well, bad := *ask, date(b.t, day)
	*ask = func(window market.Period) (source.Reply[R], error) {
		reply, err := well(window)
		for _, d := range window.Dates() {
			if d == bad {
				reply.Refusals.Refuse(dataset, d, "an odd value")
			}
		}
		kept := reply.Rows[:0]
		for _, row := range reply.Rows {
			if dateOf(row) != bad {
				kept = append(kept, row)
			}
		}
		reply.Rows = kept
		return reply, err
	}
	return func() { *ask = well }
}

func afrrDate(r market.AFRRStep) market.DeliveryDate {
	return market.DeliveryDateOf(time.Unix(r.Start, 0))
}
func mfrrDate(r market.MFRRStep) market.DeliveryDate {
	return market.DeliveryDateOf(time.Unix(r.Start, 0))
}
func priceDate(r market.Price) market.DeliveryDate {
	return market.DeliveryDateOf(time.Unix(r.Start, 0))
}
func capacityDate(r market.CapacityStep) market.DeliveryDate {
	return market.DeliveryDateOf(time.Unix(r.Start, 0))
}

// nextJob runs a feed's job a quarter of an hour later.
func (b *bench) nextJob(name market.FeedName) {
	b.t.Helper()
	b.clock.Advance(15 * time.Minute)
	b.job(b.t.Context(), b.feed(name))
}

func TestARefusedRunningDayIsAnErrorThoughYesterdaysTailIsReadWell(t *testing.T) {
	t.Parallel()
	const today = "2026-11-20"
	for _, row := range []struct {
		feed    market.FeedName
		dataset market.Dataset
		refuse  func(b *bench) func()
	}{
		{market.FeedAFRREnergy, market.AFRREnergy, func(b *bench) func() { return refusing(b, &b.market.afrr, market.AFRREnergy, today, afrrDate) }},
		{market.FeedMFRREnergy, market.MFRREnergy, func(b *bench) func() { return refusing(b, &b.market.mfrr, market.MFRREnergy, today, mfrrDate) }},
	} {
		t.Run(string(row.feed), func(t *testing.T) {
			b := newBench(t, "2026-11-19 23:59")
			b.job(t.Context(), b.feed(row.feed))
			read := b.summary(row.dataset).LastSuccess
			mend := row.refuse(b)
			for range 3 { // today is refused, and the last half hour of yesterday is read well a moment later
				b.nextJob(row.feed)
			}
			got := b.status(row.dataset)
			if got.State != report.StateError || b.reasonOf(row.dataset, today) != report.ReasonRejected {
				t.Errorf("status %+v", got)
			}
			if got.LastError == nil || !strings.Contains(*got.LastError, today+" refused: an odd value") {
				t.Errorf("last error %v", got.LastError)
			}
			if !time.Time(*got.LastSuccessAt).Equal(read) {
				t.Errorf("last success %s, want %s", time.Time(*got.LastSuccessAt), read)
			}
			mend()
			b.nextJob(row.feed)
			got = b.status(row.dataset)
			if got.State != report.StateOK || got.LastError != nil || len(got.Missing) > 0 || !time.Time(*got.LastSuccessAt).Equal(b.clock.Now()) {
				t.Errorf("once today is read well: %+v", got)
			}
		})
	}
}

func TestAFailingRunningDayIsReportedAfterTwoRuns(t *testing.T) {
	t.Parallel()
	const today = "2026-11-20"
	badRequest := &source.Fault{Source: "RTE", Call: "standard_mfrr_data", Status: 400, Message: "the end lies in the future"}
	b := newBench(t, "2026-11-19 23:59")
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	read := b.summary(market.MFRREnergy).LastSuccess
	well := b.market.mfrr
	b.market.mfrr = func(window market.Period) (replyOfMFRR, error) {
		if window.To().After(date(t, today).Start()) {
			return replyOfMFRR{}, badRequest
		}
		return well(window)
	}
	for _, row := range []struct {
		state  report.State
		reason report.Reason
	}{{report.StateOK, ""}, {report.StateError, report.ReasonSourceError}, {report.StateError, report.ReasonSourceError}, {report.StateError, report.ReasonSourceError}, {report.StateError, report.ReasonSourceError}} {
		b.nextJob(market.FeedMFRREnergy)
		got := b.status(market.MFRREnergy)
		if got.State != row.state || b.reasonOf(market.MFRREnergy, today) != row.reason || got.LastError == nil || !strings.Contains(*got.LastError, "status 400") {
			t.Errorf("at %s: %+v, want %s and %q", b.clock.Now().In(market.Paris), got, row.state, row.reason)
		}
		if !time.Time(*got.LastSuccessAt).Equal(read) {
			t.Errorf("last success %s, want %s", time.Time(*got.LastSuccessAt), read)
		}
	}
	b.market.mfrr = well
	b.nextJob(market.FeedMFRREnergy)
	if got := b.status(market.MFRREnergy); got.State != report.StateOK || got.LastError != nil {
		t.Errorf("once today is read well: %+v", got)
	}
}

func TestTomorrowThatWasRefusedIsAnErrorBeforeItIsDue(t *testing.T) {
	t.Parallel()
	const tomorrow = "2026-11-21"
	for _, row := range []struct {
		name      string
		now       string
		feed      market.FeedName
		dataset   market.Dataset
		unharmed  market.Dataset
		refuse    func(b *bench) func()
		unreached func(b *bench)
	}{
		{"prices", "2026-11-20 13:00", market.FeedDayAheadPrices, market.DayAheadPrices, "",
			func(b *bench) func() {
				return refusing(b, &b.market.prices, market.DayAheadPrices, tomorrow, priceDate)
			},
			func(b *bench) {
				b.market.prices = func(market.Period) (replyOfPrices, error) { return replyOfPrices{}, unreached }
			}},
		{"capacity", "2026-11-20 09:30", market.FeedCapacity, market.AFRRCapacity, market.FCRCapacity,
			func(b *bench) func() {
				return refusing(b, &b.market.capacity, market.AFRRCapacity, tomorrow, func(r market.CapacityStep) market.DeliveryDate {
					if r.Dataset != market.AFRRCapacity {
						return market.DeliveryDate{}
					}
					return capacityDate(r)
				})
			},
			func(b *bench) {
				b.market.capacity = func(market.Period) (replyOfCapacity, error) { return replyOfCapacity{}, unreached }
			}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, row.now)
			mend := row.refuse(b)
			b.job(t.Context(), b.feed(row.feed))
			got := b.status(row.dataset)
			if got.State != report.StateError || b.reasonOf(row.dataset, tomorrow) != report.ReasonRejected || got.LastSuccessAt != nil {
				t.Errorf("status %+v", got)
			}
			if row.unharmed != "" {
				if got := b.status(row.unharmed); got.State != report.StateOK || got.LastError != nil || got.LastSuccessAt == nil {
					t.Errorf("%s: %+v", row.unharmed, got)
				}
			}
			mend()
			b.nextJob(row.feed)
			if got := b.status(row.dataset); got.State != report.StateOK || len(got.Missing) > 0 || got.LastSuccessAt == nil {
				t.Errorf("once tomorrow is read well: %+v", got)
			}
		})
	}
}

func TestARunOverOlderDatesIsNoSuccess(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 13:00")
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	read := b.summary(market.DayAheadPrices).LastSuccess
	b.clock.Advance(time.Hour)
	for _, row := range []struct {
		first, last string
		moves       bool
	}{{"2026-11-10", "2026-11-20", false}, {"2026-11-21", "2026-11-21", true}, {"2026-11-10", "2026-11-12", false}} {
		before := b.summary(market.DayAheadPrices).LastSuccess
		b.clock.Advance(time.Minute)
		if err := b.Fetch(t.Context(), request(t, market.DayAheadPrices, row.first, row.last)); err != nil {
			t.Fatal(err)
		}
		after := b.summary(market.DayAheadPrices).LastSuccess
		window, err := b.db.LatestRows(t.Context(), market.DayAheadPrices, 29)
		if err != nil || !window.FetchedAt.Equal(after) {
			t.Errorf("fetched at %s, %v; last success %s", window.FetchedAt, err, after)
		}
		if after.Equal(before) == row.moves || after.Before(read) {
			t.Errorf("after a fetch of %s to %s: %s, before %s", row.first, row.last, after, before)
		}
	}
}

func TestStepsThatWereLeftOutMakeTheirDatePartialUntilTheyCome(t *testing.T) {
	t.Parallel()
	const day = "2026-11-19"
	b := newBench(t, "2026-11-20 00:30")
	whole := b.market.afrr
	odd := date(t, day).At(12, 0).Unix()
	b.market.afrr = func(window market.Period) (replyOfAFRR, error) {
		reply, err := whole(window)
		kept := reply.Rows[:0]
		for _, row := range reply.Rows {
			if row.Start != odd {
				kept = append(kept, row)
			}
		}
		if window.Holds(odd) {
			reply.Omissions = []market.Omission{{Dataset: market.AFRREnergy, Date: date(t, day), Steps: 1, Reason: "step 12:00:01 is not on the grid of 4 s"}}
		}
		reply.Rows = kept
		return reply, err
	}
	run, err := b.runDates(market.FeedAFRREnergy, day, day)
	const says = "afrr-energy 2026-11-19: 1 step refused: step 12:00:01 is not on the grid of 4 s"
	if err != nil || run.Outcome != store.OutcomePartial || run.Error != says || b.rows(market.AFRREnergy, day) != 21_599 {
		t.Fatalf("run %+v, %v, %d rows", run, err, b.rows(market.AFRREnergy, day))
	}
	got := b.status(market.AFRREnergy)
	if b.reasonOf(market.AFRREnergy, day) != report.ReasonPartial || got.LastError == nil || *got.LastError != says || got.State != report.StateOK {
		t.Errorf("status %+v", got)
	}
	if got.LastSuccessAt != nil {
		t.Errorf("a reading of which a step was refused is a success: %s", time.Time(*got.LastSuccessAt))
	}
	b.market.afrr = whole
	if _, err := b.runDates(market.FeedAFRREnergy, day, day); err != nil || b.reasonOf(market.AFRREnergy, day) != "" || b.status(market.AFRREnergy).LastError != nil {
		t.Errorf("once the step came: %v, %+v", err, b.status(market.AFRREnergy))
	}
}

func TestTheAgeOfAnEnergyIsJudgedWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lagAt time.Duration
		lag   time.Duration
		state report.State
	}{
		{"not judged", 0, 5 * time.Hour, report.StateOK},
		{"young enough", 45 * time.Minute, 30 * time.Minute, report.StateOK},
		{"too old", 45 * time.Minute, 61 * time.Minute, report.StateLate},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 08:00")
			options := b.options()
			hours := energyHours
			hours.LagAt = row.lagAt
			options.Schedules[market.FeedMFRREnergy] = hours
			b.Feeds = New(options)
			b.job(t.Context(), b.feed(market.FeedMFRREnergy))
			well, end := b.market.mfrr, b.clock.Now()
			b.market.mfrr = func(window market.Period) (replyOfMFRR, error) {
				if window.End = min(window.End, end.Unix()); window.Start >= window.End {
					return replyOfMFRR{}, nil
				}
				return well(window)
			}
			b.clock.Advance(row.lag)
			b.job(t.Context(), b.feed(market.FeedMFRREnergy))
			if got := b.status(market.MFRREnergy); got.State != row.state || (b.reasonOf(market.MFRREnergy, "2026-11-20") != "") != (row.state == report.StateLate) {
				t.Errorf("status %+v", got)
			}
		})
	}
}

func TestAnErrorOutlivesTheService(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 13:00")
	refusing(b, &b.market.prices, market.DayAheadPrices, "2026-11-21", priceDate)
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	b.Feeds = New(b.options())
	if got := b.status(market.DayAheadPrices); got.State != report.StateError || got.LastError == nil {
		t.Errorf("after a restart: %+v", got)
	}
}

func TestAStoppedRunIsNoError(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 13:00")
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	if err := b.db.RecordRun(t.Context(), &store.Run{Feed: string(market.FeedDayAheadPrices), Datasets: []market.Dataset{market.DayAheadPrices},
		Window: date(t, "2026-11-20").Period(), Started: b.clock.Now(), Ended: b.clock.Now(), Outcome: store.OutcomeInterrupted, Error: errors.ErrUnsupported.Error()}); err != nil {
		t.Fatal(err)
	}
	if got := b.status(market.DayAheadPrices); got.State != report.StateOK || got.LastError != nil {
		t.Errorf("status %+v", got)
	}
}
