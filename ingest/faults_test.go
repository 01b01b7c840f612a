package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest"
	"courant/ingest/entsoe"
	"courant/ingest/rte"
	"courant/ingest/simulator"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// asked is the delivery date that is fetched, some days before now.
var (
	asked = market.NewDeliveryDate(2026, time.July, 1)
	now   = time.Date(2026, time.July, 20, 10, 0, 0, 0, time.UTC)
)

// hastyClock goes on by itself when somebody waits for it, and adds the waits up.
type hastyClock struct {
	*clockwork.FakeClock
	waits  int
	waited time.Duration
}

func (c *hastyClock) After(d time.Duration) <-chan time.Time {
	c.waits++
	c.waited += d
	after := c.FakeClock.After(d)
	c.Advance(d)
	return after
}

// span is how long a caller may wait in all.
type span struct{ least, most time.Duration }

func exactly(d time.Duration) span { return span{d, d} }

// growing is pauses from 2 s on, each twice the one before and half as long or half as long again by chance.
func growing(pauses int) span {
	sum := time.Duration(1<<pauses-1) * 2 * time.Second
	return span{sum / 2, sum * 3 / 2}
}

// How a fetch of one window ends.
type end int

const (
	failed  end = iota // nothing is stored but the account of the run
	brought            // every row is stored
	nothing            // it went well, and there was no row
)

// fault is what is wrong with the calls of a source's resource, and how a fetch is to take it. Tokens are given.
type fault struct {
	name string
	only string // the source, or the resource, that has it; empty: all
	days int    // how many delivery dates are fetched; 0: one

	// At most one of these: the fault that the server has at a try, counted from 1; or what comes out of the network.
	serve func(try int) string
	carry func(*http.Request) (*http.Response, error)

	tries  int
	waits  span
	tokens int // 0: one, where tokens are given
	end    end
	says   string            // the end of the run's error
	saysBy map[string]string // where the sources differ, or the resources of one
}

// always is the same fault of the server at each try.
func always(name string) func(int) string {
	return func(int) string { return name }
}

// inTurn is a fault at each of the first tries, and none from then on.
func inTurn(names ...string) func(int) string {
	return func(try int) string {
		if try > len(names) {
			return simulator.Well
		}
		return names[try-1]
	}
}

// fails is a network that gives an error instead of an answer.
func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// mistrusts is a network in which every name leads to a server with an untrusted certificate.
func mistrusts(t *testing.T) func(*http.Request) (*http.Response, error) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	network := &http.Transport{DisableKeepAlives: true}
	return func(r *http.Request) (*http.Response, error) {
		astray := r.Clone(r.Context())
		astray.URL.Scheme, astray.URL.Host = "https", server.Listener.Addr().String()
		return network.RoundTrip(astray)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// measured is the body of a reply, of which no more is to be read than the client may take in.
type measured struct {
	io.ReadCloser
	t    *testing.T
	read int
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if m.read += n; m.read > 65<<20 {
		m.t.Error("more than 64 MiB of the reply are read")
		return n, io.EOF
	}
	return n, err
}

func document(r *http.Request, body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), Request: r}
}

// faultySource is a resource that is asked for a dataset in spite of a fault.
type faultySource struct {
	name     string // of the source
	all      string // the simulator's word for all of it
	resource string // that fails
	calls    string // how the errors of its calls begin
	tokens   int    // that are asked for when nothing goes wrong with them
	feed     market.FeedName
	dataset  market.Dataset
	first    market.DeliveryDate // that is asked for
	serves   bool                // it is asked by a service only, not by a fetch
	rows     int                 // of a delivery date
	connect  func(*ingest.Options, *simulator.Servers, *http.Client)
}

const (
	maintenance = "<!DOCTYPE html><html><body><h1>Maintenance</h1>back soon</body></html>"
	toRTE       = "RTE"
	toENTSOE    = "ENTSO-E"
)

