package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/simulator"
	"courant/server/command"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

var attackedCores = flag.Int("attack-cores", 1, "how many cores the service has that is flooded with sign-ins")

var underAttack = flag.Bool("attack", false, "have thousands of clients be slow, silent or large to a service")

// letGo is how long a client may be slow.
const letGo = 20 * time.Second

// attack is what many clients do at once to a service.
type attack struct {
	name    string
	clients int
	// act is what one of them does until it is let go, or until ctx ends; it returns what ended it.
	act func(ctx context.Context, conn net.Conn) error
	// stay says that they may stay for as long as there is room.
	stay bool
}

// attacks are made on a service that answers token.
func attacks(token string) []attack {
	const head = " HTTP/1.1\r\nHost: localhost\r\n"
	large := "GET /api/balancing-capacity" + head + "Authorization: Bearer " + token + "\r\n\r\n"
	form := func(length int) string {
		return "POST /login" + head + fmt.Sprintf("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", length)
	}
	return []attack{
		{name: "say nothing", clients: 10_000, act: awaitEnd},
		{name: "ask once, then say nothing", clients: 10_000, stay: true, act: func(ctx context.Context, conn net.Conn) error {
			if _, err := io.WriteString(conn, "GET /healthz"+head+"\r\n"); err != nil {
				return err
			}
			return awaitEnd(ctx, conn)
		}},
		{name: "send a header, a byte a second", clients: 2_000, act: func(ctx context.Context, conn net.Conn) error {
			return dribble(ctx, conn, "GET /healthz"+head)
		}},
		{name: "send a body, a byte a second", clients: 2_000, act: func(ctx context.Context, conn net.Conn) error {
			return dribble(ctx, conn, form(1000))
		}},
		{name: "ask for much, read nothing", clients: 500, act: func(ctx context.Context, conn net.Conn) error {
			if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
				return err
			}
			return dribble(ctx, conn, strings.Repeat(large, 20)) // what is sent to a connection that is gone tells that it is
		}},
		{name: "send 100 MB", clients: 200, act: func(ctx context.Context, conn net.Conn) error {
			if _, err := io.WriteString(conn, form(100<<20)); err != nil {
				return err
			}
			return write(ctx, conn, strings.Repeat("a", 64<<10))
		}},
		{name: "send a header that never ends", clients: 500, act: func(ctx context.Context, conn net.Conn) error {
			if _, err := io.WriteString(conn, "GET /healthz"+head); err != nil {
				return err
			}
			return write(ctx, conn, strings.Repeat("X: a\r\n", 1000))
		}},
	}
}

// awaitEnd reads until the service ends the connection.
func awaitEnd(_ context.Context, conn net.Conn) error {
	_, err := io.Copy(io.Discard, conn)
	if err == nil {
		err = io.EOF
	}
	return err
}

// dribble sends a text and then a byte a second.
func dribble(ctx context.Context, conn net.Conn, text string) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return err
		}
		text = "a"
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write goes on sending, and reads nothing.
func write(ctx context.Context, conn net.Conn, more string) error {
	for ctx.Err() == nil {
		if _, err := io.WriteString(conn, more); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// bear has clients attack, for a second longer than they may be slow, while others ask; it tells after how long which clients were let
// go, how long the others waited, and what it took.
func (l *loaded) bear(t *testing.T, a attack) (ended, others times, most load) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), letGo+time.Second)
	defer stop()
	var mu sync.Mutex
	var attacking sync.WaitGroup
	for range a.clients {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(l.address, "http://"))
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
			break
		}
		attacking.Go(func() {
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			begun := time.Now()
			if _ = a.act(ctx, conn); ctx.Err() == nil {
				mu.Lock()
				ended = append(ended, time.Since(begun))
				mu.Unlock()
			}
			conn.Close()
		})
	}
	over := make(chan struct{})
	go func() { attacking.Wait(); close(over) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		asked := time.Now()
		if status, _, err := l.get(t.Context(), "/api/day-ahead-prices"); err != nil || status != http.StatusOK {
			t.Errorf("%s: others are answered %d, %v", a.name, status, err)
		}
		others = append(others, time.Since(asked))
		most = most.most(l.measure())
		select {
		case <-over:
			return ended, others, most
		case <-tick.C:
		}
	}
}

