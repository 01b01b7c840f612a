package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest"
	"courant/ingest/entsoe"
	"courant/ingest/report"
	"courant/ingest/rte"
	"courant/ingest/simulator"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// Weeks of serving, with all that may go wrong on the way, end with what the sources published and nothing else. The
// clients, the schedules and the database are the real ones; the clock is a fake one that goes from one waiter's time
// to the next, and the network is a function. When a run begins has some chance in it, so the counts vary a little.
//
// It takes a minute or two: go test ./ingest -run Simulation -long -v
func TestSimulation(t *testing.T) {
	storetest.Long(t)
	for _, s := range []someWeeks{
		{name: "the clock goes forward", first: market.NewDeliveryDate(2026, time.March, 20), last: market.NewDeliveryDate(2026, time.April, 5),
			change: market.NewDeliveryDate(2026, time.March, 29), outage: 1},
		{name: "the clock goes back", first: market.NewDeliveryDate(2026, time.October, 10), last: market.NewDeliveryDate(2026, time.November, 1),
			change: market.NewDeliveryDate(2026, time.October, 25), outage: 7},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			simulate(t, s)
		})
	}
}

// someWeeks is some weeks of delivery dates.
type someWeeks struct {
	name        string
	first, last market.DeliveryDate
	change      market.DeliveryDate // on which the clock changes
	outage      int                 // the day, counted from 0, on which ENTSO-E begins to fail
}

const lookback = 35

// What is asked for, by the last part of its address.
const (
	callToken     = "oauth"
	callPrices    = "api"
	callCapacity  = "result_procured_reserves"
	callAFRR      = "afrr_marginal_price"
	callMFRR      = "standard_mfrr_data"
	callImbalance = "imbalance_data"
	callExchange  = "france_power_exchanges"
)

var (
	allOfRTE      = []string{callToken, callCapacity, callAFRR, callMFRR, callImbalance, callExchange}
	resources     = allOfRTE[1:]
	allOfENTSOE   = []string{callPrices}
	everyResource = append(slices.Clone(resources), callPrices)
)

// trouble is what happens to calls between two instants.
type trouble struct {
	name     string
	from, to time.Time
	calls    []string
	answer   func(r *http.Request, good func() *http.Response) (*http.Response, error)
}

// stop is an end of the process, which is looked at and started again some time later.
type stop struct {
	at   time.Time
	lost time.Duration
	look func(*weeks) // nil: nothing is looked at
}

// change is something that the sources do with their values at an instant, for good or until the next one.
type change struct {
	at time.Time
	simulator.Switch
}

// weeks is one simulation.
type weeks struct {
	someWeeks
	t        *testing.T
	db       *store.Store
	troubles []trouble
	switches simulator.Switches
	changes  []change
	revoke   time.Time // the first token that RTE gives after that is refused an hour later, long before its end
	killed   time.Time // the first call after it ends the process
	rte      http.Handler
	entsoe   http.Handler
	taken    map[market.DeliveryDate]bool // of aFRR energy
	feeds    *ingest.Feeds

	mu       sync.Mutex
	clock    *steppedClock
	end      context.CancelFunc // of the process
	bearer   string             // RTE's token that was in use last
	revoked  string             // RTE's token that is refused
	calls    map[string]int
	faults   map[string]int
	outcomes map[store.Outcome]int
	lastMFRR time.Time // of the newest good answer
	advances int
}

// steppedClock knows when the next of its waiters is due. Nobody but the driver moves it.
type steppedClock struct {
	*clockwork.FakeClock
	mu  sync.Mutex
	due []time.Time
}

func (c *steppedClock) note(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = append(c.due, c.Now().Add(d))
}

func (c *steppedClock) After(d time.Duration) <-chan time.Time {
	c.note(d)
	return c.FakeClock.After(d)
}

func (c *steppedClock) AfterFunc(d time.Duration, f func()) clockwork.Timer {
	c.note(d)
	return c.FakeClock.AfterFunc(d, f)
}

