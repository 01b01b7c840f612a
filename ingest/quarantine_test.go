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
	"courant/store/storetest"
)

// pricesOf has the market give each quarter, counted from its delivery date's start, the price that at says.
func (b *bench) pricesOf(at func(quarter int) float64) {
	b.market.prices = func(window market.Period) (replyOfPrices, error) {
		var reply replyOfPrices
		for s := window.Start; s < window.End; s += market.QuarterSeconds {
			quarter := int(s-market.DeliveryDateOf(time.Unix(s, 0)).Start().Unix()) / market.QuarterSeconds
			reply.Rows = append(reply.Rows, market.Price{Start: s, Resolution: market.PT15M, Price: market.Num(at(quarter))})
		}
		return reply, nil
	}
}

// stored is the price of the date's first quarter; false if there is none.
func (b *bench) stored(text string) (float64, bool) {
	b.t.Helper()
	prices, err := store.Within(b.t.Context(), b.db, market.Prices, market.DayAheadPrices, date(b.t, text).Period())
	if err != nil {
		b.t.Fatal(err)
	}
	if len(prices) == 0 {
		return 0, false
	}
	return prices[0].Price.V, true
}

func plain(quarter int) float64 { return float64(quarter) }

func TestWhichReadingsOfPricesWait(t *testing.T) {
	t.Parallel()
	const over, today, tomorrow = "2026-11-18", "2026-11-20", "2026-11-21"
	zero := func(int) float64 { return 0 }
	for _, row := range []struct {
		name          string
		day           string
		before, after func(int) float64 // before may be nil: nothing is stored
		reason        string            // of the date that waits; "" if it is taken
	}{
		{"a first arrival", over, nil, plain, ""},
		{"a flat first arrival", over, nil, func(int) float64 { return 67 }, "all prices are 67 EUR/MWh"},
		{"a first arrival of zeros", over, nil, zero, "all prices are 0 EUR/MWh"},
		{"the same again", over, plain, plain, ""},
		{"a flat date in the place of another", over, plain, zero, "all prices are 0 EUR/MWh"},
		{"a fifth of the prices changes", over, plain, func(q int) float64 { return plain(q) + b2f(q < 19) }, ""},
		{"more than a fifth changes", over, plain, func(q int) float64 { return plain(q) + b2f(q < 20) }, "20 of the 96 prices change"},
		{"all of a date under way change", today, plain, func(q int) float64 { return plain(q) + 1 }, ""},
		{"all of tomorrow's change", tomorrow, plain, func(q int) float64 { return plain(q) + 1 }, ""},
		{"a date under way turns to zero", today, plain, zero, "all prices are 0 EUR/MWh"},
		{"tomorrow arrives flat", tomorrow, nil, func(int) float64 { return 67 }, "all prices are 67 EUR/MWh"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			if row.before != nil {
				b.pricesOf(row.before)
				if _, err := b.runDates(market.FeedDayAheadPrices, row.day, row.day); err != nil {
					t.Fatal(err)
				}
			}
			was, had := b.stored(row.day)
			b.clock.Advance(time.Minute)
			b.pricesOf(row.after)
			run, err := b.runDates(market.FeedDayAheadPrices, row.day, row.day)
			if err != nil {
				t.Fatal(err)
			}
			report, err := b.Report(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			is, has := b.stored(row.day)
			if row.reason == "" {
				if run.Error != "" || len(report.Quarantine) != 0 || !has || is != row.after(0) {
					t.Errorf("run says %q, waiting %v, stored %v", run.Error, report.Quarantine, is)
				}
				return
			}
			if len(report.Quarantine) != 1 || report.Quarantine[0].Reason != row.reason || report.Quarantine[0].Detail != nil || report.Quarantine[0].Date != date(t, row.day) {
				t.Errorf("waiting %+v", report.Quarantine)
			}
			if !strings.Contains(run.Error, row.reason) || is != was || has != had {
				t.Errorf("run says %q, stored %v", run.Error, is)
			}
		})
	}
}

