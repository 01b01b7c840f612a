package api_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

var hostile = flag.Bool("hostile", false, "send 10 000 hostile queries, and check their time and the memory they take")

const (
	// slowestHostile is how long the answer to a hostile query may take until its last byte.
	slowestHostile = time.Second
	// hostileGrowth is how much the heap may grow while hostile queries are answered.
	hostileGrowth = 16 << 20
)

// hostileValues are texts that no parameter is meant for, or at its bounds.
var hostileValues = []string{
	"", "'", "' OR 1=1 --", `"; DROP TABLE price; --`, "') UNION SELECT hash FROM token --", "1; ATTACH DATABASE '/tmp/x' AS x", "../../etc/passwd", `..\..\config.yaml`,
	"/dev/zero", "file:///etc/passwd", "http://169.254.169.254/", "%00", "\x00", "\xff\xfe", "\xc0\xaf", "٢٠٢٦", "é", "e\u0301", "ＵＰＷＡＲＤ", "\u202e", "\ufeff", "😀😀😀😀😀😀😀😀",
	"<script>", "{{.}}", "${jndi:x}", "\r\nSet-Cookie: a=b", "-1", "0", "1", "1.5", "0x10", "1_000", "100000", "100001", "-9223372036854775808", "9223372036854775807",
	"99999999999999999999", "1e309", "NaN", "Infinity", "null", "true", "[]", "{}", ",", ",,", "*", "csv,json", "asc", "desc", "UTC", "Europe/Paris", "Europe/../etc",
	"1900-01-01", "9999-12-31", "2026-10-25", "2026-03-29", "2026-02-30", "now", "now-P1D", "today+P7000Y", "now-PT99999999999H", "0001-01-01", "-9999-01-01",
	"0000000000", "9999999999", "999999999", "2026-10-25T02:30:00+02:00", "2026-10-25T24:00:00Z", "PT4S", "PT5M", "PT1H", "P1D", "P1M", "native", "mean",
	"min,max,sum,count,share", "mean,mean", "json", "columns", "ndjson", "csv", "csv-fr", "xlsx", "parquet", "double", `\N`, "=1+1", "@x", "UPWARD", "DOWNWARD",
	"SYMMETRIC", "DAILY", "STD", "updated_at", "price_eur_mwh", "source,period_start_unix", "price", "rowid", strings.Repeat("a", 5000), strings.Repeat("STD,", 400),
	strings.Repeat("price,", 800), strings.Repeat("%", 100), strings.Repeat("9", 4000), strings.Repeat("\u0301", 500), "1 2", "+", "a&b", "a=b", "a;b",
}

// hostilePage are the parameters of a page that has a cursor.
const hostilePage = "as_of=now&from=2026-10-25&limit=1"

// hostileHeaders are headers of odd form; the values have no line breaks.
var hostileHeaders = map[string][]string{
	"Accept": {
		"", "*/*", "text/*", "text/csv;q=0", "text/csv;q=9, application/vnd.apache.parquet;q=0.1", ";;;", ",,,", "text/csv;q=0.5;q=1",
		"é/ü", "application/x-ndjson; charset=\"", strings.Repeat("text/csv;q=0.1,", 1500), strings.Repeat("*/*;", 3000), strings.Repeat("a", 8000),
	},
	"Accept-Encoding": {"gzip", "zstd", "gzip;q=0, zstd;q=0, identity;q=0", "*;q=0", "br, *", "gzip;q=", strings.Repeat("zstd,", 2000), "\xff"},
	"Accept-Language": {"en", "fr;q=0", "*", strings.Repeat("x-", 4000), "en;q=NaN", "\xfe"},
	"If-None-Match":   {"*", `"`, `W/`, `W/"x`, `"x", "y"`, strings.Repeat(`"x",`, 2000), strings.Repeat("*", 5000), `"\xff"`, ", ,"},
	"Range":           {"bytes=0-1", "bytes=-1", "bytes=9-1", strings.Repeat("bytes=0-1,", 500)},
	"Content-Length":  {"0"},
	"Cookie":          {"a", "=;=", strings.Repeat("a=b; ", 900)},
}

