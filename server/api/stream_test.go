package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

// listening is a client of the stream.
type listening struct {
	t     *testing.T
	code  int
	head  http.Header
	lines chan string // closed at the end
	leave context.CancelFunc
	id    string // of the last event, as clients keep it
}

// streaming is a fixture whose stream is read over HTTP.
type streaming struct {
	*fixture
	address string
}

func openStream(t *testing.T, changes ...func(*api.Options)) *streaming {
	t.Helper()
	f := &streaming{fixture: open(t, append(changes, func(o *api.Options) { o.RateLimitPerMinute = 100_000 })...)}
	web := httptest.NewServer(f)
	f.address = web.URL
	t.Cleanup(func() { f.EndStreams(); web.Close(); f.Close() })
	return f
}

// listen connects to the stream.
func (f *streaming) listen(t *testing.T, query string, changes ...func(*http.Request)) *listening {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.address+"/api/stream?"+query, nil)
	must(t, err)
	for _, change := range changes {
		change(request)
	}
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	l := &listening{t: t, code: response.StatusCode, head: response.Header, lines: make(chan string, 10_000), leave: leave}
	go func() {
		defer close(l.lines)
		defer response.Body.Close()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			l.lines <- lines.Text()
		}
	}()
	t.Cleanup(leave)
	return l
}

// block reads lines to the next empty one; false at the end.
func (l *listening) block() (lines []string, more bool) {
	l.t.Helper()
	for {
		select {
		case line, more := <-l.lines:
			if !more || line == "" {
				return lines, more
			}
			lines = append(lines, line)
		case <-time.After(await.Limit):
			l.t.Fatal("nothing has come")
		}
	}
}

// event reads the next event: its type, what is said of it, and its id if it has one; empty at the end. Comments are left out.
func (l *listening) event() string {
	l.t.Helper()
	for {
		lines, more := l.block()
		if !more {
			return ""
		}
		var kind, data, id string
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "event":
				kind = value
			case "data":
				data = value
			case "id":
				id, l.id = " id "+value, value
			}
		}
		if data != "" {
			return kind + " " + said(l.t, data) + id
		}
	}
}

// events reads the next events.
func (l *listening) events(n int) (all []string) {
	l.t.Helper()
	for range n {
		all = append(all, l.event())
	}
	return all
}

// said is the members of an event in short.
func said(t *testing.T, data string) string {
	t.Helper()
	var members map[string]any
	must(t, json.Unmarshal([]byte(data), &members))
	var parts []string
	for _, name := range []string{"dataset", "date", "from", "to", "rows", "period_start_utc", "keys", "column", "old", "new", "state", "reason", "href", "simulated", "position"} {
		switch value := members[name].(type) {
		case nil:
		case []any:
			parts = append(parts, fmt.Sprintf("%d rows", len(value)))
		case map[string]any:
			if len(value) > 0 {
				parts = append(parts, strings.Trim(fmt.Sprint(value), "map[]"))
			}
		case float64:
			parts = append(parts, strconv.FormatFloat(value, 'f', -1, 64))
		default:
			parts = append(parts, fmt.Sprint(value))
		}
	}
	return strings.Join(parts, " ")
}

// quarterPrices are prices of ENTSO-E on the date of the fixture.
func quarterPrices(from, n int, price float64) market.Batch {
	return pricesOn(market.DeliveryDateOf(noon), from, n, price)
}

func pricesOn(date market.DeliveryDate, from, n int, price float64) market.Batch {
	var rows []market.Price
	for i := range n {
		rows = append(rows, market.Price{Start: date.Start().Unix() + int64(from+i)*market.QuarterSeconds, Resolution: market.PT15M, Price: market.Num(price)})
	}
	return market.Prices.Batch(rows)
}

func fourSecondSteps(date market.DeliveryDate, from, n int, price float64) market.Batch {
	var rows []market.AFRRStep
	for i := range n {
		rows = append(rows, market.AFRRStep{Start: date.Start().Unix() + int64(from+i)*market.AFRRSeconds, UpwardPrice: market.Num(price)})
	}
	return market.AFRR.Batch(rows)
}

