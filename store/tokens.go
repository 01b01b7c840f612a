package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"courant/store/market"
)

const (
	// MostTokens is how many tokens an account may have that are neither revoked nor expired.
	MostTokens = 100
	// mostEndedTokens is how many revoked or expired tokens of an account are stored, the newest.
	mostEndedTokens = 1000
	// mostDeleted is how many rows one transaction deletes, so that other writers do not wait long.
	mostDeleted = 2000
)

// ErrFull is returned where an account already has as many of something as it may have.
var ErrFull = errors.New("there are as many as there may be")

// Scope is what a token opens, beside its limit to datasets.
type Scope string

const (
	// ScopeAPI is the scope of a token for the API.
	ScopeAPI Scope = ""
	// ScopeFeeds is the scope of a token for the price feeds alone. Such a token may stand in the address of a request.
	ScopeFeeds Scope = "feeds"
	// ScopeWebhooks is the scope of a token that manages the webhooks of its account and opens nothing else.
	ScopeWebhooks Scope = "webhooks"
)

// Token is the credential of a program, without its secret.
type Token struct {
	ID       int64
	Name     string
	Prefix   string // the first 12 characters
	Hash     []byte // SHA-256 of the whole token
	Datasets string // comma-separated; empty: all
	Scope    Scope
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: not revoked
	LastUsed time.Time // zero: never
	Account  Account
}

