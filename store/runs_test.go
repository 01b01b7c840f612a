package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

// account is one run of the three capacity datasets, for tests of the summary of several runs.
type account struct {
	outcome store.Outcome
	refused []market.Dataset // on 14 July
	brings  bool             // a row of aFRR capacity, each time with another price
}

// runAll commits the accounts a minute apart, or records those that cannot have rows.
func runAll(t *testing.T, s *store.Store, accounts []account) {
	t.Helper()
	for i, a := range accounts {
		run := runAt(i, market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity)
		run.Outcome = a.outcome
		for _, dataset := range a.refused {
			run.Refusals = append(run.Refusals, market.Refusal{Dataset: dataset, Date: date("2026-07-14"), Reason: "no number"})
		}
		var batch market.Batch
		if a.brings {
			market.Capacity.Put(&batch, []market.CapacityStep{{Dataset: market.AFRRCapacity, Start: date("2026-07-13").Period().Start, Price: market.Num(float64(i))}})
		}
		if a.outcome == store.OutcomeFailed || a.outcome == store.OutcomeInterrupted {
			if err := s.RecordRun(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			continue
		}
		commit(t, s, run, batch)
	}
}

func TestTheLastSuccessIsTheNewestRunThatReadTheNewestDateWell(t *testing.T) {
	t.Parallel()
	const never = -1
	a, f := market.AFRRCapacity, market.FCRCapacity
	for _, c := range []struct {
		name     string
		accounts []account
		success  int // minute, of aFRR capacity
		change   int
	}{
		{name: "no run", success: never, change: never},
		{name: "one that brought nothing new", accounts: []account{{outcome: store.OutcomeOK}}, success: 0, change: never},
		{name: "the newest of two", accounts: []account{{outcome: store.OutcomeOK, brings: true}, {outcome: store.OutcomeOK}}, success: 1, change: 0},
		{
			name: "one that refused another dataset", success: 1, change: never,
			accounts: []account{{outcome: store.OutcomeOK}, {outcome: store.OutcomePartial, refused: []market.Dataset{f}}},
		},
		{
			name: "not one that refused this one", success: 0, change: 1,
			accounts: []account{{outcome: store.OutcomeOK}, {outcome: store.OutcomePartial, refused: []market.Dataset{a}, brings: true}},
		},
		{
			name: "not one that failed", success: 0, change: 0,
			accounts: []account{{outcome: store.OutcomeOK, brings: true}, {outcome: store.OutcomeFailed}},
		},
		{
			name: "not one that was interrupted", success: 0, change: never,
			accounts: []account{{outcome: store.OutcomeOK}, {outcome: store.OutcomeInterrupted}},
		},
		{name: "none if all failed", success: never, change: never, accounts: []account{{outcome: store.OutcomeFailed}, {outcome: store.OutcomeFailed}}},
		{
			name: "one after failures", success: 2, change: 2,
			accounts: []account{{outcome: store.OutcomeFailed}, {outcome: store.OutcomePartial, refused: []market.Dataset{a}}, {outcome: store.OutcomeOK, brings: true}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			runAll(t, s, c.accounts)
			at := func(n int) time.Time {
				if n == never {
					return time.Time{}
				}
				return minute(n)
			}
			want := store.RunSummary{LastSuccess: at(c.success), LastChange: at(c.change)}
			got, err := s.RunSummary(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			window, err := store.Latest(t.Context(), s, market.Capacity, a, 29)
			if err != nil || !window.FetchedAt.Equal(want.LastSuccess) {
				t.Errorf("fetched at %s, %v; want %s", window.FetchedAt, err, want.LastSuccess)
			}
			versions, err := s.Versions(t.Context())
			if err != nil || versions[a] != window.Version || (versions[a] == 0) != (len(c.accounts) == 0) {
				t.Errorf("versions %v, %v; the window has %d", versions, err, window.Version)
			}
			changed := int64(3*c.change + 2) // the version of the change: a run is a row for each of its datasets
			for since := range window.Version + 1 {
				want := store.ChangesSince{Version: window.Version, FetchedAt: window.FetchedAt, RowsChanged: c.change != never && since < changed}
				news, err := s.ChangesSince(t.Context(), a, since)
				if diff := cmp.Diff(want, news); diff != "" || err != nil {
					t.Errorf("news since %d %v (-want +got):\n%s", since, err, diff)
				}
			}
		})
	}
}

func TestTheNewestRunsAreFoundWithoutReadingTheOthers(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for query, args := range store.NewestRunQueries() {
		for _, step := range strings.Split(ask(t, s.ReaderPool(), "EXPLAIN QUERY PLAN "+query, args...), "\n") {
			step = step[strings.LastIndex(step, "|")+1:]
			if step != "SEARCH feed_run USING INTEGER PRIMARY KEY (rowid=?)" && !strings.HasPrefix(step, "SEARCH newest_run USING PRIMARY KEY (dataset=?") &&
				!strings.HasPrefix(step, "SCALAR SUBQUERY") {
				t.Errorf("%s: %s", query, step)
			}
		}
	}
}

func TestARunOfTheSecondSourceIsNoSuccessOfTheFirst(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	run := func(n int, feed string, outcome store.Outcome) {
		t.Helper()
		r := runAt(n, market.DayAheadPrices)
		r.Feed, r.Outcome, r.Secondary = feed, outcome, feed == "exchange_prices"
		var batch market.Batch
		if outcome == store.OutcomeOK {
			market.Prices.Put(&batch, []market.Price{{Start: date("2026-07-14").Period().Start, Resolution: market.PT15M, Price: market.Num(float64(n))}})
		}
		commit(t, s, r, batch)
	}
	run(1, "day_ahead_prices", store.OutcomeOK)
	run(2, "day_ahead_prices", store.OutcomeFailed)
	run(3, "exchange_prices", store.OutcomeOK)
	want := store.RunSummary{LastSuccess: minute(1), LastChange: minute(3)}
	if got, err := s.RunSummary(t.Context(), market.DayAheadPrices); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if window, err := store.Latest(t.Context(), s, market.Prices, market.DayAheadPrices, 29); err != nil || !window.FetchedAt.Equal(minute(1)) {
		t.Errorf("fetched at %s, %v", window.FetchedAt, err)
	}
}

func TestARunIsOneRowForEachDataset(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	run := runAt(3, market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity)
	run.Feed, run.Outcome, run.Bytes, run.Error = "capacity", store.OutcomePartial, 4711, "two dates refused"
	run.Window = date("2026-10-25").Period()
	run.Refusals = []market.Refusal{
		{Dataset: market.MFRRCapacity, Date: date("2026-10-25"), Reason: "first"},
		{Dataset: market.MFRRCapacity, Date: date("2026-10-25"), Reason: "second of the same date"},
		{Dataset: market.MFRRCapacity, Date: date("2026-10-26"), Reason: "it's \"odd\""},
		{Dataset: market.FCRCapacity, Date: date("2026-10-25"), Reason: "other"},
	}
	commit(t, s, run, market.Capacity.Batch([]market.CapacityStep{{Dataset: market.AFRRCapacity, Start: run.Window.Start}, {Dataset: market.AFRRCapacity, Start: run.Window.Start + 900}}))
	rest := fmt.Sprintf("%d|%d|%d|%d|partial", run.Window.Start, run.Window.End, run.Started.UnixMilli(), run.Ended.UnixMilli())
	want := "1|capacity|fcr-capacity|" + rest + "|0|0|4711|two dates refused\n" +
		"2|capacity|afrr-capacity|" + rest + "|2|2|4711|two dates refused\n" +
		"3|capacity|mfrr-capacity|" + rest + "|0|0|4711|two dates refused"
	if diff := cmp.Diff(want, ask(t, s.ReaderPool(), "SELECT * FROM feed_run ORDER BY id")); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	want = "1|2026-10-25|other\n3|2026-10-25|first\n3|2026-10-26|it's \"odd\""
	if diff := cmp.Diff(want, ask(t, s.ReaderPool(), "SELECT * FROM refusal ORDER BY run_id, delivery_date")); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
	if first, err := s.FirstRequestedDate(t.Context(), market.FCRCapacity); err != nil || first != date("2026-10-25") {
		t.Errorf("first asked for %s, %v", first, err)
	}
	versions, err := s.Versions(t.Context())
	wanted := map[market.Dataset]int64{market.DayAheadPrices: 0, market.FCRCapacity: 1, market.AFRRCapacity: 2, market.MFRRCapacity: 3, market.AFRREnergy: 0, market.MFRREnergy: 0, market.ImbalancePrices: 0}
	if diff := cmp.Diff(wanted, versions); diff != "" || err != nil {
		t.Errorf("versions %v (-want +got):\n%s", err, diff)
	}
}

func TestAFetchThatWasCutShortGoesOnWhereItWas(t *testing.T) {
	s := openNew(t)
	ctx := t.Context()
	first, last := date("2026-07-01"), date("2026-07-14")
	begin := func(feed string, first, last market.DeliveryDate) store.Fetch {
		t.Helper()
		fetch, err := s.BeginFetch(ctx, feed, first, last, minute(0))
		if err != nil {
			t.Fatal(err)
		}
		return fetch
	}
	fetch := begin("capacity", first, last)
	if len(fetch.Finished) != 0 {
		t.Errorf("a new fetch has finished %v", fetch.Finished)
	}
	window := func(n int) market.Period { return first.Add(n).Period() }
	for n, outcome := range []store.Outcome{store.OutcomeOK, store.OutcomePartial, store.OutcomeFailed, store.OutcomeInterrupted, store.OutcomeOK, store.OutcomeOK} {
		run := runAt(n, market.AFRREnergy)
		run.Window, run.Outcome, run.FetchID = window(n), outcome, fetch.ID
		commit(t, s, run, market.Batch{})
	}
	again := runAt(9, market.AFRREnergy)
	again.Window, again.FetchID = window(0), fetch.ID
	commit(t, s, again, market.Batch{})
	noFetch := runAt(10, market.AFRREnergy)
	noFetch.Window = window(7)
	commit(t, s, noFetch, market.Batch{})
	failing := runAt(11, market.AFRREnergy)
	failing.Window, failing.FetchID = window(8), fetch.ID
	if err := s.Commit(ctx, failing, market.MFRR.Batch([]market.MFRRStep{{}})); err == nil {
		t.Error("rows that nobody asked for were committed")
	}

	want := store.Fetch{ID: fetch.ID, Finished: map[int64]bool{window(0).Start: true, window(4).Start: true, window(5).Start: true}}
	if diff := cmp.Diff(want, begin("capacity", first, last)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, other := range []store.Fetch{begin("afrr_energy", first, last), begin("capacity", first.Add(1), last), begin("capacity", first, last.Add(-1))} {
		if other.ID == fetch.ID || len(other.Finished) != 0 {
			t.Errorf("a fetch of something else is %+v", other)
		}
	}
	if err := s.EndFetch(ctx, fetch.ID); err != nil {
		t.Fatal(err)
	}
	// A run of it that ends late is stored nevertheless.
	late := runAt(12, market.AFRREnergy)
	late.Window, late.FetchID = window(6), fetch.ID
	commit(t, s, late, market.Batch{})
	if after := begin("capacity", first, last); len(after.Finished) != 0 {
		t.Errorf("a fetch that has ended remembers %v", after.Finished)
	}
	if got := ask(t, s.ReaderPool(), "SELECT count(*) FROM fetch_window"); got != "0" {
		t.Errorf("%s windows of fetches that have ended", got)
	}
}
