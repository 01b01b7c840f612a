package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest"
	"courant/ingest/entsoe"
	"courant/ingest/rte"
	"courant/ingest/simulator"
	"courant/ingest/source"
	"courant/store"
)

// asked is the delivery date that is fetched, some days before now.
var (
	asked = store.NewDeliveryDate(2026, time.July, 1)
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
	only string // the source that has it; empty: both
	days int    // how many delivery dates are fetched; 0: one

	// At most one of these: what the server does at a try, counted from 1, false for the good answer; or what comes
	// out of the network, nil for what the server says.
	serve func(try int, w http.ResponseWriter, r *http.Request) bool
	carry func(t *testing.T, try int, r *http.Request, next http.RoundTripper) (*http.Response, error)

	tries  int
	waits  span
	tokens int // 0: one, at RTE
	end    end
	says   string            // the end of the run's error
	saysBy map[string]string // where the sources differ
}

// status answers with a status and a body.
func status(code int, body string, headers ...string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
		return true
	}
}

// statuses answers the first tries with a status each, and well from then on.
func statuses(codes ...int) func(int, http.ResponseWriter, *http.Request) bool {
	return func(try int, w http.ResponseWriter, _ *http.Request) bool {
		if try > len(codes) {
			return false
		}
		w.WriteHeader(codes[try-1])
		return true
	}
}

// first is the fault of the first tries only.
func first(tries int, serve func(int, http.ResponseWriter, *http.Request) bool) func(int, http.ResponseWriter, *http.Request) bool {
	return func(try int, w http.ResponseWriter, r *http.Request) bool { return try <= tries && serve(try, w, r) }
}

// fails is a network that gives an error instead of an answer.
func fails(err error) func(*testing.T, int, *http.Request, http.RoundTripper) (*http.Response, error) {
	return func(*testing.T, int, *http.Request, http.RoundTripper) (*http.Response, error) { return nil, err }
}

// breaks is a network that gives an error in the middle of the answer.
func breaks(err error) func(*testing.T, int, *http.Request, http.RoundTripper) (*http.Response, error) {
	return func(_ *testing.T, _ int, r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		return document(r, io.MultiReader(strings.NewReader(opening(r)), failing{err})), nil
	}
}

