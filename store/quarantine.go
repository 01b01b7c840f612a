package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"courant/store/market"
)

// Quarantined is a delivery date of a dataset that waits for a person's decision.
type Quarantined struct {
	ID      int64
	Dataset market.Dataset
	Date    market.DeliveryDate
	Kind    market.WaitKind
	Reason  string // what is odd about it, or why it was refused
	Seen    time.Time
	Batch   market.Batch // what came; InQuarantine leaves it out
}

// Decision is what a person decided of what waited.
type Decision string

const (
	Undecided Decision = ""
	Accepted  Decision = "accepted"
	Rejected  Decision = "rejected"
)

const (
	refusedWaits   = 30 * 24 * time.Hour  // how long a refused date waits
	decisionStands = 365 * 24 * time.Hour // how long a decision is remembered, and anything else may wait
)

// Quarantine keeps what came of a delivery date apart, and tells what was decided of the same content before. It takes the
// place of what waits of that date for the same kind of reason, and of what waits for others if it replaces all of that.
// The error is ErrUnfitToWait if it cannot be kept.
func (s *Store) Quarantine(ctx context.Context, q Quarantined) (Decision, error) {
	packed, digest, err := tableOf(q.Dataset).packRows(q.Batch)
	if err != nil {
		return Undecided, fmt.Errorf("store: quarantine: %w", err)
	}
	var decision sql.Null[Decision]
	err = s.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT id, decision FROM quarantine WHERE dataset = ? AND delivery_date = ? AND digest = ?",
			q.Dataset, q.Date, digest).Scan(&q.ID, &decision)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			err = tx.QueryRowContext(ctx, `INSERT INTO quarantine (dataset, delivery_date, kind, reason, digest, content, seen_ms)
				VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`, q.Dataset, q.Date, q.Kind, q.Reason, digest, packed, q.Seen.UnixMilli()).Scan(&q.ID)
		case err == nil && !decision.Valid:
			_, err = tx.ExecContext(ctx, "UPDATE quarantine SET kind = ?, reason = ?, content = ? WHERE id = ?", q.Kind, q.Reason, packed, q.ID)
		}
		if err != nil {
			return err
		}
		return makePlace(ctx, tx, q, decision.V == Undecided)
	})
	if err != nil {
		return Undecided, fmt.Errorf("store: quarantine: %w", err)
	}
	return decision.V, nil
}

