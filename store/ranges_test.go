package store_test

import (
	"slices"
	"testing"

	"courant/store"
)

func TestARangeIsWhatBeginsInThePeriod(t *testing.T) {
	s := openNew(t)
	noon := date("2026-10-25").At(12, 0).Unix()
	var batch store.Batch
	for _, start := range []int64{noon - store.QuarterSeconds, noon, noon + store.QuarterSeconds, noon + 2*store.QuarterSeconds} {
		for _, dataset := range []store.Dataset{store.FCRCapacity, store.AFRRCapacity} {
			batch.Capacity = append(batch.Capacity, store.CapacityStep{Dataset: dataset, Start: start, Direction: store.Upward, TimeHorizon: "DAILY", Product: "STD"})
		}
		batch.AFRR = append(batch.AFRR, store.AFRRStep{Start: start})
		batch.MFRR = append(batch.MFRR, store.MFRRStep{Start: start, Direction: store.Upward}, store.MFRRStep{Start: start, Direction: store.Downward})
	}
	commit(t, s, runAt(1, store.FCRCapacity, store.AFRRCapacity, store.AFRREnergy, store.MFRREnergy), batch)

	capacity := func(period store.Period) (starts []int64, err error) {
		rows, err := s.CapacityWithin(t.Context(), store.AFRRCapacity, period)
		for _, row := range rows {
			if row.Dataset != store.AFRRCapacity {
				t.Errorf("among aFRR capacity is %+v", row)
			}
			starts = append(starts, row.Start)
		}
		return starts, err
	}
	afrr := func(period store.Period) (starts []int64, err error) {
		rows, err := s.AFRRWithin(t.Context(), period)
		for _, row := range rows {
			starts = append(starts, row.Start)
		}
		return starts, err
	}
	mfrr := func(period store.Period) (starts []int64, err error) {
		rows, err := s.MFRRWithin(t.Context(), period)
		for _, row := range rows {
			starts = append(starts, row.Start)
		}
		return slices.Compact(starts), err
	}
	for name, read := range map[string]func(store.Period) ([]int64, error){"capacity": capacity, "aFRR": afrr, "mFRR": mfrr} {
		for _, test := range []struct {
			period store.Period
			want   []int64
		}{
			{store.Period{Start: noon, End: noon + 2*store.QuarterSeconds}, []int64{noon, noon + store.QuarterSeconds}},
			{store.Period{Start: noon + 1, End: noon + store.QuarterSeconds}, nil},
			{store.Period{Start: noon, End: noon}, nil},
			{date("2026-10-26").Period(), nil},
		} {
			if got, err := read(test.period); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s in %v begins at %v, want %v, %v", name, test.period, got, test.want, err)
			}
		}
	}
}
