package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"courant/store/market"
)

// Trim deletes of each account the sessions that were not used for longest, the oldest revoked tokens and the links that
// end first, as far as there are more than an account may have. What a change may add is trimmed with the change; this is
// for what came by another way, such as an earlier courant.
func (s *Store) Trim(ctx context.Context) error {
	for _, part := range []struct {
		rows string
		keep int
		what func(context.Context, *sql.Tx, string, ...any) (int64, error)
	}{
		{beyond("hash", "session", "seen_ms DESC, hash"), MostSessions, deleteIn("session", "hash")},
		{beyond("hash", "link WHERE account_id IS NOT NULL", "expires_ms DESC, hash"), MostLinks, deleteIn("link", "hash")},
		{beyond("id", "token WHERE revoked_ms IS NOT NULL", "id DESC"), mostEndedTokens, deleteTokens},
	} {
		if err := s.deleteAll(ctx, "trim", part.what, part.rows, part.keep, mostDeleted); err != nil {
			return err
		}
	}
	return nil
}

// beyond finds the rows of a table that are not among so many of their account that come first.
func beyond(key, table, order string) string {
	return "SELECT " + key + " FROM (SELECT " + key + ", row_number() OVER (PARTITION BY account_id ORDER BY " + order + ") AS place FROM " + table +
		") WHERE place > ? LIMIT ?"
}

// Stale says since when what is over is old enough to be deleted.
type Stale struct {
	SessionsOver time.Time           // sessions whose end came until then
	SessionsIdle time.Time           // sessions not used since
	LinksOver    time.Time           // links whose end came until then
	TokensOver   time.Time           // tokens revoked, or over, until then
	TokensEnded  time.Time           // the same, but for the newest ones of each account
	NotesBefore  time.Time           // lines of the audit log
	UsesBefore   market.DeliveryDate // of tokens
}

// Forget deletes what is stale, a few rows at a time.
func (s *Store) Forget(ctx context.Context, stale Stale) error {
	tokensOver := stale.TokensOver.UnixMilli()
	for _, part := range []struct {
		rows string
		args []any
		what func(context.Context, *sql.Tx, string, ...any) (int64, error)
	}{
		{"SELECT hash FROM session WHERE expires_ms <= ? OR seen_ms <= ? LIMIT ?",
			[]any{stale.SessionsOver.UnixMilli(), stale.SessionsIdle.UnixMilli()}, deleteIn("session", "hash")},
		{"SELECT hash FROM link WHERE expires_ms <= ? LIMIT ?", []any{stale.LinksOver.UnixMilli()}, deleteIn("link", "hash")},
		{"SELECT id FROM token WHERE revoked_ms <= ? OR expires_ms <= ? LIMIT ?", []any{tokensOver, tokensOver}, deleteTokens},
		{beyond("id", "token WHERE revoked_ms <= ? OR expires_ms <= ?", "id DESC"),
			[]any{stale.TokensEnded.UnixMilli(), stale.TokensEnded.UnixMilli(), mostEndedTokens}, deleteTokens},
		{"SELECT id FROM audit WHERE at_ms < ? LIMIT ?", []any{stale.NotesBefore.UnixMilli()}, deleteIn("audit", "id")},
		{"SELECT day FROM token_use WHERE day < ? GROUP BY day LIMIT ?", []any{stale.UsesBefore}, deleteIn("token_use", "day")},
	} {
		if err := s.deleteAll(ctx, "forget", part.what, part.rows, append(part.args, mostDeleted)...); err != nil {
			return err
		}
	}
	return nil
}

// deleteIn deletes the rows of a table whose key a query finds.
func deleteIn(table, key string) func(context.Context, *sql.Tx, string, ...any) (int64, error) {
	return func(ctx context.Context, tx *sql.Tx, keys string, args ...any) (int64, error) {
		result, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+key+" IN ("+keys+")", args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
}

// deleteAll deletes what a query finds until it finds nothing more, each time in a transaction of its own.
func (s *Store) deleteAll(ctx context.Context, operation string, what func(context.Context, *sql.Tx, string, ...any) (int64, error), rows string, args ...any) error {
	for {
		var deleted int64
		err := s.changeAccess(ctx, operation, Note{}, func(tx *sql.Tx) (err error) {
			deleted, err = what(ctx, tx, rows, args...)
			return err
		})
		if err != nil || deleted == 0 {
			return err
		}
	}
}

// Sweeping notes that old rows are looked for now, and tells since when that was done without a gap longer than this one
// and without the clock being set back.
func (s *Store) Sweeping(ctx context.Context, now time.Time, longestGap time.Duration) (unbroken time.Time, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var at, since int64
		err := tx.QueryRowContext(ctx, "SELECT at_ms, unbroken_ms FROM sweep").Scan(&at, &since)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		unbroken = milliseconds(since)
		if gap := now.Sub(milliseconds(at)); err != nil || gap < 0 || gap > longestGap {
			unbroken = now
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO sweep (id, at_ms, unbroken_ms) VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET at_ms = ?1, unbroken_ms = ?2`,
			now.UnixMilli(), unbroken.UnixMilli())
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("store: sweep: %w", err)
	}
	return unbroken, nil
}
