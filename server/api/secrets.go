package api

import (
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
)

const (
	// shownFor is how long a secret waits for its page to be asked for, which a browser does at once.
	shownFor = 5 * time.Minute
	maxShown = 1000
)

// shown holds what the page after a form shows once: a new token, a link. It is kept in memory alone, one for a
// session, and is gone once it was shown.
type shown struct {
	clock clockwork.Clock

	mu        sync.Mutex
	bySession map[string]secret
}

type secret struct {
	path   string // of the page that shows it
	text   string
	mailed bool // it is on its way by mail too
	until  time.Time
}

func newShown(clock clockwork.Clock) *shown {
	return &shown{clock: clock, bySession: map[string]secret{}}
}

// put has the page at a path show a secret to whom the session belongs to.
func (s *shown) put(identity auth.Identity, path, text string, mailed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bySession) >= maxShown {
		clear(s.bySession)
	}
	s.bySession[identity.Session()] = secret{path, text, mailed, s.clock.Now().Add(shownFor)}
}

// take is what the page at a path shows to whom the session belongs to; the zero secret if there is none.
func (s *shown) take(identity auth.Identity, path string) secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.bySession[identity.Session()]
	if held.path != path || !s.clock.Now().Before(held.until) {
		return secret{}
	}
	delete(s.bySession, identity.Session())
	return held
}
