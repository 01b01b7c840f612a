package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"courant/store/market"
)

// Fetch is a range of delivery dates that a person asked for, under way or cut short.
type Fetch struct {
	ID       int64
	Finished map[int64]bool // starts of the windows that are done, seconds UTC
}

// BeginFetch begins the fetch of a range, or goes on with the same one that was cut short.
func (s *Store) BeginFetch(ctx context.Context, feed string, first, last market.DeliveryDate, now time.Time) (Fetch, error) {
	var fetch Fetch
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO fetch (feed, first_date, last_date, started_ms) VALUES (?, ?, ?, ?)",
			feed, first, last, now.UnixMilli())
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT id FROM fetch WHERE feed = ? AND first_date = ? AND last_date = ?", feed, first, last).Scan(&fetch.ID)
		if err != nil {
			return err
		}
		fetch.Finished, err = finishedWindows(ctx, tx, feed, first, last)
		return err
	})
	if err != nil {
		return Fetch{}, fmt.Errorf("store: begin fetch: %w", err)
	}
	return fetch, nil
}

// FinishedWindows tells which windows of a fetch that was cut short are done; none if there is no such fetch.
func (s *Store) FinishedWindows(ctx context.Context, feed string, first, last market.DeliveryDate) (map[int64]bool, error) {
	var finished map[int64]bool
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		finished, err = finishedWindows(ctx, tx, feed, first, last)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: finished windows: %w", err)
	}
	return finished, nil
}

func finishedWindows(ctx context.Context, tx *sql.Tx, feed string, first, last market.DeliveryDate) (map[int64]bool, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT window_start FROM fetch_window JOIN fetch ON fetch.id = fetch_id
		WHERE feed = ? AND first_date = ? AND last_date = ?`, feed, first, last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	finished := map[int64]bool{}
	for rows.Next() {
		var start int64
		if err := rows.Scan(&start); err != nil {
			return nil, err
		}
		finished[start] = true
	}
	return finished, rows.Err()
}

// EndFetch forgets a fetch that came to its end, so that the next one of that range asks for all of it again.
func (s *Store) EndFetch(ctx context.Context, id int64) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM fetch WHERE id = ?", id)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: end fetch: %w", err)
	}
	return nil
}
