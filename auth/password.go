package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"courant/store"
)

const (
	minPasswordRunes = 12
	maxPasswordBytes = 256

	// How many attempts to sign in are allowed: to one account from one origin or one known device, to one account in all,
	// and with a wrong password from one origin to any accounts.
	maxSignInsFromOneOrigin    = 10
	signInsFromOneOriginWindow = 15 * time.Minute
	maxSignInsToAccount        = 100
	signInsToAccountWindow     = time.Hour
	maxFailuresOfOrigin        = 30
	failuresOfOriginWindow     = 15 * time.Minute

	// delayThreshold is the number of recent requests from which on the refusals of an origin are delayed.
	delayThreshold = 60
)

// Hashing is the cost of hashing a password.
type Hashing = argon2id.Params

// defaultHashing is the minimum that OWASP recommends for Argon2id, so that two hashings at once fit a small machine.
var defaultHashing = Hashing{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// dummyHash returns a hash to compare with if there is no account. Comparing costs as much as with a real one.
func dummyHash(cost Hashing) string {
	zeros := func(bytes uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, bytes)) }
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
		cost.Memory, cost.Iterations, cost.Parallelism, zeros(cost.SaltLength), zeros(cost.KeyLength))
}

// SignIn returns the account with this address and password. The error is ErrBadCredentials, after the same time, whether
// the password is wrong, the account is disabled or there is no account. It is a *LimitedError after too many attempts,
// whether for real accounts or not, or if too many callers are waiting. Success forgets the earlier attempts on the account
// from the same origin.
func (a *Auth) SignIn(ctx context.Context, email, password string) (store.Account, error) {
	// Invalid addresses are looked up too, so that the time taken does not tell them apart.
	address, err := parseEmail(email)
	name := address
	if err != nil {
		name = normalizeTyped(email)
	}
	attempt, limited := a.countSignIn(ctx, email, name)
	if limited != nil {
		if !limited.reported {
			if err := a.noteRefusal(ctx, SignInLimited, address); err != nil {
				return store.Account{}, err
			}
		}
		return store.Account{}, limited
	}
	account, err := a.checkPassword(ctx, attempt.ticket, email, password)
	switch {
	case errors.Is(err, ErrBadCredentials):
		if err := a.noteRefusal(ctx, SignInRefused, address); err != nil {
			return store.Account{}, err
		}
		return store.Account{}, err
	case err != nil: // the password was not checked
		attempt.giveBack()
		return store.Account{}, attempt.ticket.withDelay(err)
	}
	a.signInSucceeded(attempt)
	return account, nil
}

// ticket is a counted request to hash a password: the queue to wait in, the key it was counted under and the recent requests
// of that key before it.
type ticket struct {
	queue  *hashQueue
	key    attemptKey
	recent int
}

// newTicket counts a request under the key.
func (q *hashQueue) newTicket(key attemptKey) ticket {
	return ticket{q, key, q.recent.add(key, q.clock.Now())}
}

// wait waits for the turn to hash, like hashQueue.wait.
func (t ticket) wait(ctx context.Context) (release func(), err error) {
	return t.queue.wait(ctx, t.key, t.recent)
}

// withDelay sets the delay of a *LimitedError if its key made many recent requests, and returns err.
func (t ticket) withDelay(err error) error {
	var limited *LimitedError
	if errors.As(err, &limited) && t.recent >= delayThreshold {
		limited.Delay = randomDelay()
	}
	return err
}

// ticketFor returns the ticket for setting the password of an account. Its owner, once signed in, and commands wait in the
// queue of known callers.
func (a *Auth) ticketFor(ctx context.Context, address string) ticket {
	if actor := actorOf(ctx); actor.Email == address || actor.Email == CommandLine {
		return a.known.newTicket(newAttemptKey(address, ""))
	}
	return a.strangers.newTicket(originKey(ctx))
}

// originKey returns the key of the client address of the context's actor.
func originKey(ctx context.Context) attemptKey { return newAttemptKey("", actorOf(ctx).Origin) }

// signInAttempt is a counted attempt to sign in.
type signInAttempt struct {
	ticket ticket
	at     time.Time
	from   attemptKey // its key in Auth.signInsFromOne
	counts []attemptCount
}

