package rte_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest/rte"
	"courant/ingest/source"
	"courant/store/market"
	"courant/store/storetest/await"
)

const (
	clientID     = "0c1d2e3f-client-id"
	clientSecret = "9a8b7c6d-client-secret"
)

// hastyClock goes on by itself when somebody waits for it, and remembers how long each wait was.
type hastyClock struct {
	*clockwork.FakeClock
	pauses  []time.Duration
	onPause func() // nil: nothing
}

func newHastyClock() *hastyClock {
	return &hastyClock{FakeClock: clockwork.NewFakeClockAt(time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC))}
}

func (c *hastyClock) After(d time.Duration) <-chan time.Time {
	c.pauses = append(c.pauses, d)
	if c.onPause != nil {
		c.onPause()
	}
	after := c.FakeClock.After(d)
	c.Advance(d)
	return after
}

func newClient(t *testing.T, base string, clock clockwork.Clock, id, secret string) *rte.Client {
	t.Helper()
	http := source.NewHTTPClient()
	t.Cleanup(http.CloseIdleConnections)
	return rte.NewClient(rte.Options{BaseURL: base + "/", ClientID: id, ClientSecret: secret, HTTP: http, Clock: clock, UserAgent: "courant/test"})
}

// fakeRTE gives out tokens token-1, token-2 and so on, and answers the resources as a test says.
type fakeRTE struct {
	server   *httptest.Server
	clock    *hastyClock
	client   *rte.Client
	token    http.HandlerFunc // nil: gives tokens
	resource http.HandlerFunc // nil: an empty document of the resource

	mu        sync.Mutex
	tokens    int
	resources []*http.Request
}

func newFakeRTE(t *testing.T) *fakeRTE {
	t.Helper()
	f := &fakeRTE{clock: newHastyClock()}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		isToken := r.URL.Path == "/token/oauth/"
		if isToken {
			f.tokens++
		} else {
			f.resources = append(f.resources, r)
		}
		n, token, resource := f.tokens, f.token, f.resource
		f.mu.Unlock()
		switch {
		case isToken && token != nil:
			token(w, r)
		case isToken:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":7200}`, n)
		case resource != nil:
			resource(w, r)
		default:
			io.WriteString(w, `{"result_procured_reserves":[],"days":[],"mari":null,"imbalance_data":[],"france_power_exchanges":[]}`)
		}
	}))
	t.Cleanup(f.server.Close)
	f.client = newClient(t, f.server.URL, f.clock, clientID, clientSecret)
	return f
}

// calls are the client's, by resource.
var calls = []struct {
	name, path, api string
	query           string // of the autumn day
	call            func(*testing.T, *rte.Client, market.Period) (rows int, traffic source.Traffic, err error)
}{
	{"capacity", "/open_api/balancing_capacity/v5/result_procured_reserves", "Balancing Capacity", autumnQuery, func(t *testing.T, c *rte.Client, w market.Period) (int, source.Traffic, error) {
		reply, traffic, err := c.ProcuredReserves(t.Context(), w)
		return len(reply.Rows), traffic, err
	}},
	{"aFRR energy", "/open_api/balancing_energy/v5/afrr_marginal_price", "Balancing Energy", autumnQuery, func(t *testing.T, c *rte.Client, w market.Period) (int, source.Traffic, error) {
		reply, traffic, err := c.MarginalPrice(t.Context(), w)
		return len(reply.Rows), traffic, err
	}},
	{"mFRR energy", "/open_api/balancing_energy/v5/standard_mfrr_data", "Balancing Energy", autumnQuery, func(t *testing.T, c *rte.Client, w market.Period) (int, source.Traffic, error) {
		reply, traffic, err := c.StandardMFRR(t.Context(), w)
		return len(reply.Rows), traffic, err
	}},
	{"imbalance", "/open_api/balancing_energy/v5/imbalance_data", "Balancing Energy", autumnQuery, func(t *testing.T, c *rte.Client, w market.Period) (int, source.Traffic, error) {
		reply, traffic, err := c.ImbalanceData(t.Context(), w)
		return len(reply.Rows), traffic, err
	}},
	{"power exchanges", "/open_api/wholesale_market/v3/france_power_exchanges", "Wholesale Market", "", func(t *testing.T, c *rte.Client, w market.Period) (int, source.Traffic, error) {
		reply, traffic, err := c.PowerExchangePrices(t.Context(), w)
		return len(reply.Rows), traffic, err
	}},
}

