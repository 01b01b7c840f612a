// Package rte fetches balancing capacity, balancing energy and the power exchanges' prices from RTE, and decodes its
// replies into rows of the datasets.
//
// The Client only speaks HTTP; each Decode function is pure: the same bytes and window give the same rows, with no
// clock, no network and no database. Periods are asked for with an offset, as RTE requires; rows outside the window that
// was asked for are dropped.
package rte

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"courant/ingest/source"
	"courant/store/market"
)

const (
	sourceName = "RTE"
	tokenPath  = "/token/oauth/"
	// renewBefore is how long before its end a token is no longer used.
	renewBefore = time.Minute
)

// resource is a resource of RTE, and the API to which an application has to be subscribed for it.
type resource struct {
	api, folder, name string
	noWindow          bool // it has no parameters, and returns the newest values
	rows, rowBytes    int  // of a real answer: rows of a delivery date, and bytes of a row in an indented document
}

// bounds are the bounds of the answer for a window.
func (r resource) bounds(window market.Period) source.Bounds {
	return source.TenTimes(r.rows*len(window.Dates()), r.rowBytes, 1)
}

var (
	procuredReserves = resource{"Balancing Capacity", "balancing_capacity/v5", "result_procured_reserves", false, 800, 400}
	marginalPrice    = resource{"Balancing Energy", "balancing_energy/v5", "afrr_marginal_price", false, 22_500, 350}
	standardMFRR     = resource{"Balancing Energy", "balancing_energy/v5", "standard_mfrr_data", false, 200, 1000}
	powerExchanges   = resource{"Wholesale Market", "wholesale_market/v3", "france_power_exchanges", true, 200, 250}
)

// Options are how RTE is reached. ClientID and ClientSecret are one application's, subscribed to the APIs Balancing
// Capacity and Balancing Energy, and to Wholesale Market for the exchanges' prices.
type Options struct {
	BaseURL      string // https://digital.iservices.rte-france.com
	ClientID     string
	ClientSecret string
	HTTP         *http.Client
	Clock        clockwork.Clock
	UserAgent    string
	Lines        source.Lines // in which the resources' calls wait; nil: no call waits
	Log          *slog.Logger // for tries after a pause; nil: they are not logged
}

// Client calls RTE's resources. It is safe for concurrent use.
type Client struct {
	base    string
	oauth   clientcredentials.Config
	tokens  *http.Client
	caller  source.Caller
	newLine func() *source.Line
	linesMu sync.Mutex
	lines   map[resource]*source.Line

	mu      sync.Mutex
	token   *oauth2.Token
	expires time.Time
	busy    source.Fault // the last fault with which the token address asked for a pause
	until   time.Time    // the end of that pause
}

// NewClient makes a client. It makes no call.
func NewClient(o Options) *Client {
	base := strings.TrimSuffix(o.BaseURL, "/")
	return &Client{
		base: base,
		oauth: clientcredentials.Config{
			ClientID: o.ClientID, ClientSecret: o.ClientSecret, TokenURL: base + tokenPath, AuthStyle: oauth2.AuthStyleInHeader,
		},
		tokens: wholeSeconds(source.ForTokens(o.HTTP)),
		caller: source.Caller{
			Source: sourceName, HTTP: o.HTTP, Clock: o.Clock, UserAgent: o.UserAgent, Secrets: secrets(o),
			Retrying: source.LogRetries(o.Log),
		},
		newLine: func() *source.Line { return o.Lines.To(base) },
		lines:   map[resource]*source.Line{},
	}
}

// lineOf returns the line in which the calls of a resource wait.
func (c *Client) lineOf(of resource) *source.Line {
	c.linesMu.Lock() // mu is held while a token is asked for
	defer c.linesMu.Unlock()
	line, is := c.lines[of]
	if !is {
		line = c.newLine()
		c.lines[of] = line
	}
	return line
}

// secrets are the credentials, alone and as they are encoded in the request for a token.
func secrets(o Options) []string {
	pair := func(id, secret string) string { return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret)) }
	all := []string{o.ClientSecret, o.ClientID}
	if o.ClientSecret != "" {
		all = append(all, pair(o.ClientID, o.ClientSecret), pair(url.QueryEscape(o.ClientID), url.QueryEscape(o.ClientSecret)))
	}
	return all
}

