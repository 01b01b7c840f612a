package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store"
)

func TestQuarters(t *testing.T) {
	const q = store.QuarterSeconds
	price := func(start int64, resolution store.Resolution, value float64) store.Price {
		return store.Price{Start: start, Resolution: resolution, Price: store.Num(value)}
	}
	quarter := func(start int64, value float64) store.Quarter {
		return store.Quarter{Start: start, Price: store.Num(value)}
	}
	for _, c := range []struct {
		name   string
		prices []store.Price
		want   []store.Quarter
	}{
		{name: "nothing is nothing"},
		{
			name:   "an hour is four quarters of its price",
			prices: []store.Price{price(0, store.PT60M, 7)},
			want:   []store.Quarter{quarter(0, 7), quarter(q, 7), quarter(2*q, 7), quarter(3*q, 7)},
		},
		{
			name:   "half an hour is two",
			prices: []store.Price{price(2*q, store.PT30M, -3)},
			want:   []store.Quarter{quarter(2*q, -3), quarter(3*q, -3)},
		},
		{
			name:   "a quarter is itself",
			prices: []store.Price{price(q, store.PT15M, 0)},
			want:   []store.Quarter{quarter(q, 0)},
		},
		{
			name:   "the finer stands where both are, the hour elsewhere",
			prices: []store.Price{price(0, store.PT60M, 1), price(2*q, store.PT15M, 2)},
			want:   []store.Quarter{quarter(0, 1), quarter(q, 1), quarter(2*q, 2), quarter(3*q, 1)},
		},
		{
			name:   "whichever comes first",
			prices: []store.Price{price(2*q, store.PT15M, 2), price(0, store.PT60M, 1)},
			want:   []store.Quarter{quarter(0, 1), quarter(q, 1), quarter(2*q, 2), quarter(3*q, 1)},
		},
		{
			name:   "three resolutions at once",
			prices: []store.Price{price(0, store.PT60M, 1), price(0, store.PT30M, 2), price(0, store.PT15M, 3)},
			want:   []store.Quarter{quarter(0, 3), quarter(q, 2), quarter(2*q, 1), quarter(3*q, 1)},
		},
		{
			name:   "ascending, with the gap left open",
			prices: []store.Price{price(8*q, store.PT15M, 2), price(0, store.PT15M, 1)},
			want:   []store.Quarter{quarter(0, 1), quarter(8*q, 2)},
		},
		{
			name:   "an unknown resolution covers nothing",
			prices: []store.Price{price(0, "PT5M", 1), price(0, "", 1)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := cmp.Diff(nil, c.prices)
			got := store.Quarters(c.prices)
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

func TestWhatENTSOEGivesStandsBeforeWhatStandsInForIt(t *testing.T) {
	const hour = 3600
	prices := []store.Price{
		{Start: 0, Resolution: store.PT15M, Source: store.FromRTE, Price: store.Num(1)},
		{Start: hour, Resolution: store.PT15M, Source: store.FromRTE, Price: store.Num(2)},
		{Start: 0, Resolution: store.PT60M, Price: store.Num(3)},
	}
	want := []store.Quarter{
		{Start: 0, Price: store.Num(3)}, {Start: 900, Price: store.Num(3)}, {Start: 1800, Price: store.Num(3)}, {Start: 2700, Price: store.Num(3)},
		{Start: hour, Price: store.Num(2), Source: store.FromRTE},
	}
	if diff := cmp.Diff(want, store.Quarters(prices)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryQuarterHasTheFinestPriceThatCoversIt(t *testing.T) {
	resolutions := []store.Resolution{store.PT15M, store.PT30M, store.PT60M}
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) store.Price {
			resolution := rapid.SampledFrom(resolutions).Draw(t, "resolution")
			return store.Price{
				Start:      resolution.Seconds() * rapid.Int64Range(0, 24*3600/resolution.Seconds()-1).Draw(t, "slot"),
				Resolution: resolution,
				Price:      store.Num(rapid.Float64Range(-500, 4000).Draw(t, "price")),
			}
		}), 0, 60, func(p store.Price) store.Price { return store.Price{Start: p.Start, Resolution: p.Resolution} }).Draw(t, "prices")
		var want []store.Quarter
		for start := int64(0); start < 24*3600; start += store.QuarterSeconds {
			var finest *store.Price
			for i, p := range drawn {
				covers := p.Start <= start && start < p.Start+p.Resolution.Seconds()
				if covers && (finest == nil || p.Resolution.Seconds() < finest.Resolution.Seconds()) {
					finest = &drawn[i]
				}
			}
			if finest != nil {
				want = append(want, store.Quarter{Start: start, Price: finest.Price})
			}
		}
		if got := store.Quarters(drawn); len(got)+len(want) > 0 && !cmp.Equal(want, got) {
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, got))
		}
	})
}