var faultySources = []faultySource{
	{toRTE, simulator.AllOfRTE, simulator.StandardMFRR, "RTE: standard_mfrr_data: ", 1, market.FeedMFRREnergy, market.MFRREnergy, asked, false, 192,
		func(o *ingest.Options, servers *simulator.Servers, client *http.Client) {
			o.Readers = map[market.FeedName]ingest.Reader{market.FeedMFRREnergy: ingest.ReaderOf(market.MFRR, newRTE(o, servers, client).StandardMFRR)}
		}},
	{toENTSOE, simulator.AllOfENTSOE, simulator.A44, "ENTSO-E: A44: ", 0, market.FeedDayAheadPrices, market.DayAheadPrices, asked, false, 96,
		func(o *ingest.Options, servers *simulator.Servers, client *http.Client) {
			prices := entsoe.NewClient(entsoe.Options{BaseURL: servers.ENTSOEURL, SecurityToken: simulator.SecurityToken, HTTP: client, Clock: o.Clock, Log: o.Log})
			o.Readers = map[market.FeedName]ingest.Reader{market.FeedDayAheadPrices: ingest.ReaderOf(market.Prices, prices.DayAheadPrices)}
		}},
	{toRTE, simulator.AllOfRTE, simulator.PowerExchanges, "RTE: france_power_exchanges: ", 1, market.FeedExchangePrices, market.DayAheadPrices, market.DeliveryDateOf(now), true, 96,
		func(o *ingest.Options, servers *simulator.Servers, client *http.Client) {
			o.Readers = map[market.FeedName]ingest.Reader{market.FeedExchangePrices: ingest.ReaderOf(market.Prices, newRTE(o, servers, client).PowerExchangePrices)}
		}},
}

func newRTE(o *ingest.Options, servers *simulator.Servers, client *http.Client) *rte.Client {
	return rte.NewClient(rte.Options{BaseURL: servers.RTEURL, ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret, HTTP: client, Clock: o.Clock, Log: o.Log})
}

