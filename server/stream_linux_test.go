package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/server/command"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

var (
	listeners     = flag.Int("listeners", 0, "let so many listen to the stream while a date of 4 s steps arrives")
	listenersPace = flag.Duration("listeners-pace", 250*time.Millisecond, "the time from one commit to the next for -listeners")
)

// stepsInCommit is how many 4 s steps come with a commit: 5 min.
const stepsInCommit = 75

// serveAlone starts a service that collects nothing, in a folder of its own.
func serveAlone(t *testing.T, token string) *loaded {
	t.Helper()
	l := &loaded{token: token, process: startProgram(t, "courant", []string{
		"COURANT_INGEST_ENABLED=false", "COURANT_API_RATE_LIMIT_PER_MINUTE=1000000", "COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json",
	}, true, "serve")}
	l.address = l.await(`"msg":"serving","address":"([^"]+)"`)[1]
	return l
}

// listen reads the stream line by line until it ends, after the event with an id; empty: from now on.
func (l *loaded) listen(ctx context.Context, client *http.Client, lastID string, opened func(), each func(line []byte) (more bool)) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.address+"/api/stream", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+l.token)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answers %d", response.StatusCode)
	}
	opened()
	lines := bufio.NewReaderSize(response.Body, 32<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return err
		}
		if !each(bytes.TrimSuffix(line, []byte("\n"))) {
			return nil
		}
	}
}

// commitSteps commits 4 s steps of a date, from another process than the service's.
func commitSteps(t *testing.T, db *store.Store, date market.DeliveryDate, from, n int) {
	t.Helper()
	var steps []market.AFRRStep
	for i := from; i < from+n; i++ {
		price := market.Num(float64(i%997) / 4)
		steps = append(steps, market.AFRRStep{
			Start: date.Start().Unix() + int64(i)*market.AFRRSeconds, UpwardPrice: price, DownwardPrice: price, DemandMW: price, ForFranceMW: price, InFranceMW: price,
			PicassoConnection: market.Flag{V: true, Valid: true}, ProrataMode: market.Flag{Valid: true},
		})
	}
	run := &store.Run{Feed: "test", Datasets: []market.Dataset{market.AFRREnergy}, Window: date.Period(), Started: time.Now(), Ended: time.Now(), Outcome: store.OutcomeOK}
	if err := db.Commit(t.Context(), run, market.AFRR.Batch(steps)); err != nil {
		t.Fatal(err)
	}
}

// All listeners hear a date of 4 s steps that another process commits 5 min at a time: every commit once and in order, half of them within
// 250 ms and nearly all within 2 s. The endpoints answer beside it, and listeners are gone within a second of the signal to stop.
//
// Two minutes: go test ./server -run AThousandListeners -listeners 1000 -v
func TestAThousandListenersHearADateAsItArrives(t *testing.T) {
	if *listeners == 0 {
		t.Skip("-listeners says how many listen")
	}
	const median, latest = 250 * time.Millisecond, 2 * time.Second
	moveIn(t, time.Now)
	h := &house{t: t, clock: clockwork.NewRealClock()}
	h.addToken()
	date := market.DeliveryDateOf(time.Now()).Add(-1)
	commits := date.Steps(market.AFRRSeconds) / stepsInCommit
	db := must(store.Open(t.Context(), "courant.db"))(t)
	defer db.Close()
	l := serveAlone(t, h.token)
	l.drain()
	quiet := l.askAll(t, 100)
	before := memoryOf(t, l.cmd.Process.Pid, "VmRSS")

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: -1}}
	committed := make([]atomic.Int64, commits+1) // by position, ns
	delays := make([]times, *listeners)
	ends := make([]error, *listeners)
	var ready, done sync.WaitGroup
	ready.Add(*listeners)
	complete := make(chan struct{})
	var heard atomic.Int64
	for i := range *listeners {
		done.Go(func() {
			position := 0
			ends[i] = l.listen(t.Context(), client, "", ready.Done, func(line []byte) bool {
				if bytes.HasPrefix(line, []byte("event: ")) && !bytes.Equal(line, []byte("event: rows")) && !bytes.Equal(line, []byte("event: complete")) {
					ends[i] = fmt.Errorf("after position %d: %s", position, line)
				}
				id, isID := bytes.CutPrefix(line, []byte("id: "))
				if !isID || string(id) == "0" {
					return true
				}
				position++
				if string(id) != strconv.Itoa(position) {
					t.Errorf("listener %d: id %s in the place of %d", i, id, position)
					return false
				}
				delays[i] = append(delays[i], time.Duration(time.Now().UnixNano()-committed[position].Load()))
				if position == commits && heard.Add(1) == int64(*listeners) {
					close(complete)
				}
				return true
			})
		})
	}
	ready.Wait()
	time.Sleep(time.Second)
	listening := memoryOf(t, l.cmd.Process.Pid, "VmRSS")
	begun := time.Now()
	var busy times
	asking, stopAsking := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for asking.Err() == nil {
			busy = append(busy, l.askAll(t, 5)...)
		}
	}()
	pace := time.NewTicker(*listenersPace)
	for n := range commits {
		<-pace.C
		committed[n+1].Store(time.Now().UnixNano())
		commitSteps(t, db, date, n*stepsInCommit, stepsInCommit)
	}
	arrived := time.Since(begun)
	select {
	case <-complete:
	case <-time.After(patience):
		t.Errorf("only %d listeners have heard all", heard.Load())
	}
	stopAsking()
	<-asked
	peak := memoryOf(t, l.cmd.Process.Pid, "VmHWM")
	stopped := time.Now()
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	done.Wait()
	ended := time.Since(stopped)
	var all times
	for i := range delays {
		all = append(all, delays[i]...)
		if len(delays[i]) != commits {
			t.Errorf("listener %d has heard %d commits of %d: %v", i, len(delays[i]), commits, ends[i])
		}
	}
	table := tabwriter.NewWriter(t.Output(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "listeners, commits\t%d, %d of %d rows in %s\n", *listeners, commits, stepsInCommit, arrived.Round(time.Second))
	fmt.Fprintf(table, "delay ms: median, p99, longest\t%s, %s, %s\n", milliseconds(all.quantile(.5)), milliseconds(all.quantile(.99)), milliseconds(all.quantile(1)))
	fmt.Fprintf(table, "endpoints' p99 ms: quiet, beside them\t%s, %s\n", milliseconds(quiet.quantile(.99)), milliseconds(busy.quantile(.99)))
	fmt.Fprintf(table, "memory: quiet kB a listener, peak MiB\t%d, %d\n", (listening-before) / *listeners, peak/1024)
	fmt.Fprintf(table, "all streams ended after ms\t%s\n", milliseconds(ended))
	table.Flush()
	if all.quantile(.5) > median || all.quantile(.99) > latest {
		t.Errorf("the delays are %s and %s", all.quantile(.5), all.quantile(.99))
	}
	if bound := max(quiet.quantile(.99)*3/2, 50*time.Millisecond); busy.quantile(.99) > bound {
		t.Errorf("the endpoints' p99 beside listeners is %s, and may be %s", busy.quantile(.99), bound)
	}
	if ended > time.Second {
		t.Errorf("the streams ended after %s", ended)
	}
}

