package store

import (
	"context"
	"database/sql"
	"time"

	"courant/store/market"
)

// Fetch is a range of delivery dates that a person asked for, running or interrupted.
type Fetch struct {
	ID       int64
	Finished map[int64]bool // the windows that are finished, by their start in seconds UTC
}

// BeginFetch begins the fetch of a range, or resumes the same fetch if it was interrupted.
func (s *Store) BeginFetch(ctx context.Context, feed string, first, last market.DeliveryDate, now time.Time) (Fetch, error) {
	var fetch Fetch
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO fetch (feed, first_date, last_date, started_ms) VALUES (?, ?, ?, ?)",
			feed, first, last, now.UnixMilli())
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT id FROM fetch WHERE feed = ? AND first_date = ? AND last_date = ?", feed, first, last).
			Scan(&fetch.ID)
		if err != nil {
			return err
		}
		fetch.Finished, err = selectFinishedWindows(ctx, tx, feed, first, last)
		return err
	})
	if err != nil {
		return Fetch{}, wrap("begin fetch", err)
	}
	return fetch, nil
}

// FinishedWindows returns the finished windows of an interrupted fetch, as Fetch.Finished does; empty if there is no such
// fetch.
func (s *Store) FinishedWindows(ctx context.Context, feed string, first, last market.DeliveryDate) (map[int64]bool, error) {
	var finished map[int64]bool
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		finished, err = selectFinishedWindows(ctx, tx, feed, first, last)
		return err
	})
	return finished, wrap("finished windows", err)
}

func selectFinishedWindows(ctx context.Context, tx *sql.Tx, feed string, first, last market.DeliveryDate) (map[int64]bool, error) {
	finished := map[int64]bool{}
	var start int64
	rows, err := tx.QueryContext(ctx, `
		SELECT window_start FROM fetch_window JOIN fetch ON fetch.id = fetch_id
		WHERE feed = ? AND first_date = ? AND last_date = ?`, feed, first, last)
	err = eachRow(rows, err, []any{&start}, func() error {
		finished[start] = true
		return nil
	})
	return finished, err
}

// EndFetch deletes a fetch that is complete, so that the next one of its range asks for all of it again.
func (s *Store) EndFetch(ctx context.Context, id int64) error {
	return s.exec(ctx, "end fetch", "DELETE FROM fetch WHERE id = ?", id)
}
