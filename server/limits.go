package server

import (
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"golang.org/x/time/rate"
)

// limits holds how much each token may still ask: a minute's worth at once if unused, refilled evenly.
type limits struct {
	clock     clockwork.Clock
	perMinute int

	mu      sync.Mutex
	byToken map[int64]*rate.Limiter // as many as there are tokens in use
}

func newLimits(clock clockwork.Clock, perMinute int) *limits {
	return &limits{clock: clock, perMinute: perMinute, byToken: map[int64]*rate.Limiter{}}
}

// take takes one request of the token's; if there is none left it says how long to wait.
func (l *limits) take(tokenID int64) (wait time.Duration, ok bool) {
	// Reserving and giving back is one step: of two reservations, the limiter takes only the later one back as a whole.
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	limiter := l.byToken[tokenID]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
		l.byToken[tokenID] = limiter
	}
	reservation := limiter.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	return 0, true
}
