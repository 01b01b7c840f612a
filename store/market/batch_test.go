package market_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store/market"
)

func TestABatchIsTakenApartByDatasetAndDeliveryDate(t *testing.T) {
	t.Parallel()
	// The last quarter of 14 July and the first of the 15th, Paris.
	last, first := market.NewDeliveryDate(2026, 7, 15).Period().Start-900, market.NewDeliveryDate(2026, 7, 15).Period().Start
	batch := market.Prices.Batch([]market.Price{{Start: first, Resolution: market.PT15M}, {Start: last, Resolution: market.PT15M}}).With(market.Capacity.Batch([]market.CapacityStep{{Start: last, Dataset: market.FCRCapacity}, {Start: last, Dataset: market.AFRRCapacity}}))
	rows := cmp.Comparer(func(a, b market.Batch) bool { return reflect.DeepEqual(a, b) })
	dates := cmp.Comparer(func(a, b market.DeliveryDate) bool { return a == b })
	if diff := cmp.Diff([]market.DeliveryDate{market.NewDeliveryDate(2026, 7, 15), market.NewDeliveryDate(2026, 7, 14)}, batch.Dates(market.DayAheadPrices), dates); diff != "" {
		t.Errorf("dates of prices (-want +got):\n%s", diff)
	}
	of := market.Capacity.Batch([]market.CapacityStep{{Start: last, Dataset: market.AFRRCapacity}})
	if diff := cmp.Diff(of, batch.Of(market.AFRRCapacity, market.NewDeliveryDate(2026, 7, 14)), rows); diff != "" {
		t.Errorf("of aFRR capacity (-want +got):\n%s", diff)
	}
	rest := market.Prices.Batch(market.Prices.In(batch)).With(market.Capacity.Batch(market.Capacity.In(batch)[:1]))
	if diff := cmp.Diff(rest, batch.Without(market.AFRRCapacity, market.NewDeliveryDate(2026, 7, 14)), rows); diff != "" {
		t.Errorf("without it (-want +got):\n%s", diff)
	}
}

func TestRowsThatBeginAfterNowAreLeftOutOfWhatIsNotPublishedAhead(t *testing.T) {
	t.Parallel()
	now := market.NewDeliveryDate(2026, 7, 15).At(12, 0)
	starts := []int64{now.Unix() - 4, now.Unix(), now.Unix() + 4}
	var steps []market.AFRRStep
	var reserves []market.CapacityStep
	for _, start := range starts {
		steps = append(steps, market.AFRRStep{Start: start})
		reserves = append(reserves, market.CapacityStep{Start: start, Dataset: market.FCRCapacity})
	}
	batch := market.AFRR.Batch(steps).With(market.Capacity.Batch(reserves)).WithoutFuture(now)
	if diff := cmp.Diff(steps[:2], market.AFRR.In(batch)); diff != "" {
		t.Errorf("energy (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(reserves, market.Capacity.In(batch)); diff != "" {
		t.Errorf("capacity, published ahead (-want +got):\n%s", diff)
	}
}