func TestEveryFaultOfASource(t *testing.T) {
	t.Parallel()
	const (
		maintained = ": “Service Temporarily Unavailable Scheduled maintenance is currently underway. Please check back soon.”"
		busy       = "status 503: Service Unavailable" + maintained
		expired    = `status 401: Unauthorized: “{"error":"invalid_token","error_description":"the access token is missing or has expired"}”`
	)
	// What a connection suffers, and what a source says when it is busy, is tried again.
	lost := func(name, says string, carry func(*http.Request) (*http.Response, error)) fault {
		return fault{name: name, carry: carry, tries: 5, waits: growing(4), says: says}
	}
	again := func(name, says string) fault {
		return fault{name: name, serve: always(name), tries: 5, waits: growing(4), says: says}
	}
	againBy := func(name, rte, entsoe string) fault {
		return fault{name: name, serve: always(name), tries: 5, waits: growing(4), saysBy: map[string]string{toRTE: rte, toENTSOE: entsoe}}
	}
	// Anything else is final.
	final := func(name, says string) fault {
		return fault{name: name, serve: always(name), tries: 1, says: says}
	}
	finalBy := func(name, rte, entsoe string) fault {
		return fault{name: name, serve: always(name), tries: 1, saysBy: map[string]string{toRTE: rte, toENTSOE: entsoe}}
	}
	for _, f := range storetest.Some(2, []fault{
		// The connection.
		again(simulator.ConnectionRefused, "connection refused"),
		lost("unknown name", "the name source.invalid is not found", fails(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "source.invalid", IsNotFound: true}})),
		lost("no answer from the name server", "the name source.invalid cannot be looked up: i/o timeout",
			fails(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", Name: "source.invalid", IsTimeout: true, IsTemporary: true}})),
		lost("a certificate that nobody trusts", "x509: certificate signed by unknown authority", mistrusts(t)),
		again("hang-before-headers", "no answer in time"),
		again("hang-in-body", "no answer in time"),
		again("connection-reset", "the connection was reset"),
		again("reset-in-body", "the connection was reset"),
		again("connection-closed", "the connection ended without a reply"),
		again("truncated-body", "the connection ended in the middle of the reply"),
		{name: "reset once", serve: inTurn("connection-reset"), tries: 2, waits: growing(1), end: brought},
		{name: "truncated twice", serve: inTurn("truncated-body", "truncated-body"), tries: 3, waits: growing(2), end: brought},
		{name: "refused once", serve: inTurn(simulator.ConnectionRefused), tries: 2, waits: growing(1), end: brought},

		// A reply that is no document.
		finalBy("html-page", "the reply is an HTML page, not JSON: “Service Temporarily Unavailable Scheduled maintenance is currently underway. Please check back soon.”",
			"the reply is an HTML page, not XML: “Service Temporarily Unavailable Scheduled maintenance is currently underway. Please check back soon.”"),
		finalBy("plain-text", "the reply is plain text, not JSON: “try again later”", "the reply is plain text, not XML: “try again later”"),
		final("empty-reply", "the reply is empty"),
		{name: "another-document", serve: always("another-document"), tries: 1, saysBy: map[string]string{simulator.StandardMFRR: "the reply holds no mari",
			simulator.PowerExchanges: "the reply holds no france_power_exchanges", toENTSOE: `the reply is a "Balancing_MarketDocument", not a Publication_MarketDocument`}},
		{name: "early-end", serve: always("early-end"), tries: 1, saysBy: map[string]string{simulator.StandardMFRR: "the reply cannot be read: “field name: unexpected EOF”",
			simulator.PowerExchanges: "the reply cannot be read: “unexpected EOF”", toENTSOE: "the reply cannot be read: “XML syntax error on line 2: unexpected EOF”"}},
		final("gzip-lie", "the reply cannot be unpacked: gzip: invalid header"),
		{name: "gigabyte", serve: always("gigabyte"), tries: 1, saysBy: map[string]string{simulator.StandardMFRR: "the reply is larger than 3 MiB, far larger than a real one",
			simulator.PowerExchanges: "the reply is larger than 2 MiB, far larger than a real one", toENTSOE: "the reply holds a text or tag of more than 16384 bytes, far more than a real one"}},
		final("redirect", "it redirects elsewhere"),

		// A status.
		{name: "status-204", serve: always("status-204"), tries: 1, end: nothing},
		finalBy("status-400", "status 400: the window was refused: “invalid_request: the request cannot be served”",
			"status 400: the request was refused: “Delivered time interval is not valid for this Data item.”"),
		{name: "400 that says that there is nothing", only: toENTSOE, serve: always("status-400-no-data"), tries: 1, end: nothing},
		{name: "200 that says that there is nothing", only: toENTSOE, serve: always("no-data"), tries: 1, end: nothing},
		{name: "400 that says that one day is too wide", only: toENTSOE, serve: always("status-400-too-wide"), tries: 1,
			says: "status 400: the window is too wide for the source: “The amount of requested data exceeds allowed limit.”"},
		{name: "401", only: toENTSOE, serve: always("status-401"), tries: 1,
			says: "status 401: the security token is refused"},
		{name: "401", only: toRTE, serve: always("status-401"), tries: 2, tokens: 2, says: expired},
		{name: "401 once", only: toRTE, serve: inTurn("status-401"), tries: 2, tokens: 2, end: brought},
		{name: "401 as the last of five tries", only: toRTE, serve: inTurn("status-503", "status-503", "status-503", "status-503", "status-401"),
			tries: 5, waits: growing(4), says: expired},
		{name: "status-403", serve: always("status-403"), tries: 1, saysBy: map[string]string{
			simulator.StandardMFRR:   "status 403: the application is not subscribed to the API Balancing Energy: subscribe it on RTE's data portal",
			simulator.PowerExchanges: "status 403: the application is not subscribed to the API Wholesale Market: subscribe it on RTE's data portal",
			toENTSOE:                 "status 403: Forbidden: “access is not allowed”"}},
		finalBy("status-404", "status 404: Not Found", "status 404: Not Found: “404 page not found”"),
		finalBy("status-413", "status 413: Request Entity Too Large", "status 413: Request Entity Too Large: “the request is too large”"),
		finalBy("status-414", "status 414: Request URI Too Long", "status 414: Request URI Too Long: “the address is too long”"),
		againBy("status-408", "status 408: Request Timeout", "status 408: Request Timeout: “the request took too long”"),
		againBy("status-500", `status 500: Internal Server Error: “{"error":"internal_error","error_description":"the request could not be served"}”`, "status 500: Internal Server Error: “an error occurred”"),
		again("status-503", busy),
		againBy("status-509", "status 509: no reason is given", "status 509: no success: “bandwidth limit exceeded”"),
		{name: "503, and the fifth try is good", serve: inTurn("status-503", "status-500", "status-408", "status-509"), tries: 5, waits: growing(4), end: brought},
		{name: "503 that becomes 404", serve: inTurn("status-503", "status-404"), tries: 2, waits: growing(1),
			saysBy: map[string]string{toRTE: "status 404: Not Found", toENTSOE: "status 404: Not Found: “404 page not found”"}},
		{name: "503 with Retry-After in seconds", serve: always("status-503-retry-after"), tries: 5, waits: exactly(6 * time.Minute), says: busy},
		{name: "503 with a Retry-After beyond patience", serve: always("status-503-retry-after-day"), tries: 1,
			says: "status 503: Service Unavailable; it wants to be left alone until 2026-07-21T10:00:00Z" + maintained},
		{name: "429", only: toRTE, serve: always("status-429"), tries: 5, waits: growing(4), says: "status 429: Too Many Requests: “requests too frequent”"},
		{name: "429", only: toENTSOE, serve: always("status-429"), tries: 5, waits: exactly(40 * time.Minute),
			says: "status 429: Too Many Requests: “Max allowed requests per minute from each unique IP is max up to 400 only”"},
		{name: "429 twice", only: toENTSOE, serve: inTurn("status-429", "status-429"), tries: 3, waits: exactly(20 * time.Minute), end: brought},
		{name: "a ban of ten minutes", only: toENTSOE, serve: inTurn(simulator.Ban), tries: 2, waits: exactly(10 * time.Minute), end: brought},
		{name: "429 with Retry-After in seconds", serve: inTurn("status-429-retry-after", "status-429-retry-after"), tries: 3, waits: exactly(time.Minute), end: brought},
		{name: "429 with Retry-After as a date", serve: inTurn("status-429-retry-after-date"), tries: 2, waits: exactly(time.Minute), end: brought},

		// A backfill of three windows, in the second of which the token ends.
		{name: "a token that expires in the middle", only: simulator.StandardMFRR, days: 15, tokens: 2, tries: 4, end: brought,
			serve: func(try int) string {
				if try == 2 {
					return simulator.TokenExpired
				}
				return simulator.Well
			}},
	}) {
		for _, source := range faultySources {
			if f.only == "" || f.only == source.name || f.only == source.resource {
				t.Run(source.resource+"/"+f.name, func(t *testing.T) { newFaultyRun(t, f, source).check(t, f) })
			}
		}
	}
}

