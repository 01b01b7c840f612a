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

	// So often may somebody try to sign in to one account from one origin, or from one known device, all together to one account,
	// and, if the password is wrong, from one origin to any account.
	signInsFromOrigin       = 10
	signInsFromOriginWindow = 15 * time.Minute
	signInsToAccount        = 100
	signInsToAccountWindow  = time.Hour
	refusedOfOrigin         = 30
	refusedOfOriginWindow   = 15 * time.Minute

	// An origin that has asked for holdFrom or more of late, and is refused, has its answer held back.
	holdFrom = 60
)

// Hashing is what hashing a password costs.
type Hashing = argon2id.Params

// hashing is the least that OWASP advises for Argon2id, so that two at once fit a small machine.
var hashing = Hashing{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// unknownHash takes the place of an account's hash where there is no account, and costs as much to compare with.
func unknownHash(cost Hashing) string {
	nothing := func(bytes uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, bytes)) }
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", cost.Memory, cost.Iterations, cost.Parallelism, nothing(cost.SaltLength), nothing(cost.KeyLength))
}

// SignIn finds the account of someone who knows its password. The answer takes as long and is as terse,
// ErrBadCredentials, whether the password is wrong, the account is disabled or there is none. Too many attempts, whoever they are
// for, are a *LimitedError, and so is an attempt that would have to wait for too many others; with a password that is right, those
// before for the account from the same origin are forgotten.
func (a *Auth) SignIn(ctx context.Context, email, password string) (store.Account, error) {
	// An address that could be nobody's is looked up all the same, as nobody's.
	address, err := parseEmail(email)
	name := address
	if err != nil {
		name = typedEmail(email)
	}
	try, limited := a.takeSignIn(ctx, email, name)
	if limited != nil {
		if !limited.told {
			if err := a.noteRefusal(ctx, SignInLimited, address); err != nil {
				return store.Account{}, err
			}
		}
		return store.Account{}, limited
	}
	account, err := a.checkPassword(ctx, try.place, email, password)
	switch {
	case errors.Is(err, ErrBadCredentials):
		if err := a.noteRefusal(ctx, SignInRefused, address); err != nil {
			return store.Account{}, err
		}
		return store.Account{}, err
	case err != nil: // nothing was tried
		try.giveBack()
		return store.Account{}, try.place.held(err)
	}
	a.succeeded(try)
	return account, nil
}

// place is that of one who wants a password hashed: in which lane, in whose name, and how much was asked in that name before.
type place struct {
	lane *lane
	key  attemptKey
	rank int
}

func (l *lane) place(key attemptKey) place { return place{l, key, l.asked.add(key, l.clock.Now())} }

// wait waits for the turn to hash, as a lane does.
func (p place) wait(ctx context.Context) (release func(), err error) {
	return p.lane.wait(ctx, p.key, p.rank)
}

// held has the answer held back if the error is a *LimitedError and its origin asks for much.
func (p place) held(err error) error {
	var limited *LimitedError
	if errors.As(err, &limited) && p.rank >= holdFrom {
		limited.Hold = holdTime()
	}
	return err
}

// placeFor is the place of one who acts in the name of an account's address: one who has signed in to it, and a command, are known.
func (a *Auth) placeFor(ctx context.Context, address string) place {
	if actor := actorOf(ctx); actor.Email == address || actor.Email == CommandLine {
		return a.known.place(attemptOf(address, ""))
	}
	return a.strangers.place(originOf(ctx))
}

// originOf is the key of where somebody comes from.
func originOf(ctx context.Context) attemptKey { return attemptOf("", actorOf(ctx).Origin) }

// try is an attempt to sign in that was counted.
type try struct {
	place place
	at    time.Time
	from  attemptKey // of signInsFrom
	taken []taken
}

// taken is where an attempt was counted.
type taken struct {
	attempts *attempts
	key      attemptKey
}

// take counts the attempt in each place, or in none.
func (t *try) take(where ...taken) *LimitedError {
	for i, w := range where {
		if limited := w.attempts.take(w.key, t.at); limited != nil {
			t.taken = where[:i]
			t.giveBack()
			return limited
		}
	}
	t.taken = where
	return nil
}

func (t *try) giveBack() {
	for _, taken := range t.taken {
		taken.attempts.giveBack(taken.key, t.at)
	}
}

// succeeded forgets an attempt with the right password, and those before it for the same account from the same origin.
func (a *Auth) succeeded(t *try) {
	t.giveBack()
	t.place.lane.asked.giveBack(t.place.key, t.at)
	for _, at := range a.signInsFrom.forget(t.from) {
		a.refused.giveBack(t.place.key, at)
	}
}

// takeSignIn counts an attempt for the account of an address, as it was typed and in its one form. Who has signed in, or comes with the cookie of a device on which somebody has, is
// counted apart from strangers, so that these cannot shut him out; a device that has failed too often is a stranger's.
func (a *Auth) takeSignIn(ctx context.Context, email, name string) (*try, *LimitedError) {
	actor, now := actorOf(ctx), a.clock.Now()
	known := func(from string) *try {
		return &try{place: a.known.place(attemptOf(name, "")), at: now, from: attemptOf(name, from)}
	}
	if actor.Email != "" && actor.Email == email {
		t := known("session")
		return t, t.take(taken{a.signInsFrom, t.from})
	}
	if device := a.deviceOf(ctx, name); device != "" {
		t := known("device " + device)
		if t.take(taken{a.signInsFrom, t.from}) == nil {
			return t, nil
		}
	}
	toAccount := taken{a.signInsTo, attemptOf(name, "")}
	if actor.Email == CommandLine {
		t := known("")
		return t, t.take(taken{a.signInsFrom, t.from}, toAccount)
	}
	t := &try{place: a.strangers.place(originOf(ctx)), at: now, from: attemptOf(name, actor.Origin)}
	limited := t.take(taken{a.refused, t.place.key}, taken{a.signInsFrom, t.from}, toAccount)
	if limited != nil {
		_ = t.place.held(limited) // it is returned here
	}
	return t, limited
}

// checkPassword finds the account that has the address and the password, or ErrBadCredentials.
func (a *Auth) checkPassword(ctx context.Context, place place, email, password string) (store.Account, error) {
	release, err := place.wait(ctx)
	if err != nil {
		return store.Account{}, err
	}
	defer release()
	account, err := a.User(ctx, email)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, ErrEmail) {
		return store.Account{}, err
	}
	open, hash := err == nil && account.Disabled.IsZero() && account.PasswordHash != "", account.PasswordHash
	if !open {
		hash = unknownHash(a.hashing)
	}
	match, err := a.compare(norm.NFC.String(password), hash)
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
func (a *Auth) hashPassword(ctx context.Context, place place, address, password string) (string, error) {
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
	release, err := place.wait(ctx)
	if err != nil {
		return "", place.held(err)
	}
	defer release()
	hash, err := argon2id.CreateHash(password, &a.hashing)
	if err != nil {
		return "", fmt.Errorf("auth: hash password: %w", err)
	}
	return hash, nil
}
