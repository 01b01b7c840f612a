package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

func TestRevisionsAreNamedAndScaledAsTheirEndpointDoes(t *testing.T) {
	t.Parallel()
	f := open(t)
	admin := f.admin(t)
	start := market.NewDeliveryDate(2026, time.July, 14).Start().Unix()
	batch := func(v float64, flag bool) market.Batch {
		return market.Prices.Batch([]market.Price{{Start: start, Resolution: market.PT15M, Price: market.Num(v)}}).With(market.Capacity.Batch([]market.CapacityStep{{Dataset: market.AFRRCapacity, Start: start, Direction: market.Upward, TimeHorizon: "DAILY", Product: "STD",
			OfferedMW: market.Num(200), ContractedMW: market.Num(100), Price: market.Num(v / 4)}})).With(market.AFRR.Batch([]market.AFRRStep{{Start: start, DemandMW: market.Num(v), ProrataMode: market.Flag{V: flag, Valid: true}}})).With(market.MFRR.Batch([]market.MFRRStep{{Start: start, Direction: market.Downward, ActivatedVolumeSAMW: market.Num(v)}}))
	}
	f.commit(t, batch(1.5, false))
	f.clock.Advance(time.Hour)
	f.commit(t, batch(2.25, true))
	for path, want := range map[string]string{
		"day-ahead-prices": `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"PT15M","column":"price_eur_mwh","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"}],"next":null}`,
		"afrr-capacity":    `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"UPWARD/DAILY/STD","column":"price","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"}],"next":null}`,
		"fcr-capacity":     `{"revisions":[],"next":null}`,
		"afrr-energy": `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"","column":"pdemand_mw","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"},` +
			`{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"","column":"prorata_mode","old":false,"new":true,"seen_at":"2026-07-15T13:00:00.000Z"}],"next":null}`,
		"mfrr-energy": `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"DOWNWARD","column":"total_activated_volume_sa_mw","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"}],"next":null}`,
	} {
		if w := f.ask(t, "GET", "/api/revisions/"+path+"?from=2026-07-14&to=2026-07-14", admin); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d\n%s\nwant\n%s", path, w.Code, w.Body, want)
		}
	}
	if w := f.ask(t, "GET", "/api/revisions/day-ahead-prices?from=2026-07-15&to=2026-07-16", admin); w.Body.String() != `{"revisions":[],"next":null}` {
		t.Errorf("of other dates: %s", w.Body)
	}
}

func TestRevisionsThatAreRefused(t *testing.T) {
	f := open(t)
	admin := f.admin(t)
	member := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	for name, row := range map[string]struct {
		path   string
		who    func(*http.Request)
		status int
		code   string
	}{
		"no dates":                      {"day-ahead-prices", admin, 400, "invalid_parameter"},
		"one date":                      {"day-ahead-prices?from=2026-07-14", admin, 400, "invalid_parameter"},
		"a date that is none":           {"day-ahead-prices?from=2026-02-30&to=2026-07-14", admin, 400, "invalid_parameter"},
		"dates out of order":            {"day-ahead-prices?from=2026-07-15&to=2026-07-14", admin, 400, "invalid_parameter"},
		"more than a year":              {"day-ahead-prices?from=2025-01-01&to=2026-07-14", admin, 400, "invalid_parameter"},
		"no such dataset":               {"weather?from=2026-07-14&to=2026-07-14", admin, 404, "not_found"},
		"a member without subscription": {"afrr-energy?from=2026-07-14&to=2026-07-14", member, 401, "subscription_required"},
		"a guest":                       {"afrr-energy?from=2026-07-14&to=2026-07-14", func(*http.Request) {}, 401, "unauthenticated"},
	} {
		if p := problemOf(t, f.ask(t, "GET", "/api/revisions/"+row.path, row.who)); p.Status != row.status || p.Code != row.code {
			t.Errorf("%s: %+v, want %d %s", name, p, row.status, row.code)
		}
	}
}

