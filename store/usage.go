package store

import (
	"context"
	"database/sql"
	"time"

	"courant/store/market"
)

// Uses is how tokens and sessions were used since the last AddUses.
type Uses struct {
	Tokens   []TokenUse
	Sessions map[string]time.Time // last use of each session, by its hash
}

// TokenUse is how a token was used on one day.
type TokenUse struct {
	TokenID  int64
	Day      market.DeliveryDate // in Paris
	Requests int64
	Rows     int64 // of answers
	Bytes    int64 // of the bodies of answers, as they were sent
	Last     time.Time
}

// AddUses adds uses to the stored ones. It ignores tokens and sessions that no longer exist.
func (s *Store) AddUses(ctx context.Context, uses Uses) error {
	return s.changeAccess(ctx, "add uses", Note{}, func(tx *sql.Tx) error {
		for _, use := range uses.Tokens {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO token_use (token_id, day, requests, row_count, byte_count) SELECT id, ?, ?, ?, ? FROM token WHERE id = ?
				ON CONFLICT (token_id, day) DO UPDATE SET requests = requests + excluded.requests,
					row_count = row_count + excluded.row_count, byte_count = byte_count + excluded.byte_count`,
				use.Day, use.Requests, use.Rows, use.Bytes, use.TokenID)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "UPDATE token SET last_used_ms = max(coalesce(last_used_ms, 0), ?) WHERE id = ?",
				use.Last.UnixMilli(), use.TokenID)
			if err != nil {
				return err
			}
		}
		for hash, seen := range uses.Sessions {
			_, err := tx.ExecContext(ctx, "UPDATE session SET seen_ms = max(seen_ms, ?) WHERE hash = ?", seen.UnixMilli(), hash)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
