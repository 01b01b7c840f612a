package store

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"courant/store/market"
)

// FetchHistory is what the runs of a feed have found out about one delivery date of a dataset. A zero time means never.
type FetchHistory struct {
	Answered  time.Time // end of the newest run that read the date, or a part of it, without a refusal
	SameSince time.Time // end of the first run since which the answers have been the same
	Whole     time.Time // start of the newest run that read the whole date
	Fault     DateFault // zero: the newest readings were accepted
}

// FaultKind is why a delivery date was not read well.
type FaultKind string

const (
	FaultRefused  FaultKind = "refused"  // the source's answer was refused
	FaultFailed   FaultKind = "failed"   // the source gave no readable answer
	FaultDeclined FaultKind = "declined" // a person rejected the source's answer
	FaultOmitted  FaultKind = "omitted"  // the date was stored without some of its steps
)

// DateFault is why a delivery date was not read well. It remains until a run reads all of its window well.
type DateFault struct {
	Kind   FaultKind
	Window market.Period // requested part of the date, of all runs that met the fault
	Reason string
	Runs   int // how many runs in a row have not read the window well
	Steps  int // how many steps were left out
}

// IsOpen reports whether the newest reading was refused or failed.
func (f DateFault) IsOpen() bool { return f.Kind == FaultRefused || f.Kind == FaultFailed }

// reading is how one run read one delivery date of a dataset.
type reading struct {
	window  market.Period // requested part of the date
	started time.Time     // of the run
	ended   time.Time
	changed bool // a row of the date is new or has changed
	fault   DateFault
}

// after returns the history of a delivery date after one more reading.
func (h FetchHistory) after(r reading, date market.DeliveryDate) FetchHistory {
	if r.fault.IsOpen() {
		h.Fault = h.Fault.extendedBy(r)
		return h
	}
	h.Answered = r.ended
	if r.changed || h.SameSince.IsZero() || h.SameSince.After(r.ended) { // after: a clock was ahead
		h.SameSince = r.ended
	}
	if date.Period() == r.window {
		h.Whole = r.started
	}
	switch {
	case r.fault.Kind != "":
		h.Fault = h.Fault.extendedBy(r)
	case r.window.Start <= h.Fault.Window.Start && h.Fault.Window.End <= r.window.End:
		h.Fault = DateFault{}
	}
	return h
}

// extendedBy returns the fault of a reading, with its window extended by that of the former fault.
func (f DateFault) extendedBy(r reading) DateFault {
	extended := r.fault
	extended.Window, extended.Runs = r.window, f.Runs+1
	if f.Kind != "" {
		extended.Window.Start = min(extended.Window.Start, f.Window.Start)
		extended.Window.End = max(extended.Window.End, f.Window.End)
	}
	return extended
}

