package api

import (
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
)

// A client that reads slowly takes minutes for a large answer, which is held in memory for as long. The bodies of data are shared by
// all who ask; what is made for one request is bounded.
const (
	// An answer of revisions holds up to some 4 MB. So many may be under way at once, of one account and in all.
	revisionAnswersOfAccount = 4
	revisionAnswers          = 24
	// pageBytesOfAccount is how many bytes of pages and files may be under way at once to one account: some eighty of the largest
	// pages, packed. There is no bound for all together, lest a few accounts keep the others from the pages.
	pageBytesOfAccount = 8 << 20
	// leastCounted is the size from which on a page counts.
	leastCounted = 16 << 10
	// untakenAgain is after how long it makes sense to ask again when there is too much.
	untakenAgain = 5 * time.Second
)

var problemTooManyAnswers = problemRateLimited.retriedAfter(untakenAgain).withDetail(
	"Trop de réponses sont en cours ; lisez-les jusqu'au bout, ou attendez le temps que dit l'en-tête Retry-After.",
	"Too many answers are under way; read them to the end, or wait for as long as the Retry-After header says.")

// untaken counts what is being made or sent, and not taken yet.
type untaken struct {
	ofAccount, all int // at most

	mu        sync.Mutex
	sum       int
	byAccount map[int64]int
}

func newUntaken(ofAccount, all int) *untaken {
	return &untaken{ofAccount: ofAccount, all: all, byAccount: map[int64]int{}}
}

// add counts an answer to an account; false if that or all together have as much as they may.
func (u *untaken) add(account int64, much int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sum > u.all-much || u.byAccount[account] > u.ofAccount-much {
		return false
	}
	u.sum += much
	u.byAccount[account] += much
	return true
}

func (u *untaken) remove(account int64, much int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sum -= much
	if u.byAccount[account] -= much; u.byAccount[account] == 0 {
		delete(u.byAccount, account)
	}
}

// accountKey is the key, in the context of a request, of the account that makes it.
const accountKey = "account"

// remember has what is sent counted for who asks.
func remember(c echo.Context, identity auth.Identity) { c.Set(accountKey, identity.AccountID) }

// sendOwn is send for an answer that was made for one request. One to a guest is small, or the same for all.
func (s *Server) sendOwn(c echo.Context, status int, contentType string, body []byte) error {
	account, _ := c.Get(accountKey).(int64)
	if account == 0 || len(body) < leastCounted {
		return s.send(c, status, contentType, body)
	}
	if !s.paging.add(account, len(body)) {
		header := c.Response().Header()
		header.Del("Content-Encoding")
		header.Del("Content-Disposition")
		return problemTooManyAnswers
	}
	defer s.paging.remove(account, len(body))
	return s.send(c, status, contentType, body)
}