func TestACorrectionOfTomorrowIsServedRevisedAndReported(t *testing.T) {
	t.Parallel()
	const tomorrow = "2026-11-21"
	b := newBench(t, "2026-11-20 13:00")
	b.pricesOf(plain)
	if _, err := b.runDates(market.FeedDayAheadPrices, tomorrow, tomorrow); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Hour)
	b.pricesOf(func(q int) float64 { return plain(q) + b2f(q < 40) })
	if _, err := b.runDates(market.FeedDayAheadPrices, tomorrow, tomorrow); err != nil {
		t.Fatal(err)
	}
	if price, _ := b.stored(tomorrow); price != 1 {
		t.Errorf("served %v", price)
	}
	revisions := 0
	for _, err := range b.db.Revisions(t.Context(), market.DayAheadPrices, date(t, tomorrow), date(t, tomorrow), store.RevisionAt{}) {
		if err != nil {
			t.Fatal(err)
		}
		revisions++
	}
	if revisions != 40 {
		t.Errorf("%d revisions", revisions)
	}
	current, err := b.Report(t.Context())
	want := report.Correction{Dataset: market.DayAheadPrices, Date: date(t, tomorrow), Values: 40, SeenAt: report.Instant(b.clock.Now().UTC())}
	if err != nil || len(current.Corrections) != 1 || current.Corrections[0] != want {
		t.Errorf("corrections %+v, %v", current.Corrections, err)
	}
}

// withdrawing has the market withdraw a value of the first share of the steps that each window has, and change another one of
// every step.
func (b *bench) withdrawing(share float64) {
	within := func(window market.Period, start int64) bool {
		return float64(start-window.Start) < share*float64(window.Seconds())
	}
	capacity, afrr, mfrr := b.market.capacity, b.market.afrr, b.market.mfrr
	b.market.capacity = func(window market.Period) (source.Reply[market.CapacityStep], error) {
		reply, err := capacity(window)
		for i := range reply.Rows {
			row := &reply.Rows[i]
			row.OfferedMW = market.Num(201)
			if row.Dataset == market.AFRRCapacity && within(window, row.Start) {
				row.Price = market.Number{Withdrawn: true}
			}
		}
		return reply, err
	}
	b.market.afrr = func(window market.Period) (source.Reply[market.AFRRStep], error) {
		reply, err := afrr(window)
		for i := range reply.Rows {
			reply.Rows[i].DownwardPrice = market.Num(9)
			if within(window, reply.Rows[i].Start) {
				reply.Rows[i].DemandMW = market.Number{Withdrawn: true}
			}
		}
		return reply, err
	}
	b.market.mfrr = func(window market.Period) (source.Reply[market.MFRRStep], error) {
		reply, err := mfrr(window)
		for i := range reply.Rows {
			reply.Rows[i].SubmittedOffersMW = market.Num(9)
			if within(window, reply.Rows[i].Start) {
				reply.Rows[i].ClearingPrice = market.Number{Withdrawn: true}
			}
		}
		return reply, err
	}
}

// counted is, of the datasets of the feed, how many of the values that withdrawing withdraws are served of a date, and how
// many of the others that it changes.
func (b *bench) counted(name market.FeedName, day string) (left, changed int) {
	b.t.Helper()
	count := func(values, corrected bool) {
		if values {
			left++
		}
		if corrected {
			changed++
		}
	}
	period := date(b.t, day).Period()
	switch name {
	case market.FeedCapacity:
		rows, err := store.Within(b.t.Context(), b.db, market.Capacity, market.AFRRCapacity, period)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, row := range rows {
			count(row.Price.Valid, row.OfferedMW.V == 201)
		}
	case market.FeedAFRREnergy:
		rows, err := store.Within(b.t.Context(), b.db, market.AFRR, market.AFRREnergy, period)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, row := range rows {
			count(row.DemandMW.Valid, row.DownwardPrice.Valid)
		}
	case market.FeedMFRREnergy:
		rows, err := store.Within(b.t.Context(), b.db, market.MFRR, market.MFRREnergy, period)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, row := range rows {
			count(row.ClearingPrice.Valid, row.SubmittedOffersMW.Valid)
		}
	}
	return left, changed
}

