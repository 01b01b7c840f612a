package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Link is what lets a person set a password once, without its secret.
type Link struct {
	Hash    []byte // SHA-256 of its secret
	Email   string // of the account; empty: it makes the first administrator
	Expires time.Time
}

// MostLinks is how many links an account may have; one more ends the one that ends first.
const MostLinks = 5

var errNoLink = fmt.Errorf("link: %w", ErrNotFound)

// AddLink keeps a link of the account that has the address, or the one that makes the first administrator, in the
// place of a former one; ErrNotFound if there is no such account.
func (s *Store) AddLink(ctx context.Context, link Link) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if link.Email != "" {
			err := changeIn(ctx, tx, noAccount(link.Email),
				"INSERT INTO link (hash, account_id, expires_ms) SELECT ?, id, ? FROM account WHERE email = ?",
				link.Hash, link.Expires.UnixMilli(), link.Email)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `
				DELETE FROM link WHERE hash IN (
					SELECT hash FROM link WHERE account_id = (SELECT id FROM account WHERE email = ?) AND hash <> ?
					ORDER BY expires_ms DESC, hash LIMIT ? OFFSET ?)`,
				link.Email, link.Hash, mostTrimmed, MostLinks-1)
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM link WHERE account_id IS NULL"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO link (hash, expires_ms) VALUES (?, ?)", link.Hash, link.Expires.UnixMilli())
		return err
	})
}

// openLink finds a link that can be used: it is not over, and its account is enabled or, if it makes the first
// administrator, there is no account.
const openLink = `
	SELECT coalesce(account.email, '') FROM link LEFT JOIN account ON account.id = link.account_id
	WHERE link.hash = ? AND link.expires_ms > ?
	AND CASE WHEN link.account_id IS NULL THEN NOT EXISTS (SELECT 1 FROM account) ELSE account.disabled_ms IS NULL END`

// LinkEmail tells whose link has the hash, as Link.Email does; ErrNotFound if there is none that can be used.
func (s *Store) LinkEmail(ctx context.Context, hash []byte, now time.Time) (email string, err error) {
	err = s.reader.QueryRowContext(ctx, openLink, hash, now.UnixMilli()).Scan(&email)
	if err == sql.ErrNoRows {
		return "", errNoLink
	}
	if err != nil {
		return "", fmt.Errorf("store: link: %w", err)
	}
	return email, nil
}

// UseLink sets the password of a link's account, which ends the account's sessions and links, or makes the first
// administrator with that address and password; ErrNotFound if the link cannot be used any more.
func (s *Store) UseLink(ctx context.Context, hash []byte, email, passwordHash string, now time.Time) error {
	return s.changeAccess(ctx, func(tx *sql.Tx) error {
		var of string
		err := tx.QueryRowContext(ctx, openLink, hash, now.UnixMilli()).Scan(&of)
		if errors.Is(err, sql.ErrNoRows) || err == nil && of != "" && of != email {
			return errNoLink
		}
		if err != nil {
			return err
		}
		if of != "" {
			return setPassword(ctx, tx, email, passwordHash)
		}
		if err := addAccount(ctx, tx, Account{Email: email, PasswordHash: passwordHash, Role: Administrator, Created: now}); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM link WHERE account_id IS NULL")
		return err
	})
}
