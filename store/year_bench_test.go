package store_test

import (
	"fmt"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
)

// likelySteps are 4 s steps as RTE gives them: numbers of two to four decimals that mostly differ little from the ones before,
// flags that rarely change.
func likelySteps(d market.DeliveryDate) []market.AFRRStep {
	period := d.Period()
	rows := make([]market.AFRRStep, 0, d.Steps(market.AFRRSeconds))
	random := uint64(period.Start)
	draw := func(n uint64) int64 {
		random = random*6364136223846793005 + 1442695040888963407
		return int64(random >> 33 % n)
	}
	upward, downward, demand := int64(9_000), int64(4_000), int64(0)
	for start := period.Start; start < period.End; start += market.AFRRSeconds {
		if draw(10) == 0 {
			upward, downward = upward+draw(401)-200, downward+draw(401)-200
		}
		demand += draw(20_001) - 10_000
		demand -= demand / 50
		rows = append(rows, market.AFRRStep{
			Start: start, UpwardPrice: market.Num(float64(upward) / 100), DownwardPrice: market.Num(float64(downward) / 100),
			DemandMW: market.Num(float64(demand) / 1e4), ForFranceMW: market.Num(float64(demand*9/10) / 1e4), InFranceMW: market.Num(float64(demand/2) / 1e4),
			PicassoConnection: market.Flag{V: true, Valid: true}, ProrataMode: market.Flag{V: (start/market.HourSeconds)%5 == 0, Valid: true},
		})
	}
	return rows
}

// BenchmarkYearOfSteps reads a year of 4 s steps.
func BenchmarkYearOfSteps(b *testing.B) {
	s := openNew(b)
	first, last := date("2025-01-01"), date("2025-12-31")
	for i, d := range market.Dates(first, last) {
		if err := s.StoreSteps(b.Context(), minute(i), likelySteps(d)); err != nil {
			b.Fatal(err)
		}
	}
	period := market.NewPeriod(first.Start(), last.End())
	want := int(period.Seconds() / market.AFRRSeconds)
	for name, q := range map[string]store.ReadQuery{
		"all columns":     {},
		"2 columns":       {Columns: []string{"upward_price_eur_mwh", "downward_price_eur_mwh"}},
		"with updated_at": {Columns: []string{"upward_price_eur_mwh", market.ColumnUpdatedAt}},
		"descending":      {Descending: true},
	} {
		q.Dataset, q.Period = market.AFRREnergy, period
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				begun := time.Now()
				reading, err := s.Read(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				rows := 0
				for chunk, err := range reading.Chunks(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					if rows == 0 {
						b.ReportMetric(float64(time.Since(begun).Microseconds()), "first-µs")
					}
					rows += chunk.Len()
				}
				if rows != want {
					b.Fatal(fmt.Errorf("%d rows, want %d", rows, want))
				}
			}
			b.ReportMetric(float64(want)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
