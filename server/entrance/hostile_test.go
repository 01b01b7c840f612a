package entrance

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
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"courant/store/storetest/await"
)

// pipes is a listener of unbuffered connections: a write blocks until the other side reads.
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
	once   sync.Once
	closed chan struct{}
}

func (w *watched) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Conn.Close()
}

// impatient is an entrance that has no patience.
var impatient = Limits{readHeader: 50 * time.Millisecond, read: 100 * time.Millisecond, write: 50 * time.Millisecond, idle: 50 * time.Millisecond, connections: 100}

// large reads a request and writes an answer that no buffer holds.
func large(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		_, _ = w.Write(make([]byte, 4*writeBytes))
	}
}

func TestAClientThatIsSlowIsLetGo(t *testing.T) {
	t.Parallel()
	server := impatient.Server(http.HandlerFunc(large), slog.New(slog.DiscardHandler))
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
		conn := &watched{Conn: theirs, closed: make(chan struct{})}
		listener.dialed <- conn
		if _, err := io.WriteString(ours, text); err != nil {
			t.Logf("%s: let go before all was sent: %v", name, err)
		}
		await.Value(t, conn.closed)
		ours.Close()
	}
}

// overHTTP2 serves HTTP/2 until the test ends; the function makes connections to it.
func overHTTP2(t *testing.T, e Limits, handler http.HandlerFunc) func() net.Conn {
	t.Helper()
	shown := httptest.NewTLSServer(nil)
	shown.Close()
	server := e.Server(handler, slog.New(slog.DiscardHandler))
	server.TLSConfig = &tls.Config{Certificates: shown.TLS.Certificates}
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
	frames, err := beginHTTP2(conn)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// beginHTTP2 is framer for a connection that may be let go meanwhile.
func beginHTTP2(conn net.Conn) (*http2.Framer, error) {
	frames := http2.NewFramer(conn, conn)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return nil, err
	}
	return frames, frames.WriteSettings()
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
	t.Parallel()
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
			frames, err := beginHTTP2(conn)
			for try := 0; err != nil && try < 100; try++ { // a busy machine may be let go before it has begun
				conn.Close()
				conn = dial()
				frames, err = beginHTTP2(conn)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
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
	t.Parallel()
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
			httpLimits.pace(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
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

// trickle is a handler that answers with a piece of 1 KiB each pause, and reports how it ended.
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
	t.Parallel()
	const pieces = 300
	for name, pause := range map[string]time.Duration{"four pieces a second": 250 * time.Millisecond, "a piece every half minute": 30 * time.Second} {
		t.Run(name+", HTTP/1.1", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				server := httpLimits.Server(trickle(pieces, pause, ended), slog.New(slog.DiscardHandler))
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
				conn := overHTTP2(t, httpLimits, trickle(pieces, pause, ended))()
				defer conn.Close()
				frames := framer(t, conn)
				request := requestFor(t, "/")
				go func() {
					beside := http2.NewFramer(conn, nil) // whose buffer is not the one that the answer's frames are written from
					_ = beside.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request, EndHeaders: true, EndStream: true})
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
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		server := httpLimits.Server(trickle(1<<20, 250*time.Millisecond, ended), slog.New(slog.DiscardHandler))
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

func TestAConnectionToWhichAnAnswerIsWrittenIsNotTheOneThatWasSilentLongest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		limits := httpLimits
		limits.connections = 3
		server := limits.Server(trickle(20, 15*time.Second, ended), slog.New(slog.DiscardHandler))
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		go server.Serve(listener)
		defer server.Close()
		dial := func() net.Conn {
			ours, theirs := net.Pipe()
			listener.dialed <- theirs
			t.Cleanup(func() { ours.Close() })
			return ours
		}
		listening := dial()
		if _, err := io.WriteString(listening, "GET / HTTP/1.0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, listening)
		for range 50 { // more connections than there may be
			time.Sleep(6 * time.Second)
			dial()
		}
		if err := <-ended; err != nil {
			t.Errorf("the answer was cut: %v", err)
		}
	})
}

// stalls are how a client of HTTP/2 takes the answers of several streams too slowly.
var stalls = map[string]struct {
	unread       bool   // nothing is read from the connection
	streamWindow uint32 // what each stream may be sent at first
	// The room that the client gives each second, to the connection and to each stream; 0: none.
	connection, stream uint32
}{
	"no stream is given room":                      {streamWindow: 1 << 16, connection: 1 << 20},
	"the connection is given no room":              {streamWindow: 1 << 30},
	"each stream is given less room than 16 KiB/s": {streamWindow: 1 << 16, connection: 1 << 20, stream: 10 << 10},
	"nothing is read":                              {unread: true, streamWindow: 1 << 30},
}

func TestOverHTTP2StreamsThatStallEndTheirWorkAndOthersAreServed(t *testing.T) {
	t.Parallel()
	const streams, most = 4, 20 * time.Second
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, streams)
				dial := overHTTP2(t, httpLimits, func(w http.ResponseWriter, r *http.Request) {
					for r.URL.Path == "/long" {
						if _, err := w.Write(make([]byte, 192<<10)); err != nil {
							ended <- err
							return
						}
					}
				})
				conn := dial()
				defer conn.Close()
				frames := framer(t, conn)
				send := func(err error) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
				}
				ask := func(stream uint32, path string) {
					t.Helper()
					send(frames.WriteHeaders(http2.HeadersFrameParam{
						StreamID: stream, BlockFragment: requestFor(t, path), EndHeaders: true, EndStream: true,
					}))
				}
				send(frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: stall.streamWindow}))
				answered := make(chan uint32, 100)
				if !stall.unread {
					go readFrames(conn, answered)
				}
				begun := time.Now()
				for n := range uint32(streams) {
					ask(2*n+1, "/long")
				}
				short := uint32(2*streams + 1)
				for left := streams; left > 0; {
					select {
					case err := <-ended:
						left--
						if took := time.Since(begun); took > most {
							t.Errorf("a stream is ended after %s: %v", took, err)
						}
						continue
					case <-time.After(time.Second):
					}
					askOthers(t, dial)
					if stall.unread {
						continue
					}
					ask(short, "/short")
					for <-answered != short {
					}
					short += 2
					if stall.connection > 0 {
						send(frames.WriteWindowUpdate(0, stall.connection))
					}
					for n := range uint32(streams) {
						if stall.stream > 0 {
							send(frames.WriteWindowUpdate(2*n+1, stall.stream))
						}
					}
				}
			})
		})
	}
}

