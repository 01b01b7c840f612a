package store

import (
	"context"
	"database/sql"
	"time"
)

// MostSessions is how many sessions an account may have; a further one ends the one that was not used for longest.
const MostSessions = 100

// Session is a session of the dashboard, without its secret ID.
type Session struct {
	Hash      string // of its ID
	AccountID int64
	Data      []byte
	Seen      time.Time // when it was last used
	Expires   time.Time // its end, whether it is used or not
}

// OpenSession is a session with its account.
type OpenSession struct {
	Session
	Account Account
}

const sessionColumns = "session.hash, session.account_id, session.data, session.seen_ms, session.expires_ms"

// fields are where sessionColumns are scanned to.
func (s *Session) fields() []any {
	return []any{&s.Hash, &s.AccountID, &s.Data, instant{&s.Seen}, instant{&s.Expires}}
}

// OpenSessions lists the sessions that have not expired at now, of accounts that are not disabled.
func (s *Store) OpenSessions(ctx context.Context, now time.Time) ([]OpenSession, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+sessionColumns+", "+accountColumns+
		" FROM session CROSS JOIN account ON account.id = session.account_id"+withSubscription+
		"WHERE session.expires_ms > ? AND account.disabled_ms IS NULL", now.UnixMilli())
	sessions, err := collect(rows, err, func(o *OpenSession) []any { return append(o.fields(), o.Account.fields()...) })
	return sessions, wrap("sessions", err)
}

// SessionsOf lists the sessions of an account, including expired ones that are not deleted yet.
func (s *Store) SessionsOf(ctx context.Context, accountID int64) ([]Session, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+sessionColumns+" FROM session WHERE account_id = ?", accountID)
	sessions, err := collect(rows, err, (*Session).fields)
	return sessions, wrap("sessions", err)
}

// PutSession stores a session and replaces one of the same hash. Of more than MostSessions of its account, those that were
// not used for longest end.
func (s *Store) PutSession(ctx context.Context, note Note, session Session) error {
	return s.changeAccess(ctx, "put session", note, func(tx *sql.Tx) error {
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
			session.AccountID, session.Hash, mostDeleted, MostSessions-1)
		return err
	})
}

// DeleteSessions ends the sessions with the hashes.
func (s *Store) DeleteSessions(ctx context.Context, note Note, hashes ...string) error {
	return s.changeAccess(ctx, "delete sessions", note, func(tx *sql.Tx) error {
		for _, hash := range hashes {
			if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE hash = ?", hash); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteOtherSessions ends the sessions of an account except the one with the hash.
func (s *Store) DeleteOtherSessions(ctx context.Context, note Note, accountID int64, hash string) error {
	return s.changeAccess(ctx, "delete sessions", note, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM session WHERE account_id = ? AND hash <> ?", accountID, hash)
		return err
	})
}
