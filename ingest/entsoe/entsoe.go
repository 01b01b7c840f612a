// Package entsoe fetches France's day-ahead prices from ENTSO-E's Transparency Platform (document A44, item 12.1.D), and
// decodes its replies into rows of the dataset.
//
// The Client only speaks HTTP; Decode is pure: the same bytes, zone and window give the same rows. Elements are
// matched by their local name, since the namespace has changed before. Periods are expanded in UTC, so that days on
// which the clock changes need no special care.
package entsoe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/source"
	"courant/store/market"
)

const (
	// France is the code of the French bidding zone.
	France = "10YFR-RTE------C"

	sourceName   = "ENTSO-E"
	callName     = "A44"
	instantForm  = "200601021504" // UTC
	pauseWhenOut = 10 * time.Minute
)

// Options are how ENTSO-E is reached.
type Options struct {
	BaseURL       string // https://web-api.tp.entsoe.eu/api
	SecurityToken string
	HTTP          *http.Client
	Clock         clockwork.Clock
	UserAgent     string
	Lines         source.Lines // in which calls wait; nil: no call waits
	Log           *slog.Logger // for tries after a pause; nil: they are not logged
}

// Client calls ENTSO-E. It is safe for concurrent use.
type Client struct {
	base   string
	token  string
	caller source.Caller
}

// NewClient makes a client. It makes no call.
func NewClient(o Options) *Client {
	return &Client{base: o.BaseURL, token: o.SecurityToken, caller: source.Caller{
		Source: sourceName, HTTP: o.HTTP, Clock: o.Clock, UserAgent: o.UserAgent, Secrets: []string{o.SecurityToken},
		Retrying: source.LogRetries(o.Log), Line: o.Lines.To(o.BaseURL),
		// More than 400 requests in a minute are answered with a ban of 10 min.
		Pause429: pauseWhenOut,
	}}
}

// DayAheadPrices asks for the prices of the window. The error wraps source.ErrTooWide if the window is too wide for the
// source, which takes 90 days.
func (c *Client) DayAheadPrices(ctx context.Context, window market.Period) (source.Reply[market.Price], source.Traffic, error) {
	var reply source.Reply[market.Price]
	build := func(ctx context.Context) (*http.Request, error) {
		query := url.Values{
			"documentType":                  {"A44"},
			"contract_MarketAgreement.type": {"A01"},
			"in_Domain":                     {France},
			"out_Domain":                    {France},
			"periodStart":                   {window.From().Format(instantForm)},
			"periodEnd":                     {window.To().Format(instantForm)},
			"securityToken":                 {c.token},
		}
		return http.NewRequestWithContext(ctx, http.MethodGet, c.base+"?"+query.Encode(), nil)
	}
	read := func(answer *source.Answer) (err error) {
		switch {
		case answer.Status == http.StatusNoContent:
			return nil
		case answer.Kind == source.KindXML:
			reply, err = Decode(answer.Body, France, window)
			return withStatus(err, answer.Status)
		case answer.Kind == source.KindEmpty:
			return &source.Fault{Source: sourceName, Call: callName, Status: answer.Status, Message: "the reply is empty"}
		case answer.Kind == source.KindUTF16:
			return &source.Fault{Source: sourceName, Call: callName, Status: answer.Status, Message: source.ErrUTF16.Error()}
		}
		return &source.Fault{Source: sourceName, Call: callName, Status: answer.Status,
			Message: fmt.Sprintf("the reply is %s, not XML", answer.Kind), Said: answer.Excerpt()}
	}
	caller := c.caller
	caller.Bounds = bounds(window)
	traffic, err := caller.Call(ctx, callName, build, read)
	source.HideSecrets(&caller, &reply)
	var fault *source.Fault
	if errors.As(err, &fault) && fault.Status == http.StatusUnauthorized {
		fault.Message, fault.Said, fault.Cause = "the security token is refused", "", source.ErrCredentials
	}
	return reply, traffic, err
}

// bounds are the bounds of the answer for a window: for each delivery date up to 100 points of up to 150 bytes, with three
// elements each, and the same again for a second resolution.
func bounds(window market.Period) source.Bounds {
	return source.TenTimes(2*100*len(window.Dates()), 150, 3)
}

// withStatus adds the status to the text of a refusal. A document that says that there is no data is an answer, whatever its
// status.
func withStatus(err error, status int) error {
	if err == nil || status == http.StatusOK {
		return err
	}
	fault := &source.Fault{Source: sourceName, Call: callName, Status: status}
	fault.Message, fault.Said = source.Words(err)
	if errors.Is(err, source.ErrTooWide) {
		fault.Cause = source.ErrTooWide
	}
	return fault
}
