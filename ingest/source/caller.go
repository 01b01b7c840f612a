package source

import (
	"bufio"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jonboulle/clockwork"

	"courant/store/market"
)

const (
	maxTries         = 5
	firstPause       = 2 * time.Second
	longestPause     = time.Minute
	longestObeyed    = 15 * time.Minute // a longer Retry-After ends the call; the fault says when the next may start
	longestAsked     = 24 * time.Hour   // a longer Retry-After is shortened to that
	connectTimeout   = 10 * time.Second
	headerTimeout    = 2 * time.Minute // ENTSO-E itself times out after 5 min, and rarely needs one
	tryTimeout       = 5 * time.Minute
	pingAfter        = 15 * time.Second // of silence
	pingTimeout      = 15 * time.Second
	maxHeaderBytes   = 64 << 10
	maxRedirects     = 3
	idleConnsPerHost = 2
)

var errRedirected = errors.New("it redirects elsewhere")

// NewHTTPClient makes a client with a limit on every wait. It follows redirects to the same scheme, host and port only,
// because the secret of ENTSO-E is in the address and that of RTE in a header.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			MaxIdleConnsPerHost:    idleConnsPerHost,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
			// Calls share a connection of HTTP/2: a dead one has to be detected before it delays all of them.
			HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || originOf(req.URL) != originOf(via[0].URL) {
				return errRedirected
			}
			return nil
		},
	}
}

// originOf returns the scheme, host and port of an address in one spelling, for comparison.
func originOf(address *url.URL) string {
	scheme := strings.ToLower(address.Scheme)
	port := cmp.Or(address.Port(), map[string]string{"http": "80", "https": "443"}[scheme])
	return scheme + "://" + net.JoinHostPort(strings.ToLower(address.Hostname()), port)
}

// mostTokenBytes is how much is read of the answer to a request for a token.
const mostTokenBytes = 64 << 10

// ForTokens returns the client for requests for tokens, which send credentials: it follows no redirect, and reads little.
func ForTokens(client *http.Client) *http.Client {
	careful := *client
	careful.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirected }
	careful.Transport = briefly{cmp.Or[http.RoundTripper](client.Transport, http.DefaultTransport)}
	return &careful
}

// briefly limits the size of answers to that of a token.
type briefly struct{ http.RoundTripper }

// RoundTrip is for http.RoundTripper.
func (b briefly) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err == nil {
		dropConnection(response)
		response.Body = struct {
			io.Reader
			io.Closer
		}{&limited{reader: response.Body, left: mostTokenBytes}, response.Body}
	}
	return response, err
}

// dropConnection gives an answer that switches protocols an empty body: it would be the connection, which no time limit closes.
func dropConnection(response *http.Response) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		response.Body.Close()
		response.Body = http.NoBody
	}
}

// Caller calls one source. Its fields are set before the first call and not changed after.
type Caller struct {
	Source    string // RTE or ENTSO-E, for messages
	HTTP      *http.Client
	Clock     clockwork.Clock
	Secrets   []string      // removed from messages, in whatever form a source repeats them
	Pause429  time.Duration // before the next try after a 429 that names no time itself
	UserAgent string
	Line      *Line  // in which every try waits; nil: no try waits
	Bounds    Bounds // of the answers
	// Retrying is called before the pause between a fault and the given try; may be nil.
	Retrying func(fault *Fault, try int, pause time.Duration)
	// Mended reports whether the cause of the fault has been corrected, so that the next try needs no pause; nil: never.
	Mended func(*Fault) bool
}

// LogRetries makes a Retrying that logs; nil without a log.
func LogRetries(log *slog.Logger) func(*Fault, int, time.Duration) {
	if log == nil {
		return nil
	}
	return func(fault *Fault, try int, pause time.Duration) {
		log.Warn("source called again", "source", fault.Source, "call", fault.Call, "try", try,
			"pause", pause.Round(time.Millisecond).String(), "error", fault.Error())
	}
}

