package hooks_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

// switchProtocols answers 101 and then nothing: the connection is the caller's from then on, without a time limit.
func switchProtocols(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
	_ = buffered.Flush()
	_, _ = io.Copy(io.Discard, conn)
}

func TestAReceiverThatSwitchesProtocolsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = switchProtocols
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	if d := f.delivery(t, hook); d.Outcome != store.DeliveryWaiting || d.Status != 101 || d.Fault != "status" {
		t.Errorf("%+v", d)
	}
}

// The hooks are listed while others are served, so one may be served meanwhile.
func TestADeliveryThatHasEndedSinceItsHookWasListedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	f := open(t)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	must(t, f.Judge(t.Context()))
	listed, err := f.store.DueHooks(t.Context(), hooks.DueAt(f.clock.Now()))
	must(t, err)
	f.Send(t.Context(), listed)
	f.Send(t.Context(), listed)
	if d := f.delivery(t, hook); len(f.receiver.take()) != 1 || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
}

// An account may have four deliveries in progress.
func TestReceiversThatFailWithManyDeliveriesWaitingDoNotDelayOthers(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/fails") {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	for range 4 {
		_, err := f.Add(t.Context(), f.caller, hooks.Request{URL: f.receiver.URL + "/fails", Events: []hooks.Event{event(hooks.DateComplete, market.DayAheadPrices, nil)}})
		must(t, err)
	}
	for i := range 3 {
		f.commit(t, prices(day.Add(i), 1, nil))
	}
	f.step(t)
	f.clock.Advance(time.Second)
	good := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day.Add(3), 1, nil))
	f.step(t)
	if d := f.delivery(t, good); d.Outcome != store.DeliveryDelivered {
		t.Errorf("%+v", d)
	}
}

func TestADeliveryIsNotSentAgainBecauseTheDatabaseCannotBeWritten(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *hooks.Options) {
		o.Store = storetest.Open(t, o.Store.Path(), store.BusyTimeout(10*time.Millisecond))
	})
	other, err := sql.Open("sqlite", "file:"+f.store.Path()+"?_txlock=immediate")
	must(t, err)
	defer other.Close()
	locks := make(chan *sql.Tx, 1)
	f.receiver.answer = func(http.ResponseWriter, *http.Request) {
		lock, err := other.Begin()
		if err != nil {
			t.Error(err)
		}
		locks <- lock
	}
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	stepped := make(chan error, 1)
	go func() { stepped <- f.Step(t.Context()) }()
	lock := await.Value(t, locks)
	for range 3 {
		must(t, f.clock.BlockUntilContext(await.Context(t), 1))
		f.clock.Advance(5 * time.Second)
	}
	must(t, f.clock.BlockUntilContext(await.Context(t), 1))
	must(t, lock.Rollback())
	f.clock.Advance(5 * time.Second)
	must(t, await.Value(t, stepped))
	f.step(t)
	if d := f.delivery(t, hook); len(f.receiver.take()) != 1 || d.Outcome != store.DeliveryDelivered || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
	if n := strings.Count(f.log.String(), "not recorded"); n != 1 {
		t.Errorf("logged %d times: %s", n, f.log)
	}
}

func TestADeliveryPlannedWhileTheClockWasAheadIsSentOnceTheClockIsRight(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = status(503)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	right := f.clock
	f.clock = clockwork.NewFakeClockAt(noon.AddDate(1, 0, 0))
	f.options.Clock = f.clock
	f.restart()
	f.step(t)
	f.receiver.answer = nil
	f.options.Clock = right
	f.restart()
	f.step(t)
	if d := f.delivery(t, hook); d.Outcome != store.DeliveryDelivered || d.Attempts != 2 {
		t.Errorf("%+v", d)
	}
}

// quickClock goes on by a moment whenever it is read.
type quickClock struct{ *clockwork.FakeClock }

func (c quickClock) Now() time.Time {
	c.Advance(2 * time.Second)
	return c.FakeClock.Now()
}

func TestADeliveryThatBecomesDueWhileOthersAreListedIsSentAtOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.options.Clock = quickClock{f.clock}
	f.restart()
	tries := make(chan int, 10)
	f.receiver.answer = func(w http.ResponseWriter, _ *http.Request) {
		tries <- 1
		w.WriteHeader(503)
	}
	f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.run(t)
	await.Value(t, tries)
	await.Value(t, tries)
}

