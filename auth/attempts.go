package auth

import (
	"crypto/sha256"
	"maps"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// maxAttemptKeys bounds each of the maps below, so that a caller who invents names or addresses cannot fill the memory.
	maxAttemptKeys = 50_000
	// evictionSample is of how many keys, taken at random, the least used is dropped where there is no room for a new one.
	evictionSample = 16
	// countHalfLife is after how long half of what was counted of a key is forgotten.
	countHalfLife = 5 * time.Minute
)

// LimitedError reports that somebody has tried too often, or that too many others are waiting.
type LimitedError struct {
	Wait time.Duration // until the next try makes sense
	// Hold is for how long the answer should be held back: 0, unless an origin goes on trying although it is refused, or too many
	// are waiting. A client that asks again as soon as it has an answer then costs one request in that time.
	Hold time.Duration
	told bool // before, since an attempt was last let through
}

// Answers are held back for holdLeast to holdMost: not all of them until the same moment.
const (
	holdLeast = time.Second
	holdMost  = 2 * time.Second
)

func holdTime() time.Duration { return holdLeast + rand.N(holdMost-holdLeast) }

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
		makeRoom(a.byKey, func(t *tried) float64 { return float64(len(t.at)) })
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

// forget lets a key begin anew, and tells when it was tried.
func (a *attempts) forget(key attemptKey) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.byKey[key]
	if t == nil {
		return nil
	}
	delete(a.byKey, key)
	return t.at
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

// counts keeps a decaying count of requests for each key. It refuses nothing: the queue uses it to serve first whoever asked
// for less.
type counts struct {
	mu    sync.Mutex
	byKey map[attemptKey]count
}

// count is a number that halves every countHalfLife, as it was at a moment.
type count struct {
	number float64
	at     time.Time
}

func newCounts() *counts { return &counts{byKey: map[attemptKey]count{}} }

func (c count) after(now time.Time) float64 {
	return c.number * math.Exp2(-float64(now.Sub(c.at))/float64(countHalfLife))
}

// add counts one more and returns how many there were before.
func (c *counts) add(key attemptKey, now time.Time) (before int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	former, known := c.byKey[key]
	if !known {
		makeRoom(c.byKey, func(c count) float64 { return c.after(now) })
	}
	number := former.after(now)
	c.byKey[key] = count{number + 1, now}
	return int(math.Round(number))
}

// giveBack takes one back.
func (c *counts) giveBack(key attemptKey, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if former, known := c.byKey[key]; known {
		c.byKey[key] = count{max(0, former.after(now)-1), now}
	}
}

// forgetOld drops the keys whose count has decayed to almost nothing.
func (c *counts) forgetOld(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.byKey, func(_ attemptKey, count count) bool { return count.after(now) < .5 })
}

// makeRoom drops a key of a map that is full: of a few, taken at random, the one with the least weight. So a caller who fills the
// map with new keys mostly drops his own, and not one that was tried often and is limited for it.
func makeRoom[V any](byKey map[attemptKey]V, weight func(V) float64) {
	if len(byKey) < maxAttemptKeys {
		return
	}
	var least attemptKey
	seen, lightest := 0, math.Inf(1)
	for key, value := range byKey {
		if w := weight(value); w < lightest {
			least, lightest = key, w
		}
		if seen++; seen == evictionSample {
			break
		}
	}
	delete(byKey, least)
}

// attemptOf is the key of attempts for an account, from an origin unless that is empty. One who has an IPv6 address
// has the whole of its /64 network, and an IPv4 address is the same one when it is written as an IPv6 address.
func attemptOf(account, origin string) attemptKey {
	if addr, err := netip.ParseAddr(origin); err == nil {
		addr = addr.Unmap().WithZone("")
		origin = addr.String()
		if addr.Is6() {
			origin = netip.PrefixFrom(addr, 64).Masked().String()
		}
	}
	return sha256.Sum256([]byte(account + "\x00" + origin))
}
