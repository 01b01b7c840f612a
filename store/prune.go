package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"courant/store/market"
)

// deletion deletes the rows whose keys a query returns, and returns how many.
type deletion func(ctx context.Context, tx *sql.Tx, keys string, args ...any) (int64, error)

// PruneToLimits deletes what an account has beyond its limits: the sessions that were not used for longest, the oldest revoked
// tokens and the links that expire first. Each change prunes what it adds; this is for rows that came in another way, such
// as from an earlier version of Courant.
func (s *Store) PruneToLimits(ctx context.Context) error {
	for _, part := range []struct {
		keys   string
		limit  int
		remove deletion
	}{
		{surplusOf("hash", "session", "seen_ms DESC, hash"), MostSessions, deleteFrom("session", "hash")},
		{surplusOf("hash", "link WHERE account_id IS NOT NULL", "expires_ms DESC, hash"), MostLinks, deleteFrom("link", "hash")},
		{surplusOf("id", "token WHERE revoked_ms IS NOT NULL", "id DESC"), mostEndedTokens, deleteTokens},
	} {
		if err := s.deleteAll(ctx, "delete surplus", part.remove, part.keys, part.limit, mostDeleted); err != nil {
			return err
		}
	}
	return nil
}

// surplusOf selects the keys of the rows that come after the first ones of their account in the order. Its last two
// parameters are how many of an account are not surplus, and the limit of the query.
func surplusOf(key, table, order string) string {
	return "SELECT " + key + " FROM (SELECT " + key + ", row_number() OVER (PARTITION BY account_id ORDER BY " + order +
		") AS place FROM " + table + ") WHERE place > ? LIMIT ?"
}

// PruneCutoffs are the times up to which ended rows are deleted.
type PruneCutoffs struct {
	SessionsExpired    time.Time           // sessions that expired until then
	SessionsIdle       time.Time           // sessions not used since then
	LinksExpired       time.Time           // links that expired until then
	TokensEnded        time.Time           // tokens revoked or expired until then
	SurplusTokensEnded time.Time           // the same, for those beyond the newest mostEndedTokens of an account
	AuditBefore        time.Time           // lines of the audit log older than that
	UsesBefore         market.DeliveryDate // daily uses of tokens before that date
}

// PruneExpired deletes the rows before the cutoffs, at most mostDeleted in one transaction.
func (s *Store) PruneExpired(ctx context.Context, cutoffs PruneCutoffs) error {
	ended, surplusEnded := cutoffs.TokensEnded.UnixMilli(), cutoffs.SurplusTokensEnded.UnixMilli()
	for _, part := range []struct {
		keys   string
		args   []any
		remove deletion
	}{
		{"SELECT hash FROM session WHERE expires_ms <= ? OR seen_ms <= ? LIMIT ?",
			[]any{cutoffs.SessionsExpired.UnixMilli(), cutoffs.SessionsIdle.UnixMilli()}, deleteFrom("session", "hash")},
		{"SELECT hash FROM link WHERE expires_ms <= ? LIMIT ?", []any{cutoffs.LinksExpired.UnixMilli()}, deleteFrom("link", "hash")},
		{"SELECT id FROM token WHERE revoked_ms <= ? OR expires_ms <= ? LIMIT ?", []any{ended, ended}, deleteTokens},
		{surplusOf("id", "token WHERE revoked_ms <= ? OR expires_ms <= ?", "id DESC"),
			[]any{surplusEnded, surplusEnded, mostEndedTokens}, deleteTokens},
		{"SELECT id FROM audit WHERE at_ms < ? LIMIT ?", []any{cutoffs.AuditBefore.UnixMilli()}, deleteFrom("audit", "id")},
		{"SELECT day FROM token_use WHERE day < ? GROUP BY day LIMIT ?", []any{cutoffs.UsesBefore}, deleteFrom("token_use", "day")},
	} {
		if err := s.deleteAll(ctx, "delete expired", part.remove, part.keys, append(part.args, mostDeleted)...); err != nil {
			return err
		}
	}
	return nil
}

// deleteFrom deletes rows of a table by the keys that a query returns.
func deleteFrom(table, key string) deletion {
	return func(ctx context.Context, tx *sql.Tx, keys string, args ...any) (int64, error) {
		result, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+key+" IN ("+keys+")", args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
}

// deleteAll repeats a deletion until it deletes nothing more, each time in a transaction of its own.
func (s *Store) deleteAll(ctx context.Context, operation string, remove deletion, keys string, args ...any) error {
	for {
		var deleted int64
		err := s.changeAccess(ctx, operation, Note{}, func(tx *sql.Tx) (err error) {
			deleted, err = remove(ctx, tx, keys, args...)
			return err
		})
		if err != nil || deleted == 0 {
			return err
		}
	}
}

// RecordPruning records that old rows are pruned at now. It returns since when that was recorded without a gap longer than
// longestGap and without the clock being set back.
func (s *Store) RecordPruning(ctx context.Context, now time.Time, longestGap time.Duration) (unbroken time.Time, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var last, since int64 // ms
		err := tx.QueryRowContext(ctx, "SELECT at_ms, unbroken_ms FROM sweep").Scan(&last, &since)
		isFirst := errors.Is(err, sql.ErrNoRows)
		if err != nil && !isFirst {
			return err
		}
		unbroken = milliseconds(since)
		if gap := now.Sub(milliseconds(last)); isFirst || gap < 0 || gap > longestGap {
			unbroken = now
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO sweep (id, at_ms, unbroken_ms) VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET at_ms = ?1, unbroken_ms = ?2`,
			now.UnixMilli(), unbroken.UnixMilli())
		return err
	})
	if err != nil {
		return time.Time{}, wrap("record pruning", err)
	}
	return unbroken, nil
}