// IsOver reports whether the token has expired at now.
func (t Token) IsOver(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// AddToken stores a token of the account token.Account.ID; ErrFull if the account already has MostTokens that are valid when
// the token was created, ErrNotFound if there is no such account. Of too many revoked tokens the oldest are deleted.
func (s *Store) AddToken(ctx context.Context, note Note, token Token) error {
	return s.changeAccess(ctx, "add token", note, func(tx *sql.Tx) error {
		var valid int
		err := tx.QueryRowContext(ctx, `
			SELECT count(*) FROM token WHERE account_id = ? AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)`,
			token.Account.ID, token.Created.UnixMilli()).Scan(&valid)
		if err != nil {
			return err
		}
		if valid >= MostTokens {
			return fmt.Errorf("tokens of %s: %w", token.Account.Email, ErrFull)
		}
		err = execOne(ctx, tx, noAccount(token.Account.Email), `
			INSERT INTO token (account_id, name, prefix, hash, datasets, scope, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			token.Account.ID, token.Name, token.Prefix, token.Hash, token.Datasets, string(token.Scope), token.Created.UnixMilli(),
			optionalMilliseconds(token.Expires))
		if err != nil {
			return err
		}
		_, err = deleteTokens(ctx, tx, `
			SELECT id FROM token WHERE account_id = ? AND revoked_ms IS NOT NULL ORDER BY id DESC LIMIT ? OFFSET ?`,
			token.Account.ID, mostDeleted, mostEndedTokens)
		return err
	})
}

// deleteTokens deletes the tokens whose IDs a query returns, with their use counts.
func deleteTokens(ctx context.Context, tx *sql.Tx, ids string, args ...any) (deleted int64, err error) {
	if _, err := tx.ExecContext(ctx, "DELETE FROM token_use WHERE token_id IN ("+ids+")", args...); err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, "DELETE FROM token WHERE id IN ("+ids+")", args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// RevokeTokenOf revokes a token of an account; ErrNotFound if the account has none with the ID. A revoked token keeps the
// time at which it was revoked.
func (s *Store) RevokeTokenOf(ctx context.Context, note Note, accountID, id int64, now time.Time) error {
	return s.changeRow(ctx, "revoke token", note, noToken(id),
		"UPDATE token SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ? AND account_id = ?", now.UnixMilli(), id, accountID)
}

func noToken(id int64) error { return fmt.Errorf("token %d: %w", id, ErrNotFound) }

// RevokeToken revokes the token with the prefix; ErrNotFound if there is none. A revoked token keeps the time at which it
// was revoked.
func (s *Store) RevokeToken(ctx context.Context, note Note, prefix string, now time.Time) error {
	return s.changeRow(ctx, "revoke token", note, fmt.Errorf("token %s: %w", prefix, ErrNotFound),
		"UPDATE token SET revoked_ms = coalesce(revoked_ms, ?) WHERE prefix = ?", now.UnixMilli(), prefix)
}

// Tokens lists tokens of one account, or of all if accountID is 0: at most limit of them, after the first skip. Those valid
// at now come first, oldest first; then the others, newest first.
func (s *Store) Tokens(ctx context.Context, accountID int64, now time.Time, skip, limit int) ([]Token, error) {
	const ended = "(revoked_ms IS NOT NULL OR ifnull(expires_ms <= ?1, 0))"
	where := "WHERE token.account_id = ?2"
	if accountID == 0 {
		where = "WHERE ?2 = 0"
	}
	return s.tokens(ctx, where+" ORDER BY "+ended+", iif("+ended+", -token.id, token.id) LIMIT ?3 OFFSET ?4",
		now.UnixMilli(), accountID, limit, skip)
}

// GoodTokens lists the tokens that are valid at now, of accounts that are not disabled.
func (s *Store) GoodTokens(ctx context.Context, now time.Time) ([]Token, error) {
	return s.tokens(ctx, "WHERE revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?) AND account.disabled_ms IS NULL",
		now.UnixMilli())
}

// TokenOf returns a token of an account; ErrNotFound if the account has none with the ID.
func (s *Store) TokenOf(ctx context.Context, accountID, id int64) (Token, error) {
	tokens, err := s.tokens(ctx, "WHERE token.id = ? AND token.account_id = ?", id, accountID)
	if err == nil && len(tokens) == 0 {
		err = noToken(id)
	}
	if err != nil {
		return Token{}, err
	}
	return tokens[0], nil
}

// TokenState says why a token may be invalid, without its owner.
type TokenState struct {
	Scope    Scope
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: not revoked
	Disabled bool      // its account is disabled
}

// TokenState returns the state of the token with the hash; ErrNotFound if there is none.
func (s *Store) TokenState(ctx context.Context, hash []byte) (TokenState, error) {
	var state TokenState
	err := s.reader.QueryRowContext(ctx, `
		SELECT token.scope, token.expires_ms, token.revoked_ms, account.disabled_ms IS NOT NULL
		FROM token JOIN account ON account.id = token.account_id WHERE token.hash = ?`, hash,
	).Scan(&state.Scope, instant{&state.Expires}, instant{&state.Revoked}, &state.Disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return TokenState{}, fmt.Errorf("token: %w", ErrNotFound)
	}
	return state, wrap("token", err)
}

func (s *Store) tokens(ctx context.Context, where string, args ...any) ([]Token, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT token.id, token.name, token.prefix, token.hash, token.datasets, token.scope, token.created_ms, token.expires_ms, token.revoked_ms,
		token.last_used_ms, `+accountColumns+" FROM token CROSS JOIN account ON account.id = token.account_id"+withSubscription+where, args...)
	tokens, err := collect(rows, err, func(t *Token) []any {
		fields := []any{&t.ID, &t.Name, &t.Prefix, &t.Hash, &t.Datasets, &t.Scope, instant{&t.Created}, instant{&t.Expires},
			instant{&t.Revoked}, instant{&t.LastUsed}}
		return append(fields, t.Account.fields()...)
	})
	return tokens, wrap("tokens", err)
}

// TokenUses lists the daily uses of the tokens with the IDs, from a day in Paris on. TokenUse.Last is not set.
func (s *Store) TokenUses(ctx context.Context, ids []int64, from market.DeliveryDate) ([]TokenUse, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, wrap("token uses", err)
	}
	rows, err := s.reader.QueryContext(ctx, `
		SELECT token_id, day, requests, row_count, byte_count FROM token_use WHERE token_id IN (SELECT value FROM json_each(?)) AND day >= ?`, string(list), from)
	uses, err := collect(rows, err, func(u *TokenUse) []any { return []any{&u.TokenID, &u.Day, &u.Requests, &u.Rows, &u.Bytes} })
	return uses, wrap("token uses", err)
}
