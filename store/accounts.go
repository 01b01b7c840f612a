package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Role is what an account may do.
type Role string

const (
	Administrator Role = "administrator"
	Member        Role = "member"
)

// Account is a person who may sign in.
type Account struct {
	ID           int64
	Email        string // lower case
	PasswordHash string // empty: none was set yet
	Role         Role
	Epoch        int64 // a session is good for the epoch in which it began
	Created      time.Time
	Disabled     time.Time    // zero: enabled
	Subscription Subscription // zero: none
}

// Subscription is what an account may read, and when. The zero value is none.
type Subscription struct {
	Offer string
	Start time.Time
	End   time.Time // zero: without end
}

// Active says whether the subscription is in force.
func (s Subscription) Active(now time.Time) bool {
	return s.Offer != "" && !now.Before(s.Start) && (s.End.IsZero() || now.Before(s.End))
}

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

const accountColumns = `account.id, account.email, account.password_hash, account.role, account.epoch, account.created_ms,
	account.disabled_ms, subscription.offer, subscription.start_ms, subscription.end_ms`

const fromAccounts = ` FROM account LEFT JOIN subscription ON subscription.account_id = account.id `

// accountScan holds an account's columns while they are read.
type accountScan struct {
	account                        Account
	created                        int64
	disabled, subscribed, subEnded sql.Null[int64]
	offer                          sql.Null[string]
}

func (s *accountScan) fields() []any {
	return []any{&s.account.ID, &s.account.Email, &s.account.PasswordHash, &s.account.Role, &s.account.Epoch, &s.created,
		&s.disabled, &s.offer, &s.subscribed, &s.subEnded}
}

func (s *accountScan) read() Account {
	s.account.Created = milliseconds(s.created)
	s.account.Disabled = optionalTime(s.disabled)
	s.account.Subscription = Subscription{s.offer.V, optionalTime(s.subscribed), optionalTime(s.subEnded)}
	return s.account
}

func optionalTime(ms sql.Null[int64]) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return milliseconds(ms.V)
}

func optionalMilliseconds(t time.Time) sql.Null[int64] {
	return sql.Null[int64]{V: t.UnixMilli(), Valid: !t.IsZero()}
}

// AddAccount makes an account; ErrExists if the address has one.
func (s *Store) AddAccount(ctx context.Context, account Account) error {
	return s.changeAccess(ctx, func(tx *sql.Tx) error { return addAccount(ctx, tx, account) })
}

func addAccount(ctx context.Context, tx *sql.Tx, account Account) error {
	return changeIn(ctx, tx, fmt.Errorf("%s: %w", account.Email, ErrExists), `
		INSERT INTO account (email, password_hash, role, epoch, created_ms) VALUES (?, ?, ?, 0, ?) ON CONFLICT (email) DO NOTHING`,
		account.Email, account.PasswordHash, account.Role, account.Created.UnixMilli())
}

// SetPassword changes an account's password and ends its sessions and links.
func (s *Store) SetPassword(ctx context.Context, email, hash string) error {
	return s.changeAccess(ctx, func(tx *sql.Tx) error { return setPassword(ctx, tx, email, hash) })
}

func setPassword(ctx context.Context, tx *sql.Tx, email, hash string) error {
	err := changeIn(ctx, tx, noAccount(email), "UPDATE account SET password_hash = ?, epoch = epoch + 1 WHERE email = ?", hash, email)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM link WHERE account_id = (SELECT id FROM account WHERE email = ?)", email)
	return err
}

// DisableAccount shuts an account out and ends its sessions; one that is disabled stays as it is.
func (s *Store) DisableAccount(ctx context.Context, email string, now time.Time) error {
	return s.change(ctx, noAccount(email),
		"UPDATE account SET disabled_ms = coalesce(disabled_ms, ?), epoch = epoch + 1 WHERE email = ?", now.UnixMilli(), email)
}

// EnableAccount lets an account in again.
func (s *Store) EnableAccount(ctx context.Context, email string) error {
	return s.change(ctx, noAccount(email), "UPDATE account SET disabled_ms = NULL WHERE email = ?", email)
}

