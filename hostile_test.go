package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// speak sends bytes, as they are, to a service and reads all that it answers until it ends the connection.
func speak(t *testing.T, addr, text string) []*http.Response {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.WriteString(conn, text) // the service may have answered, and ended it, before it has taken all
	var answers []*http.Response
	for in := bufio.NewReader(conn); ; {
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return answers // its end, or that of a connection that is cut with bytes of the request unread
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Errorf("%.60q: an answer breaks off: %v", text, err)
		}
		answer.Body.Close()
		answers = append(answers, answer)
	}
}

func TestWhatNoClientSendsIsRefusedAndNothingIsSmuggledPastIt(t *testing.T) {
	cfg := defaultConfig()
	cfg.Server.Addr, cfg.Database.Path, cfg.Ingest.Enabled = "127.0.0.1:0", filepath.Join(t.TempDir(), "courant.db"), false
	s := serve(t, cfg, t.Output())
	const (
		host = "Host: courant.example.org\r\n"
		next = "GET /healthz HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n" // comes after each text
		form = "Content-Type: application/x-www-form-urlencoded\r\n"
	)
	get := func(target string) string { return "GET " + target + " HTTP/1.1\r\n" + host + "\r\n" }
	post := func(headers, body string) string {
		return "POST /login HTTP/1.1\r\n" + host + form + headers + "\r\n" + body
	}
	for _, test := range []struct {
		name, text string
		statuses   []int
	}{
		{"two requests", get("/healthz"), []int{200, 200}},

		// Two lengths of one request: what follows must not be taken for another one.
		{"a length and chunks", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), []int{401}},
		{"chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\n"), []int{401}},
		{"chunks alone", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), []int{401}},
		{"an unknown coding", post("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n", "0\r\n\r\n"), []int{501}},
		{"two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), []int{501}},
		{"codings in a list", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), []int{501}},
		{"a vertical tab before the coding", post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), []int{400}},
		{"a blank before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), []int{400}},
		{"a header that begins with a blank", "GET /healthz HTTP/1.1\r\n Transfer-Encoding: chunked\r\n" + host + "\r\n", []int{400}},
		{"two lengths", post("Content-Length: 0\r\nContent-Length: 6\r\n", ""), []int{400}},
		{"lengths in a list", post("Content-Length: 0, 6\r\n", ""), []int{400}},
		{"a length with a sign", post("Content-Length: +0\r\n", ""), []int{400}},
		{"a length below zero", post("Content-Length: -1\r\n", ""), []int{400}},
		{"a length beyond numbers", post("Content-Length: 99999999999999999999\r\n", ""), []int{400}},
		{"a chunk that ends in a bare line feed", post("Transfer-Encoding: chunked\r\n", "1\na\r\n0\r\n\r\n"), []int{400}},
		{"a chunk of no number", post("Transfer-Encoding: chunked\r\n", "0x1\r\na\r\n0\r\n\r\n"), []int{400}},
		{"a line feed alone ends a line", "GET /healthz HTTP/1.1\nHost: courant.example.org\n\n", []int{200, 200}},
		{"a carriage return alone does not", "GET /healthz HTTP/1.1\r\n" + host + "X: a\rTransfer-Encoding: chunked\r\n\r\n", []int{400}},
		{"an end of text in a header", "GET /healthz HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n", []int{400}},

		// Large ones.
		{"a body of 100 MB", post("Content-Length: 104857600\r\n", strings.Repeat("a", 1<<20)), []int{413}},
		{"chunks of 100 MB", post("Transfer-Encoding: chunked\r\n", strings.Repeat("100000\r\n"+strings.Repeat("a", 1<<20)+"\r\n", 100)), []int{413}},
		{"100 MB that are asked about first", post("Expect: 100-continue\r\nContent-Length: 104857600\r\n", ""), []int{413}},
		{"a body of a request that has none", "GET /healthz HTTP/1.1\r\n" + host + "Content-Length: 104857600\r\n\r\n", []int{413}},
		{"many headers", "GET /healthz HTTP/1.1\r\n" + host + strings.Repeat("X: a\r\n", 20_000) + "\r\n", []int{431}},
		{"a long header", "GET /healthz HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 100_000) + "\r\n\r\n", []int{431}},
		{"a long path", get("/" + strings.Repeat("a", 100_000)), []int{431}},
		{"a path that is not that long", get("/" + strings.Repeat("a", 30_000)), []int{404, 200}},
		{"another expectation", "GET /healthz HTTP/1.1\r\n" + host + "Expect: the moon\r\n\r\n", []int{417}},

		// Paths.
		{"up", get("/../../etc/passwd"), []int{404, 200}},
		{"up, encoded", get("/static/%2e%2e/%2e%2e/etc/passwd"), []int{404, 200}},
		{"up, with encoded slashes", get("/static/..%2f..%2fetc%2fpasswd"), []int{404, 200}},
		{"up, with backslashes", get(`/static/..\..\config.yaml`), []int{404, 200}},
		{"up, overlong", get("/static/%c0%ae%c0%ae/config.yaml"), []int{404, 200}},
		{"two slashes", get("//healthz"), []int{404, 200}},
		{"two slashes and a host", get("//other.example.org/%2f.."), []int{404, 200}},
		{"an end of text", get("/healthz%00"), []int{404, 200}},
		{"a parameter", get("/healthz;a=b"), []int{404, 200}},
		{"a semicolon in a query", get("/healthz?a=b;c"), []int{200, 200}},
		{"a half of an encoding", get("/%zz"), []int{400}},
		{"a letter encoded", get("/%68ealthz"), []int{404, 200}},
		{"in capitals", get("/HEALTHZ"), []int{404, 200}},

		// Hosts and targets.
		{"no host", "GET /healthz HTTP/1.1\r\n\r\n", []int{400}},
		{"two hosts", "GET /healthz HTTP/1.1\r\n" + host + host + "\r\n", []int{400}},
		{"a host with a blank", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", []int{400}},
		{"an empty host", "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", []int{200, 200}},
		{"metrics of another host", get("/metrics"), []int{401, 200}},
		{"metrics of another host, absolute", "GET http://other.example.org/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{401, 200}},
		{"metrics through a proxy", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n", []int{401, 200}},
		{"a target without a slash", get("healthz"), []int{400}},
		{"a target that is a host", "CONNECT other.example.org:443 HTTP/1.1\r\n" + host + "\r\n", []int{404, 200}},
		{"a target that is all", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", []int{404, 200}},

		// Methods and versions.
		{"a method of no letters", "G(T /healthz HTTP/1.1\r\n" + host + "\r\n", []int{400}},
		{"a method that is not known", "BREW /healthz HTTP/1.1\r\n" + host + "\r\n", []int{405, 200}},
		{"a trace", "TRACE /healthz HTTP/1.1\r\n" + host + "Cookie: a=b\r\n\r\n", []int{405, 200}},
		{"another method in a header", "GET /language HTTP/1.1\r\n" + host + "X-HTTP-Method-Override: POST\r\n\r\n", []int{405, 200}},
		{"HTTP/0.9", "GET /healthz\r\n\r\n", []int{400}},
		{"HTTP/3.0", "GET /healthz HTTP/3.0\r\n" + host + "\r\n", []int{505}},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{404}},
		{"an upgrade to it", "GET /healthz HTTP/1.1\r\n" + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", []int{200, 200}},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}},
		{"nothing", "", []int{200}},
		{"lines", strings.Repeat("\r\n", 100), []int{400}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var statuses []int
			for _, answer := range speak(t, s.addr(), test.text+next) {
				statuses = append(statuses, answer.StatusCode)
				if answer.Header.Get("X-Request-Id") == "" { // net/http's own, to what is no request
					if answer.StatusCode == http.StatusOK || !answer.Close {
						t.Errorf("%d of nobody, with headers %v", answer.StatusCode, answer.Header)
					}
					continue
				}
				for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Location": "", "Set-Cookie": ""} {
					if got := answer.Header.Get(name); got != value {
						t.Errorf("%d with %s %q, want %q", answer.StatusCode, name, got, value)
					}
				}
				if !strings.HasPrefix(answer.Header.Get("Content-Security-Policy"), "default-src 'none'") {
					t.Errorf("%d with the policy %q", answer.StatusCode, answer.Header.Get("Content-Security-Policy"))
				}
			}
			if !slices.Equal(statuses, test.statuses) {
				t.Errorf("answers %d, want %d", statuses, test.statuses)
			}
		})
	}
}

// pipes is a listener of connections that hold nothing that nobody reads.
type pipes struct {
	dialed chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.dialed:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// watched is a connection that tells when it is closed.
type watched struct {
	net.Conn
	closed chan struct{}
}

func (w *watched) Close() error {
	select {
	case <-w.closed:
	default:
		close(w.closed)
	}
	return w.Conn.Close()
}

// impatient is an entrance that has no patience.
var impatient = entrance{readHeader: 50 * time.Millisecond, read: 100 * time.Millisecond, write: 50 * time.Millisecond, idle: 50 * time.Millisecond, connections: 100}

// large reads a request and writes an answer that no buffer holds.
func large(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		_, _ = w.Write(make([]byte, 4*writeBytes))
	}
}

func TestAClientThatIsSlowIsLetGo(t *testing.T) {
	server := impatient.server(http.HandlerFunc(large), slog.New(slog.DiscardHandler))
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	go server.Serve(listener)
	defer server.Close()
	const request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
	for name, text := range map[string]string{
		"nothing comes":                         "",
		"a header breaks off":                   request[:20],
		"a body breaks off":                     request + "a",
		"nobody reads the answer":               "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"nobody reads the answer, and goes on":  "GET / HTTP/1.1\r\nHost: a\r\n\r\nG",
		"nobody reads the refusal of a request": "nonsense\r\n\r\n",
	} {
		ours, theirs := net.Pipe()
		conn := &watched{theirs, make(chan struct{})}
		listener.dialed <- conn
		if _, err := io.WriteString(ours, text); err != nil {
			t.Logf("%s: let go before all was sent: %v", name, err)
		}
		<-conn.closed
		ours.Close()
	}
}

// overHTTP2 serves HTTP/2 until the test ends; the function makes connections to it.
func overHTTP2(t *testing.T, e entrance, handler http.HandlerFunc) func() net.Conn {
	t.Helper()
	key, certificate := selfSigned(t, time.Now().Add(time.Hour), testDomain)
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	server := e.server(handler, slog.New(slog.DiscardHandler))
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	go server.ServeTLS(listener, "", "")
	t.Cleanup(func() { server.Close() })
	return func() net.Conn {
		ours, theirs := net.Pipe()
		listener.dialed <- theirs
		// After the handshake of TLS 1.3 a server goes on writing, and would wait for a reader.
		return tls.Client(ours, &tls.Config{ServerName: testDomain, InsecureSkipVerify: true, NextProtos: []string{"h2"}, MaxVersion: tls.VersionTLS12})
	}
}

// framer begins HTTP/2 on a connection, to go on frame by frame.
func framer(t *testing.T, conn net.Conn) *http2.Framer {
	t.Helper()
	frames := http2.NewFramer(conn, conn)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := frames.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return frames
}

// requestFor is the header of a request as a frame of HTTP/2 holds it.
func requestFor(t *testing.T, path string) []byte {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", testDomain}, {":path", path}} {
		if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
}

func TestOverHTTP2AClientThatIsSlowIsLetGo(t *testing.T) {
	dial := overHTTP2(t, impatient, large)
	for name, test := range map[string]struct {
		begin func(frames *http2.Framer, block []byte) error
		ends  func(frame http2.Frame, err error) bool
	}{
		"a header breaks off": {
			func(frames *http2.Framer, block []byte) error {
				return frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block})
			},
			func(_ http2.Frame, err error) bool { return err != nil },
		},
		"a body breaks off": {
			func(frames *http2.Framer, block []byte) error {
				return frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true})
			},
			func(frame http2.Frame, err error) bool {
				return err != nil || frame.Header().Flags.Has(http2.FlagDataEndStream)
			},
		},
		"nobody makes room for more of the answer": {
			func(frames *http2.Framer, block []byte) error {
				return frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true, EndStream: true})
			},
			func(frame http2.Frame, err error) bool {
				return err != nil || frame.Header().Type == http2.FrameRSTStream
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial()
			defer conn.Close()
			frames := framer(t, conn)
			go test.begin(frames, requestFor(t, "/"))
			for ended := false; !ended; {
				ended = test.ends(frames.ReadFrame())
			}
		})
	}
}

