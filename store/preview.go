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
	Older   int                     // rows that would change nothing, because the source wrote them before the stored ones
	Columns map[string]ColumnEffect // by column of the dataset's table
}

// ColumnEffect counts the values of one column.
type ColumnEffect struct {
	Held      int // stored now
	Changed   int // stored now and replaced by another value
	Withdrawn int // stored now and replaced by a null
	Filled    int // null now and replaced by a value
	New       int // in new rows
}

// Arrived returns the number of values where nothing is stored now.
func (c ColumnEffect) Arrived() int { return c.Filled + c.New }

// Sum returns the effect on all columns together.
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

// Preview returns what Commit of the batch would change now on a delivery date of a dataset. It ignores rows of other dates and
// datasets, and writes nothing.
func (s *Store) Preview(ctx context.Context, dataset market.Dataset, date market.DeliveryDate, batch market.Batch) (Effect, error) {
	effect := Effect{Columns: map[string]ColumnEffect{}}
	err := s.read(ctx, func(tx *sql.Tx) error {
		return tableOf(dataset).preview(ctx, tx, &effect, dataset, date.Period(), batch)
	})
	if err != nil {
		return Effect{}, fmt.Errorf("store: preview of %s %s: %w", dataset, date, err)
	}
	return effect, nil
}

func (l layout[R]) preview(ctx context.Context, tx *sql.Tx, effect *Effect, dataset market.Dataset, period market.Period, batch market.Batch) error {
	stored, err := storedRows(ctx, tx, l, period)
	if err != nil {
		return err
	}
	after := map[rowKey]R{}
	for _, row := range l.joined(l.In(batch)) {
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
			l.countNew(effect, &kept)
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
		l.countChange(effect, &before.row, &kept)
	}
	return nil
}

func (t hourTable) preview(ctx context.Context, tx *sql.Tx, effect *Effect, _ market.Dataset, period market.Period, batch market.Batch) error {
	thinned, err := readThinned(ctx, tx, period)
	if err != nil {
		return err
	}
	read, err := tx.PrepareContext(ctx, selectHours+" WHERE start = ?")
	if err != nil {
		return err
	}
	arrived := byHour(t.In(batch))
	var h hour
	for start := period.Start; start < period.End; start += market.HourSeconds {
		admitted, _ := thinned.admit(start, arrived[start])
		if err := h.meet(ctx, read, start, admitted, 0); err != nil {
			return err
		}
		for i := range h.before {
			t.countChange(effect, &h.before[i].row, &h.after[i].row)
		}
		for i := len(h.before); i < len(h.after); i++ {
			effect.NewRows++
			t.countNew(effect, &h.after[i].row)
		}
	}
	return nil
}

// countNew counts the values of a new row.
func (l layout[R]) countNew(effect *Effect, row *R) {
	values := l.Values(row)
	for i, c := range l.Revised() {
		if !values[i].IsNull() {
			column := effect.Columns[c.Name]
			column.New++
			effect.Columns[c.Name] = column
		}
	}
}

// countChange counts the values of a stored row and how they change.
func (l layout[R]) countChange(effect *Effect, before, after *R) {
	old, new := l.Values(before), l.Values(after)
	for i, c := range l.Revised() {
		column := effect.Columns[c.Name]
		if !old[i].IsNull() {
			column.Held++
		}
		switch {
		case old[i] == new[i]:
		case new[i].IsNull() && !c.Remark:
			column.Withdrawn++
		case old[i].IsNull():
			column.Filled++
		default:
			column.Changed++
		}
		effect.Columns[c.Name] = column
	}
}
