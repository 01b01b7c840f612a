package auth

import (
	"context"
	"strconv"
	"time"
)

// UnknownHash is what is compared with where there is no account.
var UnknownHash = dummyHash(defaultHashing)

// Compare has passwords compared with hashes by a test.
func (a *Auth) Compare(compare func(password, hash string) (bool, error)) { a.compare = compare }

// Waiting is how many wait to have a password hashed.
func (a *Auth) Waiting() int {
	n := 0
	for _, queue := range []*hashQueue{a.strangers, a.known} {
		queue.mu.Lock()
		n += len(queue.waiting)
		queue.mu.Unlock()
	}
	return n
}

// HashAtOnce has so many passwords be hashed at once, however many cores there are.
func (a *Auth) HashAtOnce(most int) {
	hashings := make(chan struct{}, most)
	a.strangers.hashings, a.known.hashings = hashings, hashings
}

// Refused is how many attempts from an origin are remembered that were not right.
func (a *Auth) Failures(origin string) int {
	t := a.failures.byKey[newAttemptKey("", origin)]
	if t == nil {
		return 0
	}
	return len(t.at)
}

// Limits of the queues and of origins.
const (
	MaxWaiting          = maxWaiting
	MaxWait             = maxWait
	MaxFailuresOfOrigin = maxFailuresOfOrigin
	DelayThreshold      = delayThreshold
)

// Maintain does what Start does once a minute.
func (a *Auth) Maintain(ctx context.Context) error { return a.maintain(ctx) }

// MaxAttemptKeys is how many accounts and origins are remembered at most.
const MaxAttemptKeys = maxAttemptKeys

// AttemptsRemembered is of how many accounts and origins attempts are remembered.
func (a *Auth) AttemptsRemembered() (from, to int) {
	return len(a.signInsFromOne.byKey), len(a.signInsTo.byKey)
}

// FillAttempts has as many origins try to sign in, and tells how many are remembered.
func (a *Auth) FillAttempts(origins int) int {
	for i := range origins {
		a.signInsFromOne.take(newAttemptKey("anne@example.org", strconv.Itoa(i)), time.Time{})
	}
	return len(a.signInsFromOne.byKey)
}

// Held is how many tokens and sessions are held in memory.
func (a *Auth) Held() (tokens, sessions int) {
	d := a.current.Load()
	return len(d.tokens), len(d.sessions)
}
