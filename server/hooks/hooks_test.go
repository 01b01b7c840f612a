package hooks_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestMain(m *testing.M) {
	if job, is := os.LookupEnv(childVariable); is {
		os.Exit(notifyUntilKilled(job))
	}
	storetest.SaveTime()
	goleak.VerifyTestMain(m)
}

var (
	day   = market.NewDeliveryDate(2026, time.July, 14)
	noon  = day.At(12, 0)
	cheap = auth.Hashing{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
)

// received is a request that a receiver got.
type received struct {
	header http.Header
	body   []byte
}

// message is the body of a request.
type message struct {
	Type      string
	Timestamp string
	Data      struct {
		Dataset   string
		Date      string
		Column    string
		Unit      string
		Threshold float64
		Count     int
		Periods   []struct {
			Start, End string
			Value      json.Number
			Keys       map[string]string
		}
		Revisions []struct {
			Start    string `json:"period_start_utc"`
			Keys     map[string]string
			Column   string
			Old, New any
		}
		More      bool
		Href      string
		State     string
		Reason    *string
		Simulated bool
	}
}

func (r received) message(t testing.TB) (m message) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	if err := decoder.Decode(&m); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
	return m
}

// receiver is a receiver of webhooks, with TLS.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received
	answer   func(w http.ResponseWriter, r *http.Request) // nil: 204
}

func newReceiver(t testing.TB, answer func(w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.requests = append(r.requests, received{request.Header.Clone(), body})
		answer := r.answer
		r.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, request)
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

// take returns the requests since the last call.
func (r *receiver) take() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.requests
	r.requests = nil
	return taken
}

// fixture is a service with a database of its own, a fake clock, and a receiver on this machine.
type fixture struct {
	*hooks.Service
	store    *store.Store
	auth     *auth.Auth
	clock    *clockwork.FakeClock
	receiver *receiver
	options  hooks.Options
	caller   auth.Identity // an administrator
	states   map[market.Dataset]report.State
	log      *bytes.Buffer
}

func open(t testing.TB, changes ...func(*hooks.Options)) *fixture {
	t.Helper()
	f := &fixture{
		store: storetest.New(t), clock: clockwork.NewFakeClockAt(noon), receiver: newReceiver(t, nil), states: map[market.Dataset]report.State{},
		log: &bytes.Buffer{},
	}
	f.auth = auth.New(auth.Options{Store: f.store, Clock: f.clock, Offers: []auth.Offer{{ID: "everything"}}, Hashing: cheap})
	f.caller = f.account(t, "boris@example.org", store.Administrator)
	roots := x509.NewCertPool()
	roots.AddCert(f.receiver.Certificate())
	f.options = hooks.Options{
		Store: f.store, Auth: f.auth, Clock: f.clock, Log: slog.New(slog.NewTextHandler(f.log, nil)), UserAgent: "courant/test", AllowPrivate: true,
		Roots: roots, Report: f.report, PublicURL: "https://courant.example",
	}
	for _, change := range changes {
		change(&f.options)
	}
	f.restart()
	return f
}

// restart replaces the service, as after a kill.
func (f *fixture) restart() { f.Service = hooks.New(f.options) }

func (f *fixture) report(context.Context, bool) (report.Report, error) {
	var found report.Report
	for _, dataset := range market.Datasets() {
		status := report.Status{Dataset: dataset, State: report.StateOK}
		if state := f.states[dataset]; state != "" {
			status.State, status.Missing = state, []report.Missing{{Date: day, Reason: report.ReasonPartial}}
		}
		found.Datasets = append(found.Datasets, status)
	}
	return found, nil
}

func (f *fixture) account(t testing.TB, email string, role store.Role) auth.Identity {
	t.Helper()
	must(t, f.store.AddAccount(t.Context(), store.Note{}, store.Account{Email: email, PasswordHash: "none", Role: role, Created: f.clock.Now()}))
	account, err := f.store.AccountByEmail(t.Context(), email)
	must(t, err)
	identity, err := f.auth.IdentityOf(t.Context(), account.ID)
	must(t, err)
	return identity
}

// add makes a hook that leads to the receiver.
func (f *fixture) add(t testing.TB, events ...hooks.Event) store.Hook {
	t.Helper()
	hook, err := f.Add(t.Context(), f.caller, hooks.Request{URL: f.receiver.URL + "/courant", Events: events})
	must(t, err)
	return hook
}

