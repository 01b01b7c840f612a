package api_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest/await"
)

func TestA304OfRowsReadsNothingAndStaysTrueUnderCommits(t *testing.T) {
	t.Parallel()
	const path = "/api/datasets/day-ahead-prices/rows?date=2026-07-15"
	var reports atomic.Int64
	var missing []report.Missing
	f := open(t, func(o *api.Options) {
		o.Report = func(context.Context, bool) (report.Report, error) {
			reports.Add(1)
			return report.Report{Datasets: []report.Status{{Dataset: market.DayAheadPrices, Missing: missing}}}, nil
		}
	})
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	token := f.admin(t)
	read := func(changes ...func(*http.Request)) (int, string) {
		t.Helper()
		w := f.ask(t, "GET", path, append(changes, token)...)
		return w.Code, w.Header().Get("Etag")
	}
	_, tag := read()
	held := func(tag string) func(*http.Request) { return header("If-None-Match", tag) }
	if status, again := read(held(tag)); status != 304 || again != tag {
		t.Fatalf("unchanged rows answer %d with %s, want 304 with %s", status, again, tag)
	}
	before := reports.Load()
	if status, _ := read(held(tag), header("Accept-Language", "fr")); status != 304 || reports.Load() != before {
		t.Errorf("a 304 answers %d after %d reports, had %d", status, reports.Load(), before)
	}
	for _, change := range []func(*http.Request){header("Accept-Language", "en"), header("Accept-Encoding", "gzip"), header("Accept", "text/csv")} {
		if status, other := read(held(tag), change); status != 200 || other == tag {
			t.Errorf("another representation answers %d with %s", status, other)
		}
	}

	var changed market.Batch
	start := market.DeliveryDateOf(noon).Start().Unix()
	market.Prices.Put(&changed, []market.Price{{Start: start, Resolution: market.PT15M, Price: market.Num(1234.5)}})
	f.commit(t, changed)
	status, second := read(held(tag))
	if status != 200 || second == tag {
		t.Errorf("after a commit of this process: %d with %s", status, second)
	}

	// What is missing depends on the clock, too.
	missing = []report.Missing{{Date: market.DeliveryDateOf(noon), Expected: 96, Received: 95, Reason: report.ReasonPartial}}
	f.clock.Advance(10 * time.Second)
	status, third := read(held(second))
	if status != 200 || third == second {
		t.Errorf("once a date is missing: %d with %s", status, third)
	}
	if status, _ := read(held(third)); status != 304 {
		t.Errorf("while it is missing: %d", status)
	}

	// A clock that is set back has its rows checked again.
	missing = nil
	f.clock.Advance(-time.Hour)
	if status, fourth := read(held(third)); status != 200 || fourth != second {
		t.Errorf("after the clock was set back: %d with %s, want %s", status, fourth, second)
	}
}

func TestA304OfRowsStaysTrueUnderCommitsOfAnotherProcess(t *testing.T) {
	t.Parallel()
	const path = "/api/datasets/day-ahead-prices/rows?date=2026-07-15"
	f := open(t)
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	token := f.admin(t)
	tag := f.ask(t, "GET", path, token).Header().Get("Etag")
	seen := make(chan uint64, 100)
	f.store.Watch(time.Millisecond, func() error { seen <- f.store.Commits(); return nil }, func(err error) { t.Error(err) })
	await.Value(t, seen)
	if w := f.ask(t, "GET", path, token, header("If-None-Match", tag)); w.Code != 304 {
		t.Fatalf("unchanged rows answer %d", w.Code)
	}
	before := f.store.Commits()

	other, err := store.Open(t.Context(), f.store.Path())
	must(t, err)
	defer other.Close()
	var changed market.Batch
	market.Prices.Put(&changed, []market.Price{{Start: market.DeliveryDateOf(noon).Start().Unix(), Resolution: market.PT15M, Price: market.Num(1234.5)}})
	must(t, other.Commit(t.Context(), f.run(store.OutcomeOK, market.DayAheadPrices), changed))
	for await.Value(t, seen) == before {
	}
	if w := f.ask(t, "GET", path, token, header("If-None-Match", tag)); w.Code != 200 || w.Header().Get("Etag") == tag {
		t.Errorf("after a commit of another process: %d with %s", w.Code, w.Header().Get("Etag"))
	}
}

