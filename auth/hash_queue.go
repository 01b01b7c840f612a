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
	// mostWaiting is how many may wait in a lane. A core hashes some thirty passwords a second, and a lane half of that, so a full
	// lane is less than two seconds long.
	mostWaiting = 24
	// patience is how long one waits at most. It is well within the time that a client has for its answer.
	patience = 5 * time.Second
	// tryAgain is after how long it makes sense to try again when a lane was full.
	tryAgain = time.Second
	// After a hashing a lane rests for as long as that took, and once more as long for each asksOfRest times that the next one asked
	// before, but at most mostRests times as long, and at most for mostRest.
	asksOfRest = 4
	mostRests  = 8
	mostRest   = time.Second
)

// atOnce is how many passwords are hashed at once: two at most, which bounds the memory, and one less than there are cores, so that
// another one is left for the other requests.
func atOnce() int { return max(1, min(2, runtime.GOMAXPROCS(0)-1)) }

// lane lets passwords be hashed one at a time. Those who wait take turns: first whose key has asked for less of late, and of
// those who have asked for as much the one that came last. So the first try from an origin comes before the second try from any
// other, and one who arrives while many wait is not kept until the others have given up. Where too many wait, the one that would
// be last makes room.
//
// After each hashing a lane rests for as long as that took, and for longer if all who wait have asked for much: so those who sign in
// take half of a core at most, and those who flood an eighth or so, from other requests.
type lane struct {
	clock    clockwork.Clock
	hashings chan struct{} // holds one value for each password being hashed in any lane
	asked    *counts       // in the name of each key

	mu      sync.Mutex
	taken   bool
	ended   time.Time     // when the last turn did
	took    time.Duration // the last turn
	waiting []*turn       // in the order in which they came
	alarm   clockwork.Timer
}

func newLane(clock clockwork.Clock, hashings chan struct{}) *lane {
	return &lane{clock: clock, hashings: hashings, asked: newCounts()}
}

// turn is one that waits.
type turn struct {
	key   attemptKey
	rank  int       // how much was asked before in the name of the key
	comes chan bool // one value: true when it has come, false if it had to make room
}

// wait waits until it is one's turn to hash; release ends the turn. The error is a *LimitedError if too many wait or it took too
// long, and that of the context if this ends.
func (l *lane) wait(ctx context.Context, key attemptKey, rank int) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := l.enter(key, rank)
	select {
	case comes := <-t.comes: // at once
		return l.begin(ctx, comes)
	default:
	}
	patient := l.clock.NewTimer(patience)
	defer patient.Stop()
	select {
	case comes := <-t.comes:
		return l.begin(ctx, comes)
	case <-ctx.Done():
		err = ctx.Err()
	case <-patient.Chan():
		err = &LimitedError{Wait: tryAgain}
	}
	if !l.leave(t) && <-t.comes { // it came at the same moment
		l.free()
	}
	return nil, err
}

// begin starts a turn, unless the client that waited for it has gone.
func (l *lane) begin(ctx context.Context, comes bool) (release func(), err error) {
	if !comes {
		return nil, &LimitedError{Wait: tryAgain, Hold: holdTime()}
	}
	l.hashings <- struct{}{} // soon: there are two lanes
	if err := ctx.Err(); err != nil {
		<-l.hashings
		l.free()
		return nil, err
	}
	begun := l.clock.Now()
	return func() {
		<-l.hashings
		l.mu.Lock()
		l.ended = l.clock.Now()
		l.took = l.ended.Sub(begun)
		l.mu.Unlock()
		l.free()
	}, nil
}

func (l *lane) enter(key attemptKey, rank int) *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &turn{key, rank, make(chan bool, 1)}
	l.waiting = append(l.waiting, t)
	if len(l.waiting) > mostWaiting {
		l.take(l.find(func(worst, other *turn) bool { return other.rank > worst.rank })).comes <- false
	}
	l.next()
	return t
}

// leave gives a turn up; false if it has been decided already.
func (l *lane) leave(t *turn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, t)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	return i >= 0
}

// free lets the next one have its turn.
func (l *lane) free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = false
	l.next()
}

// next begins the next turn, now or when the lane has rested.
func (l *lane) next() {
	if l.taken || len(l.waiting) == 0 {
		return
	}
	at := l.find(func(best, other *turn) bool { return other.rank <= best.rank })
	if rest := l.ended.Add(l.rest(l.waiting[at].rank)).Sub(l.clock.Now()); rest > 0 {
		if l.alarm != nil {
			l.alarm.Stop()
		}
		l.alarm = l.clock.AfterFunc(rest, l.wake)
		return
	}
	l.taken = true
	l.take(at).comes <- true
}

// rest is how long the lane rests before the turn of one in whose name so much was asked before.
func (l *lane) rest(rank int) time.Duration {
	return min(l.took*time.Duration(asksOfRest+rank)/asksOfRest, l.took*mostRests, mostRest)
}

func (l *lane) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next()
}

// find finds the one of those who wait that is better than those before it.
func (l *lane) find(better func(one, other *turn) bool) (at int) {
	for i, other := range l.waiting {
		if better(l.waiting[at], other) {
			at = i
		}
	}
	return at
}

func (l *lane) take(at int) *turn {
	t := l.waiting[at]
	l.waiting = slices.Delete(l.waiting, at, at+1)
	return t
}
