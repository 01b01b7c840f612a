package api

import (
	"maps"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"golang.org/x/time/rate"
)

// leastForgotten is how many tokens are remembered before the first are forgotten.
const leastForgotten = 1000

// limits is the rate limit of each token: a burst of one minute's requests, refilled evenly.
type limits struct {
	clock     clockwork.Clock
	perMinute int

	mu       sync.Mutex
	byToken  map[int64]*rate.Limiter
	forgetAt int // the number of tokens from which unused ones are forgotten
}

func newLimits(clock clockwork.Clock, perMinute int) *limits {
	return &limits{clock: clock, perMinute: perMinute, byToken: map[int64]*rate.Limiter{}, forgetAt: leastForgotten}
}

// take counts one request with a token and reports whether it is within the limit. left has the requests that remain,
// and how long to wait.
func (l *limits) take(tokenID int64) (left allowance, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	limiter := l.byToken[tokenID]
	if limiter == nil {
		if len(l.byToken) >= l.forgetAt {
			l.forgetFull(now)
		}
		limiter = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
		l.byToken[tokenID] = limiter
	}
	ok = limiter.AllowN(now, 1)
	left = l.allowance(limiter, now)
	if ok {
		left.wait = 0
	}
	return left, ok
}

// left returns what remains of the limit of a token.
func (l *limits) left(tokenID int64) allowance {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limiter := l.byToken[tokenID]; limiter != nil {
		return l.allowance(limiter, l.clock.Now())
	}
	return allowance{requests: l.perMinute}
}

func (l *limits) allowance(limiter *rate.Limiter, now time.Time) allowance {
	tokens := max(0, limiter.TokensAt(now))
	return allowance{wait: max(0, l.refill(1-tokens)), requests: int(tokens), full: l.refill(float64(l.perMinute) - tokens)}
}

// forgetFull forgets the tokens that have all of their requests left: an unknown token has them, too.
func (l *limits) forgetFull(now time.Time) {
	maps.DeleteFunc(l.byToken, func(_ int64, limiter *rate.Limiter) bool { return limiter.TokensAt(now) >= float64(l.perMinute) })
	l.forgetAt = max(leastForgotten, 2*len(l.byToken))
}

// refill returns how long it takes until so many requests are allowed again.
func (l *limits) refill(requests float64) time.Duration {
	return time.Duration(requests / float64(l.perMinute) * float64(time.Minute))
}

// allowance is what remains of the limit of a token.
type allowance struct {
	wait     time.Duration // until the next request is allowed
	requests int           // left
	full     time.Duration // until all requests are allowed again
}

// setHeader sets the header RateLimit of draft-ietf-httpapi-ratelimit-headers-10.
func (left allowance) setHeader(header http.Header) {
	line := append(make([]byte, 0, len(`"token";r=;t=`)+20), `"token";r=`...)
	line = append(strconv.AppendInt(line, int64(left.requests), 10), ";t="...)
	line = strconv.AppendInt(line, int64(math.Ceil(left.full.Seconds())), 10)
	header["Ratelimit"] = []string{string(line)}
}