const autumnQuery = "end_date=2026-10-26T00%3A00%3A00%2B01%3A00&start_date=2026-10-25T00%3A00%3A00%2B02%3A00"

func (f *fakeRTE) ask(t *testing.T) error {
	t.Helper()
	_, _, err := f.client.StandardMFRR(t.Context(), summerDay.Period())
	return err
}

func (f *fakeRTE) wantRequests(t *testing.T, tokens, resources int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tokens != tokens || len(f.resources) != resources {
		t.Errorf("%d tokens and %d resources were asked for, want %d and %d", f.tokens, len(f.resources), tokens, resources)
	}
}

func faultOf(t *testing.T, err error) *source.Fault {
	t.Helper()
	var fault *source.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("error %v (%T) is no Fault", err, err)
	}
	for _, hidden := range []string{clientID, clientSecret, "token-1", "token-2"} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("%q shows in: %v", hidden, err)
		}
	}
	return fault
}

// wordsOf are a fault's message and what the source wrote, which is told apart.
func wordsOf(fault *source.Fault) string {
	return strings.TrimSuffix(fault.Message+": "+fault.Said, ": ")
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func TestEachResourceIsAskedForInItsWay(t *testing.T) {
	t.Parallel()
	for _, tt := range calls {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeRTE(t)
			if _, traffic, err := tt.call(t, f.client, autumnDay.Period()); err != nil || traffic.Bytes == 0 {
				t.Fatalf("%d bytes, %v", traffic.Bytes, err)
			}
			f.wantRequests(t, 1, 1)
			r := f.resources[0]
			got := []string{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Accept"), r.Header.Get("Authorization"), r.Header.Get("User-Agent")}
			want := []string{"GET", tt.path, tt.query, "application/json", "Bearer token-1", "courant/test"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATokenIsAskedForWithTheCredentials(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.token = func(w http.ResponseWriter, r *http.Request) {
		id, secret, ok := r.BasicAuth()
		if !ok || id != clientID || secret != clientSecret || r.Method != http.MethodPost || r.FormValue("grant_type") != "client_credentials" {
			t.Errorf("%s with %q %q %t, grant %q", r.Method, id, secret, ok, r.FormValue("grant_type"))
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer","expires_in":7200}`)
	}
	if err := f.ask(t); err != nil {
		t.Fatal(err)
	}
}

func TestATokenIsKeptUntilAMinuteBeforeItsEnd(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	for _, tt := range []struct {
		after  time.Duration // since the call before
		tokens int
	}{
		{0, 1}, {time.Hour, 1},
		{time.Hour - time.Minute - 10*time.Second, 1}, // 10 s too early, as the token's own clock goes on in the meantime
		{10 * time.Second, 2}, {0, 2}, {2*time.Hour - time.Minute, 3},
	} {
		f.clock.Advance(tt.after)
		if err := f.ask(t); err != nil {
			t.Fatal(err)
		}
		if f.tokens != tt.tokens {
			t.Fatalf("%v later %d tokens were asked for, want %d", tt.after, f.tokens, tt.tokens)
		}
	}
}

func TestATokenWithoutAnEndIsKept(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.token = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer"}`)
	}
	for range 2 {
		if err := f.ask(t); err != nil {
			t.Fatal(err)
		}
		f.clock.Advance(1000 * time.Hour)
	}
	f.wantRequests(t, 1, 2)
}

func TestTheEndOfATokenIsReadInEachWayItIsWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		written string        // the whole key
		kept    time.Duration // up to a minute before its end; 0: without end
	}{
		{`,"expires_in":7200`, 2 * time.Hour}, {`,"expires_in":7200.0`, 2 * time.Hour}, {`,"expires_in":7.2e3`, 2 * time.Hour}, {`,"expires_in":7199.9`, 2 * time.Hour},
		{`,"expires_in":"7200"`, 2 * time.Hour}, {`,"expires_in":"7200.0"`, 2 * time.Hour}, {`,"expires_in":" 7200 "`, 2 * time.Hour}, {`,"Expires_In":7200.5`, 2 * time.Hour},
		{"", 0}, {`,"expires_in":null`, 0}, {`,"expires_in":""`, 0}, {`,"expires_in":"soon"`, 0}, {`,"expires_in":{}`, 0}, {`,"expires_in":0`, 0},
		{`,"expires_in":1e300`, 365 * 24 * time.Hour},
	} {
		t.Run(tt.written, func(t *testing.T) {
			f := newFakeRTE(t)
			f.token = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer"`+tt.written+`}`)
			}
			const slack = 10 * time.Second // the token's own clock goes on in the meantime
			waits := []time.Duration{0, 1000 * 24 * time.Hour}
			if tt.kept > 0 {
				waits = []time.Duration{0, tt.kept - time.Minute - slack, slack}
			}
			for i, wait := range waits {
				f.clock.Advance(wait)
				if err := f.ask(t); err != nil {
					t.Fatal(err)
				}
				if want := 1 + i/2; f.tokens != want {
					t.Fatalf("call %d: %d tokens were asked for, want %d", i, f.tokens, want)
				}
			}
		})
	}
}

func TestATokenWithoutAnEndDoesNotInheritTheOneBefore(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	ends := []string{`,"expires_in":7200`, "", ""}
	f.token = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer"`+ends[f.tokens-1]+`}`)
	}
	for _, wait := range []time.Duration{0, 3 * time.Hour, 3 * time.Hour} {
		f.clock.Advance(wait)
		if err := f.ask(t); err != nil {
			t.Fatal(err)
		}
	}
	f.wantRequests(t, 2, 3)
}

func TestCallsAtTheSameTimeShareAToken(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := f.ask(t); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	f.wantRequests(t, 1, 8)
}

func TestATokenThatIsRefusedIsRenewedOnce(t *testing.T) {
	t.Parallel()
	t.Run("the new one is good", func(t *testing.T) {
		f := newFakeRTE(t)
		f.resource = func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer token-1" {
				w.WriteHeader(401)
				return
			}
			io.WriteString(w, mari(measure()))
		}
		reply, traffic, err := f.client.StandardMFRR(t.Context(), summerDay.Period())
		if err != nil || len(reply.Rows) != 1 || traffic.Bytes != int64(len(mari(measure()))) {
			t.Errorf("%d rows, %d bytes, %v", len(reply.Rows), traffic.Bytes, err)
		}
		f.wantRequests(t, 2, 2)
		if err := f.ask(t); err != nil {
			t.Error(err)
		}
		f.wantRequests(t, 2, 3)
	})
	t.Run("the new one is refused too", func(t *testing.T) {
		f := newFakeRTE(t)
		f.resource = status(401, `{"error":"invalid_token"}`)
		if fault := faultOf(t, f.ask(t)); fault.Status != 401 || fault.Call != "standard_mfrr_data" || fault.Retryable {
			t.Errorf("%+v", fault)
		}
		f.wantRequests(t, 2, 2)
	})
	t.Run("the new one is not given", func(t *testing.T) {
		f := newFakeRTE(t)
		f.resource = status(401, "")
		give := 0
		f.token = func(w http.ResponseWriter, r *http.Request) {
			if give++; give > 1 {
				w.WriteHeader(401)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer","expires_in":7200}`)
		}
		if fault := faultOf(t, f.ask(t)); fault.Call != "token" || fault.Status != 401 {
			t.Errorf("%+v", fault)
		}
		f.wantRequests(t, 2, 1)
	})
}

