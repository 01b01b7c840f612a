package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/jonboulle/clockwork"

	"courant/store"
)

const (
	sessionCookie   = "courant_session"
	sessionLifetime = 30 * 24 * time.Hour
	sessionIdle     = 12 * time.Hour
	// prolongEvery is how often the use of a session is written down.
	prolongEvery = time.Minute
)

// What a session holds, all int64.
const (
	keyAccount = "account"
	keyEpoch   = "epoch" // of the account when the session began
	keyUsed    = "used"  // Unix seconds at which its use was written down last
)

// newSessions is scs for what a session's id and data need. Its constructor is left aside because it starts a goroutine
// for a store in memory; its cookie and its idle end because they go by the system's clock, not by ours; and its
// middleware because it sets the cookie twice when a handler fails.
func newSessions(db *store.Store, clock clockwork.Clock) *scs.SessionManager {
	return &scs.SessionManager{
		Lifetime:         sessionLifetime,
		Store:            sessionStore{db: db, clock: clock},
		Codec:            scs.GobCodec{},
		HashTokenInStore: true,
	}
}

// sessionStore keeps what scs gives it, under the hash of a session's id.
type sessionStore struct {
	scs.Store // nil: scs calls the three methods below in the place of those without a context
	db        *store.Store
	clock     clockwork.Clock
}

func (s sessionStore) FindCtx(ctx context.Context, hash string) ([]byte, bool, error) {
	return s.db.SessionData(ctx, hash, s.clock.Now())
}

// CommitCtx keeps a session until its deadline, or until it has been idle for too long.
func (s sessionStore) CommitCtx(ctx context.Context, hash string, data []byte, deadline time.Time) error {
	now := s.clock.Now()
	if idle := now.Add(sessionIdle); idle.Before(deadline) {
		deadline = idle
	}
	return s.db.PutSession(ctx, hash, data, deadline, now)
}

func (s sessionStore) DeleteCtx(ctx context.Context, hash string) error {
	return s.db.DeleteSession(ctx, hash)
}

// BeginSession begins a session of an account that has just signed in, and sets its cookie. Its id is always a new
// one; the session of a cookie that came in ends.
func (a *Auth) BeginSession(w http.ResponseWriter, r *http.Request, account store.Account) error {
	a.ending.Lock()
	defer a.ending.Unlock()
	id, err := a.beginSession(r.Context(), sessionID(r), account)
	if err != nil {
		return fmt.Errorf("auth: begin session: %w", err)
	}
	a.setCookie(w, id, int(sessionLifetime/time.Second))
	return nil
}

func (a *Auth) beginSession(ctx context.Context, former string, account store.Account) (id string, err error) {
	if ctx, err = a.sessions.Load(ctx, former); err != nil {
		return "", err
	}
	if err := a.sessions.Clear(ctx); err != nil {
		return "", err
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return "", err
	}
	now := a.clock.Now()
	a.sessions.SetDeadline(ctx, now.Add(sessionLifetime))
	a.sessions.Put(ctx, keyAccount, account.ID)
	a.sessions.Put(ctx, keyEpoch, account.Epoch)
	a.sessions.Put(ctx, keyUsed, now.Unix())
	id, _, err = a.sessions.Commit(ctx)
	return id, err
}

// EndSession ends the session of a request, if it has one, and takes its cookie back.
func (a *Auth) EndSession(w http.ResponseWriter, r *http.Request) error {
	if id := sessionID(r); id != "" {
		a.ending.Lock()
		defer a.ending.Unlock()
		ctx, err := a.sessions.Load(r.Context(), id)
		if err == nil {
			err = a.sessions.Destroy(ctx)
		}
		if err != nil {
			return fmt.Errorf("auth: end session: %w", err)
		}
	}
	a.setCookie(w, "", -1)
	return nil
}

// CheckSession finds who calls with a session cookie; ErrUnauthenticated if there is none, the session is over, the
// account is disabled or its password was changed since. Its use puts the session's idle end off.
func (a *Auth) CheckSession(r *http.Request) (Identity, error) {
	id := sessionID(r)
	if id == "" {
		return Identity{}, ErrUnauthenticated
	}
	ctx, err := a.sessions.Load(r.Context(), id)
	if err != nil {
		return Identity{}, fmt.Errorf("auth: session: %w", err)
	}
	// A session that is not stored is loaded as one of account 0.
	account, err := a.store.AccountByID(ctx, a.sessions.GetInt64(ctx, keyAccount))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Identity{}, ErrUnauthenticated
	case err != nil:
		return Identity{}, err
	case !account.Disabled.IsZero() || account.Epoch != a.sessions.GetInt64(ctx, keyEpoch):
		return Identity{}, ErrUnauthenticated
	}
	if used := time.Unix(a.sessions.GetInt64(ctx, keyUsed), 0); a.clock.Since(used) >= prolongEvery {
		// Should this fail, the session is good until its former end: a disk that is full shuts out no reader.
		_ = a.prolong(r.Context(), id)
	}
	return a.identity(account), nil
}

// prolong puts a session's idle end off. It reads the session again, so that one that has ended meanwhile is not
// written back, and it leaves the work to the next request if somebody else is at it.
func (a *Auth) prolong(ctx context.Context, id string) error {
	if !a.ending.TryLock() {
		return nil
	}
	defer a.ending.Unlock()
	ctx, err := a.sessions.Load(ctx, id)
	if err != nil || !a.sessions.Exists(ctx, keyAccount) {
		return err
	}
	a.sessions.Put(ctx, keyUsed, a.clock.Now().Unix())
	_, _, err = a.sessions.Commit(ctx)
	return err
}

func sessionID(r *http.Request) string {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie gives the session cookie an age in seconds; a negative one takes the cookie back. The cookie lives as long
// as a session can: the idle end is in the database.
func (a *Auth) setCookie(w http.ResponseWriter, id string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     sessionCookie,
		Value:    id,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   a.secureCookie,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	w.Header().Set("Cache-Control", "no-store")
}
