package ingest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"courant/ingest/source"
	"courant/store/market"
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

// check refuses the delivery dates that hold a value out of bounds, and puts the rows of refused dates apart. 4 s steps that are
// out of bounds are only left out of their date as long as they are few, together with those that were left out before.
func check(a *answer) {
	a.batch.AFRR = leaveOut(a, a.batch.AFRR)
	a.batch.Prices = within(a, a.batch.Prices, &a.refused.Prices, func(r market.Price) (market.Dataset, int64, string) {
		return market.DayAheadPrices, r.Start, energyPrice(r.Price)
	})
	boundRows(a.batch.Capacity, &a.refusals)
	a.batch.Capacity = within(a, a.batch.Capacity, &a.refused.Capacity, func(r market.CapacityStep) (market.Dataset, int64, string) {
		return r.Dataset, r.Start, first(capacityPrice(r.Price), powers(r.OfferedMW, r.ContractedMW))
	})
	a.batch.AFRR = within(a, a.batch.AFRR, &a.refused.AFRR, func(r market.AFRRStep) (market.Dataset, int64, string) {
		return market.AFRREnergy, r.Start, ""
	})
	a.batch.MFRR = within(a, a.batch.MFRR, &a.refused.MFRR, func(r market.MFRRStep) (market.Dataset, int64, string) {
		return market.MFRREnergy, r.Start, first(
			energyPrice(r.ClearingPrice), energyPrice(r.SettlementPriceCurrent), energyPrice(r.SettlementPricePrevious),
			powers(r.RequestedVolumeSAMW, r.RequestedVolumeDAMW, r.SatisfiedNeedSAMW, r.SatisfiedNeedDAMW,
				r.ActivatedVolumeSAMW, r.ActivatedVolumeDAMW, r.SubmittedOffersMW, r.FilteredOffersMW))
	})
}

// boundRows refuses the delivery dates on which a reserve has far more rows than a real answer.
func boundRows(rows []market.CapacityStep, refusals *source.Refusals) {
	type reserveDate struct {
		dataset market.Dataset
		date    market.DeliveryDate
	}
	counted := map[reserveDate]int{}
	for _, row := range rows {
		key := reserveDate{row.Dataset, market.DeliveryDateOf(time.Unix(row.Start, 0))}
		if counted[key]++; counted[key] > capacityRowsBound {
			refusals.RefuseFinally(key.dataset, key.date, "it has more than %d rows, far more than a real answer", capacityRowsBound)
		}
	}
}

// within keeps the rows of the delivery dates in which no row has a fault, and moves the others to refused.
func within[R any](a *answer, rows []R, refused *[]R, look func(R) (market.Dataset, int64, string)) []R {
	for _, row := range rows {
		if dataset, start, fault := look(row); fault != "" {
			at := time.Unix(start, 0)
			a.refusals.Refuse(dataset, market.DeliveryDateOf(at), "%s: %s", instantText(at), fault)
		}
	}
	if len(a.refusals.List()) == 0 {
		return rows
	}
	kept := rows[:0]
	for _, row := range rows {
		if dataset, start, _ := look(row); a.refusals.Has(dataset, market.DeliveryDateOf(time.Unix(start, 0))) {
			*refused = append(*refused, row)
		} else {
			kept = append(kept, row)
		}
	}
	return kept
}

// leaveOut takes the 4 s steps that are out of bounds out, or refuses their delivery dates where that is too much. Where a date
// is refused, the steps stay, for a person to judge.
func leaveOut(a *answer, rows []market.AFRRStep) []market.AFRRStep {
	left := map[market.DeliveryDate]*market.Omission{}
	var dates []market.DeliveryDate // as they came up
	note := func(date market.DeliveryDate, steps int, reason string) {
		if left[date] == nil {
			left[date] = &market.Omission{Dataset: market.AFRREnergy, Date: date, Reason: reason}
			dates = append(dates, date)
		}
		left[date].Steps += steps
	}
	var others []market.Omission
	for _, omission := range a.omissions {
		if omission.Dataset == market.AFRREnergy {
			note(omission.Date, omission.Steps, omission.Reason)
		} else {
			others = append(others, omission)
		}
	}
	for i := range rows {
		if fault := stepFault(&rows[i]); fault != "" {
			at := time.Unix(rows[i].Start, 0)
			note(market.DeliveryDateOf(at), 1, instantText(at)+": "+fault)
		}
	}
	if len(dates) == 0 {
		return rows
	}
	a.omissions = others
	for _, date := range dates {
		switch omission := left[date]; {
		case a.refusals.Has(market.AFRREnergy, date):
		case source.TooManyOddSteps(omission.Steps, date):
			a.refusals.Refuse(market.AFRREnergy, date, "%s", omission.Reason)
		default:
			a.omissions = append(a.omissions, *omission)
		}
	}
	return slices.DeleteFunc(rows, func(row market.AFRRStep) bool {
		return stepFault(&row) != "" && !a.refusals.Has(market.AFRREnergy, market.DeliveryDateOf(time.Unix(row.Start, 0)))
	})
}

func stepFault(r *market.AFRRStep) string {
	return first(energyPrice(r.UpwardPrice), energyPrice(r.DownwardPrice), powers(r.DemandMW, r.ForFranceMW, r.InFranceMW))
}

func first(faults ...string) string {
	for _, fault := range faults {
		if fault != "" {
			return fault
		}
	}
	return ""
}

func energyPrice(n market.Number) string {
	if n.Valid && !(math.Abs(n.V) <= priceBoundEURPerMWh) {
		return fmt.Sprintf("a price of %v EUR/MWh is out of bounds", n.V)
	}
	return ""
}

func capacityPrice(perStep market.Number) string {
	if perHour := perStep.V * stepsPerHour; perStep.Valid && !(perHour >= 0 && perHour <= capacityPriceBoundEURPerMWh) {
		return fmt.Sprintf("a price of %v EUR/MW for 15 min is out of bounds", perStep.V)
	}
	return ""
}

func powers(numbers ...market.Number) string {
	for _, n := range numbers {
		if n.Valid && !(math.Abs(n.V) <= powerBoundMW) {
			return fmt.Sprintf("a power of %v MW is out of bounds", n.V)
		}
	}
	return ""
}
