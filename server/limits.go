package server

import (
	"fmt"
	"math"
	"net/http"
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

// take takes one request of the token's; if there is none left it says how long to wait for one. In any case it says how
// many are left and when all of them will be again.
func (l *limits) take(tokenID int64) (left allowance, ok bool) {
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
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	tokens := max(0, limiter.TokensAt(now))
	whole := time.Duration((float64(l.perMinute) - tokens) / float64(l.perMinute) * float64(time.Minute))
	return allowance{wait: wait, requests: int(tokens), whole: whole}, wait <= 0
}

// allowance is what a token may still ask.
type allowance struct {
	wait     time.Duration // for the next request
	requests int           // left
	whole    time.Duration // until all of them are left again
}

// tell puts the limit and what is left of it into a header, as draft-ietf-httpapi-ratelimit-headers-10 has it.
func (l *limits) tell(header http.Header, left allowance) {
	header.Set("RateLimit-Policy", fmt.Sprintf(`"token";q=%d;w=60`, l.perMinute))
	header.Set("RateLimit", fmt.Sprintf(`"token";r=%d;t=%d`, left.requests, int(math.Ceil(left.whole.Seconds()))))
}
