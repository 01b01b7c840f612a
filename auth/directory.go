package auth

import (
	"context"

	"courant/store"
)

// directory is who may come in, as it was at one moment. It does not change: when what it tells has changed, another
// one takes its place. Everything is found by the hash of a secret, so how long that takes tells nothing of the secret.
type directory struct {
	changes  uint64 // of this process, up to which it was read
	accounts map[int64]store.Account
	tokens   map[string]store.Token // by the hash of the whole
	sessions map[string]session     // by the hash of its id
}

// directory is the one that holds all that this process has changed.
func (a *Auth) directory(ctx context.Context) (*directory, error) {
	if d := a.current.Load(); d != nil && d.changes == a.store.AccessChanges() {
		return d, nil
	}
	a.reading.Lock()
	defer a.reading.Unlock()
	if d := a.current.Load(); d != nil && d.changes == a.store.AccessChanges() {
		return d, nil // somebody else has read it meanwhile
	}
	return a.readDirectory(ctx)
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
	d := &directory{
		changes: a.store.AccessChanges(), accounts: map[int64]store.Account{}, tokens: map[string]store.Token{}, sessions: map[string]session{},
	}
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, account := range accounts {
		d.accounts[account.ID] = account
	}
	tokens, err := a.store.Tokens(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, token := range tokens {
		d.tokens[string(token.Hash)] = token
	}
	sessions, err := a.store.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	for _, stored := range sessions {
		// One that cannot be read is none: it shuts nobody else out.
		if s, err := readSession(stored); err == nil {
			d.sessions[stored.Hash] = s
		}
	}
	a.current.Store(d)
	return d, nil
}
