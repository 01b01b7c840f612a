package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/jonboulle/clockwork"

	"courant/store"
)

const (
	sessionLifetime = 30 * 24 * time.Hour
	sessionIdle     = 12 * time.Hour
	maxBrowserBytes = 200
)

// Keys of the values in a session.
const (
	keyAccount = "account" // int64: the account's ID
	keyEpoch   = "epoch"   // int64: the account's epoch when the session began
	keyBegun   = "begun"   // int64: Unix seconds
	keyOrigin  = "origin"  // string: the client address
	keyBrowser = "browser" // string: the User-Agent
	keyOfHost  = "of_host" // bool: the session is valid only with a __Host- cookie
)

// newSessions returns an scs manager that only creates session ids and encodes session data. The scs constructor is not used
// because it starts a goroutine for a store in memory; its cookie and its idle timeout, because they use the system clock
// instead of ours; and its middleware, because it sets the cookie twice when a handler fails.
//
// Each sign-in has its own: note is the entry of the audit log that is written with its session.
func newSessions(db *store.Store, clock clockwork.Clock, note store.Note) *scs.SessionManager {
	return &scs.SessionManager{
		Lifetime: sessionLifetime,
		Store:    sessionStore{db: db, clock: clock, note: note},
		Codec:    scs.GobCodec{},
	}
}

// sessionStore stores the sessions of scs under the hash of their id. It never finds one: sessions are looked up in the
// directory, and a session that begins has a new id.
type sessionStore struct {
	scs.Store // nil: scs calls the three methods below instead of those without a context
	db        *store.Store
	clock     clockwork.Clock
	note      store.Note // of the sign-in
}

func (s sessionStore) FindCtx(context.Context, string) ([]byte, bool, error) { return nil, false, nil }

func (s sessionStore) CommitCtx(ctx context.Context, id string, data []byte, deadline time.Time) error {
	session, err := readSession(store.Session{Data: data})
	if err != nil {
		return err
	}
	return s.db.PutSession(ctx, s.note,
		store.Session{Hash: hashOf(id), AccountID: session.account, Data: data, Seen: s.clock.Now(), Expires: deadline})
}

func (s sessionStore) DeleteCtx(ctx context.Context, id string) error {
	return s.db.DeleteSessions(ctx, store.Note{}, hashOf(id))
}

// hashOf returns the hash under which a session id is stored, in hex.
func hashOf(id string) string {
	hash := sha256.Sum256([]byte(id))
	return hex.EncodeToString(hash[:])
}

// session is a decoded session.
type session struct {
	account, epoch       int64
	begun, seen, expires time.Time
	origin, browser      string
	ofHost               bool

	owner store.Account // set in the directory only
}

func readSession(stored store.Session) (session, error) {
	_, values, err := scs.GobCodec{}.Decode(stored.Data)
	if err != nil {
		return session{}, fmt.Errorf("auth: session: %w", err)
	}
	s := session{seen: stored.Seen, expires: stored.Expires}
	s.account, _ = values[keyAccount].(int64)
	s.epoch, _ = values[keyEpoch].(int64)
	s.origin, _ = values[keyOrigin].(string)
	s.browser, _ = values[keyBrowser].(string)
	s.ofHost, _ = values[keyOfHost].(bool)
	if begun, is := values[keyBegun].(int64); is {
		s.begun = time.Unix(begun, 0).UTC()
	}
	return s, nil
}

// BeginSession begins a session of an account that has just signed in, and sets its cookie. The session id is always new; the
// session of a cookie in the request ends.
func (a *Auth) BeginSession(w http.ResponseWriter, r *http.Request, account store.Account) error {
	ctx := WithActor(r.Context(), Actor{Email: account.Email, Origin: actorOf(r.Context()).Origin})
	if former, _ := Cookie(r, sessionCookie); former != "" {
		if err := a.store.DeleteSessions(ctx, store.Note{}, hashOf(former)); err != nil {
			return err
		}
	}
	id, err := a.beginSession(ctx, account, r.UserAgent())
	if err != nil {
		return fmt.Errorf("auth: begin session: %w", err)
	}
	a.setCookie(w, r, id, int(sessionLifetime/time.Second))
	return nil
}

func (a *Auth) beginSession(ctx context.Context, account store.Account, browser string) (id string, err error) {
	sessions := newSessions(a.store, a.clock, a.Note(ctx, SignedIn, account.Email, ""))
	ctx, err = sessions.Load(ctx, "")
	if err != nil {
		return "", err
	}
	now := a.clock.Now()
	sessions.SetDeadline(ctx, now.Add(sessionLifetime))
	sessions.Put(ctx, keyAccount, account.ID)
	sessions.Put(ctx, keyEpoch, account.Epoch)
	sessions.Put(ctx, keyBegun, now.Unix())
	sessions.Put(ctx, keyOrigin, actorOf(ctx).Origin)
	sessions.Put(ctx, keyBrowser, strings.ToValidUTF8(browser[:min(len(browser), maxBrowserBytes)], ""))
	sessions.Put(ctx, keyOfHost, a.secureCookie)
	id, _, err = sessions.Commit(ctx)
	return id, err
}