// ProcuredReserves asks for the three reserves' capacity in the window, which is at most 7 days long.
func (c *Client) ProcuredReserves(ctx context.Context, window market.Period) (source.Reply[market.CapacityStep], source.Traffic, error) {
	return ask(ctx, c, procuredReserves, window, DecodeProcuredReserves)
}

// MarginalPrice asks for the 4 s steps of aFRR energy in the window, which is at most 24 h long.
func (c *Client) MarginalPrice(ctx context.Context, window market.Period) (source.Reply[market.AFRRStep], source.Traffic, error) {
	return ask(ctx, c, marginalPrice, window, DecodeMarginalPrice)
}

// StandardMFRR asks for the quarter hours of mFRR energy in the window, which is at most 7 days long.
func (c *Client) StandardMFRR(ctx context.Context, window market.Period) (source.Reply[market.MFRRStep], source.Traffic, error) {
	return ask(ctx, c, standardMFRR, window, DecodeStandardMFRR)
}

// PowerExchangePrices asks for the day-ahead prices of the exchanges. RTE returns those of the current or of the next
// delivery date; the rows in the window are returned.
func (c *Client) PowerExchangePrices(ctx context.Context, window market.Period) (source.Reply[market.Price], source.Traffic, error) {
	return ask(ctx, c, powerExchanges, window, DecodePowerExchanges)
}

// ask calls a resource and decodes its answer.
func ask[R any](
	ctx context.Context, c *Client, from resource, window market.Period, decode func(io.Reader, market.Period) (source.Reply[R], error),
) (source.Reply[R], source.Traffic, error) {
	var reply source.Reply[R]
	var used *oauth2.Token
	caller := c.caller
	caller.Line, caller.Bounds = c.lineOf(from), from.bounds(window)
	build := func(ctx context.Context) (*http.Request, error) {
		token, err := c.accessToken(ctx)
		if err != nil {
			return nil, err
		}
		used = token
		caller.Secrets = append(slices.Clone(c.caller.Secrets), token.AccessToken)
		address := c.base + "/open_api/" + from.folder + "/" + from.name
		if !from.noWindow {
			address += "?" + url.Values{
				"start_date": {window.From().In(market.Paris).Format(time.RFC3339)},
				"end_date":   {window.To().In(market.Paris).Format(time.RFC3339)},
			}.Encode()
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		token.SetAuthHeader(request)
		// Without it some resources answer in CSV.
		request.Header.Set("Accept", "application/json")
		return request, nil
	}
	read := func(answer *source.Answer) (err error) {
		if err := refused(from, answer); err != nil || answer.Status == http.StatusNoContent {
			return err
		}
		reply, err = decode(answer.Body, window)
		return err
	}
	renewed := false
	caller.Mended = func(fault *source.Fault) bool {
		// A token may become invalid before its end: another one is asked for, once.
		if renewed || fault.Status != http.StatusUnauthorized || fault.Call != from.name {
			return false
		}
		renewed = true
		c.drop(used)
		return true
	}
	traffic, err := caller.Call(ctx, from.name, build, read)
	source.HideSecrets(&caller, &reply)
	return reply, traffic, notSubscribed(from, err)
}

// refused returns the fault of an answer that is not a document.
func refused(from resource, answer *source.Answer) error {
	fault := &source.Fault{Source: sourceName, Call: from.name, Status: answer.Status}
	switch {
	case answer.Status == http.StatusBadRequest:
		fault.Message = "the window was refused without a reason"
		if fault.Said = errorText(answer); fault.Said != "" {
			fault.Message = "the window was refused"
		}
	case answer.Kind == source.KindJSON || answer.Status == http.StatusNoContent:
		return nil
	case answer.Kind == source.KindEmpty:
		fault.Message = "the reply is empty"
	case answer.Kind == source.KindUTF16:
		fault.Message = source.ErrUTF16.Error()
	default:
		fault.Message, fault.Said = fmt.Sprintf("the reply is %s, not JSON", answer.Kind), answer.Excerpt()
	}
	return fault
}

// notSubscribed explains a 403 of RTE.
func notSubscribed(from resource, err error) error {
	var fault *source.Fault
	if errors.As(err, &fault) && fault.Status == http.StatusForbidden && fault.Call == from.name {
		fault.Message, fault.Said = "the application is not subscribed to the API "+from.api+": subscribe it on RTE's data portal", ""
	}
	return err
}
