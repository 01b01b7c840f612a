package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/gob"
	"time"
)

// ownersVersion is the schema after the one that adds the account to sessions.
const ownersVersion = 21

// moveSessions moves the sessions into the table with a column for their account, which was only in their data before. Of
// each account it moves the MostSessions that were used last. Unreadable sessions were never valid and are left out.
func moveSessions(ctx context.Context, tx *sql.Tx) error {
	moved := map[int64]int{}
	var sessions []Session
	var session Session
	rows, err := tx.QueryContext(ctx, "SELECT hash, data, seen_ms, expires_ms FROM session_before ORDER BY seen_ms DESC, hash")
	err = eachRow(rows, err, []any{&session.Hash, &session.Data, instant{&session.Seen}, instant{&session.Expires}}, func() error {
		var known bool
		if session.AccountID, known = ownerOf(session.Data); known && moved[session.AccountID] < MostSessions {
			moved[session.AccountID]++
			sessions = append(sessions, session)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range sessions {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO session (hash, account_id, data, seen_ms, expires_ms) SELECT ?, id, ?, ?, ? FROM account WHERE id = ?`,
			s.Hash, s.Data, s.Seen.UnixMilli(), s.Expires.UnixMilli(), s.AccountID)
		if err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE session_before")
	return err
}

// ownerOf returns the account in the data of a session, as scs encodes it.
func ownerOf(data []byte) (accountID int64, known bool) {
	var decoded struct {
		Deadline time.Time
		Values   map[string]any
	}
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&decoded); err != nil {
		return 0, false
	}
	accountID, known = decoded.Values["account"].(int64)
	return accountID, known
}
