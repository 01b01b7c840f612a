package api_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

func TestAnswersOfRowsHaveTheHeadersOfTheContract(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack)
	for _, row := range []struct{ query, contentType, disposition string }{
		{"date=2026-10-25", "application/json", ""},
		{"date=2026-10-25&format=columns", "application/json", ""},
		{"date=2026-10-25&format=ndjson", "application/x-ndjson", ""},
		{"date=2026-10-25&format=csv", "text/csv; charset=utf-8", `attachment; filename="day-ahead-prices_2026-10-25_native.csv"`},
		{"from=2026-10-25&to=2026-10-27&format=csv-fr&resolution=PT1H", "text/csv; charset=utf-8",
			`attachment; filename="day-ahead-prices_2026-10-25_to_2026-10-27_PT1H.csv"`},
		{"date=2026-10-25&format=xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
			`attachment; filename="day-ahead-prices_2026-10-25_native.xlsx"`},
		{"date=2026-10-25&format=parquet&resolution=P1D", "application/vnd.apache.parquet",
			`attachment; filename="day-ahead-prices_2026-10-25_P1D.parquet"`},
	} {
		path := rowsPath(market.DayAheadPrices, row.query)
		for _, method := range []string{"GET", "HEAD"} {
			w := f.ask(t, method, path, admin)
			for name, want := range map[string]string{
				"Content-Type": row.contentType, "Content-Disposition": row.disposition, "X-Courant-Position": "1",
				"X-Courant-Attribution": "Source: ENTSO-E Transparency Platform", "Cache-Control": "private, no-cache",
				"Vary": "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie", "Link": "", "Content-Encoding": "", "X-Courant-Data": "",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s %s: %s %q, want %q", method, path, name, got, want)
				}
			}
			if w.Code != 200 || len(w.Header().Get("Etag")) < 20 || (w.Body.Len() == 0) != (method == "HEAD") {
				t.Errorf("%s %s answers %d with the tag %s and %d bytes", method, path, w.Code, w.Header().Get("Etag"), w.Body.Len())
			}
		}
	}
	for _, dataset := range market.Datasets()[1:] {
		if got := f.ask(t, "HEAD", rowsPath(dataset, ""), admin).Header().Get("X-Courant-Attribution"); got != "Source: RTE" {
			t.Errorf("%s: X-Courant-Attribution %q", dataset, got)
		}
	}
}

func TestRowsThatAClientHasAreNotSentAgain(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack)
	path := rowsPath(market.DayAheadPrices, "date=2026-10-25")
	tags := map[string]string{} // by what it differs in
	check := func(name, path string, changes ...func(*http.Request)) {
		t.Helper()
		changes = append(changes, admin)
		tag := f.rows(t, path, changes...).Header().Get("Etag")
		for other, taken := range tags {
			if taken == tag {
				t.Errorf("%s has the tag of %s", name, other)
			}
		}
		tags[name] = tag
		for _, method := range []string{"GET", "HEAD"} {
			for _, held := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
				w := f.ask(t, method, path, append(changes, header("If-None-Match", held))...)
				if w.Code != 304 || w.Body.Len() > 0 || w.Header().Get("Etag") != tag || w.Header().Get("X-Courant-Position") == "" {
					t.Errorf("%s %s with %s answers %d, tag %s", method, name, held, w.Code, w.Header().Get("Etag"))
				}
			}
			if w := f.ask(t, method, path, append(changes, header("If-None-Match", `"x"`))...); w.Code != 200 {
				t.Errorf("%s %s with another tag answers %d", method, name, w.Code)
			}
		}
	}
	check("plain", path)
	check("gzip", path, header("Accept-Encoding", "gzip"))
	check("zstd", path, header("Accept-Encoding", "zstd"))
	check("English", path, english)
	check("csv", path+"&format=csv")
	check("an hour", path+"&resolution=PT1H")
	check("a page", path+"&limit=4")
	if same := f.rows(t, rowsPath(market.DayAheadPrices, "from=2026-10-25&to=2026-10-26"), admin).Header().Get("Etag"); same != tags["plain"] {
		t.Errorf("the same range has the tag %s, want %s", same, tags["plain"])
	}
	f.commit(t, revised(turnBack, 1))
	check("revised", path)
}