func TestARenewedTokenIsATryOfFive(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.resource = func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		w.WriteHeader([]int{503, 401, 503, 503, 503, 200}[len(f.resources)-1])
	}
	if fault := faultOf(t, f.ask(t)); fault.Status != 503 || len(f.clock.pauses) != 3 {
		t.Errorf("%+v after pauses %v", fault, f.clock.pauses)
	}
	f.wantRequests(t, 2, 5)
}

// inLines has the client's resources wait in lines with a clock of their own.
func (f *fakeRTE) inLines(lines func(clockwork.Clock, time.Duration) source.Lines) *hastyClock {
	clock := &hastyClock{FakeClock: f.clock.FakeClock}
	f.client = rte.NewClient(rte.Options{BaseURL: f.server.URL, ClientID: clientID, ClientSecret: clientSecret, HTTP: f.server.Client(),
		Clock: f.clock, Lines: lines(clock, time.Second)})
	return clock
}

func TestATokenIsTakenAfterTheWaitAndHasNoTurn(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.token = func(w http.ResponseWriter, r *http.Request) { // at its end at once
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer","expires_in":60}`)
	}
	line := f.inLines(source.OneLineEachHost)
	line.onPause = func() { f.wantRequests(t, 1, 1) }
	for range 2 {
		if err := f.ask(t); err != nil {
			t.Fatal(err)
		}
	}
	f.wantRequests(t, 2, 2)
	if diff := cmp.Diff([]time.Duration{time.Second}, line.pauses); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestARefusedTokenIsRenewedInTheNextTurn(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.resource = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, mari(measure()))
	}
	line := f.inLines(source.OneLineEachHost)
	line.onPause = func() { f.wantRequests(t, 1, 1) }
	if err := f.ask(t); err != nil || len(line.pauses) != 1 {
		t.Errorf("waits %v, error %v", line.pauses, err)
	}
	f.wantRequests(t, 2, 2)
}