// attemptCount is where an attempt was counted.
type attemptCount struct {
	limiter *attemptLimiter
	key     attemptKey
}

// take counts the attempt in all given places, or in none if one of them is at its limit.
func (s *signInAttempt) take(counts ...attemptCount) *LimitedError {
	for i, c := range counts {
		if limited := c.limiter.take(c.key, s.at); limited != nil {
			s.counts = counts[:i]
			s.giveBack()
			return limited
		}
	}
	s.counts = counts
	return nil
}

func (s *signInAttempt) giveBack() {
	for _, c := range s.counts {
		c.limiter.giveBack(c.key, s.at)
	}
}

// signInSucceeded uncounts an attempt with the right password and the earlier ones on the account from the same origin.
func (a *Auth) signInSucceeded(s *signInAttempt) {
	s.giveBack()
	s.ticket.queue.recent.giveBack(s.ticket.key, s.at)
	for _, at := range a.signInsFromOne.reset(s.from) {
		a.failures.giveBack(s.ticket.key, at)
	}
}

// countSignIn counts an attempt to sign in to an account; email is the address as typed, name its normalized form. A caller
// that is signed in, or has the device cookie of the account, is counted apart from strangers, so that they cannot lock the
// owner out. A device with too many failures is counted as a stranger.
func (a *Auth) countSignIn(ctx context.Context, email, name string) (*signInAttempt, *LimitedError) {
	actor, now := actorOf(ctx), a.clock.Now()
	known := func(from string) *signInAttempt {
		return &signInAttempt{ticket: a.known.newTicket(newAttemptKey(name, "")), at: now, from: newAttemptKey(name, from)}
	}
	if actor.Email != "" && actor.Email == email {
		s := known("session")
		return s, s.take(attemptCount{a.signInsFromOne, s.from})
	}
	if device := a.deviceOf(ctx, name); device != "" {
		s := known("device " + device)
		if s.take(attemptCount{a.signInsFromOne, s.from}) == nil {
			return s, nil
		}
	}
	toAccount := attemptCount{a.signInsTo, newAttemptKey(name, "")}
	if actor.Email == CommandLine {
		s := known("")
		return s, s.take(attemptCount{a.signInsFromOne, s.from}, toAccount)
	}
	s := &signInAttempt{ticket: a.strangers.newTicket(originKey(ctx)), at: now, from: newAttemptKey(name, actor.Origin)}
	limited := s.take(attemptCount{a.failures, s.ticket.key}, attemptCount{a.signInsFromOne, s.from}, toAccount)
	if limited != nil {
		_ = s.ticket.withDelay(limited) // sets the delay of limited itself
	}
	return s, limited
}

// checkPassword returns the account with this address and password, or ErrBadCredentials.
func (a *Auth) checkPassword(ctx context.Context, ticket ticket, email, password string) (store.Account, error) {
	release, err := ticket.wait(ctx)
	if err != nil {
		return store.Account{}, err
	}
	defer release()
	account, err := a.User(ctx, email)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, ErrEmail) {
		return store.Account{}, err
	}
	mayEnter, hash := err == nil && account.Disabled.IsZero() && account.PasswordHash != "", account.PasswordHash
	if !mayEnter {
		hash = dummyHash(a.hashing)
	}
	match, err := a.compare(norm.NFC.String(password), hash)
	if err != nil {
		return store.Account{}, fmt.Errorf("auth: password of account %d: %w", account.ID, err)
	}
	if !match || !mayEnter {
		return store.Account{}, ErrBadCredentials
	}
	return account, nil
}

// hashPassword checks a new password for the account with this address and returns its hash. The password is normalized to
// NFC first, because an accented letter is one or two characters depending on the keyboard. The error is one of the
// ErrPassword… or a *LimitedError.
func (a *Auth) hashPassword(ctx context.Context, ticket ticket, address, password string) (string, error) {
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
	release, err := ticket.wait(ctx)
	if err != nil {
		return "", ticket.withDelay(err)
	}
	defer release()
	hash, err := argon2id.CreateHash(password, &a.hashing)
	if err != nil {
		return "", fmt.Errorf("auth: hash password: %w", err)
	}
	return hash, nil
}
