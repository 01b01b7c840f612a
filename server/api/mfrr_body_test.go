package api_test

import (
	"encoding/json"
	"slices"
	"testing"

	"courant/store/market"
)

type mfrrRow struct {
	Start      word  `json:"period_start_utc"`
	End        word  `json:"period_end_utc"`
	Direction  word  `json:"direction"`
	Clearing   value `json:"clearing_price_eur_mwh"`
	Current    value `json:"settlement_price_current_eur_mwh"`
	Previous   value `json:"settlement_price_previous_eur_mwh"`
	Requested  value `json:"total_requested_volume_sa_mw"`
	RequestedD value `json:"total_requested_volume_da_mw"`
	Satisfied  value `json:"total_satisfied_need_sa_mw"`
	SatisfiedD value `json:"total_satisfied_need_da_mw"`
	Activated  value `json:"total_activated_volume_sa_mw"`
	ActivatedD value `json:"total_activated_volume_da_mw"`
	Submitted  value `json:"total_volume_submitted_offers_mw"`
	Filtered   value `json:"total_volume_filtered_offers_mw"`
}

type mfrrQuarterRow struct {
	Start word  `json:"period_start_utc"`
	End   word  `json:"period_end_utc"`
	Up    value `json:"upward_price_eur_mwh"`
	Down  value `json:"downward_price_eur_mwh"`
}

type mfrrAnswer struct {
	Date        word             `json:"latestDeliveryDateParis"`
	Fetched     word             `json:"latestFetchedAtUtc"`
	Start       word             `json:"latestPeriodStartUtc"`
	End         word             `json:"latestPeriodEndUtc"`
	Resolution  int              `json:"resolutionSeconds"`
	RowCount    int              `json:"rowCount"`
	AverageUp   value            `json:"averageUpwardPrice"`
	AverageDown value            `json:"averageDownwardPrice"`
	LatestUp    *mfrrRow         `json:"latestUpwardRow"`
	LatestDown  *mfrrRow         `json:"latestDownwardRow"`
	Recent      []mfrrQuarterRow `json:"recentRows"`
	Chart       []mfrrQuarterRow `json:"chartRows"`
}

type mfrrStep struct {
	start int64
	row   mfrrRow
}

// bareMFRR is a row without any value, which the source publishes too.
func bareMFRR(start int64, direction market.Direction) mfrrStep {
	return mfrrStep{start, mfrrRow{Start: utc(start), End: utc(start + 900), Direction: word(direction)}}
}

func clearedMFRR(start int64, direction market.Direction, price value) mfrrStep {
	s := bareMFRR(start, direction)
	s.row.Clearing = price
	return s
}

func storedMFRR(steps []mfrrStep) market.Batch {
	var batch market.Batch
	for _, s := range steps {
		market.MFRR.Put(&batch, append(market.MFRR.In(batch), market.MFRRStep{
			Start: s.start, Direction: market.Direction(s.row.Direction), ClearingPrice: s.row.Clearing.number(),
			SettlementPriceCurrent: s.row.Current.number(), SettlementPricePrevious: s.row.Previous.number(),
			RequestedVolumeSAMW: s.row.Requested.number(), RequestedVolumeDAMW: s.row.RequestedD.number(),
			SatisfiedNeedSAMW: s.row.Satisfied.number(), SatisfiedNeedDAMW: s.row.SatisfiedD.number(),
			ActivatedVolumeSAMW: s.row.Activated.number(), ActivatedVolumeDAMW: s.row.ActivatedD.number(),
			SubmittedOffersMW: s.row.Submitted.number(), FilteredOffersMW: s.row.Filtered.number(),
		}))
	}
	return batch
}

// wantMFRR is the answer for the steps of one date, in any order.
func wantMFRR(date word, steps []mfrrStep) mfrrAnswer {
	want := mfrrAnswer{Date: date, Fetched: fetched, Resolution: 900, RowCount: len(steps), Recent: []mfrrQuarterRow{}, Chart: []mfrrQuarterRow{}}
	prices := map[word][]value{}
	quarters := map[word]*mfrrQuarterRow{}
	newest := map[word]*mfrrRow{}
	valued := map[word]*mfrrRow{}
	for _, s := range steps {
		row, direction := s.row, s.row.Direction
		prices[direction] = append(prices[direction], row.Clearing)
		if quarters[row.Start] == nil {
			quarters[row.Start] = &mfrrQuarterRow{Start: row.Start, End: row.End}
		}
		if direction == "UPWARD" {
			quarters[row.Start].Up = row.Clearing
		} else {
			quarters[row.Start].Down = row.Clearing
		}
		if newest[direction] == nil || newest[direction].Start < row.Start {
			newest[direction] = &row
		}
		if row != bareMFRR(s.start, market.Direction(direction)).row && (valued[direction] == nil || valued[direction].Start < row.Start) {
			valued[direction] = &row
		}
	}
	for _, quarter := range quarters {
		want.Chart = append(want.Chart, *quarter)
	}
	slices.SortFunc(want.Chart, func(a, b mfrrQuarterRow) int {
		if a.Start < b.Start {
			return -1
		}
		return 1
	})
	for i := len(want.Chart) - 1; i >= 0 && len(want.Recent) < 50; i-- {
		want.Recent = append(want.Recent, want.Chart[i])
	}
	want.Start, want.End = want.Recent[0].Start, want.Recent[0].End
	want.AverageUp, want.AverageDown = meanOf(prices["UPWARD"]), meanOf(prices["DOWNWARD"])
	for direction, into := range map[word]**mfrrRow{"UPWARD": &want.LatestUp, "DOWNWARD": &want.LatestDown} {
		if *into = valued[direction]; *into == nil {
			*into = newest[direction]
		}
	}
	return want
}