// next is when the earliest waiter is due.
func (c *steppedClock) next() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	c.due = slices.DeleteFunc(c.due, func(at time.Time) bool { return !at.After(now) })
	return slices.MinFunc(c.due, time.Time.Compare)
}

func simulate(t *testing.T, s someWeeks) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "courant.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &weeks{
		someWeeks: s, t: t, db: db,
		calls: map[string]int{}, faults: map[string]int{}, outcomes: map[store.Outcome]int{},
		clock: &steppedClock{FakeClock: clockwork.NewFakeClockAt(s.at(0, 9, 0))},
	}
	options := simulator.Options{Now: w.now, Switches: &w.switches}
	w.rte, w.entsoe = simulator.RTE(options), simulator.ENTSOE(options)
	// The 4 s steps of all dates would take minutes: the source has only those of the first date that is asked for, and
	// around the change of the clock. On the others it says that there is nothing, which is not a fault.
	w.taken = map[market.DeliveryDate]bool{s.first.Add(-2): true, s.change.Add(-1): true, s.change: true}
	w.troubles, w.changes, w.revoke, w.killed = s.plan(), s.changes(), s.at(5, 10, 37), s.at(6, 16, 0)

	for _, stop := range append(s.stops(), stop{at: s.last.At(21, 0)}) {
		for w.serve(stop.at) {
		}
		if stop.look != nil {
			stop.look(w)
		}
		w.restAt(w.now().Add(stop.lost))
	}
	w.check()
}

// at is a clock time in Paris, days after the first date.
func (s someWeeks) at(days, hour, minute int) time.Time { return s.first.Add(days).At(hour, minute) }

// way is one in which a call goes wrong.
type way struct {
	name   string
	answer func(r *http.Request, good func() *http.Response) (*http.Response, error)
}

var (
	refused = unreachable(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	unknown = unreachable(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "source.invalid", IsNotFound: true}})
	hanging = unreachable(&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded})
	reset   = unreachable(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
	noTLS   = unreachable(x509.UnknownAuthorityError{})
	ban     = withStatus(429, "text/plain", "Max allowed requests per minute from each unique IP is max up to 400 only")
)

// waysOfENTSOE are those of its outage, a day each.
var waysOfENTSOE = []way{
	{"503", withStatus(503, "text/html", maintenance)}, {"404", withStatus(404, "text/plain", "404 page not found")}, {"connections refused", refused},
	{"its name not found", unknown}, {"no answer", hanging}, {"connections reset", reset}, {"TLS that nobody trusts", noTLS}, {"429 as a ban", ban},
	{"500", withStatus(500, "", "")}, {"401", withStatus(401, "text/html", "<h1>Unauthorized</h1>")},
}

// waysOfRTE are those of its worst day, an hour each.
var waysOfRTE = []way{
	{"connections refused", refused}, {"no answer", hanging}, {"a hang in the body", cut(os.ErrDeadlineExceeded)}, {"connections reset", reset},
	{"TLS that nobody trusts", noTLS}, {"an empty reply", withStatus(200, "application/json", "")}, {"plain text with 200", withStatus(200, "text/plain", "later")},
	{"204", withStatus(204, "", "")}, {"400", withStatus(400, "application/json", `{"error":"invalid_request"}`)}, {"401", withStatus(401, "", "")},
	{"403", withStatus(403, "", "")}, {"404", withStatus(404, "", "")}, {"408", withStatus(408, "", "")}, {"413", withStatus(413, "", "")},
	{"414", withStatus(414, "", "")}, {"429", withStatus(429, "", "")}, {"429 with Retry-After", withStatus(429, "", "", "Retry-After", "40")},
	{"500", withStatus(500, "", "")}, {"503", withStatus(503, "", "")}, {"509", withStatus(509, "", "")},
	{"gzip that lies", cut(gzip.ErrHeader)}, {"a gigabyte", gigabyte},
}

// worstDay is the day, counted from 0, on which RTE fails in every way.
const worstDay = 10

