package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"time"

	"courant/store"
)

const (
	// linkLifetime is how long a link is valid. It can be used once.
	linkLifetime = 7 * 24 * time.Hour

	// How many requests visitors from one origin may make, and how many links they may ask for one account, within
	// requestWindow.
	maxRequestsOfOrigin = 20
	maxLinksOfAccount   = 3
	requestWindow       = time.Hour
)

// linkPattern matches the secret of a link, of 256 bits or more.
var linkPattern = regexp.MustCompile(`^[A-Z2-7]{52}$`)

// Invite creates an account without a password and returns the secret of a link to set one. An account with this role that has
// no password yet is invited again. The error is store.ErrExists if the address has any other account, or ErrEmail.
func (a *Auth) Invite(ctx context.Context, email string, admin bool) (secret string, err error) {
	account, err := a.User(ctx, email)
	role := roleOf(admin)
	switch {
	case errors.Is(err, store.ErrNotFound):
		address, err := a.newAddress(ctx, email)
		if err != nil {
			return "", err
		}
		added := store.Account{Email: address, Role: role, Created: a.clock.Now()}
		if err := a.store.AddAccount(ctx, a.Note(ctx, UserInvited, address, string(role)), added); err != nil {
			return "", err
		}
		return a.PasswordLink(ctx, address)
	case err != nil:
		return "", err
	case account.PasswordHash != "" || account.Role != role:
		return "", fmt.Errorf("%s: %w", account.Email, store.ErrExists)
	}
	return a.PasswordLink(ctx, account.Email)
}

// PasswordLink returns the secret of a link to set a new password of an account. The error is store.ErrNotFound if there is no
// such account, or ErrAccountDisabled.
func (a *Auth) PasswordLink(ctx context.Context, email string) (secret string, err error) {
	account, err := a.User(ctx, email)
	if err != nil {
		return "", err
	}
	if !account.Disabled.IsZero() {
		return "", fmt.Errorf("%s: %w", account.Email, ErrAccountDisabled)
	}
	return a.addLink(ctx, a.Note(ctx, PasswordLinkMade, account.Email, ""), account.Email)
}

// FirstLink returns the secret of a link to create the first administrator, or an empty one if there is an account. It replaces
// an earlier link of this kind.
func (a *Auth) FirstLink(ctx context.Context) (secret string, err error) {
	if has, err := a.store.HasAccounts(ctx); err != nil || has {
		return "", err
	}
	return a.addLink(ctx, store.Note{}, "")
}

func (a *Auth) addLink(ctx context.Context, note store.Note, email string) (secret string, err error) {
	secret = rand.Text() + rand.Text()
	hash := sha256.Sum256([]byte(secret))
	return secret, a.store.AddLink(ctx, note, store.Link{Hash: hash[:], Email: email, Expires: a.clock.Now().Add(linkLifetime)})
}

// Link returns the address of the account that a link is for, without using the link; empty if the link creates the first
// administrator. The error is ErrLink if there is no valid link with this secret.
func (a *Auth) Link(ctx context.Context, secret string) (email string, err error) {
	if !linkPattern.MatchString(secret) {
		return "", ErrLink
	}
	hash := sha256.Sum256([]byte(secret))
	email, err = a.store.LinkEmail(ctx, hash[:], a.clock.Now())
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrLink
	}
	return email, err
}

// UseLink sets the password of a link's account and ends the account's sessions and links, or creates the first administrator
// with the address as typed. The error is ErrLink, a *LimitedError after too many attempts from one origin, or one of those that
// AddUser returns for an invalid address or password.
func (a *Auth) UseLink(ctx context.Context, secret, typed, password string) (store.Account, error) {
	email, err := a.Link(ctx, secret)
	if errors.Is(err, ErrLink) {
		ticket := a.strangers.newTicket(originKey(ctx))
		if limited := a.failures.take(ticket.key, a.clock.Now()); limited != nil {
			return store.Account{}, ticket.withDelay(limited)
		}
	}
	if err != nil {
		return store.Account{}, err
	}
	// A valid link identifies the caller.
	ticket := a.known.newTicket(newAttemptKey(email, ""))
	event, detail := PasswordSet, ByLink
	if email == "" {
		if email, err = parseEmail(typed); err != nil {
			return store.Account{}, err
		}
		event, detail = UserAdded, string(store.Administrator)
	}
	passwordHash, err := a.hashPassword(ctx, ticket, email, password)
	if err != nil {
		return store.Account{}, err
	}
	hash := sha256.Sum256([]byte(secret))
	err = a.store.UseLink(ctx, a.Note(ctx, event, email, detail), hash[:], email, passwordHash, a.clock.Now())
	if errors.Is(err, store.ErrNotFound) {
		return store.Account{}, ErrLink // used meanwhile by another request
	}
	if err != nil {
		return store.Account{}, err
	}
	return a.store.AccountByEmail(ctx, email)
}

// TakeRequest counts a request for a link or an account by a visitor who is not signed in, and returns the number of recent
// requests from the same origin before it. The error is a *LimitedError if there were too many.
func (a *Auth) TakeRequest(ctx context.Context) (recent int, err error) {
	ticket := a.strangers.newTicket(originKey(ctx))
	if limited := a.requestsOfOrigin.take(ticket.key, a.clock.Now()); limited != nil {
		return ticket.recent, ticket.withDelay(limited)
	}
	return ticket.recent, nil
}

// RequestLink returns the secret of a link for an address that a visitor claims, and the stored address of the account. The link
// must be sent to that address only. For an existing account it sets a new password; for a new address, if mayBeNew, it is an
// invitation. Both are empty if there is nothing to send: there is no account, it is disabled, or enough links were sent to it
// in the last hour.
func (a *Auth) RequestLink(ctx context.Context, email string, mayBeNew bool) (to, secret string, err error) {
	account, err := a.User(ctx, email)
	isNew := mayBeNew && errors.Is(err, store.ErrNotFound)
	switch {
	case isNew:
		if account.Email, err = a.newAddress(ctx, email); err != nil {
			return "", "", ignoreNothingToSend(err)
		}
	case err != nil:
		return "", "", ignoreNothingToSend(err)
	}
	if a.linksOfAccount.take(newAttemptKey(account.Email, ""), a.clock.Now()) != nil {
		return "", "", nil
	}
	if isNew {
		secret, err = a.Invite(ctx, account.Email, false)
	} else {
		secret, err = a.PasswordLink(ctx, account.Email)
	}
	if err != nil {
		return "", "", ignoreNothingToSend(err)
	}
	return account.Email, secret, nil
}

// ignoreNothingToSend returns nil for the errors that mean that there is no link to send, and err otherwise. The visitor gets
// the same response for those as for a link that was sent.
func ignoreNothingToSend(err error) error {
	for _, expected := range []error{ErrEmail, ErrAccountDisabled, store.ErrNotFound, store.ErrExists} {
		if errors.Is(err, expected) {
			return nil
		}
	}
	return err
}
