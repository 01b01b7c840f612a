package store

import (
	"context"
	"database/sql"
	"time"
)

// BeginRuns records that runs of the feed have started. The record of a service that is killed remains.
func (s *Store) BeginRuns(ctx context.Context, feed string, since time.Time) error {
	return s.exec(ctx, "runs under way",
		"INSERT INTO feed_under_way (feed, since_ms) VALUES (?, ?) ON CONFLICT (feed) DO UPDATE SET since_ms = excluded.since_ms",
		feed, since.UnixMilli())
}

// EndRuns records that the runs of the feed have ended, with whatever outcome.
func (s *Store) EndRuns(ctx context.Context, feed string) error {
	return s.exec(ctx, "runs under way", "DELETE FROM feed_under_way WHERE feed = ?", feed)
}

// EndAllRuns records that no run is in progress and none was killed.
func (s *Store) EndAllRuns(ctx context.Context) error {
	return s.exec(ctx, "runs under way", "DELETE FROM feed_under_way")
}

// CountKills counts the runs that the last service left unfinished as killed. It returns how many times in a row that has
// happened to each feed, by name, without feeds whose runs ended. A service calls it once, when it starts.
func (s *Store) CountKills(ctx context.Context) (map[string]int, error) {
	kills := map[string]int{}
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE feed_under_way SET kills = kills + 1, since_ms = NULL WHERE since_ms IS NOT NULL")
		if err != nil {
			return err
		}
		var feed string
		var times int
		rows, err := tx.QueryContext(ctx, "SELECT feed, kills FROM feed_under_way")
		return eachRow(rows, err, []any{&feed, &times}, func() error {
			kills[feed] = times
			return nil
		})
	})
	return kills, wrap("killed runs", err)
}