func TestAddressesThatNoNameServerIsAskedAboutAreChecked(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct {
		host            string
		public, private bool
	}{
		"https://2130706433/":              {host: "2130706433"},
		"https://127.1/":                   {host: "127.1"},
		"https://0x7f.0x1/":                {host: "0x7f.0x1"},
		"https://0177.0.0.1/":              {host: "0177.0.0.1"},
		"https://127.0.0.1./":              {"127.0.0.1", false, true},
		"https://１２７.０.０.１/":               {"127.0.0.1", false, true},
		"https://[::ffff:7f00:1]:8443/":    {"[::ffff:7f00:1]:8443", false, true},
		"https://[::1]/":                   {"[::1]", false, true},
		"https://LOCALHOST/":               {"localhost", false, true},
		"https://receiver.example.org:0/":  {host: "receiver.example.org:0"},
		"https://receiver.example.org:/":   {"receiver.example.org", true, true},
		"https://Receiver.example.org.:1/": {"receiver.example.org:1", true, true},
		"https://receiver.example.org:65536/": {
			host: "receiver.example.org:65536"},
		"https://prévision.example.org/":      {"xn--prvision-c1a.example.org", true, true},
		"https://receiver.\u202eexample.org/": {},
	} {
		if got := hooks.HostOf(address); got != want.host {
			t.Errorf("%s: the host is %q, want %q", address, got, want.host)
		}
		for allowPrivate, wanted := range map[bool]bool{false: want.public, true: want.private} {
			if err := hooks.New(hooks.Options{AllowPrivate: allowPrivate}).CheckURL(address); (err == nil) != wanted {
				t.Errorf("%s, private addresses %t: %v", address, allowPrivate, err)
			}
		}
	}
}

func TestAnEventIsRefusedThatWouldNeverBeOrIsInTheListAlready(t *testing.T) {
	t.Parallel()
	f := open(t)
	for text, want := range map[string]string{
		`[{"type":"price.below","dataset":"afrr-capacity","threshold":5},{"type":"price.below","dataset":"afrr-capacity","column":"price","threshold":5.0}]`: "events[1]",
		`[{"type":"price.negative","dataset":"afrr-capacity","keys":{"product":""}}]`:                                                                        "events[0].keys.product",
		`[{"type":"price.negative","dataset":"afrr-capacity","keys":{"product":null}}]`:                                                                      "events[0].keys.product",
		`[{"type":"price.negative","dataset":"afrr-capacity","keys":{"product":[]}}]`:                                                                        "events[0].keys.product",
		`[{"type":"price.negative","dataset":"afrr-capacity","keys":{"direction":null}}]`:                                                                    "events[0].keys.direction",
		`[{"type":"price.below","dataset":"afrr-capacity","threshold":5},{"type":"price.below","dataset":"afrr-capacity","threshold":5.01}]`:                 "",
		`[{"type":"price.below","dataset":"afrr-capacity","threshold":-0}]`:                                                                                  "",
	} {
		var events []hooks.Event
		must(t, json.Unmarshal([]byte(text), &events))
		hook, err := f.Add(t.Context(), f.caller, hooks.Request{URL: f.receiver.URL, Events: events})
		var input *hooks.InputError
		if errors.As(err, &input) != (want != "") || input != nil && (input.Field != want || strings.Contains(input.Accepts.EN, "nothing")) {
			t.Errorf("%s: %v", text, err)
		}
		if strings.Contains(hook.Events, "-0") {
			t.Errorf("%s: stored as %s", text, hook.Events)
		}
	}
}

