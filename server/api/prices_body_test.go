package api_test

import (
	"encoding/json"
	"testing"

	"courant/server/api"
	"courant/store/market"
)

type priceRow struct {
	Start word  `json:"hour_start_utc"`
	End   word  `json:"hour_end_utc"`
	Price value `json:"price_eur_mwh"`
}

type pricesAnswer struct {
	Rows     []priceRow `json:"rows"`
	Latest   word       `json:"latestDate"`
	Earliest word       `json:"earliestDate"`
}

func quarterOf(start int64, price value) priceRow {
	return priceRow{utc(start), utc(start + 900), price}
}

func TestPricesOfEveryQuarterHourOfADayAreServedWhateverItsLength(t *testing.T) {
	t.Parallel()
	for _, day := range civilDays {
		t.Run(string(day.date), func(t *testing.T) {
			f, m := open(t), newMarket()
			var batch market.Batch
			want := pricesAnswer{Latest: day.date, Earliest: day.date}
			for _, start := range starts(day.start, day.end, 900) {
				price := m.between(-500, 4000, 2, 0)
				market.Prices.Put(&batch, append(market.Prices.In(batch), market.Price{Start: start, Resolution: market.PT15M, Price: price.number()}))
				want.Rows = append(want.Rows, quarterOf(start, price))
			}
			f.commit(t, batch)
			body := f.body(t, "day-ahead-prices")
			same(t, body, want)
			var got pricesAnswer
			must(t, json.Unmarshal(body, &got))
			var begins []word
			for _, row := range got.Rows {
				begins = append(begins, row.Start)
			}
			checkSteps(t, day, 900, begins)
			if len(begins) != day.quarters {
				t.Errorf("%d rows, want %d", len(begins), day.quarters)
			}
		})
	}
}

func TestPricesOfHoursAreServedAsFourQuarters(t *testing.T) {
	t.Parallel()
	price := func(start string, resolution market.Resolution, price value) market.Price {
		return market.Price{Start: at(start), Resolution: resolution, Price: price.number()}
	}
	for name, test := range map[string]struct {
		prices []market.Price
		want   []priceRow
	}{
		"one hour": {
			[]market.Price{price("2025-09-30T10:00:00Z", market.PT60M, "-12.5")},
			[]priceRow{
				quarterOf(at("2025-09-30T10:00:00Z"), "-12.5"), quarterOf(at("2025-09-30T10:15:00Z"), "-12.5"),
				quarterOf(at("2025-09-30T10:30:00Z"), "-12.5"), quarterOf(at("2025-09-30T10:45:00Z"), "-12.5"),
			},
		},
		"half an hour": {
			[]market.Price{price("2025-09-30T10:30:00Z", market.PT30M, "7")},
			[]priceRow{quarterOf(at("2025-09-30T10:30:00Z"), "7"), quarterOf(at("2025-09-30T10:45:00Z"), "7")},
		},
		"a finer price stands where a coarser one covers it too": {
			[]market.Price{
				price("2025-09-30T10:00:00Z", market.PT60M, "60"), price("2025-09-30T10:30:00Z", market.PT30M, "30"),
				price("2025-09-30T10:45:00Z", market.PT15M, "0"),
			},
			[]priceRow{
				quarterOf(at("2025-09-30T10:00:00Z"), "60"), quarterOf(at("2025-09-30T10:15:00Z"), "60"),
				quarterOf(at("2025-09-30T10:30:00Z"), "30"), quarterOf(at("2025-09-30T10:45:00Z"), "0"),
			},
		},
		"an hour that is not stored is not filled": {
			[]market.Price{price("2025-09-30T12:15:00Z", market.PT15M, "2"), price("2025-09-30T10:00:00Z", market.PT15M, "1")},
			[]priceRow{quarterOf(at("2025-09-30T10:00:00Z"), "1"), quarterOf(at("2025-09-30T12:15:00Z"), "2")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			f.commit(t, market.Prices.Batch(test.prices))
			same(t, f.body(t, "day-ahead-prices"), pricesAnswer{test.want, "2025-09-30", "2025-09-30"})
		})
	}
}

// middays are noons in Paris of the window's dates and those around it: the last date is 2026-04-10, and the clock
// changes on 2026-03-29.
const (
	lastMidday       = "2026-04-10T10:00:00Z"
	firstMidday      = "2026-03-13T11:00:00Z" // 28 calendar dates before
	firstMidnight    = "2026-03-12T23:00:00Z"
	lastBeforeWindow = "2026-03-12T22:45:00Z"
)

func TestPricesWindowIsTheLastDateAndThe28CalendarDatesBefore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stored   []string
		served   []string
		earliest word
	}{
		"all of it":        {[]string{lastBeforeWindow, firstMidnight, lastMidday}, []string{firstMidnight, lastMidday}, "2026-03-13"},
		"holes in it":      {[]string{firstMidday, "2026-03-20T11:00:00Z", lastMidday}, []string{firstMidday, "2026-03-20T11:00:00Z", lastMidday}, "2026-03-13"},
		"a hole before it": {[]string{lastBeforeWindow, "2026-03-20T11:00:00Z", lastMidday}, []string{"2026-03-20T11:00:00Z", lastMidday}, "2026-03-20"},
		"only older dates": {[]string{"2020-01-01T11:00:00Z", lastMidday}, []string{lastMidday}, "2026-04-10"},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			var batch market.Batch
			for _, start := range test.stored {
				market.Prices.Put(&batch, append(market.Prices.In(batch), market.Price{Start: at(start), Resolution: market.PT15M, Price: market.Num(1)}))
			}
			f.commit(t, batch)
			want := pricesAnswer{Latest: "2026-04-10", Earliest: test.earliest}
			for _, start := range test.served {
				want.Rows = append(want.Rows, quarterOf(at(start), "1"))
			}
			same(t, f.body(t, "day-ahead-prices"), want)
		})
	}
}

func TestWindowDaysIsConfigured(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.WindowDays = 2 })
	f.commit(t, market.Prices.Batch([]market.Price{
		{Start: at("2026-03-28T22:45:00Z"), Resolution: market.PT15M, Price: market.Num(1)},
		{Start: at("2026-03-28T23:00:00Z"), Resolution: market.PT15M, Price: market.Num(2)},
		{Start: at("2026-03-30T10:00:00Z"), Resolution: market.PT15M, Price: market.Num(3)},
	}))
	same(t, f.body(t, "day-ahead-prices"), pricesAnswer{
		[]priceRow{quarterOf(at("2026-03-28T23:00:00Z"), "2"), quarterOf(at("2026-03-30T10:00:00Z"), "3")},
		"2026-03-30", "2026-03-29",
	})
}