// EndSession ends the session of a request, if it has one, and deletes its cookie.
func (a *Auth) EndSession(w http.ResponseWriter, r *http.Request) error {
	identity, err := a.CheckSession(r)
	if err == nil {
		ctx := WithActor(r.Context(), Actor{Email: identity.Email, Origin: actorOf(r.Context()).Origin})
		err = a.store.DeleteSessions(ctx, a.Note(ctx, SignedOut, identity.Email, ""), identity.session)
	}
	if err != nil && !errors.Is(err, ErrUnauthenticated) {
		return err
	}
	a.setCookie(w, r, "", -1)
	return nil
}

// CheckSession returns the caller with the request's session cookie and restarts the session's idle time. The error is
// ErrUnauthenticated if there is no cookie, the session has ended, or the account was disabled or got a new password since.
func (a *Auth) CheckSession(r *http.Request) (Identity, error) {
	id, isHostOnly := Cookie(r, sessionCookie)
	if id == "" {
		return Identity{}, ErrUnauthenticated
	}
	d, err := a.directory(r.Context())
	if err != nil {
		return Identity{}, err
	}
	hash, now := hashOf(id), a.clock.Now()
	s, found := d.sessions[hash]
	if !found || s.ofHost && !isHostOnly || !s.isOpen(s.owner, now) || !a.usage.touchSession(hash, s.seen, now) {
		return Identity{}, ErrUnauthenticated
	}
	return a.sessionIdentity(hash, s), nil
}

// isOpen reports whether the session is valid, leaving aside how long it has been idle.
func (s session) isOpen(account store.Account, now time.Time) bool {
	return account.ID == s.account && account.Disabled.IsZero() && account.Epoch == s.epoch && now.Before(s.expires)
}

// SessionLine is a session as shown to its owner.
type SessionLine struct {
	Begun, Seen time.Time
	Origin      string // the client address at the start
	Browser     string // the User-Agent at the start
	Own         bool   // the session of the request
}

// Sessions lists one page of the account's sessions, newest first. more reports whether another page follows.
func (a *Auth) Sessions(ctx context.Context, identity Identity, page Page) (lines []SessionLine, more bool, err error) {
	account, err := a.store.AccountByID(ctx, identity.AccountID)
	if err != nil {
		return nil, false, err
	}
	sessions, err := a.store.SessionsOf(ctx, account.ID) // at most store.MostSessions
	if err != nil {
		return nil, false, err
	}
	now := a.clock.Now()
	a.usage.mu.Lock()
	defer a.usage.mu.Unlock()
	for _, stored := range sessions {
		s, err := readSession(stored)
		if err == nil && s.isOpen(account, now) && a.usage.isActive(stored.Hash, s.seen, now) {
			seen := a.usage.lastSeen(stored.Hash, s.seen)
			lines = append(lines, SessionLine{s.begun, seen, s.origin, s.browser, stored.Hash == identity.session})
		}
	}
	slices.SortStableFunc(lines, func(a, b SessionLine) int { return b.Begun.Compare(a.Begun) })
	lines, more = cutPage(lines[min(page.skip(), len(lines)):], page)
	return lines, more, nil
}

// EndOtherSessions ends all sessions of the caller's account but the caller's own.
func (a *Auth) EndOtherSessions(ctx context.Context, identity Identity) error {
	return a.store.DeleteOtherSessions(ctx, a.Note(ctx, OtherSessionsEnded, identity.Email, ""), identity.AccountID, identity.session)
}

// setCookie sets the session cookie with an age in seconds; a negative age deletes it. The age is the longest that a session
// can last: the idle end is checked on the server. Over HTTPS, a session cookie without the __Host- prefix is deleted.
func (a *Auth) setCookie(w http.ResponseWriter, r *http.Request, id string, maxAge int) {
	cookie := http.Cookie{
		Name:     a.SessionCookie(),
		Value:    id,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   a.secureCookie,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	http.SetCookie(w, &cookie)
	if _, err := r.Cookie(sessionCookie); err == nil && a.secureCookie {
		cookie.Name, cookie.Value, cookie.MaxAge = sessionCookie, "", -1
		http.SetCookie(w, &cookie)
	}
	w.Header().Set("Cache-Control", "no-store")
}
