package store

import (
	"context"
	"fmt"
	"math"
	"time"
)

// PriceDifference is a delivery date of which the two sources of day-ahead prices do not agree.
type PriceDifference struct {
	Date     DeliveryDate
	Quarters int       // that differ
	Largest  float64   // EUR/MWh, without sign
	Seen     time.Time // when the newest of the prices that differ came
}

// MostPriceDifference is by how much two sources that agree may differ, in millionths of EUR/MWh: a cent, for how each
// rounds.
const MostPriceDifference = 10_000

// PriceDifferences lists the delivery dates from first on of which the sources differ by more than a cent, ascending.
func (s *Store) PriceDifferences(ctx context.Context, first DeliveryDate) ([]PriceDifference, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT e.start, abs(round((e.price - r.price) * 1e6)) AS millionths, max(e.changed_ms, r.changed_ms)
		FROM day_ahead_price r JOIN day_ahead_price e ON e.start = r.start AND e.resolution = r.resolution AND e.source = ?
		WHERE r.start >= ? AND r.source = ? AND millionths > ? ORDER BY e.start`,
		FromENTSOE, first.Start().Unix(), FromRTE, MostPriceDifference)
	if err != nil {
		return nil, fmt.Errorf("store: price differences: %w", err)
	}
	defer rows.Close()
	var differences []PriceDifference
	for rows.Next() {
		var start, seen int64
		var millionths float64
		if err := rows.Scan(&start, &millionths, &seen); err != nil {
			return nil, fmt.Errorf("store: price differences: %w", err)
		}
		date := DeliveryDateOf(time.Unix(start, 0))
		if n := len(differences); n == 0 || differences[n-1].Date != date {
			differences = append(differences, PriceDifference{Date: date})
		}
		d := &differences[len(differences)-1]
		d.Quarters++
		d.Largest = math.Max(d.Largest, millionths/1e6)
		if at := milliseconds(seen); at.After(d.Seen) {
			d.Seen = at
		}
	}
	return differences, rows.Err()
}
