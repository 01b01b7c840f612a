package store

import (
	"context"
	"database/sql"
	"fmt"

	"courant/store/market"
)

// Effect is what a batch would change on a delivery date of a dataset.
type Effect struct {
	NewRows int
	Older   int                     // rows that would change nothing, because the source dates them before what is stored
	Columns map[string]ColumnEffect // by column of the dataset's table
}

// ColumnEffect counts the values of one column.
type ColumnEffect struct {
	Held      int // stored before
	Changed   int // of those held, how many another value would replace
	Withdrawn int // of those held, how many a null would replace
	Filled    int // nulls that a value would replace
	New       int // values of rows that are new
}

// Arrived is how many values would be there where none is.
func (c ColumnEffect) Arrived() int { return c.Filled + c.New }

// Sum is the effect on the values of all columns.
func (e Effect) Sum() ColumnEffect {
	var sum ColumnEffect
	for _, column := range e.Columns {
		sum.Held += column.Held
		sum.Changed += column.Changed
		sum.Withdrawn += column.Withdrawn
		sum.Filled += column.Filled
		sum.New += column.New
	}
	return sum
}

// Preview tells what Commit would change on a delivery date of a dataset if it were given the batch now; rows of other
// dates and datasets in it count for nothing. It writes nothing.
func (s *Store) Preview(ctx context.Context, dataset market.Dataset, date market.DeliveryDate, batch market.Batch) (Effect, error) {
	effect := Effect{Columns: map[string]ColumnEffect{}}
	err := s.read(ctx, func(tx *sql.Tx) error {
		switch dataset {
		case market.DayAheadPrices:
			return preview(ctx, tx, &effect, priceLayout, dataset, date.Period(), batch.Prices)
		case market.AFRREnergy:
			return previewSteps(ctx, tx, &effect, date.Period(), batch.AFRR)
		case market.MFRREnergy:
			return preview(ctx, tx, &effect, mfrrLayout, dataset, date.Period(), batch.MFRR)
		}
		return preview(ctx, tx, &effect, capacityLayout, dataset, date.Period(), batch.Capacity)
	})
	if err != nil {
		return Effect{}, fmt.Errorf("store: preview of %s %s: %w", dataset, date, err)
	}
	return effect, nil
}

func preview[R comparable](ctx context.Context, tx *sql.Tx, effect *Effect, l layout[R], dataset market.Dataset, period market.Period, rows []R) error {
	stored, err := storedRows(ctx, tx, l, period)
	if err != nil {
		return err
	}
	after := map[rowKey]R{}
	for _, row := range fold(l, rows) {
		key := l.rowKey(&row)
		if key.dataset != dataset || !period.Holds(key.start) {
			continue
		}
		before, known := stored[key]
		kept, older := l.Merge(before.row, row)
		switch {
		case older:
			effect.Older++
		case known:
			after[key] = kept
		default:
			effect.NewRows++
			countNew(effect, l, &kept)
		}
	}
	for key, before := range stored {
		if key.dataset != dataset {
			continue
		}
		kept, arrived := after[key]
		if !arrived {
			kept = before.row
		}
		countChange(effect, l, &before.row, &kept)
	}
	return nil
}

func previewSteps(ctx context.Context, tx *sql.Tx, effect *Effect, period market.Period, rows []market.AFRRStep) error {
	thinned, err := readThinned(ctx, tx, period)
	if err != nil {
		return err
	}
	read, err := tx.PrepareContext(ctx, selectHours+" WHERE start = ?")
	if err != nil {
		return err
	}
	arrived := byHour(rows)
	var h hour
	for start := period.Start; start < period.End; start += market.HourSeconds {
		admitted, _ := thinned.admit(start, arrived[start])
		if err := h.meet(ctx, read, start, admitted, 0); err != nil {
			return err
		}
		for i := range h.before {
			countChange(effect, afrrLayout, &h.before[i].row, &h.after[i].row)
		}
		for i := len(h.before); i < len(h.after); i++ {
			effect.NewRows++
			countNew(effect, afrrLayout, &h.after[i].row)
		}
	}
	return nil
}

// countNew counts the values of a row that is new.
func countNew[R comparable](effect *Effect, l layout[R], row *R) {
	for i, n := range l.Numbers(row) {
		if n.Valid {
			column := effect.Columns[l.Values[i]]
			column.New++
			effect.Columns[l.Values[i]] = column
		}
	}
}

// countChange counts the values of a stored row, and what becomes of them.
func countChange[R comparable](effect *Effect, l layout[R], before, after *R) {
	old, new := l.Numbers(before), l.Numbers(after)
	for i, name := range l.Values {
		column := effect.Columns[name]
		if old[i].Valid {
			column.Held++
		}
		switch {
		case old[i] == new[i]:
		case !new[i].Valid:
			column.Withdrawn++
		case !old[i].Valid:
			column.Filled++
		default:
			column.Changed++
		}
		effect.Columns[name] = column
	}
}
