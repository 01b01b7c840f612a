package api_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

const (
	clients = 32

	// Bounds of the requests that each client makes in a round, and the bytes that a round moves between them.
	fewestRequests = 10
	mostRequests   = 400
	roundBytes     = 1 << 30
	bytesOfHead    = 16 << 10 // that a request without a body costs about as much as

	longestRun = 5 * time.Minute // of one load, whatever happens
)

// crowd is clients that keep their connections to one handler, and make the same request again and again. They read
// no more of an answer than they have to: its status, its length and its bytes.
type crowd struct {
	request []byte
	status  string // that every answer has
	conns   []net.Conn
	readers []*bufio.Reader
}

// gather connects clients to a handler that is served as Courant is, on loopback.
func gather(b *testing.B, handler http.Handler, header http.Header, path string, status int) *crowd {
	b.Helper()
	served := httptest.NewUnstartedServer(handler)
	served.Config.ReadHeaderTimeout, served.Config.ReadTimeout = 10*time.Second, 30*time.Second
	served.Config.WriteTimeout, served.Config.IdleTimeout = 2*time.Minute, 2*time.Minute
	served.Config.MaxHeaderBytes = 32 << 10
	served.Config.ErrorLog = log.New(io.Discard, "", 0)
	served.Start()
	b.Cleanup(served.Close)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, served.URL+path, nil)
	must(b, err)
	r.Header = header
	r.Header.Set("User-Agent", "crowd")
	var request bytes.Buffer
	must(b, r.Write(&request))
	c := &crowd{request: request.Bytes(), status: "HTTP/1.1 " + strconv.Itoa(status)}
	for range clients {
		conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", served.Listener.Addr().String())
		must(b, err)
		b.Cleanup(func() { conn.Close() })
		must(b, conn.SetDeadline(time.Now().Add(longestRun)))
		c.conns, c.readers = append(c.conns, conn), append(c.readers, bufio.NewReaderSize(conn, 64<<10))
	}
	return c
}

// measured is what a load cost.
type measured struct {
	perSecond float64
	p99       time.Duration
}

// load has every client make so many requests, one after the other.
func (c *crowd) load(b *testing.B, requests int) measured {
	b.Helper()
	took := make([][]time.Duration, clients)
	var working sync.WaitGroup
	start := time.Now()
	for i := range clients {
		working.Go(func() {
			for range requests {
				asked := time.Now()
				if err := c.ask(i); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(asked))
			}
		})
	}
	working.Wait()
	whole := time.Since(start)
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	if len(all) == 0 {
		b.FailNow()
	}
	return measured{float64(len(all)) / whole.Seconds(), all[len(all)*99/100]}
}

func (c *crowd) ask(i int) error {
	if _, err := c.conns[i].Write(c.request); err != nil {
		return err
	}
	length, reader := 0, c.readers[i]
	for first := true; ; first = false {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte(c.status)) {
			return fmt.Errorf("answered %q, want %s", line, c.status)
		}
		if value, is := bytes.CutPrefix(line, []byte("Content-Length: ")); is {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		if len(line) == len("\r\n") {
			break
		}
	}
	_, err := reader.Discard(length)
	return err
}

// comparison is loads of several crowds, ours the first, one after the other in each round; each begins by turns.
type comparison struct {
	crowds []*crowd
	loads  [][]measured // by round and crowd
}

func (c *comparison) round(b *testing.B, requests int) {
	b.Helper()
	loads := make([]measured, len(c.crowds))
	for i := range c.crowds {
		turn := (i + len(c.loads)) % len(c.crowds)
		loads[turn] = c.crowds[turn].load(b, requests)
	}
	c.loads = append(c.loads, loads)
}

// against is what each round says of ours and another crowd.
func (c *comparison) against(other int, ratio func(ours, other measured) float64) []float64 {
	var ratios []float64
	for _, loads := range c.loads {
		ratios = append(ratios, ratio(loads[0], loads[other]))
	}
	slices.Sort(ratios)
	return ratios
}

// report tells medians and ranges, and how many requests a second are answered: the ratios to the second crowd, and
// what there is of the third.
func (c *comparison) report(b *testing.B) {
	speed := func(ours, other measured) float64 { return ours.perSecond / other.perSecond }
	middle := len(c.loads) / 2
	b.ReportMetric(0, "ns/op") // of a round: it tells nothing
	b.ReportMetric(c.against(0, func(ours, _ measured) float64 { return ours.perSecond })[middle], "req/s")
	ratios := c.against(1, speed)
	b.ReportMetric(ratios[middle], "ratio")
	b.ReportMetric(ratios[0], "ratio-min")
	b.ReportMetric(ratios[len(ratios)-1], "ratio-max")
	waits := c.against(1, func(ours, other measured) float64 { return float64(ours.p99) / float64(other.p99) })
	b.ReportMetric(waits[middle], "p99-ratio")
	if len(c.crowds) > 2 {
		b.ReportMetric(c.against(2, speed)[middle], "bare-ratio")
	}
}

func requestsFor(bytes int) int {
	return min(max(roundBytes/clients/(bytes+bytesOfHead), fewestRequests), mostRequests)
}

// constant writes the same answer each time.
func constant(status int, head http.Header, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), head)
		w.WriteHeader(status)
		w.Write(body)
	})
}

// bare is of a head no more than it takes to read a body.
func bare(head http.Header) http.Header {
	least := http.Header{}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
		if value, is := head[name]; is {
			least[name] = value
		}
	}
	return least
}