// hostileQueries makes requests from a seed: always the same ones.
type hostileQueries struct {
	random  *rand.Rand
	cursors []string // of hostilePage for any dataset: good ones, altered ones, and forged ones whose checksum is right
	values  []string
	tags    []string // of earlier answers
}

func (q *hostileQueries) pick(from []string) string { return from[q.random.IntN(len(from))] }

func (q *hostileQueries) oneIn(n int) bool { return q.random.IntN(n) == 0 }

// pair is a parameter. Some are not encoded, and have an unknown name.
func (q *hostileQueries) pair() string {
	name := q.pick([]string{
		"from", "to", "date", "columns", "direction", "time_horizon", "product", "resolution", "stat", "tz", "order", "limit", "cursor", "as_of", "updated_since",
		"format", "numbers", "nulls",
	})
	value := q.pick(q.values)
	switch q.random.IntN(20) {
	case 0:
		name = q.pick([]string{"FROM", "from[]", "", "x", "\x00", "access_token", "token", strings.Repeat("from", 200)})
	case 1:
		return name + "=" + strings.Map(func(r rune) rune {
			if r <= ' ' { // net/http itself refuses these, and closes the connection
				return -1
			}
			return r
		}, value)
	}
	return url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

// target is the path and the query of a request.
func (q *hostileQueries) target() string {
	dataset := string(market.Datasets()[q.random.IntN(len(market.Datasets()))])
	if q.oneIn(20) {
		dataset = q.pick([]string{"weather", "%00", "..%2f", "a'b", "day-ahead-prices%00", strings.Repeat("a", 2000)})
	}
	path := "/api/datasets/" + dataset
	switch q.random.IntN(10) {
	case 0:
		path = "/api/revisions/" + dataset
	case 1:
	default:
		path += "/rows"
	}
	var pairs []string
	for range q.random.IntN(4) {
		pairs = append(pairs, q.pair())
	}
	for _, good := range []string{
		"from=1900-01-01", "from=0000000000", "from=2026-03-29&to=2026-10-26", "date=2026-10-25", "to=9999-12-31", "resolution=PT1H", "resolution=P1D", "resolution=P1M",
		"format=csv", "format=xlsx", "format=parquet", "format=columns", "order=desc", "limit=1", "limit=100000", "as_of=now", "as_of=1900-01-01", "updated_since=1",
		"updated_since=now",
	} {
		if q.oneIn(24) {
			pairs = append(pairs, good)
		}
	}
	if q.oneIn(10) {
		pairs = append(pairs, hostilePage, "cursor="+q.pick(q.cursors))
	}
	return path + "?" + strings.Join(pairs, q.pick([]string{"&", "&", "&", "&", "&&", ";"}))
}

// request is a request as it is written to the connection, and its method.
func (q *hostileQueries) request(token string) (method, text string) {
	method = q.pick([]string{"GET", "GET", "GET", "HEAD"})
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n", method, q.target(), token)
	for _, name := range []string{"Accept", "Accept-Encoding", "Accept-Language", "If-None-Match", "Range", "Content-Length", "Cookie"} {
		if q.oneIn(6) {
			fmt.Fprintf(&b, "%s: %s\r\n", name, q.pick(hostileHeaders[name]))
		}
	}
	if len(q.tags) > 0 && q.oneIn(8) {
		fmt.Fprintf(&b, "If-None-Match: %s\r\n", q.pick(q.tags))
	}
	return method, b.String() + "\r\n"
}

// plainClient writes requests as they are: other clients refuse to send some of them.
type plainClient struct {
	address string
	conn    net.Conn // nil: the server closed it
	reader  *bufio.Reader
}

// send sends a request, reads its answer to the end and returns its head.
func (c *plainClient) send(t *testing.T, method, text string) (*http.Response, error) {
	if c.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.address)
		must(t, err)
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	if _, err := io.WriteString(c.conn, text); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if answer.Close {
		c.conn.Close()
		c.conn = nil
	}
	return answer, err
}