func capacityOf(dataset market.Dataset, direction market.Direction, price float64) market.Batch {
	return market.Capacity.Batch([]market.CapacityStep{{Dataset: dataset, Start: market.DeliveryDateOf(noon).Start().Unix(), Direction: direction,
		TimeHorizon: "DAILY", Product: "STD", Price: market.Num(price)}})
}

func wantEvents(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestListenersHearCommitsAndReplaysAreTheSame(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	admin := f.admin(t)
	live := f.listen(t, "", admin)
	if got := live.head.Get("Content-Type") + " " + live.head.Get("X-Courant-Position") + " " + live.head.Get("Cache-Control"); live.code != 200 ||
		got != "text/event-stream 0 no-store, no-transform" {
		t.Errorf("%d %s", live.code, got)
	}
	if lines, _ := live.block(); len(lines) != 3 || lines[0] != ":" || !strings.HasPrefix(lines[1], "retry: ") || lines[2] != "id: 0" {
		t.Errorf("it begins with %q", lines)
	}
	want := []string{
		"rows day-ahead-prices 95 rows 1 id 1",
		"rows day-ahead-prices 1 rows 2", "complete day-ahead-prices 2026-07-15 2 id 2",
		"rows day-ahead-prices 1 rows 3", "revision day-ahead-prices 2026-07-14T22:00:00.000Z price_eur_mwh 1 -2.5 3",
		"rows fcr-capacity 1 rows 3", "rows afrr-capacity 1 rows 3 id 3",
		"rows afrr-capacity 1 rows 4", "revision afrr-capacity 2026-07-14T22:00:00.000Z direction:UPWARD product:STD time_horizon:DAILY price 8 10 4 id 4",
		"changed afrr-energy 2026-07-14T22:00:00.000Z 2026-07-14T22:33:24.000Z 501 " +
			"/api/datasets/afrr-energy/rows?from=2026-07-14T22:00:00Z&to=2026-07-14T22:33:24Z 5 id 5",
	}
	for _, batch := range []market.Batch{
		quarterPrices(0, 95, 1), quarterPrices(95, 1, 1),
		quarterPrices(0, 1, -2.5).With(capacityOf(market.AFRRCapacity, market.Upward, 2)).With(capacityOf(market.FCRCapacity, market.Symmetric, 3)),
		capacityOf(market.AFRRCapacity, market.Upward, 2.5), fourSecondSteps(market.DeliveryDateOf(noon), 0, 501, 7),
	} {
		f.commit(t, batch)
		f.refresh(t)
		f.clock.Advance(time.Minute)
	}
	wantEvents(t, "live", live.events(len(want)), want...)
	wantEvents(t, "all again", f.listen(t, "after=0", admin).events(len(want)), want...)
	wantEvents(t, "after the second", f.listen(t, "after=2", admin).events(len(want)-3), want[3:]...)
	wantEvents(t, "Last-Event-ID before after", f.listen(t, "after=0", admin, header("Last-Event-ID", "4")).events(1), want[len(want)-1])
	wantEvents(t, "some datasets", f.listen(t, "after=0&datasets=afrr-energy,fcr-capacity", admin).events(2),
		"rows fcr-capacity 1 rows 3 id 3", want[len(want)-1])
	restarted := openOn(t, f)
	wantEvents(t, "of a server that has begun since", restarted.listen(t, "after=1", admin).events(len(want)-1), want[1:]...)
}

// openOn makes another server with the database of a fixture, as after a restart.
func openOn(t *testing.T, f *streaming) *streaming {
	t.Helper()
	server, err := api.New(f.options)
	must(t, err)
	next := &streaming{fixture: &fixture{Server: server, store: f.store, auth: f.auth, clock: f.clock, log: f.log, options: f.options}}
	web := httptest.NewServer(next)
	next.address = web.URL
	t.Cleanup(func() { next.EndStreams(); web.Close(); next.Close() })
	return next
}

func TestRowsOfTheStreamAreThoseOfNDJSON(t *testing.T) {
	t.Parallel()
	f := openStream(t, func(o *api.Options) { o.Simulated = true })
	admin := f.admin(t)
	l := f.listen(t, "", admin)
	l.block()
	for _, date := range []market.DeliveryDate{turnForward, market.NewDeliveryDate(2026, 10, 25)} {
		f.commit(t, marketOn(date))
		f.refresh(t)
		for _, dataset := range market.Datasets() {
			lines := trimmed(f.lines(t, dataset, "date="+date.String(), admin))
			for {
				block, _ := l.block()
				if block[0] == "event: complete" {
					continue
				}
				data := strings.TrimPrefix(block[1], "data: ")
				if len(lines) > 500 {
					if !strings.HasPrefix(data, `{"dataset":"`+string(dataset)+`","from":`) || !strings.Contains(data, fmt.Sprintf(`"rows":%d,`, len(lines))) {
						t.Errorf("%s of %s: %s", dataset, date, data)
					}
				} else if want := `{"dataset":"` + string(dataset) + `","rows":[` + strings.Join(lines, ",") + `],"position":`; !strings.HasPrefix(data, want) ||
					!strings.HasSuffix(data, `,"simulated":true}`) {
					t.Errorf("%s of %s: %.300s, want %.300s", dataset, date, data, want)
				}
				break
			}
		}
	}
}

func TestCommitsAmidAReplayComeOnceAndInOrder(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	f := openStream(t)
	admin := f.admin(t)
	const before, amid = 300, 20 // more than a server reads when it begins
	for n := range before {
		f.commit(t, quarterPrices(n%90, 1, float64(n)))
	}
	l := f.listen(t, "after=1&datasets=day-ahead-prices", admin)
	for n := range amid {
		f.commit(t, quarterPrices(n, 1, -float64(n)-1))
		f.refresh(t)
	}
	last := 1
	for last < before+amid {
		event := l.event()
		if strings.Contains(event, "revision") {
			if strings.HasSuffix(event, fmt.Sprint("id ", last+1)) {
				last++
			}
			continue
		}
		if want := fmt.Sprintf("rows day-ahead-prices 1 rows %d", last+1); !strings.HasPrefix(event, want) {
			t.Fatalf("after %d comes %s", last, event)
		}
		if strings.Contains(event, " id ") {
			last++
		}
	}
}

func TestWhatIsAskedForFromBeyondAWeekOrTheFutureIsAReset(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	admin := f.admin(t)
	f.commit(t, quarterPrices(0, 1, 1))
	f.commit(t, quarterPrices(1, 1, 1))
	f.clock.Advance(8 * 24 * time.Hour)
	f.commit(t, quarterPrices(2, 1, 1))
	beyond, future := f.listen(t, "after=1", admin), f.listen(t, "after=999999999999999999", admin)
	known := f.listen(t, "after=2", admin)
	wantEvents(t, "beyond", beyond.events(1), "reset 3 id 3")
	wantEvents(t, "future", future.events(1), "reset 3 id 3")
	wantEvents(t, "known", known.events(1), "rows day-ahead-prices 1 rows 3 id 3")
	f.commit(t, quarterPrices(3, 1, 1))
	f.refresh(t)
	for _, l := range []*listening{beyond, future, known} {
		wantEvents(t, "afterwards", l.events(1), "rows day-ahead-prices 1 rows 4 id 4")
	}
}

func TestAListenerHearsOfCommitsOfOtherProcesses(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	l := f.listen(t, "", f.admin(t))
	f.commit(t, quarterPrices(0, 1, 1)) // nothing tells the server
	must(t, f.clock.BlockUntilContext(t.Context(), 3))
	f.clock.Advance(100 * time.Millisecond)
	wantEvents(t, "the event", l.events(1), "rows day-ahead-prices 1 rows 1 id 1")
}

func TestAQuietListenerGetsCommentsWithWhatItHasNotMissed(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	l := f.listen(t, "datasets=afrr-energy", f.admin(t))
	l.block()
	comment := func() string {
		must(t, f.clock.BlockUntilContext(t.Context(), 3)) // two of the hub, one of the listener
		f.clock.Advance(15 * time.Second)
		lines, _ := l.block()
		return strings.Join(lines, "|")
	}
	got := []string{comment()}
	f.commit(t, quarterPrices(0, 1, 1))
	other := f.listen(t, "after=0", f.admin2(t))
	other.events(1)
	other.leave()
	for other.event() != "" {
	}
	got = append(got, comment(), comment())
	wantEvents(t, "comments", got, ":", ":|id: 1", ":")
}

// admin2 is admin of another account.
func (f *fixture) admin2(t *testing.T) func(*http.Request) {
	t.Helper()
	return bearer(f.token(t, f.account(t, "carla@example.org", store.Administrator), nil))
}

func TestTheStreamEndsWithTheRightToReadIt(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	expiry := noon.Add(time.Hour)
	account := func(name string) store.Account { return f.account(t, name+"@example.org", store.Member) }
	subscribed := func(name string) store.Account {
		a := account(name)
		must(t, f.auth.Subscribe(t.Context(), a.Email, "everything", market.DeliveryDate{}))
		return a
	}
	keeps := f.listen(t, "", bearer(f.token(t, subscribed("anne"), nil)))
	revokedToken := f.token(t, subscribed("bea"), nil)
	revoked := f.listen(t, "", bearer(revokedToken))
	disabled := f.listen(t, "", bearer(f.token(t, subscribed("carl"), nil)))
	unsubscribed := f.listen(t, "", bearer(f.token(t, subscribed("dora"), nil)))
	stillPrices := f.listen(t, "datasets=day-ahead-prices", bearer(f.token(t, f.user(t, "dora@example.org"), nil)))
	expired := f.listen(t, "", bearer(f.token(t, subscribed("emma"), func(token *store.Token) { token.Expires = expiry })))
	gains := f.listen(t, "", bearer(f.token(t, account("fred"), nil)))
	signedOut := account("greta")
	session := f.listen(t, "", carrying(f.session(t, signedOut)))

	must(t, f.clock.BlockUntilContext(t.Context(), 10)) // two of the hub, eight of listeners
	must(t, f.auth.RevokeToken(t.Context(), revokedToken[:12]))
	_, err := f.auth.Disable(t.Context(), "carl@example.org")
	must(t, err)
	must(t, f.auth.Unsubscribe(t.Context(), "dora@example.org"))
	must(t, f.auth.Subscribe(t.Context(), "fred@example.org", "everything", market.DeliveryDate{}))
	must(t, f.store.DeleteOtherSessions(t.Context(), store.Note{}, signedOut.ID, ""))
	f.clock.Advance(time.Second)
	for name, l := range map[string]*listening{"revoked": revoked, "disabled": disabled, "unsubscribed": unsubscribed, "gains": gains, "session": session} {
		if event := l.event(); event != "" {
			t.Errorf("%s: %s", name, event)
		}
	}
	f.clock.Advance(time.Hour)
	if event := expired.event(); event != "" {
		t.Errorf("expired: %s", event)
	}
	f.commit(t, quarterPrices(0, 1, 1))
	f.refresh(t)
	for _, l := range []*listening{keeps, stillPrices} {
		wantEvents(t, "who still may", l.events(1), "rows day-ahead-prices 1 rows 1 id 1")
	}
	again := f.listen(t, "", bearer(f.token(t, f.user(t, "dora@example.org"), nil)), header("Last-Event-ID", "0"))
	wantEvents(t, "with what is left", again.events(1), "rows day-ahead-prices 1 rows 1 id 1")
}

func (f *fixture) user(t *testing.T, email string) store.Account {
	t.Helper()
	account, err := f.store.AccountByEmail(t.Context(), email)
	must(t, err)
	return account
}

func TestTheStreamRefusesWhatItCannotAnswer(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	free := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	limited := bearer(f.token(t, f.user(t, "anne@example.org"), func(token *store.Token) { token.Datasets = string(market.AFRREnergy) }))
	feeds := bearer(f.token(t, f.user(t, "anne@example.org"), func(token *store.Token) { token.Scope = store.ScopeFeeds }))
	for _, row := range []struct {
		query  string
		change func(*http.Request)
		status int
		detail string // in English
	}{
		{"", func(*http.Request) {}, 401, ""},
		{"", feeds, 403, ""},
		{"", limited, 403, ""},
		{"datasets=afrr-energy", limited, 401, ""},
		{"datasets=afrr-energy,day-ahead-prices", free, 401, ""},
		{"datasets=prices", free, 400, "datasets"},
		{"datasets=", free, 400, "datasets"},
		{"datasets=day-ahead-prices&datasets=day-ahead-prices", free, 400, "datasets"},
		{"datasets=day-ahead-prices,day-ahead-prices", free, 400, "datasets"},
		{"dataset=day-ahead-prices", free, 400, "dataset"},
		{"after=-1", free, 400, "after"},
		{"after=1e3", free, 400, "after"},
		{"after=1234567890123456789", free, 400, "after"},
	} {
		w := f.ask(t, "GET", "/api/stream?"+row.query, row.change, header("Accept-Language", "en"))
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.detail) {
			t.Errorf("%s: %d %s", row.query, w.Code, w.Body)
		}
	}
	if w := f.ask(t, "GET", "/api/stream", free, header("Last-Event-ID", "x")); w.Code != 400 || !strings.Contains(w.Body.String(), "Last-Event-ID") {
		t.Errorf("a bad Last-Event-ID: %d %s", w.Code, w.Body)
	}
	if w := f.ask(t, "HEAD", "/api/stream?datasets=day-ahead-prices", free); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
}

