package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"courant/store/market"
)

// Proposal is a quarantined delivery date and the effect of accepting it now.
type Proposal struct {
	Quarantined
	Effect
	Rows        int
	First, Last time.Time // starts of the first and the last row, UTC
	Values      []ProposedColumn
}

// ProposedColumn summarises one column of the quarantined rows.
type ProposedColumn struct {
	Name     string        // of the dataset's table
	Given    int           // number of values that are not null
	Min, Max market.Number // of the numbers given; null if there are none
	ColumnEffect
}

// Proposal returns the quarantined delivery date with the ID, and the effect of accepting it now; ErrNotFound if there is none.
func (s *Store) Proposal(ctx context.Context, id int64) (Proposal, error) {
	q, err := s.Waiting(ctx, id)
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{Quarantined: q}
	if p.Effect, err = s.Preview(ctx, q.Dataset, q.Date, q.Batch); err != nil {
		return Proposal{}, fmt.Errorf("store: proposal %d: %w", id, err)
	}
	tableOf(q.Dataset).propose(&p)
	return p, nil
}

// propose fills in the summary of the quarantined rows.
func (l layout[R]) propose(p *Proposal) {
	rows, revised := l.In(p.Batch), l.Revised()
	columns := make([]ProposedColumn, len(revised))
	span := market.Period{Start: math.MaxInt64}
	for i := range rows {
		span = market.Period{Start: min(span.Start, *l.Start(&rows[i])), End: max(span.End, *l.Start(&rows[i]))}
		for c, value := range l.Values(&rows[i]) {
			column, n := &columns[c], value.Number
			if !value.IsNull() {
				column.Given++
			}
			switch {
			case !n.Valid:
			case !column.Min.Valid:
				column.Min, column.Max = market.Num(n.V), market.Num(n.V)
			default:
				column.Min.V, column.Max.V = min(column.Min.V, n.V), max(column.Max.V, n.V)
			}
		}
	}
	p.Rows, p.First, p.Last = len(rows), span.From(), span.To()
	for c := range revised {
		name := revised[c].Name
		columns[c].Name, columns[c].ColumnEffect = name, p.Columns[name]
		if columns[c].Given > 0 || columns[c].Withdrawn > 0 {
			p.Values = append(p.Values, columns[c])
		}
	}
}