// plan is what goes wrong, in the order in which it is looked at.
func (s someWeeks) plan() []trouble {
	night := s.change.Start()
	troubles := []trouble{
		{"RTE 500", s.at(1, 14, 0), s.at(1, 15, 10), resources, withStatus(500, "text/plain", "oops")},
		{"RTE is not found", s.at(2, 0, 0), s.at(3, 0, 0), allOfRTE, unknown},
		{"RTE 503 over midnight", s.at(3, 23, 30), s.at(4, 0, 50), resources, withStatus(503, "text/plain", "")},
		{"RTE a page with 200", s.at(6, 2, 50), s.at(6, 3, 20), resources, withStatus(200, "text/html", maintenance)},
		{"bodies that break off", s.at(8, 10, 0), s.at(8, 11, 0), everyResource, cut(io.ErrUnexpectedEOF)},
		{"RTE 503 in the night of the change", night.Add(75 * time.Minute), night.Add(100 * time.Minute), resources, withStatus(503, "text/plain", "")},
		{"RTE tokens 503", s.at(14, 5, 0), s.at(14, 7, 40), []string{callToken}, withStatus(503, "text/plain", "")},
		{"ENTSO-E a page with 200", s.at(s.outage+12, 12, 30), s.at(s.outage+12, 13, 30), allOfENTSOE, withStatus(200, "text/html", maintenance)},
		{"RTE documents that end early", s.at(14, 10, 0), s.at(14, 10, 40), resources, cut(nil)},
	}
	for day, way := range waysOfENTSOE {
		troubles = append(troubles, trouble{"ENTSO-E " + way.name, s.at(s.outage+day, 10, 0), s.at(s.outage+day+1, 10, 0), allOfENTSOE, way.answer})
	}
	for hour, way := range waysOfRTE {
		from := s.at(worstDay, 0, 0).Add(time.Duration(hour) * time.Hour)
		troubles = append(troubles, trouble{"RTE " + way.name + " for an hour", from, from.Add(time.Hour), resources, way.answer})
	}
	return troubles
}

// corrected are the delivery dates of which the values are corrected two days later, by resource.
func (s someWeeks) corrected() map[string]market.DeliveryDate {
	return map[string]market.DeliveryDate{
		simulator.A44:              s.first.Add(s.outage + 12),
		simulator.ProcuredReserves: s.first.Add(3),
		simulator.MarginalPrice:    s.change.Add(-1),
		simulator.StandardMFRR:     s.first.Add(4),
	}
}

// changes is what the sources do with their values: RTE cuts wide windows of capacity short without a word, values are
// corrected, and tomorrow's prices are zeros for an hour.
func (s someWeeks) changes() []change {
	flat := s.outage + 13
	changes := []change{
		{s.first.Start(), simulator.Switch{Resource: simulator.ProcuredReserves, Fault: "window-cut-short"}},
		{s.at(flat, 12, 50), simulator.Switch{Resource: simulator.A44, Fault: "flat-prices", Date: dayOf(s.first.Add(flat + 1))}},
		{s.at(flat, 13, 55), simulator.Switch{Resource: simulator.A44, Fault: simulator.Well}},
	}
	for resource, date := range s.corrected() {
		changes = append(changes, change{date.Add(2).At(12, 0), simulator.Switch{Resource: resource, Fault: simulator.Corrected, Date: dayOf(date)}})
	}
	slices.SortFunc(changes, func(a, b change) int { return a.at.Compare(b.at) })
	return changes
}

// stops are the ends of the process but the one within a call.
func (s someWeeks) stops() []stop {
	change := s.change.Start().Truncate(24 * time.Hour).Add(25 * time.Hour) // 01:00 UTC
	stops := []stop{
		{at: s.at(3, 11, 7)},
		{at: s.at(s.outage+4, 15, 0), look: (*weeks).checkStandIn},
		{at: change.Add(-20 * time.Minute)}, {at: change.Add(25 * time.Minute)},
		{at: s.at(12, 22, 55), lost: 9 * time.Hour},
	}
	slices.SortFunc(stops, func(a, b stop) int { return a.at.Compare(b.at) })
	return stops
}

