package store

import (
	"context"
	"time"
)

// FeedState is what the running service plans for a feed.
type FeedState struct {
	NextRun   time.Time
	OpenUntil time.Time // when its open circuit tries again; zero: the circuit is closed
}

// PutFeedState stores the state of a feed for other processes.
func (s *Store) PutFeedState(ctx context.Context, feed string, state FeedState) error {
	return s.exec(ctx, "state of feed "+feed, "INSERT OR REPLACE INTO feed_state (feed, next_run_ms, open_until_ms) VALUES (?, ?, ?)",
		feed, state.NextRun.UnixMilli(), optionalMilliseconds(state.OpenUntil))
}

// ClearFeedStates deletes all states: no service is running.
func (s *Store) ClearFeedStates(ctx context.Context) error {
	return s.exec(ctx, "clear feed states", "DELETE FROM feed_state")
}

// FeedStates returns the states of the running service's feeds, by name; empty if no service is running.
func (s *Store) FeedStates(ctx context.Context) (map[string]FeedState, error) {
	states := map[string]FeedState{}
	var feed string
	var state FeedState
	rows, err := s.reader.QueryContext(ctx, "SELECT feed, next_run_ms, open_until_ms FROM feed_state")
	err = eachRow(rows, err, []any{&feed, instant{&state.NextRun}, instant{&state.OpenUntil}}, func() error {
		states[feed] = state
		return nil
	})
	return states, wrap("feed states", err)
}
