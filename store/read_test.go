package store_test

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// priceAt is an hour's price at noon of the date.
func priceAt(day string) market.Price {
	return market.Price{Start: date(day).At(12, 0).Unix(), Resolution: market.PT60M, Price: market.Num(float64(date(day).Start().Day()))}
}

func TestAnEmptyStoreHasNoLatest(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	ctx := t.Context()
	empty := func(name string, rows int, last market.DeliveryDate, zeroTime bool, version int64, err error) {
		t.Helper()
		if err != nil || rows != 0 || !last.IsZero() || !zeroTime || version != 0 {
			t.Errorf("%s: %d rows, last %s, never fetched %t, version %d, %v", name, rows, last, zeroTime, version, err)
		}
	}
	prices, err := store.Latest(ctx, s, market.Prices, market.DayAheadPrices, 29)
	empty("prices", len(prices.Rows), prices.Last, prices.FetchedAt.IsZero(), prices.Version, err)
	for _, dataset := range []market.Dataset{market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity} {
		capacity, err := store.Latest(ctx, s, market.Capacity, dataset, 29)
		empty(string(dataset), len(capacity.Rows), capacity.Last, capacity.FetchedAt.IsZero(), capacity.Version, err)
	}
	afrr, err := store.Latest(ctx, s, market.AFRR, market.AFRREnergy, 1)
	empty("aFRR", len(afrr.Rows), afrr.Last, afrr.FetchedAt.IsZero(), afrr.Version, err)
	mfrr, err := store.Latest(ctx, s, market.MFRR, market.MFRREnergy, 1)
	empty("mFRR", len(mfrr.Rows), mfrr.Last, mfrr.FetchedAt.IsZero(), mfrr.Version, err)
	for _, dataset := range market.Datasets() {
		extent, err := s.Extent(ctx, dataset)
		if err != nil || extent != (store.Extent{}) {
			t.Errorf("%s extends over %+v, %v", dataset, extent, err)
		}
		summary, err := s.RunSummary(ctx, dataset)
		if err != nil || summary != (store.RunSummary{}) {
			t.Errorf("%s: %+v, %v", dataset, summary, err)
		}
		first, err := s.FirstRequestedDate(ctx, dataset)
		if err != nil || !first.IsZero() {
			t.Errorf("%s was asked for from %s, %v", dataset, first, err)
		}
	}
}

func TestTheWindowIsCalendarDatesUpToTheLastOneStored(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		stored []string
		days   int
		want   []string
	}{
		{name: "one date", stored: []string{"2026-07-14"}, days: 29, want: []string{"2026-07-14"}},
		{
			name: "holes count as dates", stored: []string{"2026-06-15", "2026-06-16", "2026-06-30", "2026-07-14"}, days: 29,
			want: []string{"2026-06-16", "2026-06-30", "2026-07-14"},
		},
		{name: "a day alone", stored: []string{"2026-07-13", "2026-07-14"}, days: 1, want: []string{"2026-07-14"}},
		{name: "two", stored: []string{"2026-07-12", "2026-07-13", "2026-07-14"}, days: 2, want: []string{"2026-07-13", "2026-07-14"}},
		{name: "nothing but the last within reach", stored: []string{"2020-01-01", "2026-07-14"}, days: 29, want: []string{"2026-07-14"}},
		{
			name: "over the day of 23 hours", stored: []string{"2026-03-27", "2026-03-28", "2026-03-29", "2026-03-30"}, days: 3,
			want: []string{"2026-03-28", "2026-03-29", "2026-03-30"},
		},
		{
			name: "over the day of 25 hours", stored: []string{"2026-10-23", "2026-10-24", "2026-10-25", "2026-10-26"}, days: 3,
			want: []string{"2026-10-24", "2026-10-25", "2026-10-26"},
		},
		{name: "later dates first", stored: []string{"2026-07-14", "2026-07-12", "2026-07-13"}, days: 29, want: []string{"2026-07-12", "2026-07-13", "2026-07-14"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			for i, day := range c.stored {
				run := runAt(i, market.DayAheadPrices)
				run.Window = date(day).Period()
				commit(t, s, run, market.Prices.Batch([]market.Price{priceAt(day)}))
			}
			window, err := store.Latest(t.Context(), s, market.Prices, market.DayAheadPrices, c.days)
			if err != nil {
				t.Fatal(err)
			}
			var want []market.Price
			for _, day := range c.want {
				want = append(want, priceAt(day))
			}
			if diff := gocmp.Diff(want, window.Rows); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := c.want[len(c.want)-1]; window.Last.String() != got {
				t.Errorf("last %s, want %s", window.Last, got)
			}
			if want := minute(slices.Index(c.stored, slices.Max(c.stored))); !window.FetchedAt.Equal(want) || window.Version != int64(len(c.stored)) {
				t.Errorf("fetched at %s, version %d; want %s and %d", window.FetchedAt, window.Version, want, len(c.stored))
			}
		})
	}
}