// patience is how long the client waits for a source that hangs. Such a try fails, however long it is.
const patience = 5 * time.Millisecond

// faultyRun is a fetch from a source with a fault.
type faultyRun struct {
	source faultySource
	last   market.DeliveryDate
	db     *store.Store
	clock  *hastyClock
	log    bytes.Buffer
	err    error

	mu            sync.Mutex
	tries, tokens int
}

// newFaultyRun fetches with the real clients, over HTTP.
func newFaultyRun(t *testing.T, f fault, from faultySource) *faultyRun {
	t.Helper()
	r := &faultyRun{source: from, last: from.first.Add(max(f.days, 1) - 1), clock: &hastyClock{FakeClock: clockwork.NewFakeClockAt(now)}}
	db := storetest.New(t)
	r.db = db

	switches := new(simulator.Switches)
	servers, err := simulator.Start(simulator.Options{Now: r.clock.Now, Switches: switches})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := servers.Close(); err != nil {
			t.Error(err)
		}
	})
	client := source.NewHTTPClient()
	network := client.Transport.(*http.Transport)
	network.Proxy = nil
	network.DisableKeepAlives = true // a kept connection that ends is replaced within a try
	client.Transport = transport(func(request *http.Request) (*http.Response, error) {
		isToken := strings.HasPrefix(request.URL.Path, "/token/")
		try := r.count(isToken)
		switch {
		case isToken:
			return network.RoundTrip(request)
		case f.carry != nil:
			return f.carry(request)
		}
		wrong := simulator.Switch{Resource: from.resource, Fault: f.serve(try)}
		if wrong.Fault == simulator.ConnectionRefused {
			wrong.Resource = from.all
		}
		if err := switches.Set(wrong); err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(wrong.Fault, "hang") {
			ctx, cancel := context.WithTimeout(request.Context(), patience)
			t.Cleanup(cancel)
			request = request.WithContext(ctx)
		}
		response, err := network.RoundTrip(request)
		if err == nil {
			response.Body = &measured{ReadCloser: response.Body, t: t}
		}
		return response, err
	})

	options := ingest.Options{Store: db, Clock: r.clock, Log: slog.New(slog.NewJSONHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	from.connect(&options, servers, client)
	if !from.serves {
		r.err = ingest.New(options).Fetch(t.Context(), ingest.FetchRequest{Dataset: from.dataset, First: from.first, Last: r.last, Progress: func(ingest.Progress) {}})
		return r
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	options.Ran = func(store.Run) { stop() }
	if err := ingest.New(options).Serve(ctx); err != nil {
		t.Error(err)
	}
	return r
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// count counts a call, and returns the number of calls of the resource.
func (r *faultyRun) count(token bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token {
		r.tokens++
	} else {
		r.tries++
	}
	return r.tries
}

// said is the lines of the log with the message.
func (r *faultyRun) said(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(r.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

func (r *faultyRun) check(t *testing.T, f fault) {
	t.Helper()
	wantTokens := max(f.tokens, r.source.tokens)
	if r.tries != f.tries || r.tokens != wantTokens {
		t.Errorf("%d tries and %d tokens, want %d and %d", r.tries, r.tokens, f.tries, wantTokens)
	}
	if r.clock.waited < f.waits.least || r.clock.waited > f.waits.most {
		t.Errorf("%v were waited, want %v to %v", r.clock.waited, f.waits.least, f.waits.most)
	}
	says := f.says
	for _, key := range []string{r.source.name, r.source.resource} {
		if by, differs := f.saysBy[key]; differs {
			says = by
		}
	}
	r.checkStored(t, f.end, says)
	r.checkLog(t, f.end, says)
}

// checkStored holds what the store tells of the run against how it was to end.
func (r *faultyRun) checkStored(t *testing.T, want end, says string) {
	t.Helper()
	coverage, err := r.db.Coverage(t.Context(), r.source.dataset, r.source.first, r.last)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := r.db.FetchHistory(t.Context(), string(r.source.feed), r.source.dataset, r.source.first, r.last)
	if err != nil {
		t.Fatal(err)
	}
	answered, lastError := asked[r.last].Answered, asked[r.last].Fault.Reason
	rows := 0
	if want == brought {
		rows = r.source.rows * (r.source.first.DaysUntil(r.last) + 1)
	}
	if coverage.Rows() != rows {
		t.Errorf("%d rows are stored, want %d", coverage.Rows(), rows)
	}
	if want != failed {
		if r.err != nil || lastError != "" || !answered.Equal(r.clock.Now().Truncate(time.Millisecond)) {
			t.Errorf("error %v; the run succeeded at %v and says %q", r.err, answered, lastError)
		}
		return
	}
	if !strings.HasPrefix(lastError, r.source.calls) || !strings.HasSuffix(lastError, says) || says == "" {
		t.Errorf("the run says %q, want %q", lastError, r.source.calls+says)
	}
	told := r.source.serves || errors.Is(r.err, ingest.ErrIncomplete) && strings.Contains(r.err.Error(), says)
	if !answered.IsZero() || !told {
		t.Errorf("last success %v, error %v", answered, r.err)
	}
}

// checkLog looks for a line about each pause, one about each run, and no secret.
func (r *faultyRun) checkLog(t *testing.T, want end, says string) {
	t.Helper()
	again := r.said(t, "source called again")
	if len(again) != r.clock.waits {
		t.Errorf("%d notices of %d pauses", len(again), r.clock.waits)
	}
	var waited time.Duration
	for i, notice := range again {
		pause, err := time.ParseDuration(fmt.Sprint(notice["pause"]))
		if err != nil || notice["try"] != float64(i+2) || notice["source"] != r.source.name || notice["level"] != "WARN" || notice["error"] == "" {
			t.Errorf("notice %v", notice)
		}
		waited += pause
	}
	if off := (waited - r.clock.waited).Abs(); off > 5*time.Millisecond {
		t.Errorf("the notices tell of %v, %v were waited", waited, r.clock.waited)
	}
	outcome := store.OutcomeOK
	if want == failed {
		outcome = store.OutcomeFailed
	}
	tries := 0.
	for _, run := range r.said(t, "feed run") {
		tries += run["tries"].(float64)
		if run["outcome"] != string(outcome) {
			t.Errorf("run %v, want outcome %s", run, outcome)
		}
	}
	if tries != float64(r.tries) {
		t.Errorf("the runs tell of %v tries, %d were made", tries, r.tries)
	}
	for _, secret := range []string{simulator.ClientSecret, simulator.SecurityToken, "Bearer"} {
		if strings.Contains(r.log.String(), secret) || r.err != nil && strings.Contains(r.err.Error(), secret) {
			t.Errorf("%q shows", secret)
		}
	}
}
