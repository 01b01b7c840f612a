package server_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/store"
	"courant/store/market"
)

var (
	longRows = flag.Bool("rows", false, "measure answers of a year of 4 s rows")
	rowsDays = flag.Int("rows-days", 365, "how many days of 4 s rows are stored for -rows")
	yearInto = flag.String("year", "", "a folder in which to store a year of 4 s rows, for docs/benchmarks/history")
)

const (
	// answerGrowth is how much the memory of a service may grow while it sends a long answer, MiB.
	answerGrowth = 64
	// firstByte is how long the first byte of a long answer may take.
	firstByte = 50 * time.Millisecond
)

// storeYear stores the 4 s steps of days from 2025-01-01 on with all their values, and returns their range and how many they are.
func storeYear(t *testing.T, days int) (query string, rows int) {
	t.Helper()
	db := must(store.Open(t.Context(), "courant.db"))(t)
	defer db.Close()
	first := market.NewDeliveryDate(2025, time.January, 1)
	rows = storeSteps(t, db, first, days)
	return fmt.Sprintf("from=%s&to=%s", first, first.Add(days)), rows
}

// TestYearForBenchmarks creates the database that docs/benchmarks/history measures.
func TestYearForBenchmarks(t *testing.T) {
	if *yearInto == "" {
		t.Skip("-year names no folder")
	}
	t.Chdir(*yearInto)
	storeYear(t, 365)
}

// received is what a client has received of an answer.
type received struct {
	bytes, lines int
	first, whole time.Duration
}

// receive reads the rows of a query to the end.
func (l *loaded) receive(ctx context.Context, query string) (r received, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.address+"/api/datasets/afrr-energy/rows?"+query, nil)
	if err != nil {
		return r, err
	}
	request.Header.Set("Authorization", "Bearer "+l.token)
	request.Header.Set("Accept-Encoding", "identity")
	begun := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return r, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return r, fmt.Errorf("%s answers %d", query, response.StatusCode)
	}
	for part := make([]byte, 256<<10); ; {
		n, err := response.Body.Read(part)
		if r.bytes == 0 && n > 0 {
			r.first = time.Since(begun)
		}
		r.bytes += n
		r.lines += bytes.Count(part[:n], []byte("\n"))
		if err == io.EOF {
			r.whole = time.Since(begun)
			return r, nil
		}
		if err != nil {
			return r, err
		}
	}
}

// askAll asks for every endpoint so many times, and returns how long the answers took.
func (l *loaded) askAll(t *testing.T, rounds int) (took times) {
	t.Helper()
	for range rounds {
		for _, endpoint := range endpoints {
			begun := time.Now()
			if _, err := readBody(t.Context(), l.address+"/api/"+endpoint, l.token, "gzip"); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(begun))
		}
	}
	return took
}

