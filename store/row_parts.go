package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"courant/store/market"
)

// datesAtOnce is how many delivery dates of rows are read in one transaction.
const datesAtOnce = 4

// timedRow is a row at a moment, and the stamp of the commit that had stored or changed it last.
type timedRow[R any] struct {
	row     R
	updated int64 // ms
}

// rowParts reads rows of a series, each of which is a row of its table.
type rowParts[R comparable] struct {
	layout[R]
	*plan
	sourceOf func(*R) string
	// asServed makes the rows that are served from the stored ones; nil: they are the same. A stored row lasts no longer than longest.
	asServed func([]timedRow[R]) []timedRow[R]
	longest  int64 // seconds

	keyOf []func(*R) string // of the served keys
	ranks []map[string]int  // of the values of a served key; nil: they are ordered as texts
	rows  []timedRow[R]
	chunk market.Chunk
	ready bool // the rows were loaded and not yet returned
}

func (l layout[R]) storedColumns() []string { return l.ColumnNames() }

func (l layout[R]) partReader(p *plan) (partReader, int) {
	source := p.dataset.About().Source
	return newRowParts(l, p, func(*R) string { return source }), datesAtOnce
}

func newRowParts[R comparable](l layout[R], p *plan, sourceOf func(*R) string) *rowParts[R] {
	parts := &rowParts[R]{layout: l, plan: p, sourceOf: sourceOf, longest: l.Step, chunk: newChunk(p)}
	for _, key := range l.Keys {
		if key.Served != "" {
			parts.keyOf = append(parts.keyOf, key.Of)
		}
	}
	for _, key := range l.ServedKeys() {
		var ranks map[string]int
		if key.Values != nil {
			ranks = map[string]int{}
			for i, value := range key.Values {
				ranks[value] = i
			}
		}
		parts.ranks = append(parts.ranks, ranks)
	}
	return parts
}

// partReader reads prices as quarter hours, each of the price that is served for it.
func (t priceTable) partReader(p *plan) (partReader, int) {
	parts := newRowParts(t.layout, p, func(r *market.Price) string { return r.Source.String() })
	parts.longest = market.PT60M.Seconds()
	parts.asServed = func(rows []timedRow[market.Price]) []timedRow[market.Price] {
		prices := make([]market.Price, len(rows))
		for i := range rows {
			prices[i] = rows[i].row
		}
		served := make([]timedRow[market.Price], 0, len(rows))
		for _, q := range market.ServedQuarters(prices) {
			row := rows[q.Price]
			row.row.Start, row.row.Resolution = q.Start, market.PT15M
			served = append(served, row)
		}
		return served
	}
	return parts, datesAtOnce
}

func (p *rowParts[R]) load(ctx context.Context, tx *sql.Tx, period market.Period) error {
	stored := market.Period{Start: period.Start - p.longest + p.Step, End: period.End}
	if err := p.selectRows(ctx, tx, stored); err != nil {
		return err
	}
	if p.asServed != nil {
		p.rows = p.asServed(p.rows)
	}
	p.rows = slices.DeleteFunc(p.rows, func(r timedRow[R]) bool {
		return !period.Holds(*p.Start(&r.row)) || p.sifts && !p.since.isAfter(r.updated) || !p.isWanted(&r.row)
	})
	slices.SortStableFunc(p.rows, p.compare)
	p.ready = len(p.rows) > 0
	return nil
}

// isWanted reports whether the row's keys are among those that are read.
func (p *rowParts[R]) isWanted(r *R) bool {
	for k, wanted := range p.keys {
		if wanted != nil && !wanted[p.keyOf[k](r)] {
			return false
		}
	}
	return true
}

func (p *rowParts[R]) compare(a, b timedRow[R]) int {
	order := cmp.Compare(*p.Start(&a.row), *p.Start(&b.row))
	if p.descending {
		order = -order
	}
	for k := 0; order == 0 && k < len(p.keyOf); k++ {
		ka, kb := p.keyOf[k](&a.row), p.keyOf[k](&b.row)
		order = cmp.Or(cmp.Compare(p.ranks[k][ka], p.ranks[k][kb]), cmp.Compare(ka, kb))
	}
	return order
}

