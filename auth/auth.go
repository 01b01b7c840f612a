// Package auth identifies callers and decides what they may read. It manages accounts with passwords, sessions of the
// dashboard, API tokens, and subscriptions to the offers in the configuration.
//
// No secret is stored. Passwords are stored as Argon2id hashes; tokens, session ids and the secrets of links as SHA-256
// hashes, which is enough for long random values. Tokens, sessions and subscriptions are checked against a directory of
// the valid ones in memory. It is read again before the next check after a change by this process, and by Refresh after a
// possible change by another process. The database is queried only for a well-formed token that is not in the directory.
//
// Limits: there is no second factor; many origins together may try a hundred passwords an hour on one account, which keeps
// its owner from signing in on a new device; and anyone who can write to the database file can give himself access.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jonboulle/clockwork"
	"golang.org/x/time/rate"

	"courant/store"
	"courant/store/market"
)

// Reasons for refusing a caller. Compare with errors.Is.
var (
	ErrUnauthenticated      = errors.New("no valid session or token, or the account is disabled")
	ErrBadCredentials       = errors.New("the e-mail address or the password is wrong")
	ErrTokenInvalid         = errors.New("the token is unknown")
	ErrTokenExpired         = errors.New("the token has expired")
	ErrTokenRevoked         = errors.New("the token has been revoked")
	ErrSubscriptionRequired = errors.New("no active subscription covers the dataset")
	ErrForbidden            = errors.New("the token is limited to other datasets")
	ErrNotFeedsToken        = errors.New("the token is not a feeds token, so it may not stand in an address")
	ErrLink                 = errors.New("the link is unknown, expired or used")
)

// Reasons for refusing a change to an account, besides InputError, store.ErrNotFound and store.ErrExists.
var (
	ErrAccountDisabled = errors.New("the account is disabled")
	ErrUnknownOffer    = errors.New("unknown offer")
)

// InputError reports an input that can never be accepted. Its text is a sentence about what is valid.
type InputError string

func (e InputError) Error() string { return string(e) }

const (
	ErrEmail          InputError = "an e-mail address is a name in ASCII and a domain, of at most 254 bytes, such as anne@example.org"
	ErrPasswordShort  InputError = "a password has at least 12 characters: a few words in a row make a good one"
	ErrPasswordLong   InputError = "a password has at most 256 bytes"
	ErrPasswordText   InputError = "a password must be text in UTF-8"
	ErrPasswordCommon InputError = "the password would be guessed early: use a few words in a row that do not belong together"
	ErrTokenName      InputError = "a token's name has 1 to 100 characters and no control characters"
	ErrTokenCount     InputError = "an account has at most 100 valid tokens: revoke one that is not used"
	ErrTokenPrefix    InputError = "a token is identified by its first 12 characters, crt_ and eight more"
	ErrPastDate       InputError = "the date is past: give today or a later one"
)

// Offer is a set of datasets that accounts subscribe to.
type Offer struct {
	ID       string
	Datasets []market.Dataset // empty: all
}

// Options configures an Auth.
type Options struct {
	Store        *store.Store
	Clock        clockwork.Clock
	Log          *slog.Logger // for the work that Start begins; nil: no logging
	Offers       []Offer
	SecureCookie bool    // set cookies with Secure and the __Host- prefix
	Hashing      Hashing // the cost of hashing a password; zero: the minimum that OWASP recommends
}

// Auth manages the accounts of one store. It is safe for concurrent use.
type Auth struct {
	store        *store.Store
	clock        clockwork.Clock
	log          *slog.Logger
	offers       []Offer
	secureCookie bool

	current atomic.Pointer[directory]
	reading sync.Mutex // held while a new directory is read
	usage   *usage

	// Strangers wait by origin. Callers known by a session, a device cookie or a link wait in a queue of their own, by account.
	strangers, known *hashQueue
	hashing          Hashing
	compare          func(password, hash string) (bool, error)

	signInsFromOne *attemptLimiter // to one account, from one origin, device or session
	signInsTo      *attemptLimiter // to one account, from anywhere
	failures       *attemptLimiter // sign-ins and links of one origin, to any account
	refusalNotes   *rate.Limiter   // refusals written to the audit log

	requestsOfOrigin *attemptLimiter // for a link or an account, from one origin
	linksOfAccount   *attemptLimiter // links asked for one account

	working sync.WaitGroup
	stopped context.Context
	stop    context.CancelFunc
}

const (
	maintenanceInterval = time.Minute
	finalStoreTimeout   = 5 * time.Second // how long Close may take to store the remaining usage
)

// New returns an Auth. Start begins its background work, Close ends it.
func New(options Options) *Auth {
	hashings := make(chan struct{}, maxConcurrentHashings())
	a := &Auth{
		store:            options.Store,
		clock:            options.Clock,
		log:              options.Log,
		offers:           options.Offers,
		secureCookie:     options.SecureCookie,
		usage:            newUsage(),
		strangers:        newHashQueue(options.Clock, hashings),
		known:            newHashQueue(options.Clock, hashings),
		hashing:          options.Hashing,
		compare:          argon2id.ComparePasswordAndHash,
		signInsFromOne:   newAttemptLimiter(maxSignInsFromOneOrigin, signInsFromOneOriginWindow),
		signInsTo:        newAttemptLimiter(maxSignInsToAccount, signInsToAccountWindow),
		failures:         newAttemptLimiter(maxFailuresOfOrigin, failuresOfOriginWindow),
		refusalNotes:     rate.NewLimiter(refusalNotesPerSecond, refusalNoteBurst),
		requestsOfOrigin: newAttemptLimiter(maxRequestsOfOrigin, requestWindow),
		linksOfAccount:   newAttemptLimiter(maxLinksOfAccount, requestWindow),
	}
	if a.hashing == (Hashing{}) {
		a.hashing = defaultHashing
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.stopped, a.stop = context.WithCancel(context.Background())
	return a
}

// Start begins the background work: once a minute, until Close, it stores the usage of tokens and sessions and forgets old
// attempts.
func (a *Auth) Start() {
	a.working.Go(func() {
		ticker := a.clock.NewTicker(maintenanceInterval)
		defer ticker.Stop()
		for {
			select {
			case <-a.stopped.Done():
				return
			case <-ticker.Chan():
			}
			if err := a.maintain(a.stopped); err != nil && a.stopped.Err() == nil {
				a.log.Error("cannot store the usage of tokens and sessions", "error", err.Error())
			}
		}
	})
}

// Close ends the background work and stores the remaining usage.
func (a *Auth) Close() error {
	a.stop()
	a.working.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), finalStoreTimeout)
	defer cancel()
	return a.storeUsage(ctx)
}

func (a *Auth) maintain(ctx context.Context) error {
	if err := a.storeUsage(ctx); err != nil {
		return err
	}
	for _, counts := range []interface{ dropOld(now time.Time) }{
		a.signInsFromOne, a.signInsTo, a.failures, a.requestsOfOrigin, a.linksOfAccount, a.strangers.recent, a.known.recent,
	} {
		counts.dropOld(a.clock.Now())
	}
	return nil
}
