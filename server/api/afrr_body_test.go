package api_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

type afrrRow struct {
	Start     word  `json:"period_start_utc"`
	End       word  `json:"period_end_utc"`
	Up        value `json:"upward_price_eur_mwh"`
	Down      value `json:"downward_price_eur_mwh"`
	Demand    value `json:"pdemand_mw"`
	ForFrance value `json:"afrr_for_france_mw"`
	InFrance  value `json:"afrr_in_france_mw"`
	Picasso   yesNo `json:"picasso_connection"`
	Prorata   yesNo `json:"prorata_mode"`
}

type bucketRow struct {
	Start word  `json:"bucket_start_utc"`
	End   word  `json:"bucket_end_utc"`
	Up    value `json:"upward_price_eur_mwh"`
	Down  value `json:"downward_price_eur_mwh"`
}

type afrrAnswer struct {
	Date        word        `json:"latestDeliveryDateParis"`
	Fetched     word        `json:"latestFetchedAtUtc"`
	Start       word        `json:"latestPeriodStartUtc"`
	End         word        `json:"latestPeriodEndUtc"`
	Resolution  int         `json:"resolutionSeconds"`
	RowCount    int         `json:"rowCount"`
	AverageUp   value       `json:"averageUpwardPrice"`
	AverageDown value       `json:"averageDownwardPrice"`
	Latest      *afrrRow    `json:"latestRow"`
	Recent      []afrrRow   `json:"recentRows"`
	Chart       []bucketRow `json:"chartRows"`
}

// afrrStep is a step as the source gives it and as the API shows it.
type afrrStep struct {
	start int64
	row   afrrRow
}

func newAFRRStep(start int64, up, down value) afrrStep {
	return afrrStep{start, afrrRow{Start: utc(start), End: utc(start + 4), Up: up, Down: down}}
}

func storedAFRR(steps []afrrStep) market.Batch {
	var batch market.Batch
	for _, s := range steps {
		market.AFRR.Put(&batch, append(market.AFRR.In(batch), market.AFRRStep{
			Start: s.start, UpwardPrice: s.row.Up.number(), DownwardPrice: s.row.Down.number(), DemandMW: s.row.Demand.number(),
			ForFranceMW: s.row.ForFrance.number(), InFranceMW: s.row.InFrance.number(),
			PicassoConnection: s.row.Picasso.flag(), ProrataMode: s.row.Prorata.flag(),
		}))
	}
	return batch
}

// wantAFRR is the answer for the ascending steps of one date.
func wantAFRR(date word, steps []afrrStep) afrrAnswer {
	last := steps[len(steps)-1].row
	want := afrrAnswer{
		Date: date, Fetched: fetched, Start: last.Start, End: last.End, Resolution: 4, RowCount: len(steps), Latest: &last,
		Recent: []afrrRow{}, Chart: []bucketRow{},
	}
	var up, down []value
	bucketUp, bucketDown := map[int64][]value{}, map[int64][]value{}
	var buckets []int64
	for _, s := range steps {
		up, down = append(up, s.row.Up), append(down, s.row.Down)
		bucket := s.start / 300 * 300
		if !slices.Contains(buckets, bucket) {
			buckets = append(buckets, bucket)
		}
		bucketUp[bucket], bucketDown[bucket] = append(bucketUp[bucket], s.row.Up), append(bucketDown[bucket], s.row.Down)
	}
	for i := len(steps) - 1; i >= 0 && len(want.Recent) < 50; i-- {
		want.Recent = append(want.Recent, steps[i].row)
	}
	want.AverageUp, want.AverageDown = meanOf(up), meanOf(down)
	for _, bucket := range buckets {
		want.Chart = append(want.Chart, bucketRow{utc(bucket), utc(bucket + 300), meanOf(bucketUp[bucket]), meanOf(bucketDown[bucket])})
	}
	return want
}

func TestAFRRDayIsAnsweredWhateverItsLength(t *testing.T) {
	t.Parallel()
	for _, day := range storetest.Some(2, civilDays) {
		t.Run(string(day.date), func(t *testing.T) {
			f, m := open(t), newMarket()
			var steps []afrrStep
			for _, start := range starts(day.start, day.end, 4) {
				s := newAFRRStep(start, m.between(-900, 900, 2, 20), m.between(-900, 900, 2, 20))
				s.row.Demand, s.row.ForFrance, s.row.InFrance = m.between(-900, 900, 4, 9), m.between(-900, 900, 4, 9), m.between(-900, 900, 4, 9)
				s.row.Picasso, s.row.Prorata = m.oneOf("true", "false", ""), m.oneOf("true", "false", "")
				steps = append(steps, s)
			}
			// The date before is stored too, and none of it is answered.
			before := newAFRRStep(at(day.start)-4, "1", "1")
			f.commit(t, storedAFRR(append([]afrrStep{before}, steps...)))
			body := f.body(t, "afrr-energy")
			same(t, body, wantAFRR(day.date, steps))
			var got afrrAnswer
			must(t, json.Unmarshal(body, &got))
			var buckets []word
			for _, row := range got.Chart {
				buckets = append(buckets, row.Start)
			}
			checkSteps(t, day, 300, buckets)
			if got.RowCount != day.steps || len(got.Recent) != 50 {
				t.Errorf("rowCount %d and %d recent rows, want %d and 50", got.RowCount, len(got.Recent), day.steps)
			}
		})
	}
}

