package api

import (
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
)

const (
	// secretLifetime is how long a secret waits for the request of its page, which a browser makes at once.
	secretLifetime = 5 * time.Minute
	maxSecrets     = 1000
)

// shownSecrets are the tokens and links that the page after a form shows once. They are in memory only, one for each
// session, until they are shown.
type shownSecrets struct {
	clock clockwork.Clock

	mu        sync.Mutex
	bySession map[string]secret
}

type secret struct {
	path   string // of the page that shows it
	text   string
	mailed bool // it was sent by mail too
	until  time.Time
}

func newShownSecrets(clock clockwork.Clock) *shownSecrets {
	return &shownSecrets{clock: clock, bySession: map[string]secret{}}
}

// add stores a secret to be shown once to the session, on the page at path.
func (s *shownSecrets) add(identity auth.Identity, path, text string, mailed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bySession) >= maxSecrets {
		clear(s.bySession)
	}
	s.bySession[identity.Session()] = secret{path, text, mailed, s.clock.Now().Add(secretLifetime)}
}

// take removes and returns the secret that the page at path shows to the session; the zero secret if there is none.
func (s *shownSecrets) take(identity auth.Identity, path string) secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.bySession[identity.Session()]
	if held.path != path || !s.clock.Now().Before(held.until) {
		return secret{}
	}
	delete(s.bySession, identity.Session())
	return held
}