func withStatus(code int, kind, body string, headers ...string) func(*http.Request, func() *http.Response) (*http.Response, error) {
	return func(r *http.Request, _ func() *http.Response) (*http.Response, error) {
		response := document(r, strings.NewReader(body))
		response.StatusCode = code
		response.Header.Set("Content-Type", kind)
		for pair := range slices.Chunk(headers, 2) {
			response.Header.Set(pair[0], pair[1])
		}
		return response, nil
	}
}

// gigabyte answers with a gigabyte of spaces, of which no more is made than is read.
func gigabyte(r *http.Request, _ func() *http.Response) (*http.Response, error) {
	return document(r, io.LimitReader(spaces{}, 1<<30)), nil
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func unreachable(err error) func(*http.Request, func() *http.Response) (*http.Response, error) {
	return func(*http.Request, func() *http.Response) (*http.Response, error) { return nil, err }
}

// cut ends a good answer in the middle: with an error, or without a word if that is nil.
func cut(err error) func(*http.Request, func() *http.Response) (*http.Response, error) {
	return func(r *http.Request, good func() *http.Response) (*http.Response, error) {
		whole, fault := io.ReadAll(good().Body)
		if fault != nil {
			return nil, fault
		}
		half := io.Reader(bytes.NewReader(whole[:len(whole)/2]))
		if err != nil {
			half = io.MultiReader(half, failing{err})
		}
		return document(r, half), nil
	}
}

func (w *weeks) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock.Now()
}

// restAt makes a new clock that stands at an instant: the old one may be waited on by what has ended.
func (w *weeks) restAt(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = &steppedClock{FakeClock: clockwork.NewFakeClockAt(at)}
}

// serve runs a process until an instant, and reports whether it ended before that.
func (w *weeks) serve(until time.Time) (ended bool) {
	w.restAt(w.now())
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	w.mu.Lock()
	clock := w.clock
	w.end = cancel
	w.mu.Unlock()
	client := &http.Client{Transport: transport(w.carry)}
	fromENTSOE := entsoe.NewClient(entsoe.Options{BaseURL: "https://entsoe.invalid/api", SecurityToken: simulator.SecurityToken, HTTP: client, Clock: clock})
	fromRTE := rte.NewClient(rte.Options{BaseURL: "https://rte.invalid", ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret, HTTP: client, Clock: clock})
	w.feeds = ingest.New(ingest.Options{
		Store: w.db, Clock: clock, Log: slog.New(slog.DiscardHandler),
		Readers: ingest.ReadersOf(fromENTSOE, fromRTE),
		// Energy every half hour instead of every quarter, which spares a quarter of the time.
		Schedules: map[market.FeedName]ingest.Schedule{
			market.FeedDayAheadPrices: {Every: 10 * time.Minute, FromMinute: 12*60 + 40, ToMinute: 18 * 60, LookbackDays: lookback, LateMinute: 14*60 + 30},
			market.FeedCapacity:       {Every: 10 * time.Minute, FromMinute: 8*60 + 10, ToMinute: 11*60 + 30, LookbackDays: lookback, LateMinute: 11 * 60},
			market.FeedAFRREnergy:     {Every: 30 * time.Minute, FromMinute: 0, ToMinute: 24 * 60, LookbackDays: lookback, LateMinute: 6 * 60},
			market.FeedMFRREnergy:     {Every: 30 * time.Minute, FromMinute: 0, ToMinute: 24 * 60, LookbackDays: lookback, LateMinute: 6 * 60},
		},
		Ran: func(run store.Run) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.outcomes[run.Outcome]++
		},
	})
	served := make(chan error, 1)
	go func() { served <- w.feeds.Serve(ctx) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			w.t.Error(err)
		}
	}()
	feeds := len(market.Feeds())
	for {
		// Each feed that does not work waits for exactly one thing: its next run, or its next try.
		if err := clock.BlockUntilContext(ctx, feeds); err != nil {
			if w.t.Context().Err() != nil {
				w.t.Fatal(err)
			}
			return true
		}
		next := clock.next()
		if next.After(until) {
			clock.Advance(until.Sub(clock.Now()))
			return false
		}
		clock.Advance(next.Sub(clock.Now()))
		w.advances++
	}
}