func TestOfManyRevisionsThoseThatAreAskedForAreSent(t *testing.T) {
	t.Parallel()
	sixDates := func(price float64) market.Batch {
		var rows []market.Price
		var steps []market.CapacityStep
		for i := range 6 {
			rows = append(rows, market.Prices.In(prices(day.Add(i), price, nil))...)
			steps = append(steps, market.Capacity.In(capacity(day.Add(i), price, price))...)
		}
		return market.Prices.Batch(rows).With(market.Capacity.Batch(steps))
	}
	down := map[string]hooks.Values{"direction": {"DOWNWARD"}}
	for name, test := range map[string]struct {
		event hooks.Event
		want  int // -1: nothing is sent
	}{
		"of prices":                  {hooks.Event{Type: hooks.RowsRevised, Dataset: market.DayAheadPrices}, 100},
		"of a key":                   {hooks.Event{Type: hooks.RowsRevised, Dataset: market.AFRRCapacity, Keys: down}, 100},
		"of a column that is as was": {hooks.Event{Type: hooks.RowsRevised, Dataset: market.AFRRCapacity, Column: "offered_volume_mw"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			f.commit(t, sixDates(1))
			f.add(t, test.event)
			f.clock.Advance(time.Minute)
			f.commit(t, sixDates(2))
			f.step(t)
			if test.want < 0 {
				if all := f.receiver.take(); len(all) > 0 {
					t.Errorf("sent %s", all[0].body)
				}
				return
			}
			m := f.only(t)
			isOther := func(i int) bool { return test.event.Keys != nil && m.Data.Revisions[i].Keys["direction"] != "DOWNWARD" }
			if len(m.Data.Revisions) != test.want || !m.Data.More || isOther(0) || isOther(99) {
				t.Errorf("%d revisions, more %t: %+v", len(m.Data.Revisions), m.Data.More, m.Data.Revisions)
			}
		})
	}
}

// sentForStates judges the states of the datasets and returns what is sent.
func (f *fixture) sentForStates(t testing.TB) string {
	t.Helper()
	must(t, f.JudgeStates(t.Context()))
	f.step(t)
	return types(t, f.receiver.take())
}

func TestARecoveryIsNotAnnouncedToAHookThatIsMadeAfterIt(t *testing.T) {
	t.Parallel()
	f := open(t)
	late, recovered := event(hooks.FeedLate, market.AFRREnergy, nil), event(hooks.FeedRecovered, market.AFRREnergy, nil)
	hook := f.add(t, late, recovered)
	f.sentForStates(t)
	f.states[market.AFRREnergy] = report.StateLate
	if got := f.sentForStates(t); got != "feed.late" {
		t.Fatalf("announced %q", got)
	}
	must(t, f.Delete(t.Context(), f.caller, hook.ID))
	f.sentForStates(t)
	f.states[market.AFRREnergy] = ""
	f.add(t, late, recovered)
	if got := f.sentForStates(t); got != "" {
		t.Errorf("announced %q", got)
	}
}

func TestAClockThatWasAheadDelaysNoAnnouncement(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(t, event(hooks.FeedLate, market.AFRREnergy, nil))
	f.sentForStates(t)
	f.states[market.AFRREnergy] = report.StateError
	for _, step := range []struct {
		at   time.Time
		want string
	}{{noon.AddDate(1, 0, 0), ""}, {noon, ""}, {noon.Add(15 * time.Minute), "feed.late"}} {
		f.options.Clock = clockwork.NewFakeClockAt(step.at)
		f.restart()
		if got := f.sentForStates(t); got != step.want {
			t.Errorf("%s: announced %q, want %q", step.at, got, step.want)
		}
	}
}

// A date of aFRR energy has 21 600 periods.
func TestALongDeliveryTakesLittleRoomAndIsSentAndSignedInFull(t *testing.T) {
	t.Parallel()
	f := open(t)
	hook := f.add(t, event(hooks.PriceAbove, market.AFRREnergy, number(-1)))
	var steps []market.AFRRStep
	for i := range day.Steps(market.AFRRSeconds) {
		price := market.Num(float64(i%700) / 7)
		steps = append(steps, market.AFRRStep{Start: day.Start().Unix() + int64(i)*market.AFRRSeconds, UpwardPrice: price, DownwardPrice: price})
	}
	f.commit(t, market.AFRR.Batch(steps))
	must(t, f.Judge(t.Context()))
	queued, err := f.store.DueDeliveryOf(t.Context(), hook.ID, hooks.DueAt(f.clock.Now()))
	must(t, err)
	f.step(t)
	sent := f.receiver.take()
	if len(sent) != 1 || !verified(t, sent[0], hook.Secret) {
		t.Fatalf("%d requests", len(sent))
	}
	if m := sent[0].message(t); m.Data.Count != len(steps) || len(m.Data.Periods) != 1000 || len(queued.Body) > len(sent[0].body)/8 {
		t.Errorf("%d periods of %d, %d bytes stored as %d", len(m.Data.Periods), m.Data.Count, len(sent[0].body), len(queued.Body))
	}
}

