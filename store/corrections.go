package store

import (
	"context"
	"time"

	"courant/store/market"
)

// Correction is a delivery date of which values changed after they were first served and before the date was over.
type Correction struct {
	Dataset market.Dataset
	Date    market.DeliveryDate
	Values  int       // that changed or were withdrawn, each counted once
	Seen    time.Time // when the last of them did
}

// Corrections lists what was corrected of the dataset's delivery dates from first to last, both included, while they were not
// over. A null that a value replaced is no correction.
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