// leads is a network in which the source's name leads to another address.
func leads(scheme, host string) func(*testing.T, int, *http.Request, http.RoundTripper) (*http.Response, error) {
	return func(_ *testing.T, _ int, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		astray := r.Clone(r.Context())
		astray.URL.Scheme, astray.URL.Host = scheme, host
		return next.RoundTrip(astray)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// huge is a gigabyte of spaces, of which no more is made than is read.
type huge struct {
	t    *testing.T
	read int
}

func (h *huge) Read(p []byte) (int, error) {
	if h.read += len(p); h.read > 65<<20 {
		h.t.Error("more than 64 MiB of the reply are read")
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// opening is how the document begins that the request asks for.
func opening(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/open_api/") {
		return `{"mari":{"mari_mesures":[`
	}
	return `<?xml version="1.0"?><Publication_MarketDocument>`
}

func document(r *http.Request, body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), Request: r}
}

// timeout is the error of a network whose patience is over.
type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// rst resets the connection.
func rst(_ int, w http.ResponseWriter, _ *http.Request) bool {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	connection.(*net.TCPConn).SetLinger(0)
	connection.Close()
	return true
}

// closedPort is an address of this machine at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// strangerTLS is an address that speaks TLS with a certificate that nobody trusts.
func strangerTLS(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func acknowledgement(text string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">` +
		`<Reason><code>999</code><text>` + text + `</text></Reason></Acknowledgement_MarketDocument>`
}

const (
	maintenance = "<!DOCTYPE html><html><body><h1>Maintenance</h1>back soon</body></html>"
	toRTE       = "RTE"
	toENTSOE    = "ENTSO-E"
)

func TestEveryFaultOfASource(t *testing.T) {
	lost := func(name, says string, carry func(*testing.T, int, *http.Request, http.RoundTripper) (*http.Response, error)) fault {
		return fault{name: name, carry: carry, tries: 5, waits: growing(4), says: says}
	}
	final := func(code int, says string) fault {
		return fault{name: fmt.Sprint(code), serve: status(code, says), tries: 1, says: fmt.Sprintf("status %d: %s", code, says)}
	}
	busy := func(code int) fault {
		return fault{name: fmt.Sprint(code), serve: status(code, maintenance), tries: 5, waits: growing(4),
			says: fmt.Sprintf("status %d: Maintenance back soon", code)}
	}
	for _, f := range []fault{
		// The connection.
		lost("connection refused", "connection refused", leads("http", closedPort(t))),
		lost("unknown name", "the name source.invalid is not found", fails(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "source.invalid", IsNotFound: true}})),
		lost("no answer from the name server", "the name source.invalid cannot be looked up: i/o timeout",
			fails(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", Name: "source.invalid", IsTimeout: true, IsTemporary: true}})),
		lost("a certificate that nobody trusts", "x509: certificate signed by unknown authority", leads("https", strangerTLS(t))),
		lost("hang before the headers", "no answer in time", fails(timeout{})),
		lost("hang in the body", "no answer in time", breaks(timeout{})),
		lost("reset in the body", "the connection was reset", breaks(&net.OpError{Op: "read", Err: syscall.ECONNRESET})),
		{name: "reset before the reply", serve: rst, tries: 5, waits: growing(4), says: "the connection was reset"},
		{name: "reset once", serve: first(1, rst), tries: 2, waits: growing(1), end: brought},
		{name: "closed before the reply", serve: func(int, http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
			tries: 5, waits: growing(4), says: "the connection ended without a reply"},
		{name: "cut in the middle", serve: status(200, "{", "Content-Length", "1000"), tries: 5, waits: growing(4), says: "the connection ended in the middle of the reply"},
		{name: "cut twice", serve: first(2, status(200, "{", "Content-Length", "1000")), tries: 3, waits: growing(2), end: brought},

		// A reply that is no document.
		{name: "a page with status 200", serve: status(200, maintenance), tries: 1, saysBy: map[string]string{
			toRTE: "the reply is an HTML page, not JSON: Maintenance back soon", toENTSOE: "the reply is an HTML page, not XML: Maintenance back soon"}},
		{name: "words with status 200", serve: status(200, "try later"), tries: 1, saysBy: map[string]string{
			toRTE: "the reply is plain text, not JSON: try later", toENTSOE: "the reply is plain text, not XML: try later"}},
		{name: "nothing with status 200", serve: status(200, ""), tries: 1, says: "the reply is empty"},
		{name: "another document", tries: 1, serve: func(_ int, w http.ResponseWriter, r *http.Request) bool {
			return status(200, map[bool]string{true: `{"days":[]}`, false: "<Balancing_MarketDocument/>"}[strings.HasPrefix(r.URL.Path, "/open_api/")])(1, w, r)
		}, saysBy: map[string]string{toRTE: "the reply holds no mari", toENTSOE: "the reply is a Balancing_MarketDocument, not a Publication_MarketDocument"}},
		{name: "gzip that is none", serve: status(200, "as plain as can be", "Content-Encoding", "gzip"), tries: 1,
			says: "the reply cannot be unpacked: gzip: invalid header"},
		{name: "a gigabyte", tries: 1, says: "the reply is larger than 64 MiB",
			carry: func(t *testing.T, _ int, r *http.Request, _ http.RoundTripper) (*http.Response, error) {
				return document(r, io.MultiReader(strings.NewReader(opening(r)), &huge{t: t})), nil
			}},
		{name: "a redirect elsewhere", serve: status(302, "", "Location", "http://elsewhere.invalid/"), tries: 1, says: "it redirects elsewhere"},

		// A status.
		{name: "204", serve: status(204, ""), tries: 1, end: nothing},
		{name: "400", only: toRTE, serve: status(400, `{"error":"BALANCINGENERGY_F02","error_description":"The period is too long."}`), tries: 1,
			says: "status 400: BALANCINGENERGY_F02: The period is too long."},
		{name: "400", only: toENTSOE, serve: status(400, acknowledgement("Delivered time interval is not valid.")), tries: 1,
			says: "status 400: the request was refused: Delivered time interval is not valid."},
		{name: "400 that says that there is nothing", only: toENTSOE, serve: status(400, acknowledgement("No matching data found")), tries: 1, end: nothing},
		{name: "200 that says that there is nothing", only: toENTSOE, serve: status(200, acknowledgement("No matching data found")), tries: 1, end: nothing},
		{name: "400 that says that one day is too wide", only: toENTSOE, serve: status(400, acknowledgement("The amount of requested data exceeds allowed limit.")), tries: 1,
			says: "status 400: the window is too wide for the source: The amount of requested data exceeds allowed limit."},
		{name: "401", only: toENTSOE, serve: status(401, maintenance), tries: 1,
			says: "status 401: the security token is refused: check entsoe.security_token"},
		{name: "401", only: toRTE, serve: status(401, "no"), tries: 2, tokens: 2, says: "status 401: no"},
		{name: "401 once", only: toRTE, serve: statuses(401), tries: 2, tokens: 2, end: brought},
		{name: "401 as the last of five tries", only: toRTE, serve: statuses(503, 503, 503, 503, 401), tries: 5, waits: growing(4), says: "status 401: Unauthorized"},
		{name: "403", only: toRTE, serve: status(403, "no"), tries: 1,
			says: "status 403: the application is not subscribed to the API Balancing Energy: subscribe it on RTE's data portal"},
		{name: "403", only: toENTSOE, serve: status(403, "not for you"), tries: 1, says: "status 403: not for you"},
		final(404, "404 page not found"),
		final(413, "Request Entity Too Large"),
		final(414, "URI Too Long"),
		busy(408), busy(500), busy(503), busy(509),
		{name: "503, and the fifth try is good", serve: statuses(503, 500, 408, 509), tries: 5, waits: growing(4), end: brought},
		{name: "503 that becomes 404", serve: statuses(503, 404), tries: 2, waits: growing(1), says: "status 404: Not Found"},
		{name: "503 with Retry-After in seconds", serve: status(503, "", "Retry-After", "90"), tries: 5, waits: exactly(6 * time.Minute), says: "status 503: Service Unavailable"},
		{name: "503 with a Retry-After beyond patience", serve: status(503, "", "Retry-After", "86400"), tries: 1, says: "status 503: Service Unavailable"},
		{name: "429", only: toRTE, serve: status(429, "requests too frequent"), tries: 5, waits: growing(4), says: "status 429: requests too frequent"},
		{name: "429", only: toENTSOE, serve: status(429, "Max allowed requests per minute from each unique IP is max up to 400 only"), tries: 5, waits: exactly(40 * time.Minute),
			says: "status 429: Max allowed requests per minute from each unique IP is max up to 400 only"},
		{name: "a ban that ends", only: toENTSOE, serve: statuses(429, 429), tries: 3, waits: exactly(20 * time.Minute), end: brought},
		{name: "429 with Retry-After in seconds", serve: first(2, status(429, "", "Retry-After", "33")), tries: 3, waits: exactly(66 * time.Second), end: brought},
		{name: "429 with Retry-After as a date", serve: first(1, status(429, "", "Retry-After", now.Add(5*time.Minute).Format(http.TimeFormat))),
			tries: 2, waits: exactly(5 * time.Minute), end: brought},

		// A backfill of three windows, in the second of which the token ends.
		{name: "a token that ends in the middle", only: toRTE, days: 15, tokens: 2, tries: 4, end: brought,
			serve: func(try int, w http.ResponseWriter, r *http.Request) bool {
				return try == 2 && status(401, "")(try, w, r)
			}},
	} {
		for _, source := range []string{toRTE, toENTSOE} {
			if f.only == "" || f.only == source {
				t.Run(source+"/"+f.name, func(t *testing.T) { newFaultyRun(t, f, source).check(t, f) })
			}
		}
	}
}

var feedOf = map[store.Dataset]string{store.DayAheadPrices: string(ingest.DayAheadPrices), store.MFRREnergy: string(ingest.MFRREnergy)}

// faultyRun is a fetch from a source with a fault.
type faultyRun struct {
	source  string
	dataset store.Dataset
	last    store.DeliveryDate
	db      *store.Store
	clock   *hastyClock
	log     bytes.Buffer
	err     error

	mu            sync.Mutex
	tries, tokens int
}

// newFaultyRun fetches with the real clients, over HTTP.
func newFaultyRun(t *testing.T, f fault, from string) *faultyRun {
	t.Helper()
	r := &faultyRun{source: from, dataset: store.MFRREnergy, last: asked.Add(max(f.days, 1) - 1), clock: &hastyClock{FakeClock: clockwork.NewFakeClockAt(now)}}
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "courant.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r.db = db

	market := simulator.RTE(simulator.Options{Now: r.clock.Now})
	if from == toENTSOE {
		market = simulator.ENTSOE(simulator.Options{Now: r.clock.Now})
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if f.serve == nil || isToken(request) || !f.serve(r.try(), w, request) {
			market.ServeHTTP(w, request)
		}
	}))
	t.Cleanup(server.Close)
	client := source.NewHTTPClient()
	network := client.Transport.(*http.Transport)
	network.Proxy = nil
	network.DisableKeepAlives = true // a kept connection that ends is replaced within a try
	client.Transport = transport(func(request *http.Request) (*http.Response, error) {
		try := r.count(isToken(request))
		if f.carry == nil || isToken(request) {
			return network.RoundTrip(request)
		}
		return f.carry(t, try, request, network)
	})

	log := slog.New(slog.NewJSONHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	options := ingest.Options{Store: db, Clock: r.clock, Log: log}
	if from == toENTSOE {
		r.dataset = store.DayAheadPrices
		options.Prices = entsoe.NewClient(entsoe.Options{BaseURL: server.URL + "/api", SecurityToken: simulator.SecurityToken, HTTP: client, Clock: r.clock, Log: log})
	} else {
		options.Balancing = rte.NewClient(rte.Options{BaseURL: server.URL, ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret, HTTP: client, Clock: r.clock, Log: log})
	}
	r.err = ingest.New(options).Fetch(t.Context(), ingest.FetchRequest{Dataset: r.dataset, First: asked, Last: r.last, Progress: func(ingest.Progress) {}})
	return r
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func isToken(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/token/") }

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

func (r *faultyRun) try() int {
	r.mu.Lock()
	defer r.mu.Unlock()
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
	wantTokens := f.tokens
	if r.source == toRTE {
		wantTokens = max(wantTokens, 1)
	}
	if r.tries != f.tries || r.tokens != wantTokens {
		t.Errorf("%d tries and %d tokens, want %d and %d", r.tries, r.tokens, f.tries, wantTokens)
	}
	if r.clock.waited < f.waits.least || r.clock.waited > f.waits.most {
		t.Errorf("%v were waited, want %v to %v", r.clock.waited, f.waits.least, f.waits.most)
	}
	says := f.says
	if by, differs := f.saysBy[r.source]; differs {
		says = by
	}
	r.checkStored(t, f.end, says)
	r.checkLog(t, f.end, says)
}

// checkStored holds what the store tells of the run against how it was to end.
func (r *faultyRun) checkStored(t *testing.T, want end, says string) {
	t.Helper()
	summary, err := r.db.RunSummary(t.Context(), feedOf[r.dataset], r.dataset)
	if err != nil {
		t.Fatal(err)
	}
	coverage, err := r.db.Coverage(t.Context(), r.dataset, asked, r.last)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	if want == brought {
		perDate := map[store.Dataset]int{store.DayAheadPrices: 96, store.MFRREnergy: 192}[r.dataset]
		rows = perDate * (asked.DaysUntil(r.last) + 1)
	}
	if coverage.Rows() != rows {
		t.Errorf("%d rows are stored, want %d", coverage.Rows(), rows)
	}
	if want != failed {
		if r.err != nil || summary.LastError != "" || !summary.LastSuccess.Equal(r.clock.Now().Truncate(time.Millisecond)) {
			t.Errorf("error %v; the run succeeded at %v and says %q", r.err, summary.LastSuccess, summary.LastError)
		}
		return
	}
	prefix := map[string]string{toRTE: "RTE: standard_mfrr_data: ", toENTSOE: "ENTSO-E: A44: "}[r.source]
	if !strings.HasPrefix(summary.LastError, prefix) || !strings.HasSuffix(summary.LastError, says) || says == "" {
		t.Errorf("the run says %q, want %q", summary.LastError, prefix+says)
	}
	if !summary.LastSuccess.IsZero() || !errors.Is(r.err, ingest.ErrIncomplete) || !strings.Contains(r.err.Error(), says) {
		t.Errorf("last success %v, error %v", summary.LastSuccess, r.err)
	}
}

// checkLog looks for a line about each pause, one about each run, and no secret.
func (r *faultyRun) checkLog(t *testing.T, want end, says string) {
	t.Helper()
	again := r.said(t, "source asked again")
	if len(again) != r.clock.waits {
		t.Errorf("%d notices of %d pauses", len(again), r.clock.waits)
	}
	var waited time.Duration
	for i, notice := range again {
		pause, err := time.ParseDuration(fmt.Sprint(notice["pause"]))
		if err != nil || notice["try"] != float64(i+2) || notice["source"] != r.source || notice["level"] != "WARN" || notice["error"] == "" {
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
	for _, run := range r.said(t, "feed run") {
		if run["outcome"] != string(outcome) {
			t.Errorf("run %v, want outcome %s", run, outcome)
		}
	}
	for _, secret := range []string{simulator.ClientSecret, simulator.SecurityToken, "Bearer"} {
		if strings.Contains(r.log.String(), secret) || r.err != nil && strings.Contains(r.err.Error(), secret) {
			t.Errorf("%q shows", secret)
		}
	}
}