func TestRowsAreSentInTheCodingThatTheClientPrefers(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack)
	for _, form := range []string{"json", "columns", "ndjson", "csv", "csv-fr"} {
		path := rowsPath(market.AFRREnergy, "date=2026-10-25&format="+form)
		want := f.rows(t, path, admin).Body.String()
		for coding, open := range map[string]func(io.Reader) (io.Reader, error){
			"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
			"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
		} {
			w := f.rows(t, path, admin, header("Accept-Encoding", coding))
			reader, err := open(w.Body)
			must(t, err)
			got, err := io.ReadAll(reader)
			must(t, err)
			if w.Header().Get("Content-Encoding") != coding || string(got) != want {
				t.Errorf("%s in %s: Content-Encoding %q, %d bytes, want %d", form, coding, w.Header().Get("Content-Encoding"), len(got), len(want))
			}
		}
	}
	for _, form := range []string{"xlsx", "parquet"} {
		if got := f.rows(t, rowsPath(market.AFRREnergy, "date=2026-10-25&format="+form), admin, header("Accept-Encoding", "gzip, zstd")).Header().Get("Content-Encoding"); got != "" {
			t.Errorf("%s is sent in %s", form, got)
		}
	}
}

func TestRowsMayBeReadByThoseWhoMayReadTheirDataset(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, oneOfEach(1))
	f.refresh(t)
	all := callers(t, f)
	for _, who := range all {
		for _, dataset := range market.Datasets() {
			want := who.rest
			switch dataset {
			case market.DayAheadPrices:
				want = who.prices
			case market.AFRREnergy:
				want = who.afrr
			}
			for _, method := range []string{"GET", "HEAD"} {
				r := httptest.NewRequestWithContext(t.Context(), method, "/api/datasets/"+string(dataset)+"/rows", nil)
				for _, change := range who.dress {
					change(r)
				}
				if r.URL.RawQuery != "" { // a token in the query, which is no parameter
					continue
				}
				w := httptest.NewRecorder()
				f.ServeHTTP(w, r)
				if w.Code != statusOf[want] {
					t.Errorf("%s, %s %s: %d, want %q", who.name, method, dataset, w.Code, want)
				}
				if w.Code != 200 && (w.Header().Get("X-Courant-Position") != "" || w.Header().Get("Etag") != "") {
					t.Errorf("%s, %s: a refusal has headers of an answer", who.name, dataset)
				}
			}
		}
	}
	if w := f.ask(t, "GET", "/api/datasets/weather/rows", all[0].dress...); w.Code != 404 {
		t.Errorf("an unknown dataset answers %d", w.Code)
	}
}

func TestSimulatedRowsSaySo(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.Simulated = true })
	f.commit(t, oneOfEach(1))
	admin := f.admin(t)
	for query, want := range map[string]string{
		"": "", "limit=1": "", "limit=0": "", "format=json": "", "format=columns": "", "format=ndjson": "",
		"format=csv": "csv", "format=csv-fr": "csv", "format=xlsx": "xlsx", "format=parquet": "parquet",
	} {
		if want != "" {
			want = `attachment; filename="simulated_day-ahead-prices_2026-10-25_native.` + want + `"`
			query += "&date=2026-10-25"
		}
		got := f.ask(t, "GET", rowsPath(market.DayAheadPrices, query), admin).Header()
		if got.Get("X-Courant-Data") != "simulated" || got.Get("Content-Disposition") != want {
			t.Errorf("%q: X-Courant-Data %q, Content-Disposition %q, want %q", query, got.Get("X-Courant-Data"), got.Get("Content-Disposition"), want)
		}
	}
}