// renewed is an answer that counts how often its time to be written is renewed, takes a second for each part, and fails when it is cut.
type renewed struct {
	*httptest.ResponseRecorder
	times int
	cutAt int // bytes
}

func (r *renewed) SetWriteDeadline(time.Time) error { r.times++; return nil }

func (r *renewed) Write(p []byte) (int, error) {
	if r.cutAt > 0 && r.Body.Len() >= r.cutAt {
		return 0, net.ErrClosed
	}
	time.Sleep(time.Second)
	return r.ResponseRecorder.Write(p)
}

func TestEachPartOfAnAnswerHasTimeOfItsOwn(t *testing.T) {
	for _, test := range []struct{ bytes, cutAt, times, written int }{
		// The first part has the time of the request. It is renewed before each other, and before what a buffer holds goes out.
		{1, 0, 1, 1},
		{writeBytes, 0, 1, writeBytes},
		{writeBytes + 1, 0, 2, writeBytes + 1},
		{3*writeBytes + 5, 0, 4, 3*writeBytes + 5},
		{3*writeBytes + 5, 2 * writeBytes, 2, 2 * writeBytes},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &renewed{ResponseRecorder: httptest.NewRecorder(), cutAt: test.cutAt}
			clients.pace(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				written, err := w.Write(make([]byte, test.bytes))
				if written != test.written || errors.Is(err, net.ErrClosed) != (test.cutAt > 0) {
					t.Errorf("of %d bytes %d are written, error %v", test.bytes, written, err)
				}
			})).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			if w.times != test.times || w.Body.Len() != test.written {
				t.Errorf("%d bytes: renewed %d times, %d written, want %d and %d", test.bytes, w.times, w.Body.Len(), test.times, test.written)
			}
		})
	}
}

