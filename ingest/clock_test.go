package ingest

import (
	"testing"
	"time"

	"courant/store"
)

// everyJob runs each feed once.
func (b *bench) everyJob() {
	for _, feed := range b.feeds {
		if !feed.off {
			b.job(b.t.Context(), feed)
		}
	}
}

// held is how many rows each dataset has.
func (b *bench) held() map[store.Dataset]int {
	b.t.Helper()
	held := map[store.Dataset]int{}
	for _, dataset := range store.Datasets() {
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
	for _, row := range []struct {
		name string
		jump time.Duration
	}{{"an hour back", -time.Hour}, {"a day forward", 24 * time.Hour}} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 14:00")
			wrong := time.Duration(0)
			until := func(window store.Period, end time.Time) store.Period {
				window.End = min(window.End, end.Unix())
				return window
			}
			right := func() time.Time { return b.clock.Now().Add(-wrong) }
			prices, capacity, afrr, mfrr := b.market.prices, b.market.capacity, b.market.afrr, b.market.mfrr
			tomorrow := b.today().Add(1).End()
			b.market.prices = func(w store.Period) (replyOfPrices, error) { return prices(until(w, tomorrow)) }
			b.market.capacity = func(w store.Period) (replyOfCapacity, error) { return capacity(until(w, tomorrow)) }
			b.market.afrr = func(w store.Period) (replyOfAFRR, error) { return afrr(until(w, right())) }
			b.market.mfrr = func(w store.Period) (replyOfMFRR, error) { return mfrr(until(w, right())) }
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
			want := map[store.Dataset]int{
				store.DayAheadPrices: before[store.DayAheadPrices], store.FCRCapacity: before[store.FCRCapacity],
				store.AFRRCapacity: before[store.AFRRCapacity], store.MFRRCapacity: before[store.MFRRCapacity],
				store.AFRREnergy: before[store.AFRREnergy] + hour/store.AFRRSeconds,
				store.MFRREnergy: before[store.MFRREnergy] + 2*hour/store.QuarterSeconds,
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
