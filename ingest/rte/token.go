package rte

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"courant/ingest/source"
)

// accessToken returns the current token, or a new one if that is about to end.
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

// wholeSeconds returns a client that rounds the lifetime of a token to whole seconds, because the oauth2 library does not
// accept decimals. A lifetime that cannot be read is removed.
func wholeSeconds(client *http.Client) *http.Client {
	whole := *client
	whole.Transport = endRounder{cmp.Or[http.RoundTripper](client.Transport, http.DefaultTransport)}
	return &whole
}

type endRounder struct{ http.RoundTripper }

func (r endRounder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	const longest = 1 << 20 // as much as the library reads
	body, err := io.ReadAll(io.LimitReader(response.Body, longest))
	rest := response.Body
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(roundEnd(body)), failure{err}), rest}
	response.ContentLength = -1
	return response, nil
}

// failure is the error that ended the reading of a body early; nil is its end.
type failure struct{ err error }

func (f failure) Read([]byte) (int, error) { return 0, cmp.Or(f.err, io.EOF) }

// roundEnd returns the answer of the token address with expires_in in whole seconds. Any other text is returned as it is.
func roundEnd(body []byte) []byte {
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return body
	}
	for key, value := range answer {
		if !strings.EqualFold(key, "expires_in") {
			continue
		}
		delete(answer, key)
		seconds, ok := source.ParseNumber(strings.TrimSpace(strings.Trim(string(value), `"`)))
		if ok && seconds != 0 { // the library takes 0 for a token without an end
			seconds = min(max(seconds, 1), longestToken.Seconds())
			answer[key] = strconv.AppendInt(nil, int64(seconds), 10)
		}
	}
	rounded, err := json.Marshal(answer)
	if err != nil {
		return body
	}
	return rounded
}

// longestToken bounds the lifetime of a token; a new one is asked for after it.
const longestToken = 365 * 24 * time.Hour

// drop discards the token if it still is the current one.
func (c *Client) drop(token *oauth2.Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = nil
	}
}

const noToken = "the answer holds no token"

// tokenFault explains the error of a request for a token. It does not repeat the body of the answer, which is of no use and
// may have anything in it.
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
		fault.Message, fault.Cause = "the client credentials are refused", source.ErrCredentials
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		fault.Retryable, fault.RetryAfter = true, c.caller.RetryAfter(answered.Response.Header)
	case status < 300:
		fault.Message = noToken
	}
	return fault
}
