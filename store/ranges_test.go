package store_test

import (
	"slices"
	"testing"

	"courant/store"
	"courant/store/market"
)

func TestARangeIsWhatBeginsInThePeriod(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	noon := date("2026-10-25").At(12, 0).Unix()
	var batch market.Batch
	for _, start := range []int64{noon - market.QuarterSeconds, noon, noon + market.QuarterSeconds, noon + 2*market.QuarterSeconds} {
		for _, dataset := range []market.Dataset{market.FCRCapacity, market.AFRRCapacity} {
			market.Capacity.Put(&batch, append(market.Capacity.In(batch), market.CapacityStep{Dataset: dataset, Start: start, Direction: market.Upward, TimeHorizon: "DAILY", Product: "STD"}))
		}
		market.AFRR.Put(&batch, append(market.AFRR.In(batch), market.AFRRStep{Start: start}))
		market.MFRR.Put(&batch, append(market.MFRR.In(batch), market.MFRRStep{Start: start, Direction: market.Upward}, market.MFRRStep{Start: start, Direction: market.Downward}))
	}
	commit(t, s, runAt(1, market.FCRCapacity, market.AFRRCapacity, market.AFRREnergy, market.MFRREnergy), batch)

	capacity := func(period market.Period) (starts []int64, err error) {
		rows, err := store.Within(t.Context(), s, market.Capacity, market.AFRRCapacity, period)
		for _, row := range rows {
			if row.Dataset != market.AFRRCapacity {
				t.Errorf("among aFRR capacity is %+v", row)
			}
			starts = append(starts, row.Start)
		}
		return starts, err
	}
	afrr := func(period market.Period) (starts []int64, err error) {
		rows, err := store.Within(t.Context(), s, market.AFRR, market.AFRREnergy, period)
		for _, row := range rows {
			starts = append(starts, row.Start)
		}
		return starts, err
	}
	mfrr := func(period market.Period) (starts []int64, err error) {
		rows, err := store.Within(t.Context(), s, market.MFRR, market.MFRREnergy, period)
		for _, row := range rows {
			starts = append(starts, row.Start)
		}
		return slices.Compact(starts), err
	}
	for name, read := range map[string]func(market.Period) ([]int64, error){"capacity": capacity, "aFRR": afrr, "mFRR": mfrr} {
		for _, test := range []struct {
			period market.Period
			want   []int64
		}{
			{market.Period{Start: noon, End: noon + 2*market.QuarterSeconds}, []int64{noon, noon + market.QuarterSeconds}},
			{market.Period{Start: noon + 1, End: noon + market.QuarterSeconds}, nil},
			{market.Period{Start: noon, End: noon}, nil},
			{date("2026-10-26").Period(), nil},
		} {
			if got, err := read(test.period); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s in %v begins at %v, want %v, %v", name, test.period, got, test.want, err)
			}
		}
	}
}
