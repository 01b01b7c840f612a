package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// FeedState is how a feed of a running service stands.
type FeedState struct {
	NextRun   time.Time
	OpenUntil time.Time // its circuit is open and tries again then; zero: it is closed
}

// PutFeedState says how a feed stands, for other processes.
func (s *Store) PutFeedState(ctx context.Context, feed string, state FeedState) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO feed_state (feed, next_run_ms, open_until_ms) VALUES (?, ?, ?)",
			feed, state.NextRun.UnixMilli(), optionalMilliseconds(state.OpenUntil))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: state of feed %s: %w", feed, err)
	}
	return nil
}

// ClearFeedStates says that no service runs.
func (s *Store) ClearFeedStates(ctx context.Context) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM feed_state")
		return err
	})
	if err != nil {
		return fmt.Errorf("store: clear feed states: %w", err)
	}
	return nil
}

// FeedStates tells how the feeds of the running service stand, by name; empty if none runs.
func (s *Store) FeedStates(ctx context.Context) (map[string]FeedState, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT feed, next_run_ms, open_until_ms FROM feed_state")
	if err != nil {
		return nil, fmt.Errorf("store: feed states: %w", err)
	}
	defer rows.Close()
	states := map[string]FeedState{}
	for rows.Next() {
		var feed string
		var next, open sql.Null[int64]
		if err := rows.Scan(&feed, &next, &open); err != nil {
			return nil, fmt.Errorf("store: feed states: %w", err)
		}
		states[feed] = FeedState{NextRun: optionalTime(next), OpenUntil: optionalTime(open)}
	}
	return states, rows.Err()
}
