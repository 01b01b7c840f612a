package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// BeginRuns notes that runs of the feed are under way. A service that is killed leaves the note behind.
func (s *Store) BeginRuns(ctx context.Context, feed string, since time.Time) error {
	return s.noteRuns(ctx, "INSERT INTO feed_under_way (feed, since_ms) VALUES (?, ?) ON CONFLICT (feed) DO UPDATE SET since_ms = excluded.since_ms",
		feed, since.UnixMilli())
}

// EndRuns notes that the runs of the feed have come to an end, whatever they brought.
func (s *Store) EndRuns(ctx context.Context, feed string) error {
	return s.noteRuns(ctx, "DELETE FROM feed_under_way WHERE feed = ?", feed)
}

// EndAllRuns notes that no run is under way and that none was killed.
func (s *Store) EndAllRuns(ctx context.Context) error {
	return s.noteRuns(ctx, "DELETE FROM feed_under_way")
}

func (s *Store) noteRuns(ctx context.Context, statement string, values ...any) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, values...)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: runs under way: %w", err)
	}
	return nil
}

// CountKills takes the runs that a service left under way for killed, and tells how many times in a row that has happened to
// each feed, by name; a feed whose runs came to an end is not there. A service calls it once, at its start.
func (s *Store) CountKills(ctx context.Context) (map[string]int, error) {
	kills := map[string]int{}
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE feed_under_way SET kills = kills + 1, since_ms = NULL WHERE since_ms IS NOT NULL"); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT feed, kills FROM feed_under_way")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var feed string
			var times int
			if err := rows.Scan(&feed, &times); err != nil {
				return err
			}
			kills[feed] = times
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("store: killed runs: %w", err)
	}
	return kills, nil
}
