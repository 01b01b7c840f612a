package api_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// aggregates are the endpoints that hold others: the keys of their parts, in order, with the parts' endpoints.
var aggregates = map[string][][2]string{
	"balancing-capacity": {{"fcr", "fcr-capacity"}, {"afrr", "afrr-capacity"}, {"mfrr", "mfrr-capacity"}},
	"balancing-energy":   {{"afrr", "afrr-energy"}, {"mfrr", "mfrr-energy"}},
}

// aggregate is what an aggregate has to be when its parts are what is served.
func aggregate(name string, newest string, served map[string][]byte) []byte {
	want := `{"latestFetchedAtUtc":` + newest
	for _, part := range aggregates[name] {
		want += `,"` + part[0] + `":` + string(served[part[1]])
	}
	return []byte(want + "}")
}

// oneOfEach is a row of every dataset, all with the same price.
func oneOfEach(price float64) market.Batch {
	start, number := noon.Unix(), market.Num(price)
	step := func(dataset market.Dataset, direction market.Direction) market.CapacityStep {
		return market.CapacityStep{Dataset: dataset, Start: start, Direction: direction, TimeHorizon: "DAILY", Product: "STD", Price: number}
	}
	return market.Prices.Batch([]market.Price{{Start: start, Resolution: market.PT15M, Price: number}}).With(market.Capacity.Batch([]market.CapacityStep{
		step(market.FCRCapacity, market.Symmetric), step(market.AFRRCapacity, market.Upward), step(market.MFRRCapacity, market.Downward),
	})).With(market.AFRR.Batch([]market.AFRRStep{{Start: start, UpwardPrice: number}})).With(market.MFRR.Batch([]market.MFRRStep{{Start: start, Direction: market.Upward, ClearingPrice: number}})).
		With(market.Imbalance.Batch([]market.ImbalanceStep{{Start: start, PositivePrice: number, Status: market.Str("provisional")}}))
}

func TestAggregatesContainTheirPartsByteForByte(t *testing.T) {
	t.Parallel()
	f := open(t)
	batch := oneOfEach(12.5)
	f.commit(t, market.Prices.Batch(market.Prices.In(batch)).With(market.Capacity.Batch(market.Capacity.In(batch)[:1])).With(market.AFRR.Batch(market.AFRR.In(batch))))
	f.clock.Advance(1234 * time.Millisecond)
	f.commit(t, market.Capacity.Batch(market.Capacity.In(batch)[1:2]))
	f.clock.Advance(-time.Minute) // the newest time is not that of the last part
	f.commit(t, market.Capacity.Batch(market.Capacity.In(batch)[2:]).With(market.MFRR.Batch(market.MFRR.In(batch))))
	f.refresh(t)
	admin := f.admin(t)
	served := map[string][]byte{}
	for _, endpoint := range endpoints {
		served[endpoint] = f.ask(t, "GET", "/api/"+endpoint, admin).Body.Bytes()
	}
	same(t, served["balancing-capacity"], aggregate("balancing-capacity", `"2026-07-15T12:00:01.234Z"`, served))
	same(t, served["balancing-energy"], aggregate("balancing-energy", `"2026-07-15T12:00:00.000Z"`, served))
}

func TestAnAggregateTakesTheTimeOfTheOnlyPartThatWasRead(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, market.Batch{}, market.MFRRCapacity, market.AFRREnergy)
	f.refresh(t)
	served := f.Snapshot()
	for name := range aggregates {
		same(t, served[name], aggregate(name, `"`+string(fetched)+`"`, served))
	}
}

func TestRefreshBuildsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(1))
	f.refresh(t)
	before := map[string]*byte{}
	for _, endpoint := range endpoints {
		before[endpoint] = f.Served(endpoint)
	}
	rebuilt := func(want ...string) {
		t.Helper()
		f.refresh(t)
		expected := map[string]bool{}
		for _, endpoint := range want {
			expected[endpoint] = true
		}
		for _, endpoint := range endpoints {
			now := f.Served(endpoint)
			_, whole := aggregates[endpoint]
			if again := now != before[endpoint]; again != expected[endpoint] && !whole {
				t.Errorf("%s built again: %t", endpoint, again)
			}
			before[endpoint] = now
		}
	}
	rebuilt()
	f.commit(t, market.Prices.Batch(market.Prices.In(oneOfEach(2))))
	rebuilt("day-ahead-prices")
	f.commit(t, market.Capacity.Batch(market.Capacity.In(oneOfEach(2))[1:2]))
	rebuilt("afrr-capacity")
	f.commit(t, market.MFRR.Batch(market.MFRR.In(oneOfEach(2))).With(market.AFRR.Batch(market.AFRR.In(oneOfEach(2)))))
	rebuilt("afrr-energy", "mfrr-energy")
}