func TestTheResourcesOfAHostWaitInOneLine(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	line := f.inLines(source.OneLineEachHost)
	for _, tt := range calls {
		if _, _, err := tt.call(t, f.client, summerDay.Period()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(slices.Repeat([]time.Duration{time.Second}, len(calls)-1), line.pauses); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestAHangingResourceDoesNotDelayResourcesWithTheirOwnLine(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	hangs, release := make(chan struct{}), make(chan struct{})
	f.resource = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "afrr_marginal_price") {
			close(hangs)
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		io.WriteString(w, `{"result_procured_reserves":[],"days":[],"mari":null,"imbalance_data":[],"france_power_exchanges":[]}`)
	}
	line := f.inLines(source.OneLineEachResource)
	ended := make(chan error)
	go func() {
		_, _, err := f.client.MarginalPrice(t.Context(), summerDay.Period())
		ended <- err
	}()
	await.Value(t, hangs)
	for _, name := range []string{"capacity", "mFRR energy"} {
		for _, tt := range calls {
			if tt.name == name {
				if _, _, err := tt.call(t, f.client, summerDay.Period()); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if len(line.pauses) != 0 {
		t.Errorf("waits %v", line.pauses)
	}
	close(release)
	if err := await.Value(t, ended); err != nil {
		t.Error(err)
	}
}

func TestARequestForATokenIsNeverRedirected(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 303, 307, 308} {
		f := newFakeRTE(t)
		f.token = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/token/oauth/", code) }
		if fault := faultOf(t, f.ask(t)); fault.Call != "token" || fault.Message != "it redirects elsewhere" || fault.Connection || fault.Retryable {
			t.Errorf("%d: %+v", code, fault)
		}
		f.wantRequests(t, 1, 0)
	}
}

func TestTheReplyOfATokenRequestIsReadUpToALimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		spaces int
		good   bool
	}{{60 << 10, true}, {64 << 10, false}} {
		f := newFakeRTE(t)
		f.token = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer"`+strings.Repeat(" ", test.spaces)+`}`)
		}
		err := f.ask(t)
		if test.good {
			if err != nil {
				t.Error(err)
			}
		} else if fault := faultOf(t, err); fault.Call != "token" || fault.Message != "the answer holds no token" {
			t.Errorf("%+v", fault)
		}
	}
}

func TestTokenErrorsContainNoSecrets(t *testing.T) {
	t.Parallel()
	const credentials = "the client credentials are refused"
	echo := fmt.Sprintf(`{"error":"invalid_client","error_description":"%s %s"}`, clientID, clientSecret)
	asJSON := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			io.WriteString(w, body)
		}
	}
	for _, tt := range []struct {
		name  string
		token http.HandlerFunc
		tries int
		want  source.Fault
	}{
		{"wrong credentials", asJSON(401, echo), 1, source.Fault{Status: 401, Message: credentials}},
		{"wrong credentials, by 400", asJSON(400, echo), 1, source.Fault{Status: 400, Message: credentials}},
		{"wrong credentials, by 403 and a page", status(403, "<html>"+clientSecret), 1, source.Fault{Status: 403, Message: credentials}},
		{"an error with status 200", asJSON(200, echo), 1, source.Fault{Status: 200, Message: "the answer holds no token"}},
		{"no such address", status(404, "404 page not found"), 1, source.Fault{Status: 404, Message: "Not Found"}},
		{"busy", status(503, "<html>"+clientSecret), 5, source.Fault{Status: 503, Message: "Service Unavailable", Retryable: true}},
		{"too often", status(429, ""), 5, source.Fault{Status: 429, Message: "Too Many Requests", Retryable: true}},
		{"no token in the answer", asJSON(200, `{"token_type":"Bearer"}`), 5, source.Fault{Message: "the answer holds no token", Retryable: true}},
		{"a page with status 200", status(200, "<html>"+clientSecret), 5, source.Fault{Message: "the answer holds no token", Retryable: true}},
		{"cut", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, 5,
			source.Fault{Message: "the connection ended without a reply", Connection: true, Retryable: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeRTE(t)
			f.token = tt.token
			fault := *faultOf(t, f.ask(t))
			fault.Cause = nil
			tt.want.Source, tt.want.Call = "RTE", "token"
			if diff := cmp.Diff(tt.want, fault); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			f.wantRequests(t, tt.tries, 0)
		})
	}
	t.Run("it says how long to wait", func(t *testing.T) {
		f := newFakeRTE(t)
		f.token = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "33")
			w.WriteHeader(503)
		}
		if err := f.ask(t); err == nil || cmp.Diff([]time.Duration{33 * time.Second, 33 * time.Second, 33 * time.Second, 33 * time.Second}, f.clock.pauses) != "" {
			t.Errorf("pauses %v, error %v", f.clock.pauses, err)
		}
	})
}

