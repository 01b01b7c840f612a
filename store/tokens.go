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
	// MostTokens is how many tokens that are neither revoked nor over an account may have.
	MostTokens = 100
	// mostEndedTokens is how many tokens that are revoked or over are kept of an account, the newest.
	mostEndedTokens = 1000
	// mostTrimmed is how many rows one transaction deletes at most, so that nobody who writes waits long.
	mostTrimmed = 2000
)

// ErrFull is that an account has as many of something as it may have.
var ErrFull = errors.New("there are as many as there may be")

// Token is a credential of a program, without its secret.
type Token struct {
	ID       int64
	Name     string
	Prefix   string // the first 12 characters
	Hash     []byte // SHA-256 of the whole
	Datasets string // comma-separated; empty: all
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: not
	LastUsed time.Time // zero: never
	Account  Account
}

// IsOver says whether the token's end has come.
func (t Token) IsOver(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// AddToken keeps a token of the account that token.Account names by its ID; ErrFull if that has MostTokens already that
// are good when the token is made. The oldest of too many revoked ones are deleted.
func (s *Store) AddToken(ctx context.Context, token Token) error {
	return s.changeAccess(ctx, func(tx *sql.Tx) error {
		var good int
		err := tx.QueryRowContext(ctx, `
			SELECT count(*) FROM token WHERE account_id = ? AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)`,
			token.Account.ID, token.Created.UnixMilli()).Scan(&good)
		if err != nil {
			return err
		}
		if good >= MostTokens {
			return fmt.Errorf("tokens of %s: %w", token.Account.Email, ErrFull)
		}
		err = changeIn(ctx, tx, noAccount(token.Account.Email), `
			INSERT INTO token (account_id, name, prefix, hash, datasets, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			token.Account.ID, token.Name, token.Prefix, token.Hash, token.Datasets, token.Created.UnixMilli(), optionalMilliseconds(token.Expires))
		if err != nil {
			return err
		}
		_, err = deleteTokens(ctx, tx, `
			SELECT id FROM token WHERE account_id = ? AND revoked_ms IS NOT NULL ORDER BY id DESC LIMIT ? OFFSET ?`,
			token.Account.ID, mostTrimmed, mostEndedTokens)
		return err
	})
}

// deleteTokens deletes the tokens that a query finds, and how often they were used.
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

// RevokeTokenOf ends a token of an account; ErrNotFound if it has none with that ID, and one revoked before stays so.
func (s *Store) RevokeTokenOf(ctx context.Context, accountID, id int64, now time.Time) error {
	return s.change(ctx, noToken(id),
		"UPDATE token SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ? AND account_id = ?", now.UnixMilli(), id, accountID)
}

func noToken(id int64) error { return fmt.Errorf("token %d: %w", id, ErrNotFound) }

// RevokeToken ends the token that begins with the prefix; ErrNotFound if none does, and one revoked before stays so.
func (s *Store) RevokeToken(ctx context.Context, prefix string, now time.Time) error {
	return s.change(ctx, fmt.Errorf("token %s: %w", prefix, ErrNotFound),
		"UPDATE token SET revoked_ms = coalesce(revoked_ms, ?) WHERE prefix = ?", now.UnixMilli(), prefix)
}

// Tokens lists at most so many tokens of one account, or of all if accountID is 0, after those that are skipped: first
// those that are good now, the oldest first, then the others, the newest first.
func (s *Store) Tokens(ctx context.Context, accountID int64, now time.Time, skip, most int) ([]Token, error) {
	const ended = "(revoked_ms IS NOT NULL OR ifnull(expires_ms <= ?1, 0))"
	where := "WHERE token.account_id = ?2"
	if accountID == 0 {
		where = "WHERE ?2 = 0"
	}
	return s.tokens(ctx, where+" ORDER BY "+ended+", iif("+ended+", -token.id, token.id) LIMIT ?3 OFFSET ?4",
		now.UnixMilli(), accountID, most, skip)
}

// GoodTokens lists the tokens that are good now, of accounts that are not disabled.
func (s *Store) GoodTokens(ctx context.Context, now time.Time) ([]Token, error) {
	return s.tokens(ctx, "WHERE revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?) AND account.disabled_ms IS NULL", now.UnixMilli())
}

// TokenOf finds a token of an account; ErrNotFound if it has none with that ID.
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

// TokenState is why a token may not be good, without whose it is.
type TokenState struct {
	Expires, Revoked time.Time // zero: never, not
	Disabled         bool      // its account is
}

// TokenState tells of the token with a hash; ErrNotFound if there is none.
func (s *Store) TokenState(ctx context.Context, hash []byte) (TokenState, error) {
	var expires, revoked sql.Null[int64]
	var state TokenState
	err := s.reader.QueryRowContext(ctx, `
		SELECT token.expires_ms, token.revoked_ms, account.disabled_ms IS NOT NULL
		FROM token JOIN account ON account.id = token.account_id WHERE token.hash = ?`, hash).Scan(&expires, &revoked, &state.Disabled)
	if err == sql.ErrNoRows {
		return TokenState{}, fmt.Errorf("token: %w", ErrNotFound)
	}
	if err != nil {
		return TokenState{}, fmt.Errorf("store: token: %w", err)
	}
	state.Expires, state.Revoked = optionalTime(expires), optionalTime(revoked)
	return state, nil
}

func (s *Store) tokens(ctx context.Context, where string, args ...any) ([]Token, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT token.id, token.name, token.prefix, token.hash, token.datasets, token.created_ms, token.expires_ms, token.revoked_ms,
		token.last_used_ms, `+accountColumns+" FROM token CROSS JOIN account ON account.id = token.account_id"+withSubscription+where, args...)
	if err != nil {
		return nil, fmt.Errorf("store: tokens: %w", err)
	}
	defer rows.Close()
	var tokens []Token
	for rows.Next() {
		var token Token
		var scan accountScan
		var created int64
		var expires, revoked, used sql.Null[int64]
		fields := []any{&token.ID, &token.Name, &token.Prefix, &token.Hash, &token.Datasets, &created, &expires, &revoked, &used}
		if err := rows.Scan(append(fields, scan.fields()...)...); err != nil {
			return nil, fmt.Errorf("store: tokens: %w", err)
		}
		token.Created, token.Expires, token.Revoked = milliseconds(created), optionalTime(expires), optionalTime(revoked)
		token.LastUsed = optionalTime(used)
		token.Account = scan.read()
		tokens = append(tokens, token)
	}
	return tokens, rows.Err()
}

// TokenUses lists how tokens were used from a day on, by their IDs.
func (s *Store) TokenUses(ctx context.Context, ids []int64, from market.DeliveryDate) ([]TokenUse, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := s.reader.QueryContext(ctx, `
		SELECT token_id, day, requests FROM token_use WHERE token_id IN (SELECT value FROM json_each(?)) AND day >= ?`, string(list), from)
	if err != nil {
		return nil, fmt.Errorf("store: token uses: %w", err)
	}
	defer rows.Close()
	var uses []TokenUse
	for rows.Next() {
		var use TokenUse
		if err := rows.Scan(&use.TokenID, &use.Day, &use.Requests); err != nil {
			return nil, fmt.Errorf("store: token uses: %w", err)
		}
		uses = append(uses, use)
	}
	return uses, rows.Err()
}