func TestFetchTimeIsThatOfTheNewestRunThatRefusedNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(1))
	refused := func(datasets ...market.Dataset) []market.Refusal {
		var all []market.Refusal
		for _, dataset := range datasets {
			all = append(all, market.Refusal{Dataset: dataset, Date: market.DeliveryDateOf(noon), Reason: "test"})
		}
		return all
	}
	check := func(what string, fcr, afrr word) {
		t.Helper()
		f.refresh(t)
		served := f.Snapshot()
		for endpoint, want := range map[string]word{"fcr-capacity": fcr, "afrr-capacity": afrr, "balancing-capacity": max(fcr, afrr)} {
			var got struct {
				Fetched word `json:"latestFetchedAtUtc"`
			}
			must(t, json.Unmarshal(served[endpoint], &got))
			if got.Fetched != want {
				t.Errorf("after %s: %s was fetched at %s, want %s", what, endpoint, got.Fetched, want)
			}
		}
	}
	check("rows of both", fetched, fetched)

	f.clock.Advance(time.Minute)
	f.commit(t, market.Batch{}, market.FCRCapacity, market.AFRRCapacity)
	check("a run that brought nothing new", "2026-07-15T12:01:00.000Z", "2026-07-15T12:01:00.000Z")

	f.clock.Advance(time.Minute)
	must(t, f.store.RecordRun(t.Context(), f.run(store.OutcomeFailed, market.FCRCapacity, market.AFRRCapacity)))
	check("a run that failed", "2026-07-15T12:01:00.000Z", "2026-07-15T12:01:00.000Z")

	f.clock.Advance(time.Minute)
	partial := f.run(store.OutcomePartial, market.FCRCapacity, market.AFRRCapacity)
	partial.Refusals = refused(market.AFRRCapacity)
	must(t, f.store.Commit(t.Context(), partial, market.Batch{}))
	check("a run that refused one of the two", "2026-07-15T12:03:00.000Z", "2026-07-15T12:01:00.000Z")

	f.clock.Advance(time.Minute)
	must(t, f.store.RecordRun(t.Context(), f.run(store.OutcomeInterrupted, market.FCRCapacity, market.AFRRCapacity)))
	check("a run that was interrupted", "2026-07-15T12:03:00.000Z", "2026-07-15T12:01:00.000Z")
}

func TestWhatAnotherProcessCommitsIsServedAfterARefresh(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	other, err := store.Open(t.Context(), f.store.Path())
	must(t, err)
	defer other.Close()
	must(t, other.Commit(t.Context(), f.run(store.OutcomeOK, market.DayAheadPrices), market.Prices.Batch(market.Prices.In(oneOfEach(7)))))
	if !bytes.Contains(f.body(t, "day-ahead-prices"), []byte(`"price_eur_mwh":7}`)) {
		t.Error("a row of another process is not served")
	}
}

func TestAFailedRefreshLeavesWhatIsServed(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(1))
	f.refresh(t)
	before := f.Snapshot()
	must(t, f.store.Close())
	if err := f.Refresh(t.Context()); err == nil {
		t.Error("a refresh from a closed store succeeds")
	}
	for endpoint, body := range f.Snapshot() {
		same(t, body, before[endpoint])
	}
}