func TestAWrongClockDoesNotMakeReceiversRefuseDeliveries(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *hooks.Options) { o.ClockAhead = func(context.Context) time.Duration { return time.Hour } })
	f.receiver.answer = retryAfter(noon.Add(-time.Hour + time.Minute).UTC().Format(http.TimeFormat))
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	all := f.receiver.take()
	if len(all) != 1 || !verified(t, all[0], hook.Secret) || all[0].header.Get("Webhook-Timestamp") != strconv.FormatInt(noon.Add(-time.Hour).Unix(), 10) {
		t.Errorf("%v", all)
	}
	if d := f.delivery(t, hook); d.Next.Sub(f.clock.Now()) != time.Minute+5*time.Second { // the first attempt after the minute
		t.Errorf("%+v", d)
	}
}

func TestASecretThatNoLongerSignsIsDeleted(t *testing.T) {
	t.Parallel()
	f := open(t)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	_, err := f.ReplaceSecret(t.Context(), f.caller, hook.ID)
	must(t, err)
	for _, want := range []string{hook.Secret, ""} {
		must(t, f.Prune(t.Context()))
		got, err := f.store.HookByID(t.Context(), hook.ID)
		if err != nil || got.FormerSecret != want || got.Secret == hook.Secret {
			t.Errorf("%q, want %q, %v", got.FormerSecret, want, err)
		}
		f.clock.Advance(24 * time.Hour)
	}
}

func TestTheServiceStopsWhileReceiversHang(t *testing.T) {
	t.Parallel()
	f := open(t)
	asked := make(chan struct{}, 2)
	f.receiver.answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/body") {
			_ = http.NewResponseController(w).Flush()
		}
		asked <- struct{}{}
		<-r.Context().Done()
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // answers nothing, not even that it has TLS
	must(t, err)
	defer silent.Close()
	var made []store.Hook
	for _, url := range []string{f.receiver.URL + "/header", f.receiver.URL + "/body", "https://" + silent.Addr().String()} {
		hook, err := f.Add(t.Context(), f.caller, hooks.Request{URL: url, Events: []hooks.Event{event(hooks.DateComplete, market.DayAheadPrices, nil)}})
		must(t, err)
		made = append(made, hook)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { f.Run(ctx); close(stopped) }()
	f.commit(t, prices(day, 1, nil))
	f.Wake()
	conn, err := silent.Accept()
	must(t, err)
	defer conn.Close()
	await.Value(t, asked)
	await.Value(t, asked)
	stop()
	await.Value(t, stopped)
	for _, hook := range made { // they are sent again by the next Run
		if d := f.delivery(t, hook); d.Outcome != store.DeliveryWaiting || d.Attempts != 0 || d.Next.After(f.clock.Now()) {
			t.Errorf("%+v", d)
		}
	}
}

// An account can enable a webhook and send a delivery again as often as its receiver answers 410.
func TestReceiversCannotFillTheAuditLog(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = status(http.StatusGone)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	const most = 2000
	byItself := auth.WithActor(t.Context(), auth.Actor{Email: auth.Itself})
	for range most - 1 {
		must(t, f.store.AddNote(t.Context(), f.auth.Note(byItself, auth.HookDisabled, f.caller.Email, "webhook receiver.example.org")))
	}
	must(t, f.Enable(t.Context(), f.caller, hook.ID))
	_, err := f.Resend(t.Context(), f.caller, hook.ID, f.delivery(t, hook).ID)
	must(t, err)
	f.clock.Advance(5 * time.Second)
	f.step(t)
	notes, err := f.store.Notes(t.Context(), 0, most+100)
	must(t, err)
	disabled := slices.DeleteFunc(notes, func(n store.Note) bool { return n.Event != string(auth.HookDisabled) })
	if len(disabled) != most || disabled[0].More != 1 {
		t.Errorf("%d entries, the newest %+v", len(disabled), disabled[0])
	}
}

// run lets the service run until the test ends.
func (f *fixture) run(t testing.TB) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}
