package store

import (
	"slices"

	"courant/store/market"
)

// noteCompleted notes which of the changed delivery dates are complete since this commit.
func (w *writing) noteCompleted() error {
	added := map[datedKey]bool{}
	for key := range w.covers {
		added[key.datedKey] = true
	}
	for key, change := range w.changes {
		if !added[key] {
			continue
		}
		first := key.date
		if slices.ContainsFunc(key.dataset.About().Due, func(due market.Due) bool { return key.date.Before(due.First) }) {
			first = market.DeliveryDate{} // a series may be covered from an earlier date on
		}
		after, err := selectCoverage(w.ctx, w.tx, key.dataset, first, key.date)
		if err != nil {
			return err
		}
		isComplete, err := w.isComplete(key, after, true)
		if err != nil {
			return err
		}
		if !isComplete {
			continue
		}
		for covered, rows := range w.covers {
			if covered.dataset == key.dataset && after[covered.date] != nil {
				after[covered.date][covered.series] -= rows
			}
		}
		wasComplete, err := w.isComplete(key, after, false)
		if err != nil {
			return err
		}
		change.Completed = !wasComplete
	}
	return nil
}

// isComplete reports whether every period of a delivery date can be served, with the rows that are new or without them.
func (w *writing) isComplete(key datedKey, coverage market.Coverage, withNew bool) (bool, error) {
	switch expected, covered := coverage.DueSteps(key.date, coverage.DueSeries(key.dataset), key.dataset.Series().StepSeconds()); {
	case coverage.IsThinned(key.date):
		return true, nil
	case key.dataset.About().Due != nil:
		return covered >= expected, nil
	case coverage.HasAllPrices(key.date):
		return true, nil
	}
	period := key.date.Period()
	rows, err := w.tx.QueryContext(w.ctx, priceRows.selectRows(", first_seen_ms")+" WHERE start >= ? AND start < ?", period.Start, period.End)
	if err != nil {
		return false, err
	}
	var prices []market.Price
	var firstSeen int64
	err = priceRows.scan(rows, []any{&firstSeen}, func(p market.Price) {
		if withNew || firstSeen != w.now {
			prices = append(prices, p)
		}
	})
	return len(market.Quarters(prices)) >= key.date.Steps(market.QuarterSeconds), err
}
