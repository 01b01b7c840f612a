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
	changes  uint64                 // store.AccessChanges when it was read
	read     time.Time              // when it was read
	tokens   map[string]store.Token // by the hash of the token
	sessions map[string]session     // by the hash of the session id
}

// directory returns a directory that includes all changes of this process.
func (a *Auth) directory(ctx context.Context) (*directory, error) {
	if d := a.upToDate(); d != nil {
		return d, nil
	}
	a.reading.Lock()
	defer a.reading.Unlock()
	if d := a.upToDate(); d != nil {
		return d, nil // another caller has read it meanwhile
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

// Refresh reads a new directory, because another process may have changed accounts, tokens or sessions.
func (a *Auth) Refresh(ctx context.Context) error {
	a.reading.Lock()
	defer a.reading.Unlock()
	_, err := a.readDirectory(ctx)
	return err
}

// readDirectory reads a new directory. The caller holds the lock on reading.
func (a *Auth) readDirectory(ctx context.Context) (*directory, error) {
	// The count is read first, so that a change meanwhile leads to another read.
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
	previous := a.current.Load()
	a.usage.mu.Lock()
	defer a.usage.mu.Unlock()
	for _, stored := range sessions {
		s, err := previous.session(stored.Session)
		// A session that cannot be decoded is left out: it must not lock out the others.
		if err == nil && s.isOpen(stored.Account, d.read) && a.usage.isActive(stored.Hash, s.seen, d.read) {
			s.owner = stored.Account
			d.sessions[stored.Hash] = s
		}
	}
	a.current.Store(d)
	return d, nil
}

// session returns a stored session, decoding it only if the directory does not have it already.
func (d *directory) session(stored store.Session) (session, error) {
	if d != nil {
		if s, known := d.sessions[stored.Hash]; known {
			s.seen, s.expires = stored.Seen, stored.Expires
			return s, nil
		}
	}
	return readSession(stored)
}
