package store

import (
	"context"
	"time"

	"courant/store/market"
)

// Correction counts the values of a delivery date that changed after they were first served and before the date ended.
type Correction struct {
	Dataset market.Dataset
	Date    market.DeliveryDate
	Values  int       // changed or withdrawn values, each counted once
	Seen    time.Time // when the last change was seen
}

// Corrections lists the dataset's delivery dates from first to last, both included, that were corrected before they ended. A
// value that replaces a null is not a correction.
func (s *Store) Corrections(ctx context.Context, dataset market.Dataset, first, last market.DeliveryDate) ([]Correction, error) {
	var corrections []Correction
	for _, date := range market.Dates(first, last) {
		c := Correction{Dataset: dataset, Date: date}
		var counted Revision
		for r, err := range s.Revisions(ctx, dataset, date, date, RevisionAt{}) {
			if err != nil {
				return nil, err
			}
			if r.Old.IsNull() || !r.Seen.Before(date.End()) {
				continue
			}
			if c.Values == 0 || r.Start != counted.Start || r.Series != counted.Series || r.Column != counted.Column {
				c.Values++
				counted = r
			}
			if r.Seen.After(c.Seen) {
				c.Seen = r.Seen
			}
		}
		if c.Values > 0 {
			corrections = append(corrections, c)
		}
	}
	return corrections, nil
}