// The price is a counter: a reader that sees one part older than what it saw before has been given a mixture.
func TestReadersNeverSeeAMixtureWhileBodiesAreRefreshed(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	const commits, readers = 12, 3
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 1 << 30 })
	f.commit(t, oneOfEach(1))
	f.refresh(t)
	admin := f.admin(t)
	var done atomic.Bool
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			last := 0.0
			for !done.Load() {
				served := f.Snapshot()
				for name := range aggregates {
					if want := aggregate(name, fetchTime(served[name]), served); !bytes.Equal(served[name], want) {
						t.Errorf("%s is not made of its parts:\n%s\nwant\n%s", name, served[name], want)
						return
					}
				}
				part, whole := f.ask(t, "GET", "/api/fcr-capacity", admin), f.ask(t, "GET", "/api/balancing-capacity", admin)
				if part.Code != http.StatusOK || whole.Code != http.StatusOK {
					t.Errorf("while bodies are refreshed the answer is %d and %d", part.Code, whole.Code)
					return
				}
				var older struct{ Rows []struct{ Price float64 } }
				var newer struct {
					FCR struct{ Rows []struct{ Price float64 } }
				}
				if err := json.Unmarshal(part.Body.Bytes(), &older); err != nil {
					t.Error(err)
				}
				if err := json.Unmarshal(whole.Body.Bytes(), &newer); err != nil {
					t.Error(err)
				}
				if a, b := older.Rows[0].Price, newer.FCR.Rows[0].Price; a < last || b < a {
					t.Errorf("after %g, the part says %g and the aggregate %g", last, a, b)
				} else {
					last = b
				}
			}
		})
	}
	var writing sync.WaitGroup
	for range 2 { // refreshes may overlap, too
		writing.Go(func() {
			for !done.Load() {
				if err := f.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range commits {
		f.commit(t, oneOfEach(float64(i+2)))
		f.refresh(t)
		if got := f.Snapshot()["fcr-capacity"]; !bytes.Contains(got, fcrPrice(i+2)) {
			t.Errorf("after commit %d and a refresh the answer is %s", i+2, got)
		}
	}
	done.Store(true)
	reading.Wait()
	writing.Wait()
}

// fetchTime is the first member of an aggregate, as it is written.
func fetchTime(body []byte) string {
	const first = len(`{"latestFetchedAtUtc":`)
	return string(body[first : first+len(`"2026-07-15T12:00:00.000Z"`)])
}

// fcrPrice is how a quarter hour published at the price is served.
func fcrPrice(price int) []byte {
	text, err := json.Marshal(4 * price)
	if err != nil {
		panic(err)
	}
	return append([]byte(`"price":`), append(text, ',')...)
}

func TestBeforeAllBodiesAreBuiltDataRoutesAreUnavailable(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(1))
	admin := f.admin(t)
	paths := []string{"/readyz"}
	for _, endpoint := range endpoints {
		paths = append(paths, "/api/"+endpoint)
	}
	for _, path := range paths {
		w := f.ask(t, "GET", path, admin)
		if p := problemOf(t, w); w.Code != 503 || p.Code != "unavailable" || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s answers %d %s, Retry-After %q", path, w.Code, p.Code, w.Header().Get("Retry-After"))
		}
	}
	if w := f.ask(t, "GET", "/healthz"); w.Code != 200 {
		t.Errorf("/healthz answers %d", w.Code)
	}
	f.refresh(t)
	for _, path := range append(paths, "/healthz") {
		if w := f.ask(t, "GET", path, admin); w.Code != 200 {
			t.Errorf("%s answers %d after the refresh", path, w.Code)
		}
	}
}

func TestReadyzReportsWhenTheDatabaseDoesNotAnswer(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	must(t, f.store.Close())
	w := f.ask(t, "GET", "/readyz")
	if p := problemOf(t, w); w.Code != 503 || p.Code != "unavailable" || w.Header().Get("Retry-After") == "" {
		t.Errorf("/readyz answers %d %s", w.Code, p.Code)
	}
	if w := f.ask(t, "GET", "/healthz"); w.Code != 200 {
		t.Errorf("/healthz answers %d", w.Code)
	}
}

func TestARunThatChangesNoRowGivesTheBodiesItsTimeAndReadsNoRow(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(12.5))
	f.refresh(t)
	raw, err := sql.Open("sqlite", f.store.Path())
	must(t, err)
	defer raw.Close()
	_, err = raw.ExecContext(t.Context(), "DELETE FROM coverage") // who looks for rows finds none
	must(t, err)
	before := f.Snapshot()
	f.clock.Advance(90 * time.Second)
	f.commit(t, market.Batch{}, market.Datasets()...)
	f.refresh(t)
	after := f.Snapshot()
	for _, endpoint := range endpoints {
		same(t, after[endpoint], bytes.ReplaceAll(before[endpoint], []byte(`tchedAtUtc":"2026-07-15T12:00:00.000Z"`), []byte(`tchedAtUtc":"2026-07-15T12:01:30.000Z"`)))
	}
	must(t, f.store.RecordRun(t.Context(), f.run(store.OutcomeFailed, market.Datasets()...)))
	f.refresh(t)
	for endpoint, body := range f.Snapshot() {
		same(t, body, after[endpoint])
	}
}

func TestABodyThatWasNeverFetchedGetsItsTime(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	f.commit(t, market.Batch{}, market.FCRCapacity, market.MFRREnergy)
	f.refresh(t)
	fresh := open(t, func(o *api.Options) { o.Store = f.store })
	fresh.refresh(t)
	for endpoint, want := range fresh.Snapshot() {
		same(t, f.Snapshot()[endpoint], want)
	}
}
