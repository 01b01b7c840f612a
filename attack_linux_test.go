package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
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
