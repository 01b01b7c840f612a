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
	// evictionSample is how many randomly chosen keys are compared when a map is full; the one with the fewest attempts is
	// dropped.
	evictionSample = 16
	// countHalfLife is the time after which an attempt counts half in recentCounts.
	countHalfLife = 5 * time.Minute
)

// LimitedError reports that there were too many attempts, or that too many other callers are waiting.
type LimitedError struct {
	Wait time.Duration // until the next attempt can succeed
	// Delay is how long to delay the response. It is 0 unless an origin keeps trying although it is refused, or the queue is
	// full. A client that asks again as soon as it gets a response then costs one request in that time.
	Delay time.Duration
	// reported is whether an earlier attempt was refused for the same reason, with none allowed since.
	reported bool
}

// Delays are spread over this range, so that delayed responses do not all end at the same moment.
const (
	minDelay = time.Second
	maxDelay = 2 * time.Second
)

func randomDelay() time.Duration { return minDelay + rand.N(maxDelay-minDelay) }

func (e *LimitedError) Error() string { return "too many attempts, the next one in " + e.Wait.String() }

// attemptLimiter allows each key a number of attempts within a sliding window of time.
type attemptLimiter struct {
	limit  int
	window time.Duration

	mu    sync.Mutex
	byKey map[attemptKey]*attemptHistory
}

// attemptKey is a hash of an account, an origin or both, so that it is small however long the input was.
type attemptKey [sha256.Size]byte

// attemptHistory is the attempts of one key within the window.
type attemptHistory struct {
	at       []time.Time // ascending
	reported bool        // a refusal was reported since the last attempt that was allowed
}

func newAttemptLimiter(limit int, window time.Duration) *attemptLimiter {
	return &attemptLimiter{limit: limit, window: window, byKey: map[attemptKey]*attemptHistory{}}
}

// take counts an attempt, or returns an error and counts nothing if the limit is reached.
func (l *attemptLimiter) take(key attemptKey, now time.Time) *LimitedError {
	l.mu.Lock()
	defer l.mu.Unlock()
	history := l.byKey[key]
	if history == nil {
		evict(l.byKey, func(h *attemptHistory) float64 { return float64(len(h.at)) })
		history = &attemptHistory{}
		l.byKey[key] = history
	}
	history.dropUntil(now.Add(-l.window))
	if len(history.at) >= l.limit {
		limited := &LimitedError{Wait: history.at[0].Add(l.window).Sub(now), reported: history.reported}
		history.reported = true
		return limited
	}
	history.at, history.reported = append(history.at, now), false
	return nil
}

func (h *attemptHistory) dropUntil(end time.Time) {
	h.at = slices.DeleteFunc(h.at, func(at time.Time) bool { return !at.After(end) })
}

// giveBack uncounts an attempt that was counted at the given time.
func (l *attemptLimiter) giveBack(key attemptKey, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	history := l.byKey[key]
	if history == nil {
		return
	}
	if i := slices.IndexFunc(history.at, at.Equal); i >= 0 {
		history.at = slices.Delete(history.at, i, i+1)
	}
	if len(history.at) == 0 {
		delete(l.byKey, key)
	}
}

// reset forgets all attempts of a key and returns their times.
func (l *attemptLimiter) reset(key attemptKey) []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	history := l.byKey[key]
	if history == nil {
		return nil
	}
	delete(l.byKey, key)
	return history.at
}

// dropOld drops the keys without an attempt within the window.
func (l *attemptLimiter) dropOld(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.byKey, func(_ attemptKey, history *attemptHistory) bool {
		history.dropUntil(now.Add(-l.window))
		return len(history.at) == 0
	})
}

// recentCounts stores a decaying count of requests for each key. It refuses nothing: the queue uses it to serve first the
// callers with the fewest requests.
type recentCounts struct {
	mu    sync.Mutex
	byKey map[attemptKey]decayingCount
}

// decayingCount is the count at one moment; it halves every countHalfLife.
type decayingCount struct {
	count float64
	at    time.Time
}

func newRecentCounts() *recentCounts {
	return &recentCounts{byKey: map[attemptKey]decayingCount{}}
}

func (c decayingCount) value(now time.Time) float64 {
	return c.count * math.Exp2(-float64(now.Sub(c.at))/float64(countHalfLife))
}

// add counts a request and returns the count before it.
func (c *recentCounts) add(key attemptKey, now time.Time) (before int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stored, known := c.byKey[key]
	if !known {
		evict(c.byKey, func(c decayingCount) float64 { return c.value(now) })
	}
	count := stored.value(now)
	c.byKey[key] = decayingCount{count + 1, now}
	return int(math.Round(count))
}

// giveBack uncounts a request.
func (c *recentCounts) giveBack(key attemptKey, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stored, known := c.byKey[key]; known {
		c.byKey[key] = decayingCount{max(0, stored.value(now)-1), now}
	}
}

// dropOld drops the keys whose count has decayed to less than half a request.
func (c *recentCounts) dropOld(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.byKey, func(_ attemptKey, count decayingCount) bool { return count.value(now) < .5 })
}

// evict drops one key of a map that is full: of a random sample, the one with the smallest weight. So a caller that fills
// the map with new keys mostly drops its own, and not those that are limited because of many attempts.
func evict[V any](byKey map[attemptKey]V, weight func(V) float64) {
	if len(byKey) < maxAttemptKeys {
		return
	}
	var evicted attemptKey
	seen, smallest := 0, math.Inf(1)
	for key, value := range byKey {
		if w := weight(value); w < smallest {
			evicted, smallest = key, w
		}
		if seen++; seen == evictionSample {
			break
		}
	}
	delete(byKey, evicted)
}

// newAttemptKey returns the key of an account, an origin or both; either may be empty. All addresses of an IPv6 /64 network
// are one origin, and so are the two ways to write an IPv4 address.
func newAttemptKey(account, origin string) attemptKey {
	if addr, err := netip.ParseAddr(origin); err == nil {
		addr = addr.Unmap().WithZone("")
		origin = addr.String()
		if addr.Is6() {
			origin = netip.PrefixFrom(addr, 64).Masked().String()
		}
	}
	return sha256.Sum256([]byte(account + "\x00" + origin))
}