func TestTheWindowBeginsAndEndsAtMidnightInParis(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	first, last := date("2026-07-13"), date("2026-07-14")
	var stored, want []market.Price
	for _, start := range []int64{first.Period().Start - 900, first.Period().Start, first.Period().End - 900, last.Period().Start, last.Period().End - 900} {
		price := market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(1)}
		stored = append(stored, price)
		if first.Period().Start <= start {
			want = append(want, price)
		}
	}
	commit(t, s, runAt(0, market.DayAheadPrices), market.Prices.Batch(stored))
	window, err := store.Latest(t.Context(), s, market.Prices, market.DayAheadPrices, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, window.Rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	within, err := store.Within(t.Context(), s, market.Prices, market.DayAheadPrices, market.Period{Start: first.Period().Start, End: last.Period().End - 900})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want[:3], within); diff != "" {
		t.Errorf("Prices (-want +got):\n%s", diff)
	}
}

func TestEachCapacityDatasetHasAWindowOfItsOwn(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	step := func(dataset market.Dataset, day string) market.CapacityStep {
		return market.CapacityStep{Dataset: dataset, Start: date(day).Period().Start, Direction: market.Upward, TimeHorizon: "DAILY", Product: "STD", Price: market.Num(1)}
	}
	asked := []market.Dataset{market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity}
	commit(t, s, runAt(0, asked...), market.Capacity.Batch([]market.CapacityStep{
		step(market.FCRCapacity, "2026-07-14"), step(market.AFRRCapacity, "2026-07-12"), step(market.AFRRCapacity, "2026-06-13"), step(market.AFRRCapacity, "2026-06-14"),
	}))
	for dataset, want := range map[market.Dataset][]market.CapacityStep{
		market.FCRCapacity:  {step(market.FCRCapacity, "2026-07-14")},
		market.AFRRCapacity: {step(market.AFRRCapacity, "2026-06-14"), step(market.AFRRCapacity, "2026-07-12")},
		market.MFRRCapacity: nil,
	} {
		window, err := store.Latest(t.Context(), s, market.Capacity, dataset, 29)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, window.Rows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dataset, diff)
		}
		if !window.FetchedAt.Equal(minute(0)) {
			t.Errorf("%s was fetched at %s, want %s", dataset, window.FetchedAt, minute(0))
		}
	}
}

// anyValue is any number that JSON can hold, the odd ones often, or null.
func anyValue() *rapid.Generator[market.Number] {
	finite := rapid.Float64().Filter(func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) })
	odd := rapid.SampledFrom([]float64{0, 0.1, 0.1 + 0.2, -0.01, 1e-300, math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64,
		1 << 53, 1<<53 + 2, 1 << 62, 1e15 + 0.3, 99999.999999999985, 5e-324})
	return rapid.OneOf(rapid.Just(market.Number{}), rapid.Map(odd, market.Num), rapid.Map(finite, market.Num))
}

func anyFlag() *rapid.Generator[market.Flag] {
	return rapid.SampledFrom([]market.Flag{{}, {Valid: true}, {V: true, Valid: true}})
}

