package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// Quarantined is a delivery date of prices that waits for a person's decision.
type Quarantined struct {
	ID      int64
	Dataset Dataset
	Date    DeliveryDate
	Reason  string
	Seen    time.Time
	Prices  []Price // what came, ascending
}

// Decision is what a person said of what waited.
type Decision string

const (
	Undecided Decision = ""
	Accepted  Decision = "accepted"
	Rejected  Decision = "rejected"
)

// MarshalJSON is [start, resolution, EUR/MWh].
func (p Price) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{p.Start, p.Resolution, p.Price.V})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Price) UnmarshalJSON(data []byte) error {
	p.Price.Valid = true
	return json.Unmarshal(data, &[]any{&p.Start, &p.Resolution, &p.Price.V})
}

// Quarantine keeps what came of a delivery date apart, and tells what was decided of the same prices before.
func (s *Store) Quarantine(ctx context.Context, q Quarantined) (Decision, error) {
	prices, err := json.Marshal(q.Prices)
	if err != nil {
		return Undecided, fmt.Errorf("store: quarantine: %w", err)
	}
	var decision sql.Null[Decision]
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO quarantine (dataset, delivery_date, reason, prices, seen_ms) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (dataset, delivery_date, prices) DO NOTHING`,
			q.Dataset, q.Date, q.Reason, string(prices), q.Seen.UnixMilli())
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT decision FROM quarantine WHERE dataset = ? AND delivery_date = ? AND prices = ?",
			q.Dataset, q.Date, string(prices)).Scan(&decision)
	})
	if err != nil {
		return Undecided, fmt.Errorf("store: quarantine: %w", err)
	}
	return decision.V, nil
}

// InQuarantine lists what waits for a decision, the oldest first.
func (s *Store) InQuarantine(ctx context.Context) ([]Quarantined, error) {
	rows, err := s.reader.QueryContext(ctx,
		"SELECT id, dataset, delivery_date, reason, seen_ms, prices FROM quarantine WHERE decision IS NULL ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("store: quarantine: %w", err)
	}
	defer rows.Close()
	var waiting []Quarantined
	for rows.Next() {
		var q Quarantined
		var seen int64
		var prices []byte
		if err := rows.Scan(&q.ID, &q.Dataset, &q.Date, &q.Reason, &seen, &prices); err != nil {
			return nil, fmt.Errorf("store: quarantine: %w", err)
		}
		if err := json.Unmarshal(prices, &q.Prices); err != nil {
			return nil, fmt.Errorf("store: quarantine %d: %w", q.ID, err)
		}
		q.Seen = milliseconds(seen)
		waiting = append(waiting, q)
	}
	return waiting, rows.Err()
}

// Decide settles what waits under the id; ErrNotFound if nothing does.
func (s *Store) Decide(ctx context.Context, id int64, decision Decision, now time.Time) error {
	return s.change(ctx, fmt.Errorf("nothing waits under %d: %w", id, ErrNotFound),
		"UPDATE quarantine SET decision = ?, decided_ms = ? WHERE id = ? AND decision IS NULL", decision, now.UnixMilli(), id)
}
