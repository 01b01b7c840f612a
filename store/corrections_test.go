package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

// The tests count minutes from 15 July at dawn, so 14 July is over and the 15th and 16th are not.
func TestCorrectionsOfDatesThatAreNotOverAreListed(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	price := func(day string, quarter int, price float64) market.Price {
		return market.Price{Start: date(day).Period().Start + int64(quarter)*market.QuarterSeconds, Resolution: market.PT15M, Price: market.Num(price)}
	}
	step := market.MFRRStep{Start: date("2026-07-15").Period().Start, Direction: market.Upward, ClearingPrice: market.Num(7)}
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{Start: step.Start, DemandMW: market.Num(1)}, {Start: step.Start + 4, DemandMW: market.Num(1)}}))
	commit(t, s, runAt(3, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{Start: step.Start, DemandMW: market.Num(2), UpwardPrice: market.Num(9)}}))
	commit(t, s, runAt(0, market.DayAheadPrices, market.MFRREnergy), market.Prices.Batch([]market.Price{price("2026-07-14", 0, 1), price("2026-07-16", 0, 1), price("2026-07-16", 1, 1), price("2026-07-16", 2, 1)}).With(market.MFRR.Batch([]market.MFRRStep{step})))
	filled, withdrawn := step, step
	filled.SubmittedOffersMW = market.Num(3) // what comes later is no correction
	withdrawn.ClearingPrice = market.Number{Withdrawn: true}
	commit(t, s, runAt(1, market.DayAheadPrices, market.MFRREnergy), market.Prices.Batch([]market.Price{price("2026-07-14", 0, 2), price("2026-07-16", 0, 2), price("2026-07-16", 1, 1), price("2026-07-16", 2, 2)}).With(market.MFRR.Batch([]market.MFRRStep{filled})))
	commit(t, s, runAt(2, market.DayAheadPrices, market.MFRREnergy), market.Prices.Batch([]market.Price{price("2026-07-16", 0, 3)}).With(market.MFRR.Batch([]market.MFRRStep{withdrawn})))
	var got []store.Correction
	for _, dataset := range market.Datasets() {
		corrections, err := s.Corrections(t.Context(), dataset, date("2026-07-14"), date("2026-07-16"))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, corrections...)
	}
	want := []store.Correction{
		{Dataset: market.DayAheadPrices, Date: date("2026-07-16"), Values: 2, Seen: minute(2)},
		{Dataset: market.AFRREnergy, Date: date("2026-07-15"), Values: 1, Seen: minute(3)},
		{Dataset: market.MFRREnergy, Date: date("2026-07-15"), Values: 1, Seen: minute(2)},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
