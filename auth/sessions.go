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

// What a session holds: the first three int64, the last bool, the others text.
const (
	keyAccount = "account"
	keyEpoch   = "epoch" // of the account when the session began
	keyBegun   = "begun" // Unix seconds
	keyOrigin  = "origin"
	keyBrowser = "browser"
	keyOfHost  = "of_host" // its id counts in the cookie for TLS alone
)

// newSessions is scs for what a session's id and data need. Its constructor is left aside because it starts a goroutine
// for a store in memory; its cookie and its idle end because they go by the system's clock, not by ours; and its
// middleware because it sets the cookie twice when a handler fails.
func newSessions(db *store.Store, clock clockwork.Clock) *scs.SessionManager {
	return &scs.SessionManager{
		Lifetime: sessionLifetime,
		Store:    sessionStore{db: db, clock: clock},
		Codec:    scs.GobCodec{},
	}
}

// sessionStore keeps what scs gives it, under the hash of a session's id. It finds nothing: who has a session is looked
// up in the directory, and one that begins has a new id.
type sessionStore struct {
	scs.Store // nil: scs calls the three methods below in the place of those without a context
	db        *store.Store
	clock     clockwork.Clock
}

func (s sessionStore) FindCtx(context.Context, string) ([]byte, bool, error) { return nil, false, nil }

func (s sessionStore) CommitCtx(ctx context.Context, id string, data []byte, deadline time.Time) error {
	session, err := readSession(store.Session{Data: data})
	if err != nil {
		return err
	}
	return s.db.PutSession(ctx, store.Session{Hash: hashOf(id), AccountID: session.account, Data: data, Seen: s.clock.Now(), Expires: deadline})
}

func (s sessionStore) DeleteCtx(ctx context.Context, id string) error {
	return s.db.DeleteSessions(ctx, hashOf(id))
}

// hashOf is what is kept of the id of a session.
func hashOf(id string) string {
	hash := sha256.Sum256([]byte(id))
	return hex.EncodeToString(hash[:])
}

// session is what the directory knows of a session.
type session struct {
	account, epoch       int64
	begun, seen, expires time.Time
	origin, browser      string
	ofHost               bool

	of store.Account // set in the directory
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

// BeginSession begins a session of an account that has just signed in, and sets its cookie. Its id is always a new
// one; the session of a cookie that came in ends.
func (a *Auth) BeginSession(w http.ResponseWriter, r *http.Request, account store.Account) error {
	ctx := WithActor(r.Context(), Actor{Email: account.Email, Origin: actorOf(r.Context()).Origin})
	if former, _ := Cookie(r, sessionCookie); former != "" {
		if err := a.store.DeleteSessions(ctx, hashOf(former)); err != nil {
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
	ctx, err = a.sessions.Load(a.Noting(ctx, SignedIn, account.Email, ""), "")
	if err != nil {
		return "", err
	}
	now := a.clock.Now()
	a.sessions.SetDeadline(ctx, now.Add(sessionLifetime))
	a.sessions.Put(ctx, keyAccount, account.ID)
	a.sessions.Put(ctx, keyEpoch, account.Epoch)
	a.sessions.Put(ctx, keyBegun, now.Unix())
	a.sessions.Put(ctx, keyOrigin, actorOf(ctx).Origin)
	a.sessions.Put(ctx, keyBrowser, strings.ToValidUTF8(browser[:min(len(browser), maxBrowserBytes)], ""))
	a.sessions.Put(ctx, keyOfHost, a.secureCookie)
	id, _, err = a.sessions.Commit(ctx)
	return id, err
}

// EndSession ends the session of a request, if it has one, and takes its cookie back.
func (a *Auth) EndSession(w http.ResponseWriter, r *http.Request) error {
	identity, err := a.CheckSession(r)
	if err == nil {
		ctx := WithActor(r.Context(), Actor{Email: identity.Email, Origin: actorOf(r.Context()).Origin})
		err = a.store.DeleteSessions(a.Noting(ctx, SignedOut, identity.Email, ""), identity.session)
	}
	if err != nil && !errors.Is(err, ErrUnauthenticated) {
		return err
	}
	a.setCookie(w, r, "", -1)
	return nil
}

// CheckSession finds who calls with a session cookie; ErrUnauthenticated if there is none, the session is over, the
// account is disabled or its password was changed since. Its use puts the session's idle end off.
func (a *Auth) CheckSession(r *http.Request) (Identity, error) {
	id, ofHost := Cookie(r, sessionCookie)
	if id == "" {
		return Identity{}, ErrUnauthenticated
	}
	d, err := a.directory(r.Context())
	if err != nil {
		return Identity{}, err
	}
	hash, now := hashOf(id), a.clock.Now()
	s, found := d.sessions[hash]
	if !found || s.ofHost && !ofHost || !s.isOpen(s.of, now) || !a.uses.session(hash, s.seen, now) {
		return Identity{}, ErrUnauthenticated
	}
	identity := a.identity(s.of)
	identity.session = hash
	return identity, nil
}

// isOpen reports whether the session is valid, leaving aside how long it has been idle.
func (s session) isOpen(account store.Account, now time.Time) bool {
	return account.ID == s.account && account.Disabled.IsZero() && account.Epoch == s.epoch && now.Before(s.expires)
}

// SessionLine is a session as its owner sees it.
type SessionLine struct {
	Begun, Seen time.Time
	Origin      string // the address from which it was begun
	Browser     string // what the browser calls itself
	Own         bool   // the one that asks
}

// Sessions lists one page of the account's sessions, newest first. more reports whether another page follows.
func (a *Auth) Sessions(ctx context.Context, identity Identity, page Page) (lines []SessionLine, more bool, err error) {
	account, err := a.store.AccountByID(ctx, identity.AccountID)
	if err != nil {
		return nil, false, err
	}
	sessions, err := a.store.SessionsOf(ctx, account.ID) // MostSessions, where there is nothing wrong
	if err != nil {
		return nil, false, err
	}
	now := a.clock.Now()
	a.uses.mu.Lock()
	defer a.uses.mu.Unlock()
	for _, stored := range sessions {
		s, err := readSession(stored)
		if err == nil && s.isOpen(account, now) && a.uses.isUsed(stored.Hash, s.seen, now) {
			seen := a.uses.lastSeen(stored.Hash, s.seen)
			lines = append(lines, SessionLine{s.begun, seen, s.origin, s.browser, stored.Hash == identity.session})
		}
	}
	slices.SortStableFunc(lines, func(a, b SessionLine) int { return b.Begun.Compare(a.Begun) })
	lines, more = pageOf(lines[min(page.skip(), len(lines)):], page)
	return lines, more, nil
}

// EndOtherSessions ends the sessions of an account but for the one that asks.
func (a *Auth) EndOtherSessions(ctx context.Context, identity Identity) error {
	return a.store.DeleteOtherSessions(a.Noting(ctx, OtherSessionsEnded, identity.Email, ""), identity.AccountID, identity.session)
}

// setCookie gives the session cookie an age in seconds; a negative one takes the cookie back. The cookie lives as long
// as a session can: the idle end is in the database. A cookie under the name of before is taken back.
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
