package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"courant/store/market"
)

// AccessChanges counts the changes of accounts, subscriptions, tokens and sessions that this process has made. What was
// read of them is current while the count stays the same, unless another process has changed it.
func (s *Store) AccessChanges() uint64 { return s.accessChanges.Load() }

// changeAccess is writeNoted for the changes that AccessChanges counts.
func (s *Store) changeAccess(ctx context.Context, operation string, note Note, fn func(*sql.Tx) error) error {
	defer s.accessChanges.Add(1) // also after an error: a commit that failed may have reached the disk
	return s.writeNoted(ctx, operation, note, fn)
}

// writeNoted runs fn and adds the note to the audit log, both in one write transaction; the zero Note adds nothing. A
// failure names the operation. ErrNotFound, ErrExists and ErrFull answer the request and are returned as they are.
func (s *Store) writeNoted(ctx context.Context, operation string, note Note, fn func(*sql.Tx) error) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return insertNote(ctx, tx, note)
	})
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrExists) || errors.Is(err, ErrFull) {
		return err
	}
	return wrap(operation, err)
}

// changeRow is changeAccess for one statement; unchanged is the error if it changes no row.
func (s *Store) changeRow(ctx context.Context, operation string, note Note, unchanged error, statement string, args ...any) error {
	return s.changeAccess(ctx, operation, note, func(tx *sql.Tx) error {
		return execOne(ctx, tx, unchanged, statement, args...)
	})
}

// execOne runs one statement; unchanged is the error if it changes no row.
func execOne(ctx context.Context, tx *sql.Tx, unchanged error, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if changed == 0 {
		return unchanged
	}
	return nil
}

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
	Last     time.Time
}

// AddUses adds uses to the stored ones. It ignores tokens and sessions that no longer exist.
func (s *Store) AddUses(ctx context.Context, uses Uses) error {
	return s.changeAccess(ctx, "add uses", Note{}, func(tx *sql.Tx) error {
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
			_, err := tx.ExecContext(ctx, "UPDATE session SET seen_ms = max(seen_ms, ?) WHERE hash = ?", seen.UnixMilli(), hash)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