func (f *fixture) step(t testing.TB) {
	t.Helper()
	must(t, f.Step(t.Context()))
}

// commit commits rows of a run that ended now.
func (f *fixture) commit(t testing.TB, batch market.Batch) {
	t.Helper()
	must(t, commit(t.Context(), f.store, f.clock.Now(), batch))
}

func commit(ctx context.Context, db *store.Store, at time.Time, batch market.Batch) error {
	return db.Commit(ctx, &store.Run{
		Feed: "test", Datasets: market.Datasets(), Started: at, Ended: at, Outcome: store.OutcomeOK, Window: day.Period(),
	}, batch)
}

// types lists the types of messages that the receiver got.
func types(t testing.TB, all []received) string {
	t.Helper()
	var kinds []string
	for _, r := range all {
		kinds = append(kinds, r.message(t).Type)
	}
	return strings.Join(kinds, " ")
}

// only returns the message of the only request since the last call.
func (f *fixture) only(t testing.TB) message {
	t.Helper()
	all := f.receiver.take()
	if len(all) != 1 {
		t.Fatalf("%d requests: %s", len(all), types(t, all))
	}
	return all[0].message(t)
}

// delivery returns the newest delivery of a hook.
func (f *fixture) delivery(t testing.TB, hook store.Hook) store.Delivery {
	t.Helper()
	all, err := f.store.Deliveries(t.Context(), hook.ID, 0, 1)
	must(t, err)
	if len(all) == 0 {
		t.Fatal("there is no delivery")
	}
	return all[0]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// prices are all quarter hours of a date at one price, but for some.
func prices(date market.DeliveryDate, price float64, others map[int]float64) market.Batch {
	var rows []market.Price
	for i := range date.Steps(market.QuarterSeconds) {
		row := market.Price{Start: date.Start().Unix() + int64(i)*market.QuarterSeconds, Resolution: market.PT15M, Source: market.FromENTSOE, Price: market.Num(price)}
		if other, is := others[i]; is {
			row.Price = market.Num(other)
		}
		rows = append(rows, row)
	}
	return market.Prices.Batch(rows)
}

// some are the first quarters of a date.
func some(n int, price float64) market.Batch {
	return market.Prices.Batch(market.Prices.In(prices(day, price, nil))[:n])
}

func capacity(date market.DeliveryDate, upward, downward float64) market.Batch {
	var rows []market.CapacityStep
	for i := range date.Steps(market.QuarterSeconds) {
		for direction, price := range map[market.Direction]float64{market.Upward: upward, market.Downward: downward} {
			rows = append(rows, market.CapacityStep{Dataset: market.AFRRCapacity, Start: date.Start().Unix() + int64(i)*market.QuarterSeconds,
				Direction: direction, TimeHorizon: market.DailyHorizon, Product: "STD", Price: market.Num(price)})
		}
	}
	return market.Capacity.Batch(rows)
}

func number(n float64) *float64 { return &n }

func event(kind hooks.Type, dataset market.Dataset, threshold *float64) hooks.Event {
	return hooks.Event{Type: kind, Dataset: dataset, Threshold: threshold}
}

func TestAPriceConditionIsJudgedOnceADateIsComplete(t *testing.T) {
	t.Parallel()
	dayAhead := market.DayAheadPrices
	for name, test := range map[string]struct {
		event hooks.Event
		batch market.Batch
		want  string // the periods; empty: nothing is sent
	}{
		"negative":               {event(hooks.PriceNegative, dayAhead, nil), prices(day, 5, map[int]float64{3: -0.01, 95: -20.5}), "-0.01@22:45 -20.5@21:45 of 2 below 0"},
		"not negative at 0":      {event(hooks.PriceNegative, dayAhead, nil), prices(day, 5, map[int]float64{3: 0}), ""},
		"below":                  {event(hooks.PriceBelow, dayAhead, number(10)), prices(day, 10, map[int]float64{0: 9.99}), "9.99@22:00 of 1 below 10"},
		"below a negative price": {event(hooks.PriceBelow, dayAhead, number(-50)), prices(day, -50, map[int]float64{1: -50.01}), "-50.01@22:15 of 1 below -50"},
		"above":                  {event(hooks.PriceAbove, dayAhead, number(300)), prices(day, 300, map[int]float64{1: 300.01}), "300.01@22:15 of 1 below 300"},
		"above nowhere":          {event(hooks.PriceAbove, dayAhead, number(300)), prices(day, 300, nil), ""},
		"of a key": {hooks.Event{Type: hooks.PriceAbove, Dataset: market.AFRRCapacity, Threshold: number(15), Keys: map[string]hooks.Values{"direction": {"DOWNWARD"}}},
			market.Capacity.Batch(append(market.Capacity.In(capacity(day, 100, 2))[:0:0], market.Capacity.In(capacity(day, 5, 3.8))...)), "96"},
		"of another key": {hooks.Event{Type: hooks.PriceAbove, Dataset: market.AFRRCapacity, Threshold: number(15.2), Keys: map[string]hooks.Values{"direction": {"DOWNWARD"}}},
			capacity(day, 5, 3.8), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			f.add(t, test.event)
			f.commit(t, test.batch)
			f.step(t)
			requests := f.receiver.take()
			if test.want == "" {
				if len(requests) > 0 {
					t.Fatalf("sent %s", requests[0].body)
				}
				return
			}
			if len(requests) != 1 {
				t.Fatalf("%d requests", len(requests))
			}
			m := requests[0].message(t)
			if m.Type != string(test.event.Type) || m.Data.Date != "2026-07-14" || m.Data.Dataset != string(test.event.Dataset) || m.Timestamp != "2026-07-14T10:00:00.000Z" {
				t.Errorf("%s", requests[0].body)
			}
			if test.want == "96" {
				if m.Data.Count != 96 || m.Data.Periods[0].Value != "15.2" || m.Data.Periods[0].Keys["direction"] != "DOWNWARD" || m.Data.Unit != "EUR/MW/h" {
					t.Errorf("%.600s", requests[0].body)
				}
				return
			}
			var got []string
			for _, p := range m.Data.Periods {
				got = append(got, string(p.Value)+"@"+p.Start[11:16])
			}
			if text := fmt.Sprintf("%s of %d below %v", strings.Join(got, " "), m.Data.Count, m.Data.Threshold); text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
			f.step(t)
			if again := f.receiver.take(); len(again) > 0 {
				t.Errorf("sent again: %s", again[0].body)
			}
		})
	}
}