// withSteps is a fixture that holds a 4 s step a minute of six dates: an answer of all of them may have more rows than a short one.
func withSteps(t testing.TB) (f *fixture, span string) {
	t.Helper()
	f = open(t, func(o *api.Options) { o.RateLimitPerMinute = 1_000_000 })
	first := turnBack.Add(-5)
	for i := range 6 {
		f.commit(t, stepsOn(first.Add(i)))
	}
	return f, "from=" + first.String() + "&to=" + turnBack.Add(1).String()
}

// stepsOn is the 4 s steps of marketOn.
func stepsOn(date market.DeliveryDate) market.Batch {
	return market.AFRR.Batch(market.AFRR.In(marketOn(date)))
}

// stream is a client of an answer that is under way.
type stream struct {
	header  http.Header
	status  int
	begun   chan struct{} // closed once the first part has come
	read    chan struct{} // the client takes the other parts once it is closed
	leave   context.CancelFunc
	done    chan struct{}
	content strings.Builder
	aborted bool
	once    sync.Once
	ctx     context.Context
}

func (r *stream) Header() http.Header { return r.header }

func (r *stream) WriteHeader(status int) { r.status = status }

func (r *stream) Flush() {}

// Write implements http.ResponseWriter: the second part waits for the client.
func (r *stream) Write(p []byte) (int, error) {
	if r.content.Len() > 0 {
		r.once.Do(func() { close(r.begun) })
		select {
		case <-r.read:
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
	return r.content.Write(p)
}

// begin asks for rows, and waits until the first part of them has come, or the whole answer.
func (f *fixture) begin(t testing.TB, path, token string) *stream {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	r := &stream{header: http.Header{}, begun: make(chan struct{}), read: make(chan struct{}), leave: leave, done: make(chan struct{}), ctx: ctx}
	request := httptest.NewRequestWithContext(ctx, "GET", path, nil)
	bearer(token)(request)
	go func() {
		defer close(r.done)
		defer func() { r.aborted = recover() == http.ErrAbortHandler }()
		f.ServeHTTP(r, request)
	}()
	t.Cleanup(func() { leave(); await.Value(t, r.done) })
	select {
	case <-r.begun:
	case <-r.done:
	case <-time.After(await.Limit):
		t.Fatal("nothing has come")
	}
	return r
}

// isUnderWay reports whether the answer waits for its client.
func (r *stream) isUnderWay() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

func TestTwoLongAnswersOfATokenAndEightInAllAreUnderWayAtMost(t *testing.T) {
	t.Parallel()
	f, span := withSteps(t)
	path := rowsPath(market.AFRREnergy, span+"&format=ndjson")
	status := func(token, path string) (int, string) {
		w := f.ask(t, "HEAD", path, bearer(token))
		return w.Code, w.Header().Get("Retry-After")
	}
	var tokens []string
	for i := range 5 {
		tokens = append(tokens, f.token(t, f.account(t, fmt.Sprintf("boris%d@example.org", i), store.Administrator), nil))
	}
	var long []*stream
	for _, token := range tokens[:4] {
		for range 2 {
			r := f.begin(t, path, token)
			if !r.isUnderWay() {
				t.Fatalf("a long answer ended with %d", r.status)
			}
			long = append(long, r)
		}
		if code, retry := status(token, path); code != 429 || retry != "5" {
			t.Errorf("a third long answer of a token is %d, Retry-After %q", code, retry)
		}
	}
	if code, retry := status(tokens[4], path); code != 429 || retry != "5" {
		t.Errorf("a ninth long answer is %d, Retry-After %q", code, retry)
	}
	for _, query := range []string{"date=2026-10-25", span + "&limit=100", span + "&resolution=PT15M", span + "&format=csv&limit=100000"} {
		if code, _ := status(tokens[0], rowsPath(market.AFRREnergy, query)); code != 200 {
			t.Errorf("an answer that is not long, %s, is %d beside long ones", query, code)
		}
	}
	long[7].leave() // the client goes away
	await.Value(t, long[7].done)
	if code, _ := status(tokens[4], path); code != 200 || !long[7].aborted {
		t.Errorf("after a client has left a long answer is %d", code)
	}
	close(long[0].read) // the client reads to the end
	await.Value(t, long[0].done)
	if code, _ := status(tokens[0], path); code != 200 || long[0].aborted || strings.Count(long[0].content.String(), "\n") != 6*1440+60 {
		t.Errorf("after an answer of %d bytes has ended a long one is %d", long[0].content.Len(), code)
	}
	for _, r := range long[1:7] {
		r.leave()
		await.Value(t, r.done)
	}
	if got := f.LongAnswers(); got != 0 {
		t.Errorf("%d long answers are counted at the end", got)
	}
}

func TestResampledRowsThatAreMadeFromVeryManyAreALongAnswer(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, market.AFRR.Batch(market.AFRR.In(marketOn(turnForward))[:1]))
	f.commit(t, market.AFRR.Batch(market.AFRR.In(marketOn(turnBack))[:1]))
	token := f.token(t, f.account(t, "boris@example.org", store.Administrator), nil)
	for query, isLong := range map[string]bool{
		"resolution=P1M": true, "resolution=PT1H": true, "resolution=PT1H&limit=4000": true, "resolution=PT1H&limit=400": false, "limit=100000": false,
		"resolution=P1D&limit=3": false,
	} {
		release := f.FillLongAnswers()
		code := f.ask(t, "HEAD", rowsPath(market.AFRREnergy, "from=2026-03-01&to=2026-11-01&"+query), bearer(token)).Code
		release()
		if isLong != (code == 429) || !isLong && code != 200 {
			t.Errorf("%s answers %d where no long answer may begin", query, code)
		}
	}
}

func TestHoursThatAreMadeOfSummariesAreNoLongAnswer(t *testing.T) {
	t.Parallel()
	f := open(t)
	var steps []market.AFRRStep
	for start := turnBack.Add(-60).Start().Unix(); start < turnBack.Start().Unix(); start += market.HourSeconds {
		steps = append(steps, market.AFRRStep{Start: start, UpwardPrice: market.Num(1)})
	}
	known := f.clock.Now()
	f.commit(t, market.AFRR.Batch(steps))
	token := f.token(t, f.account(t, "boris@example.org", store.Administrator), nil)
	ask := func(query string) int {
		release := f.FillLongAnswers()
		defer release()
		return f.ask(t, "HEAD", rowsPath(market.AFRREnergy, "from=2026-08-01&to=2026-11-01&"+query), bearer(token)).Code
	}
	for query, code := range map[string]int{"resolution=PT1H": 200, "resolution=P1M": 200, "resolution=PT30M": 429, "resolution=P1D&as_of=" + known.Add(-time.Hour).Format(time.RFC3339): 429} {
		if got := ask(query); got != code {
			t.Errorf("%s answers %d where no long answer may begin, want %d", query, got, code)
		}
	}
	change(t, f, "DELETE FROM afrr_energy_summary")
	if got := ask("resolution=P1M"); got != 429 {
		t.Errorf("without summaries a month answers %d where no long answer may begin", got)
	}
}

func TestALongAnswerIsOfOneMomentWhileOthersWrite(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	for _, query := range storetest.Some(4, []string{"&format=ndjson&order=desc", "&format=csv", "&format=json", "&format=columns"}) {
		f, span := withSteps(t)
		token := f.token(t, f.account(t, "boris@example.org", store.Administrator), nil)
		path := rowsPath(market.AFRREnergy, "from=2026-10-18&to=2026-10-31&columns=upward_price_eur_mwh,updated_at"+query)
		want := f.rows(t, path, bearer(token)).Body.String()
		r := f.begin(t, path, token)
		if !r.isUnderWay() {
			t.Fatalf("%s has ended with %d", path, r.status)
		}
		for n := range 3 {
			f.clock.Advance(time.Minute)
			for day := range 6 {
				f.commit(t, market.AFRR.Batch(market.AFRR.In(revised(turnBack.Add(-day), n))))
			}
			f.commit(t, stepsOn(turnBack.Add(1+n)))
			f.commit(t, stepsOn(turnBack.Add(-6-n)))
		}
		close(r.read)
		await.Value(t, r.done)
		if got := r.content.String(); got != want {
			t.Errorf("%s during which others wrote has %d bytes, want the %d of its first moment", path, len(got), len(want))
		}
		if now := f.rows(t, path, bearer(token)).Body.String(); now == want {
			t.Errorf("nothing was written meanwhile: %s", span)
		}
	}
}

func TestAFaultInTheMiddleNeverLooksLikeTheEnd(t *testing.T) {
	t.Parallel()
	f, span := withSteps(t)
	change(t, f, "UPDATE afrr_energy_hour SET checksum = checksum + 1 WHERE start = (SELECT max(start) FROM afrr_energy_hour)")
	server := httptest.NewServer(f)
	defer server.Close()
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	admin := f.admin(t)
	for _, form := range []string{"json", "columns", "ndjson", "csv", "csv-fr", "xlsx", "parquet"} {
		for _, coding := range []string{"identity", "gzip", "zstd"} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+rowsPath(market.AFRREnergy, span+"&format="+form), nil)
			must(t, err)
			admin(r)
			r.Header.Set("Accept-Encoding", coding)
			response, err := transport.RoundTrip(r)
			must(t, err)
			if response.StatusCode != 200 {
				t.Errorf("%s in %s answers %d before anything was sent", form, coding, response.StatusCode)
			}
			if body, err := io.ReadAll(response.Body); err == nil {
				t.Errorf("%s in %s: %d bytes of an answer that was cut short look whole", form, coding, len(body))
			}
			response.Body.Close()
		}
	}
	if cut := strings.Count(f.log.String(), "answer cut short"); cut != 21 {
		t.Errorf("%d answers are logged as cut short", cut)
	}
}

