package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Outcome is how a run of a feed ended.
type Outcome string

const (
	OutcomeOK          Outcome = "ok"          // all that the source said was taken, also when it said nothing
	OutcomePartial     Outcome = "partial"     // something was refused, the rest was stored
	OutcomeFailed      Outcome = "failed"      // nothing was stored
	OutcomeInterrupted Outcome = "interrupted" // the program was told to stop
)

// Refusal is a delivery date of a dataset of which nothing was taken, and why.
type Refusal struct {
	Dataset Dataset
	Date    DeliveryDate
	Reason  string
}

// Tally is what a run brought of one dataset.
type Tally struct {
	Seen    int // rows in the source's reply
	Changed int // rows that were new or had changed
}

// Run is one account of asking a source for one window of a feed.
type Run struct {
	Feed     string
	Datasets []Dataset
	Window   Period
	Started  time.Time
	Ended    time.Time
	Outcome  Outcome
	Tallies  map[Dataset]Tally // filled in by Commit
	Refusals []Refusal
	Bytes    int64  // read from the source
	Error    string // one line; empty if nothing went wrong
	FetchID  int64  // the fetch that this run is a part of; 0 for none
}

// RecordRun keeps the account of a run that brought nothing to store.
func (s *Store) RecordRun(ctx context.Context, run *Run) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return insertRun(ctx, tx, run) })
	if err != nil {
		return fmt.Errorf("store: record run of %s: %w", run.Feed, err)
	}
	return nil
}

func insertRun(ctx context.Context, tx *sql.Tx, run *Run) error {
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
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		for _, refusal := range run.Refusals {
			if refusal.Dataset != dataset {
				continue
			}
			_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO refusal (run_id, delivery_date, reason) VALUES (?, ?, ?)",
				id, refusal.Date, refusal.Reason)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Versions tells, for each dataset, a number that grows with every run that ends; 0 if none ever did.
func (s *Store) Versions(ctx context.Context) (map[Dataset]int64, error) {
	versions := map[Dataset]int64{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		for _, dataset := range datasets {
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
func version(ctx context.Context, tx *sql.Tx, dataset Dataset) (int64, error) {
	var id sql.Null[int64]
	err := tx.QueryRowContext(ctx, "SELECT max(id) FROM feed_run WHERE dataset = ?", dataset).Scan(&id)
	return id.V, err
}

// RunSummary is what the runs of one dataset say about it; a zero time is "never".
type RunSummary struct {
	LastSuccess time.Time // end of the newest run that refused nothing of the dataset
	LastChange  time.Time // end of the newest run that changed a row
	LastError   string    // of the newest run, empty if it went well
}

// RunSummary sums the dataset's runs up.
func (s *Store) RunSummary(ctx context.Context, dataset Dataset) (RunSummary, error) {
	var summary RunSummary
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		if summary.LastSuccess, err = lastSuccess(ctx, tx, dataset); err != nil {
			return err
		}
		if summary.LastChange, err = newestEnd(ctx, tx, dataset, "rows_changed > 0"); err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT error FROM feed_run WHERE dataset = ? ORDER BY id DESC LIMIT 1", dataset).Scan(&summary.LastError)
		if err == sql.ErrNoRows {
			return nil
		}
		return err
	})
	if err != nil {
		return RunSummary{}, fmt.Errorf("store: run summary of %s: %w", dataset, err)
	}
	return summary, nil
}

// lastSuccess is the end of the newest run that read the dataset without refusing any of it.
func lastSuccess(ctx context.Context, tx *sql.Tx, dataset Dataset) (time.Time, error) {
	return newestEnd(ctx, tx, dataset, "outcome IN ('ok', 'partial') AND NOT EXISTS (SELECT 1 FROM refusal WHERE run_id = feed_run.id)")
}

// newestEnd is the end of the dataset's newest run of a kind; zero if there was none.
func newestEnd(ctx context.Context, tx *sql.Tx, dataset Dataset, kind string) (time.Time, error) {
	var ended int64
	err := tx.QueryRowContext(ctx, "SELECT ended_ms FROM feed_run WHERE dataset = ? AND "+kind+" ORDER BY id DESC LIMIT 1", dataset).Scan(&ended)
	if err == sql.ErrNoRows {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return milliseconds(ended), nil
}

// DateVerdict is what the newest run that asked for a delivery date said of it.
type DateVerdict struct {
	Outcome Outcome
	Refused bool
}

// DateVerdicts tells, for each of the dataset's delivery dates that runs have asked for within the period, what the
// newest such run said.
func (s *Store) DateVerdicts(ctx context.Context, dataset Dataset, period Period) (map[DeliveryDate]DateVerdict, error) {
	verdicts := map[DeliveryDate]DateVerdict{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT id, window_start, window_end, outcome FROM feed_run
			WHERE dataset = ? AND window_end > ? AND window_start < ? ORDER BY id`, dataset, period.Start, period.End)
		if err != nil {
			return err
		}
		defer rows.Close()
		newest := map[DeliveryDate]int64{}
		for rows.Next() {
			var id int64
			var window Period
			var outcome Outcome
			if err := rows.Scan(&id, &window.Start, &window.End, &outcome); err != nil {
				return err
			}
			for _, date := range window.Dates() {
				verdicts[date] = DateVerdict{Outcome: outcome}
				newest[date] = id
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		refused, err := tx.QueryContext(ctx, `
			SELECT run_id, delivery_date FROM refusal JOIN feed_run ON feed_run.id = run_id WHERE dataset = ?`, dataset)
		if err != nil {
			return err
		}
		defer refused.Close()
		for refused.Next() {
			var id int64
			var date DeliveryDate
			if err := refused.Scan(&id, &date); err != nil {
				return err
			}
			if verdict, asked := verdicts[date]; asked && newest[date] == id {
				verdict.Refused = true
				verdicts[date] = verdict
			}
		}
		return refused.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("store: verdicts on %s: %w", dataset, err)
	}
	return verdicts, nil
}