func TestWordsOfAQueryOfRowsKeepTheirMeaningInA304(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	token := f.admin(t)
	for _, query := range []string{"?date=yesterday", "?from=today-P1D", "?from=now-P1D", "?from=%6Eow-P1D"} {
		path := "/api/datasets/day-ahead-prices/rows" + query
		tag := f.ask(t, "GET", path, token).Header().Get("Etag")
		if w := f.ask(t, "GET", path, token, header("If-None-Match", tag)); w.Code != 304 {
			t.Errorf("%s answers %d", query, w.Code)
		}
		f.clock.Advance(2 * time.Second)
		if w := f.ask(t, "GET", path, token, header("If-None-Match", tag)); (w.Code == 304) != (query == "?date=yesterday" || query == "?from=today-P1D") {
			t.Errorf("%s answers %d after two seconds", query, w.Code)
		}
		now := f.clock.Now()
		f.clock.Advance(market.DeliveryDateOf(now).End().Sub(now))
		if w := f.ask(t, "GET", path, token, header("If-None-Match", tag)); w.Code != 200 {
			t.Errorf("%s answers %d on the next day", query, w.Code)
		}
		f.clock.Advance(-f.clock.Since(now))
	}
}

func TestA304OfTheLatestDateOfRowsEndsWithANewOne(t *testing.T) {
	t.Parallel()
	const path = "/api/datasets/day-ahead-prices/rows"
	f := open(t)
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	token := f.admin(t)
	tag := f.ask(t, "GET", path, token).Header().Get("Etag")
	var next market.Batch
	start := market.DeliveryDateOf(noon).End().Unix()
	market.Prices.Put(&next, []market.Price{{Start: start, Resolution: market.PT15M, Price: market.Num(1)}})
	f.commit(t, next)
	between := f.ask(t, "GET", path, token).Header().Get("Etag") // before the bodies are built again
	f.refresh(t)
	for _, held := range []string{tag, between} {
		if w := f.ask(t, "GET", path, token, header("If-None-Match", held)); w.Code != 200 {
			t.Errorf("a new date answers %d to %s", w.Code, held)
		}
	}
}

func TestA304OfRowsIsRefusedToWhoMayNotRead(t *testing.T) {
	t.Parallel()
	const path = "/api/datasets/afrr-energy/rows"
	f := open(t)
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	token := f.admin(t)
	tag := f.ask(t, "GET", path, token).Header().Get("Etag")
	if w := f.ask(t, "GET", path, token, header("If-None-Match", tag)); w.Code != 304 {
		t.Fatalf("unchanged rows answer %d", w.Code)
	}
	member := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	for _, change := range []func(*http.Request){member, func(*http.Request) {}} {
		if w := f.ask(t, "GET", path, change, header("If-None-Match", tag)); w.Code != 401 {
			t.Errorf("without a subscription: %d", w.Code)
		}
	}
}

func TestATagOfAPastMomentEndsWhenAColumnWithoutRevisionsChanges(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t)
	day := market.NewDeliveryDate(2026, 5, 10) // long enough ago that its status can have been validated
	commit := func(status string) {
		f.commit(t, market.Imbalance.Batch([]market.ImbalanceStep{
			{Start: day.Period().Start, PositivePrice: market.Num(1), Status: market.Str(status)},
		}))
		f.clock.Advance(time.Hour)
	}
	asOf := "date=" + day.String() + "&as_of=" + f.clock.Now().Format(time.RFC3339) + "&columns="
	commit("provisional")
	for _, test := range []struct {
		columns, next string
		want          int
	}{{"status", "validated", 200}, {"positive_price_eur_mwh", "settled", 304}} {
		path := rowsPath(market.ImbalancePrices, asOf+test.columns)
		first := f.rows(t, path, admin)
		f.clock.Advance(time.Hour)
		commit(test.next)
		w := f.ask(t, "GET", path, admin, header("If-None-Match", first.Header().Get("Etag")))
		if w.Code != test.want || test.want == 200 && w.Body.String() == first.Body.String() {
			t.Errorf("%s, then %s, answers %d %s, want %d", path, first.Body, w.Code, w.Body, test.want)
		}
	}
}