func TestListenersAreLimitedForATokenAndInAll(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	token := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	w := f.ask(t, "HEAD", "/api/stream", token)
	if w.Code != 200 {
		t.Fatalf("%d", w.Code)
	}
	release := f.FillListeners()
	if w = f.ask(t, "GET", "/api/stream", token); w.Code != 429 || w.Header().Get("Retry-After") != "5" {
		t.Errorf("in all: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	release()
	if w = f.ask(t, "HEAD", "/api/stream", token); w.Code != 200 {
		t.Errorf("afterwards: %d", w.Code)
	}
	other := bearer(f.token(t, f.account(t, "jean@example.org", store.Member), nil))
	tokens, _, err := f.auth.Tokens(t.Context(), "anne@example.org", auth.Page{Size: 1})
	must(t, err)
	f.FillListenersOf(tokens[0].ID)
	if w = f.ask(t, "GET", "/api/stream", token); w.Code != 429 || w.Header().Get("Retry-After") != "5" {
		t.Errorf("of a token: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w = f.ask(t, "HEAD", "/api/stream", other); w.Code != 200 {
		t.Errorf("another token beside it: %d", w.Code)
	}
}

func TestStatesThatChangeAreToldAndAgainToWhoMayHaveMissedThem(t *testing.T) {
	t.Parallel()
	state := make(chan report.State, 1)
	state <- report.StateOK
	f := openStream(t, func(o *api.Options) {
		o.Report = func(context.Context, bool) (report.Report, error) {
			current := <-state
			state <- current
			missing := []report.Missing{{Reason: report.ReasonNotPublished}}
			return report.Report{Datasets: []report.Status{{Dataset: market.DayAheadPrices, State: current, Missing: missing}, {Dataset: market.FCRCapacity, State: report.StateOK}}}, nil
		}
	})
	admin := f.admin(t)
	f.commit(t, quarterPrices(0, 1, 1))
	live := f.listen(t, "", admin)
	other := f.listen(t, "datasets=fcr-capacity", admin)
	must(t, f.clock.BlockUntilContext(t.Context(), 4))
	<-state
	state <- report.StateLate
	f.clock.Advance(5 * time.Second)
	const late = "status day-ahead-prices late not_published"
	wantEvents(t, "live", live.events(1), late)
	wantEvents(t, "who was away", f.listen(t, "after=1", admin).events(2), "status fcr-capacity ok", late)
	f.commit(t, quarterPrices(1, 1, 1).With(capacityOf(market.FCRCapacity, market.Symmetric, 1)))
	f.refresh(t)
	wantEvents(t, "live", live.events(2), "rows day-ahead-prices 1 rows 2", "rows fcr-capacity 1 rows 2 id 2")
	wantEvents(t, "of other datasets", other.events(1), "rows fcr-capacity 1 rows 2 id 2")
	f.commit(t, quarterPrices(2, 1, 1))
	f.refresh(t)
	wantEvents(t, "who was there", f.listen(t, "after=2", admin).events(1), "rows day-ahead-prices 1 rows 3 id 3")
}

// motionless is a client that reads nothing until it is released.
type motionless struct {
	*httptest.ResponseRecorder
	writes  chan struct{}
	release chan struct{}
}

func (s *motionless) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "event") {
		s.writes <- struct{}{}
		<-s.release
	}
	return s.ResponseRecorder.Write(p)
}

func TestAListenerThatFallsBehindIsLetGoAndOthersAreNot(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	admin := f.admin(t)
	f.LimitStream(4, 1<<20)
	slow := &motionless{httptest.NewRecorder(), make(chan struct{}, 10), make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/stream?after=0", nil)
		admin(r)
		f.ServeHTTP(slow, r)
	}()
	quick := f.listen(t, "after=0", admin)
	f.commit(t, quarterPrices(0, 1, 0))
	f.refresh(t)
	await.Value(t, slow.writes)
	for n := range 30 {
		f.commit(t, quarterPrices(n+1, 1, 0))
		f.refresh(t)
		wantEvents(t, "quick", quick.events(1), fmt.Sprintf("rows day-ahead-prices 1 rows %d id %[1]d", n+1))
	}
	close(slow.release)
	await.Value(t, ended)
	if n := strings.Count(slow.Body.String(), "event: rows"); n >= 30 || f.Stream().Dropped != 1 {
		t.Errorf("it was sent %d events; let go: %d", n, f.Stream().Dropped)
	}
}

func TestStreamsEndWhenTheServiceStops(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	l := f.listen(t, "", f.admin(t))
	f.EndStreams()
	if event := l.event(); event != "" {
		t.Errorf("%s", event)
	}
	late := f.listen(t, "", f.admin2(t))
	if event := late.event(); late.code != 200 || event != "" { // a client that is answered 503 would not come again
		t.Errorf("later: %d %s", late.code, event)
	}
	if f.Stream().Listeners != 0 {
		t.Errorf("%d listeners", f.Stream().Listeners)
	}
}

func TestTheReferenceNamesTheEventsOfTheStream(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	w := f.ask(t, "GET", "/api/openapi.json")
	var document struct {
		Paths map[string]map[string]struct {
			Description string
			Parameters  []struct{ Name string }
			Responses   map[string]struct{ Content map[string]any }
		}
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &document))
	stream := document.Paths["/api/stream"]["get"]
	var names []string
	for _, p := range stream.Parameters {
		names = append(names, p.Name)
	}
	if !slices.Equal(names, []string{"datasets", "after"}) || stream.Responses["200"].Content["text/event-stream"] == nil {
		t.Errorf("%v %v", names, stream.Responses["200"].Content)
	}
}

