package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"courant/store/market"
)

// Outcome is how a run of a feed ended.
type Outcome string

const (
	OutcomeOK          Outcome = "ok"          // all that the source said was taken, also when it said nothing
	OutcomePartial     Outcome = "partial"     // something was refused, the rest was stored
	OutcomeFailed      Outcome = "failed"      // nothing was stored
	OutcomeInterrupted Outcome = "interrupted" // the program was told to stop
)

// Tally is what a run brought of one dataset.
type Tally struct {
	Seen      int // rows in the source's reply
	Changed   int // rows that were new or had changed
	Older     int // rows that changed nothing, because the source dates them before what is stored
	Withdrawn int // values that were stored and that the source took back
}

// Run is one account of asking a source for one window of a feed.
type Run struct {
	Feed     string
	Datasets []market.Dataset
	Window   market.Period
	Started  time.Time
	Ended    time.Time
	Outcome  Outcome
	Tallies  map[market.Dataset]Tally // filled in by Commit
	Refusals []market.Refusal
	// Omissions make the run partial, and their dates are asked for again.
	Omissions []market.Omission
	Lost      []market.DeliveryDate // of the window, for which the source gave no answer though it gave others
	Rejected  []market.Refusal      // by a person, before: for the run no fault, but an answer of the source
	Bytes     int64                 // read from the source
	Error     string                // one line; empty if nothing went wrong
	// Secondary runs bring what only stands in for the dataset's source, or what a person has accepted: they are no
	// success of its feed.
	Secondary bool
	Clocks    []market.ClockReading // of the sources that answered
	FetchID   int64                 // the fetch that this run is a part of; 0 for none
}

// RecordRun keeps the account of a run that brought nothing to store.
func (s *Store) RecordRun(ctx context.Context, run *Run) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return insertRun(ctx, tx, run, nil) })
	if err != nil {
		return fmt.Errorf("store: record run of %s: %w", run.Feed, err)
	}
	return nil
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
	read, err := noteAsked(ctx, tx, run, changed)
	if err != nil {
		return err
	}
	for _, dataset := range run.Datasets {
		if err := noteNewest(ctx, tx, run, dataset, ids[dataset], read[dataset]); err != nil {
			return err
		}
	}
	return noteClocks(ctx, tx, run)
}

// Versions tells, for each dataset, a number that grows with every run that ends; 0 if none ever did.
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
	if err != nil {
		return nil, fmt.Errorf("store: versions: %w", err)
	}
	return versions, nil
}

// version is the number of the dataset's newest run; 0 if there was none.
func version(ctx context.Context, tx *sql.Tx, dataset market.Dataset) (int64, error) {
	var id sql.Null[int64]
	err := tx.QueryRowContext(ctx, "SELECT max(id) FROM feed_run WHERE dataset = ?", dataset).Scan(&id)
	return id.V, err
}

// RunSummary is what the runs of a dataset come to; a zero time means never.
type RunSummary struct {
	LastSuccess time.Time // end of the newest run that read the newest delivery date well, of whatever feed
	LastChange  time.Time // end of the newest run that changed a row, of whatever feed
}

// RunSummary sums the runs of the dataset up.
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
		return RunSummary{}, fmt.Errorf("store: run summary of %s: %w", dataset, err)
	}
	return summary, nil
}

// The newest runs of a dataset, of whatever feed.
const (
	readNewestDate   = "SELECT max(success) FROM newest_run WHERE dataset = ?"
	changedSomething = "SELECT max(change) FROM newest_run WHERE dataset = ?"
)

// ofNewest asks for a column of the newest run of a kind, one of the queries above.
func ofNewest(column, kind string) string {
	return "SELECT " + column + " FROM feed_run WHERE id = (" + kind + ")"
}

// newestEnd is the end of the dataset's newest run of a kind; zero if there was none.
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

// noteNewest remembers a run of the dataset that has ended, as the newest of its kinds. read is the newest delivery date that
// it read well. Only a run that reads the newest date of all is a success: the newest of those that have rows, and of those
// whose newest reading was refused or failed.
func noteNewest(ctx context.Context, tx *sql.Tx, run *Run, dataset market.Dataset, id int64, read market.DeliveryDate) error {
	var held, faulty market.DeliveryDate
	if err := tx.QueryRowContext(ctx, "SELECT max(delivery_date) FROM coverage WHERE dataset = ?", dataset).Scan(&held); err != nil {
		return err
	}
	// No source is asked for a date after tomorrow, unless a clock was ahead.
	err := tx.QueryRowContext(ctx, "SELECT max(delivery_date) FROM asked_date WHERE dataset = ? AND fault IN ('refused', 'failed') AND delivery_date <= ?",
		dataset, market.DeliveryDateOf(run.Ended).Add(1)).Scan(&faulty)
	if err != nil {
		return err
	}
	success := !run.Secondary && !read.IsZero() && !read.Before(held) && !read.Before(faulty)
	_, err = tx.ExecContext(ctx, `
		INSERT INTO newest_run (dataset, feed, success, change) VALUES (?1, ?2, iif(?4, ?3, NULL), iif(?5, ?3, NULL))
		ON CONFLICT (dataset, feed) DO UPDATE SET
			success = coalesce(excluded.success, success), change = coalesce(excluded.change, change)`,
		dataset, run.Feed, id, success, run.Tallies[dataset].Changed > 0)
	return err
}