// readFrames reads a connection until it ends, replies to pings, and sends the streams of which a header has come.
func readFrames(conn net.Conn, answered chan<- uint32) {
	frames := http2.NewFramer(conn, conn) // whose buffer is not the one that requests are written from
	for {
		frame, err := frames.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.PingFrame:
			if !frame.IsAck() {
				_ = frames.WritePing(true, frame.Data)
			}
		case *http2.HeadersFrame:
			answered <- frame.StreamID
		}
	}
}

// askOthers asks for a short answer by another connection.
func askOthers(t *testing.T, dial func() net.Conn) {
	t.Helper()
	transport := &http.Transport{
		DialTLSContext:    func(context.Context, string, string) (net.Conn, error) { return dial(), nil },
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+testDomain+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		t.Errorf("others are answered %s by %s", answer.Status, answer.Proto)
	}
}

func TestOfTooManyConnectionsTheOneGoesThatSaidNothingForLongest(t *testing.T) {
	t.Parallel()
	all := newConnections(3)
	var opened []*watched
	for range 6 {
		conn, theirs := net.Pipe()
		defer theirs.Close()
		opened = append(opened, &watched{Conn: conn, closed: make(chan struct{})})
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
	if len(all.element) != 3 || all.order.Len() != 3 {
		t.Errorf("%d connections are known in %d places", len(all.element), all.order.Len())
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
	t.Parallel()
	held := make(chan struct{})
	dial := overHTTP2(t, httpLimits, func(_ http.ResponseWriter, r *http.Request) {
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
			askOthers(t, dial)
		})
	}
}