// revisedSteps commits 4 s steps of a delivery date and then others, an hour apart: rows of them, n hours long.
func revisedSteps(t *testing.T, f *fixture, date market.DeliveryDate, hours int) {
	t.Helper()
	rows := make([]market.AFRRStep, hours*900)
	for _, times := range []float64{1, 1.5} {
		for i := range rows {
			rows[i] = market.AFRRStep{Start: date.Start().Unix() + int64(i)*market.AFRRSeconds, UpwardPrice: market.Num(float64(i+1) * times),
				DemandMW: market.Num(float64(-i) * times), PicassoConnection: market.Flag{V: times > 1, Valid: i%2 == 0}}
		}
		f.clock.Advance(time.Hour)
		f.commit(t, market.AFRR.Batch(rows))
	}
}

// change changes the database behind Courant's back.
func change(t *testing.T, f *fixture, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.store.Path())
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement)
	must(t, err)
}

// revisionsPage reads one answer: its revisions, each as it is written, and the address of the next page.
func revisionsPage(t *testing.T, f *fixture, target string, who func(*http.Request)) (revisions []string, next string) {
	t.Helper()
	w := f.ask(t, "GET", target, who)
	var page struct {
		Revisions []json.RawMessage `json:"revisions"`
		Next      *string           `json:"next"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d, %v: %.300s", target, w.Code, err, w.Body)
	}
	link := ""
	if page.Next != nil {
		next = *page.Next
		link = "<" + next + `>; rel="next"`
	}
	if got := w.Header().Get("Link"); got != link {
		t.Errorf("%s: Link is %q, want %q", target, got, link)
	}
	for _, r := range page.Revisions {
		revisions = append(revisions, string(r))
	}
	return revisions, next
}

func TestThePagesOfRevisionsAreTogetherTheWhole(t *testing.T) {
	t.Parallel()
	f := open(t)
	admin := f.admin(t)
	date := market.NewDeliveryDate(2026, time.July, 14)
	revisedSteps(t, f, date, 2)
	for n := range 3 {
		f.clock.Advance(time.Hour)
		f.commit(t, market.MFRR.Batch([]market.MFRRStep{
			{Start: date.Start().Unix(), Direction: market.Upward, ClearingPrice: market.Num(float64(n)), FilteredOffersMW: market.Num(float64(-n))},
			{Start: date.Start().Unix(), Direction: market.Downward, ClearingPrice: market.Num(float64(n))},
			{Start: date.Start().Unix() + 900, Direction: market.Downward, ClearingPrice: market.Num(float64(n))},
		}))
	}
	for dataset, row := range map[string]struct {
		revisions int
		limits    []int
	}{
		"afrr-energy": {1800 + 1799 + 900, []int{1000, 899, 4499, 10_000}}, // of one demand nothing changed

		"mfrr-energy":      {8, []int{1, 3, 8, 9}},
		"day-ahead-prices": {0, []int{1}},
	} {
		whole := "/api/revisions/" + dataset + "?from=2026-07-14&to=2026-07-15"
		all, next := revisionsPage(t, f, whole, admin)
		if len(all) != row.revisions || next != "" {
			t.Errorf("%s: %d revisions, want %d; next is %q", dataset, len(all), row.revisions, next)
		}
		for _, limit := range row.limits {
			var pages []string
			for next := fmt.Sprintf("%s&limit=%d", whole, limit); next != ""; {
				var page []string
				page, next = revisionsPage(t, f, next, admin)
				if len(page) > limit || next != "" && len(page) < limit {
					t.Fatalf("%s: a page has %d revisions, of at most %d", dataset, len(page), limit)
				}
				pages = append(pages, page...)
			}
			if !slices.Equal(pages, all) {
				t.Errorf("%s: the pages of %d hold %d revisions, the whole %d, or in another order", dataset, limit, len(pages), len(all))
			}
		}
	}
}

func TestRevisionsBetweenTwoPagesDoNotShiftTheNextPage(t *testing.T) {
	t.Parallel()
	f := open(t)
	admin := f.admin(t)
	date := market.NewDeliveryDate(2026, time.July, 14)
	revisedSteps(t, f, date, 1)
	const target = "/api/revisions/afrr-energy?from=2026-07-14&to=2026-07-14"
	before, _ := revisionsPage(t, f, target, admin)
	pages, next := revisionsPage(t, f, target+"&limit=500", admin)
	f.clock.Advance(time.Hour)
	f.commit(t, market.AFRR.Batch([]market.AFRRStep{{Start: date.Start().Unix(), UpwardPrice: market.Num(77)}}))
	for next != "" {
		var page []string
		page, next = revisionsPage(t, f, next, admin)
		pages = append(pages, page...)
	}
	if !slices.Equal(pages, before) {
		t.Errorf("the pages hold %d revisions, want the %d that there were, each once", len(pages), len(before))
	}
}

func TestALargeAnswerOfRevisionsIsSentInParts(t *testing.T) {
	t.Parallel()
	f := open(t)
	admin := f.admin(t)
	revisedSteps(t, f, market.NewDeliveryDate(2026, time.July, 14), 8)
	const target = "/api/revisions/afrr-energy?from=2026-07-14&to=2026-07-14"
	w := f.ask(t, "GET", target, admin)
	if !json.Valid(w.Body.Bytes()) || w.Body.Len() < 2<<20 || w.Header().Get("Content-Length") != "" || !strings.HasSuffix(w.Body.String(), `],"next":null}`) {
		t.Errorf("%d bytes, Content-Length %q, valid JSON: %t", w.Body.Len(), w.Header().Get("Content-Length"), json.Valid(w.Body.Bytes()))
	}
	if head := f.ask(t, "HEAD", target, admin); head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: %d with %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
	// A part that is damaged comes too late for a problem: the connection ends instead.
	change(t, f, "UPDATE afrr_energy_revision SET checksum = checksum + 1 WHERE hour = (SELECT max(hour) FROM afrr_energy_revision)")
	aborted := func() (reason any) {
		defer func() { reason = recover() }()
		f.ask(t, "GET", target, admin)
		return nil
	}()
	if aborted != http.ErrAbortHandler || !strings.Contains(f.log.String(), "is damaged") {
		t.Errorf("the answer ended with %v; the log says %.300s", aborted, f.log)
	}
	change(t, f, "UPDATE afrr_energy_revision SET checksum = 0")
	if p := problemOf(t, f.ask(t, "GET", target, admin)); p.Code != "internal" {
		t.Errorf("%+v", p)
	}
}

// slowReader is a client that takes nothing of an answer until it is let.
type slowReader struct {
	*httptest.ResponseRecorder
	asked, let chan struct{}
}

func (r slowReader) Write(p []byte) (int, error) {
	r.asked <- struct{}{}
	<-r.let
	return r.ResponseRecorder.Write(p)
}

func TestClientsThatReadRevisionsSlowlyHoldOnlySoManyAnswers(t *testing.T) {
	f := open(t)
	const target = "/api/revisions/day-ahead-prices?from=2026-07-14&to=2026-07-14"
	var tokens []string
	for n := range 7 {
		tokens = append(tokens, f.token(t, f.account(t, fmt.Sprintf("anne%d@example.org", n), store.Member), nil))
	}
	let, asked := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	slowly := func(token, query string) {
		readers.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target+query, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := slowReader{httptest.NewRecorder(), asked, let}
			f.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				t.Errorf("an answer that was begun: %d %s", w.Code, w.Body)
			}
		})
		await.Value(t, asked)
	}
	refused := func(token string) {
		t.Helper()
		w := f.ask(t, "GET", target, bearer(token))
		if p := problemOf(t, w); p.Status != http.StatusTooManyRequests || p.Code != "rate_limited" || w.Header().Get("Retry-After") != "5" {
			t.Errorf("one more: %+v, Retry-After %q", p, w.Header().Get("Retry-After"))
		}
	}
	for n, token := range tokens[:6] {
		for _, query := range []string{"", "&limit=1", "", "&limit=10000"} {
			slowly(token, query)
		}
		if refused(token); n == 0 {
			if w := f.ask(t, "GET", target, bearer(tokens[6])); w.Code != http.StatusOK {
				t.Errorf("another account: %d", w.Code)
			}
		}
	}
	refused(tokens[6]) // of all accounts together there are too many
	close(let)
	readers.Wait()
	for _, token := range tokens {
		if w := f.ask(t, "GET", target, bearer(token)); w.Code != http.StatusOK {
			t.Errorf("when all is read: %d", w.Code)
		}
	}
}

func TestClientsThatReadPagesSlowlyHoldOnlySoMuch(t *testing.T) {
	storetest.Long(t)
	f := open(t)
	f.commit(t, oneOfEach(12.5))
	f.refresh(t)
	anne, boris := carrying(f.session(t, f.account(t, "anne@example.org", store.Member))), carrying(f.session(t, f.account(t, "boris@example.org", store.Member)))
	const page = "/docs"
	size := f.ask(t, "GET", page, anne).Body.Len()
	let, asked := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	for range 8 << 20 / size {
		readers.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
			anne(r)
			f.ServeHTTP(slowReader{httptest.NewRecorder(), asked, let}, r)
		})
		await.Value(t, asked)
	}
	w := f.ask(t, "GET", page, anne)
	if p := problemOf(t, w); p.Status != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "5" {
		t.Errorf("one more: %+v, Retry-After %q", p, w.Header().Get("Retry-After"))
	}
	for name, ask := range map[string]*httptest.ResponseRecorder{"another account": f.ask(t, "GET", page, boris), "a guest": f.ask(t, "GET", page), "a small answer": f.ask(t, "GET", "/account", anne)} {
		if ask.Code != http.StatusOK {
			t.Errorf("%s: %d", name, ask.Code)
		}
	}
	close(let)
	readers.Wait()
	if w := f.ask(t, "GET", page, anne); w.Code != http.StatusOK {
		t.Errorf("when all is read: %d", w.Code)
	}
}

func TestParametersOfRevisionsThatAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	admin := f.admin(t)
	revisedSteps(t, f, market.NewDeliveryDate(2026, time.July, 14), 1)
	const dates = "from=2026-07-14&to=2026-07-14"
	_, next := revisionsPage(t, f, "/api/revisions/afrr-energy?"+dates+"&limit=1", admin)
	cursor := next[strings.Index(next, "&cursor="):]
	if len(cursor) > len("&cursor=")+24 {
		t.Errorf("the cursor %q is long", cursor)
	}
	for target, says := range map[string]string{
		"afrr-energy?" + dates + "&limit=0":                              "from 1 to 10000",
		"afrr-energy?" + dates + "&limit=10001":                          "from 1 to 10000",
		"afrr-energy?" + dates + "&limit=-1":                             "from 1 to 10000",
		"afrr-energy?" + dates + "&limit=1e3":                            "from 1 to 10000",
		"afrr-energy?" + dates + "&limit=99999999999999999999":           "from 1 to 10000",
		"afrr-energy?" + dates + "&limit=":                               "each once and with a value",
		"afrr-energy?" + dates + "&limit=1&limit=1":                      "each once and with a value",
		"afrr-energy?" + dates + "&limits=1":                             "each once and with a value",
		"afrr-energy?from=&to=2026-07-14":                                "each once and with a value",
		"afrr-energy?" + dates + "&cursor=":                              "each once and with a value",
		"afrr-energy?" + dates + "&to=2026-07-14":                        "each once and with a value",
		"afrr-energy?" + dates + "&limit=%zz":                            "each once and with a value",
		"afrr-energy?" + dates + "&cursor=AAAA":                          "does not come from an answer",
		"afrr-energy?" + dates + "&cursor=%21":                           "does not come from an answer",
		"afrr-energy?" + dates + cursor[:len(cursor)-1]:                  "does not come from an answer",
		"afrr-energy?from=2026-07-14&to=2026-07-15" + cursor:             "does not come from an answer",
		"afrr-energy?from=2026-07-13&to=2026-07-14" + cursor:             "does not come from an answer",
		"mfrr-energy?" + dates + cursor:                                  "does not come from an answer",
		"day-ahead-prices?" + dates + cursor:                             "does not come from an answer",
		"afrr-energy?" + dates + "&cursor=" + strings.Repeat("A", 5_000): "does not come from an answer",
	} {
		w := f.ask(t, "GET", "/api/revisions/"+target, admin, header("Accept-Language", "en"))
		if p := problemOf(t, w); p.Status != http.StatusBadRequest || p.Code != "invalid_parameter" || !strings.Contains(p.Detail, says) {
			t.Errorf("%.120s: %+v, want %q", target, p, says)
		}
	}
	// Of a database that was put back from before, a cursor may name what is no longer there.
	change(t, f, "DELETE FROM afrr_energy_revision")
	if p := problemOf(t, f.ask(t, "GET", next, admin)); p.Code != "invalid_parameter" {
		t.Errorf("%+v", p)
	}
}