func TestTokensThatAreNotToBeAskedForAreNotForAnyResource(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.token = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(429)
	}
	for i, left := range []time.Duration{2 * time.Hour, time.Hour} {
		for _, tt := range calls {
			_, _, err := tt.call(t, f.client, summerDay.Period())
			if fault := faultOf(t, err); fault.Status != 429 || fault.RetryAfter != left || !strings.HasSuffix(fault.Message, "it wants to be left alone until 2026-07-15T14:00:00Z") {
				t.Errorf("%s, hour %d: %+v", tt.name, i, fault)
			}
		}
		f.wantRequests(t, 1, 0)
		f.clock.Advance(time.Hour)
	}
	f.token = nil
	if err := f.ask(t); err != nil {
		t.Errorf("after two hours: %v", err)
	}
}

func TestAForbiddenResourceNamesTheAPIToSubscribe(t *testing.T) {
	t.Parallel()
	for _, tt := range calls {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeRTE(t)
			f.resource = status(403, "forbidden")
			_, _, err := tt.call(t, f.client, summerDay.Period())
			fault := faultOf(t, err)
			if fault.Status != 403 || fault.Message != "the application is not subscribed to the API "+tt.api+": subscribe it on RTE's data portal" {
				t.Errorf("%+v", fault)
			}
			f.wantRequests(t, 1, 1)
		})
	}
}