// updateFetchHistory adds a run to the history of each delivery date of its window. It returns the newest date that the run
// read well, by dataset; datasets without such a date are missing.
func updateFetchHistory(ctx context.Context, tx *sql.Tx, run *Run, changed map[datedKey]bool) (
	newest map[market.Dataset]market.DeliveryDate, err error,
) {
	newest = map[market.Dataset]market.DeliveryDate{}
	if run.Outcome == OutcomeInterrupted {
		return newest, nil
	}
	put, err := tx.PrepareContext(ctx, `
		INSERT OR REPLACE INTO asked_date (feed, dataset, delivery_date, answered_ms, same_since_ms, whole_ms,
			fault, fault_start, fault_end, fault_reason, fault_runs, fault_steps)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return nil, err
	}
	faults := run.faults()
	dates := run.Window.Dates()
	for _, dataset := range run.Datasets {
		histories, err := selectFetchHistory(ctx, tx, run.Feed, dataset, dates[0], dates[len(dates)-1])
		if err != nil {
			return nil, err
		}
		for _, date := range dates {
			key, period := datedKey{dataset, date}, date.Period()
			history := histories[date].after(reading{
				window:  market.Period{Start: max(period.Start, run.Window.Start), End: min(period.End, run.Window.End)},
				started: run.Started, ended: run.Ended, changed: changed[key], fault: faults[key],
			}, date)
			if history.Fault.Kind == "" {
				newest[dataset] = date
			}
			if err := putFetchHistory(ctx, put, run.Feed, key, history); err != nil {
				return nil, err
			}
		}
	}
	return newest, nil
}

// faults returns the faults of the run's delivery dates.
func (run *Run) faults() map[datedKey]DateFault {
	faults := map[datedKey]DateFault{}
	for _, o := range run.Omissions {
		key := datedKey{o.Dataset, o.Date}
		faults[key] = DateFault{Kind: FaultOmitted, Reason: cmp.Or(faults[key].Reason, o.Reason), Steps: faults[key].Steps + o.Steps}
	}
	for _, r := range run.Rejected {
		faults[datedKey{r.Dataset, r.Date}] = DateFault{Kind: FaultDeclined, Reason: r.Reason}
	}
	lost := run.Lost
	if run.Outcome == OutcomeFailed && len(run.Refusals) == 0 {
		lost = run.Window.Dates()
	}
	for _, date := range lost {
		for _, dataset := range run.Datasets {
			faults[datedKey{dataset, date}] = DateFault{Kind: FaultFailed, Reason: run.Error}
		}
	}
	for _, r := range run.Refusals {
		faults[datedKey{r.Dataset, r.Date}] = DateFault{Kind: FaultRefused, Reason: r.Reason}
	}
	return faults
}

// putFetchHistory runs the prepared statement put, which replaces the history of a delivery date.
func putFetchHistory(ctx context.Context, put *sql.Stmt, feed string, key datedKey, h FetchHistory) error {
	kind := sql.Null[FaultKind]{V: h.Fault.Kind, Valid: h.Fault.Kind != ""}
	start, end := sql.Null[int64]{V: h.Fault.Window.Start, Valid: kind.Valid}, sql.Null[int64]{V: h.Fault.Window.End, Valid: kind.Valid}
	_, err := put.ExecContext(ctx, feed, key.dataset, key.date,
		optionalMilliseconds(h.Answered), optionalMilliseconds(h.SameSince), optionalMilliseconds(h.Whole),
		kind, start, end, h.Fault.Reason, h.Fault.Runs, h.Fault.Steps)
	return err
}

// FetchHistory returns what the runs of the feed have found out about the dataset's delivery dates from first to last, both
// included. Dates that no run has asked for are missing.
func (s *Store) FetchHistory(ctx context.Context, feed string, dataset market.Dataset, first, last market.DeliveryDate) (
	histories map[market.DeliveryDate]FetchHistory, err error,
) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		histories, err = selectFetchHistory(ctx, tx, feed, dataset, first, last)
		return err
	})
	return histories, wrap("fetch history of "+string(dataset), err)
}

func selectFetchHistory(ctx context.Context, tx *sql.Tx, feed string, dataset market.Dataset, first, last market.DeliveryDate) (
	map[market.DeliveryDate]FetchHistory, error,
) {
	histories := map[market.DeliveryDate]FetchHistory{}
	var date market.DeliveryDate
	var h FetchHistory
	rows, err := tx.QueryContext(ctx, `
		SELECT delivery_date, answered_ms, same_since_ms, whole_ms, fault, fault_start, fault_end, fault_reason, fault_runs, fault_steps
		FROM asked_date WHERE dataset = ? AND delivery_date BETWEEN ? AND ? AND feed = ?`, dataset, first, last, feed)
	err = eachRow(rows, err, []any{
		&date, instant{&h.Answered}, instant{&h.SameSince}, instant{&h.Whole}, nullable[FaultKind]{&h.Fault.Kind},
		nullable[int64]{&h.Fault.Window.Start}, nullable[int64]{&h.Fault.Window.End}, &h.Fault.Reason, &h.Fault.Runs, &h.Fault.Steps,
	}, func() error {
		histories[date] = h
		return nil
	})
	return histories, err
}

// decideFaults clears the refusals of a delivery date, for every feed, after a person accepted what was refused, or marks
// them as declined after a rejection.
func decideFaults(ctx context.Context, tx *sql.Tx, key datedKey, decision Decision) error {
	change := "fault = 'declined'"
	if decision == Accepted {
		change = "fault = NULL, fault_start = NULL, fault_end = NULL, fault_reason = '', fault_runs = 0, fault_steps = 0"
	}
	_, err := tx.ExecContext(ctx, "UPDATE asked_date SET "+change+" WHERE dataset = ? AND delivery_date = ? AND fault = 'refused'",
		key.dataset, key.date)
	return err
}

// FirstRequestedDate returns the first delivery date of the dataset that a run has ever asked for; zero if there is none.
func (s *Store) FirstRequestedDate(ctx context.Context, dataset market.Dataset) (market.DeliveryDate, error) {
	var first market.DeliveryDate
	err := s.reader.QueryRowContext(ctx, "SELECT min(delivery_date) FROM asked_date WHERE dataset = ?", dataset).Scan(&first)
	return first, wrap("first requested date of "+string(dataset), err)
}