// trickle is a handler that answers with a piece of 1 KiB each pause, and tells how it ended.
func trickle(pieces int, pause time.Duration, ended chan<- error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for range pieces {
			time.Sleep(pause)
			_, err := w.Write(make([]byte, 1<<10))
			if err = errors.Join(err, http.NewResponseController(w).Flush(), r.Context().Err()); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}
}

func TestAnAnswerThatIsWrittenSlowlyGoesOnForAsLongAsItIsRead(t *testing.T) {
	const pieces = 300
	for name, pause := range map[string]time.Duration{"four pieces a second": 250 * time.Millisecond, "a piece every half minute": 30 * time.Second} {
		t.Run(name+", HTTP/1.1", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				server := clients.server(trickle(pieces, pause, ended), slog.New(slog.DiscardHandler))
				listener := pipes{make(chan net.Conn), make(chan struct{})}
				go server.Serve(listener)
				defer server.Close()
				ours, theirs := net.Pipe()
				defer ours.Close()
				listener.dialed <- theirs
				if _, err := io.WriteString(ours, "GET / HTTP/1.0\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				answer, err := http.ReadResponse(bufio.NewReader(ours), nil)
				if err != nil {
					t.Fatal(err)
				}
				read, err := io.Copy(io.Discard, answer.Body)
				if said := <-ended; read != pieces<<10 || err != nil || said != nil {
					t.Errorf("%d bytes read, %v; the handler: %v", read, err, said)
				}
			})
		})
		t.Run(name+", HTTP/2", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				conn := overHTTP2(t, clients, trickle(pieces, pause, ended))()
				defer conn.Close()
				frames := framer(t, conn)
				request := requestFor(t, "/")
				go func() {
					_ = frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request, EndHeaders: true, EndStream: true})
				}()
				var read int
				for {
					frame, err := frames.ReadFrame()
					if err != nil {
						t.Fatalf("after %d bytes: %v; the handler: %v", read, err, <-ended)
					}
					switch frame := frame.(type) {
					case *http2.PingFrame:
						if !frame.IsAck() {
							err = frames.WritePing(true, frame.Data)
						}
					case *http2.RSTStreamFrame:
						t.Fatalf("reset after %d bytes: %v; the handler: %v", read, frame.ErrCode, <-ended)
					case *http2.DataFrame:
						if read += len(frame.Data()); len(frame.Data()) > 0 {
							err = errors.Join(frames.WriteWindowUpdate(0, uint32(len(frame.Data()))), frames.WriteWindowUpdate(1, uint32(len(frame.Data()))))
						}
						if frame.StreamEnded() {
							if said := <-ended; read != pieces<<10 || said != nil {
								t.Errorf("%d bytes read; the handler: %v", read, said)
							}
							return
						}
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

func TestWhoDoesNotReadASlowAnswerIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		server := clients.server(trickle(1<<20, 250*time.Millisecond, ended), slog.New(slog.DiscardHandler))
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		go server.Serve(listener)
		defer server.Close()
		ours, theirs := net.Pipe()
		defer ours.Close()
		listener.dialed <- theirs
		if _, err := io.WriteString(ours, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		asked := time.Now()
		err := <-ended
		if took := time.Since(asked); err == nil || took > 20*time.Second {
			t.Errorf("let go after %s: %v", took, err)
		}
	})
}

