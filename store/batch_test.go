package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

func TestABatchIsTakenApartByDatasetAndDeliveryDate(t *testing.T) {
	// The last quarter of 14 July and the first of the 15th, Paris.
	last, first := date("2026-07-15").Period().Start-900, date("2026-07-15").Period().Start
	batch := store.Batch{
		Prices:   []store.Price{{Start: first, Resolution: store.PT15M}, {Start: last, Resolution: store.PT15M}},
		Capacity: []store.CapacityStep{{Start: last, Dataset: store.FCRCapacity}, {Start: last, Dataset: store.AFRRCapacity}},
	}
	dates := cmp.Comparer(func(a, b store.DeliveryDate) bool { return a == b })
	if diff := cmp.Diff([]store.DeliveryDate{date("2026-07-15"), date("2026-07-14")}, batch.Dates(store.DayAheadPrices), dates); diff != "" {
		t.Errorf("dates of prices (-want +got):\n%s", diff)
	}
	of := store.Batch{Capacity: []store.CapacityStep{{Start: last, Dataset: store.AFRRCapacity}}}
	if diff := cmp.Diff(of, batch.Of(store.AFRRCapacity, date("2026-07-14"))); diff != "" {
		t.Errorf("of aFRR capacity (-want +got):\n%s", diff)
	}
	rest := store.Batch{Prices: batch.Prices, Capacity: batch.Capacity[:1]}
	if diff := cmp.Diff(rest, batch.Without(store.AFRRCapacity, date("2026-07-14"))); diff != "" {
		t.Errorf("without it (-want +got):\n%s", diff)
	}
}