func TestADateWithManyWithdrawnValuesIsQuarantinedAsAWhole(t *testing.T) {
	t.Parallel()
	const over, tomorrow = "2026-11-18", "2026-11-21"
	for _, row := range []struct {
		name          string
		feed          market.FeedName
		day           string
		share         float64
		fetched       bool
		reason        string // of the date that waits; "" if it is taken
		left, changed int    // values served afterwards
	}{
		{"a fifth of a capacity", market.FeedCapacity, over, 19. / 96, false, "", 192 - 38, 192},
		{"more than a fifth of a capacity", market.FeedCapacity, over, 20. / 96, false, "40 of the 192 values of price are withdrawn", 192, 0},
		{"all of tomorrow's capacity", market.FeedCapacity, tomorrow, 1, false, "", 0, 192},
		{"all of a capacity that a person fetches", market.FeedCapacity, over, 1, true, "", 0, 192},
		{"a fifth of 4 s steps", market.FeedAFRREnergy, over, 0.2, false, "", 21600 - 4320, 21600},
		{"more than a fifth of 4 s steps", market.FeedAFRREnergy, over, 4321. / 21600, false, "4321 of the 21600 values of demand_mw are withdrawn", 21600, 0},
		{"a fifth of mFRR energy", market.FeedMFRREnergy, over, 19. / 96, false, "", 192 - 38, 192},
		{"more than a fifth of mFRR energy", market.FeedMFRREnergy, over, 20. / 96, false, "40 of the 192 values of clearing_price are withdrawn", 192, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			if _, err := b.runDates(row.feed, row.day, row.day); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(time.Hour)
			b.withdrawing(row.share)
			if row.fetched {
				if err := b.Fetch(t.Context(), request(t, market.AFRRCapacity, row.day, row.day)); err != nil {
					t.Fatal(err)
				}
			} else if _, err := b.runDates(row.feed, row.day, row.day); err != nil {
				t.Fatal(err)
			}
			waiting, err := b.db.InQuarantine(t.Context())
			if err != nil || len(waiting) != int(b2f(row.reason != "")) || row.reason != "" && (waiting[0].Reason != row.reason || waiting[0].Kind != market.WaitsWithdrawn) {
				t.Errorf("waiting %+v, %v", waiting, err)
			}
			if left, changed := b.counted(row.feed, row.day); left != row.left || changed != row.changed {
				t.Errorf("%d values are left, want %d; %d others have changed, want %d", left, row.left, changed, row.changed)
			}
			if row.feed == market.FeedCapacity { // the other datasets of the feed do not wait
				fcr, err := store.Within(t.Context(), b.db, market.Capacity, market.FCRCapacity, date(t, row.day).Period())
				if err != nil || len(fcr) != 96 || fcr[0].OfferedMW != market.Num(201) {
					t.Errorf("%d rows of FCR capacity, %v", len(fcr), err)
				}
			}
			if row.reason == "" {
				return
			}
			if _, err := b.Accept(t.Context(), store.Note{}, waiting[0].ID); err != nil {
				t.Fatal(err)
			}
			if left, changed := b.counted(row.feed, row.day); left == row.left || changed == 0 {
				t.Errorf("once it is accepted %d values are left, and %d others have changed", left, changed)
			}
		})
	}
}

// refusing has the market give, as the first price of mFRR energy of a date, one that is out of bounds.
func (b *bench) refusing(day string) {
	whole := b.market.mfrr
	b.market.mfrr = func(window market.Period) (source.Reply[market.MFRRStep], error) {
		reply, err := whole(window)
		for i := range reply.Rows {
			if row := &reply.Rows[i]; row.Start == date(b.t, day).Start().Unix() && row.Direction == market.Upward {
				row.ClearingPrice = market.Num(200_000)
			}
		}
		return reply, err
	}
}