func TestOfTooManyConnectionsTheOneGoesThatSaidNothingForLongest(t *testing.T) {
	all := newConnections(3)
	var opened []*watched
	for range 6 {
		conn, theirs := net.Pipe()
		defer theirs.Close()
		opened = append(opened, &watched{conn, make(chan struct{})})
	}
	isClosed := func(conn *watched) bool {
		select {
		case <-conn.closed:
			return true
		default:
			return false
		}
	}
	for _, step := range []struct {
		conn  int
		state http.ConnState
		gone  []int
	}{
		{0, http.StateNew, nil},
		{1, http.StateNew, nil},
		{2, http.StateNew, nil},
		{0, http.StateActive, nil},
		{3, http.StateNew, []int{1}},
		{1, http.StateClosed, []int{1}},
		{0, http.StateIdle, []int{1}},
		{4, http.StateNew, []int{1, 2}},
		{3, http.StateClosed, []int{1, 2}},
		{5, http.StateNew, []int{1, 2}},
	} {
		all.changed(opened[step.conn], step.state)
		for i, conn := range opened {
			if want := slices.Contains(step.gone, i); isClosed(conn) != want {
				t.Errorf("after %d is %s, %d is closed %t, want %t", step.conn, step.state, i, !want, want)
			}
		}
	}
	if len(all.place) != 3 || all.order.Len() != 3 {
		t.Errorf("%d connections are known in %d places", len(all.place), all.order.Len())
	}
}