// selectRows reads the stored rows as they were at the moment.
func (p *rowParts[R]) selectRows(ctx context.Context, tx *sql.Tx, period market.Period) error {
	query := p.layout.selectRows(", first_seen_ms, changed_ms") + " WHERE start >= ? AND start < ?"
	args := []any{period.Start, period.End}
	if p.Dataset != nil {
		query += " AND dataset = ?"
		args = append(args, p.dataset)
	}
	found, err := tx.QueryContext(ctx, query, args...)
	var row R
	var firstSeen, changed int64
	p.rows = p.rows[:0]
	var later map[rowKey]int // the rows that have changed after the moment
	err = eachRow(found, err, append(p.Fields(&row), &firstSeen, &changed), func() error {
		switch {
		case p.at.isAfter(firstSeen):
			return nil
		case p.at.isAfter(changed):
			if later == nil {
				later = map[rowKey]int{}
			}
			later[p.rowKey(&row)] = len(p.rows)
			p.rows = append(p.rows, timedRow[R]{row, firstSeen})
		default:
			p.rows = append(p.rows, timedRow[R]{row, changed})
		}
		return nil
	})
	if err != nil || later == nil {
		return err
	}
	return p.undo(ctx, tx, period, later)
}

// undo gives the rows that have changed after the moment their values of that moment, and the stamp of their last change until then.
func (p *rowParts[R]) undo(ctx context.Context, tx *sql.Tx, period market.Period, later map[rowKey]int) error {
	columns := map[string]*market.Column[R]{}
	for i := range p.Columns {
		columns[p.Columns[i].Name] = &p.Columns[i]
	}
	key := rowKey{dataset: p.dataset}
	var name string
	var old market.Value
	var seen int64
	known := map[rowKey]bool{} // the last change until the moment has been met
	rows, err := tx.QueryContext(ctx, `
		SELECT start, series, column_name, old, old_text, seen_ms FROM revision WHERE dataset = ? AND start >= ? AND start < ? ORDER BY id DESC`,
		p.dataset, period.Start, period.End)
	err = eachRow(rows, err, []any{&key.start, &key.series, &name, &old.Number, &old.Text, &seen}, func() error {
		i, isLater := later[key]
		column := columns[name]
		switch {
		case !isLater || column == nil:
		case p.at.isAfter(seen):
			column.Set(&p.rows[i].row, old)
		case !known[key]:
			known[key] = true
			p.rows[i].updated = seen
		}
		return nil
	})
	for _, i := range later {
		p.LimitRising(&p.rows[i].row, time.UnixMilli(p.at.latest))
	}
	return err
}

func (p *rowParts[R]) next() (market.Chunk, bool, error) {
	if !p.ready {
		return market.Chunk{}, false, nil
	}
	p.ready = false
	rows, chunk := p.rows, &p.chunk
	resizeChunk(chunk, len(rows))
	for i := range rows {
		chunk.Starts[i] = *p.Start(&rows[i].row)
		chunk.Ends[i] = chunk.Starts[i] + p.Step
	}
	for k, keyOf := range p.keyOf {
		for i := range rows {
			chunk.Keys[k][i] = keyOf(&rows[i].row)
		}
	}
	for c, column := range p.columns {
		v := &chunk.Columns[c]
		if column.own < 0 {
			p.fillExtra(v, column.extra)
		} else {
			fillColumn(v, &p.Columns[column.own], rows)
		}
	}
	return *chunk, true, nil
}

// fillColumn sets the values of a column, as they are served.
func fillColumn[R comparable](v *market.Vector, column *market.Column[R], rows []timedRow[R]) {
	switch v.Kind {
	case market.KindNumber:
		for i := range rows {
			n := column.Scale(*column.Number(&rows[i].row))
			v.Numbers[i], v.Valid[i] = n.V, n.Valid
		}
	case market.KindBoolean:
		for i := range rows {
			flag := column.Flag(&rows[i].row)
			v.Flags[i], v.Valid[i] = flag.V, flag.Valid
		}
	case market.KindString:
		for i := range rows {
			text := column.String(&rows[i].row)
			v.Texts[i], v.Valid[i] = text.V, text.Valid
		}
	case market.KindInstant:
		for i := range rows {
			v.Instants[i] = *column.Instant(&rows[i].row)
			v.Valid[i] = v.Instants[i] != 0
		}
	}
}

func (p *rowParts[R]) fillExtra(v *market.Vector, name string) {
	for i := range p.rows {
		v.Valid[i] = true
		switch name {
		case market.ColumnUpdatedAt:
			v.Instants[i] = p.rows[i].updated
		case market.ColumnSource:
			v.Texts[i] = p.sourceOf(&p.rows[i].row)
		case market.ColumnPeriodStartUnix:
			v.Integers[i] = p.chunk.Starts[i]
		}
	}
}