func TestARefusedDateMayBeAccepted(t *testing.T) {
	t.Parallel()
	const day, reason = "2026-11-18", "2026-11-17T23:00:00Z: a price of 200000 EUR/MWh is out of bounds"
	for _, row := range []struct {
		name    string
		fetched bool // the refusal came of a person's fetch
		decide  func(*bench, int64) (store.Quarantined, error)
		rows    int // of the date from then on
		missing report.Reason
	}{
		{"and is taken from then on", false, func(b *bench, id int64) (store.Quarantined, error) { return b.Accept(b.t.Context(), store.Note{}, id) }, 192, ""},
		{"also where a fetch met it", true, func(b *bench, id int64) (store.Quarantined, error) { return b.Accept(b.t.Context(), store.Note{}, id) }, 192, ""},
		{"or rejected, and is not asked about again", false, func(b *bench, id int64) (store.Quarantined, error) { return b.Reject(b.t.Context(), store.Note{}, id) }, 0, report.ReasonRejected},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			good := b.market.mfrr
			if _, err := b.runDates(market.FeedMFRREnergy, "2026-11-17", "2026-11-17"); err != nil { // missing dates are counted from here
				t.Fatal(err)
			}
			b.refusing(day)
			if row.fetched {
				if err := b.Fetch(t.Context(), request(t, market.MFRREnergy, day, day)); err == nil {
					t.Error("a fetch of a refused date went well")
				}
			}
			for range 2 { // it does not wait twice
				run, err := b.runDates(market.FeedMFRREnergy, day, "2026-11-19")
				if err != nil || run.Outcome != store.OutcomePartial || !strings.HasSuffix(run.Error, "refused: "+reason) {
					t.Fatalf("the run is %s, says %q, %v", run.Outcome, run.Error, err)
				}
			}
			current, err := b.Report(t.Context())
			if err != nil || len(current.Quarantine) != 1 {
				t.Fatalf("waiting %+v, %v", current.Quarantine, err)
			}
			if w := current.Quarantine[0]; w.Dataset != market.MFRREnergy || w.Date != date(t, day) || w.Reason != "refused" || w.Detail == nil || *w.Detail != reason {
				t.Errorf("waiting %+v", w)
			}
			if got := b.reasonOf(market.MFRREnergy, day); got != report.ReasonRejected || b.rows(market.MFRREnergy, day) != 0 {
				t.Errorf("meanwhile it is missing for %q, with %d rows", got, b.rows(market.MFRREnergy, day))
			}
			if _, err := row.decide(b, current.Quarantine[0].ID); err != nil {
				t.Fatal(err)
			}
			if got := b.rows(market.MFRREnergy, day); got != row.rows {
				t.Errorf("%d rows once it is decided, want %d", got, row.rows)
			}
			run, err := b.runDates(market.FeedMFRREnergy, day, "2026-11-19")
			if err != nil || run.Error != "" || len(run.Refusals) > 0 {
				t.Errorf("the next reading says %q, %v", run.Error, err)
			}
			if got := b.reasonOf(market.MFRREnergy, day); got != row.missing || b.rows(market.MFRREnergy, day) != row.rows {
				t.Errorf("afterwards it is missing for %q, with %d rows", got, b.rows(market.MFRREnergy, day))
			}
			if waiting, err := b.db.InQuarantine(t.Context()); err != nil || len(waiting) > 0 {
				t.Errorf("afterwards %v waits, %v", waiting, err)
			}
			b.market.mfrr = good
			if _, err := b.runDates(market.FeedMFRREnergy, day, day); err != nil || b.reasonOf(market.MFRREnergy, day) != "" {
				t.Errorf("read well it is missing for %q, %v", b.reasonOf(market.MFRREnergy, day), err)
			}
		})
	}
}

func TestARefusedDateGoesByItselfOnceItIsReadWell(t *testing.T) {
	t.Parallel()
	const day = "2026-11-18"
	b := newBench(t, "2026-11-20 12:00")
	good := b.market.mfrr
	b.refusing(day)
	if _, err := b.runDates(market.FeedMFRREnergy, day, day); err != nil {
		t.Fatal(err)
	}
	b.market.mfrr = good
	b.clock.Advance(time.Hour)
	if _, err := b.runDates(market.FeedMFRREnergy, day, day); err != nil {
		t.Fatal(err)
	}
	if waiting, err := b.db.InQuarantine(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("waiting %v, %v", waiting, err)
	}
}

