package auth

import (
	"context"
	"time"

	"courant/store"
)

// directory is an immutable snapshot of the accounts, tokens and sessions that were valid at one moment. What has ended is not
// in it, so its size does not grow with what an account once had. A change makes a new directory. Entries are looked up by
// the hash of a secret, so the time that takes reveals nothing about the secret.
type directory struct {
	changes  uint64                 // of this process, up to which it was read
	read     time.Time              // when
	tokens   map[string]store.Token // by the hash of the whole
	sessions map[string]session     // by the hash of its id
}

// directory is the one that holds all that this process has changed.
func (a *Auth) directory(ctx context.Context) (*directory, error) {
	if d := a.upToDate(); d != nil {
		return d, nil
	}
	a.reading.Lock()
	defer a.reading.Unlock()
	if d := a.upToDate(); d != nil {
		return d, nil // somebody else has read it meanwhile
	}
	return a.readDirectory(ctx)
}

// upToDate returns the newest directory. It returns nil if there is none yet, if this process has changed something since, or if
// the clock was set back, because what had ended then may be valid again.
func (a *Auth) upToDate() *directory {
	d := a.current.Load()
	if d == nil || d.changes != a.store.AccessChanges() || a.clock.Now().Before(d.read) {
		return nil
	}
	return d
}

// Refresh reads again who may come in, because another process may have changed it.
func (a *Auth) Refresh(ctx context.Context) error {
	a.reading.Lock()
	defer a.reading.Unlock()
	_, err := a.readDirectory(ctx)
	return err
}

// readDirectory is for who holds the lock on reading.
func (a *Auth) readDirectory(ctx context.Context) (*directory, error) {
	// Counted before anything is read, so that what changes meanwhile is read again.
	d := &directory{changes: a.store.AccessChanges(), read: a.clock.Now(), tokens: map[string]store.Token{}, sessions: map[string]session{}}
	tokens, err := a.store.GoodTokens(ctx, d.read)
	if err != nil {
		return nil, err
	}
	for _, token := range tokens {
		d.tokens[string(token.Hash)] = token
	}
	sessions, err := a.store.OpenSessions(ctx, d.read)
	if err != nil {
		return nil, err
	}
	former := a.current.Load()
	a.uses.mu.Lock()
	defer a.uses.mu.Unlock()
	for _, stored := range sessions {
		s, err := former.session(stored.Session)
		// One that cannot be read is none: it shuts nobody else out.
		if err == nil && s.isOpen(stored.Account, d.read) && a.uses.isUsed(stored.Hash, s.seen, d.read) {
			s.of = stored.Account
			d.sessions[stored.Hash] = s
		}
	}
	a.current.Store(d)
	return d, nil
}

// session is a stored session, decoded unless the directory holds it already.
func (d *directory) session(stored store.Session) (session, error) {
	if d != nil {
		if s, known := d.sessions[stored.Hash]; known {
			s.seen, s.expires = stored.Seen, stored.Expires
			return s, nil
		}
	}
	return readSession(stored)
}