func TestAReplyThatIsNoDocumentIsRefused(t *testing.T) {
	t.Parallel()
	const maintenance = "<html><head><title>Maintenance</title></head><body>back soon</body></html>"
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   string // the whole message, "" for an answer
	}{
		{"RTE's error", 400, `{"error":"BALANCINGENERGY_MFRR_F02","error_description":"The period\nis too long.","error_uri":"","error_details":{"transaction_id":"x"}}`,
			"the window was refused: BALANCINGENERGY_MFRR_F02: The period is too long."},
		{"RTE's error with keys in another case", 400, `{"Error":"F02"}`, "the window was refused: F02"},
		{"RTE's error with null", 400, `{"error":null,"error_description":"too long"}`, "the window was refused: too long"},
		{"an error without words", 400, `{"error_details":{}}`, "the window was refused without a reason"},
		{"an error that is cut", 400, `{"error":`, "the window was refused without a reason"},
		{"an error in a list", 400, `[]`, "the window was refused without a reason"},
		{"an error without a body", 400, "", "the window was refused without a reason"},
		{"an error that tells the secrets", 400, `{"error":"` + clientID + " " + clientSecret + `"}`, "the window was refused: [hidden] [hidden]"},
		{"a long error", 400, `{"error":"` + strings.Repeat("é", 1000) + `"}`, "the window was refused: " + strings.Repeat("é", 400) + "…"},
		{"an error that tells the token", 400, `{"error":"Bearer token-1"}`, "the window was refused: Bearer [hidden]"},
		{"a secret at the cut", 400, `{"error_description":"` + strings.Repeat("x", 395) + clientSecret + `"}`, "the window was refused: " + strings.Repeat("x", 395) + "[hidd…"},
		{"a page as error", 400, maintenance, "the window was refused: Maintenance back soon"},
		{"a page with status 200", 200, maintenance, "the reply is an HTML page, not JSON: Maintenance back soon"},
		{"XML", 200, `<?xml version="1.0"?><error>no</error>`, "the reply is XML, not JSON: no"},
		{"CSV", 200, "Date;Prix", "the reply is plain text, not JSON: Date;Prix"},
		{"an archive", 200, "PK\x03\x04", "the reply is a ZIP archive, not JSON: PK"},
		{"nothing", 200, "", "the reply is empty"},
		{"no content", 204, "", ""},
		{"a byte order mark", 200, "\ufeff" + mari(), ""},
		{"a part of a document", 206, mari(measure()), "Partial Content: " + mari(measure())[:160] + "…"},
		{"another kind of success", 203, mari(measure()), "Non-Authoritative Information: " + mari(measure())[:160] + "…"},
		{"UTF-16", 200, "\xff\xfe{\x00", "the reply is written in UTF-16: Courant reads UTF-8 only"},
		{"UTF-16 without a byte order mark", 200, "\x00{\x00}", "the reply is written in UTF-16: Courant reads UTF-8 only"},
		{"another document", 200, `{"imbalance_data":[]}`, "the reply holds no mari"},
		{"a document that is cut", 200, `{"mari":{"mari_mesures":[`, "the reply cannot be read: value or \"]\" expected: unexpected EOF"},
		{"a document and more", 200, mari() + "x", "the reply cannot be read: after the document: unexpected byte 120 'x' at " + fmt.Sprint(len(mari()))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeRTE(t)
			f.resource = status(tt.status, tt.body)
			reply, _, err := f.client.StandardMFRR(t.Context(), summerDay.Period())
			if len(reply.Rows) != 0 {
				t.Errorf("%d rows", len(reply.Rows))
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if fault := faultOf(t, err); wordsOf(fault) != tt.want || fault.Retryable || fault.Connection {
				t.Errorf("%+v, want message %q", fault, tt.want)
			}
			f.wantRequests(t, 1, 1)
		})
	}
}

func TestABusyResourceIsAskedAgainWithTheSameToken(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.resource = func(w http.ResponseWriter, r *http.Request) {
		if len(f.clock.pauses) < 3 {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(429)
			return
		}
		io.WriteString(w, mari(measure()))
	}
	reply, _, err := f.client.StandardMFRR(t.Context(), summerDay.Period())
	if err != nil || len(reply.Rows) != 1 {
		t.Errorf("%d rows, %v", len(reply.Rows), err)
	}
	if diff := cmp.Diff([]time.Duration{20 * time.Second, 20 * time.Second, 20 * time.Second}, f.clock.pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	f.wantRequests(t, 1, 4)
}

func TestAReplyThatIsCutIsAskedForAgain(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.resource = func(w http.ResponseWriter, r *http.Request) {
		document := mari(measure())
		w.Header().Set("Content-Length", fmt.Sprint(len(document)))
		if len(f.clock.pauses) == 0 {
			document = document[:len(document)-3]
		}
		io.WriteString(w, document)
	}
	reply, _, err := f.client.StandardMFRR(t.Context(), summerDay.Period())
	if err != nil || len(reply.Rows) != 1 || len(f.clock.pauses) != 1 {
		t.Errorf("%d rows after %d pauses, %v", len(reply.Rows), len(f.clock.pauses), err)
	}
}

func TestOneCapacityCallBringsThreeDatasets(t *testing.T) {
	t.Parallel()
	f := newFakeRTE(t)
	f.resource = status(200, reserves(block("AFRR", "STD", value()), block("RR", "SPE0", value()), block("FCR", "STD", value("direction", `"UP_DOWN"`)), block("MFRR", "SPE0", value())))
	reply, _, err := f.client.ProcuredReserves(t.Context(), summerDay.Period())
	if err != nil {
		t.Fatal(err)
	}
	var datasets []market.Dataset
	for _, row := range reply.Rows {
		datasets = append(datasets, row.Dataset)
	}
	if diff := cmp.Diff([]market.Dataset{market.AFRRCapacity, market.FCRCapacity, market.MFRRCapacity}, datasets); diff != "" {
		t.Errorf("datasets (-want +got):\n%s", diff)
	}
	f.wantRequests(t, 1, 1)
}