// A service on one core and 1 GB is attacked in one way after the other. It has to let each slow client go within letGo, and to
// go on answering others.
//
// Some minutes: go test ./server -run UnderAttack -attack -v
func TestAServiceUnderAttackGoesOnAnswering(t *testing.T) {
	if !*underAttack {
		t.Skip("a service is attacked with -attack")
	}
	sources, err := simulator.Start(simulator.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	l := underLoad(t, sources)
	l.drain()
	get(t, l.address+"/api/balancing-capacity", l.token, func(_ *http.Response, body []byte) bool { return len(body) > 900_000 })
	table := tabwriter.NewWriter(t.Output(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "clients\tdo\tlet go\tmedian s\tlast s\tothers asked\tmedian ms\tlongest ms\tMiB\tgoroutines\thandles")
	calm := l.measure()
	for _, attack := range attacks(l.token) {
		ended, others, most := l.bear(t, attack)
		fmt.Fprintf(table, "%d\t%s\t%d\t%.1f\t%.1f\t%d\t%s\t%s\t%d\t%d\t%d\n", attack.clients, attack.name, len(ended),
			ended.quantile(.5).Seconds(), ended.quantile(1).Seconds(), len(others), milliseconds(others.quantile(.5)), milliseconds(others.quantile(1)),
			most.resident, most.goroutines, most.handles)
		if !attack.stay && (len(ended) < attack.clients || ended.quantile(1) > letGo) {
			t.Errorf("%s: of %d clients %d are let go, the last after %s", attack.name, attack.clients, len(ended), ended.quantile(1))
		}
	}
	table.Flush()
	t.Logf("before %+v, after %+v", calm, l.measure())
}

// flood is many sockets that go on signing in, each time as somebody else, as soon as they have an answer.
type flood struct {
	name    string
	sockets int
	origins []string // from which they come, in turn
}

// addresses are those of this machine that begin with a prefix.
func addresses(prefix string, count int) []string {
	var all []string
	for i := range count {
		all = append(all, prefix+strconv.Itoa(i+1))
	}
	return all
}

// clientFrom asks from an address of this machine, each time by a connection of its own.
func clientFrom(origin string) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(origin)}}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// run floods until the context ends, and returns how often each status was the answer.
func (f flood) run(ctx context.Context, address string) map[int]int {
	var mu sync.Mutex
	statuses := map[int]int{}
	var flooding sync.WaitGroup
	for i := range f.sockets {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(f.origins[i%len(f.origins)])}}
		flooding.Go(func() {
			for ctx.Err() == nil {
				conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(address, "http://"))
				if err != nil {
					continue
				}
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				for in := bufio.NewReader(conn); ; {
					fields := "email=" + rand.Text() + "@example.org&password=" + rand.Text()
					if _, err := fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(fields), fields); err != nil {
						break
					}
					answer, err := http.ReadResponse(in, nil)
					if err != nil {
						break
					}
					_, err = io.Copy(io.Discard, answer.Body)
					mu.Lock()
					statuses[answer.StatusCode]++
					mu.Unlock()
					if err != nil || answer.Close {
						break
					}
				}
				stop()
				conn.Close()
			}
		})
	}
	flooding.Wait()
	return statuses
}

