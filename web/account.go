package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"courant/auth"
	"courant/store/market"
)

// Offer is a plan of the configuration that an account can be subscribed to. Its texts may be empty.
type Offer struct {
	ID                       string
	Name, Price, Description Text
	Datasets                 []market.Dataset // empty: all
	Contact                  string
}

// Title returns the name of the offer, or its ID if it has none.
func (o Offer) Title() Text {
	return Text{FR: cmp.Or(o.Name.FR, o.Name.EN, o.ID), EN: cmp.Or(o.Name.EN, o.Name.FR, o.ID)}
}

// Covered returns the datasets that the offer covers.
func (o Offer) Covered() []market.Dataset {
	if len(o.Datasets) == 0 {
		return market.Datasets()
	}
	return o.Datasets
}

// Subscription is the subscription of an account as pages show it.
type Subscription struct {
	Offer  string // its ID
	Title  Text   // of the offer
	Active bool
	Last   market.DeliveryDate // the last day, in Paris; zero: it has no end
}

// NewSubscription returns a subscription to the offer that has the ID, as pages show it. An offer that is no longer in
// the configuration gives access to nothing. A zero end means that there is none.
func NewSubscription(id string, offers []Offer, active bool, end time.Time) *Subscription {
	s := &Subscription{Offer: id, Title: same(id)}
	if i := slices.IndexFunc(offers, func(offer Offer) bool { return offer.ID == id }); i >= 0 {
		s.Title, s.Active = offers[i].Title(), active
	}
	if !end.IsZero() {
		s.Last = LastDay(end)
	}
	return s
}

// LastDay returns the last day in Paris before an end.
func LastDay(end time.Time) market.DeliveryDate {
	return market.DeliveryDateOf(end.Add(-time.Millisecond))
}

// Account is the page of the signed-in account.
type Account struct {
	Email        string
	Subscription *Subscription // nil: none
	Sessions     []auth.SessionLine
	Pager        Pager // of the sessions
	Fault        Text  // why the password was not changed; may be empty
	Changed      bool  // it was
}

// Account renders the page of the signed-in account.
func (p *Pages) Account(visit Visit, view Account) ([]byte, error) {
	return p.render("account", visit, view)
}

// Offers is the page of the plans.
type Offers struct {
	Offers       []Offer
	Contact      string // of the operator; may be empty
	OpenSignup   bool
	Subscription *Subscription // of the visitor; nil: none
}

// Offers renders the page of the plans.
func (p *Pages) Offers(visit Visit, view Offers) ([]byte, error) {
	return p.render("offers", visit, view)
}

// Tokens is the page of an account's tokens.
type Tokens struct {
	Site     Site
	Tokens   []TokenLine
	Pager    Pager
	Datasets []market.Dataset
	Today    market.DeliveryDate
	New      string // a token that was just made and is shown only now; else empty
	Fault    Text   // why no token was made; may be empty
	Name     string // as it was typed
}

// NewIsForFeeds reports whether the new token opens only the price feeds.
func (t Tokens) NewIsForFeeds() bool {
	return slices.ContainsFunc(t.Tokens, func(line TokenLine) bool { return line.Feeds && strings.HasPrefix(t.New, line.Prefix) })
}

// NewIsForWebhooks reports whether the new token opens only the webhooks.
func (t Tokens) NewIsForWebhooks() bool {
	return slices.ContainsFunc(t.Tokens, func(line TokenLine) bool { return line.Webhooks && strings.HasPrefix(t.New, line.Prefix) })
}

// Example returns a dataset that the new token may read.
func (t Tokens) Example() market.Dataset {
	for _, line := range t.Tokens {
		if strings.HasPrefix(t.New, line.Prefix) && len(line.Limit()) > 0 {
			return line.Limit()[0]
		}
	}
	return market.GroupPrices.Datasets()[0]
}

// TokenLine is a token and how it was used.
type TokenLine struct {
	ID       int64
	Name     string
	Prefix   string // the first characters
	Datasets string // comma-separated; empty: all
	Feeds    bool   // it opens only the price feeds
	Webhooks bool   // it opens only the webhooks
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: it was not
	Over     bool      // its end has come
	Used     auth.TokenUsed
}

// Good reports whether the token can be used.
func (t TokenLine) Good() bool { return t.Revoked.IsZero() && !t.Over }

// Limit returns the datasets to which the token is limited; none if it is not limited.
func (t TokenLine) Limit() []market.Dataset {
	var datasets []market.Dataset
	for name := range strings.SplitSeq(t.Datasets, ",") {
		if name != "" {
			datasets = append(datasets, market.Dataset(name))
		}
	}
	return datasets
}

// Tokens renders the page of an account's tokens.
func (p *Pages) Tokens(visit Visit, view Tokens) ([]byte, error) {
	return p.render("tokens", visit, view)
}
