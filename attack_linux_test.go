package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"courant/ingest/simulator"
)

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
		{name: "sign in, each as somebody else", clients: 1_000, stay: true, act: func(ctx context.Context, conn net.Conn) error {
			fields := "email=" + rand.Text() + "@example.org&password=" + rand.Text()
			if _, err := io.WriteString(conn, form(len(fields))+fields); err != nil {
				return err
			}
			_, err := http.ReadResponse(bufio.NewReader(conn), nil)
			return err
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
// Some minutes: go test . -run UnderAttack -attack -v
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
	every(ctx, 100*time.Millisecond, func() {
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
		path := "/api/" + theEight[len(took)%len(theEight)]
		begun := time.Now()
		if status, _, err := l.get(t.Context(), path); err != nil || status != http.StatusOK {
			t.Errorf("%s: %d, %v", path, status, err)
		}
		took = append(took, time.Since(begun))
	})
	return took
}

// A service on one core is flooded with sign-ins, from one origin and from many. Others have to get in meanwhile, from elsewhere
// or by the cookie of their device, and the data have to be answered as else.
//
// Two minutes: go test . -run FloodOfSignIns -attack -v
func TestAFloodOfSignInsKeepsNobodyOut(t *testing.T) {
	if !*underAttack {
		t.Skip("a service is attacked with -attack")
	}
	const lasts = 30 * time.Second
	sources, err := simulator.Start(simulator.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	l := underLoad(t, sources)
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