// signIn signs in with the right password, and tells the status, how long to wait before the next try, and the cookie of the device.
func (l *loaded) signIn(ctx context.Context, client *http.Client, device string) (status int, wait time.Duration, cookie string, err error) {
	fields := url.Values{"email": {"anne@example.org"}, "password": {"a phrase of four words"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.address+"/login", strings.NewReader(fields.Encode()))
	if err != nil {
		return 0, 0, "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if device != "" {
		request.Header.Set("Cookie", device)
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, 0, "", err
	}
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		if c.Name == "courant_device" {
			cookie = c.Name + "=" + c.Value
		}
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return answer.StatusCode, time.Duration(seconds) * time.Second, cookie, nil
}

// every does something again and again, with a pause after each time, until the context ends.
func every(ctx context.Context, pause time.Duration, do func()) {
	for ctx.Err() == nil {
		do()
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// people measures, until the context ends, after how long one who signs in is in; one who is told to wait does so and tries again.
func (l *loaded) people(ctx context.Context, origin, device string) (in times, refused int) {
	client := clientFrom(origin)
	every(ctx, 300*time.Millisecond, func() {
		begun := time.Now()
		for ctx.Err() == nil {
			status, wait, _, err := l.signIn(ctx, client, device)
			if err == nil && status == http.StatusSeeOther {
				in = append(in, time.Since(begun))
				return
			}
			if ctx.Err() == nil {
				refused++
				time.Sleep(wait)
			}
		}
		in = append(in, time.Since(begun)) // never, but at least this long
	})
	return in, refused
}

// processor is how much processor time the service has taken since it began.
func (l *loaded) processor(t *testing.T) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')'):])) // from the third on, after the name
	ticks := must(strconv.Atoi(fields[12]))(t) + must(strconv.Atoi(fields[13]))(t)
	return time.Duration(ticks) * 10 * time.Millisecond
}

// data measures, until the context ends, how long answers of the eight endpoints take.
func (l *loaded) data(t *testing.T, ctx context.Context) (took times) {
	every(ctx, 5*time.Millisecond, func() {
		path := "/api/" + endpoints[len(took)%len(endpoints)]
		begun := time.Now()
		if status, _, err := l.get(t.Context(), path); err != nil || status != http.StatusOK {
			t.Errorf("%s: %d, %v", path, status, err)
		}
		took = append(took, time.Since(begun))
	})
	return took
}

