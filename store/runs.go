package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"courant/store/market"
)

// Outcome is how a run of a feed ended.
type Outcome string

const (
	OutcomeOK          Outcome = "ok"          // the whole answer was accepted, also an empty one
	OutcomePartial     Outcome = "partial"     // something was refused, the rest was stored
	OutcomeFailed      Outcome = "failed"      // nothing was stored
	OutcomeInterrupted Outcome = "interrupted" // the program was stopped
)

// Tally counts what a run brought of one dataset.
type Tally struct {
	Seen      int // rows in the source's reply
	Changed   int // rows that were new or had changed
	Older     int // rows that changed nothing, because the source dates them before the stored ones
	Withdrawn int // stored values that the source withdrew
}

// Run is the record of one request to a source, for one window of a feed.
type Run struct {
	Feed     string
	Datasets []market.Dataset
	Window   market.Period
	Started  time.Time
	Ended    time.Time
	// ClockAhead is by how much this machine's clock is known to be ahead of the sources' (negative: behind); 0 unless it is
	// known to be wrong. What the run brings is stamped with the sources' time.
	ClockAhead time.Duration
	Outcome    Outcome
	Tallies    map[market.Dataset]Tally // filled in by Commit
	Refusals   []market.Refusal
	// Omissions make the run partial, and their dates are asked for again.
	Omissions []market.Omission
	Lost      []market.DeliveryDate // dates of the window without an answer, where others have one
	Rejected  []market.Refusal      // content that a person has rejected before: an answer of the source, not a fault of the run
	Bytes     int64                 // read from the source
	Error     string                // one line; empty if nothing went wrong
	// Secondary runs bring substitutes for the dataset's source, or what a person has accepted. They do not count as a
	// success of its feed.
	Secondary bool
	Clocks    []market.ClockReading // of the sources that answered
	FetchID   int64                 // the fetch that this run belongs to; 0: none
}

// RecordRun stores the record of a run that brought no rows to store.
func (s *Store) RecordRun(ctx context.Context, run *Run) error {
	return wrap("record run of "+run.Feed, s.write(ctx, func(tx *sql.Tx) error { return insertRun(ctx, tx, run, nil) }))
}

func insertRun(ctx context.Context, tx *sql.Tx, run *Run, changed map[datedKey]bool) error {
	ids := map[market.Dataset]int64{}
	for _, dataset := range run.Datasets {
		tally := run.Tallies[dataset]
		result, err := tx.ExecContext(ctx, `
			INSERT INTO feed_run (feed, dataset, window_start, window_end, started_ms, ended_ms, outcome, rows_seen, rows_changed, bytes, error)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			run.Feed, dataset, run.Window.Start, run.Window.End, run.Started.UnixMilli(), run.Ended.UnixMilli(), run.Outcome,
			tally.Seen, tally.Changed, run.Bytes, run.Error)
		if err != nil {
			return err
		}
		if ids[dataset], err = result.LastInsertId(); err != nil {
			return err
		}
		for _, refusal := range run.Refusals {
			if refusal.Dataset != dataset {
				continue
			}
			_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO refusal (run_id, delivery_date, reason) VALUES (?, ?, ?)",
				ids[dataset], refusal.Date, refusal.Reason)
			if err != nil {
				return err
			}
		}
	}
	newest, err := updateFetchHistory(ctx, tx, run, changed)
	if err != nil {
		return err
	}
	for _, dataset := range run.Datasets {
		if err := updateNewestRun(ctx, tx, run, dataset, ids[dataset], newest[dataset]); err != nil {
			return err
		}
	}
	return putClockReadings(ctx, tx, run)
}

// Versions returns a number for each dataset that grows with every finished run; 0 if there was none.
func (s *Store) Versions(ctx context.Context) (map[market.Dataset]int64, error) {
	versions := map[market.Dataset]int64{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		for _, dataset := range market.Datasets() {
			version, err := version(ctx, tx, dataset)
			if err != nil {
				return err
			}
			versions[dataset] = version
		}
		return nil
	})
	return versions, wrap("versions", err)
}

// version returns the ID of the dataset's newest run; 0 if there was none.
func version(ctx context.Context, tx *sql.Tx, dataset market.Dataset) (int64, error) {
	var id sql.Null[int64]
	err := tx.QueryRowContext(ctx, "SELECT max(id) FROM feed_run WHERE dataset = ?", dataset).Scan(&id)
	return id.V, err
}

// RunSummary summarizes the runs of a dataset, of all feeds; a zero time means never.
type RunSummary struct {
	LastSuccess time.Time // end of the newest run that read the newest delivery date well
	LastChange  time.Time // end of the newest run that changed a row
}

// RunSummary summarizes the runs of the dataset.
func (s *Store) RunSummary(ctx context.Context, dataset market.Dataset) (RunSummary, error) {
	var summary RunSummary
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		if summary.LastSuccess, err = newestEnd(ctx, tx, dataset, readNewestDate); err != nil {
			return err
		}
		summary.LastChange, err = newestEnd(ctx, tx, dataset, changedSomething)
		return err
	})
	if err != nil {
		return RunSummary{}, wrap("run summary of "+string(dataset), err)
	}
	return summary, nil
}

// Queries for the ID of a dataset's newest run of a kind, of all feeds.
const (
	readNewestDate   = "SELECT max(success) FROM newest_run WHERE dataset = ?"
	changedSomething = "SELECT max(change) FROM newest_run WHERE dataset = ?"
)

// ofNewest is a query for a column of the newest run of a kind, which is one of the queries above.
func ofNewest(column, kind string) string {
	return "SELECT " + column + " FROM feed_run WHERE id = (" + kind + ")"
}

// newestEnd returns the end of the dataset's newest run of a kind; zero if there was none.
func newestEnd(ctx context.Context, tx *sql.Tx, dataset market.Dataset, kind string) (time.Time, error) {
	var ended int64
	err := tx.QueryRowContext(ctx, ofNewest("ended_ms", kind), dataset).Scan(&ended)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return milliseconds(ended), nil
}

// updateNewestRun stores a finished run of the dataset as the newest of its kinds. read is the newest delivery date that it
// read well. A run is a success only if that is the newest date of all: at least the newest one with rows, and the newest one
// whose last reading was refused or failed.
func updateNewestRun(ctx context.Context, tx *sql.Tx, run *Run, dataset market.Dataset, id int64, read market.DeliveryDate) error {
	var stored, faulty market.DeliveryDate
	if err := tx.QueryRowContext(ctx, "SELECT max(delivery_date) FROM coverage WHERE dataset = ?", dataset).Scan(&stored); err != nil {
		return err
	}
	// No source is asked for a date after tomorrow, unless a clock was ahead.
	err := tx.QueryRowContext(ctx, `
		SELECT max(delivery_date) FROM asked_date WHERE dataset = ? AND fault IN ('refused', 'failed') AND delivery_date <= ?`,
		dataset, market.DeliveryDateOf(run.Ended).Add(1)).Scan(&faulty)
	if err != nil {
		return err
	}
	success := !run.Secondary && !read.IsZero() && !read.Before(stored) && !read.Before(faulty)
	_, err = tx.ExecContext(ctx, `
		INSERT INTO newest_run (dataset, feed, success, change) VALUES (?1, ?2, iif(?4, ?3, NULL), iif(?5, ?3, NULL))
		ON CONFLICT (dataset, feed) DO UPDATE SET
			success = coalesce(excluded.success, success), change = coalesce(excluded.change, change)`,
		dataset, run.Feed, id, success, run.Tallies[dataset].Changed > 0)
	return err
}
