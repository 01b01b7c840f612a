package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Asked is what the runs of a feed that asked for a delivery date say of it. A zero time is "never".
type Asked struct {
	Outcome   Outcome   // of the newest run
	Refused   bool      // by the newest run, or by a person what it brought
	Answered  time.Time // end of the newest run that took what the source said
	SameSince time.Time // end of the first of the runs since which that was the same
	Whole     time.Time // start of the newest run that took the whole date, once it was over
}

// noteAsked keeps what a run says of each delivery date of its window; changed are the dates of which a row changed.
func noteAsked(ctx context.Context, tx *sql.Tx, run *Run, changed map[datedKey]bool) error {
	refused := map[datedKey]bool{}
	for _, r := range run.Refusals {
		refused[datedKey{r.Dataset, r.Date}] = true
	}
	rejected := map[datedKey]bool{}
	for _, r := range run.Rejected {
		rejected[datedKey{r.Dataset, r.Date}] = true
	}
	lost := map[DeliveryDate]bool{}
	for _, date := range run.Lost {
		lost[date] = true
	}
	took := run.Outcome == OutcomeOK || run.Outcome == OutcomePartial
	for _, date := range run.Window.Dates() {
		period := date.Period()
		isWhole := run.Window.Start <= period.Start && period.End <= run.Window.End && !run.Started.Before(period.To())
		for _, dataset := range run.Datasets {
			key := datedKey{dataset, date}
			outcome := run.Outcome
			if lost[date] {
				outcome = OutcomeFailed
			}
			var answered, whole time.Time
			if took && !refused[key] && !lost[date] {
				answered = run.Ended
				if isWhole {
					whole = run.Started
				}
			}
			_, err := tx.ExecContext(ctx, `
				INSERT INTO asked_date (feed, dataset, delivery_date, outcome, refused, answered_ms, same_since_ms, whole_ms)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)
				ON CONFLICT (dataset, delivery_date, feed) DO UPDATE SET
					outcome = excluded.outcome, refused = excluded.refused,
					answered_ms = coalesce(excluded.answered_ms, answered_ms),
					same_since_ms = CASE WHEN ?8 THEN excluded.answered_ms ELSE coalesce(same_since_ms, excluded.answered_ms) END,
					whole_ms = coalesce(excluded.whole_ms, whole_ms)`,
				run.Feed, dataset, date, outcome, refused[key] || rejected[key], optionalMilliseconds(answered), optionalMilliseconds(whole),
				changed[key] && !answered.IsZero())
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Asked tells what the runs of the feed say of the dataset's delivery dates from first to last, both included; a date
// that none asked for is not there.
func (s *Store) Asked(ctx context.Context, feed string, dataset Dataset, first, last DeliveryDate) (map[DeliveryDate]Asked, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT delivery_date, outcome, refused, answered_ms, same_since_ms, whole_ms FROM asked_date
		WHERE dataset = ? AND delivery_date BETWEEN ? AND ? AND feed = ?`, dataset, first, last, feed)
	if err != nil {
		return nil, fmt.Errorf("store: dates asked of %s: %w", dataset, err)
	}
	defer rows.Close()
	asked := map[DeliveryDate]Asked{}
	for rows.Next() {
		var date DeliveryDate
		var a Asked
		var answered, sameSince, whole sql.Null[int64]
		if err := rows.Scan(&date, &a.Outcome, &a.Refused, &answered, &sameSince, &whole); err != nil {
			return nil, fmt.Errorf("store: dates asked of %s: %w", dataset, err)
		}
		a.Answered, a.SameSince, a.Whole = optionalTime(answered), optionalTime(sameSince), optionalTime(whole)
		asked[date] = a
	}
	return asked, rows.Err()
}

// FirstAsked is the first delivery date of the dataset that a run ever asked for; zero if none did.
func (s *Store) FirstAsked(ctx context.Context, dataset Dataset) (DeliveryDate, error) {
	var first DeliveryDate
	err := s.reader.QueryRowContext(ctx, "SELECT min(delivery_date) FROM asked_date WHERE dataset = ?", dataset).Scan(&first)
	if err != nil {
		return DeliveryDate{}, fmt.Errorf("store: first date asked of %s: %w", dataset, err)
	}
	return first, nil
}
