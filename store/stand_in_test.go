package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

func TestAPriceOfTheSecondSourceIsReplacedAndStaysStored(t *testing.T) {
	t.Parallel()
	start := date("2026-07-14").Period().Start
	price := func(source market.PriceSource, v float64) market.Price {
		return market.Price{Start: start, Resolution: market.PT15M, Source: source, Price: market.Num(v)}
	}
	for _, row := range []struct {
		name      string
		arrive    []market.Price // a minute apart
		kept      string
		revisions string // series, old, new, since and seen in minutes
	}{
		{"the source alone", []market.Price{price(market.FromENTSOE, 5)}, "ENTSO-E|5", ""},
		{"a stand-in alone", []market.Price{price(market.FromRTE, 5)}, "RTE|5", ""},
		{"a stand-in, then another price of the source", []market.Price{price(market.FromRTE, 5), price(market.FromENTSOE, 6)},
			"ENTSO-E|6\nRTE|5", "PT15M|5|6|0|1"},
		{"a stand-in, then the same of the source", []market.Price{price(market.FromRTE, 5), price(market.FromENTSOE, 5)}, "ENTSO-E|5\nRTE|5", ""},
		{"a stand-in that changed before the source came", []market.Price{price(market.FromRTE, 5), price(market.FromRTE, 7), price(market.FromENTSOE, 6)},
			"ENTSO-E|6\nRTE|7", "PT15M/RTE|5|7|0|1\nPT15M|7|6|1|2"},
		{"the source, then another price that would stand in", []market.Price{price(market.FromENTSOE, 6), price(market.FromRTE, 5)}, "ENTSO-E|6\nRTE|5", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openNew(t)
			for n, p := range row.arrive {
				commit(t, s, runAt(n, market.DayAheadPrices), market.Prices.Batch([]market.Price{p}))
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

func TestPriceDifferencesBetweenTheSourcesAreListed(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	start := date("2026-07-14").Period().Start
	var prices []market.Price
	for i, off := range []float64{0, 0.01, 0.011, -3, 0.02} {
		at := start + int64(i)*market.QuarterSeconds
		prices = append(prices,
			market.Price{Start: at, Resolution: market.PT15M, Price: market.Num(50.1)},
			market.Price{Start: at, Resolution: market.PT15M, Source: market.FromRTE, Price: market.Num(50.1 + off)})
	}
	prices = append(prices, market.Price{Start: start + 3*86_400, Resolution: market.PT15M, Source: market.FromRTE, Price: market.Num(1)})
	commit(t, s, runAt(0, market.DayAheadPrices), market.Prices.Batch(prices))
	got, err := s.PriceDifferences(t.Context(), date("2026-07-01"))
	if err != nil {
		t.Fatal(err)
	}
	want := []store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 3, Largest: 3, Seen: minute(0)}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if later, err := s.PriceDifferences(t.Context(), date("2026-07-15")); err != nil || len(later) > 0 {
		t.Errorf("later dates differ: %v, %v", later, err)
	}
}

func TestPricesAreComparedAtWhateverStepsTheyCome(t *testing.T) {
	t.Parallel()
	start := date("2026-07-14").Period().Start
	// hour is an hour's prices of one source, by minute n.
	type hour struct {
		n          int
		source     market.PriceSource
		resolution market.Resolution
		prices     []float64
	}
	for _, row := range []struct {
		name  string
		hours []hour
		want  []store.PriceDifference
	}{
		{"hours that differ", []hour{{0, market.FromENTSOE, market.PT60M, []float64{5}}, {1, market.FromRTE, market.PT60M, []float64{7}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 4, Largest: 2, Seen: minute(1)}}},
		{"an hour and its quarters", []hour{{0, market.FromENTSOE, market.PT60M, []float64{5}}, {1, market.FromRTE, market.PT15M, []float64{5, 5, 5, 6}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 1, Largest: 1, Seen: minute(1)}}},
		{"quarters and their hour", []hour{{0, market.FromENTSOE, market.PT15M, []float64{5, 5, 5, 5}}, {1, market.FromRTE, market.PT60M, []float64{5}}}, nil},
		{"the quarters that are served, not the hour before them", []hour{{0, market.FromENTSOE, market.PT60M, []float64{5}}, {1, market.FromRTE, market.PT60M, []float64{5}},
			{2, market.FromENTSOE, market.PT15M, []float64{5, 5, 5, 8}}}, []store.PriceDifference{
			{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 1, Largest: 3, Seen: minute(2)},
			{Date: date("2026-07-14"), Between: "PT15M/PT60M", Quarters: 4, Largest: 0.75, Seen: minute(2)}}},
		{"an hour that comes for quarters and is not their mean", []hour{{0, market.FromENTSOE, market.PT15M, []float64{5, 5, 5, 8}}, {1, market.FromENTSOE, market.PT60M, []float64{300}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "PT15M/PT60M", Quarters: 4, Largest: 294.25, Seen: minute(1)}}},
		{"an hour that is the mean of its quarters to a cent", []hour{{0, market.FromENTSOE, market.PT15M, []float64{5, 5, 5, 5.04}}, {1, market.FromENTSOE, market.PT60M, []float64{5}}}, nil},
		{"an hour that is a little more than a cent off", []hour{{0, market.FromENTSOE, market.PT15M, []float64{5, 5, 5, 5.05}}, {1, market.FromENTSOE, market.PT60M, []float64{5}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "PT15M/PT60M", Quarters: 4, Largest: 0.0125, Seen: minute(1)}}},
		{"an hour of which a quarter is missing has no mean", []hour{{0, market.FromENTSOE, market.PT15M, []float64{5, 5, 5}}, {1, market.FromENTSOE, market.PT60M, []float64{300}}}, nil},
		{"half hours and their hour", []hour{{0, market.FromENTSOE, market.PT30M, []float64{5, 7}}, {1, market.FromENTSOE, market.PT60M, []float64{7}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "PT30M/PT60M", Quarters: 4, Largest: 1, Seen: minute(1)}}},
		{"a correction", []hour{{0, market.FromENTSOE, market.PT60M, []float64{5}}, {1, market.FromRTE, market.PT60M, []float64{5}}, {2, market.FromENTSOE, market.PT60M, []float64{6}}},
			[]store.PriceDifference{{Date: date("2026-07-14"), Between: "ENTSO-E/RTE", Quarters: 4, Largest: 1, Seen: minute(2)}}},
		{"a correction that brings them together", []hour{{0, market.FromENTSOE, market.PT60M, []float64{5}}, {1, market.FromRTE, market.PT60M, []float64{7}},
			{2, market.FromENTSOE, market.PT60M, []float64{7}}}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openNew(t)
			for _, h := range row.hours {
				var prices []market.Price
				for i, price := range h.prices {
					prices = append(prices, market.Price{Start: start + int64(i)*h.resolution.Seconds(), Resolution: h.resolution, Source: h.source, Price: market.Num(price)})
				}
				commit(t, s, runAt(h.n, market.DayAheadPrices), market.Prices.Batch(prices))
			}
			got, err := s.PriceDifferences(t.Context(), date("2026-07-14"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPricesOfBothSourcesAreCountedOnce(t *testing.T) {
	t.Parallel()
	day, other := date("2026-07-14"), date("2026-07-15")
	s := openNew(t)
	price := func(d market.DeliveryDate, quarter int64, source market.PriceSource) market.Price {
		return market.Price{Start: d.Period().Start + quarter*market.QuarterSeconds, Resolution: market.PT15M, Source: source, Price: market.Num(1)}
	}
	commit(t, s, runAt(0, market.DayAheadPrices), market.Prices.Batch([]market.Price{
		price(day, 0, market.FromENTSOE), price(day, 1, market.FromENTSOE), price(day, 0, market.FromRTE), price(day, 1, market.FromRTE), price(other, 0, market.FromRTE),
	}))
	coverage, err := s.Coverage(t.Context(), market.DayAheadPrices, day, other)
	if err != nil || coverage.Rows() != 3 {
		t.Errorf("%d rows, %v; want 3", coverage.Rows(), err)
	}
}