// A service is flooded with sign-ins, from one origin and from many. Others have to get in meanwhile, from elsewhere
// or by the cookie of their device, and the data have to be answered as else.
//
// Two minutes: go test ./server -run FloodOfSignIns -attack -v, with -attack-cores 2 for a service on two cores
func TestAFloodOfSignInsDoesNotBlockOthers(t *testing.T) {
	if !*underAttack {
		t.Skip("a service is attacked with -attack")
	}
	const lasts = 30 * time.Second
	sources, err := simulator.Start(simulator.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	l := underLoad(t, sources, fmt.Sprintf("GOMAXPROCS=%d", *attackedCores))
	l.drain()
	get(t, l.address+"/api/balancing-capacity", l.token, func(_ *http.Response, body []byte) bool { return len(body) > 900_000 })
	status, _, device, err := l.signIn(t.Context(), clientFrom("127.0.0.1"), "")
	if err != nil || status != http.StatusSeeOther || device == "" {
		t.Fatalf("a first sign-in: %d, %q, %v", status, device, err)
	}
	table := tabwriter.NewWriter(t.Output(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "flood\twho\ttimes\tmedian ms\tp99 ms\tlongest ms\ttold to wait")
	line := func(flood, who string, took times, refused int) {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t%d\n", flood, who, len(took),
			milliseconds(took.quantile(.5)), milliseconds(took.quantile(.99)), milliseconds(took.quantile(1)), refused)
	}
	calm, stop := context.WithTimeout(t.Context(), lasts/2)
	quiet := l.data(t, calm)
	stop()
	line("none", "data", quiet, 0)
	most := max(quiet.quantile(.99)*3/2, 50*time.Millisecond)
	for _, flood := range []flood{
		{"1 000 sockets of one origin", 1000, []string{"127.0.1.1"}},
		{"1 000 sockets of 200 origins", 1000, addresses("127.0.2.", 200)},
	} {
		ctx, stop := context.WithTimeout(t.Context(), lasts)
		before := l.processor(t)
		var elsewhere, known, data times
		var refusedElsewhere, refusedKnown int
		behind := map[int]int{}
		var statuses map[int]int
		var all sync.WaitGroup
		all.Go(func() { statuses = flood.run(ctx, l.address) })
		all.Go(func() { elsewhere, refusedElsewhere = l.people(ctx, "127.0.3.1", "") })
		all.Go(func() { known, refusedKnown = l.people(ctx, flood.origins[0], device) })
		all.Go(func() { data = l.data(t, ctx) })
		all.Go(func() {
			client := clientFrom(flood.origins[0])
			every(ctx, time.Second, func() {
				status, wait, _, err := l.signIn(ctx, client, "")
				if err == nil {
					behind[status]++
				}
				if status == http.StatusTooManyRequests && wait <= 0 {
					t.Errorf("%s: 429 without Retry-After", flood.name)
				}
			})
		})
		all.Wait()
		stop()
		line(flood.name, "sign in from elsewhere", elsewhere, refusedElsewhere)
		line(flood.name, "sign in from a known device, behind the flood", known, refusedKnown)
		line(flood.name, "data", data, 0)
		t.Logf("%s: the flood is answered %v, a stranger behind it %v; the service takes %s of %s of a core, %+v", flood.name, statuses, behind,
			l.processor(t)-before, lasts, l.measure())
		for who, took := range map[string]times{"from elsewhere": elsewhere, "from a known device": known} {
			if took.quantile(.5) > 2*time.Second || took.quantile(.99) > 5*time.Second {
				t.Errorf("%s: one who signs in %s is in after %s in the median, %s at p99", flood.name, who, took.quantile(.5), took.quantile(.99))
			}
		}
		if p99 := data.quantile(.99); p99 > most {
			t.Errorf("%s: data take %s at p99, %s when it is quiet", flood.name, p99, quiet.quantile(.99))
		}
	}
	table.Flush()
}

// hostile is a reply that is small when packed and takes a decoder much: a head, a block that comes again and again, and an end.

type hostile struct {
	name, head, block string
	bytes             int // of blocks
	tail              string
}

const mebibyte = 1 << 20

// packed is the reply as gzip. The blocks are packed once, so that making it costs nothing.

func (h hostile) packed(t testing.TB) []byte {
	t.Helper()
	var all bytes.Buffer
	add := func(text string, times int) {
		var one bytes.Buffer
		w := gzip.NewWriter(&one)
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for range times {
			all.Write(one.Bytes())
		}
	}
	add(h.head, 1)
	if h.bytes < mebibyte {
		add(strings.Repeat(h.block, h.bytes/len(h.block)), 1)
	} else {
		piece := strings.Repeat(h.block, mebibyte/len(h.block))
		add(piece, h.bytes/len(piece))
	}
	add(h.tail, 1)
	return all.Bytes()
}

// The most that a reply of a resource may hold, of which nothing is refused before it is decoded, and far more than that.

var (
	afrrDay     = `{"days":[{"start_date":"2026-03-04","datas":[`
	afrrReplies = []hostile{
		{"empty objects", afrrDay, "{},", 64 * mebibyte, "{}]}]}"},
		{"as many empty objects as may be", afrrDay, "{},", 3 * 225_000, "{}]}]}"},
		{"empty arrays", `{"days":[`, "[],", 64 * mebibyte, "[]]}"},
		{"levels", "", "[", 64 * mebibyte, ""},
		{"levels of objects", "", `{"a":`, 64 * mebibyte, ""},
		{"white space", `{"days":[`, " ", 63 * mebibyte, "]}"},
		{"a text", `{"days":"`, "x", 64 * mebibyte, `"}`},
		{"long texts", `{"other":[`, `"` + strings.Repeat("x", 16_000) + `",`, 31 * mebibyte, `""]}`},
		{"long names", afrrDay, `{"` + strings.Repeat("x", 16_000) + `":0},`, 31 * mebibyte, "{}]}]}"},
		{"escapes", `{"other":[`, `"` + strings.Repeat(`\u0041`, 2_600) + `",`, 31 * mebibyte, `""]}`},
		{"numbers", `{"other":[`, "0,", 14 * mebibyte, "0]}"},
		{"more numbers", `{"other":[`, "0,", 64 * mebibyte, "0]}"},
		{"steps at one instant", afrrDay, `{"step":"10:00:00","pdemand":1,"upward_afrr_marginal_price":2,"downward_afrr_marginal_price":3,"afrr_for_france":1},`, 25 * mebibyte, "{}]}]}"},
		{"steps of which each is bad", afrrDay, `{"step":"10:00:01","pdemand":"much","` + strings.Repeat("x", 60) + `":[]},`, 12 * mebibyte, "{}]}]}"},
		{"days", `{"days":[`, `{"start_date":"2026-03-04","datas":[{"step":"10:00:00"}]},`, 6 * mebibyte, "{}]}"},
	}
	capacityReplies = []hostile{
		{"blocks", `{"result_procured_reserves":[`, `{"reserve":"AFRR","values":[]},`, 64 * mebibyte, "{}]}"},
		{"as many rows as may be", `{"result_procured_reserves":[{"reserve":"AFRR","product_type":"STD","values":[`,
			`{"start_date":"2026-03-04T10:00:00Z","direction":"UP","price":1,"offered_volume":2,"contracted_volume":3,"time_horizon":"` + strings.Repeat("x", 40) + `","update_date":"` + strings.Repeat("x", 50) + `"},`, 12 * mebibyte, "{}]}]}"},
	}
	pointReplies = []hostile{
		{"empty elements", a44, "<Point/>", 64 * mebibyte, endOfA44},
		{"as many points as may be", a44, "<Point><position>1</position><price.amount>1.23</price.amount></Point>", 5 * mebibyte, endOfA44},
		{"as many empty points as may be", a44, "<Point/>", 8 * 249_000, endOfA44},
		{"levels of elements", "", "<a>", 64 * mebibyte, ""},
		{"attributes", "<a", " b=''", 64 * mebibyte, "/>"},
		{"a long attribute", "<a b='", "x", 64 * mebibyte, "'/>"},
		{"elements with attributes", "<a>", "<b" + strings.Repeat(" c=''", 16) + "/>", 64 * mebibyte, "</a>"},
		{"a comment", "<a><!--", "x", 64 * mebibyte, "--></a>"},
		{"comments", a44, "<!--" + strings.Repeat("x", 16_000) + "-->", 25 * mebibyte, endOfA44},
		{"CDATA", "<a><![CDATA[", "x", 64 * mebibyte, "]]></a>"},
		{"a text in pieces", "<Publication_MarketDocument><type>", strings.Repeat("x", 16_000) + "<b/>", 25 * mebibyte, "</type></Publication_MarketDocument>"},
		{"texts", a44, "<Point><position>" + strings.Repeat("1", 10_000) + "</position></Point>", 25 * mebibyte, endOfA44},
		{"reasons", "<Acknowledgement_MarketDocument>", "<Reason><text>" + strings.Repeat("x", 16_000) + "</text></Reason>", 25 * mebibyte, "</Acknowledgement_MarketDocument>"},
		{"reasons of signs", "<Acknowledgement_MarketDocument>", "<Reason><text>" + strings.Repeat("&lt;&amp;", 1_700) + "</text></Reason>", 25 * mebibyte, "</Acknowledgement_MarketDocument>"},
		{"a reason in pieces", "<Acknowledgement_MarketDocument><Reason><text>", strings.Repeat("x", 16_000) + "<b/>", 25 * mebibyte, "</text></Reason></Acknowledgement_MarketDocument>"},
		{"periods of a year", a44 + "</Period>", "<Period><timeInterval><start>2026-01-01T00:00Z</start><end>2027-01-01T00:00Z</end></timeInterval><resolution>PT15M</resolution>" +
			"<Point><position>1</position><price.amount>1</price.amount></Point></Period>", mebibyte / 8, endOfA44},
	}
)

const (
	a44 = `<Publication_MarketDocument><type>A44</type><TimeSeries><in_Domain.mRID>10YFR-RTE------C</in_Domain.mRID><out_Domain.mRID>10YFR-RTE------C</out_Domain.mRID>` +
		`<currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A03</curveType><Period>`
	endOfA44 = "</Period></TimeSeries></Publication_MarketDocument>"
)

// hostileSource answers each call of a resource for its widest window with the next of its replies, and any other with nothing.

type hostileSource struct {
	t       *testing.T
	widest  time.Duration
	replies []hostile
	pid     atomic.Int64 // of the program that asks; 0 before it is known

	mu   sync.Mutex
	next map[string]int
	seen []int // kB that the program had held at most, before each reply and at the end
}

// ServeHTTP is for http.Handler.

func (s *hostileSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/token/oauth/") {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"a-token-of-the-test","token_type":"Bearer","expires_in":7200}`)
		return
	}
	query := r.URL.Query()
	from, _ := time.Parse("200601021504", query.Get("periodStart"))
	to, _ := time.Parse("200601021504", query.Get("periodEnd"))
	if query.Has("start_date") {
		from, _ = time.Parse(time.RFC3339, query.Get("start_date"))
		to, _ = time.Parse(time.RFC3339, query.Get("end_date"))
	}
	s.mu.Lock()
	s.note()
	next := s.next[r.URL.Path]
	if to.Sub(from) < s.widest-time.Hour || next == len(s.replies) { // an hour, for the days on which the clock changes
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.next[r.URL.Path]++
	s.mu.Unlock()
	reply := s.replies[next]
	reply.head = strings.Replace(reply.head, "2026-03-04", market.DeliveryDateOf(from).String(), 1)
	w.Header().Set("Content-Encoding", "gzip")
	w.Write(reply.packed(s.t)) // it is cut where it is refused
}

// note notes the most memory that the program has held.

func (s *hostileSource) note() {
	if pid := s.pid.Load(); pid > 0 {
		s.seen = append(s.seen, memoryOf(s.t, int(pid), "VmHWM"))
	}
}

// mostMemory is what the program may take at its peak, whatever a source answers.

const mostMemory = 256 << 10 // kB

// The program is given every kind of reply that is made to take memory, each for the widest window of its resource, one after the

// other.

// The figures: go test ./server -run TestAReplyWithinItsBounds -long -v

func TestAReplyWithinItsBoundsTakesBoundedMemory(t *testing.T) {
	t.Parallel()
	storetest.Long(t)
	for dataset, test := range map[market.Dataset]struct {
		days    int // of the widest window
		replies []hostile
	}{
		market.AFRREnergy:     {1, afrrReplies},
		market.FCRCapacity:    {7, capacityReplies},
		market.DayAheadPrices: {90, pointReplies},
	} {
		t.Run(string(dataset), func(t *testing.T) {
			asked := &hostileSource{t: t, replies: test.replies, widest: time.Duration(test.days) * 24 * time.Hour, next: map[string]int{}}
			server := httptest.NewServer(asked)
			defer server.Close()
			last := market.DeliveryDateOf(time.Now()).Add(-1)
			first := last.Add(1 - test.days*(1+len(test.replies))) // of the last window the most before it is read
			fetch := startProgram(t, "courant-hasty", hostileEnvironment(t, server.URL), true, "fetch", string(dataset), "--from", first.String(), "--to", last.String())
			asked.pid.Store(int64(fetch.cmd.Process.Pid))
			fetch.finish()
			asked.mu.Lock()
			defer asked.mu.Unlock()
			most := 0
			for i, kB := range asked.seen {
				if kB > most {
					t.Logf("%d MiB at call %d of %d", kB/1024, i, len(asked.seen))
				}
				most = max(most, kB)
			}
			if most == 0 || most > mostMemory {
				t.Errorf("it has taken %d MiB, may take %d", most/1024, mostMemory/1024)
			}
			for path, next := range asked.next {
				if next != len(test.replies) {
					t.Errorf("%s has given %d replies, want %d", path, next, len(test.replies))
				}
			}
		})
	}
}

func hostileEnvironment(t *testing.T, address string) []string {
	return []string{"COURANT_DATABASE_PATH=" + filepath.Join(t.TempDir(), "courant.db"), "COURANT_RTE_BASE_URL=" + address, "COURANT_RTE_CLIENT_ID=an-id-of-the-test", "COURANT_RTE_CLIENT_SECRET=a-secret-of-the-test",
		"COURANT_ENTSOE_BASE_URL=" + address + "/api", "COURANT_ENTSOE_SECURITY_TOKEN=a-token-of-the-test",
		"COURANT_SERVER_ADDR=127.0.0.1:0", "COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json"}
}

// heaviest are the replies for which the program takes most, of each resource.

var heaviest = map[string]hostile{
	"afrr_marginal_price":      {"", `{"days":[`, `{"` + strings.Repeat("x", 16_000) + `":0},`, 31 * mebibyte, "{}]}"},
	"result_procured_reserves": {"", `{"result_procured_reserves":[`, `{"` + strings.Repeat("x", 16_000) + `":0},`, 12 * mebibyte, "{}]}"},
	"standard_mfrr_data":       {"", `{"mari":{"mari_mesures":[`, `{"` + strings.Repeat("x", 16_000) + `":0},`, 7 * mebibyte, "{}]}}"},
	"imbalance_data":           {"", `{"imbalance_data":[`, `{"` + strings.Repeat("x", 16_000) + `":0},`, mebibyte, "{}]}"},
	"france_power_exchanges":   {"", `{"france_power_exchanges":[`, `{"` + strings.Repeat("x", 16_000) + `":0},`, mebibyte, "{}]}"},
	"api":                      {"", a44, "<Point><position>" + strings.Repeat("1", 10_000) + "</position></Point>", 11 * mebibyte, endOfA44},
}

func TestAServiceToWhichAllSourcesReplyAsMuchAsMayBeTakesBoundedMemory(t *testing.T) {
	t.Parallel()
	storetest.Long(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token/oauth/") {
			(&hostileSource{}).ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(heaviest[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]].packed(t))
	}))
	defer server.Close()
	service := startProgram(t, "courant-hasty", hostileEnvironment(t, server.URL), true, "serve")
	feeds := map[string]bool{}
	for len(feeds) < len(market.Feeds()) {
		feeds[service.await(`"msg":"feed run","feed":"([^"]+)"`)[1]] = true
	}
	most := memoryOf(t, service.cmd.Process.Pid, "VmHWM")
	if code := service.end(syscall.SIGTERM); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
	if t.Logf("%d MiB", most/1024); most > mostMemory {
		t.Errorf("it has taken %d MiB, may take %d", most/1024, mostMemory/1024)
	}
}

