package ingest

import (
	"fmt"
	"testing"

	"courant/store/market"
)

func TestADateOfAReserveWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	first := market.NewDeliveryDate(2026, 7, 14)
	for _, products := range []int{12, 13} {
		var batch market.Batch
		for n := range products {
			for s := first.Period().Start; s < first.Add(1).Period().End; s += market.QuarterSeconds {
				if n < 3 || s < first.Period().End { // the second date is a real one
					market.Capacity.Put(&batch, append(market.Capacity.In(batch), capacityStep(market.MFRRCapacity, s, market.Upward, fmt.Sprint(n))))
				}
			}
		}
		market.Capacity.Put(&batch, append(market.Capacity.In(batch), capacityStep(market.FCRCapacity, first.Period().Start, market.Symmetric, "STD")))
		brought := answer{batch: batch}
		check(&brought)
		refusals, batch := brought.refusals, brought.batch
		tooMany := products*96 > 1200
		if refusals.Has(market.MFRRCapacity, first) != tooMany || refusals.Has(market.MFRRCapacity, first.Add(1)) || refusals.Has(market.FCRCapacity, first) {
			t.Errorf("%d products: %v", products, refusals.List())
		}
		if want := map[bool]int{true: 3*96 + 1, false: 12*96 + 3*96 + 1}[tooMany]; len(market.Capacity.In(batch)) != want {
			t.Errorf("%d products: %d rows are left, want %d", products, len(market.Capacity.In(batch)), want)
		}
	}
}