func TestAnIncompleteDateIsNotJudged(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(t, event(hooks.PriceNegative, market.DayAheadPrices, nil), event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, some(95, -1))
	f.step(t)
	if all := f.receiver.take(); len(all) > 0 {
		t.Errorf("sent %s", all[0].body)
	}
	f.commit(t, prices(day, -1, nil))
	f.step(t)
	f.step(t)
	if got := types(t, f.receiver.take()); got != "price.negative date.complete" {
		t.Errorf("sent %s", got)
	}
}

func TestARevisionIsToldOnlyIfItChangesTheAnswer(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(t, event(hooks.PriceNegative, market.DayAheadPrices, nil))
	for _, step := range []struct {
		batch market.Batch
		want  int // periods; -1: nothing is sent
	}{
		{prices(day, 5, map[int]float64{0: -1}), 1},
		{prices(day, 6, map[int]float64{0: -1}), -1},
		{prices(day, 6, map[int]float64{0: -1, 1: -1}), 2},
		{prices(day, 6, map[int]float64{0: -1, 1: -2}), 2},
		{prices(day, 6, nil), 0},
		{prices(day, 7, nil), -1},
		{prices(day, 7, map[int]float64{5: -3}), 1},
	} {
		f.clock.Advance(time.Minute)
		f.commit(t, step.batch)
		f.restart()
		f.step(t)
		all := f.receiver.take()
		if len(all) != 1 && step.want >= 0 || len(all) > 0 && step.want < 0 {
			t.Fatalf("%d requests, want %d periods", len(all), step.want)
		}
		if step.want >= 0 {
			if m := all[0].message(t); len(m.Data.Periods) != step.want || m.Data.Periods == nil {
				t.Errorf("%s, want %d periods", all[0].body, step.want)
			}
		}
	}
}

func TestAHookIsNotAboutWhatWasCommittedBefore(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, prices(day, -1, nil))
	f.add(t, event(hooks.PriceNegative, market.DayAheadPrices, nil), event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.step(t)
	if all := f.receiver.take(); len(all) > 0 {
		t.Errorf("sent %s", all[0].body)
	}
}

