package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Session is a session of the dashboard, without the id that opens it.
type Session struct {
	Hash    string // of its id
	Data    []byte
	Seen    time.Time // when it was last used
	Expires time.Time // its end, however it is used
}

// Sessions lists all sessions, also those that are over and not yet forgotten.
func (s *Store) Sessions(ctx context.Context) ([]Session, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT hash, data, seen_ms, expires_ms FROM session")
	if err != nil {
		return nil, fmt.Errorf("store: sessions: %w", err)
	}
	defer rows.Close()
	var sessions []Session
	for rows.Next() {
		var session Session
		var seen, expires int64
		if err := rows.Scan(&session.Hash, &session.Data, &seen, &expires); err != nil {
			return nil, fmt.Errorf("store: sessions: %w", err)
		}
		session.Seen, session.Expires = milliseconds(seen), milliseconds(expires)
		sessions = append(sessions, session)
	}
	return sessions, rows.Err()
}

// PutSession keeps a session, in the place of one of the same hash.
func (s *Store) PutSession(ctx context.Context, session Session) error {
	err := s.changeAccess(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO session (hash, data, seen_ms, expires_ms) VALUES (?, ?, ?, ?)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, seen_ms = excluded.seen_ms, expires_ms = excluded.expires_ms`,
			session.Hash, session.Data, session.Seen.UnixMilli(), session.Expires.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: put session: %w", err)
	}
	return nil
}

// DeleteSessions ends sessions, by their hashes.
func (s *Store) DeleteSessions(ctx context.Context, hashes ...string) error {
	err := s.changeAccess(ctx, func(tx *sql.Tx) error {
		for _, hash := range hashes {
			if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE hash = ?", hash); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: delete sessions: %w", err)
	}
	return nil
}
