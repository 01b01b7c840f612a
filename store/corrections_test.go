package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

// The tests count minutes from 15 July at dawn, so 14 July is over and the 15th and 16th are not.
func TestCorrectionsOfDatesThatAreNotOverAreTold(t *testing.T) {
	s := openNew(t)
	price := func(day string, quarter int, price float64) store.Price {
		return store.Price{Start: date(day).Period().Start + int64(quarter)*store.QuarterSeconds, Resolution: store.PT15M, Price: store.Num(price)}
	}
	step := store.MFRRStep{Start: date("2026-07-15").Period().Start, Direction: store.Upward, ClearingPrice: store.Num(7)}
	commit(t, s, runAt(0, store.AFRREnergy), store.Batch{AFRR: []store.AFRRStep{{Start: step.Start, DemandMW: store.Num(1)}, {Start: step.Start + 4, DemandMW: store.Num(1)}}})
	commit(t, s, runAt(3, store.AFRREnergy), store.Batch{AFRR: []store.AFRRStep{{Start: step.Start, DemandMW: store.Num(2), UpwardPrice: store.Num(9)}}})
	commit(t, s, runAt(0, store.DayAheadPrices, store.MFRREnergy), store.Batch{
		Prices: []store.Price{price("2026-07-14", 0, 1), price("2026-07-16", 0, 1), price("2026-07-16", 1, 1), price("2026-07-16", 2, 1)},
		MFRR:   []store.MFRRStep{step},
	})
	filled, withdrawn := step, step
	filled.SubmittedOffersMW = store.Num(3) // what comes later is no correction
	withdrawn.ClearingPrice = store.Number{Withdrawn: true}
	commit(t, s, runAt(1, store.DayAheadPrices, store.MFRREnergy), store.Batch{
		Prices: []store.Price{price("2026-07-14", 0, 2), price("2026-07-16", 0, 2), price("2026-07-16", 1, 1), price("2026-07-16", 2, 2)},
		MFRR:   []store.MFRRStep{filled},
	})
	commit(t, s, runAt(2, store.DayAheadPrices, store.MFRREnergy), store.Batch{
		Prices: []store.Price{price("2026-07-16", 0, 3)},
		MFRR:   []store.MFRRStep{withdrawn},
	})
	var got []store.Correction
	for _, dataset := range store.Datasets() {
		corrections, err := s.Corrections(t.Context(), dataset, date("2026-07-14"), date("2026-07-16"))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, corrections...)
	}
	want := []store.Correction{
		{Dataset: store.DayAheadPrices, Date: date("2026-07-16"), Values: 2, Seen: minute(2)},
		{Dataset: store.AFRREnergy, Date: date("2026-07-15"), Values: 1, Seen: minute(3)},
		{Dataset: store.MFRREnergy, Date: date("2026-07-15"), Values: 1, Seen: minute(2)},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(store.DeliveryDate{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