// Call makes a request, passes the answer to read, and tries again where that may help. Each try waits for its turn in the
// line, and keeps it until the answer is read; build is called for each try, after the wait. Call returns the traffic also
// if it fails. The error is a *Fault, or the context's.
func (c *Caller) Call(
	ctx context.Context, name string, build func(context.Context) (*http.Request, error), read func(*Answer) error,
) (traffic Traffic, err error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = firstPause, longestPause, 2
	for try := 1; ; try++ {
		tried, err := c.try(ctx, name, build, read)
		traffic.Add(tried)
		if err == nil {
			return traffic, ctx.Err()
		}
		fault := c.fault(name, err)
		if ctx.Err() != nil {
			return traffic, errors.Join(ctx.Err(), fault)
		}
		if try < maxTries && c.Mended != nil && c.Mended(fault) {
			continue
		}
		pause := pauses.NextBackOff()
		switch {
		case fault.RetryAfter > 0:
			pause = fault.RetryAfter
		case fault.Status == http.StatusTooManyRequests && c.Pause429 > 0:
			pause = c.Pause429
		}
		if fault.RetryAfter > longestObeyed {
			fault.Message += "; it wants to be left alone until " + InstantText(c.Clock.Now().Add(fault.RetryAfter).Unix())
		}
		if !fault.Retryable || try == maxTries || isOnce(ctx) || pause > longestObeyed {
			return traffic, fault
		}
		if c.Retrying != nil {
			c.Retrying(fault, try+1, pause)
		}
		select {
		case <-ctx.Done():
			return traffic, ctx.Err()
		case <-c.Clock.After(pause):
		}
	}
}

type onceKey struct{}

// Once returns a context whose calls are not tried again after a pause, for a person who waits for the answer.
func Once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

func isOnce(ctx context.Context) bool { return ctx.Value(onceKey{}) != nil }

func (c *Caller) try(
	ctx context.Context, name string, build func(context.Context) (*http.Request, error), read func(*Answer) error,
) (traffic Traffic, err error) {
	traffic.Tries = 1
	if err := c.Line.enter(ctx); err != nil {
		return traffic, err
	}
	defer c.Line.leave()
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	request, err := build(ctx)
	if err != nil {
		return traffic, err
	}
	request.Header.Set("User-Agent", c.UserAgent)
	c.Line.start()
	asked := c.Clock.Now()
	response, err := c.HTTP.Do(request)
	if err != nil {
		return traffic, c.ConnectionFault(name, err)
	}
	dropConnection(response)
	defer response.Body.Close()
	traffic.Clock = readClock(request.URL.Host, response.Header, asked, c.Clock.Now())
	bounds := c.Bounds.orWidest()
	body := &limited{reader: response.Body, left: bounds.Bytes}
	defer func() { traffic.Bytes = body.read }()
	buffered := bufio.NewReaderSize(body, 64<<10)
	head, err := buffered.Peek(sniffBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return traffic, c.bodyFault(name, body, err)
	}
	answer := &Answer{Status: response.StatusCode, Kind: sniff(head), hide: c.scrub}
	document := bounds.reader(answer.Kind, buffered)
	answer.Body = document
	if err := c.refusedByStatus(name, response, answer); err != nil {
		return traffic, err
	}
	err = read(answer)
	switch {
	case document.passed != nil && body.err == nil:
		err = &Fault{Source: c.Source, Call: name, Message: document.passed.Error(), Unreadable: true}
	case err != nil:
		err = c.bodyFault(name, body, err)
	}
	return traffic, err
}

// readClock compares this machine's clock with the Date header of an answer that was asked for and received at two instants.
// An answer from a cache has the time at which it was made, and is ignored.
func readClock(host string, header http.Header, asked, answered time.Time) market.ClockReading {
	date, err := http.ParseTime(header.Get("Date"))
	if age := header.Get("Age"); err != nil || age != "" && age != "0" {
		return market.ClockReading{}
	}
	ahead := asked.Add(answered.Sub(asked) / 2).Sub(date)
	return market.ClockReading{Host: host, Ahead: ahead}
}

