package auth

import (
	"context"
	"strconv"
	"time"
)

// UnknownHash is what is compared with where there is no account.
var UnknownHash = unknownHash

// HoldHashing lets nobody hash a password before the test receives from the channel it returns, nor be done with it
// before the test sends to it.
func (a *Auth) HoldHashing() chan struct{} {
	a.hashings = make(chan struct{})
	return a.hashings
}

// KeepBooks does what Start does once a minute.
func (a *Auth) KeepBooks(ctx context.Context) error { return a.keepBooks(ctx) }

// MaxAttemptKeys is how many accounts and origins are remembered at most.
const MaxAttemptKeys = maxAttemptKeys

// AttemptsRemembered is of how many accounts and origins attempts are remembered.
func (a *Auth) AttemptsRemembered() (from, to int) {
	return len(a.signInsFrom.byKey), len(a.signInsTo.byKey)
}

// FillAttempts has as many origins try to sign in, and tells how many are remembered.
func (a *Auth) FillAttempts(origins int) int {
	for i := range origins {
		a.signInsFrom.take(attemptOf("anne@example.org", strconv.Itoa(i)), time.Time{})
	}
	return len(a.signInsFrom.byKey)
}

// Held is how many tokens and sessions are held in memory.
func (a *Auth) Held() (tokens, sessions int) {
	d := a.current.Load()
	return len(d.tokens), len(d.sessions)
}