// comesBack checks that rows of a delivery date are read as they were committed. Rows of the same key are drawn once.
func comesBack[R any](t *testing.T, step int64, row func(*rapid.T, int64) R, key func(R) R, order func(a, b R) int,
	put func(*market.Batch, []R), dataset market.Dataset, latest func(context.Context, *store.Store) (store.StoredWindow[R], error)) {
	t.Helper()
	s := openNew(t)
	// Each try has a later date, so that it is the latest.
	d := date("2026-01-01")
	n := 0
	storetest.Check(t, func(t *rapid.T) {
		n++
		d = d.Add(rapid.IntRange(1, 3).Draw(t, "days"))
		rows := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) R {
			return row(t, d.Period().Start+step*rapid.Int64Range(0, int64(d.Steps(step)-1)).Draw(t, "step"))
		}), 1, 150, func(r R) any { return key(r) }).Draw(t, "rows")
		var batch market.Batch
		put(&batch, rows)
		run := runAt(n, dataset)
		run.Window = d.Period()
		if err := s.Commit(context.Background(), run, batch); err != nil {
			t.Fatal(err)
		}
		window, err := latest(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.SortedFunc(slices.Values(rows), order)
		got := slices.SortedStableFunc(slices.Values(window.Rows), order)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if window.Last != d || !window.FetchedAt.Equal(run.Ended) {
			t.Fatalf("last %s fetched at %s, want %s at %s", window.Last, window.FetchedAt, d, run.Ended)
		}
		if want := (store.Tally{Seen: len(rows), Changed: len(rows)}); run.Tallies[dataset] != want {
			t.Fatalf("tally %+v, want %+v", run.Tallies[dataset], want)
		}
	})
}

func TestPricesComeBackAsTheyWentIn(t *testing.T) {
	t.Parallel()
	comesBack(t, market.QuarterSeconds,
		func(t *rapid.T, start int64) market.Price {
			return market.Price{
				Start:      start,
				Resolution: rapid.SampledFrom([]market.Resolution{market.PT15M, market.PT30M, market.PT60M}).Draw(t, "resolution"),
				Price:      anyValue().Filter(func(n market.Number) bool { return n.Valid }).Draw(t, "price"),
			}
		},
		func(p market.Price) market.Price { p.Price = market.Number{}; return p },
		func(a, b market.Price) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Resolution, b.Resolution))
		},
		func(b *market.Batch, rows []market.Price) { market.Prices.Put(b, rows) }, market.DayAheadPrices,
		func(ctx context.Context, s *store.Store) (store.StoredWindow[market.Price], error) {
			return store.Latest(ctx, s, market.Prices, market.DayAheadPrices, 1)
		})
}

func TestCapacityComesBackAsItWentIn(t *testing.T) {
	t.Parallel()
	comesBack(t, market.QuarterSeconds,
		func(t *rapid.T, start int64) market.CapacityStep {
			return market.CapacityStep{
				Dataset: market.MFRRCapacity, Start: start,
				Direction:   rapid.SampledFrom([]market.Direction{market.Upward, market.Downward, market.Symmetric}).Draw(t, "direction"),
				TimeHorizon: rapid.SampledFrom([]string{"DAILY", "PERIODIC", ""}).Draw(t, "horizon"),
				Product:     rapid.SampledFrom([]string{"STD", "SPE", "SPE0", "", "É'\"%;--"}).Draw(t, "product"),
				OfferedMW:   anyValue().Draw(t, "offered"), ContractedMW: anyValue().Draw(t, "contracted"), Price: anyValue().Draw(t, "price"),
			}
		},
		func(r market.CapacityStep) market.CapacityStep {
			r.OfferedMW, r.ContractedMW, r.Price = market.Number{}, market.Number{}, market.Number{}
			return r
		},
		func(a, b market.CapacityStep) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.TimeHorizon, b.TimeHorizon), cmp.Compare(a.Product, b.Product))
		},
		func(b *market.Batch, rows []market.CapacityStep) { market.Capacity.Put(b, rows) }, market.MFRRCapacity,
		func(ctx context.Context, s *store.Store) (store.StoredWindow[market.CapacityStep], error) {
			return store.Latest(ctx, s, market.Capacity, market.MFRRCapacity, 1)
		})
}