// SetSubscription gives an account its subscription, in the place of a former one.
func (s *Store) SetSubscription(ctx context.Context, email string, sub Subscription) error {
	return s.change(ctx, noAccount(email), `
		INSERT INTO subscription (account_id, offer, start_ms, end_ms) SELECT id, ?, ?, ? FROM account WHERE email = ?
		ON CONFLICT (account_id) DO UPDATE SET offer = excluded.offer, start_ms = excluded.start_ms, end_ms = excluded.end_ms`,
		sub.Offer, sub.Start.UnixMilli(), optionalMilliseconds(sub.End), email)
}

// EndSubscription takes an account's subscription away; ErrNotFound if it has none.
func (s *Store) EndSubscription(ctx context.Context, email string) error {
	return s.change(ctx, fmt.Errorf("subscription of %s: %w", email, ErrNotFound),
		"DELETE FROM subscription WHERE account_id = (SELECT id FROM account WHERE email = ?)", email)
}

func noAccount(email string) error { return fmt.Errorf("account %s: %w", email, ErrNotFound) }

// change runs one statement; untouched is the error if it changes no row.
func (s *Store) change(ctx context.Context, untouched error, statement string, args ...any) error {
	return s.changeAccess(ctx, func(tx *sql.Tx) error { return changeIn(ctx, tx, untouched, statement, args...) })
}

func changeIn(ctx context.Context, tx *sql.Tx, untouched error, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return firstError(func() error { return err }, func() error { return untouched })
	}
	return nil
}

// AccountByEmail finds an account; ErrNotFound if there is none.
func (s *Store) AccountByEmail(ctx context.Context, email string) (Account, error) {
	var scan accountScan
	err := s.reader.QueryRowContext(ctx, "SELECT "+accountColumns+fromAccounts+"WHERE account.email = ?", email).Scan(scan.fields()...)
	if err == sql.ErrNoRows {
		return Account{}, noAccount(email)
	}
	if err != nil {
		return Account{}, fmt.Errorf("store: account: %w", err)
	}
	return scan.read(), nil
}

// Accounts lists all accounts by address.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+accountColumns+fromAccounts+"ORDER BY account.email")
	if err != nil {
		return nil, fmt.Errorf("store: accounts: %w", err)
	}
	defer rows.Close()
	var accounts []Account
	for rows.Next() {
		var scan accountScan
		if err := rows.Scan(scan.fields()...); err != nil {
			return nil, fmt.Errorf("store: accounts: %w", err)
		}
		accounts = append(accounts, scan.read())
	}
	return accounts, rows.Err()
}

// AddToken keeps a token of the account that token.Account names by its ID.
func (s *Store) AddToken(ctx context.Context, token Token) error {
	return s.change(ctx, noAccount(token.Account.Email), `
		INSERT INTO token (account_id, name, prefix, hash, datasets, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		token.Account.ID, token.Name, token.Prefix, token.Hash, token.Datasets, token.Created.UnixMilli(), optionalMilliseconds(token.Expires))
}

// RevokeTokenOf ends a token of an account; ErrNotFound if it has none with that ID, and one revoked before stays so.
func (s *Store) RevokeTokenOf(ctx context.Context, accountID, id int64, now time.Time) error {
	return s.change(ctx, fmt.Errorf("token %d: %w", id, ErrNotFound),
		"UPDATE token SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ? AND account_id = ?", now.UnixMilli(), id, accountID)
}

// RevokeToken ends the token that begins with the prefix; ErrNotFound if none does, and one revoked before stays so.
func (s *Store) RevokeToken(ctx context.Context, prefix string, now time.Time) error {
	return s.change(ctx, fmt.Errorf("token %s: %w", prefix, ErrNotFound),
		"UPDATE token SET revoked_ms = coalesce(revoked_ms, ?) WHERE prefix = ?", now.UnixMilli(), prefix)
}

// Tokens lists the tokens of one account, or of all if email is empty, the oldest first.
func (s *Store) Tokens(ctx context.Context, email string) ([]Token, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT token.id, token.name, token.prefix, token.hash, token.datasets, token.created_ms, token.expires_ms, token.revoked_ms,
		token.last_used_ms, `+accountColumns+fromAccounts+`JOIN token ON token.account_id = account.id
		WHERE ?1 = '' OR account.email = ?1 ORDER BY token.id`, email)
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
