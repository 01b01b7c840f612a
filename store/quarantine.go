package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
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

// Decision is what became of what waited.
type Decision string

const (
	Undecided  Decision = ""
	Accepted   Decision = "accepted"
	Rejected   Decision = "rejected"
	Superseded Decision = "superseded" // by later prices in the place of all of them, without a person
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

// Quarantine keeps what came of a delivery date apart, in the place of what waits of that date already if it replaces all of
// that, and tells what was decided of the same prices before.
func (s *Store) Quarantine(ctx context.Context, q Quarantined) (Decision, error) {
	prices, err := json.Marshal(q.Prices)
	if err != nil {
		return Undecided, fmt.Errorf("store: quarantine: %w", err)
	}
	var decision sql.Null[Decision]
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO quarantine (dataset, delivery_date, reason, prices, seen_ms) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (dataset, delivery_date, prices) DO UPDATE
				SET reason = excluded.reason, seen_ms = excluded.seen_ms, decision = NULL, decided_ms = NULL WHERE decision = 'superseded'`,
			q.Dataset, q.Date, q.Reason, string(prices), q.Seen.UnixMilli())
		if err != nil {
			return err
		}
		if err := settle(ctx, tx, q.Date, q.Prices, string(prices), q.Seen.UnixMilli()); err != nil {
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
	var waiting []Quarantined
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		waiting, err = selectWaiting(ctx, tx, "true")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: quarantine: %w", err)
	}
	return waiting, nil
}

// selectWaiting reads what waits and meets a condition with its arguments, the oldest first.
func selectWaiting(ctx context.Context, tx *sql.Tx, condition string, args ...any) ([]Quarantined, error) {
	rows, err := tx.QueryContext(ctx,
		"SELECT id, dataset, delivery_date, reason, seen_ms, prices FROM quarantine WHERE decision IS NULL AND "+condition+" ORDER BY id", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var waiting []Quarantined
	for rows.Next() {
		q, err := scanQuarantined(rows)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, q)
	}
	return waiting, rows.Err()
}

// supersede settles what waits of the delivery dates of which ENTSO-E's prices are stored.
func supersede(w *writing, prices []Price) error {
	var calendar calendar
	arrived := map[DeliveryDate][]Price{}
	for _, price := range prices {
		if price.Source == FromENTSOE {
			date := calendar.dateOf(price.Start)
			arrived[date] = append(arrived[date], price)
		}
	}
	for date, prices := range arrived {
		if err := settle(w.ctx, w.tx, date, prices, "", w.now); err != nil {
			return err
		}
	}
	return nil
}

// settle settles what waits of a delivery date, but for the prices kept, and of which every value has a newer one: among
// the prices that arrived, or among those stored since it waits. now is in ms.
func settle(ctx context.Context, tx *sql.Tx, date DeliveryDate, arrived []Price, kept string, now int64) error {
	waiting, err := selectWaiting(ctx, tx, "dataset = ? AND delivery_date = ? AND prices <> ?", DayAheadPrices, date, kept)
	if err != nil {
		return err
	}
	for _, q := range waiting {
		newer, err := storedSince(ctx, tx, date, q.Seen)
		if err != nil {
			return err
		}
		if !replace(append(newer, arrived...), q.Prices) {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE quarantine SET decision = ?, decided_ms = ? WHERE id = ?", Superseded, now, q.ID); err != nil {
			return err
		}
	}
	return nil
}

// storedSince are ENTSO-E's prices of the delivery date that are new or have changed since an instant.
func storedSince(ctx context.Context, tx *sql.Tx, date DeliveryDate, since time.Time) ([]Price, error) {
	period := date.Period()
	found, err := tx.QueryContext(ctx, priceLayout.selectRows("")+" WHERE start >= ? AND start < ? AND source = ? AND changed_ms > ?",
		period.Start, period.End, FromENTSOE, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	var prices []Price
	err = priceLayout.scan(found, nil, func(p Price) { prices = append(prices, p) })
	return prices, err
}

// replace says whether the newer prices would be served in the place of all the older: none is coarser.
func replace(newer, older []Price) bool {
	finest := map[int64]int64{} // seconds of the step that covers a quarter
	for _, p := range newer {
		for start := p.Start; start < p.Start+p.Resolution.Seconds(); start += QuarterSeconds {
			if length, is := finest[start]; !is || p.Resolution.Seconds() < length {
				finest[start] = p.Resolution.Seconds()
			}
		}
	}
	for _, p := range older {
		for start := p.Start; start < p.Start+p.Resolution.Seconds(); start += QuarterSeconds {
			if length, is := finest[start]; !is || length > p.Resolution.Seconds() {
				return false
			}
		}
	}
	return true
}

// Accept takes what waits under the id, in one transaction with the account of the run that does; ErrNotFound if
// nothing waits there. The run's window and datasets are filled in.
func (s *Store) Accept(ctx context.Context, id int64, run *Run) (Quarantined, error) {
	var q Quarantined
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		if q, err = decide(ctx, tx, id, Accepted, run.Ended); err != nil {
			return err
		}
		run.Datasets, run.Window, run.Secondary = []Dataset{q.Dataset}, q.Date.Period(), true
		if err := commit(ctx, tx, run, Batch{Prices: q.Prices}); err != nil {
			return err
		}
		return settleFaults(ctx, tx, datedKey{q.Dataset, q.Date}, Accepted)
	})
	if err != nil {
		return Quarantined{}, fmt.Errorf("store: accept %d: %w", id, err)
	}
	return q, nil
}

// Reject drops what waits under the id; ErrNotFound if nothing does.
func (s *Store) Reject(ctx context.Context, id int64, now time.Time) (Quarantined, error) {
	var q Quarantined
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		if q, err = decide(ctx, tx, id, Rejected, now); err != nil {
			return err
		}
		return settleFaults(ctx, tx, datedKey{q.Dataset, q.Date}, Rejected)
	})
	if err != nil {
		return Quarantined{}, fmt.Errorf("store: reject %d: %w", id, err)
	}
	return q, nil
}

func decide(ctx context.Context, tx *sql.Tx, id int64, decision Decision, now time.Time) (Quarantined, error) {
	q, err := scanQuarantined(tx.QueryRowContext(ctx, `
		UPDATE quarantine SET decision = ?, decided_ms = ? WHERE id = ? AND decision IS NULL
		RETURNING id, dataset, delivery_date, reason, seen_ms, prices`, decision, now.UnixMilli(), id))
	if errors.Is(err, sql.ErrNoRows) {
		return q, fmt.Errorf("nothing waits under %d: %w", id, ErrNotFound)
	}
	return q, err
}

func scanQuarantined(row interface{ Scan(...any) error }) (Quarantined, error) {
	var q Quarantined
	var seen int64
	var prices []byte
	if err := row.Scan(&q.ID, &q.Dataset, &q.Date, &q.Reason, &seen, &prices); err != nil {
		return q, err
	}
	q.Seen = milliseconds(seen)
	return q, json.Unmarshal(prices, &q.Prices)
}