func TestAFRRComesBackAsItWentIn(t *testing.T) {
	t.Parallel()
	comesBack(t, market.AFRRSeconds,
		func(t *rapid.T, start int64) market.AFRRStep {
			return market.AFRRStep{
				Start: start, UpwardPrice: anyValue().Draw(t, "upward"), DownwardPrice: anyValue().Draw(t, "downward"),
				DemandMW: anyValue().Draw(t, "demand"), ForFranceMW: anyValue().Draw(t, "for"), InFranceMW: anyValue().Draw(t, "in"),
				PicassoConnection: anyFlag().Draw(t, "picasso"), ProrataMode: anyFlag().Draw(t, "prorata"),
			}
		},
		func(r market.AFRRStep) market.AFRRStep { return market.AFRRStep{Start: r.Start} },
		func(a, b market.AFRRStep) int { return cmp.Compare(a.Start, b.Start) },
		func(b *market.Batch, rows []market.AFRRStep) { market.AFRR.Put(b, rows) }, market.AFRREnergy,
		func(ctx context.Context, s *store.Store) (store.StoredWindow[market.AFRRStep], error) {
			return store.Latest(ctx, s, market.AFRR, market.AFRREnergy, 1)
		})
}

func TestMFRRComesBackAsItWentIn(t *testing.T) {
	t.Parallel()
	comesBack(t, market.QuarterSeconds,
		func(t *rapid.T, start int64) market.MFRRStep {
			r := market.MFRRStep{Start: start, Direction: rapid.SampledFrom([]market.Direction{market.Upward, market.Downward}).Draw(t, "direction")}
			for i, field := range []*market.Number{&r.ClearingPrice, &r.SettlementPriceCurrent, &r.SettlementPricePrevious, &r.RequestedVolumeSAMW,
				&r.RequestedVolumeDAMW, &r.SatisfiedNeedSAMW, &r.SatisfiedNeedDAMW, &r.ActivatedVolumeSAMW, &r.ActivatedVolumeDAMW,
				&r.SubmittedOffersMW, &r.FilteredOffersMW} {
				*field = anyValue().Draw(t, string(rune('a'+i)))
			}
			return r
		},
		func(r market.MFRRStep) market.MFRRStep {
			return market.MFRRStep{Start: r.Start, Direction: r.Direction}
		},
		func(a, b market.MFRRStep) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Direction, b.Direction))
		},
		func(b *market.Batch, rows []market.MFRRStep) { market.MFRR.Put(b, rows) }, market.MFRREnergy,
		func(ctx context.Context, s *store.Store) (store.StoredWindow[market.MFRRStep], error) {
			return store.Latest(ctx, s, market.MFRR, market.MFRREnergy, 1)
		})
}

func TestImbalancePricesComeBackAsTheyWentIn(t *testing.T) {
	t.Parallel()
	text := func(texts ...string) *rapid.Generator[market.String] {
		return rapid.OneOf(rapid.Just(market.String{}), rapid.Map(rapid.SampledFrom(texts), market.Str))
	}
	comesBack(t, market.QuarterSeconds,
		func(t *rapid.T, start int64) market.ImbalanceStep {
			return market.ImbalanceStep{
				Start: start, PositivePrice: anyValue().Draw(t, "positive"), NegativePrice: anyValue().Draw(t, "negative"),
				ImbalanceMWh: anyValue().Draw(t, "imbalance"), SystemTrend: text("UPWARD", "DOWNWARD").Draw(t, "trend"),
				Status:      text("provisional", "validated", "settled").Draw(t, "status"),
				MissingData: text("afrr", "l'été; \"x\"").Draw(t, "missing"), Updated: rapid.Int64Range(0, 1<<42).Draw(t, "updated"),
			}
		},
		func(r market.ImbalanceStep) market.ImbalanceStep { return market.ImbalanceStep{Start: r.Start} },
		func(a, b market.ImbalanceStep) int { return cmp.Compare(a.Start, b.Start) },
		func(b *market.Batch, rows []market.ImbalanceStep) { market.Imbalance.Put(b, rows) }, market.ImbalancePrices,
		func(ctx context.Context, s *store.Store) (store.StoredWindow[market.ImbalanceStep], error) {
			return store.Latest(ctx, s, market.Imbalance, market.ImbalancePrices, 1)
		})
}

func TestRowsAreReadAscending(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	rows := afrrDay(date("2026-07-14"), 3)[:900]
	shuffled := slices.Clone(rows)
	for i := range shuffled {
		j := i * 7 % len(shuffled)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(shuffled))
	window, err := store.Latest(t.Context(), s, market.AFRR, market.AFRREnergy, 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(rows, window.Rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
