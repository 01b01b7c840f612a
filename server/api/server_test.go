package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/api"
	"courant/server/hooks"
	"courant/server/lake"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.SaveTime()
	goleak.VerifyTestMain(withChromium{m})
}

// withChromium stops the Chromium of the tests after the last of them.
type withChromium struct{ *testing.M }

func (m withChromium) Run() int {
	defer func() {
		if chromium.stop != nil {
			chromium.stop()
		}
	}()
	return m.M.Run()
}

// cheap are parameters with which hashing a password takes next to no time.
var cheap = auth.Hashing{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// noon is in Paris 14:00 on 2026-07-15.
var noon = time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)

// endpoints are the paths below /api/ that serve data.
var endpoints = []string{
	"day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity", "afrr-energy", "mfrr-energy", "imbalance-prices",
	"balancing-capacity", "balancing-energy",
}

var offers = []auth.Offer{{ID: "everything"}, {ID: "afrr", Datasets: []market.Dataset{market.AFRREnergy}}}

// fixture is a server with a database of its own and a fake clock.
type fixture struct {
	*api.Server
	store   *store.Store
	auth    *auth.Auth
	clock   *clockwork.FakeClock
	log     *lines
	options api.Options
}

// open makes a server with changed options. Nothing is stored, and no body is built.
func open(t testing.TB, changes ...func(*api.Options)) *fixture {
	t.Helper()
	db := storetest.New(t)
	f := &fixture{store: db, clock: clockwork.NewFakeClockAt(noon), log: &lines{}}
	f.auth = auth.New(auth.Options{Store: db, Clock: f.clock, Offers: offers, Hashing: cheap})
	f.options = api.Options{
		Store: db, Auth: f.auth, Clock: f.clock, Log: slog.New(slog.NewJSONHandler(f.log, nil)),
		WindowDays: 29, RateLimitPerMinute: 600,
		Report: func(context.Context, bool) (report.Report, error) { return report.Report{}, nil },
		Decide: func(context.Context, store.Note, int64, bool) error { return store.ErrNotFound },
	}
	for _, change := range changes {
		change(&f.options)
	}
	f.options.Archive = lake.NewArchive(db, f.options.Simulated)
	f.options.Hooks = hooks.New(hooks.Options{Store: db, Auth: f.auth, Clock: f.clock, Log: f.options.Log})
	t.Cleanup(func() {
		f.Settle()
		if err := f.options.Archive.Close(); err != nil {
			t.Error(err)
		}
	})
	server, err := api.New(f.options)
	must(t, err)
	f.Server = server
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lines is a log that is safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// commit commits rows of a run that ended now, for the datasets of the rows and those named.
func (f *fixture) commit(t testing.TB, batch market.Batch, named ...market.Dataset) {
	t.Helper()
	datasets := map[market.Dataset]bool{}
	for _, dataset := range named {
		datasets[dataset] = true
	}
	for _, step := range market.Capacity.In(batch) {
		datasets[step.Dataset] = true
	}
	for dataset, rows := range map[market.Dataset]int{
		market.DayAheadPrices: len(market.Prices.In(batch)), market.AFRREnergy: len(market.AFRR.In(batch)), market.MFRREnergy: len(market.MFRR.In(batch)),
		market.ImbalancePrices: len(market.Imbalance.In(batch)),
	} {
		if rows > 0 {
			datasets[dataset] = true
		}
	}
	run := f.run(store.OutcomeOK, slices.Sorted(maps.Keys(datasets))...)
	for dataset := range datasets {
		for _, date := range batch.Dates(dataset) { // the run has asked for all that it brings
			run.Window.Start, run.Window.End = min(run.Window.Start, date.Period().Start), max(run.Window.End, date.Period().End)
		}
	}
	must(t, f.store.Commit(t.Context(), run, batch))
}

// run returns the record of a run that ended now.
func (f *fixture) run(outcome store.Outcome, datasets ...market.Dataset) *store.Run {
	return &store.Run{
		Feed: "test", Datasets: datasets, Window: market.DeliveryDateOf(f.clock.Now()).Period(),
		Started: f.clock.Now(), Ended: f.clock.Now(), Outcome: outcome,
	}
}

func (f *fixture) refresh(t testing.TB) {
	t.Helper()
	must(t, f.Refresh(t.Context()))
}

// account adds an account with an unknown password.
func (f *fixture) account(t testing.TB, email string, role store.Role) store.Account {
	t.Helper()
	must(t, f.store.AddAccount(t.Context(), store.Note{}, store.Account{Email: email, PasswordHash: "none", Role: role, Created: f.clock.Now()}))
	account, err := f.store.AccountByEmail(t.Context(), email)
	must(t, err)
	return account
}

// token adds a token that the change alters, and returns its text, which is 52 letters and digits after its mark.
func (f *fixture) token(t testing.TB, account store.Account, change func(*store.Token)) string {
	t.Helper()
	existing, err := f.store.Tokens(t.Context(), 0, f.clock.Now(), 0, 1000)
	must(t, err)
	text := fmt.Sprintf("crt_%08dKdLxEQ93vTnpR7ZcMwYgBs5HfJqAu2XtVi6ePoGb8kWD", len(existing))
	hash := sha256.Sum256([]byte(text))
	token := store.Token{Name: "test", Prefix: text[:12], Hash: hash[:], Created: f.clock.Now(), Account: account}
	if change != nil {
		change(&token)
	}
	must(t, f.store.AddToken(t.Context(), store.Note{}, token))
	return text
}

// session begins a session of an account and returns its cookie.
func (f *fixture) session(t testing.TB, account store.Account) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	must(t, f.auth.BeginSession(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), account))
	cookie := w.Result().Cookies()[0]
	return &http.Cookie{Name: cookie.Name, Value: cookie.Value}
}