// cursorsFor are cursors of each dataset: good ones, altered ones, and forged ones.
func (f *fixture) cursorsFor(t *testing.T, random *rand.Rand, admin func(*http.Request)) []string {
	t.Helper()
	given, err := url.ParseQuery(hostilePage)
	must(t, err)
	var all []string
	for _, dataset := range market.Datasets() {
		link := f.rows(t, rowsPath(dataset, hostilePage), admin).Header().Get("Link")
		_, cursor, _ := strings.Cut(nextLink.FindStringSubmatch(link)[1], "cursor=")
		for range 2 {
			changed := []byte(cursor)
			changed[random.IntN(len(changed))] ^= byte(1 + random.IntN(7))
			all = append(all, cursor, string(changed))
		}
		for _, numbers := range [][]int64{
			{0, 0, 1, 0, 0, 0, 0}, {1 << 53, turnBack.Period().Start, 90000, 1 << 53, 0, 0, 1 << 53}, {1, -2208988161, 255611289599, 0, 0, 255611289598, 0},
			{5, turnBack.Period().Start, 90000, 0, 0, 0, 1 << 53}, {5, turnBack.Period().Start, 90000, 253402300799000, 0, 89999, 0},
		} {
			all = append(all, api.ForgedRowsCursor(dataset, given, numbers))
		}
	}
	return all
}

// The answers to hostile requests over HTTP are 2xx, 304 or 4xx, and are read to the end. With -hostile, 10 000 are sent, none may take
// more than slowestHostile, and the heap may not grow by more than hostileGrowth:
//
//	go test ./server/api -run HostileRequests -hostile -v
func TestHostileRequestsAreAnsweredOrRefused(t *testing.T) {
	storetest.Long(t)
	f := open(t, reporting(inState(report.StateOK)), func(o *api.Options) { o.RateLimitPerMinute = 1_000_000 })
	for _, date := range []market.DeliveryDate{market.NewDeliveryDate(2021, 10, 31), turnForward, turnBack, turnBack.Add(1)} {
		f.commit(t, marketOn(date))
		f.clock.Advance(time.Minute)
	}
	f.commit(t, revised(turnBack, 1))
	f.refresh(t)
	server := httptest.NewServer(f)
	defer server.Close()
	token := f.token(t, f.account(t, "boris@example.org", store.Administrator), nil)
	random := rand.New(rand.NewPCG(1, 2))
	q := &hostileQueries{random: random, cursors: f.cursorsFor(t, random, bearer(token))}
	q.values = slices.Concat(hostileValues, q.cursors)
	client := &plainClient{address: server.Listener.Addr().String()}
	defer func() {
		if client.conn != nil {
			client.conn.Close()
		}
	}()
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	requests := 300
	if *hostile {
		requests = 10_000
	}
	statuses := map[int]int{}
	var slowest time.Duration
	var slowestText string
	var first, largest uint64
	for n := range requests {
		method, text := q.request(token)
		begun := time.Now()
		answer, err := client.send(t, method, text)
		took := time.Since(begun)
		if err != nil {
			t.Fatalf("%.300q: %v", text, err)
		}
		statuses[answer.StatusCode]++
		if kind := answer.StatusCode / 100; kind != 2 && kind != 4 && answer.StatusCode != http.StatusNotModified {
			t.Errorf("%.300q answers %d", text, answer.StatusCode)
		}
		if answer.StatusCode == http.StatusNotModified && !strings.Contains(text, "\r\nIf-None-Match: ") {
			t.Errorf("%.300q answers 304", text)
		}
		if tag := answer.Header.Get("Etag"); tag != "" && len(q.tags) < 100 {
			q.tags = append(q.tags, tag)
		}
		if *hostile {
			if took > slowestHostile {
				t.Errorf("%.300q takes %s", text, took)
			}
			if took > slowest {
				slowest, slowestText = took, text
			}
			switch {
			case n == 1000:
				first = heap()
			case n > 1000 && n%1000 == 0:
				largest = max(largest, heap())
			}
		}
	}
	if statuses[200] < requests/20 || statuses[400] < requests/4 || statuses[304] == 0 {
		t.Errorf("the answers are %v", statuses)
	}
	if *hostile {
		t.Logf("answers %v, the heap grew from %d to %d KiB, the slowest answer took %s: %.300q", statuses, first>>10, largest>>10, slowest, slowestText)
		if largest > first+hostileGrowth {
			t.Errorf("the heap has grown from %d to %d KiB", first>>10, largest>>10)
		}
	}
}
