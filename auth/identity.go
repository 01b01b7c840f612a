package auth

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"courant/store"
	"courant/store/market"
)

// warnBeforeEnd is how long before a subscription ends its account is warned.
const warnBeforeEnd = 14 * 24 * time.Hour

// Identity is the caller of one request, as of the moment of the check. It is not stored.
type Identity struct {
	AccountID int64
	Email     string
	Admin     bool        // false for a token limited to datasets or to a scope, also if an administrator created it
	TokenID   int64       // 0: a session
	Scope     store.Scope // of the token; that of the API for a session
	EndsSoon  time.Time   // the end of the active subscription if that is within 14 days; else zero

	use        *Use              // of the token; nil: a session
	session    string            // hash of the session id; empty: a token
	token      [sha256.Size]byte // hash of the token; zero: a session
	subscribed []market.Dataset  // what an active subscription covers
	limit      []market.Dataset  // what the token is limited to; empty: no limit
}

// Session returns the hash of the caller's session id; empty if the caller has a token.
func (id Identity) Session() string { return id.session }

// Use returns what counts the answers to the caller's token; nil, which counts nothing, for a session.
func (id Identity) Use() *Use { return id.use }

// May returns nil if the caller may read a dataset and everything derived from it. The error is ErrForbidden if the token is
// limited to other datasets, whatever the subscription, or ErrSubscriptionRequired.
func (id Identity) May(dataset market.Dataset) error {
	if len(id.limit) > 0 && !slices.Contains(id.limit, dataset) {
		return ErrForbidden
	}
	if dataset.About().Open || slices.Contains(id.subscribed, dataset) {
		return nil
	}
	return ErrSubscriptionRequired
}

// Current returns what a caller may read now; that is not counted as a request. The error is ErrUnauthenticated if its token or session
// has ended, or its account was disabled.
func (a *Auth) Current(ctx context.Context, caller Identity) (Identity, error) {
	d, err := a.directory(ctx)
	if err != nil {
		return Identity{}, err
	}
	now := a.clock.Now()
	if caller.session == "" {
		if record, found := d.tokens[string(caller.token[:])]; found && !record.IsOver(now) {
			return a.tokenIdentity(record), nil
		}
		return Identity{}, ErrUnauthenticated
	}
	s, found := d.sessions[caller.session]
	a.usage.mu.Lock()
	defer a.usage.mu.Unlock()
	if !found || !s.isOpen(s.owner, now) || !a.usage.isActive(caller.session, s.seen, now) {
		return Identity{}, ErrUnauthenticated
	}
	return a.sessionIdentity(caller.session, s), nil
}

func (a *Auth) sessionIdentity(hash string, s session) Identity {
	identity := a.identity(s.owner)
	identity.session = hash
	return identity
}

func (a *Auth) tokenIdentity(record store.Token) Identity {
	identity := a.identity(record.Account)
	identity.TokenID = record.ID
	copy(identity.token[:], record.Hash)
	if identity.Scope = record.Scope; record.Scope != store.ScopeAPI {
		identity.Admin = false
	}
	if record.Scope == store.ScopeFeeds {
		identity.limit = []market.Dataset{market.Bridged}
	}
	if record.Datasets != "" {
		identity.Admin = false // the token gives access to data only
		for dataset := range strings.SplitSeq(record.Datasets, ",") {
			identity.limit = append(identity.limit, market.Dataset(dataset))
		}
	}
	return identity
}

// IdentityOf returns what an account may read now. The error is store.ErrNotFound if there is no such account, or
// ErrUnauthenticated if it is disabled.
func (a *Auth) IdentityOf(ctx context.Context, accountID int64) (Identity, error) {
	account, err := a.Account(ctx, accountID)
	if err != nil {
		return Identity{}, err
	}
	if !account.Disabled.IsZero() {
		return Identity{}, ErrUnauthenticated
	}
	return a.identity(account), nil
}

func (a *Auth) identity(account store.Account) Identity {
	identity := Identity{
		AccountID:  account.ID,
		Email:      account.Email,
		Admin:      account.Role == store.Administrator,
		subscribed: a.subscribed(account),
	}
	end := account.Subscription.End
	if !identity.Admin && len(identity.subscribed) > 0 && !end.IsZero() && end.Sub(a.clock.Now()) <= warnBeforeEnd {
		identity.EndsSoon = end
	}
	return identity
}

// subscribed returns the datasets that an account's subscription covers now: all of them for an administrator, and none for an
// offer that is no longer configured.
func (a *Auth) subscribed(account store.Account) []market.Dataset {
	if account.Role == store.Administrator {
		return market.Datasets()
	}
	offer, known := a.offer(account.Subscription.Offer)
	switch {
	case !known || !account.Subscription.Active(a.clock.Now()):
		return nil
	case len(offer.Datasets) == 0:
		return market.Datasets()
	}
	return offer.Datasets
}