func TestAFRRAnswersWithFewRows(t *testing.T) {
	t.Parallel()
	const start = "2026-07-15T10:00:00Z"
	full := newAFRRStep(at(start), "-0.5", "0")
	full.row.Demand, full.row.ForFrance, full.row.InFrance, full.row.Picasso, full.row.Prorata = "-12.3456", "0", "7", "true", "false"
	for name, steps := range map[string][]afrrStep{
		"one row":                   {full},
		"one row of nulls":          {newAFRRStep(at(start), "", "")},
		"the newest has no price":   {full, newAFRRStep(at(start)+4, "", "")},
		"one direction":             {newAFRRStep(at(start), "", "12.01"), newAFRRStep(at(start)+4, "", "12.02")},
		"the last step of a bucket": {newAFRRStep(at(start)+296, "1", "2"), newAFRRStep(at(start)+300, "3", "4")},
		"a bucket of nulls":         {newAFRRStep(at(start), "1", ""), newAFRRStep(at(start)+300, "", ""), newAFRRStep(at(start)+600, "", "2")},
		"a hole of an hour":         {newAFRRStep(at(start), "1", "1"), newAFRRStep(at(start)+3600, "1", "1")},
		"the first step of the day": {newAFRRStep(at("2026-07-14T22:00:00Z"), "1", "1")},
		"the last step of the day":  {newAFRRStep(at("2026-07-15T21:59:56Z"), "1", "1")},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			f.commit(t, storedAFRR(steps))
			same(t, f.body(t, "afrr-energy"), wantAFRR("2026-07-15", steps))
		})
	}
}

func TestAveragesRoundHalvesAwayFromZero(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		prices []value
		want   value
	}{
		{[]value{"0.01", "0"}, "0.01"},
		{[]value{"-0.01", "0"}, "-0.01"},
		{[]value{"1.01", "1.02"}, "1.02"},
		{[]value{"-1.01", "-1.02"}, "-1.02"},
		{[]value{"2.675"}, "2.68"}, // as a float it is a little less
		{[]value{"-2.675"}, "-2.68"},
		{[]value{"0.004999"}, "0"},
		{[]value{"-0.004999"}, "0"},
		{[]value{"0.005", "", ""}, "0.01"},
		{[]value{"1", "2", "2"}, "1.67"},
		{[]value{"-1", "-2", "-2"}, "-1.67"},
		{[]value{"100000", "99999.99"}, "100000"},
		{[]value{"", ""}, ""},
		{[]value{"0.1", "0.2"}, "0.15"},
		{[]value{"-5", "5"}, "0"},
		{[]value{"10", "10.1"}, "10.05"},
	} {
		if test.want != meanOf(test.prices) {
			t.Errorf("the test itself takes the mean of %v for %s, not %s", test.prices, meanOf(test.prices), test.want)
		}
		var steps []market.AFRRStep
		for i, price := range test.prices {
			steps = append(steps, market.AFRRStep{Start: int64(4 * i), UpwardPrice: price.number()})
		}
		var got afrrAnswer
		must(t, json.Unmarshal(api.BodyOf(market.AFRREnergy, store.Window{Rows: market.AFRR.Serve(steps)}), &got))
		if got.AverageUp != test.want || got.AverageDown != "" {
			t.Errorf("the mean of %v is %q, want %q", test.prices, got.AverageUp, test.want)
		}
	}
}

func TestAveragesAreThoseOfExactArithmetic(t *testing.T) {
	t.Parallel()
	storetest.Check(t, func(t *rapid.T) {
		var steps []market.AFRRStep
		var up []value
		for i, n := range rapid.SliceOfN(rapid.Int64Range(-100_000_000_000, 100_000_000_000), 1, 80).Draw(t, "prices in millionths") {
			price := millionths(n)
			if n%7 == 0 {
				price = ""
			}
			up = append(up, price)
			steps = append(steps, market.AFRRStep{Start: int64(4 * i), UpwardPrice: price.number()})
		}
		var got afrrAnswer
		if err := json.Unmarshal(api.BodyOf(market.AFRREnergy, store.Window{Rows: market.AFRR.Serve(steps)}), &got); err != nil {
			t.Fatal(err)
		}
		if want := meanOf(up); got.AverageUp != want {
			t.Fatalf("the mean of %v is %s, want %s", up, got.AverageUp, want)
		}
	})
}