// admin adds an administrator and returns a change that adds its session to a request.
func (f *fixture) admin(t testing.TB) func(*http.Request) {
	t.Helper()
	return bearer(f.token(t, f.account(t, "boris@example.org", store.Administrator), nil))
}

func bearer(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

// header returns a change that adds a header to a request.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func carrying(cookie *http.Cookie) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(cookie) }
}

// ask sends a request that the changes alter.
func (f *fixture) ask(t testing.TB, method, path string, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	return f.send(t, method, path, nil, changes...)
}

func (f *fixture) send(t testing.TB, method, path string, body io.Reader, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, body)
	for _, change := range changes {
		change(r)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// body is the finished body of an endpoint after a refresh.
func (f *fixture) body(t testing.TB, endpoint string) []byte {
	t.Helper()
	f.refresh(t)
	return f.Snapshot()[endpoint]
}

// problem is a problem document (RFC 9457), its members in the order of Courant.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

// problemOf reads an answer that has to be a whole problem and nothing else.
func problemOf(t testing.TB, w *httptest.ResponseRecorder) problem {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q of %d: %s", got, w.Code, w.Body)
	}
	var p problem
	decoder := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	decoder.DisallowUnknownFields()
	must(t, decoder.Decode(&p))
	var again bytes.Buffer
	encoder := json.NewEncoder(&again)
	encoder.SetEscapeHTML(false)
	must(t, encoder.Encode(p))
	if w.Body.String() != again.String() {
		t.Errorf("a problem is %s, want all of its members in order: %s", w.Body, &again)
	}
	if p.Status != w.Code || p.Type == "" || p.Title == "" || p.Detail == "" {
		t.Errorf("a problem of %d is %+v", w.Code, p)
	}
	return p
}

// same compares two texts of JSON to the byte, and shows the lines that differ.
func same(t testing.TB, got []byte, want any) {
	t.Helper()
	wanted, is := want.([]byte)
	if !is {
		var err error
		wanted, err = json.Marshal(want)
		must(t, err)
	}
	if bytes.Equal(got, wanted) {
		return
	}
	if difference := cmp.Diff(indented(t, wanted), indented(t, got)); difference != "" {
		t.Errorf("the body differs (-want +got):\n%s", difference)
		return
	}
	t.Errorf("the body differs in white space: %.300s", got)
}

func indented(t testing.TB, text []byte) []string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", " "); err != nil {
		t.Fatalf("no JSON: %v: %.300s", err, text)
	}
	return strings.Split(out.String(), "\n")
}

func jsonOf(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return text
}
