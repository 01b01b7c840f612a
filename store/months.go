package store

import (
	"context"
	"database/sql"
	"time"

	"courant/store/market"
)

// Month is what is stored of a dataset for a month of delivery dates.
type Month struct {
	Month       market.Month
	Position    Position            // of the newest commit that changed it
	Stamp       time.Time           // of that commit
	First, Last market.DeliveryDate // the first and the last date with rows
	Thinned     bool                // only means of 5 min are stored of some of its 4 s steps
}

// Months lists the months for which a dataset has rows, ascending.
func (s *Store) Months(ctx context.Context, dataset market.Dataset) ([]Month, error) {
	var months []Month
	err := s.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT month, position, stamp_ms, min(delivery_date), max(delivery_date), max(dataset = ?2 AND series = ?3)
			FROM coverage JOIN month_commit USING (dataset) JOIN market_commit USING (position)
			WHERE dataset = ?1 AND month = substr(delivery_date, 1, 7) GROUP BY month ORDER BY month`,
			dataset, stepsDataset, market.ThinnedSeries)
		months, err = collect(rows, err, func(m *Month) []any {
			return []any{&m.Month, &m.Position, instant{&m.Stamp}, &m.First, &m.Last, &m.Thinned}
		})
		return err
	})
	return months, wrap("months of "+string(dataset), err)
}