func TestDatesThatCannotBeAcceptedAreNotQuarantined(t *testing.T) {
	t.Parallel()
	const day = "2026-11-18"
	for _, row := range []struct {
		name   string
		refuse func(*bench)
	}{
		{"what is refused for good", func(b *bench) {
			whole := b.market.mfrr
			b.market.mfrr = func(window market.Period) (reply source.Reply[market.MFRRStep], err error) {
				good, err := whole(window)
				reply.Refused = good.Rows
				reply.Refusals.RefuseFinally(market.MFRREnergy, date(b.t, day), "two series differ")
				return reply, err
			}
		}},
		{"a date of which nothing could be read", func(b *bench) {
			b.market.mfrr = func(market.Period) (reply source.Reply[market.MFRRStep], err error) {
				reply.Refusals.Refuse(market.MFRREnergy, date(b.t, day), "no row can be read")
				return reply, nil
			}
		}},
		{"a value beyond all measure", func(b *bench) {
			b.market.mfrr = func(window market.Period) (reply source.Reply[market.MFRRStep], err error) {
				reply.Refused = []market.MFRRStep{{Start: window.Start, Direction: market.Upward, ClearingPrice: market.Num(1e300)}}
				reply.Refusals.Refuse(market.MFRREnergy, date(b.t, day), "a price of 1e+300 EUR/MWh is out of bounds")
				return reply, nil
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			row.refuse(b)
			run, err := b.runDates(market.FeedMFRREnergy, day, day)
			if err != nil || len(run.Refusals) != 1 {
				t.Errorf("refusals %v, %v", run.Refusals, err)
			}
			if waiting, err := b.db.InQuarantine(t.Context()); err != nil || len(waiting) > 0 {
				t.Errorf("waiting %v, %v", waiting, err)
			}
		})
	}
}

func b2f(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func TestDecisionsOnQuarantinedDates(t *testing.T) {
	t.Parallel()
	const day = "2026-11-18"
	for _, row := range []struct {
		name   string
		decide func(*bench, int64) (store.Quarantined, error)
		stored bool
	}{
		{"accepted", func(b *bench, id int64) (store.Quarantined, error) { return b.Accept(b.t.Context(), store.Note{}, id) }, true},
		{"rejected", func(b *bench, id int64) (store.Quarantined, error) { return b.Reject(b.t.Context(), store.Note{}, id) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			b.pricesOf(func(int) float64 { return 67.5 })
			for range 2 { // what waits already does not wait twice
				if _, err := b.runDates(market.FeedDayAheadPrices, day, day); err != nil {
					t.Fatal(err)
				}
			}
			waiting, err := b.db.InQuarantine(t.Context())
			if err != nil || len(waiting) != 1 {
				t.Fatalf("waiting %v, error %v", waiting, err)
			}
			if q, err := b.db.Waiting(t.Context(), waiting[0].ID); err != nil || len(market.Prices.In(q.Batch)) != 96 {
				t.Fatalf("waiting %v, error %v", q, err)
			}
			if q, err := row.decide(b, waiting[0].ID); err != nil || q.Date != date(t, day) {
				t.Fatalf("decided %v, error %v", q, err)
			}
			if price, is := b.stored(day); is != row.stored || is && price != 67.5 {
				t.Errorf("stored %v, %v", price, is)
			}
			b.clock.Advance(time.Hour)
			run, err := b.runDates(market.FeedDayAheadPrices, day, day)
			if err != nil || run.Error != "" {
				t.Errorf("after the decision the same reading says %q, error %v", run.Error, err)
			}
			if _, is := b.stored(day); is != row.stored {
				t.Errorf("after the decision the same reading is stored: %v", is)
			}
			if _, err := row.decide(b, waiting[0].ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("decided twice: %v", err)
			}
		})
	}
}

func TestARejectedDateIsReportedUntilTheSourceGivesOtherValues(t *testing.T) {
	t.Parallel()
	storetest.Long(t)
	const day = "2026-11-20"
	b := newBench(t, "2026-11-21 00:30")
	odd := b.market.prices
	b.market.prices = func(window market.Period) (replyOfPrices, error) {
		reply, err := odd(window)
		for i := range reply.Rows {
			if date(t, day).Period().Holds(reply.Rows[i].Start) {
				reply.Rows[i].Price = market.Num(67)
			}
		}
		return reply, err
	}
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	waiting, err := b.db.InQuarantine(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("waiting %v, error %v", waiting, err)
	}
	if _, err := b.Reject(t.Context(), store.Note{}, waiting[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"2026-11-21 00:31", "2026-11-22 12:00", "2026-11-29 12:00", "2026-12-20 12:00"} {
		b.jobsUntil(market.FeedDayAheadPrices, at)
		if got := b.reasonOf(market.DayAheadPrices, day); got != report.ReasonRejected {
			t.Errorf("at %s it is missing for %q", at, got)
		}
		if got := b.status(market.DayAheadPrices).LastError; got != nil && at != "2026-11-21 00:31" {
			t.Errorf("at %s the feed says %s", at, *got)
		}
	}
	// It is settled as a gap is, a week after the date.
	if got := b.status(market.DayAheadPrices).State; got != report.StateOK {
		t.Errorf("the state is %s", got)
	}
	b.market.prices = odd
	r := request(t, market.DayAheadPrices, day, day)
	r.Force = true
	if err := b.Fetch(t.Context(), r); err != nil || b.reasonOf(market.DayAheadPrices, day) != "" {
		t.Errorf("what the source gives after all: %v, missing for %q", err, b.reasonOf(market.DayAheadPrices, day))
	}
}

func TestReadingRejectedValuesAgainIsNoSuccess(t *testing.T) {
	t.Parallel()
	const day = "2026-11-20"
	b := newBench(t, "2026-11-21 00:30")
	b.refusing(day)
	for _, last := range []string{day, "2026-11-19"} { // nothing is held of a newer date
		if _, err := b.runDates(market.FeedMFRREnergy, last, last); err != nil {
			t.Fatal(err)
		}
	}
	waiting, err := b.db.InQuarantine(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("waiting %v, error %v", waiting, err)
	}
	if _, err := b.Reject(t.Context(), store.Note{}, waiting[0].ID); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Minute)
	if run, err := b.runDates(market.FeedMFRREnergy, day, day); err != nil || run.Outcome != store.OutcomeOK {
		t.Fatalf("outcome %s, error %v", run.Outcome, err)
	}
	if got := b.status(market.MFRREnergy); got.LastSuccessAt != nil || b.reasonOf(market.MFRREnergy, day) != report.ReasonRejected {
		t.Errorf("%+v", got)
	}
}

func TestServedPricesAreChecked(t *testing.T) {
	t.Parallel()
	const day = "2026-11-18"
	period := date(t, day).Period()
	quarters := func(n int, at func(int) float64) (prices []market.Price) {
		for q := range n {
			prices = append(prices, market.Price{Start: period.Start + int64(q)*market.QuarterSeconds, Resolution: market.PT15M, Price: market.Num(at(q))})
		}
		return prices
	}
	hours := func(at func(int) float64) (prices []market.Price) {
		for h := range 24 {
			prices = append(prices, market.Price{Start: period.Start + int64(h)*3600, Resolution: market.PT60M, Price: market.Num(at(4 * h))})
		}
		return prices
	}
	zero := func(int) float64 { return 0 }
	for _, row := range []struct {
		name        string
		held, reply []market.Price
		reason      string
	}{
		{"all but one quarter of zeros", nil, quarters(95, zero), "all prices are 0 EUR/MWh"},
		{"the first hours alike", nil, quarters(12, zero), ""},
		{"zeros that make a part whole", quarters(48, zero), quarters(96, zero)[48:], "all prices are 0 EUR/MWh"},
		{"zeros beside prices that are held", quarters(48, plain), quarters(96, zero)[48:], ""},
		{"hours where quarters are held", quarters(96, plain), hours(zero), ""},
		{"hours alike where nothing is held", nil, hours(zero), "all prices are 0 EUR/MWh"},
		{"quarters where hours are held", hours(plain), quarters(96, func(q int) float64 { return plain(q) + 50 }), "96 of the 96 prices change"},
		{"a part of a date that is held in part changes more than a fifth", quarters(95, plain), quarters(20, func(int) float64 { return 500 }), "20 of the 96 prices change"},
		{"a part that changes more than a fifth", quarters(96, plain), quarters(20, func(int) float64 { return 500 }), "20 of the 96 prices change"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			run := store.Run{Feed: string(market.FeedDayAheadPrices), Datasets: []market.Dataset{market.DayAheadPrices}, Window: period, Outcome: store.OutcomeOK}
			if err := b.db.Commit(t.Context(), &run, market.Prices.Batch(row.held)); err != nil {
				t.Fatal(err)
			}
			_, got, err := b.suspicion(t.Context(), market.DayAheadPrices, date(t, day), market.Prices.Batch(row.reply))
			if err != nil || got != row.reason {
				t.Errorf("suspicion %q, %v; want %q", got, err, row.reason)
			}
		})
	}
}

func TestADecisionIsNoReadingOfTheSource(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	b.pricesOf(func(int) float64 { return 67.5 })
	if _, err := b.runDates(market.FeedDayAheadPrices, "2026-11-18", "2026-11-18"); err != nil {
		t.Fatal(err)
	}
	before := b.summary(market.DayAheadPrices)
	b.clock.Advance(time.Hour)
	waiting, err := b.db.InQuarantine(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("waiting %v, error %v", waiting, err)
	}
	if _, err := b.Accept(t.Context(), store.Note{}, waiting[0].ID); err != nil {
		t.Fatal(err)
	}
	after := b.summary(market.DayAheadPrices)
	if after.LastSuccess != before.LastSuccess || !after.LastChange.Equal(b.clock.Now().Truncate(time.Millisecond)) {
		t.Errorf("summary %+v, before %+v", after, before)
	}
}

func TestAFetchByHandStoresWithoutQuarantine(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	b.pricesOf(func(int) float64 { return 0 })
	if err := b.Fetch(t.Context(), request(t, market.DayAheadPrices, "2026-11-18", "2026-11-18")); err != nil {
		t.Fatal(err)
	}
	if _, is := b.stored("2026-11-18"); !is {
		t.Error("not stored")
	}
}
