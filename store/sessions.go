package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// SessionData reads what a session holds, by the hash of its id; false if there is no such session or it is over.
func (s *Store) SessionData(ctx context.Context, hash string, now time.Time) (data []byte, found bool, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT data FROM session WHERE hash = ? AND expires_ms > ?", hash, now.UnixMilli()).Scan(&data)
	if err == sql.ErrNoRows {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("store: session: %w", err)
	}
	return data, true, nil
}

// PutSession keeps what a session holds until it expires, and forgets the sessions that are over.
func (s *Store) PutSession(ctx context.Context, hash string, data []byte, expires, now time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE expires_ms <= ?", now.UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO session (hash, data, expires_ms) VALUES (?, ?, ?)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_ms = excluded.expires_ms`,
			hash, data, expires.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: put session: %w", err)
	}
	return nil
}

// DeleteSession ends a session.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM session WHERE hash = ?", hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: delete session: %w", err)
	}
	return nil
}