func TestAFaultBeforeAnythingIsSentIsAProblem(t *testing.T) {
	t.Parallel()
	f, span := withSteps(t)
	change(t, f, "UPDATE afrr_energy_hour SET checksum = checksum + 1")
	admin := f.admin(t)
	for _, form := range []string{"json", "columns", "ndjson", "csv", "csv-fr", "xlsx", "parquet"} {
		for _, query := range []string{"", "&resolution=PT30M", "&limit=5"} {
			w := f.ask(t, "GET", rowsPath(market.AFRREnergy, span+query+"&format="+form), admin, header("Accept-Encoding", "gzip"))
			if p := problemOf(t, w); p.Status != 500 {
				t.Errorf("%s with %q answers %d", form, query, w.Code)
			}
			for _, name := range []string{"Content-Encoding", "Content-Disposition", "Etag", "Link", "X-Courant-Position", "X-Courant-Attribution"} {
				if got := w.Header().Get(name); got != "" {
					t.Errorf("%s with %q: a problem has %s %q", form, query, name, got)
				}
			}
		}
	}
	if got := f.LongAnswers(); got != 0 {
		t.Errorf("%d long answers are counted after faults", got)
	}
}

func TestAFormTakesARangeOfWhichFewerRowsAreStoredThanItCouldHave(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, date := range []market.DeliveryDate{turnForward, turnBack} {
		f.commit(t, market.AFRR.Batch(market.AFRR.In(marketOn(date))[:1]))
	}
	admin := f.admin(t)
	for _, form := range []string{"columns", "xlsx"} {
		if w := f.ask(t, "GET", rowsPath(market.AFRREnergy, "from=2026-03-29&to=2026-10-26&format="+form), admin); w.Code != 200 {
			t.Errorf("two rows of 4.5 million steps as %s answer %d", form, w.Code)
		}
	}
}