// inUse is a server with full bodies, all compressed, and the token of one who may read them.
func inUse(b *testing.B) (f *fixture, token string) {
	b.Helper()
	f = open(b, func(o *api.Options) { o.RateLimitPerMinute = 1 << 30 })
	f.commit(b, fullWindow())
	f.refresh(b)
	f.Settle()
	return f, f.token(b, f.account(b, "boris@example.org", store.Administrator), nil)
}

// compare measures the answers of an endpoint beside a handler that writes the same, and one that leaves out all of the
// head that can be left out.
func compare(b *testing.B, f *fixture, token, endpoint string, extra http.Header) {
	header := http.Header{"Authorization": {"Bearer " + token}}
	maps.Copy(header, extra)
	path := "/api/" + endpoint
	sample := f.ask(b, http.MethodGet, path, func(r *http.Request) { maps.Copy(r.Header, header) })
	c := comparison{crowds: []*crowd{
		gather(b, f, header, path, sample.Code),
		gather(b, constant(sample.Code, sample.Header(), sample.Body.Bytes()), header, path, sample.Code),
		gather(b, constant(sample.Code, bare(sample.Header()), sample.Body.Bytes()), header, path, sample.Code),
	}}
	for _, crowd := range c.crowds {
		crowd.load(b, fewestRequests) // so that all connections are in use
	}
	for b.Loop() {
		c.round(b, requestsFor(sample.Body.Len()))
	}
	c.report(b)
	b.ReportMetric(float64(sample.Body.Len()), "body-bytes")
}

// BenchmarkAnswer compares what a reader with a token gets with what net/http makes of the same bytes. An operation is
// a round; -benchtime 5x makes five.
func BenchmarkAnswer(b *testing.B) {
	f, token := inUse(b)
	for _, endpoint := range endpoints {
		for _, coding := range []string{"identity", "gzip", "zstd"} {
			b.Run(endpoint+"/"+coding, func(b *testing.B) {
				compare(b, f, token, endpoint, http.Header{"Accept-Encoding": {coding}})
			})
		}
		b.Run(endpoint+"/304", func(b *testing.B) {
			compare(b, f, token, endpoint, http.Header{"If-None-Match": {"*"}})
		})
	}
}

// BenchmarkAnswerWhileWriting is as BenchmarkAnswer, while a date of 4 s steps is written again and again for both; each
// commit changes a price and so the bodies of energy.
func BenchmarkAnswerWhileWriting(b *testing.B) {
	f, token := inUse(b)
	day := market.AFRR.Batch(market.AFRR.In(fullWindow()))
	var done atomic.Bool
	var writing sync.WaitGroup
	defer func() {
		done.Store(true)
		writing.Wait()
	}()
	writing.Go(func() {
		begun := time.Now()
		for commits := 0; !done.Load() && time.Since(begun) < 10*longestRun; commits++ {
			market.AFRR.In(day)[len(market.AFRR.In(day))-1].UpwardPrice = market.Num(float64(commits))
			if err := f.store.Commit(b.Context(), f.run(store.OutcomeOK, market.AFRREnergy), day); err != nil {
				b.Error(err)
				return
			}
			if err := f.Refresh(b.Context()); err != nil {
				b.Error(err)
				return
			}
		}
	})
	for _, endpoint := range endpoints {
		for _, coding := range []string{"identity", "gzip", "zstd"} {
			b.Run(endpoint+"/"+coding, func(b *testing.B) {
				compare(b, f, token, endpoint, http.Header{"Accept-Encoding": {coding}})
			})
		}
	}
}

// plainHandler is what one writes without further thought: the rows are read and encoded at each request. Nobody has to
// show a token.
func plainHandler(b *testing.B, prices []market.Price) http.Handler {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "plain.db")+"?_pragma=journal_mode(WAL)")
	must(b, err)
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(4)
	_, err = db.ExecContext(b.Context(), "CREATE TABLE price (start INTEGER PRIMARY KEY, price REAL) STRICT")
	must(b, err)
	for _, p := range prices {
		_, err := db.ExecContext(b.Context(), "INSERT INTO price VALUES (?, ?)", p.Start, p.Price.V)
		must(b, err)
	}
	type row struct {
		Start string  `json:"hour_start_utc"`
		End   string  `json:"hour_end_utc"`
		Price float64 `json:"price_eur_mwh"`
	}
	const layout = "2006-01-02T15:04:05.000Z"
	read := func(r *http.Request) (all []row, err error) {
		rows, err := db.QueryContext(r.Context(), "SELECT start, price FROM price ORDER BY start")
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var start int64
			var one row
			if err := rows.Scan(&start, &one.Price); err != nil {
				return nil, err
			}
			at := time.Unix(start, 0).UTC()
			one.Start, one.End = at.Format(layout), at.Add(15*time.Minute).Format(layout)
			all = append(all, one)
		}
		return all, rows.Err()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all, err := read(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body, err := json.Marshal(map[string]any{"rows": all, "latestDate": "2026-07-15", "earliestDate": "2026-06-17"})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})
}

// BenchmarkAnswerBesidePlainHandler compares day-ahead-prices with a handler that queries and encodes each time.
func BenchmarkAnswerBesidePlainHandler(b *testing.B) {
	f, token := inUse(b)
	const path, requests = "/api/day-ahead-prices", 4 * fewestRequests
	plain := gather(b, plainHandler(b, market.Prices.In(fullWindow())), http.Header{}, path, http.StatusOK)
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		b.Run(coding, func(b *testing.B) {
			header := http.Header{"Authorization": {"Bearer " + token}, "Accept-Encoding": {coding}}
			c := comparison{crowds: []*crowd{gather(b, f, header, path, http.StatusOK), plain}}
			for b.Loop() {
				c.round(b, requests)
			}
			c.report(b)
		})
	}
}