// A year of 4 s rows leaves in each streaming format: the memory of the service grows by less than answerGrowth, the first byte leaves
// within firstByte, and two such answers hold neither the endpoints up nor, if their clients stall, their places.
//
// Some minutes: go test ./server -run YearOfRows -rows -v
func TestAYearOfRowsIsSentInLittleMemory(t *testing.T) {
	if !*longRows {
		t.Skip("a year of rows is sent with -rows")
	}
	moveIn(t, time.Now)
	h := &house{t: t, clock: clockwork.NewRealClock()}
	h.addToken()
	stored := time.Now()
	query, rows := storeYear(t, *rowsDays)
	t.Logf("%d rows stored in %s", rows, time.Since(stored).Round(time.Second))
	l := &loaded{token: h.token, process: startProgram(t, "courant", []string{
		"COURANT_INGEST_ENABLED=false", "COURANT_API_RATE_LIMIT_PER_MINUTE=1000000", "COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json",
	}, true, "serve")}
	l.address = l.await(`"msg":"serving","address":"([^"]+)"`)[1]
	l.drain()
	get(t, l.address+"/api/afrr-energy", l.token, func(status *http.Response, _ []byte) bool { return status.StatusCode == http.StatusOK })
	quiet := l.askAll(t, 100)

	for _, form := range []string{"columns", "xlsx"} {
		if status, _, err := l.get(t.Context(), "/api/datasets/afrr-energy/rows?"+query+"&format="+form); *rowsDays >= 49 && (err != nil || status != http.StatusBadRequest) {
			t.Errorf("%d rows as %s answer %d, %v", rows, form, status, err)
		}
	}
	table := tabwriter.NewWriter(t.Output(), 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "format\tMB\tfirst ms\ts\tMrows/s\tMiB more\t")
	for _, form := range []string{"csv", "ndjson", "json", "parquet"} {
		before := memoryOf(t, l.cmd.Process.Pid, "VmRSS")
		const resetPeak = "5"
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", l.cmd.Process.Pid), []byte(resetPeak), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := l.receive(t.Context(), query+"&format="+form)
		if err != nil {
			t.Fatal(err)
		}
		grown := (memoryOf(t, l.cmd.Process.Pid, "VmHWM") - before) / 1024
		fmt.Fprintf(table, "%s\t%d\t%s\t%.1f\t%.2f\t%d\t\n", form, got.bytes/1e6, milliseconds(got.first), got.whole.Seconds(),
			float64(rows)/got.whole.Seconds()/1e6, grown)
		if grown >= answerGrowth || got.first >= firstByte {
			t.Errorf("%s: the service grew by %d MiB, the first byte came after %s", form, grown, got.first)
		}
		if want := map[string]int{"csv": rows + 1, "ndjson": rows}[form]; want > 0 && got.lines != want {
			t.Errorf("%s has %d lines, want %d", form, got.lines, want)
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	var streaming sync.WaitGroup
	for _, form := range []string{"csv", "parquet"} {
		streaming.Go(func() {
			for ctx.Err() == nil {
				if _, err := l.receive(ctx, query+"&format="+form); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	busy := l.askAll(t, 100)
	stop()
	streaming.Wait()
	fmt.Fprintf(table, "endpoints' p99 ms: quiet %s, beside two answers %s\t\n", milliseconds(quiet.quantile(.99)), milliseconds(busy.quantile(.99)))
	if bound := max(quiet.quantile(.99)*3/2, 50*time.Millisecond); busy.quantile(.99) > bound {
		t.Errorf("the endpoints' p99 beside two long answers is %s, and may be %s", busy.quantile(.99), bound)
	}

	isFree := func() bool { // for a third long answer
		request := must(http.NewRequestWithContext(t.Context(), http.MethodHead, l.address+"/api/datasets/afrr-energy/rows?format=csv&"+query, nil))(t)
		request.Header.Set("Authorization", "Bearer "+l.token)
		response := must(http.DefaultClient.Do(request))(t)
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	untilFree := func() time.Duration {
		begun := time.Now()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for !isFree() && time.Since(begun) < 2*letGo {
			<-tick.C
		}
		return time.Since(begun)
	}
	fmt.Fprintf(table, "clients that leave free their places after s: %.1f\t\n", untilFree().Seconds())
	for range 2 {
		request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, l.address+"/api/datasets/afrr-energy/rows?format=csv&"+query, nil))(t)
		request.Header.Set("Authorization", "Bearer "+l.token)
		response := must(new(http.Transport).RoundTrip(request))(t) // and its body is not read
		defer response.Body.Close()
	}
	if isFree() {
		t.Error("two clients that stall hold no places of long answers")
	}
	stalled := untilFree()
	fmt.Fprintf(table, "clients that stall are let go after s: %.1f\t\n", stalled.Seconds())
	if stalled > letGo {
		t.Errorf("clients that stall are let go after %s", stalled)
	}
	table.Flush()
}

// A year of 4 s rows is resampled from what is stored of each hour. The times are logged, the median of some rounds.
//
// A minute: go test ./server -run YearOfBuckets -rows -v
func TestAYearOfBucketsIsSent(t *testing.T) {
	if !*longRows {
		t.Skip("a year of buckets is sent with -rows")
	}
	moveIn(t, time.Now)
	h := &house{t: t, clock: clockwork.NewRealClock()}
	h.addToken()
	query, _ := storeYear(t, *rowsDays)
	l := &loaded{token: h.token, process: startProgram(t, "courant", []string{
		"COURANT_INGEST_ENABLED=false", "COURANT_API_RATE_LIMIT_PER_MINUTE=1000000", "COURANT_LOG_FORMAT=json",
	}, true, "serve")}
	l.address = l.await(`"msg":"serving","address":"([^"]+)"`)[1]
	l.drain()
	get(t, l.address+"/api/afrr-energy", l.token, func(status *http.Response, _ []byte) bool { return status.StatusCode == http.StatusOK })
	table := tabwriter.NewWriter(t.Output(), 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "resolution, format\trows\tfirst ms\tms\t")
	for _, asked := range []struct {
		resolution, form string
		rows             int
	}{{"PT1H", "csv", *rowsDays * 24}, {"PT1H", "json", 0}, {"PT1H", "parquet", 0}, {"P1D", "csv", *rowsDays}, {"P1M", "csv", 0}, {"PT30M", "csv", *rowsDays * 48}} {
		var first, whole times
		var got received
		for range 7 {
			var err error
			got, err = l.receive(t.Context(), query+"&columns=upward_price_eur_mwh,downward_price_eur_mwh&stat=mean,min,max&resolution="+asked.resolution+"&format="+asked.form)
			if err != nil {
				t.Fatal(err)
			}
			first, whole = append(first, got.first), append(whole, got.whole)
		}
		if asked.rows > 0 && got.lines != asked.rows+1 {
			t.Errorf("%s has %d lines, want %d", asked.resolution, got.lines, asked.rows+1)
		}
		fmt.Fprintf(table, "%s, %s\t%d\t%s\t%s\t\n", asked.resolution, asked.form, asked.rows, milliseconds(first.quantile(.5)), milliseconds(whole.quantile(.5)))
	}
	table.Flush()
}
