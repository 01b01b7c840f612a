package ingest

import (
	"time"

	"courant/ingest/source"
	"courant/store/market"
)

// check refuses the delivery dates that hold a value out of bounds, or far more rows than a real answer, and puts the rows of
// refused dates apart.
func check(a *answer) {
	leaveOddOut(a)
	a.batch.Faults(func(dataset market.Dataset, start int64, fault string) {
		if !dataset.About().DropsOutliers {
			at := time.Unix(start, 0)
			a.refusals.Refuse(dataset, market.DeliveryDateOf(at), "%s: %s", instantText(at), fault)
		}
	})
	for of, rows := range a.batch.RowsOn() {
		if most := of.Dataset.About().MostRows; most > 0 && rows > most {
			a.refusals.RefuseFinally(of.Dataset, of.Date, "it has more than %d rows, far more than a real answer", most)
		}
	}
	if len(a.refusals.List()) > 0 {
		refused, others := a.batch.Split(a.refusals.Has)
		a.batch, a.refused = others, a.refused.With(refused)
	}
}

// leaveOddOut removes rows out of bounds from the datasets in which a few may be left out, or refuses their delivery dates
// where that is too much, together with what the decoder left out of them. Where a date is refused, the rows stay, for a person
// to judge.
func leaveOddOut(a *answer) {
	left := map[market.Dated]*market.Omission{}
	var dates []market.Dated // as they came up
	note := func(of market.Dated, steps int, reason string) {
		if left[of] == nil {
			left[of] = &market.Omission{Dataset: of.Dataset, Date: of.Date, Reason: reason}
			dates = append(dates, of)
		}
		left[of].Steps += steps
	}
	var others []market.Omission
	for _, omission := range a.omissions {
		if omission.Dataset.About().DropsOutliers {
			note(market.Dated{Dataset: omission.Dataset, Date: omission.Date}, omission.Steps, omission.Reason)
		} else {
			others = append(others, omission)
		}
	}
	a.batch.Faults(func(dataset market.Dataset, start int64, fault string) {
		if dataset.About().DropsOutliers {
			at := time.Unix(start, 0)
			note(market.Dated{Dataset: dataset, Date: market.DeliveryDateOf(at)}, 1, instantText(at)+": "+fault)
		}
	})
	if len(dates) == 0 {
		return
	}
	a.omissions = others
	for _, of := range dates {
		switch omission := left[of]; {
		case a.refusals.Has(of.Dataset, of.Date):
		case source.TooManyOddSteps(omission.Steps, of.Date):
			a.refusals.Refuse(of.Dataset, of.Date, "%s", omission.Reason)
		default:
			a.omissions = append(a.omissions, *omission)
		}
	}
	a.batch = a.batch.WithoutFaults(func(dataset market.Dataset, date market.DeliveryDate) bool {
		return dataset.About().DropsOutliers && !a.refusals.Has(dataset, date)
	})
}
