package rte

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"courant/ingest/source"
)

// accessToken is the token at hand, or a new one when that is about to end.
func (c *Client) accessToken(ctx context.Context) (*oauth2.Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != nil && (c.expires.IsZero() || c.caller.Clock.Now().Before(c.expires)) {
		return c.token, nil
	}
	if wait := c.until.Sub(c.caller.Clock.Now()); wait > 0 { // all resources share the token
		fault := c.busy
		fault.RetryAfter = wait
		return nil, &fault
	}
	token, err := c.oauth.Token(context.WithValue(ctx, oauth2.HTTPClient, c.tokens))
	if err != nil {
		fault := c.tokenFault(err)
		c.busy, c.until = *fault, c.caller.Clock.Now().Add(fault.RetryAfter)
		return nil, fault
	}
	c.token, c.expires = token, time.Time{}
	if !token.Expiry.IsZero() {
		c.expires = c.caller.Clock.Now().Add(time.Until(token.Expiry) - renewBefore)
	}
	return token, nil
}

// drop forgets the token if it still is the one at hand.
func (c *Client) drop(token *oauth2.Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = nil
	}
}

const noToken = "the answer holds no token"

// tokenFault says what the token address answered. The body of its answer is not repeated: it is of no use and may
// hold anything.
func (c *Client) tokenFault(err error) *source.Fault {
	var answered *oauth2.RetrieveError
	if !errors.As(err, &answered) || answered.Response == nil {
		var fault *source.Fault
		if errors.As(err, &fault) {
			return fault
		}
		if connection := new(url.Error); errors.As(err, &connection) {
			return c.caller.ConnectionFault("token", err)
		}
		return &source.Fault{Source: sourceName, Call: "token", Message: noToken, Retryable: true}
	}
	status := answered.Response.StatusCode
	fault := &source.Fault{Source: sourceName, Call: "token", Status: status, Message: http.StatusText(status)}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusBadRequest || status == http.StatusForbidden:
		fault.Message = "the client credentials are refused: check rte.client_id and rte.client_secret"
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		fault.Retryable, fault.RetryAfter = true, c.caller.RetryAfter(answered.Response.Header)
	case status < 300:
		fault.Message = noToken
	}
	return fault
}