// refusedByStatus returns the fault that follows from the status alone, whatever the body is. 400 is left to the reader of
// the answer, because ENTSO-E gives the reason in its text, and 204 is an empty answer.
func (c *Caller) refusedByStatus(name string, response *http.Response, answer *Answer) error {
	status := response.StatusCode
	switch status {
	case http.StatusOK, http.StatusNoContent, http.StatusBadRequest:
		return nil
	}
	said := answer.Excerpt()
	message := http.StatusText(status) // net/http has none for 509, which RTE documents
	switch {
	case message == "" && said == "":
		message = "no reason is given"
	case message == "":
		message = "no success"
	case strings.EqualFold(message, said):
		said = ""
	}
	return &Fault{
		Source: c.Source, Call: name, Status: status, Message: message, Said: said,
		Retryable:  status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500,
		RetryAfter: c.RetryAfter(response.Header),
	}
}

// RetryAfter returns the pause that a Retry-After header asks for, in seconds or as a date, a day at most; 0 without one.
func (c *Caller) RetryAfter(headers http.Header) time.Duration {
	header := headers.Get("Retry-After")
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 && seconds < math.MaxInt32 {
		return min(time.Duration(seconds)*time.Second, longestAsked)
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(date.Sub(c.Clock.Now()), 0), longestAsked)
	}
	return 0
}

// bodyFault distinguishes a reply that was lost on the way, which is worth another try, from a complete one that is wrong.
func (c *Caller) bodyFault(name string, body *limited, err error) error {
	if isUnpacking(body.err) {
		return &Fault{Source: c.Source, Call: name, Message: "the reply cannot be unpacked: " + body.err.Error(), Cause: body.err}
	}
	if body.err != nil {
		return c.ConnectionFault(name, body.err)
	}
	if body.left < 0 {
		return &Fault{Source: c.Source, Call: name, Message: tooLarge(c.Bounds.orWidest().Bytes).Error(), Unreadable: true}
	}
	return err
}

// isUnpacking reports whether the bytes arrived, but cannot be decompressed.
func isUnpacking(err error) bool {
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, new(flate.CorruptInputError))
}

// ConnectionFault is the fault of a call without an answer, or whose answer was lost on the way.
func (c *Caller) ConnectionFault(name string, err error) *Fault {
	lost := !errors.Is(err, errRedirected)
	return &Fault{Source: c.Source, Call: name, Message: Plainly(err), Connection: lost, Retryable: lost, Cause: withoutURL(err)}
}

// fault returns err as a *Fault whose message is one line without secrets. An error of another type is from the reader of
// the answer.
func (c *Caller) fault(name string, err error) *Fault {
	var fault *Fault
	if !errors.As(err, &fault) {
		fault = &Fault{Source: c.Source, Call: name, Unreadable: true, Cause: err}
		fault.Message, fault.Said = Words(err)
	}
	fault.Message = shorten(OneLine(c.scrub(fault.Message)), longestMessage)
	fault.Said = shorten(OneLine(c.scrub(fault.Said)), longestMessage)
	return fault
}

// withoutURL removes the address, which has a secret in it, from an error of net/http.
func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

// Plainly describes the error of a connection in words.
func Plainly(err error) string {
	err = withoutURL(err)
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &dns) && (dns.IsTimeout || dns.IsTemporary):
		return "the name " + dns.Name + " cannot be looked up: " + dns.Err
	case errors.As(err, &dns):
		return "the name " + dns.Name + " is not found"
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended in the middle of the reply"
	case errors.Is(err, io.EOF):
		return "the connection ended without a reply"
	}
	return err.Error()
}

// scrub removes the secrets from a text.
func (c *Caller) scrub(text string) string { return Hide(text, c.Secrets) }

// limited reads at most left bytes, counts them, and keeps the error of the connection.
type limited struct {
	reader io.Reader
	left   int64
	read   int64
	err    error
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.reader.Read(p)
	l.left -= int64(n)
	l.read += int64(n)
	switch {
	case l.left < 0:
		return n, errors.New("too large")
	case err != nil && err != io.EOF:
		l.err = err
	}
	return n, err
}
