package store

import (
	"context"
	"fmt"
	"time"
)

// Revision is a value that changed: Old was current until Seen, New is from then on.
type Revision struct {
	Start    int64  // of the period, seconds UTC
	Series   string // tells the rows of one period apart, such as UPWARD; empty where there is one
	Column   string // of the dataset's table
	Old, New Number // a flag is 0 or 1
	Seen     time.Time
}

// Revisions lists the changes of the dataset's values from first to last, both included, by period and time.
func (s *Store) Revisions(ctx context.Context, dataset Dataset, first, last DeliveryDate) ([]Revision, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT start, series, column_name, old, new, seen_ms FROM revision
		WHERE dataset = ? AND start >= ? AND start < ? ORDER BY start, series, column_name, id`,
		dataset, first.Start().Unix(), last.End().Unix())
	if err != nil {
		return nil, fmt.Errorf("store: revisions of %s: %w", dataset, err)
	}
	defer rows.Close()
	var revisions []Revision
	for rows.Next() {
		var r Revision
		var seen int64
		if err := rows.Scan(&r.Start, &r.Series, &r.Column, &r.Old, &r.New, &seen); err != nil {
			return nil, fmt.Errorf("store: revisions of %s: %w", dataset, err)
		}
		r.Seen = milliseconds(seen)
		revisions = append(revisions, r)
	}
	return revisions, rows.Err()
}
