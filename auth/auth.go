// Package auth says who is calling and what they may read: accounts with a password, sessions of the dashboard, tokens
// of programs, and subscriptions to the offers of the configuration.
//
// Nothing that opens a door is kept: a password is kept as its Argon2id hash, a token and the id of a session as their
// SHA-256, which is enough for what is long and random. Every check reads the database, so that a password changed, a
// token revoked or an account disabled by a command beside the server bites on the next request.
//
// Its limits: guesses are slowed down, not counted; there is no second factor, no recovery by mail and no record of who
// did what; and whoever can write the database file can let himself in.
package auth

import (
	"errors"
	"sync"

	"github.com/alexedwards/scs/v2"
	"github.com/jonboulle/clockwork"

	"courant/store"
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
	ErrEmail         InputError = "an e-mail address is a name and a domain of at most 254 bytes, such as anne@example.org"
	ErrPasswordShort InputError = "a password has at least 12 characters: a few words in a row make a good one"
	ErrPasswordLong  InputError = "a password has at most 256 bytes"
	ErrPasswordText  InputError = "a password is text in UTF-8"
	ErrTokenName     InputError = "a token's name has 1 to 100 characters and no control characters"
	ErrTokenPrefix   InputError = "a token is named by its first 12 characters, crt_ and eight more"
	ErrPastDate      InputError = "the date is past: give today or a later one"
)

// Offer is what a subscription is to.
type Offer struct {
	ID       string
	Datasets []store.Dataset // empty: all
}

// Options is what an Auth works with.
type Options struct {
	Store        *store.Store
	Clock        clockwork.Clock
	Offers       []Offer
	SecureCookie bool // browsers send the session cookie over HTTPS only
}

// Auth knows the accounts of one store. It is safe for concurrent use.
type Auth struct {
	store        *store.Store
	clock        clockwork.Clock
	offers       []Offer
	secureCookie bool

	hashings chan struct{} // holds one value for each password being hashed
	sessions *scs.SessionManager
	ending   sync.Mutex // held while a session is ended or prolonged
}

// New makes an Auth.
func New(options Options) *Auth {
	return &Auth{
		store:        options.Store,
		clock:        options.Clock,
		offers:       options.Offers,
		secureCookie: options.SecureCookie,
		hashings:     make(chan struct{}, hashingsAtOnce),
		sessions:     newSessions(options.Store, options.Clock),
	}
}
