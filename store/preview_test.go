package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

// sumsOf returns the columns of an effect that have stored or changed values.
func sumsOf(effect store.Effect) map[string]store.ColumnEffect {
	sums := map[string]store.ColumnEffect{}
	for name, column := range effect.Columns {
		if column != (store.ColumnEffect{}) {
			sums[name] = column
		}
	}
	return sums
}

func TestAPreviewCountsWhatABatchWouldDoToItsDateAndDatasetAlone(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14")
	start := day.Period().Start
	capacity := func(dataset market.Dataset, start int64, price market.Number) market.CapacityStep {
		return market.CapacityStep{Dataset: dataset, Start: start, Direction: market.Upward, TimeHorizon: "DAILY", Product: "STD", OfferedMW: market.Num(100), Price: price}
	}
	asked := []market.Dataset{market.AFRRCapacity, market.MFRRCapacity, market.DayAheadPrices}
	withdrawn := market.Number{Withdrawn: true}
	commit(t, s, runAt(0, asked...), market.Capacity.Batch([]market.CapacityStep{
		capacity(market.AFRRCapacity, start, market.Num(1)), capacity(market.AFRRCapacity, start+900, market.Num(2)), capacity(market.AFRRCapacity, start+1800, market.Number{}),
		capacity(market.MFRRCapacity, start, market.Num(1)), capacity(market.AFRRCapacity, start-900, market.Num(1)),
	}).With(market.Prices.Batch([]market.Price{{Start: start, Resolution: market.PT60M, Price: market.Num(5)}})))
	batch := market.Capacity.Batch([]market.CapacityStep{
		capacity(market.AFRRCapacity, start, withdrawn), capacity(market.AFRRCapacity, start+900, market.Num(3)), capacity(market.AFRRCapacity, start+1800, market.Num(4)),
		capacity(market.AFRRCapacity, start+2700, market.Num(5)), capacity(market.MFRRCapacity, start, withdrawn), capacity(market.AFRRCapacity, start-900, withdrawn),
	}).With(market.Prices.Batch([]market.Price{{Start: start, Resolution: market.PT60M, Price: market.Num(6)}, {Start: start, Resolution: market.PT15M, Price: market.Num(7)}}))
	before := kept(t, s)
	for dataset, want := range map[market.Dataset]struct {
		newRows int
		columns map[string]store.ColumnEffect
	}{
		market.AFRRCapacity:   {1, map[string]store.ColumnEffect{"offered_mw": {Held: 3, New: 1}, "price": {Held: 2, Changed: 1, Withdrawn: 1, Filled: 1, New: 1}}},
		market.MFRRCapacity:   {0, map[string]store.ColumnEffect{"offered_mw": {Held: 1}, "price": {Held: 1, Withdrawn: 1}}},
		market.FCRCapacity:    {0, map[string]store.ColumnEffect{}},
		market.DayAheadPrices: {1, map[string]store.ColumnEffect{"price": {Held: 1, Changed: 1, New: 1}}},
	} {
		effect, err := s.Preview(t.Context(), dataset, day, batch)
		if err != nil || effect.NewRows != want.newRows {
			t.Errorf("%s: %d new rows, want %d, %v", dataset, effect.NewRows, want.newRows, err)
		}
		if diff := cmp.Diff(want.columns, sumsOf(effect)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dataset, diff)
		}
	}
	if diff := cmp.Diff(before, kept(t, s)); diff != "" {
		t.Errorf("the previews changed something (-before +after):\n%s", diff)
	}
}

func TestAPreviewOfAThinnedDateCountsOnlyTheStepsThatWouldBeTaken(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14")
	all := afrrDay(day, 80)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(all))
	thinBefore(t, s, day.Add(1))
	before := kept(t, s)
	for name, row := range map[string]struct {
		arrives []market.AFRRStep
		newRows int
	}{
		"whole 5 min":                {all[:75], 75},
		"5 min and a part of others": {all[:100], 75},
		"less than 5 min":            {all[10:60], 0},
	} {
		effect, err := s.Preview(t.Context(), market.AFRREnergy, day, market.AFRR.Batch(row.arrives))
		if err != nil || effect.NewRows != row.newRows || effect.Sum() != (store.ColumnEffect{New: 7 * row.newRows}) {
			t.Errorf("%s: %+v, %v; want %d new rows", name, effect, err, row.newRows)
		}
	}
	if diff := cmp.Diff(before, kept(t, s)); diff != "" {
		t.Errorf("the previews changed something (-before +after):\n%s", diff)
	}
}
