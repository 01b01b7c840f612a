package market_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store/market"
)

func TestQuarters(t *testing.T) {
	t.Parallel()
	const q = market.QuarterSeconds
	price := func(start int64, resolution market.Resolution, value float64) market.Price {
		return market.Price{Start: start, Resolution: resolution, Price: market.Num(value)}
	}
	quarter := func(start int64, value float64) market.Quarter {
		return market.Quarter{Start: start, Price: market.Num(value)}
	}
	for _, c := range []struct {
		name   string
		prices []market.Price
		want   []market.Quarter
	}{
		{name: "nothing is nothing"},
		{
			name:   "an hour is four quarters of its price",
			prices: []market.Price{price(0, market.PT60M, 7)},
			want:   []market.Quarter{quarter(0, 7), quarter(q, 7), quarter(2*q, 7), quarter(3*q, 7)},
		},
		{
			name:   "half an hour is two",
			prices: []market.Price{price(2*q, market.PT30M, -3)},
			want:   []market.Quarter{quarter(2*q, -3), quarter(3*q, -3)},
		},
		{
			name:   "a quarter is itself",
			prices: []market.Price{price(q, market.PT15M, 0)},
			want:   []market.Quarter{quarter(q, 0)},
		},
		{
			name:   "the finer stands where both are, the hour elsewhere",
			prices: []market.Price{price(0, market.PT60M, 1), price(2*q, market.PT15M, 2)},
			want:   []market.Quarter{quarter(0, 1), quarter(q, 1), quarter(2*q, 2), quarter(3*q, 1)},
		},
		{
			name:   "whichever comes first",
			prices: []market.Price{price(2*q, market.PT15M, 2), price(0, market.PT60M, 1)},
			want:   []market.Quarter{quarter(0, 1), quarter(q, 1), quarter(2*q, 2), quarter(3*q, 1)},
		},
		{
			name:   "three resolutions at once",
			prices: []market.Price{price(0, market.PT60M, 1), price(0, market.PT30M, 2), price(0, market.PT15M, 3)},
			want:   []market.Quarter{quarter(0, 3), quarter(q, 2), quarter(2*q, 1), quarter(3*q, 1)},
		},
		{
			name:   "ascending, with the gap left open",
			prices: []market.Price{price(8*q, market.PT15M, 2), price(0, market.PT15M, 1)},
			want:   []market.Quarter{quarter(0, 1), quarter(8*q, 2)},
		},
		{
			name:   "an unknown resolution covers nothing",
			prices: []market.Price{price(0, "PT5M", 1), price(0, "", 1)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := cmp.Diff(nil, c.prices)
			got := market.Quarters(c.prices)
			if len(got) == 0 && len(c.want) == 0 {
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if cmp.Diff(nil, c.prices) != given {
				t.Error("the prices that were given have changed")
			}
		})
	}
}

func TestPricesOfENTSOEComeBeforeThoseOfRTE(t *testing.T) {
	t.Parallel()
	const hour = 3600
	prices := []market.Price{
		{Start: 0, Resolution: market.PT15M, Source: market.FromRTE, Price: market.Num(1)},
		{Start: hour, Resolution: market.PT15M, Source: market.FromRTE, Price: market.Num(2)},
		{Start: 0, Resolution: market.PT60M, Price: market.Num(3)},
	}
	want := []market.Quarter{
		{Start: 0, Price: market.Num(3)}, {Start: 900, Price: market.Num(3)}, {Start: 1800, Price: market.Num(3)}, {Start: 2700, Price: market.Num(3)},
		{Start: hour, Price: market.Num(2), Source: market.FromRTE},
	}
	if diff := cmp.Diff(want, market.Quarters(prices)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryQuarterHasTheFinestPriceThatCoversIt(t *testing.T) {
	t.Parallel()
	resolutions := []market.Resolution{market.PT15M, market.PT30M, market.PT60M}
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) market.Price {
			resolution := rapid.SampledFrom(resolutions).Draw(t, "resolution")
			return market.Price{
				Start:      resolution.Seconds() * rapid.Int64Range(0, 24*3600/resolution.Seconds()-1).Draw(t, "slot"),
				Resolution: resolution,
				Price:      market.Num(rapid.Float64Range(-500, 4000).Draw(t, "price")),
			}
		}), 0, 60, func(p market.Price) market.Price { return market.Price{Start: p.Start, Resolution: p.Resolution} }).Draw(t, "prices")
		var want []market.Quarter
		for start := int64(0); start < 24*3600; start += market.QuarterSeconds {
			var finest *market.Price
			for i, p := range drawn {
				covers := p.Start <= start && start < p.Start+p.Resolution.Seconds()
				if covers && (finest == nil || p.Resolution.Seconds() < finest.Resolution.Seconds()) {
					finest = &drawn[i]
				}
			}
			if finest != nil {
				want = append(want, market.Quarter{Start: start, Price: finest.Price})
			}
		}
		if got := market.Quarters(drawn); len(got)+len(want) > 0 && !cmp.Equal(want, got) {
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, got))
		}
	})
}