// makePlace drops what else waits of the delivery date and is out of date now. A refused date replaces only another one:
// what could be read of it may be less.
func makePlace(ctx context.Context, tx *sql.Tx, q Quarantined, waits bool) error {
	others, err := selectWaiting(ctx, tx, "dataset = ? AND delivery_date = ? AND id <> ?", q.Dataset, q.Date, q.ID)
	if err != nil {
		return err
	}
	for _, other := range others {
		replaced := waits && other.Kind == q.Kind
		if !replaced && q.Kind != market.WaitsRefused {
			if replaced, err = isReplaced(ctx, tx, other, q.Batch); err != nil {
				return err
			}
		}
		if replaced {
			if err := drop(ctx, tx, other.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// InQuarantine lists what waits for a decision, the oldest first, without its rows.
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

// Waiting is what waits under the id, with its rows; ErrNotFound if nothing does.
func (s *Store) Waiting(ctx context.Context, id int64) (Quarantined, error) {
	var q Quarantined
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		q, err = selectQuarantined(ctx, tx, id)
		return err
	})
	if err != nil {
		return Quarantined{}, fmt.Errorf("store: quarantine: %w", err)
	}
	return q, nil
}

// selectWaiting reads what waits and meets a condition with its arguments, the oldest first, without its rows.
func selectWaiting(ctx context.Context, tx *sql.Tx, condition string, args ...any) ([]Quarantined, error) {
	rows, err := tx.QueryContext(ctx,
		"SELECT id, dataset, delivery_date, kind, reason, seen_ms FROM quarantine WHERE decision IS NULL AND "+condition+" ORDER BY id", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var waiting []Quarantined
	for rows.Next() {
		var q Quarantined
		var seen int64
		if err := rows.Scan(&q.ID, &q.Dataset, &q.Date, &q.Kind, &q.Reason, &seen); err != nil {
			return nil, err
		}
		q.Seen = milliseconds(seen)
		waiting = append(waiting, q)
	}
	return waiting, rows.Err()
}

// selectQuarantined reads what waits under the id, with its rows; ErrNotFound if nothing does.
func selectQuarantined(ctx context.Context, tx *sql.Tx, id int64) (Quarantined, error) {
	waiting, err := selectWaiting(ctx, tx, "id = ?", id)
	if err != nil {
		return Quarantined{}, err
	}
	if len(waiting) == 0 {
		return Quarantined{}, fmt.Errorf("nothing waits under %d: %w", id, ErrNotFound)
	}
	q := waiting[0]
	q.Batch, err = selectContent(ctx, tx, q)
	return q, err
}

func selectContent(ctx context.Context, tx *sql.Tx, q Quarantined) (market.Batch, error) {
	var packed []byte
	if err := tx.QueryRowContext(ctx, "SELECT content FROM quarantine WHERE id = ?", q.ID).Scan(&packed); err != nil {
		return market.Batch{}, err
	}
	batch, err := unpackContent(q.Dataset, packed)
	batch.Settle(q.Seen)
	return batch, err
}

func drop(ctx context.Context, tx *sql.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id = ?", id)
	return err
}

// supersede drops what waits of the delivery dates that a run brought, where that takes its place.
func supersede(w *writing, run *Run, batch market.Batch) error {
	waiting, err := selectWaiting(w.ctx, w.tx, "true")
	if err != nil {
		return err
	}
	for _, q := range waiting {
		if !slices.Contains(run.Datasets, q.Dataset) {
			continue
		}
		arrived := tableOf(q.Dataset).published(batch.Of(q.Dataset, q.Date))
		if len(keysOf(arrived)) == 0 {
			continue
		}
		replaced, err := isReplaced(w.ctx, w.tx, q, arrived)
		if err != nil {
			return err
		}
		if !replaced && q.Kind == market.WaitsRefused {
			if replaced, err = isReadAgain(w.ctx, w.tx, q, run.Window); err != nil {
				return err
			}
		}
		if replaced {
			if err := drop(w.ctx, w.tx, q.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// isReadAgain says whether the window that was read holds all that waits.
func isReadAgain(ctx context.Context, tx *sql.Tx, q Quarantined, window market.Period) (bool, error) {
	batch, err := selectContent(ctx, tx, q)
	if err != nil {
		return false, err
	}
	for key := range keysOf(batch) {
		if !window.Holds(key.start) {
			return false, nil
		}
	}
	return true, nil
}

// isReplaced reports whether every row that waits has a newer one, among those that arrived or those stored since it waits.
func isReplaced(ctx context.Context, tx *sql.Tx, q Quarantined, arrived market.Batch) (bool, error) {
	waiting, err := selectContent(ctx, tx, q)
	if err != nil {
		return false, err
	}
	return tableOf(q.Dataset).isReplaced(ctx, tx, q, waiting, arrived)
}

func (l layout[R]) isReplaced(_ context.Context, _ *sql.Tx, _ Quarantined, waiting, arrived market.Batch) (bool, error) {
	newer := keysOf(arrived)
	for key := range keysOf(waiting) {
		if !newer[key] {
			return false, nil
		}
	}
	return true, nil
}

func (l layout[R]) published(batch market.Batch) market.Batch { return batch }

// keysOf are what tells the rows of a batch from all others.
func keysOf(b market.Batch) map[rowKey]bool {
	keys := make(map[rowKey]bool, b.Len())
	for _, table := range tables {
		table.addKeys(keys, b)
	}
	return keys
}

// Accept takes what waits under the id, in one transaction with the account of the run that does; ErrNotFound if
// nothing waits there. The run's window and datasets are filled in.
func (s *Store) Accept(ctx context.Context, id int64, run *Run) (Quarantined, error) {
	q, err := s.decide(ctx, id, Accepted, run.Ended, func(ctx context.Context, tx *sql.Tx, q Quarantined) error {
		run.Datasets, run.Window, run.Secondary = []market.Dataset{q.Dataset}, q.Date.Period(), true
		return commit(ctx, tx, run, q.Batch)
	})
	if err != nil {
		return Quarantined{}, fmt.Errorf("store: accept %d: %w", id, err)
	}
	return q, nil
}

// Reject drops what waits under the id; ErrNotFound if nothing does.
func (s *Store) Reject(ctx context.Context, id int64, now time.Time) (Quarantined, error) {
	q, err := s.decide(ctx, id, Rejected, now, func(context.Context, *sql.Tx, Quarantined) error { return nil })
	if err != nil {
		return Quarantined{}, fmt.Errorf("store: reject %d: %w", id, err)
	}
	return q, nil
}

// decide notes the decision, forgets the rows and does what follows from it. The note in the audit log tells the dataset
// and the delivery date too.
func (s *Store) decide(ctx context.Context, id int64, decision Decision, now time.Time, follow func(context.Context, *sql.Tx, Quarantined) error) (q Quarantined, err error) {
	if q, err = s.Waiting(ctx, id); err != nil { // an id never changes its dataset or date
		return q, err
	}
	ctx = withDetail(ctx, fmt.Sprintf("%s %s", q.Dataset, q.Date))
	err = s.write(ctx, func(tx *sql.Tx) (err error) {
		if q, err = selectQuarantined(ctx, tx, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE quarantine SET decision = ?, decided_ms = ?, content = NULL WHERE id = ?", decision, now.UnixMilli(), id)
		if err != nil {
			return err
		}
		if err := follow(ctx, tx, q); err != nil {
			return err
		}
		return settleFaults(ctx, tx, datedKey{q.Dataset, q.Date}, decision)
	})
	return q, err
}

// SweepQuarantine drops the refused dates that have waited for 30 days, whatever else has waited for a year, and the
// decisions that are a year old.
func (s *Store) SweepQuarantine(ctx context.Context, now time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE decision IS NULL AND kind = ? AND seen_ms <= ? OR coalesce(decided_ms, seen_ms) <= ?",
			market.WaitsRefused, now.Add(-refusedWaits).UnixMilli(), now.Add(-decisionStands).UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: quarantine: %w", err)
	}
	return nil
}
