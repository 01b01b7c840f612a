package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Role says what an account may do.
type Role string

const (
	Administrator Role = "administrator"
	Member        Role = "member"
)

// Account is a person who may sign in.
type Account struct {
	ID           int64
	Email        string // as stored; mail goes to exactly this address
	PasswordHash string // empty: no password was set yet
	Role         Role
	Epoch        int64 // grows with each change that ends sessions; a session is valid for the epoch in which it began
	Created      time.Time
	Disabled     time.Time    // zero: enabled
	Subscription Subscription // zero: no subscription
}

// Subscription is the offer that an account may read, and when. The zero value is no subscription.
type Subscription struct {
	Offer string
	Start time.Time
	End   time.Time // zero: open-ended
}

// Active reports whether the subscription is in force at now.
func (s Subscription) Active(now time.Time) bool {
	return s.Offer != "" && !now.Before(s.Start) && (s.End.IsZero() || now.Before(s.End))
}

const accountColumns = `account.id, account.email, account.password_hash, account.role, account.epoch, account.created_ms,
	account.disabled_ms, subscription.offer, subscription.start_ms, subscription.end_ms`

const (
	withSubscription = ` LEFT JOIN subscription ON subscription.account_id = account.id `
	fromAccounts     = ` FROM account` + withSubscription
)

// fields are where accountColumns are scanned to.
func (a *Account) fields() []any {
	return []any{&a.ID, &a.Email, &a.PasswordHash, &a.Role, &a.Epoch, instant{&a.Created}, instant{&a.Disabled},
		nullable[string]{&a.Subscription.Offer}, instant{&a.Subscription.Start}, instant{&a.Subscription.End}}
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

// AddAccount creates an account; ErrExists if the address has one.
func (s *Store) AddAccount(ctx context.Context, note Note, account Account) error {
	return s.changeAccess(ctx, "add account", note, func(tx *sql.Tx) error { return insertAccount(ctx, tx, account) })
}

func insertAccount(ctx context.Context, tx *sql.Tx, account Account) error {
	return execOne(ctx, tx, fmt.Errorf("%s: %w", account.Email, ErrExists), `
		INSERT INTO account (email, password_hash, role, epoch, created_ms) VALUES (?, ?, ?, 0, ?) ON CONFLICT (email) DO NOTHING`,
		account.Email, account.PasswordHash, account.Role, account.Created.UnixMilli())
}

// SetPassword changes an account's password and ends its sessions and links; ErrNotFound if there is no such account.
func (s *Store) SetPassword(ctx context.Context, note Note, email, hash string) error {
	return s.changeAccess(ctx, "set password", note, func(tx *sql.Tx) error { return updatePassword(ctx, tx, email, hash) })
}

func updatePassword(ctx context.Context, tx *sql.Tx, email, hash string) error {
	err := execOne(ctx, tx, noAccount(email), "UPDATE account SET password_hash = ?, epoch = epoch + 1 WHERE email = ?", hash, email)
	if err != nil {
		return err
	}
	for _, table := range []string{"link", "session"} {
		_, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE account_id = (SELECT id FROM account WHERE email = ?)", email)
		if err != nil {
			return err
		}
	}
	return nil
}

// DisableAccount disables an account and ends its sessions; a disabled one keeps the time at which it was disabled.
// ErrNotFound if there is no such account.
func (s *Store) DisableAccount(ctx context.Context, note Note, email string, now time.Time) error {
	return s.changeAccess(ctx, "disable account", note, func(tx *sql.Tx) error {
		err := execOne(ctx, tx, noAccount(email),
			"UPDATE account SET disabled_ms = coalesce(disabled_ms, ?), epoch = epoch + 1 WHERE email = ?", now.UnixMilli(), email)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM session WHERE account_id = (SELECT id FROM account WHERE email = ?)", email)
		return err
	})
}

// EnableAccount enables a disabled account again; ErrNotFound if there is no such account.
func (s *Store) EnableAccount(ctx context.Context, note Note, email string) error {
	return s.changeRow(ctx, "enable account", note, noAccount(email), "UPDATE account SET disabled_ms = NULL WHERE email = ?", email)
}

// SetSubscription gives an account its subscription and replaces a former one; ErrNotFound if there is no such account.
func (s *Store) SetSubscription(ctx context.Context, note Note, email string, sub Subscription) error {
	return s.changeRow(ctx, "set subscription", note, noAccount(email), `
		INSERT INTO subscription (account_id, offer, start_ms, end_ms) SELECT id, ?, ?, ? FROM account WHERE email = ?
		ON CONFLICT (account_id) DO UPDATE SET offer = excluded.offer, start_ms = excluded.start_ms, end_ms = excluded.end_ms`,
		sub.Offer, sub.Start.UnixMilli(), optionalMilliseconds(sub.End), email)
}

// EndSubscription removes an account's subscription; ErrNotFound if it has none.
func (s *Store) EndSubscription(ctx context.Context, note Note, email string) error {
	return s.changeRow(ctx, "end subscription", note, fmt.Errorf("subscription of %s: %w", email, ErrNotFound),
		"DELETE FROM subscription WHERE account_id = (SELECT id FROM account WHERE email = ?)", email)
}

func noAccount(email string) error { return fmt.Errorf("account %s: %w", email, ErrNotFound) }

// AccountByEmail returns the account with exactly this stored address; ErrNotFound if there is none.
func (s *Store) AccountByEmail(ctx context.Context, email string) (Account, error) {
	return s.FindAccount(ctx, email, email)
}

// FindAccount returns the account with the stored address email, or else with other; ErrNotFound if neither exists.
func (s *Store) FindAccount(ctx context.Context, email, other string) (Account, error) {
	return s.account(ctx, noAccount(other), "WHERE account.email IN (?1, ?2) ORDER BY account.email <> ?1 LIMIT 1", email, other)
}

// AccountByID returns the account with the ID; ErrNotFound if there is none.
func (s *Store) AccountByID(ctx context.Context, id int64) (Account, error) {
	return s.account(ctx, fmt.Errorf("account %d: %w", id, ErrNotFound), "WHERE account.id = ?", id)
}

func (s *Store) account(ctx context.Context, missing error, where string, args ...any) (Account, error) {
	accounts, err := s.accounts(ctx, where, args...)
	if err != nil {
		return Account{}, err
	}
	if len(accounts) == 0 {
		return Account{}, missing
	}
	return accounts[0], nil
}

// Accounts lists all accounts by address.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	return s.AccountsFrom(ctx, 0, -1)
}

// AccountsFrom lists accounts by address: at most limit of them (-1: all), after the first skip.
func (s *Store) AccountsFrom(ctx context.Context, skip, limit int) ([]Account, error) {
	return s.accounts(ctx, "ORDER BY account.email LIMIT ? OFFSET ?", limit, skip)
}

func (s *Store) accounts(ctx context.Context, where string, args ...any) ([]Account, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+accountColumns+fromAccounts+where, args...)
	accounts, err := collect(rows, err, (*Account).fields)
	return accounts, wrap("accounts", err)
}

// HasAccounts reports whether there is an account.
func (s *Store) HasAccounts(ctx context.Context) (bool, error) {
	accounts, err := s.AccountsFrom(ctx, 0, 1)
	return len(accounts) > 0, err
}

// Administrators lists the administrators by address.
func (s *Store) Administrators(ctx context.Context) ([]Account, error) {
	return s.accounts(ctx, "WHERE account.role = ? ORDER BY account.email", Administrator)
}
