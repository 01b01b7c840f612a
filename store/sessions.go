package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// MostSessions is how many sessions an account may have; one more ends the one that was not used for longest.
const MostSessions = 100

// Session is a session of the dashboard, without the id that opens it.
type Session struct {
	Hash      string // of its id
	AccountID int64
	Data      []byte
	Seen      time.Time // when it was last used
	Expires   time.Time // its end, however it is used
}

// OpenSession is a session and whose it is.
type OpenSession struct {
	Session
	Account Account
}

// OpenSessions lists the sessions whose end has not come, of accounts that are not disabled.
func (s *Store) OpenSessions(ctx context.Context, now time.Time) ([]OpenSession, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+sessionColumns+", "+accountColumns+
		" FROM session CROSS JOIN account ON account.id = session.account_id"+withSubscription+
		"WHERE session.expires_ms > ? AND account.disabled_ms IS NULL", now.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("store: sessions: %w", err)
	}
	defer rows.Close()
	var sessions []OpenSession
	for rows.Next() {
		var session sessionScan
		var account accountScan
		if err := rows.Scan(append(session.fields(), account.fields()...)...); err != nil {
			return nil, fmt.Errorf("store: sessions: %w", err)
		}
		sessions = append(sessions, OpenSession{session.read(), account.read()})
	}
	return sessions, rows.Err()
}

// SessionsOf lists the sessions of an account, also those that are over and not yet deleted.
func (s *Store) SessionsOf(ctx context.Context, accountID int64) ([]Session, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+sessionColumns+" FROM session WHERE account_id = ?", accountID)
	if err != nil {
		return nil, fmt.Errorf("store: sessions: %w", err)
	}
	defer rows.Close()
	var sessions []Session
	for rows.Next() {
		var session sessionScan
		if err := rows.Scan(session.fields()...); err != nil {
			return nil, fmt.Errorf("store: sessions: %w", err)
		}
		sessions = append(sessions, session.read())
	}
	return sessions, rows.Err()
}

const sessionColumns = "session.hash, session.account_id, session.data, session.seen_ms, session.expires_ms"

// sessionScan holds a session's columns while they are read.
type sessionScan struct {
	session       Session
	seen, expires int64
}

func (s *sessionScan) fields() []any {
	return []any{&s.session.Hash, &s.session.AccountID, &s.session.Data, &s.seen, &s.expires}
}

func (s *sessionScan) read() Session {
	s.session.Seen, s.session.Expires = milliseconds(s.seen), milliseconds(s.expires)
	return s.session
}

// PutSession keeps a session, in the place of one of the same hash. Of more than MostSessions of its account those end
// that were not used for longest.
func (s *Store) PutSession(ctx context.Context, session Session) error {
	err := s.changeAccess(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO session (hash, account_id, data, seen_ms, expires_ms) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, seen_ms = excluded.seen_ms, expires_ms = excluded.expires_ms`,
			session.Hash, session.AccountID, session.Data, session.Seen.UnixMilli(), session.Expires.UnixMilli())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			DELETE FROM session WHERE hash IN (
				SELECT hash FROM session WHERE account_id = ? AND hash <> ? ORDER BY seen_ms DESC, hash LIMIT ? OFFSET ?)`,
			session.AccountID, session.Hash, mostTrimmed, MostSessions-1)
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

// DeleteOtherSessions ends the sessions of an account but for the one with the hash.
func (s *Store) DeleteOtherSessions(ctx context.Context, accountID int64, hash string) error {
	err := s.changeAccess(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM session WHERE account_id = ? AND hash <> ?", accountID, hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: delete sessions: %w", err)
	}
	return nil
}
