package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

func TestAStandInIsReplacedAndKept(t *testing.T) {
	start := date("2026-07-14").Period().Start
	price := func(source store.PriceSource, v float64) store.Price {
		return store.Price{Start: start, Resolution: store.PT15M, Source: source, Price: store.Num(v)}
	}
	for _, row := range []struct {
		name      string
		arrive    []store.Price // a minute apart
		kept      string
		revisions string // series, old, new, since and seen in minutes
	}{
		{"the source alone", []store.Price{price(store.FromENTSOE, 5)}, "ENTSO-E|5", ""},
		{"a stand-in alone", []store.Price{price(store.FromRTE, 5)}, "RTE|5", ""},
		{"a stand-in, then another price of the source", []store.Price{price(store.FromRTE, 5), price(store.FromENTSOE, 6)},
			"ENTSO-E|6\nRTE|5", "PT15M|5|6|0|1"},
		{"a stand-in, then the same of the source", []store.Price{price(store.FromRTE, 5), price(store.FromENTSOE, 5)}, "ENTSO-E|5\nRTE|5", ""},
		{"a stand-in that changed before the source came", []store.Price{price(store.FromRTE, 5), price(store.FromRTE, 7), price(store.FromENTSOE, 6)},
			"ENTSO-E|6\nRTE|7", "PT15M/RTE|5|7|0|1\nPT15M|7|6|1|2"},
		{"the source, then another price that would stand in", []store.Price{price(store.FromENTSOE, 6), price(store.FromRTE, 5)}, "ENTSO-E|6\nRTE|5", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openNew(t)
			for n, p := range row.arrive {
				commit(t, s, runAt(n, store.DayAheadPrices), store.Batch{Prices: []store.Price{p}})
			}
			if diff := cmp.Diff(row.kept, ask(t, s.ReaderPool(), "SELECT source, price FROM day_ahead_price ORDER BY source")); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			got := ask(t, s.ReaderPool(), "SELECT series, old, new, (since_ms - ?1) / 60000, (seen_ms - ?1) / 60000 FROM revision ORDER BY id", dawn.UnixMilli())
			if diff := cmp.Diff(row.revisions, got); diff != "" {
				t.Errorf("revisions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheSourcesOfPricesDifferIn(t *testing.T) {
	s := openNew(t)
	start := date("2026-07-14").Period().Start
	var prices []store.Price
	for i, off := range []float64{0, 0.01, 0.011, -3, 0.02} {
		at := start + int64(i)*store.QuarterSeconds
		prices = append(prices,
			store.Price{Start: at, Resolution: store.PT15M, Price: store.Num(50.1)},
			store.Price{Start: at, Resolution: store.PT15M, Source: store.FromRTE, Price: store.Num(50.1 + off)})
	}
	prices = append(prices, store.Price{Start: start + 3*86_400, Resolution: store.PT15M, Source: store.FromRTE, Price: store.Num(1)})
	commit(t, s, runAt(0, store.DayAheadPrices), store.Batch{Prices: prices})
	got, err := s.PriceDifferences(t.Context(), date("2026-07-01"))
	if err != nil {
		t.Fatal(err)
	}
	want := []store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 3, Largest: 3, Seen: minute(0)}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(store.DeliveryDate{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if later, err := s.PriceDifferences(t.Context(), date("2026-07-15")); err != nil || len(later) > 0 {
		t.Errorf("later dates differ: %v, %v", later, err)
	}
}

func TestPricesAreComparedAtWhateverStepsTheyCome(t *testing.T) {
	start := date("2026-07-14").Period().Start
	// hour is an hour's prices of one source, by minute n.
	type hour struct {
		n          int
		source     store.PriceSource
		resolution store.Resolution
		prices     []float64
	}
	for _, row := range []struct {
		name  string
		hours []hour
		want  []store.PriceDifference
	}{
		{"hours that differ", []hour{{0, store.FromENTSOE, store.PT60M, []float64{5}}, {1, store.FromRTE, store.PT60M, []float64{7}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 4, Largest: 2, Seen: minute(1)}}},
		{"an hour and its quarters", []hour{{0, store.FromENTSOE, store.PT60M, []float64{5}}, {1, store.FromRTE, store.PT15M, []float64{5, 5, 5, 6}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 1, Largest: 1, Seen: minute(1)}}},
		{"quarters and their hour", []hour{{0, store.FromENTSOE, store.PT15M, []float64{5, 5, 5, 5}}, {1, store.FromRTE, store.PT60M, []float64{5}}}, nil},
		{"the quarters that are served, not the hour before them", []hour{{0, store.FromENTSOE, store.PT60M, []float64{5}}, {1, store.FromRTE, store.PT60M, []float64{5}},
			{2, store.FromENTSOE, store.PT15M, []float64{5, 5, 5, 8}}}, []store.PriceDifference{
			{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 1, Largest: 3, Seen: minute(2)},
			{Date: date("2026-07-14"), Between: "PT15M/PT60M", Quarters: 4, Largest: 0.75, Seen: minute(2)}}},
		{"an hour that comes for quarters and is not their mean", []hour{{0, store.FromENTSOE, store.PT15M, []float64{5, 5, 5, 8}}, {1, store.FromENTSOE, store.PT60M, []float64{300}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "PT15M/PT60M", Quarters: 4, Largest: 294.25, Seen: minute(1)}}},
		{"an hour that is the mean of its quarters to a cent", []hour{{0, store.FromENTSOE, store.PT15M, []float64{5, 5, 5, 5.04}}, {1, store.FromENTSOE, store.PT60M, []float64{5}}}, nil},
		{"an hour that is a little more than a cent off", []hour{{0, store.FromENTSOE, store.PT15M, []float64{5, 5, 5, 5.05}}, {1, store.FromENTSOE, store.PT60M, []float64{5}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "PT15M/PT60M", Quarters: 4, Largest: 0.0125, Seen: minute(1)}}},
		{"an hour of which a quarter is missing has no mean", []hour{{0, store.FromENTSOE, store.PT15M, []float64{5, 5, 5}}, {1, store.FromENTSOE, store.PT60M, []float64{300}}}, nil},
		{"half hours and their hour", []hour{{0, store.FromENTSOE, store.PT30M, []float64{5, 7}}, {1, store.FromENTSOE, store.PT60M, []float64{7}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "PT30M/PT60M", Quarters: 4, Largest: 1, Seen: minute(1)}}},
		{"a correction", []hour{{0, store.FromENTSOE, store.PT60M, []float64{5}}, {1, store.FromRTE, store.PT60M, []float64{5}}, {2, store.FromENTSOE, store.PT60M, []float64{6}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 4, Largest: 1, Seen: minute(2)}}},
		{"a correction that brings them together", []hour{{0, store.FromENTSOE, store.PT60M, []float64{5}}, {1, store.FromRTE, store.PT60M, []float64{7}},
			{2, store.FromENTSOE, store.PT60M, []float64{7}}}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openNew(t)
			for _, h := range row.hours {
				var prices []store.Price
				for i, price := range h.prices {
					prices = append(prices, store.Price{Start: start + int64(i)*h.resolution.Seconds(), Resolution: h.resolution, Source: h.source, Price: store.Num(price)})
				}
				commit(t, s, runAt(h.n, store.DayAheadPrices), store.Batch{Prices: prices})
			}
			got, err := s.PriceDifferences(t.Context(), date("2026-07-14"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(store.DeliveryDate{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatStandsInIsNotCountedTwice(t *testing.T) {
	day, other := date("2026-07-14"), date("2026-07-15")
	s := openNew(t)
	price := func(d store.DeliveryDate, quarter int64, source store.PriceSource) store.Price {
		return store.Price{Start: d.Period().Start + quarter*store.QuarterSeconds, Resolution: store.PT15M, Source: source, Price: store.Num(1)}
	}
	commit(t, s, runAt(0, store.DayAheadPrices), store.Batch{Prices: []store.Price{
		price(day, 0, store.FromENTSOE), price(day, 1, store.FromENTSOE), price(day, 0, store.FromRTE), price(day, 1, store.FromRTE), price(other, 0, store.FromRTE),
	}})
	coverage, err := s.Coverage(t.Context(), store.DayAheadPrices, day, other)
	if err != nil || coverage.Rows() != 3 {
		t.Errorf("%d rows, %v; want 3", coverage.Rows(), err)
	}
}
