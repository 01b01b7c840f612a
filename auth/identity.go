package auth

import (
	"slices"
	"time"

	"courant/store"
	"courant/store/market"
)

// warnBeforeEnd is how long before its end a subscriber is warned.
const warnBeforeEnd = 14 * 24 * time.Hour

// Identity is who calls, at the moment of the check: it is made for one request and not kept.
type Identity struct {
	AccountID int64
	Email     string
	Admin     bool      // a token that is limited to datasets is none of an administrator's
	TokenID   int64     // 0: a session
	EndsSoon  time.Time // when the subscription that is in force ends, if that is within 14 days; else zero

	session    string           // the hash of its id; empty: a token
	subscribed []market.Dataset // what an active subscription covers
	limit      []market.Dataset // what the token is limited to; empty: it is not
}

// Session is the hash of the id of the caller's session; empty: a token.
func (id Identity) Session() string { return id.session }

// May says whether the caller may read a dataset and all that is built on its data: nil, ErrForbidden if the token is
// limited to other datasets, whatever the subscription, or ErrSubscriptionRequired.
func (id Identity) May(dataset market.Dataset) error {
	if len(id.limit) > 0 && !slices.Contains(id.limit, dataset) {
		return ErrForbidden
	}
	if dataset == market.DayAheadPrices || slices.Contains(id.subscribed, dataset) {
		return nil
	}
	return ErrSubscriptionRequired
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

// subscribed lists what an account's subscription covers now. An administrator has one without end; an offer that is
// no longer configured covers nothing.
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