// floods are what a client of HTTP/2 can send without end, frame by frame; block is the header of a request.
var floods = map[string]struct {
	send   func(frames *http2.Framer, n uint32, block []byte) error
	unread bool // the client does not read what it is answered
	borne  bool // the service goes on with it, for it holds nothing of it
}{
	"requests that are taken back": {send: func(frames *http2.Framer, n uint32, block []byte) error {
		if err := frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*n + 1, BlockFragment: block, EndStream: true, EndHeaders: true}); err != nil {
			return err
		}
		return frames.WriteRSTStream(2*n+1, http2.ErrCodeCancel)
	}},
	"a header that never ends": {send: func(frames *http2.Framer, n uint32, block []byte) error {
		if n == 0 {
			return frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block})
		}
		return frames.WriteContinuation(1, false, []byte("\x00\x01x\x7f\x80\x07"+strings.Repeat("a", 1023)))
	}},
	"settings": {borne: true, send: func(frames *http2.Framer, _ uint32, _ []byte) error { return frames.WriteSettings() }},
	"pings":    {unread: true, send: func(frames *http2.Framer, _ uint32, _ []byte) error { return frames.WritePing(false, [8]byte{}) }},
}

func TestAFloodOverHTTP2EndsItsOwnConnectionAndNoOther(t *testing.T) {
	held := make(chan struct{})
	dial := overHTTP2(t, clients, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			<-held
		}
	})
	defer close(held)
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			conn := dial()
			defer conn.Close()
			frames := framer(t, conn)
			if !flood.unread {
				go io.Copy(io.Discard, conn)
			}
			var err error
			for n := uint32(0); err == nil && (!flood.borne || n < 20_000); n++ {
				err = flood.send(frames, n, requestFor(t, "/held"))
			}
			if err != nil && flood.borne {
				t.Errorf("it is ended: %v", err)
			}
			transport := &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return dial(), nil }, ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			if answer := ask(t, &http.Client{Transport: transport}, "GET", "https://"+testDomain+"/", "", ""); answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
				t.Errorf("others are answered %s by %s", answer.Status, answer.Proto)
			}
		})
	}
}
