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
	Email        string // as it is stored; mail goes there, to the byte
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

const accountColumns = `account.id, account.email, account.password_hash, account.role, account.epoch, account.created_ms,
	account.disabled_ms, subscription.offer, subscription.start_ms, subscription.end_ms`

const (
	withSubscription = ` LEFT JOIN subscription ON subscription.account_id = account.id `
	fromAccounts     = ` FROM account` + withSubscription
)

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
	for _, table := range []string{"link", "session"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE account_id = (SELECT id FROM account WHERE email = ?)", email); err != nil {
			return err
		}
	}
	return nil
}

// DisableAccount shuts an account out and ends its sessions; one that is disabled stays as it is.
func (s *Store) DisableAccount(ctx context.Context, email string, now time.Time) error {
	return s.changeAccess(ctx, func(tx *sql.Tx) error {
		err := changeIn(ctx, tx, noAccount(email),
			"UPDATE account SET disabled_ms = coalesce(disabled_ms, ?), epoch = epoch + 1 WHERE email = ?", now.UnixMilli(), email)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM session WHERE account_id = (SELECT id FROM account WHERE email = ?)", email)
		return err
	})
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

// AccountByEmail finds the account whose stored address is this one; ErrNotFound if there is none.
func (s *Store) AccountByEmail(ctx context.Context, email string) (Account, error) {
	return s.FindAccount(ctx, email, email)
}

// FindAccount finds the account whose stored address is the first of two, else the second; ErrNotFound if there is none.
func (s *Store) FindAccount(ctx context.Context, email, other string) (Account, error) {
	return s.account(ctx, noAccount(other), "WHERE account.email IN (?1, ?2) ORDER BY account.email <> ?1 LIMIT 1", email, other)
}

// AccountByID finds an account; ErrNotFound if there is none.
func (s *Store) AccountByID(ctx context.Context, id int64) (Account, error) {
	return s.account(ctx, fmt.Errorf("account %d: %w", id, ErrNotFound), "WHERE account.id = ?", id)
}

func (s *Store) account(ctx context.Context, missing error, where string, args ...any) (Account, error) {
	var scan accountScan
	err := s.reader.QueryRowContext(ctx, "SELECT "+accountColumns+fromAccounts+where, args...).Scan(scan.fields()...)
	if err == sql.ErrNoRows {
		return Account{}, missing
	}
	if err != nil {
		return Account{}, fmt.Errorf("store: account: %w", err)
	}
	return scan.read(), nil
}

// Accounts lists all accounts by address.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	return s.AccountsFrom(ctx, 0, -1)
}

// AccountsFrom lists at most so many accounts by address (-1: all), after those that are skipped.
func (s *Store) AccountsFrom(ctx context.Context, skip, most int) ([]Account, error) {
	return s.accounts(ctx, "ORDER BY account.email LIMIT ? OFFSET ?", most, skip)
}

func (s *Store) accounts(ctx context.Context, where string, args ...any) ([]Account, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+accountColumns+fromAccounts+where, args...)
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

// HasAccounts says whether there is an account.
func (s *Store) HasAccounts(ctx context.Context) (bool, error) {
	accounts, err := s.AccountsFrom(ctx, 0, 1)
	return len(accounts) > 0, err
}

// Administrators lists the administrators by address.
func (s *Store) Administrators(ctx context.Context) ([]Account, error) {
	return s.accounts(ctx, "WHERE account.role = ? ORDER BY account.email", Administrator)
}
