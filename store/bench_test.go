package store_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"courant/store"
)

// BenchmarkCommitAFRRDay commits the 21 600 steps of a day; "median-ms" is what the contract speaks of.
func BenchmarkCommitAFRRDay(b *testing.B) {
	day := date("2026-07-14")
	rows := afrrDay(day, 80)
	onePercent := slices.Clone(rows)
	for i := 0; i < len(onePercent); i += 100 {
		onePercent[i].UpwardPrice.V++
	}
	for _, c := range []struct {
		name    string
		stored  []store.AFRRStep
		arrives []store.AFRRStep
	}{
		{"new", nil, rows},
		{"unchanged", rows, rows},
		{"one-percent-changed", rows, onePercent},
		{"all-changed", rows, afrrDay(day, 81)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				b.StopTimer()
				s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "courant.db"))
				if err != nil {
					b.Fatal(err)
				}
				commit(b, s, runAt(0, store.AFRREnergy), store.Batch{AFRR: c.stored})
				run := runAt(1, store.AFRREnergy)
				b.StartTimer()
				begun := time.Now()
				commit(b, s, run, store.Batch{AFRR: c.arrives})
				took = append(took, time.Since(begun))
				b.StopTimer()
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			slices.Sort(took)
			median := took[len(took)/2]
			b.ReportMetric(float64(median.Microseconds())/1000, "median-ms")
			b.ReportMetric(float64(len(rows))/median.Seconds(), "rows/s")
		})
	}
}

func BenchmarkLatestAFRR(b *testing.B) {
	s := openNew(b)
	for n := range 3 {
		commit(b, s, runAt(n, store.AFRREnergy), store.Batch{AFRR: afrrDay(date("2026-07-14").Add(n), 80)})
	}
	b.ReportAllocs()
	for b.Loop() {
		window, err := s.LatestAFRR(b.Context())
		if err != nil || len(window.Rows) != 21_600 {
			b.Fatal(len(window.Rows), err)
		}
	}
}

func BenchmarkLatestPrices(b *testing.B) {
	s := openNew(b)
	first, last := date("2026-06-01"), date("2026-07-14")
	var prices []store.Price
	for start := first.Period().Start; start < last.Period().End; start += store.QuarterSeconds {
		prices = append(prices, store.Price{Start: start, Resolution: store.PT15M, Price: store.Num(float64(start % 997))})
	}
	commit(b, s, runAt(0, store.DayAheadPrices), store.Batch{Prices: prices})
	b.ReportAllocs()
	for b.Loop() {
		window, err := s.LatestPrices(b.Context(), 29)
		if err != nil || len(window.Rows) != 29*96 {
			b.Fatal(len(window.Rows), err)
		}
	}
}
