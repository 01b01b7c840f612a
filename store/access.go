package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"courant/store/market"
)

// AccessChanges counts what this process has changed of accounts, subscriptions, tokens and sessions. What was read
// of them since it last rose is as it is, unless another process has changed it.
func (s *Store) AccessChanges() uint64 { return s.accessChanges.Load() }

// changeAccess is write for what AccessChanges counts.
func (s *Store) changeAccess(ctx context.Context, fn func(*sql.Tx) error) error {
	defer s.accessChanges.Add(1) // also after an error, which may be one of a commit that reached the disk
	return s.write(ctx, fn)
}

// Uses is what was used since it was written down before.
type Uses struct {
	Tokens   []TokenUse
	Sessions map[string]time.Time // when each was last used, by its hash
}

// TokenUse is how a token was used on one day.
type TokenUse struct {
	TokenID  int64
	Day      market.DeliveryDate // in Paris
	Requests int64
	Last     time.Time
}

// AddUses adds uses to those written down before. It ignores tokens and sessions that are gone.
func (s *Store) AddUses(ctx context.Context, uses Uses) error {
	err := s.changeAccess(ctx, func(tx *sql.Tx) error {
		for _, use := range uses.Tokens {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO token_use (token_id, day, requests) SELECT id, ?, ? FROM token WHERE id = ?
				ON CONFLICT (token_id, day) DO UPDATE SET requests = requests + excluded.requests`,
				use.Day, use.Requests, use.TokenID)
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
			if _, err := tx.ExecContext(ctx, "UPDATE session SET seen_ms = max(seen_ms, ?) WHERE hash = ?", seen.UnixMilli(), hash); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: add uses: %w", err)
	}
	return nil
}
