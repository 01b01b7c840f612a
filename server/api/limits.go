package api

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"golang.org/x/time/rate"
)

// leastForgotten is how many tokens are known at least before any is forgotten.
const leastForgotten = 1000

// limits holds how much each token may still ask: a minute's worth at once if unused, refilled evenly.
type limits struct {
	clock     clockwork.Clock
	perMinute int
	policy    []string // as the header tells it

	mu       sync.Mutex
	byToken  map[int64]*rate.Limiter
	forgetAt int // so many tokens are known before those that are not in use are looked for
}

func newLimits(clock clockwork.Clock, perMinute int) *limits {
	policy := []string{fmt.Sprintf(`"token";q=%d;w=60`, perMinute)}
	return &limits{clock: clock, perMinute: perMinute, policy: policy, byToken: map[int64]*rate.Limiter{}, forgetAt: leastForgotten}
}

// take takes one request of the token's; if there is none left it says how long to wait for one. In any case it says how
// many are left and when all of them will be again.
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
	tokens := max(0, limiter.TokensAt(now))
	left = allowance{requests: int(tokens), whole: l.refill(float64(l.perMinute) - tokens)}
	if !ok {
		left.wait = l.refill(1 - tokens)
	}
	return left, ok
}

// forgetWhole drops the tokens that have all of their requests left, as those have that are not known.
func (l *limits) forgetFull(now time.Time) {
	maps.DeleteFunc(l.byToken, func(_ int64, limiter *rate.Limiter) bool { return limiter.TokensAt(now) >= float64(l.perMinute) })
	l.forgetAt = max(leastForgotten, 2*len(l.byToken))
}

// refill is how long so many requests take to come back.
func (l *limits) refill(requests float64) time.Duration {
	return time.Duration(requests / float64(l.perMinute) * float64(time.Minute))
}

// allowance is what a token may still ask.
type allowance struct {
	wait     time.Duration // for the next request
	requests int           // left
	whole    time.Duration // until all of them are left again
}

// tell puts the limit and what is left of it into a header, as draft-ietf-httpapi-ratelimit-headers-10 has it.
func (l *limits) setHeader(header http.Header, left allowance) {
	line := append(make([]byte, 0, len(`"token";r=;t=`)+20), `"token";r=`...)
	line = append(strconv.AppendInt(line, int64(left.requests), 10), ";t="...)
	line = strconv.AppendInt(line, int64(math.Ceil(left.whole.Seconds())), 10)
	header["Ratelimit-Policy"], header["Ratelimit"] = l.policy, []string{string(line)}
}
