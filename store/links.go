package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Link lets a person set a password once. It does not hold its secret.
type Link struct {
	Hash    []byte // SHA-256 of its secret
	Email   string // of the account; empty: it creates the first administrator
	Expires time.Time
}

// MostLinks is how many links an account may have; a further one deletes the one that expires first.
const MostLinks = 5

var errNoLink = fmt.Errorf("link: %w", ErrNotFound)

// AddLink stores a link of the account with the address, or the one that creates the first administrator, which replaces a
// former one; ErrNotFound if there is no such account.
func (s *Store) AddLink(ctx context.Context, note Note, link Link) error {
	return s.writeNoted(ctx, "add link", note, func(tx *sql.Tx) error {
		if link.Email != "" {
			err := execOne(ctx, tx, noAccount(link.Email),
				"INSERT INTO link (hash, account_id, expires_ms) SELECT ?, id, ? FROM account WHERE email = ?",
				link.Hash, link.Expires.UnixMilli(), link.Email)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `
				DELETE FROM link WHERE hash IN (
					SELECT hash FROM link WHERE account_id = (SELECT id FROM account WHERE email = ?) AND hash <> ?
					ORDER BY expires_ms DESC, hash LIMIT ? OFFSET ?)`,
				link.Email, link.Hash, mostDeleted, MostLinks-1)
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM link WHERE account_id IS NULL"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO link (hash, expires_ms) VALUES (?, ?)", link.Hash, link.Expires.UnixMilli())
		return err
	})
}

// openLink selects the address of a usable link: it has not expired, and its account is enabled or, if it creates the first
// administrator, there is no account.
const openLink = `
	SELECT coalesce(account.email, '') FROM link LEFT JOIN account ON account.id = link.account_id
	WHERE link.hash = ? AND link.expires_ms > ?
	AND CASE WHEN link.account_id IS NULL THEN NOT EXISTS (SELECT 1 FROM account) ELSE account.disabled_ms IS NULL END`

// LinkEmail returns Link.Email of the link with the hash; ErrNotFound if no usable link has it.
func (s *Store) LinkEmail(ctx context.Context, hash []byte, now time.Time) (email string, err error) {
	err = s.reader.QueryRowContext(ctx, openLink, hash, now.UnixMilli()).Scan(&email)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoLink
	}
	return email, wrap("link", err)
}

// UseLink sets the password of a link's account, which ends the account's sessions and links, or creates the first
// administrator with the address and password; ErrNotFound if the link is not usable, or belongs to another address.
func (s *Store) UseLink(ctx context.Context, note Note, hash []byte, email, passwordHash string, now time.Time) error {
	return s.changeAccess(ctx, "use link", note, func(tx *sql.Tx) error {
		var owner string
		err := tx.QueryRowContext(ctx, openLink, hash, now.UnixMilli()).Scan(&owner)
		if errors.Is(err, sql.ErrNoRows) || err == nil && owner != "" && owner != email {
			return errNoLink
		}
		if err != nil {
			return err
		}
		if owner != "" {
			return updatePassword(ctx, tx, email, passwordHash)
		}
		first := Account{Email: email, PasswordHash: passwordHash, Role: Administrator, Created: now}
		if err := insertAccount(ctx, tx, first); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM link WHERE account_id IS NULL")
		return err
	})
}
