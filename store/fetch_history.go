package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"courant/store/market"
)

// Asked is what the runs of a feed have found out about one delivery date of a dataset. A zero time means never.
type Asked struct {
	Answered  time.Time // end of the newest run that read the date, or a part of it, and refused none of it
	SameSince time.Time // end of the first of the runs since which the answer has been the same
	Whole     time.Time // start of the newest run that read the date from its start to its end
	Fault     DateFault // the zero DateFault: the newest readings were taken
}

// FaultKind is why a delivery date has not been read well.
type FaultKind string

const (
	FaultRefused  FaultKind = "refused"  // what the source gave was refused
	FaultFailed   FaultKind = "failed"   // the source gave no answer that could be read
	FaultDeclined FaultKind = "declined" // a person rejected what the source gives
	FaultOmitted  FaultKind = "omitted"  // the date was taken without some of its steps
)

// DateFault keeps a delivery date from having been read well. It stays until a run reads all of its window well.
type DateFault struct {
	Kind   FaultKind
	Window market.Period // that was asked for, within the date; of all runs that met the fault
	Reason string
	Runs   int // how many runs in a row have not read the window well
	Steps  int // how many steps were left out
}

// IsOpen reports whether the newest reading was refused or failed.
func (f DateFault) IsOpen() bool { return f.Kind == FaultRefused || f.Kind == FaultFailed }

// reading is how one run read one delivery date of a dataset.
type reading struct {
	window  market.Period // that was asked for, within the date
	started time.Time     // of the run
	ended   time.Time
	changed bool // a row of the date is new or has changed
	fault   DateFault
}

// after is what is known of a delivery date after one more reading.
func (a Asked) after(r reading, date market.DeliveryDate) Asked {
	if r.fault.IsOpen() {
		a.Fault = a.Fault.joinedBy(r)
		return a
	}
	a.Answered = r.ended
	if r.changed || a.SameSince.IsZero() || a.SameSince.After(r.ended) { // after: a clock was ahead
		a.SameSince = r.ended
	}
	if date.Period() == r.window {
		a.Whole = r.started
	}
	switch {
	case r.fault.Kind != "":
		a.Fault = a.Fault.joinedBy(r)
	case r.window.Start <= a.Fault.Window.Start && a.Fault.Window.End <= r.window.End:
		a.Fault = DateFault{}
	}
	return a
}

// joinedBy is the fault of a reading, and the window of the fault that was there.
func (f DateFault) joinedBy(r reading) DateFault {
	joined := r.fault
	joined.Window, joined.Runs = r.window, f.Runs+1
	if f.Kind != "" {
		joined.Window.Start, joined.Window.End = min(joined.Window.Start, f.Window.Start), max(joined.Window.End, f.Window.End)
	}
	return joined
}

// noteAsked keeps what a run found out about each delivery date of its window. read is, for each dataset, the newest date
// that it read well; a dataset of which it read none is not in it.
func noteAsked(ctx context.Context, tx *sql.Tx, run *Run, changed map[datedKey]bool) (read map[market.Dataset]market.DeliveryDate, err error) {
	read = map[market.Dataset]market.DeliveryDate{}
	if run.Outcome == OutcomeInterrupted {
		return read, nil
	}
	faults := run.faults()
	dates := run.Window.Dates()
	for _, dataset := range run.Datasets {
		asked, err := selectAsked(ctx, tx, run.Feed, dataset, dates[0], dates[len(dates)-1])
		if err != nil {
			return nil, err
		}
		for _, date := range dates {
			key, period := datedKey{dataset, date}, date.Period()
			now := asked[date].after(reading{
				window:  market.Period{Start: max(period.Start, run.Window.Start), End: min(period.End, run.Window.End)},
				started: run.Started, ended: run.Ended, changed: changed[key], fault: faults[key],
			}, date)
			if now.Fault.Kind == "" {
				read[dataset] = date
			}
			if err := putAsked(ctx, tx, run.Feed, key, now); err != nil {
				return nil, err
			}
		}
	}
	return read, nil
}

