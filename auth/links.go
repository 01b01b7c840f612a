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
	// linkLifetime is for how long a link can be used, once.
	linkLifetime = 7 * 24 * time.Hour

	// So often may one who is not signed in ask for something, and a link be asked for one account.
	maxRequestsOfOrigin = 20
	maxLinksOfAccount   = 3
	requestWindow       = time.Hour
)

// linkForm is that of a link's secret, 256 bits or more.
var linkForm = regexp.MustCompile(`^[A-Z2-7]{52}$`)

// Invite makes an account without a password, unless the address has one of this role that waits for its password
// already, and returns the secret of a link with which its person sets one; store.ErrExists if there is another account.
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
		if err := a.store.AddAccount(a.Noting(ctx, UserInvited, address, string(role)), added); err != nil {
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

// PasswordLink returns the secret of a link with which the person of an account sets a new password. The error is
// store.ErrNotFound if there is no such account, or ErrAccountDisabled.
func (a *Auth) PasswordLink(ctx context.Context, email string) (secret string, err error) {
	account, err := a.User(ctx, email)
	if err != nil {
		return "", err
	}
	if !account.Disabled.IsZero() {
		return "", fmt.Errorf("%s: %w", account.Email, ErrAccountDisabled)
	}
	return a.addLink(a.Noting(ctx, PasswordLinkMade, account.Email, ""), account.Email)
}

// FirstLink returns the secret of a link that makes the first administrator, in the place of a former one, or nothing
// if there is an account.
func (a *Auth) FirstLink(ctx context.Context) (secret string, err error) {
	if has, err := a.store.HasAccounts(ctx); err != nil || has {
		return "", err
	}
	return a.addLink(ctx, "")
}

func (a *Auth) addLink(ctx context.Context, email string) (secret string, err error) {
	secret = rand.Text() + rand.Text()
	hash := sha256.Sum256([]byte(secret))
	return secret, a.store.AddLink(ctx, store.Link{Hash: hash[:], Email: email, Expires: a.clock.Now().Add(linkLifetime)})
}

// Link tells whose link a secret opens, without using it; email is empty if it makes the first administrator. The
// error is ErrLink if there is none that can be used.
func (a *Auth) Link(ctx context.Context, secret string) (email string, err error) {
	if !linkForm.MatchString(secret) {
		return "", ErrLink
	}
	hash := sha256.Sum256([]byte(secret))
	email, err = a.store.LinkEmail(ctx, hash[:], a.clock.Now())
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrLink
	}
	return email, err
}

// UseLink sets the password of a link's account, which ends its sessions and links, or makes the first administrator
// with the address that was typed. The error is ErrLink, a *LimitedError after too many attempts from one origin, or one of those
// that AddUser returns for a bad address or password.
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
	// Who has a link is known by it.
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
	err = a.store.UseLink(a.Noting(ctx, event, email, detail), hash[:], email, passwordHash, a.clock.Now())
	if errors.Is(err, store.ErrNotFound) {
		return store.Account{}, ErrLink // used by somebody else meanwhile
	}
	if err != nil {
		return store.Account{}, err
	}
	return a.store.AccountByEmail(ctx, email)
}

// TakeRequest counts that somebody who has not signed in asks for a link or an account; a *LimitedError if there were
// too many from his origin. asked is how much was asked from there before.
func (a *Auth) TakeRequest(ctx context.Context) (asked int, err error) {
	ticket := a.strangers.newTicket(originKey(ctx))
	if limited := a.requestsOfOrigin.take(ticket.key, a.clock.Now()); limited != nil {
		return ticket.recent, ticket.withDelay(limited)
	}
	return ticket.recent, nil
}

// RequestLink returns the secret of a link for somebody who says that an address is his, and the stored address of the
// account, to which alone it is to be sent: for an account that is there, a link to set a new password; for a new one, if
// that may be made, one that invites. Both are empty if there is nothing to send, because the account is not there or
// disabled, or because it was sent enough of late.
func (a *Auth) RequestLink(ctx context.Context, email string, mayBeNew bool) (to, secret string, err error) {
	account, err := a.User(ctx, email)
	isNew := mayBeNew && errors.Is(err, store.ErrNotFound)
	switch {
	case isNew:
		if account.Email, err = a.newAddress(ctx, email); err != nil {
			return "", "", nothingToSend(err)
		}
	case err != nil:
		return "", "", nothingToSend(err)
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
		return "", "", nothingToSend(err)
	}
	return account.Email, secret, nil
}

// nothingToSend is the error for which a link that was asked for is not made, or nil if that is the asker's.
func nothingToSend(err error) error {
	for _, own := range []error{ErrEmail, ErrAccountDisabled, store.ErrNotFound, store.ErrExists} {
		if errors.Is(err, own) {
			return nil
		}
	}
	return err
}