func TestAWholeDayOf4SecondStepsTakesBoundedMemory(t *testing.T) {
	storetest.Long(t)
	moveIn(t, time.Now)
	service := startProgram(t, "courant-hasty", []string{"COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json"}, true, "serve")
	service.await(`"msg":"feed run","feed":"afrr_energy".*"rows_changed":2[0-9]{4},`)
	most := memoryOf(t, service.cmd.Process.Pid, "VmHWM")
	if code := service.end(syscall.SIGTERM); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
	if t.Logf("%d MiB", most/1024); most > mostMemory {
		t.Errorf("it has taken %d MiB, may take %d", most/1024, mostMemory/1024)
	}
}

func TestWithFewFilesToOpenAServiceAnswersBesideManyIdleClients(t *testing.T) {
	storetest.Long(t)
	moveIn(t, time.Now)
	h := &house{t: t, clock: clockwork.NewRealClock()}
	h.addToken()
	service := startProgram(t, "sh", []string{"COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json"}, true, "-c", "ulimit -n 64; exec courant-hasty serve")
	address := service.await(`"msg":"serving","address":"([^"]+)"`)[1]
	l := &loaded{process: service, token: h.token, address: address}
	for range 300 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	answers := func(when string) {
		for _, path := range []string{"/healthz", "/api/day-ahead-prices"} {
			if status, _, err := l.get(t.Context(), path); err != nil || status != http.StatusOK {
				t.Errorf("%s: %s is answered %d, %v", when, path, status, err)
			}
		}
	}
	answers("beside idle clients")
	whole := map[string]bool{}
	for len(whole) < len(market.Feeds()) { // each feed has called its source, and written to the database
		run := service.await(`"msg":"feed run","feed":"([^"]+)".*"outcome":"(\w+)"`)
		if run[2] != string(store.OutcomeOK) {
			t.Fatalf("%s is %s", run[1], run[2])
		}
		whole[run[1]] = true
	}
	answers("after all feeds")
	if handles := len(must(os.ReadDir(fmt.Sprintf("/proc/%d/fd", service.cmd.Process.Pid)))(t)); handles > 64-10 {
		t.Errorf("%d of 64 handles are taken", handles)
	} else {
		t.Logf("%d of 64 handles are taken", handles)
	}
	if code := service.end(syscall.SIGTERM); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
}
