package auth

import (
	"context"
	"strconv"
	"time"
)

// DummyHash is the hash to compare with if there is no account.
var DummyHash = dummyHash(defaultHashing)

// Compare replaces the comparison of passwords with hashes.
func (a *Auth) Compare(compare func(password, hash string) (bool, error)) { a.compare = compare }

// Waiting returns how many callers are waiting for a hashing.
func (a *Auth) Waiting() int {
	n := 0
	for _, queue := range []*hashQueue{a.strangers, a.known} {
		queue.mu.Lock()
		n += len(queue.waiting)
		queue.mu.Unlock()
	}
	return n
}

// HashAtOnce sets how many passwords are hashed at once, however many cores there are.
func (a *Auth) HashAtOnce(most int) {
	hashings := make(chan struct{}, most)
	a.strangers.hashings, a.known.hashings = hashings, hashings
}

// Failures returns how many failed attempts are counted for an origin.
func (a *Auth) Failures(origin string) int {
	t := a.failures.byKey[newAttemptKey("", origin)]
	if t == nil {
		return 0
	}
	return len(t.at)
}

// Limits of the queues and of origins, for tests.
const (
	MaxWaiting          = maxWaiting
	MaxWait             = maxWait
	MaxFailuresOfOrigin = maxFailuresOfOrigin
	DelayThreshold      = delayThreshold
)

// Maintain does the background work of one minute.
func (a *Auth) Maintain(ctx context.Context) error { return a.maintain(ctx) }

// MaxAttemptKeys is the limit of keys whose attempts are stored.
const MaxAttemptKeys = maxAttemptKeys

// AttemptKeys returns how many keys have stored attempts: of accounts with origins, and of accounts.
func (a *Auth) AttemptKeys() (from, to int) {
	return len(a.signInsFromOne.byKey), len(a.signInsTo.byKey)
}

// FillAttempts counts one attempt from each of so many origins, and returns how many keys are stored.
func (a *Auth) FillAttempts(origins int) int {
	for i := range origins {
		a.signInsFromOne.take(newAttemptKey("anne@example.org", strconv.Itoa(i)), time.Time{})
	}
	return len(a.signInsFromOne.byKey)
}

// KnownAfterFlood counts two requests of each of 1000 keys, and one of each of many more keys than are stored. It returns how many
// of the 1000 are still known: to a limiter, and to the counts of the queue.
func KnownAfterFlood() (limited, counted int) {
	const frequent = 1000
	limiter, counts, now := newAttemptLimiter(2, time.Hour), newRecentCounts(), time.Time{}
	take := func(i int) (isLimited bool, before int) {
		key := newAttemptKey("", strconv.Itoa(i))
		return limiter.take(key, now) != nil, counts.add(key, now)
	}
	for i := range frequent {
		take(i)
	}
	for i := range maxAttemptKeys + 2000 {
		take(i)
	}
	for i := range frequent {
		isLimited, before := take(i)
		if isLimited {
			limited++
		}
		if before == 2 {
			counted++
		}
	}
	return limited, counted
}

// DirectorySize returns how many tokens and sessions are in the directory.
func (a *Auth) DirectorySize() (tokens, sessions int) {
	d := a.current.Load()
	return len(d.tokens), len(d.sessions)
}
