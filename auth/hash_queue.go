package auth

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

const (
	// maxWaiting is how many may wait in a queue. One core hashes some thirty passwords a second and each queue half as
	// many, so a full queue is worked off in less than two seconds.
	maxWaiting = 24
	// maxWait is how long one caller waits. It is well within the time that a client has for its response.
	maxWait = 5 * time.Second
	// retryAfterFull is when a caller that found the queue full may try again.
	retryAfterFull = time.Second
	// After each hashing a queue pauses for as long as the hashing took, and for as long again for every requestsPerPause
	// recent requests of the next caller; but for no more than maxPauseFactor times as long, and no longer than maxPause.
	requestsPerPause = 4
	maxPauseFactor   = 8
	maxPause         = time.Second
)

// maxConcurrentHashings returns how many passwords may be hashed at once: two at most, which bounds the memory, and at
// least one core is left for other requests where there is more than one.
func maxConcurrentHashings() int { return max(1, min(2, runtime.GOMAXPROCS(0)-1)) }

// hashQueue lets passwords be hashed one at a time. The next caller is the one whose key has made the fewest recent
// requests, and among equals the one that came last. So the first attempt from an origin comes before the second attempt
// from any other, and a newcomer to a long queue does not have to wait until those before it have given up. When the queue
// is full, the caller that would be served last is dropped.
//
// Because of the pause, a queue uses half of a core at most, and about an eighth of one while only origins with many recent
// requests are waiting.
type hashQueue struct {
	clock    clockwork.Clock
	hashings chan struct{} // one value for each password being hashed in any queue
	recent   *recentCounts // requests by key

	mu         sync.Mutex
	busy       bool
	lastEnd    time.Time     // end of the last turn
	lastLength time.Duration // how long the last turn took
	waiting    []*waiter     // in order of arrival
	pauseTimer clockwork.Timer
}

func newHashQueue(clock clockwork.Clock, hashings chan struct{}) *hashQueue {
	return &hashQueue{clock: clock, hashings: hashings, recent: newRecentCounts()}
}

// waiter is a caller in the queue.
type waiter struct {
	key      attemptKey
	recent   int       // recent requests of the key, without this one
	admitted chan bool // receives one value: true when it is the caller's turn, false when the caller is dropped
}

// wait waits for the caller's turn to hash; release ends the turn. The error is a *LimitedError if the queue is full or the
// wait took too long, or the context's error if that ends first.
func (q *hashQueue) wait(ctx context.Context, key attemptKey, recent int) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := q.enter(key, recent)
	select {
	case admitted := <-w.admitted: // at once
		return q.startTurn(ctx, admitted)
	default:
	}
	timeout := q.clock.NewTimer(maxWait)
	defer timeout.Stop()
	select {
	case admitted := <-w.admitted:
		return q.startTurn(ctx, admitted)
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout.Chan():
		err = &LimitedError{Wait: retryAfterFull}
	}
	if !q.leave(w) && <-w.admitted { // admitted at the same moment
		q.endTurn()
	}
	return nil, err
}

// startTurn starts the turn of an admitted caller, unless its context has ended meanwhile.
func (q *hashQueue) startTurn(ctx context.Context, admitted bool) (release func(), err error) {
	if !admitted {
		return nil, &LimitedError{Wait: retryAfterFull, Delay: randomDelay()}
	}
	q.hashings <- struct{}{} // blocks for one hashing at most: there are two queues
	if err := ctx.Err(); err != nil {
		<-q.hashings
		q.endTurn()
		return nil, err
	}
	start := q.clock.Now()
	return func() {
		<-q.hashings
		q.mu.Lock()
		q.lastEnd = q.clock.Now()
		q.lastLength = q.lastEnd.Sub(start)
		q.mu.Unlock()
		q.endTurn()
	}, nil
}

func (q *hashQueue) enter(key attemptKey, recent int) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := &waiter{key, recent, make(chan bool, 1)}
	q.waiting = append(q.waiting, w)
	if len(q.waiting) > maxWaiting {
		last := q.best(func(w, than *waiter) bool { return w.recent > than.recent })
		q.remove(last).admitted <- false
	}
	q.admitNext()
	return w
}

// leave removes a caller that no longer waits, and reports false if it was admitted or dropped already.
func (q *hashQueue) leave(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

func (q *hashQueue) endTurn() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	q.admitNext()
}

// admitNext admits the next caller, now or after the pause. The caller holds the lock.
func (q *hashQueue) admitNext() {
	if q.busy || len(q.waiting) == 0 {
		return
	}
	next := q.best(func(w, than *waiter) bool { return w.recent <= than.recent })
	if pause := q.lastEnd.Add(q.pause(q.waiting[next].recent)).Sub(q.clock.Now()); pause > 0 {
		if q.pauseTimer != nil {
			q.pauseTimer.Stop()
		}
		q.pauseTimer = q.clock.AfterFunc(pause, q.endPause)
		return
	}
	q.busy = true
	q.remove(next).admitted <- true
}

// pause returns how long to pause after the last turn before a caller with so many recent requests.
func (q *hashQueue) pause(recent int) time.Duration {
	return min(q.lastLength*time.Duration(requestsPerPause+recent)/requestsPerPause, q.lastLength*maxPauseFactor, maxPause)
}

func (q *hashQueue) endPause() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.admitNext()
}

// best returns the index of the waiter that comes before all others; isBefore compares it with one that arrived earlier.
func (q *hashQueue) best(isBefore func(w, than *waiter) bool) (best int) {
	for i, w := range q.waiting {
		if isBefore(w, q.waiting[best]) {
			best = i
		}
	}
	return best
}

func (q *hashQueue) remove(i int) *waiter {
	w := q.waiting[i]
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return w
}
