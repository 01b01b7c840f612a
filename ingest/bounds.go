package ingest

import (
	"fmt"
	"math"
	"time"

	"courant/ingest/source"
	"courant/store"
)

// Beyond these a value is not believed. They are far outside what the market's own limits allow.
const (
	priceBoundEURPerMWh         = 100_000
	capacityPriceBoundEURPerMWh = 100_000 // EUR per MW and hour
	powerBoundMW                = 200_000
	stepsPerHour                = 4 // capacity prices are published per 15 min

	// capacityRowsBound is how many rows a reserve may have on a delivery date: four times those of mFRR, two products and a
	// second horizon. The steps of other datasets are bounded by the clock; those of capacity have free texts in their key.
	capacityRowsBound = 4 * 3 * 100
)

// check refuses the delivery dates that hold a value out of bounds, and takes their rows out of the batch.
func check(batch *store.Batch, refusals *source.Refusals) {
	batch.Prices = within(batch.Prices, refusals, func(r store.Price) (store.Dataset, int64, string) {
		return store.DayAheadPrices, r.Start, energyPrice(r.Price)
	})
	boundRows(batch.Capacity, refusals)
	batch.Capacity = within(batch.Capacity, refusals, func(r store.CapacityStep) (store.Dataset, int64, string) {
		return r.Dataset, r.Start, first(capacityPrice(r.Price), powers(r.OfferedMW, r.ContractedMW))
	})
	batch.AFRR = within(batch.AFRR, refusals, func(r store.AFRRStep) (store.Dataset, int64, string) {
		return store.AFRREnergy, r.Start,
			first(energyPrice(r.UpwardPrice), energyPrice(r.DownwardPrice), powers(r.DemandMW, r.ForFranceMW, r.InFranceMW))
	})
	batch.MFRR = within(batch.MFRR, refusals, func(r store.MFRRStep) (store.Dataset, int64, string) {
		return store.MFRREnergy, r.Start, first(
			energyPrice(r.ClearingPrice), energyPrice(r.SettlementPriceCurrent), energyPrice(r.SettlementPricePrevious),
			powers(r.RequestedVolumeSAMW, r.RequestedVolumeDAMW, r.SatisfiedNeedSAMW, r.SatisfiedNeedDAMW,
				r.ActivatedVolumeSAMW, r.ActivatedVolumeDAMW, r.SubmittedOffersMW, r.FilteredOffersMW))
	})
}

// boundRows refuses the delivery dates on which a reserve has far more rows than a real answer.
func boundRows(rows []store.CapacityStep, refusals *source.Refusals) {
	type reserveDate struct {
		dataset store.Dataset
		date    store.DeliveryDate
	}
	counted := map[reserveDate]int{}
	for _, row := range rows {
		key := reserveDate{row.Dataset, store.DeliveryDateOf(time.Unix(row.Start, 0))}
		if counted[key]++; counted[key] > capacityRowsBound {
			refusals.Refuse(key.dataset, key.date, "it has more than %d rows, far more than a real answer", capacityRowsBound)
		}
	}
}

// within keeps the rows of the delivery dates in which no row has a fault.
func within[R any](rows []R, refusals *source.Refusals, look func(R) (store.Dataset, int64, string)) []R {
	for _, row := range rows {
		if dataset, start, fault := look(row); fault != "" {
			at := time.Unix(start, 0)
			refusals.Refuse(dataset, store.DeliveryDateOf(at), "%s: %s", instantText(at), fault)
		}
	}
	if len(refusals.List()) == 0 {
		return rows
	}
	kept := rows[:0]
	for _, row := range rows {
		if dataset, start, _ := look(row); !refusals.Has(dataset, store.DeliveryDateOf(time.Unix(start, 0))) {
			kept = append(kept, row)
		}
	}
	return kept
}

func first(faults ...string) string {
	for _, fault := range faults {
		if fault != "" {
			return fault
		}
	}
	return ""
}

func energyPrice(n store.Number) string {
	if n.Valid && !(math.Abs(n.V) <= priceBoundEURPerMWh) {
		return fmt.Sprintf("a price of %v EUR/MWh is out of bounds", n.V)
	}
	return ""
}

func capacityPrice(perStep store.Number) string {
	if perHour := perStep.V * stepsPerHour; perStep.Valid && !(perHour >= 0 && perHour <= capacityPriceBoundEURPerMWh) {
		return fmt.Sprintf("a price of %v EUR/MW for 15 min is out of bounds", perStep.V)
	}
	return ""
}

func powers(numbers ...store.Number) string {
	for _, n := range numbers {
		if n.Valid && !(math.Abs(n.V) <= powerBoundMW) {
			return fmt.Sprintf("a power of %v MW is out of bounds", n.V)
		}
	}
	return ""
}
