package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"courant/store"
)

const (
	minPasswordRunes = 12
	maxPasswordBytes = 256
	// hashingsAtOnce bounds the memory and the processors that a burst of sign-ins can take.
	hashingsAtOnce = 2

	// So often may somebody try to sign in to one account from one origin, and all together to one account.
	signInsFromOrigin       = 10
	signInsFromOriginWindow = 15 * time.Minute
	signInsToAccount        = 100
	signInsToAccountWindow  = time.Hour
)

// hashing is the least that OWASP advises for Argon2id, so that two at once fit a small machine.
var hashing = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// unknownHash takes the place of an account's hash where there is no account, and costs as much to compare with.
var unknownHash = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", hashing.Memory, hashing.Iterations, hashing.Parallelism,
	strings.Repeat("A", 22), strings.Repeat("A", 43)) // 16 and 32 bytes in base64

// SignIn finds the account of someone who knows its password. The answer takes as long and is as terse,
// ErrBadCredentials, whether the password is wrong, the account is disabled or there is none. Too many attempts are a
// *LimitedError, whoever they are for; with a password that is right, those before from the same origin are forgotten.
func (a *Auth) SignIn(ctx context.Context, email, password string) (store.Account, error) {
	// An address that could be nobody's is looked up all the same, as nobody's.
	address, err := parseEmail(email)
	name := address
	if err != nil {
		name = typedEmail(email)
	}
	now := a.clock.Now()
	from, to := attemptOf(name, actorOf(ctx).Origin), attemptOf(name, "")
	if limited := a.takeSignIn(from, to, now); limited != nil {
		if !limited.told {
			if err := a.noteRefusal(ctx, SignInLimited, address); err != nil {
				return store.Account{}, err
			}
		}
		return store.Account{}, limited
	}
	account, err := a.checkPassword(ctx, email, password)
	switch {
	case errors.Is(err, ErrBadCredentials):
		if err := a.noteRefusal(ctx, SignInRefused, address); err != nil {
			return store.Account{}, err
		}
		return store.Account{}, err
	case err != nil: // nothing was tried
		a.signInsFrom.giveBack(from, now)
		a.signInsTo.giveBack(to, now)
		return store.Account{}, err
	}
	a.signInsFrom.forget(from)
	a.signInsTo.giveBack(to, now)
	return account, nil
}

// takeSignIn counts an attempt for an account from an origin, and for that account from anywhere.
func (a *Auth) takeSignIn(from, to attemptKey, now time.Time) *LimitedError {
	if limited := a.signInsFrom.take(from, now); limited != nil {
		return limited
	}
	limited := a.signInsTo.take(to, now)
	if limited != nil {
		a.signInsFrom.giveBack(from, now)
	}
	return limited
}

// checkPassword finds the account that has the address and the password, or ErrBadCredentials.
func (a *Auth) checkPassword(ctx context.Context, email, password string) (store.Account, error) {
	account, err := a.User(ctx, email)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, ErrEmail) {
		return store.Account{}, err
	}
	open, hash := err == nil && account.Disabled.IsZero() && account.PasswordHash != "", account.PasswordHash
	if !open {
		hash = unknownHash
	}
	release, err := a.awaitHashing(ctx)
	if err != nil {
		return store.Account{}, err
	}
	defer release()
	match, err := argon2id.ComparePasswordAndHash(norm.NFC.String(password), hash)
	if err != nil {
		return store.Account{}, fmt.Errorf("auth: password of account %d: %w", account.ID, err)
	}
	if !match || !open {
		return store.Account{}, ErrBadCredentials
	}
	return account, nil
}

// hashPassword hashes a password that is good enough for the account of an address. It is composed first, because an
// accented letter is one or two characters depending on the keyboard it was typed on.
func (a *Auth) hashPassword(ctx context.Context, address, password string) (string, error) {
	if !utf8.ValidString(password) {
		return "", ErrPasswordText
	}
	password = norm.NFC.String(password)
	if len(password) > maxPasswordBytes {
		return "", ErrPasswordLong
	}
	if utf8.RuneCountInString(password) < minPasswordRunes {
		return "", ErrPasswordShort
	}
	if isCommon(password, address) {
		return "", ErrPasswordCommon
	}
	release, err := a.awaitHashing(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, &hashing)
	if err != nil {
		return "", fmt.Errorf("auth: hash password: %w", err)
	}
	return hash, nil
}

// awaitHashing waits until a password may be hashed; release lets the next one.
func (a *Auth) awaitHashing(ctx context.Context) (release func(), err error) {
	select {
	case a.hashings <- struct{}{}:
		return func() { <-a.hashings }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