// faults are those of the run's delivery dates.
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

func putAsked(ctx context.Context, tx *sql.Tx, feed string, key datedKey, a Asked) error {
	kind := sql.Null[FaultKind]{V: a.Fault.Kind, Valid: a.Fault.Kind != ""}
	start, end := sql.Null[int64]{V: a.Fault.Window.Start, Valid: kind.Valid}, sql.Null[int64]{V: a.Fault.Window.End, Valid: kind.Valid}
	_, err := tx.ExecContext(ctx, `
		INSERT OR REPLACE INTO asked_date (feed, dataset, delivery_date, answered_ms, same_since_ms, whole_ms,
			fault, fault_start, fault_end, fault_reason, fault_runs, fault_steps)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		feed, key.dataset, key.date, optionalMilliseconds(a.Answered), optionalMilliseconds(a.SameSince), optionalMilliseconds(a.Whole),
		kind, start, end, a.Fault.Reason, a.Fault.Runs, a.Fault.Steps)
	return err
}

// Asked tells what the runs of the feed have found out about the dataset's delivery dates from first to last, both included;
// a date that none asked for is not there.
func (s *Store) Asked(ctx context.Context, feed string, dataset market.Dataset, first, last market.DeliveryDate) (asked map[market.DeliveryDate]Asked, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		asked, err = selectAsked(ctx, tx, feed, dataset, first, last)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: dates asked of %s: %w", dataset, err)
	}
	return asked, nil
}

func selectAsked(ctx context.Context, tx *sql.Tx, feed string, dataset market.Dataset, first, last market.DeliveryDate) (map[market.DeliveryDate]Asked, error) {
	asked := map[market.DeliveryDate]Asked{}
	var date market.DeliveryDate
	var a Asked
	rows, err := tx.QueryContext(ctx, `
		SELECT delivery_date, answered_ms, same_since_ms, whole_ms, fault, fault_start, fault_end, fault_reason, fault_runs, fault_steps
		FROM asked_date WHERE dataset = ? AND delivery_date BETWEEN ? AND ? AND feed = ?`, dataset, first, last, feed)
	err = eachRow(rows, err, []any{
		&date, instant{&a.Answered}, instant{&a.SameSince}, instant{&a.Whole}, nullable[FaultKind]{&a.Fault.Kind},
		nullable[int64]{&a.Fault.Window.Start}, nullable[int64]{&a.Fault.Window.End}, &a.Fault.Reason, &a.Fault.Runs, &a.Fault.Steps,
	}, func() error {
		asked[date] = a
		return nil
	})
	return asked, err
}

// settleFaults takes back, or gives another kind to, what keeps a delivery date from having been read well, for every feed:
// a person has decided on what was refused of it.
func settleFaults(ctx context.Context, tx *sql.Tx, key datedKey, decision Decision) error {
	change := "fault = 'declined'"
	if decision == Accepted {
		change = "fault = NULL, fault_start = NULL, fault_end = NULL, fault_reason = '', fault_runs = 0, fault_steps = 0"
	}
	_, err := tx.ExecContext(ctx, "UPDATE asked_date SET "+change+" WHERE dataset = ? AND delivery_date = ? AND fault = 'refused'", key.dataset, key.date)
	return err
}

// FirstAsked is the first delivery date of the dataset that a run ever asked for; zero if none did.
func (s *Store) FirstAsked(ctx context.Context, dataset market.Dataset) (market.DeliveryDate, error) {
	var first market.DeliveryDate
	err := s.reader.QueryRowContext(ctx, "SELECT min(delivery_date) FROM asked_date WHERE dataset = ?", dataset).Scan(&first)
	if err != nil {
		return market.DeliveryDate{}, fmt.Errorf("store: first date asked of %s: %w", dataset, err)
	}
	return first, nil
}
