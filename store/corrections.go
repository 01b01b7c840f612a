package store

import (
	"context"
	"fmt"
	"time"
)

// Correction is a delivery date of which values changed after they were first served and before the date was over.
type Correction struct {
	Dataset Dataset
	Date    DeliveryDate
	Values  int       // that changed or were withdrawn, each counted once
	Seen    time.Time // when the last of them did
}

// Corrections lists what was corrected of the delivery dates from first to last, both included, while they were not over.
func (s *Store) Corrections(ctx context.Context, first, last DeliveryDate) ([]Correction, error) {
	var corrections []Correction
	for _, dataset := range Datasets() {
		for _, date := range Dates(first, last) {
			c := Correction{Dataset: dataset, Date: date}
			var seen int64
			err := s.reader.QueryRowContext(ctx, `
				SELECT count(*), coalesce(max(seen), 0) FROM (
					SELECT max(seen_ms) AS seen FROM revision
					WHERE dataset = ? AND start >= ? AND start < ? AND old IS NOT NULL AND seen_ms < ?
					GROUP BY start, series, column_name)`,
				dataset, date.Start().Unix(), date.End().Unix(), date.End().UnixMilli()).Scan(&c.Values, &seen)
			if err != nil {
				return nil, fmt.Errorf("store: corrections of %s: %w", dataset, err)
			}
			if c.Values > 0 {
				c.Seen = milliseconds(seen)
				corrections = append(corrections, c)
			}
		}
	}
	return corrections, nil
}
