// Package auth says who is calling and what they may read: accounts with a password, sessions of the dashboard, tokens
// of programs, and subscriptions to the offers of the configuration.
//
// Nothing that opens a door is kept: a password is kept as its Argon2id hash, a token, the id of a session and the
// secret of a link as their SHA-256, which is enough for what is long and random. Checks of tokens, sessions and
// subscriptions read a directory in memory of those that are good. It is read again when this process has changed
// anything in it, before the next check, and by Refresh when another process may have. Only for a token that is not in
// it, and has the form of one, is the database asked.
//
// Its limits: there is no second factor; many addresses together may try a hundred passwords an hour on one account,
// and so keep its owner from signing in on a new device; and whoever can write the database file can let himself in.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"github.com/alexedwards/scs/v2"
	"github.com/jonboulle/clockwork"
	"golang.org/x/time/rate"

	"courant/store"
	"courant/store/market"
)

// Why someone is not let in or not let at a dataset. A caller asks with errors.Is.
var (
	ErrUnauthenticated      = errors.New("no valid session or token, or the account is disabled")
	ErrBadCredentials       = errors.New("the e-mail address or the password is wrong")
	ErrTokenInvalid         = errors.New("the token is unknown")
	ErrTokenExpired         = errors.New("the token has expired")
	ErrTokenRevoked         = errors.New("the token has been revoked")
	ErrSubscriptionRequired = errors.New("no active subscription covers the dataset")
	ErrForbidden            = errors.New("the token is limited to other datasets")
	ErrLink                 = errors.New("the link is unknown, over or used")
)

// Why a change to an account was refused, beside an InputError and the kinds of store, ErrNotFound and ErrExists.
var (
	ErrAccountDisabled = errors.New("the account is disabled")
	ErrUnknownOffer    = errors.New("unknown offer")
)

// InputError is an input that can never be accepted: a sentence that says what it has to be.
type InputError string

func (e InputError) Error() string { return string(e) }

const (
	ErrEmail          InputError = "an e-mail address is a name in ASCII and a domain, of at most 254 bytes, such as anne@example.org"
	ErrPasswordShort  InputError = "a password has at least 12 characters: a few words in a row make a good one"
	ErrPasswordLong   InputError = "a password has at most 256 bytes"
	ErrPasswordText   InputError = "a password is text in UTF-8"
	ErrPasswordCommon InputError = "the password is one that is guessed early: a few words in a row that do not belong together make a good one"
	ErrTokenName      InputError = "a token's name has 1 to 100 characters and no control characters"
	ErrTokenCount     InputError = "an account has at most 100 tokens that are good: revoke one that is not used"
	ErrTokenPrefix    InputError = "a token is named by its first 12 characters, crt_ and eight more"
	ErrPastDate       InputError = "the date is past: give today or a later one"
)

// Offer is what a subscription is to.
type Offer struct {
	ID       string
	Datasets []market.Dataset // empty: all
}

// Options is what an Auth works with.
type Options struct {
	Store        *store.Store
	Clock        clockwork.Clock
	Log          *slog.Logger // of what Start began; nil: nothing is logged
	Offers       []Offer
	SecureCookie bool    // browsers send the cookies over HTTPS only
	Hashing      Hashing // what a password costs to hash; zero: what OWASP advises
}

// Auth knows the accounts of one store. It is safe for concurrent use.
type Auth struct {
	store        *store.Store
	clock        clockwork.Clock
	log          *slog.Logger
	offers       []Offer
	secureCookie bool

	sessions *scs.SessionManager
	current  atomic.Pointer[directory]
	reading  sync.Mutex // held while the directory is read
	uses     *uses

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

// New makes an Auth.
func New(options Options) *Auth {
	hashings := make(chan struct{}, maxConcurrentHashings())
	a := &Auth{
		store:            options.Store,
		clock:            options.Clock,
		log:              options.Log,
		offers:           options.Offers,
		secureCookie:     options.SecureCookie,
		sessions:         newSessions(options.Store, options.Clock),
		uses:             newUses(),
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