// carry is the network, and both sources at its other end.
func (w *weeks) carry(r *http.Request) (*http.Response, error) {
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	call, now := path.Base(r.URL.Path), w.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[call]++
	for len(w.changes) > 0 && !now.Before(w.changes[0].at) {
		if err := w.switches.Set(w.changes[0].Switch); err != nil {
			w.t.Error(err)
		}
		w.changes = w.changes[1:]
	}
	if !w.killed.IsZero() && !now.Before(w.killed) {
		w.killed = time.Time{}
		w.faults["the process ends within a call"]++
		w.end()
		return nil, context.Canceled
	}
	good := func() *http.Response { return w.answer(r, call, now) }
	for _, trouble := range w.troubles {
		if !now.Before(trouble.from) && now.Before(trouble.to) && slices.Contains(trouble.calls, call) {
			w.faults[trouble.name]++
			return trouble.answer(r, good)
		}
	}
	if bearer := r.Header.Get("Authorization"); slices.Contains(resources, call) {
		if bearer != w.bearer && w.revoked == "" && !now.Before(w.revoke) {
			w.revoked, w.revoke = bearer, now.Add(time.Hour)
		}
		w.bearer = bearer
		if w.revoked == bearer && !now.Before(w.revoke) {
			w.faults["RTE refuses the token"]++
			return withStatus(401, "application/json", `{"error":"invalid_token"}`)(r, good)
		}
	}
	if call == callMFRR {
		w.lastMFRR = now
	}
	return good(), nil
}

// answer is what the source says when nothing goes wrong; the caller holds the lock.
func (w *weeks) answer(r *http.Request, call string, now time.Time) *http.Response {
	source := w.rte
	query := r.URL.Query()
	start, _ := time.Parse(time.RFC3339, query.Get("start_date"))
	end, _ := time.Parse(time.RFC3339, query.Get("end_date"))
	switch first := market.DeliveryDateOf(start); {
	case call == callPrices:
		source = w.entsoe
	case call == callCapacity && first.Add(3).Start().Before(end):
		w.faults["RTE leaves out what is beyond 3 days"]++
	case call == callAFRR && !w.taken[first]:
		return document(r, strings.NewReader(`{"days":[]}`))
	}
	// The source looks at the clock, which needs the lock.
	w.mu.Unlock()
	defer w.mu.Lock()
	recorder := httptest.NewRecorder()
	source.ServeHTTP(recorder, r.Clone(r.Context()))
	response := recorder.Result()
	response.Request = r
	return response
}

