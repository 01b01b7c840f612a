package api

import (
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
)

// A client that reads slowly takes minutes for a large answer, which stays in memory until then. The bodies of data are
// shared by all requests; answers that are made for one request are limited.
const (
	// The most answers of revisions at a time, up to some 4 MB each: to one account, and in all.
	revisionAnswersOfAccount = 4
	revisionAnswers          = 24
	// pageBytesOfAccount is the most bytes of pages and files at a time to one account: some eighty of the largest pages,
	// compressed. There is no limit for all accounts together: a few could use it up and shut the others out.
	pageBytesOfAccount = 8 << 20
	// leastCounted is the size in bytes from which a page is counted.
	leastCounted = 16 << 10
	// The most views of the page for exploring at a time: of an account, and that are made while the others wait. One of ten years takes
	// seconds and tens of megabytes.
	viewsOfAccount = 6
	viewsMade      = 2
	// inFlightRetry is the Retry-After of an answer that is over the limit.
	inFlightRetry = 5 * time.Second
)

var problemTooManyAnswers = problemRateLimited.retriedAfter(inFlightRetry).withDetail(
	"Trop de réponses sont en cours ; lisez-les jusqu’au bout, ou attendez la durée indiquée par l’en-tête Retry-After.",
	"Too many answers are in progress; read them to the end, or wait for the time given in the Retry-After header.")

// inFlight counts answers, or their bytes, that are being made or sent, and refuses more than a limit.
type inFlight struct {
	ofAccount, all int // limits

	mu        sync.Mutex
	sum       int
	byAccount map[int64]int
}

func newInFlight(ofAccount, all int) *inFlight {
	return &inFlight{ofAccount: ofAccount, all: all, byAccount: map[int64]int{}}
}

// add counts n more for an account. It returns false, and counts nothing, if that is over the limit of the account or
// of all accounts.
func (u *inFlight) add(account int64, n int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sum > u.all-n || u.byAccount[account] > u.ofAccount-n {
		return false
	}
	u.sum += n
	u.byAccount[account] += n
	return true
}

func (u *inFlight) remove(account int64, n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sum -= n
	if u.byAccount[account] -= n; u.byAccount[account] == 0 {
		delete(u.byAccount, account)
	}
}

// accountKey is the key of the account in the context of a request.
const accountKey = "account"

// setAccount puts the account into the context of a request, for sendCounted.
func setAccount(c echo.Context, identity auth.Identity) { c.Set(accountKey, identity.AccountID) }

// sendCounted is send for an answer that was made for this request alone: its bytes count as in flight to the account.
// Answers to guests are not counted: they are small or shared.
func (s *Server) sendCounted(c echo.Context, status int, contentType string, body []byte) error {
	account, _ := c.Get(accountKey).(int64)
	if account == 0 || len(body) < leastCounted {
		return s.send(c, status, contentType, body)
	}
	if !s.bytesInFlight.add(account, len(body)) {
		header := c.Response().Header()
		header.Del("Content-Encoding")
		header.Del("Content-Disposition")
		return problemTooManyAnswers
	}
	defer s.bytesInFlight.remove(account, len(body))
	return s.send(c, status, contentType, body)
}
