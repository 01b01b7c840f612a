package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

// sumsOf are the columns of an effect in which anything is held or happens.
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
	s := openNew(t)
	day := date("2026-07-14")
	start := day.Period().Start
	capacity := func(dataset store.Dataset, start int64, price store.Number) store.CapacityStep {
		return store.CapacityStep{Dataset: dataset, Start: start, Direction: store.Upward, TimeHorizon: "DAILY", Product: "STD", OfferedMW: store.Num(100), Price: price}
	}
	asked := []store.Dataset{store.AFRRCapacity, store.MFRRCapacity, store.DayAheadPrices}
	withdrawn := store.Number{Withdrawn: true}
	commit(t, s, runAt(0, asked...), store.Batch{
		Capacity: []store.CapacityStep{
			capacity(store.AFRRCapacity, start, store.Num(1)), capacity(store.AFRRCapacity, start+900, store.Num(2)), capacity(store.AFRRCapacity, start+1800, store.Number{}),
			capacity(store.MFRRCapacity, start, store.Num(1)), capacity(store.AFRRCapacity, start-900, store.Num(1)),
		},
		Prices: []store.Price{{Start: start, Resolution: store.PT60M, Price: store.Num(5)}},
	})
	batch := store.Batch{
		Capacity: []store.CapacityStep{
			capacity(store.AFRRCapacity, start, withdrawn), capacity(store.AFRRCapacity, start+900, store.Num(3)), capacity(store.AFRRCapacity, start+1800, store.Num(4)),
			capacity(store.AFRRCapacity, start+2700, store.Num(5)), capacity(store.MFRRCapacity, start, withdrawn), capacity(store.AFRRCapacity, start-900, withdrawn),
		},
		Prices: []store.Price{{Start: start, Resolution: store.PT60M, Price: store.Num(6)}, {Start: start, Resolution: store.PT15M, Price: store.Num(7)}},
	}
	before := kept(t, s)
	for dataset, want := range map[store.Dataset]struct {
		newRows int
		columns map[string]store.ColumnEffect
	}{
		store.AFRRCapacity:   {1, map[string]store.ColumnEffect{"offered_mw": {Held: 3, New: 1}, "price": {Held: 2, Changed: 1, Withdrawn: 1, Filled: 1, New: 1}}},
		store.MFRRCapacity:   {0, map[string]store.ColumnEffect{"offered_mw": {Held: 1}, "price": {Held: 1, Withdrawn: 1}}},
		store.FCRCapacity:    {0, map[string]store.ColumnEffect{}},
		store.DayAheadPrices: {1, map[string]store.ColumnEffect{"price": {Held: 1, Changed: 1, New: 1}}},
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
	s := openNew(t)
	day := date("2026-07-14")
	all := afrrDay(day, 80)
	commit(t, s, runAt(0, store.AFRREnergy), store.Batch{AFRR: all})
	thinBefore(t, s, day.Add(1))
	before := kept(t, s)
	for name, row := range map[string]struct {
		arrives []store.AFRRStep
		newRows int
	}{
		"whole 5 min":                {all[:75], 75},
		"5 min and a part of others": {all[:100], 75},
		"less than 5 min":            {all[10:60], 0},
	} {
		effect, err := s.Preview(t.Context(), store.AFRREnergy, day, store.Batch{AFRR: row.arrives})
		if err != nil || effect.NewRows != row.newRows || effect.Sum() != (store.ColumnEffect{New: 7 * row.newRows}) {
			t.Errorf("%s: %+v, %v; want %d new rows", name, effect, err, row.newRows)
		}
	}
	if diff := cmp.Diff(before, kept(t, s)); diff != "" {
		t.Errorf("the previews changed something (-before +after):\n%s", diff)
	}
}