func TestAStreamEndsAfterADayAndItsRowsAreCountedForItsToken(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	token := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	l := f.listen(t, "", token)
	f.commit(t, quarterPrices(0, 3, 1))
	f.refresh(t)
	wantEvents(t, "the event", l.events(1), "rows day-ahead-prices 3 rows 1 id 1")
	must(t, f.clock.BlockUntilContext(t.Context(), 3))
	f.clock.Advance(24 * time.Hour)
	if event := l.event(); event != "" {
		t.Errorf("after a day: %s", event)
	}
	var usage struct {
		Days []struct{ Rows, Bytes int }
	}
	must(t, json.Unmarshal(f.ask(t, "GET", "/api/usage", token).Body.Bytes(), &usage))
	if day := usage.Days[0]; day.Rows != 3 || day.Bytes < 100 {
		t.Errorf("%+v", usage.Days)
	}
}

// A client that is answered 500 or 503 does not come again.
func TestAStreamThatCannotBeginForNowIsAbortedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	f := openStream(t)
	admin := f.admin(t)
	f.ask(t, "HEAD", "/api/stream", admin)
	must(t, f.store.Close())
	w := httptest.NewRecorder()
	defer func() {
		if recover() != http.ErrAbortHandler || w.Body.Len() > 0 {
			t.Errorf("it is answered: %s", w.Body)
		}
	}()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/stream", nil)
	admin(r)
	f.ServeHTTP(w, r)
}
