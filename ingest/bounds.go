package ingest

import (
	"fmt"
	"math"
	"slices"
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
)

// check refuses the delivery dates that hold a value out of bounds, and puts the rows of refused dates apart. 4 s steps that are
// out of bounds are only left out of their date as long as they are few, together with those that were left out before.
func check(a *answer) {
	a.batch.AFRR = leaveOut(a, a.batch.AFRR)
	a.batch.Prices = within(a, a.batch.Prices, &a.refused.Prices, func(r store.Price) (store.Dataset, int64, string) {
		return store.DayAheadPrices, r.Start, energyPrice(r.Price)
	})
	a.batch.Capacity = within(a, a.batch.Capacity, &a.refused.Capacity, func(r store.CapacityStep) (store.Dataset, int64, string) {
		return r.Dataset, r.Start, first(capacityPrice(r.Price), powers(r.OfferedMW, r.ContractedMW))
	})
	a.batch.AFRR = within(a, a.batch.AFRR, &a.refused.AFRR, func(r store.AFRRStep) (store.Dataset, int64, string) {
		return store.AFRREnergy, r.Start, ""
	})
	a.batch.MFRR = within(a, a.batch.MFRR, &a.refused.MFRR, func(r store.MFRRStep) (store.Dataset, int64, string) {
		return store.MFRREnergy, r.Start, first(
			energyPrice(r.ClearingPrice), energyPrice(r.SettlementPriceCurrent), energyPrice(r.SettlementPricePrevious),
			powers(r.RequestedVolumeSAMW, r.RequestedVolumeDAMW, r.SatisfiedNeedSAMW, r.SatisfiedNeedDAMW,
				r.ActivatedVolumeSAMW, r.ActivatedVolumeDAMW, r.SubmittedOffersMW, r.FilteredOffersMW))
	})
}

// within keeps the rows of the delivery dates in which no row has a fault, and moves the others to refused.
func within[R any](a *answer, rows []R, refused *[]R, look func(R) (store.Dataset, int64, string)) []R {
	for _, row := range rows {
		if dataset, start, fault := look(row); fault != "" {
			at := time.Unix(start, 0)
			a.refusals.Refuse(dataset, store.DeliveryDateOf(at), "%s: %s", instantText(at), fault)
		}
	}
	if len(a.refusals.List()) == 0 {
		return rows
	}
	kept := rows[:0]
	for _, row := range rows {
		if dataset, start, _ := look(row); a.refusals.Has(dataset, store.DeliveryDateOf(time.Unix(start, 0))) {
			*refused = append(*refused, row)
		} else {
			kept = append(kept, row)
		}
	}
	return kept
}

// leaveOut takes the 4 s steps that are out of bounds out, or refuses their delivery dates where that is too much. Where a date
// is refused, the steps stay, for a person to judge.
func leaveOut(a *answer, rows []store.AFRRStep) []store.AFRRStep {
	left := map[store.DeliveryDate]*store.Omission{}
	var dates []store.DeliveryDate // as they came up
	note := func(date store.DeliveryDate, steps int, reason string) {
		if left[date] == nil {
			left[date] = &store.Omission{Dataset: store.AFRREnergy, Date: date, Reason: reason}
			dates = append(dates, date)
		}
		left[date].Steps += steps
	}
	var others []store.Omission
	for _, omission := range a.omissions {
		if omission.Dataset == store.AFRREnergy {
			note(omission.Date, omission.Steps, omission.Reason)
		} else {
			others = append(others, omission)
		}
	}
	for i := range rows {
		if fault := stepFault(&rows[i]); fault != "" {
			at := time.Unix(rows[i].Start, 0)
			note(store.DeliveryDateOf(at), 1, instantText(at)+": "+fault)
		}
	}
	if len(dates) == 0 {
		return rows
	}
	a.omissions = others
	for _, date := range dates {
		switch omission := left[date]; {
		case a.refusals.Has(store.AFRREnergy, date):
		case source.TooManyOddSteps(omission.Steps, date):
			a.refusals.Refuse(store.AFRREnergy, date, "%s", omission.Reason)
		default:
			a.omissions = append(a.omissions, *omission)
		}
	}
	return slices.DeleteFunc(rows, func(row store.AFRRStep) bool {
		return stepFault(&row) != "" && !a.refusals.Has(store.AFRREnergy, store.DeliveryDateOf(time.Unix(row.Start, 0)))
	})
}

func stepFault(r *store.AFRRStep) string {
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
