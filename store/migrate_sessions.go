package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/gob"
	"time"
)

// ownersVersion is the schema after the one that gives sessions an account.
const ownersVersion = 21

// moveSessions moves the sessions of before into the table in which each has its account, which it was known by only in
// its data. Of those of one account the MostSessions that were used last are moved; one that cannot be read opened no
// door, and is left behind.
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

// ownerOf is the account that the data of a session name, as scs encodes them.
func ownerOf(data []byte) (accountID int64, known bool) {
	var held struct {
		Deadline time.Time
		Values   map[string]any
	}
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&held); err != nil {
		return 0, false
	}
	accountID, known = held.Values["account"].(int64)
	return accountID, known
}