func TestMFRRDayIsAnsweredWhateverItsLength(t *testing.T) {
	t.Parallel()
	for _, day := range civilDays {
		t.Run(string(day.date), func(t *testing.T) {
			f, m := open(t), newMarket()
			volume := func() value { return m.between(0, 900, 1, 3) }
			var steps []mfrrStep
			for i, start := range starts(day.start, day.end, 900) {
				for _, direction := range []market.Direction{market.Upward, market.Downward} {
					s := bareMFRR(start, direction)
					if i%5 > 0 {
						s.row.Clearing, s.row.Current, s.row.Previous = m.between(-900, 900, 2, 4), m.between(-900, 900, 2, 4), m.between(-900, 900, 2, 4)
						s.row.Requested, s.row.RequestedD, s.row.Satisfied, s.row.SatisfiedD = volume(), volume(), volume(), volume()
						s.row.Activated, s.row.ActivatedD, s.row.Submitted, s.row.Filtered = volume(), volume(), volume(), volume()
					}
					steps = append(steps, s)
				}
			}
			f.commit(t, storedMFRR(append(steps, clearedMFRR(at(day.start)-900, market.Upward, "1"))))
			body := f.body(t, "mfrr-energy")
			same(t, body, wantMFRR(day.date, steps))
			var got mfrrAnswer
			must(t, json.Unmarshal(body, &got))
			var quarters []word
			for _, row := range got.Chart {
				quarters = append(quarters, row.Start)
			}
			checkSteps(t, day, 900, quarters)
			if got.RowCount != 2*day.quarters || len(got.Recent) != 50 {
				t.Errorf("rowCount %d and %d recent rows, want %d and 50", got.RowCount, len(got.Recent), 2*day.quarters)
			}
		})
	}
}

func TestMFRRAnswersWithFewRows(t *testing.T) {
	t.Parallel()
	start := at("2026-07-15T10:00:00Z")
	settled := bareMFRR(start+900, market.Upward)
	settled.row.Current, settled.row.Previous = "55.5", "-1"
	filtered := bareMFRR(start+900, market.Downward)
	filtered.row.Filtered = "0"
	for name, steps := range map[string][]mfrrStep{
		"one direction only":                           {clearedMFRR(start, market.Upward, "12.5")},
		"the other direction only":                     {clearedMFRR(start, market.Downward, "-12.5")},
		"a quarter of one direction each":              {clearedMFRR(start, market.Upward, "1"), clearedMFRR(start+900, market.Downward, "2")},
		"no values at all":                             {bareMFRR(start, market.Upward), bareMFRR(start+900, market.Upward), bareMFRR(start, market.Downward)},
		"a row with a value is preferred":              {clearedMFRR(start, market.Upward, "0"), bareMFRR(start+900, market.Upward), bareMFRR(start+1800, market.Upward)},
		"the newest with a value is preferred":         {clearedMFRR(start, market.Upward, "1"), clearedMFRR(start+900, market.Upward, "2"), bareMFRR(start+1800, market.Upward)},
		"a settlement price is no price of a quarter":  {clearedMFRR(start, market.Upward, "10"), settled},
		"a volume of 0 is a value":                     {clearedMFRR(start, market.Downward, "10"), filtered, bareMFRR(start+1800, market.Downward)},
		"a hole of an hour":                            {clearedMFRR(start, market.Upward, "1"), clearedMFRR(start+3600, market.Upward, "2")},
		"the newest quarter is of the other direction": {clearedMFRR(start, market.Upward, "1"), clearedMFRR(start, market.Downward, "1"), clearedMFRR(start+900, market.Downward, "3")},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			f.commit(t, storedMFRR(steps))
			same(t, f.body(t, "mfrr-energy"), wantMFRR("2026-07-15", steps))
		})
	}
}

func TestMFRRLatestRowIsTheNewestWithAValue(t *testing.T) {
	t.Parallel()
	f := open(t)
	start := at("2026-07-15T10:00:00Z")
	f.commit(t, storedMFRR([]mfrrStep{
		clearedMFRR(start, market.Upward, "4"), bareMFRR(start+900, market.Upward),
		bareMFRR(start, market.Downward), bareMFRR(start+900, market.Downward),
	}))
	var got mfrrAnswer
	must(t, json.Unmarshal(f.body(t, "mfrr-energy"), &got))
	if got.LatestUp.Start != utc(start) || got.LatestDown.Start != utc(start+900) || got.Start != utc(start+900) || got.RowCount != 4 {
		t.Errorf("upward row of %s, downward row of %s, period %s, %d rows", got.LatestUp.Start, got.LatestDown.Start, got.Start, got.RowCount)
	}
}
