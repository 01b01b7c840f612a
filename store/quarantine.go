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
	Batch   market.Batch // its rows; empty in what InQuarantine lists
}

// Decision is a person's decision on a quarantined delivery date.
type Decision string

const (
	Undecided Decision = ""
	Accepted  Decision = "accepted"
	Rejected  Decision = "rejected"
)

const (
	refusedLifetime    = 30 * 24 * time.Hour  // how long a refused date waits
	quarantineLifetime = 365 * 24 * time.Hour // how long any other date waits, and a decision is remembered
)

// Quarantine stores the rows of a delivery date until a person decides on them, and returns an earlier decision on the same
// content. They replace rows of that date that are quarantined for the same kind of reason, and those for another reason if each
// of them has a newer one here. The error is ErrUnfitToWait if they cannot be stored.
func (s *Store) Quarantine(ctx context.Context, q Quarantined) (Decision, error) {
	packed, digest, err := tableOf(q.Dataset).packRows(q.Batch)
	if err != nil {
		return Undecided, wrap("quarantine", err)
	}
	var decision sql.Null[Decision]
	err = s.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT id, decision FROM quarantine WHERE dataset = ? AND delivery_date = ? AND digest = ?",
			q.Dataset, q.Date, digest).Scan(&q.ID, &decision)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			err = tx.QueryRowContext(ctx, `
				INSERT INTO quarantine (dataset, delivery_date, kind, reason, digest, content, seen_ms)
				VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
				q.Dataset, q.Date, q.Kind, q.Reason, digest, packed, q.Seen.UnixMilli()).Scan(&q.ID)
		case err == nil && !decision.Valid:
			_, err = tx.ExecContext(ctx, "UPDATE quarantine SET kind = ?, reason = ?, content = ? WHERE id = ?",
				q.Kind, q.Reason, packed, q.ID)
		}
		if err != nil {
			return err
		}
		return deleteReplaced(ctx, tx, q, decision.V == Undecided)
	})
	if err != nil {
		return Undecided, wrap("quarantine", err)
	}
	return decision.V, nil
}

// deleteReplaced deletes other quarantined entries of the delivery date that q makes out of date; waits reports whether q itself
// is quarantined. A refused date replaces only other refused ones, because it may have fewer readable rows.
func deleteReplaced(ctx context.Context, tx *sql.Tx, q Quarantined, waits bool) error {
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
			if err := deleteWaiting(ctx, tx, other.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// InQuarantine returns the quarantined delivery dates, oldest first, without their rows.
func (s *Store) InQuarantine(ctx context.Context) ([]Quarantined, error) {
	var waiting []Quarantined
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		waiting, err = selectWaiting(ctx, tx, "true")
		return err
	})
	return waiting, wrap("quarantine", err)
}

// Waiting returns the quarantined delivery date with the ID, with its rows; ErrNotFound if there is none.
func (s *Store) Waiting(ctx context.Context, id int64) (Quarantined, error) {
	var q Quarantined
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		q, err = selectQuarantined(ctx, tx, id)
		return err
	})
	if err != nil {
		return Quarantined{}, wrap("quarantine", err)
	}
	return q, nil
}

// selectWaiting reads the quarantined delivery dates that meet the condition, oldest first, without their rows.
func selectWaiting(ctx context.Context, tx *sql.Tx, condition string, args ...any) ([]Quarantined, error) {
	rows, err := tx.QueryContext(ctx,
		"SELECT id, dataset, delivery_date, kind, reason, seen_ms FROM quarantine WHERE decision IS NULL AND "+condition+" ORDER BY id", args...)
	return collect(rows, err, func(q *Quarantined) []any {
		return []any{&q.ID, &q.Dataset, &q.Date, &q.Kind, &q.Reason, instant{&q.Seen}}
	})
}

// selectQuarantined reads the quarantined delivery date with the ID, with its rows; ErrNotFound if there is none.
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

func deleteWaiting(ctx context.Context, tx *sql.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id = ?", id)
	return err
}

// supersede deletes quarantined delivery dates that the rows of a run replace.
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
			if err := deleteWaiting(w.ctx, w.tx, q.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// isReadAgain reports whether the window of a run contains every quarantined row.
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

// isReplaced reports whether every quarantined row has a newer one, among those that arrived or those stored since.
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

// keysOf returns the keys of the rows of a batch.
func keysOf(b market.Batch) map[rowKey]bool {
	keys := make(map[rowKey]bool, b.Len())
	for _, table := range tables {
		table.addKeys(keys, b)
	}
	return keys
}

// Accept stores the quarantined rows with the ID, in one transaction with their run and the audit note; ErrNotFound if there are
// none. It fills in the run's window and datasets.
func (s *Store) Accept(ctx context.Context, note Note, id int64, run *Run) (Quarantined, error) {
	q, err := s.decide(ctx, note, id, Accepted, run.Ended, func(tx *sql.Tx, q Quarantined) error {
		run.Datasets, run.Window, run.Secondary = []market.Dataset{q.Dataset}, q.Date.Period(), true
		return commit(ctx, tx, run, q.Batch)
	})
	if err != nil {
		return Quarantined{}, wrap(fmt.Sprintf("accept %d", id), err)
	}
	return q, nil
}

// Reject deletes the quarantined rows with the ID; ErrNotFound if there are none.
func (s *Store) Reject(ctx context.Context, note Note, id int64, now time.Time) (Quarantined, error) {
	q, err := s.decide(ctx, note, id, Rejected, now, func(*sql.Tx, Quarantined) error { return nil })
	if err != nil {
		return Quarantined{}, wrap(fmt.Sprintf("reject %d", id), err)
	}
	return q, nil
}

// decide records the decision, deletes the quarantined rows and runs apply, in one transaction. The detail of a note is the
// dataset and the delivery date.
func (s *Store) decide(ctx context.Context, note Note, id int64, decision Decision, now time.Time,
	apply func(*sql.Tx, Quarantined) error,
) (q Quarantined, err error) {
	err = s.write(ctx, func(tx *sql.Tx) (err error) {
		if q, err = selectQuarantined(ctx, tx, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE quarantine SET decision = ?, decided_ms = ?, content = NULL WHERE id = ?",
			decision, now.UnixMilli(), id)
		if err != nil {
			return err
		}
		if err := apply(tx, q); err != nil {
			return err
		}
		if err := decideFaults(ctx, tx, datedKey{q.Dataset, q.Date}, decision); err != nil {
			return err
		}
		if note != (Note{}) {
			note.Detail = fmt.Sprintf("%s %s", q.Dataset, q.Date)
		}
		return insertNote(ctx, tx, note)
	})
	return q, err
}

// PruneQuarantine deletes refused dates that have been quarantined for 30 days, other entries after a year, and decisions after
// a year.
func (s *Store) PruneQuarantine(ctx context.Context, now time.Time) error {
	return s.exec(ctx, "quarantine",
		"DELETE FROM quarantine WHERE decision IS NULL AND kind = ? AND seen_ms <= ? OR coalesce(decided_ms, seen_ms) <= ?",
		market.WaitsRefused, now.Add(-refusedLifetime).UnixMilli(), now.Add(-quarantineLifetime).UnixMilli())
}
