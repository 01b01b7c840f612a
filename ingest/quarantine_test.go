package ingest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"courant/store"
)

// pricesOf has the market give each quarter, counted from its delivery date's start, the price that at says.
func (b *bench) pricesOf(at func(quarter int) float64) {
	b.market.prices = func(window store.Period) (replyOfPrices, error) {
		var reply replyOfPrices
		for s := window.Start; s < window.End; s += store.QuarterSeconds {
			quarter := int(s-store.DeliveryDateOf(time.Unix(s, 0)).Start().Unix()) / store.QuarterSeconds
			reply.Rows = append(reply.Rows, store.Price{Start: s, Resolution: store.PT15M, Price: store.Num(at(quarter))})
		}
		return reply, nil
	}
}

// stored is the price of the date's first quarter; false if there is none.
func (b *bench) stored(text string) (float64, bool) {
	b.t.Helper()
	prices, err := b.db.Prices(b.t.Context(), date(b.t, text).Period())
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
	const day = "2026-11-18"
	for _, row := range []struct {
		name          string
		before, after func(int) float64 // before may be nil: nothing is stored
		reason        string            // of the date that waits; "" if it is taken
	}{
		{"a first arrival", nil, plain, ""},
		{"a flat first arrival", nil, func(int) float64 { return 67 }, "all prices are 67 EUR/MWh"},
		{"a first arrival of zeros", nil, func(int) float64 { return 0 }, "all prices are 0 EUR/MWh"},
		{"the same again", plain, plain, ""},
		{"a flat date in the place of another", plain, func(int) float64 { return 0 }, "all prices are 0 EUR/MWh"},
		{"a fifth of the prices changes", plain, func(q int) float64 { return plain(q) + b2f(q < 19) }, ""},
		{"more than a fifth changes", plain, func(q int) float64 { return plain(q) + b2f(q < 20) }, "20 of the 96 prices change"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			if row.before != nil {
				b.pricesOf(row.before)
				if _, err := b.runDates(DayAheadPrices, day, day); err != nil {
					t.Fatal(err)
				}
			}
			was, had := b.stored(day)
			b.pricesOf(row.after)
			run, err := b.runDates(DayAheadPrices, day, day)
			if err != nil {
				t.Fatal(err)
			}
			report, err := b.Report(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			is, has := b.stored(day)
			if row.reason == "" {
				if run.Error != "" || len(report.Quarantine) != 0 || !has || is != row.after(0) {
					t.Errorf("run says %q, waiting %v, stored %v", run.Error, report.Quarantine, is)
				}
				return
			}
			if len(report.Quarantine) != 1 || report.Quarantine[0].Reason != row.reason || report.Quarantine[0].Date != date(t, day) {
				t.Errorf("waiting %+v", report.Quarantine)
			}
			if !strings.Contains(run.Error, row.reason) || is != was || has != had {
				t.Errorf("run says %q, stored %v", run.Error, is)
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

func TestWhatAPersonDecides(t *testing.T) {
	const day = "2026-11-18"
	for _, row := range []struct {
		name   string
		decide func(*bench, int64) (store.Quarantined, error)
		stored bool
	}{
		{"accepted", func(b *bench, id int64) (store.Quarantined, error) { return b.Accept(b.t.Context(), id) }, true},
		{"rejected", func(b *bench, id int64) (store.Quarantined, error) { return b.Reject(b.t.Context(), id) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			b.pricesOf(func(int) float64 { return 67.5 })
			for range 2 { // what waits already does not wait twice
				if _, err := b.runDates(DayAheadPrices, day, day); err != nil {
					t.Fatal(err)
				}
			}
			waiting, err := b.db.InQuarantine(t.Context())
			if err != nil || len(waiting) != 1 || len(waiting[0].Prices) != 96 {
				t.Fatalf("waiting %v, error %v", waiting, err)
			}
			if q, err := row.decide(b, waiting[0].ID); err != nil || q.Date != date(t, day) {
				t.Fatalf("decided %v, error %v", q, err)
			}
			if price, is := b.stored(day); is != row.stored || is && price != 67.5 {
				t.Errorf("stored %v, %v", price, is)
			}
			b.clock.Advance(time.Hour)
			run, err := b.runDates(DayAheadPrices, day, day)
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

func TestARejectedDateSaysSoUntilTheSourceGivesSomethingElse(t *testing.T) {
	const day = "2026-11-20"
	b := newBench(t, "2026-11-21 00:30")
	odd := b.market.prices
	b.market.prices = func(window store.Period) (replyOfPrices, error) {
		reply, err := odd(window)
		for i := range reply.Rows {
			if date(t, day).Period().Holds(reply.Rows[i].Start) {
				reply.Rows[i].Price = store.Num(67)
			}
		}
		return reply, err
	}
	b.job(t.Context(), b.feed(DayAheadPrices))
	waiting, err := b.db.InQuarantine(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("waiting %v, error %v", waiting, err)
	}
	if _, err := b.Reject(t.Context(), waiting[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"2026-11-21 00:31", "2026-11-22 12:00", "2026-11-29 12:00", "2026-12-20 12:00"} {
		b.jobsUntil(DayAheadPrices, at)
		if got := b.reasonOf(store.DayAheadPrices, day); got != ReasonRejected {
			t.Errorf("at %s it is missing for %q", at, got)
		}
		if got := b.status(store.DayAheadPrices).LastError; got != nil && at != "2026-11-21 00:31" {
			t.Errorf("at %s the feed says %s", at, *got)
		}
	}
	// It is settled as a gap is, a week after the date.
	if got := b.status(store.DayAheadPrices).State; got != StateOK {
		t.Errorf("the state is %s", got)
	}
	b.market.prices = odd
	r := request(t, store.DayAheadPrices, day, day)
	r.Force = true
	if err := b.Fetch(t.Context(), r); err != nil || b.reasonOf(store.DayAheadPrices, day) != "" {
		t.Errorf("what the source gives after all: %v, missing for %q", err, b.reasonOf(store.DayAheadPrices, day))
	}
}

func TestWhatWouldBeServedIsJudged(t *testing.T) {
	const day = "2026-11-18"
	period := date(t, day).Period()
	quarters := func(n int, at func(int) float64) (prices []store.Price) {
		for q := range n {
			prices = append(prices, store.Price{Start: period.Start + int64(q)*store.QuarterSeconds, Resolution: store.PT15M, Price: store.Num(at(q))})
		}
		return prices
	}
	hours := func(at func(int) float64) (prices []store.Price) {
		for h := range 24 {
			prices = append(prices, store.Price{Start: period.Start + int64(h)*3600, Resolution: store.PT60M, Price: store.Num(at(4 * h))})
		}
		return prices
	}
	zero := func(int) float64 { return 0 }
	for _, row := range []struct {
		name        string
		held, reply []store.Price
		reason      string
	}{
		{"all but one quarter of zeros", nil, quarters(95, zero), "all prices are 0 EUR/MWh"},
		{"the first hours alike", nil, quarters(12, zero), ""},
		{"zeros that make a part whole", quarters(48, zero), quarters(96, zero)[48:], "all prices are 0 EUR/MWh"},
		{"zeros beside prices that are held", quarters(48, plain), quarters(96, zero)[48:], ""},
		{"hours where quarters are held", quarters(96, plain), hours(zero), ""},
		{"hours alike where nothing is held", nil, hours(zero), "all prices are 0 EUR/MWh"},
		{"quarters where hours are held", hours(plain), quarters(96, func(q int) float64 { return plain(q) + 50 }), "96 of the 96 prices change"},
		{"a part that changes more than a fifth", quarters(96, plain), quarters(20, func(int) float64 { return 500 }), "20 of the 96 prices change"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			run := store.Run{Feed: string(DayAheadPrices), Datasets: []store.Dataset{store.DayAheadPrices}, Window: period, Outcome: store.OutcomeOK}
			if err := b.db.Commit(t.Context(), &run, store.Batch{Prices: row.held}); err != nil {
				t.Fatal(err)
			}
			got, err := b.suspicion(t.Context(), date(t, day), row.reply)
			if err != nil || got != row.reason {
				t.Errorf("suspicion %q, %v; want %q", got, err, row.reason)
			}
		})
	}
}

func TestADecisionIsNoReadingOfTheSource(t *testing.T) {
	b := newBench(t, "2026-11-20 12:00")
	b.pricesOf(func(int) float64 { return 67.5 })
	if _, err := b.runDates(DayAheadPrices, "2026-11-18", "2026-11-18"); err != nil {
		t.Fatal(err)
	}
	before := b.summary(store.DayAheadPrices)
	b.clock.Advance(time.Hour)
	waiting, err := b.db.InQuarantine(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("waiting %v, error %v", waiting, err)
	}
	if _, err := b.Accept(t.Context(), waiting[0].ID); err != nil {
		t.Fatal(err)
	}
	after := b.summary(store.DayAheadPrices)
	if after.LastSuccess != before.LastSuccess || !after.LastChange.Equal(b.clock.Now().Truncate(time.Millisecond)) {
		t.Errorf("summary %+v, before %+v", after, before)
	}
}

func TestAFetchIsAPersonsWord(t *testing.T) {
	b := newBench(t, "2026-11-20 12:00")
	b.pricesOf(func(int) float64 { return 0 })
	if err := b.Fetch(t.Context(), request(t, store.DayAheadPrices, "2026-11-18", "2026-11-18")); err != nil {
		t.Fatal(err)
	}
	if _, is := b.stored("2026-11-18"); !is {
		t.Error("not stored")
	}
}
