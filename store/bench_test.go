package store_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
)

// stepStorages are the ways in which 4 s steps lie or lay in the database.
var stepStorages = []struct {
	name   string
	commit func(*store.Store, context.Context, *store.Run, []market.AFRRStep) error
	within func(*store.Store, context.Context, market.Period) ([]market.AFRRStep, error)
}{
	{"hours", func(s *store.Store, ctx context.Context, run *store.Run, rows []market.AFRRStep) error {
		return s.Commit(ctx, run, market.AFRR.Batch(rows))
	}, func(s *store.Store, ctx context.Context, period market.Period) ([]market.AFRRStep, error) {
		return store.Within(ctx, s, market.AFRR, market.AFRREnergy, period)
	}},
	{"rows", (*store.Store).CommitStepRows, (*store.Store).StepRowsWithin},
}

// reportSpread tells the median and the range of how long something took.
func reportSpread(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	for name, at := range map[string]int{"min-ms": 0, "median-ms": len(took) / 2, "max-ms": len(took) - 1} {
		b.ReportMetric(float64(took[at].Microseconds())/1000, name)
	}
}

// BenchmarkCommitAFRRDay commits the 21 600 steps of a date, to the hours in which they lie and to rows as they lay before.
func BenchmarkCommitAFRRDay(b *testing.B) {
	day := date("2026-07-14")
	rows := afrrDay(day, 80)
	onePercent := slices.Clone(rows)
	for i := 0; i < len(onePercent); i += 100 {
		onePercent[i].UpwardPrice.V++
	}
	for _, c := range []struct {
		name    string
		stored  []market.AFRRStep
		arrives []market.AFRRStep
	}{
		{"new", nil, rows},
		{"unchanged", rows, rows},
		{"15-minutes-more", rows[:15*900], rows[:16*900][15*900-225:]},
		{"one-percent-changed", rows, onePercent},
		{"all-changed", rows, afrrDay(day, 81)},
	} {
		for _, storage := range stepStorages {
			b.Run(c.name+"/"+storage.name, func(b *testing.B) {
				b.ReportAllocs()
				var took []time.Duration
				for b.Loop() {
					b.StopTimer()
					s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "courant.db"))
					if err != nil {
						b.Fatal(err)
					}
					if err := s.MakeStepRows(b.Context()); err != nil {
						b.Fatal(err)
					}
					if err := storage.commit(s, b.Context(), runAt(0, market.AFRREnergy), c.stored); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					begun := time.Now()
					if err := storage.commit(s, b.Context(), runAt(1, market.AFRREnergy), c.arrives); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(begun))
					b.StopTimer()
					if err := s.Close(); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				reportSpread(b, took)
			})
		}
	}
}

// BenchmarkAFRRDay reads the steps of a date.
func BenchmarkAFRRDay(b *testing.B) {
	for _, storage := range stepStorages {
		b.Run(storage.name, func(b *testing.B) {
			s := openNew(b)
			if err := s.MakeStepRows(b.Context()); err != nil {
				b.Fatal(err)
			}
			for n := range 3 {
				if err := storage.commit(s, b.Context(), runAt(n, market.AFRREnergy), afrrDay(date("2026-07-14").Add(n), 80)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				rows, err := storage.within(s, b.Context(), date("2026-07-16").Period())
				if err != nil || len(rows) != 21_600 {
					b.Fatal(len(rows), err)
				}
				took = append(took, time.Since(begun))
			}
			reportSpread(b, took)
		})
	}
}

func BenchmarkLatestPrices(b *testing.B) {
	s := openNew(b)
	first, last := date("2026-06-01"), date("2026-07-14")
	var prices []market.Price
	for start := first.Period().Start; start < last.Period().End; start += market.QuarterSeconds {
		prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(float64(start % 997))})
	}
	commit(b, s, runAt(0, market.DayAheadPrices), market.Prices.Batch(prices))
	b.ReportAllocs()
	for b.Loop() {
		window, err := store.Latest(b.Context(), s, market.Prices, market.DayAheadPrices, 29)
		if err != nil || len(window.Rows) != 29*96 {
			b.Fatal(len(window.Rows), err)
		}
	}
}
