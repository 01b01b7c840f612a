package auth

import (
	"crypto/sha256"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// maxAttemptKeys bounds the memory of those who try many addresses. What is dropped above it is any, so that nobody
// can choose whose attempts are forgotten.
const maxAttemptKeys = 50_000

// LimitedError is that somebody has tried too often, and how long he has to wait.
type LimitedError struct {
	Wait time.Duration
	told bool // before, since an attempt was last let through
}

func (e *LimitedError) Error() string { return "too many attempts, the next one in " + e.Wait.String() }

// attempts bounds how often something may be tried in the name of a key: at most so often in any window of time.
type attempts struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	byKey map[attemptKey]*tried
}

// attemptKey is a hash, so that what was typed takes no more room than that.
type attemptKey [sha256.Size]byte

// tried is when something was tried of late, ascending, and whether it was told that it is too often.
type tried struct {
	at   []time.Time
	told bool
}

func newAttempts(most int, window time.Duration) *attempts {
	return &attempts{most: most, window: window, byKey: map[attemptKey]*tried{}}
}

// take counts an attempt, or says that there were too many.
func (a *attempts) take(key attemptKey, now time.Time) *LimitedError {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.byKey[key]
	if t == nil {
		if len(a.byKey) >= maxAttemptKeys {
			for some := range a.byKey {
				delete(a.byKey, some)
				break
			}
		}
		t = &tried{}
		a.byKey[key] = t
	}
	t.forgetUntil(now.Add(-a.window))
	if len(t.at) >= a.most {
		limited := &LimitedError{Wait: t.at[0].Add(a.window).Sub(now), told: t.told}
		t.told = true
		return limited
	}
	t.at, t.told = append(t.at, now), false
	return nil
}

func (t *tried) forgetUntil(end time.Time) {
	t.at = slices.DeleteFunc(t.at, func(at time.Time) bool { return !at.After(end) })
}

// giveBack takes back an attempt that was none.
func (a *attempts) giveBack(key attemptKey, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.byKey[key]
	if t == nil {
		return
	}
	if i := slices.IndexFunc(t.at, at.Equal); i >= 0 {
		t.at = slices.Delete(t.at, i, i+1)
	}
	if len(t.at) == 0 {
		delete(a.byKey, key)
	}
}

// forget lets a key begin anew.
func (a *attempts) forget(key attemptKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byKey, key)
}

// forgetOld drops the keys of which nothing was tried within the window.
func (a *attempts) forgetOld(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.byKey, func(_ attemptKey, t *tried) bool {
		t.forgetUntil(now.Add(-a.window))
		return len(t.at) == 0
	})
}

// attemptOf is the key of attempts for an account, from an origin unless that is empty. One who has an IPv6 address
// has the whole of its /64 network.
func attemptOf(account, origin string) attemptKey {
	if addr, err := netip.ParseAddr(origin); err == nil && addr.Unmap().Is6() {
		if network, err := addr.WithZone("").Prefix(64); err == nil {
			origin = network.String()
		}
	}
	return sha256.Sum256([]byte(account + "\x00" + origin))
}