// A service is killed while a listener reads its stream. The listener connects to the next one with the id of its last event, and in the
// end has heard every row of every commit; of the commit in the middle of which it was cut off it may have heard some rows twice.
func TestAListenerThatConnectsAgainAfterAKillMissesNothing(t *testing.T) {
	storetest.Long(t)
	moveIn(t, time.Now)
	h := &house{t: t, clock: clockwork.NewRealClock()}
	h.addToken()
	t.Logf("seed %d", *killSeed)
	chance := rand.New(rand.NewPCG(*killSeed, 1))
	date := market.DeliveryDateOf(time.Now()).Add(-1)
	db := must(store.Open(t.Context(), "courant.db"))(t)
	defer db.Close()
	const commitsPerKill = 20
	lastID, committed, twice := "", 0, 0
	heard := map[string]int{} // positions at which the starts of rows were heard
	hear := func(line []byte) {
		var event struct {
			Rows []struct {
				Start string `json:"period_start_utc"`
			}
			Position int
		}
		if id, is := bytes.CutPrefix(line, []byte("id: ")); is {
			lastID = string(id)
		}
		data, is := bytes.CutPrefix(line, []byte("data: "))
		if !is {
			return
		}
		if err := json.Unmarshal(data, &event); err != nil {
			t.Error(err)
		}
		for _, row := range event.Rows {
			if was := heard[row.Start]; was != 0 {
				twice++
				if was != event.Position {
					t.Errorf("%s comes at %d and at %d", row.Start, was, event.Position)
				}
			}
			heard[row.Start] = event.Position
		}
	}
	for range *kills {
		l := serveAlone(t, h.token)
		kill := committed + 1 + chance.IntN(commitsPerKill-1)
		opened := make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			ended <- l.listen(t.Context(), http.DefaultClient, lastID, func() { close(opened) }, func(line []byte) bool {
				hear(line)
				return true
			})
		}()
		<-opened
		for range commitsPerKill {
			commitSteps(t, db, date, committed*stepsInCommit, stepsInCommit)
			committed++
			if committed == kill {
				if err := l.cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		<-ended
		for l.lines.Scan() {
		}
		_ = l.cmd.Wait()
	}
	l := serveAlone(t, h.token)
	err := l.listen(t.Context(), http.DefaultClient, lastID, func() {}, func(line []byte) bool {
		hear(line)
		return string(line) != fmt.Sprint("id: ", committed)
	})
	if err != nil {
		t.Error(err)
	}
	if want := committed * stepsInCommit; len(heard) != want {
		t.Errorf("%d rows are heard of %d", len(heard), want)
	}
	t.Logf("%d kills, %d rows, of which %d twice", *kills, len(heard), twice)
	if code := l.end(syscall.SIGTERM); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
}