func TestRevisedValuesAreSentAsFarAsAskedFor(t *testing.T) {
	t.Parallel()
	up := map[string]hooks.Values{"direction": {"UPWARD"}}
	for name, test := range map[string]struct {
		event hooks.Event
		want  int // -1: nothing is sent
	}{
		"all":                        {hooks.Event{Type: hooks.RowsRevised, Dataset: market.AFRRCapacity}, 100},
		"of a key":                   {hooks.Event{Type: hooks.RowsRevised, Dataset: market.AFRRCapacity, Keys: up}, 96},
		"of a column":                {hooks.Event{Type: hooks.RowsRevised, Dataset: market.AFRRCapacity, Column: "price", Keys: up}, 96},
		"of a column that is as was": {hooks.Event{Type: hooks.RowsRevised, Dataset: market.AFRRCapacity, Column: "offered_volume_mw"}, -1},
		"of another dataset":         {hooks.Event{Type: hooks.RowsRevised, Dataset: market.FCRCapacity}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			f.commit(t, capacity(day, 1, 2))
			f.add(t, test.event)
			f.clock.Advance(time.Minute)
			f.commit(t, capacity(day, 1.5, 2.5))
			f.step(t)
			all := f.receiver.take()
			if test.want < 0 {
				if len(all) > 0 {
					t.Errorf("sent %s", all[0].body)
				}
				return
			}
			if len(all) != 1 {
				t.Fatalf("%d requests", len(all))
			}
			m := all[0].message(t)
			if len(m.Data.Revisions) != test.want || m.Data.More != (test.want == 100) || m.Data.Href != "/api/revisions/afrr-capacity?from=2026-07-14&to=2026-07-14" {
				t.Fatalf("%d revisions, more %t, %s", len(m.Data.Revisions), m.Data.More, m.Data.Href)
			}
			if r := m.Data.Revisions[len(m.Data.Revisions)-1]; r.Column != "price" || r.Old == r.New || r.Keys["time_horizon"] != "DAILY" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestWhatWasNotSentBeforeARestartIsSentAfterIt(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	must(t, f.Judge(t.Context())) // and then it is killed
	f.restart()
	f.step(t)
	if m := f.only(t); m.Data.Date != "2026-07-14" {
		t.Errorf("%+v", m)
	}
	f.restart()
	f.step(t)
	if all := f.receiver.take(); len(all) > 0 {
		t.Errorf("sent again: %s", all[0].body)
	}
}

func TestSimulatedDataAreMarkedInEachDelivery(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *hooks.Options) { o.Simulated = true })
	f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	all := f.receiver.take()
	if len(all) != 1 || !all[0].message(t).Data.Simulated || all[0].header.Get("X-Courant-Data") != "simulated" {
		t.Errorf("%v", all)
	}
}

// A dataset's state may change several times between two announcements.
func TestALateDatasetIsAnnouncedOnceAndItsRecoveryToo(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(t, event(hooks.FeedLate, market.AFRREnergy, nil), event(hooks.FeedRecovered, market.AFRREnergy, nil), event(hooks.FeedLate, market.MFRREnergy, nil))
	for i, step := range []struct {
		state report.State
		after time.Duration
		want  string
	}{
		{"", 0, ""},
		{report.StateLate, 0, "feed.late"},
		{report.StateLate, time.Minute, ""},
		{report.StateError, time.Hour, ""},
		{"", time.Minute, "feed.recovered"},
		{report.StateError, time.Minute, ""},
		{report.StateError, 14 * time.Minute, ""},
		{"", time.Minute, ""},
		{report.StateDown, time.Minute, ""},
		{report.StateError, 16 * time.Minute, "feed.late"},
		{report.StateOff, time.Minute, ""},
		{report.StateStale, time.Minute, ""},
		{"", time.Minute, "feed.recovered"},
		{report.StateStale, time.Minute, "feed.late"},
	} {
		f.clock.Advance(step.after)
		f.states[market.AFRREnergy] = step.state
		f.restart()
		must(t, f.JudgeStates(t.Context()))
		f.step(t)
		all := f.receiver.take()
		if got := types(t, all); got != step.want {
			t.Fatalf("step %d, %q: announced %q, want %q", i, step.state, got, step.want)
		}
		if step.want == "feed.late" {
			if m := all[0].message(t); m.Data.Dataset != "afrr-energy" || m.Data.State != string(step.state) || *m.Data.Reason != "partial" {
				t.Errorf("%s", all[0].body)
			}
		}
	}
}

func itoa(n int) string { return fmt.Sprint(n) }

// newPlainReceiver returns the address of a receiver without TLS.
func newPlainReceiver(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// closedPort returns an address at which nothing listens.
func closedPort(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.Listener.Addr().String()
}