// check holds what is stored, and what is said of it, against what was published.
func (w *weeks) check() {
	t := w.t
	db, err := sql.Open("sqlite", "file:"+w.db.Path()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tomorrow := w.last.Add(1)
	ahead := market.Dates(w.first.Add(1-lookback), tomorrow)
	energy := market.Dates(w.first.Add(-2), w.last)

	prices, capacity, afrr, mfrr := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	corrected := w.corrected()
	revisions := map[string]int{}
	for _, date := range ahead {
		published := simulator.Prices(dayOf(date))
		if len(published) != date.Steps(market.QuarterSeconds) {
			t.Fatalf("%s: %d prices", date, len(published))
		}
		for _, p := range published {
			if date == corrected[simulator.A44] {
				p = corrects(revisions, simulator.A44, p, p.Corrected())
			}
			prices[row(p.Start.Unix(), "PT15M", p.EURPerMWh)] = true
		}
		for _, c := range simulator.CapacitySteps(dayOf(date)) {
			if date == corrected[simulator.ProcuredReserves] && c.Reserve != "RR" {
				c = corrects(revisions, simulator.ProcuredReserves, c, c.Corrected())
			}
			if dataset, known := map[string]market.Dataset{"FCR": market.FCRCapacity, "AFRR": market.AFRRCapacity, "MFRR": market.MFRRCapacity}[c.Reserve]; known {
				direction := map[string]market.Direction{"UP": market.Upward, "DOWN": market.Downward, "UP_DOWN": market.Symmetric}[c.Direction]
				capacity[row(dataset, c.Start.Unix(), direction, c.Horizon, c.Product, c.Offered, c.Contracted, c.PricePerStep)] = true
			}
		}
	}
	var missing []market.DeliveryDate
	for _, date := range energy {
		if !w.taken[date] {
			if date != w.last {
				missing = append(missing, date)
			}
		} else {
			for _, a := range simulator.AFRRSteps(dayOf(date)) {
				if date == corrected[simulator.MarginalPrice] {
					a = corrects(revisions, simulator.MarginalPrice, a, a.Corrected())
				}
				afrr[row(a.Start.Unix(), a.Upward, a.Downward, a.Demand, a.ForFrance, a.InFrance, a.Picasso, a.Prorata)] = true
			}
		}
		for _, m := range simulator.MFRRSteps(dayOf(date)) {
			if !m.Start.Before(w.lastMFRR.Truncate(time.Second)) {
				continue // it had not begun when it was asked for last
			}
			if date == corrected[simulator.StandardMFRR] {
				m = corrects(revisions, simulator.StandardMFRR, m, m.Corrected())
			}
			v := m.Values
			if w.lastMFRR.Sub(m.Start) < 18*time.Minute {
				v = simulator.MFRRValues{}
			}
			mfrr[row(m.Start.Unix(), m.Direction, v.ClearingPrice, v.SettlementPriceCurrent, v.SettlementPricePrevious,
				v.TotalRequestedVolumeSA, v.TotalRequestedVolumeDA, v.TotalSatisfiedNeedSA, v.TotalSatisfiedNeedDA,
				v.TotalActivatedVolumeSA, v.TotalActivatedVolumeDA, v.TotalVolumeSubmitted, v.TotalVolumeFiltered)] = true
		}
	}
	if age := w.now().Sub(w.lastMFRR); age > 35*time.Minute {
		t.Errorf("mFRR energy was asked for last at %v", w.lastMFRR)
	}
	rows := 0
	for _, table := range []struct {
		name, columns string
		want          map[string]bool
	}{
		{"day_ahead_price WHERE source = 'ENTSO-E'", "start,resolution,price", prices},
		{"capacity", "dataset,start,direction,time_horizon,product,offered_mw,contracted_mw,price", capacity},
		{"afrr_energy", "start,upward_price,downward_price,demand_mw,for_france_mw,in_france_mw,picasso_connection,prorata_mode", afrr},
		{"mfrr_energy", "start,direction,clearing_price,settlement_price_current,settlement_price_previous,requested_volume_sa_mw,requested_volume_da_mw," +
			"satisfied_need_sa_mw,satisfied_need_da_mw,activated_volume_sa_mw,activated_volume_da_mw,submitted_offers_mw,filtered_offers_mw", mfrr},
	} {
		rows += compare(t, db, table.name, table.columns, table.want)
	}
	rows += w.checkImbalances(db)
	w.checkRevisions(db, revisions)
	if err := w.db.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
	w.checkCounts(market.DayAheadPrices, ahead, 1)
	w.checkCounts(market.FCRCapacity, ahead, 1)
	w.checkCounts(market.AFRRCapacity, ahead, 2)
	w.checkCounts(market.MFRREnergy, energy[:len(energy)-1], 2)
	w.checkCounts(market.ImbalancePrices, energy[:len(energy)-1], 1)
	w.checkReport(missing)
	for _, trouble := range w.troubles {
		if w.faults[trouble.name] == 0 {
			t.Errorf("there was no %s", trouble.name)
		}
	}
	for _, name := range []string{"RTE refuses the token", "RTE leaves out what is beyond 3 days", "the process ends within a call"} {
		if w.faults[name] == 0 {
			t.Errorf("it never happened that %s", name)
		}
	}
	t.Logf("%d dates ahead, %d of energy, %d of aFRR energy; %d rows compared, %v corrected; runs %v; calls %v; the clock went on %d times; faults %v",
		len(ahead), len(energy), len(w.taken), rows, revisions, w.outcomes, w.calls, w.advances, w.faults)
}

// checkImbalances wants each row of imbalance prices to be as RTE wrote it at the time that the row bears, and returns how
// many there are. RTE writes them again and again, so that other rows may have been published since they were read.
func (w *weeks) checkImbalances(db *sql.DB) int {
	t := w.t
	t.Helper()
	found, err := db.Query("SELECT start, positive_price, negative_price, imbalance_mwh, system_trend, missing_data, updated_ms FROM imbalance_price")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	trends := map[string]string{"HAUSSE": "UPWARD", "BAISSE": "DOWNWARD"}
	rows, wrong := 0, 0
	for ; found.Next(); rows++ {
		var start, updated int64
		var positive, negative *float64
		var mwh float64
		var trend string
		var missing *string
		if err := found.Scan(&start, &positive, &negative, &mwh, &trend, &missing, &updated); err != nil {
			t.Fatal(err)
		}
		if missing == nil {
			missing = new("N/A")
		}
		date := dayOf(market.DeliveryDateOf(time.Unix(start, 0)))
		is := slices.ContainsFunc(simulator.ImbalanceStepsAt(date, time.UnixMilli(updated)), func(s simulator.Imbalance) bool {
			return s.Start.Unix() == start && reflect.DeepEqual(s.Positive, positive) && reflect.DeepEqual(s.Negative, negative) && s.MWh == mwh &&
				trends[s.Trend] == trend && s.Missing == *missing && s.Updated.UnixMilli() == updated
		})
		if !is {
			wrong++
		}
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	if wrong > 0 {
		t.Errorf("%d of %d rows of imbalance prices are not as RTE wrote them", wrong, rows)
	}
	return rows
}

// corrects is a row after its correction; it counts those that this changes.
func corrects[R any](counted map[string]int, resource string, before, after R) R {
	if !reflect.DeepEqual(before, after) {
		counted[resource]++
	}
	return after
}

// checkStandIn wants tomorrow's prices to be there while ENTSO-E is down, and the report to tell of it.
func (w *weeks) checkStandIn() {
	t := w.t
	tomorrow := market.DeliveryDateOf(w.now()).Add(1)
	prices, err := store.Within(t.Context(), w.db, market.Prices, market.DayAheadPrices, tomorrow.Period())
	if err != nil {
		t.Fatal(err)
	}
	truth := simulator.Prices(dayOf(tomorrow))
	if len(prices) != len(truth) {
		t.Fatalf("%d prices of %s, want %d", len(prices), tomorrow, len(truth))
	}
	for i, p := range prices {
		if p.Source != market.FromRTE || p.Price != market.Num(truth[i].EURPerMWh) {
			t.Fatalf("the price %+v of %s, want %v from RTE", p, tomorrow, truth[i].EURPerMWh)
		}
	}
	current, err := w.feeds.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status := current.Datasets[0]; status.State != report.StateDown || status.LastError == nil {
		t.Errorf("while ENTSO-E is down its prices are %s, with the error %v", status.State, status.LastError)
	}
}

// checkRevisions wants each row that its source corrected to have been revised, and no other.
func (w *weeks) checkRevisions(db *sql.DB, want map[string]int) {
	t := w.t
	found, err := db.Query(`SELECT CASE dataset WHEN 'day-ahead-prices' THEN 'A44' WHEN 'mfrr-energy' THEN 'standard_mfrr_data' ELSE 'result_procured_reserves' END, count(DISTINCT dataset || start || series)
		FROM revision WHERE old IS NOT NULL AND dataset <> 'imbalance-prices' GROUP BY 1
		UNION ALL SELECT 'afrr_marginal_price', sum(steps) FROM afrr_energy_revision HAVING sum(steps) > 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	got := map[string]int{}
	for found.Next() {
		var resource string
		var rows int
		if err := found.Scan(&resource, &rows); err != nil {
			t.Fatal(err)
		}
		got[resource] = rows
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows revised (-want +got):\n%s", diff)
	}
	// What is overtaken is deleted; the ids tell how much waited.
	var waited, waiting int
	if err := db.QueryRow("SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'quarantine'), (SELECT count(*) FROM quarantine)").Scan(&waited, &waiting); err != nil || waited == 0 || waiting > 0 {
		t.Errorf("%d readings waited in quarantine, and %d still do, %v", waited, waiting, err)
	}
}

// checkCounts counts each date's quarter hours, in so many directions.
func (w *weeks) checkCounts(dataset market.Dataset, dates []market.DeliveryDate, directions int) {
	w.t.Helper()
	coverage, err := w.db.Coverage(w.t.Context(), dataset, dates[0], dates[len(dates)-1])
	if err != nil {
		w.t.Fatal(err)
	}
	for _, date := range dates {
		want := 96
		if date == w.change {
			want = map[time.Month]int{time.March: 92, time.October: 100}[date.Start().Month()]
		}
		got := market.Coverage{date: coverage[date]}.Rows()
		if got != want*directions {
			w.t.Errorf("%s has %d rows of %s, want %d", date, got, dataset, want*directions)
		}
	}
}

// checkReport wants nothing to be missing but the given dates of aFRR energy, and every source to be asked as usual.
func (w *weeks) checkReport(missing []market.DeliveryDate) {
	t := w.t
	current, err := w.feeds.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(current.Quarantine) > 0 {
		t.Errorf("in quarantine: %v", current.Quarantine)
	}
	if d := current.PriceDifferences; len(d) != 1 || d[0].Date != w.corrected()[simulator.A44] {
		t.Errorf("the sources of prices differ on %v, want the date that ENTSO-E corrected", d)
	}
	for _, status := range current.Datasets {
		if status.Dataset != market.AFRREnergy {
			if status.State != report.StateOK || len(status.Missing) > 0 || status.LastError != nil {
				t.Errorf("%s is %s, its last error is %v, missing are %v", status.Dataset, status.State, status.LastError, status.Missing)
			}
			continue
		}
		if status.State == report.StateDown || status.LastError != nil {
			t.Errorf("%s is %s, its last error is %v", status.Dataset, status.State, status.LastError)
		}
		var got []market.DeliveryDate
		for _, m := range status.Missing {
			got = append(got, m.Date)
			why := report.ReasonNotPublished
			if m.Date.DaysUntil(w.last) > gapDays {
				why = report.ReasonSourceGap
			}
			if m.Reason != why || m.Received != 0 {
				t.Errorf("of aFRR energy is missing %v", m)
			}
		}
		if !slices.Equal(got, missing) {
			t.Errorf("of aFRR energy are missing %v, want %v", got, missing)
		}
	}
}

// gapDays is after how many days at the most a date that is asked for once a day is a gap of its source's.
const gapDays = 8

// compare compares a whole table with the rows that it should have, and returns their number.
func compare(t *testing.T, db *sql.DB, table, columns string, want map[string]bool) int {
	t.Helper()
	found, err := db.Query("SELECT " + columns + " FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	values := make([]any, strings.Count(columns, ",")+1)
	fields := make([]any, len(values))
	for i := range values {
		fields[i] = &values[i]
	}
	rows, wrong := 0, 0
	for found.Next() {
		if err := found.Scan(fields...); err != nil {
			t.Fatal(err)
		}
		rows++
		if got := row(values...); want[got] {
			delete(want, got)
		} else if wrong++; wrong <= 5 {
			t.Errorf("%s holds %s, which was not published", table, got)
		}
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	lacking := 0
	for row := range want {
		if lacking++; lacking <= 5 {
			t.Errorf("%s lacks %s", table, row)
		}
	}
	if wrong+lacking > 0 {
		t.Errorf("%s: %d rows, %d wrong, %d lacking", table, rows, wrong, lacking)
	}
	return rows
}

// row is a row as a text; a missing value is "-".
func row(values ...any) string {
	var b strings.Builder
	for _, value := range values {
		switch v := value.(type) {
		case nil:
			value = "-"
		case *float64:
			if value = "-"; v != nil {
				value = *v
			}
		case bool:
			value = int64(0)
			if v {
				value = int64(1)
			}
		}
		fmt.Fprintf(&b, "%v ", value)
	}
	return b.String()
}

func dayOf(date market.DeliveryDate) simulator.Day {
	return simulator.DayOf(date.Start())
}
