// Package entrance opens the ports: it limits what a client may cost, obtains the certificate for HTTPS, and redirects HTTP to HTTPS. It
// works with any http.Handler and knows nothing of what is served.
package entrance

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits bounds what a client may cost. Slow clients are disconnected, and where there are too many connections, so is the one that
// was silent longest.
type Limits struct {
	readHeader  time.Duration // for the header of a request, and for a TLS handshake
	read        time.Duration // for the body of a request
	write       time.Duration // for each writeBytes of an answer
	idle        time.Duration // between two requests
	connections int           // at once
	open        *connections  // shared by all servers with these limits; nil: each server counts its own
}

// httpLimits are the limits of the running service. The idle time is longer than that of proxies, which must not find a connection
// closed that they are about to use.
var httpLimits = Limits{
	readHeader: 8 * time.Second, read: 12 * time.Second, write: 12 * time.Second, idle: 2 * time.Minute, connections: 8192,
}

const (
	// reservedFiles is how many open files are reserved for other uses than connections: 25 for the database, its logs, the ports and the
	// log, and 16 for calls to sources, backups, mails and connections that are just being closed.
	reservedFiles = 25 + 16
	// minConnections is how many connections are allowed even where the system allows hardly any open files.
	minConnections = 8
	// unlimitedFiles stands for a limit that is not known, or that no service reaches.
	unlimitedFiles = 1 << 20
)

// New returns the limits of the running service, with no more connections than the process may have files open.
func New() Limits { return httpLimits.within(maxOpenFiles()) }

// within lowers the number of connections, of all servers together, to what a limit on open files allows.
func (l Limits) within(openFiles int) Limits {
	l.connections = max(minConnections, min(l.connections, openFiles-reservedFiles))
	l.open = newConnections(l.connections)
	return l
}

const (
	maxHeaderBytes = 32 << 10
	// writeBytes is how much of an answer a client has to accept within Limits.write. With pieces of 64 KiB a large answer took a sixth
	// longer.
	writeBytes = 256 << 10
	// streams is how many requests one HTTP/2 connection may have under way.
	streams = 100
	// receiveBytes is how much HTTP/2 accepts of bodies before a handler reads them: the largest body that any handler reads.
	receiveBytes = 64 << 10
)

// Server returns an http.Server that enforces the limits.
func (l Limits) Server(handler http.Handler, log *slog.Logger) *http.Server {
	open := l.open
	if open == nil {
		open = newConnections(l.connections)
	}
	return &http.Server{
		Handler:           l.pace(handler),
		ReadHeaderTimeout: l.readHeader, WriteTimeout: l.write, IdleTimeout: l.idle, MaxHeaderBytes: maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: streams, MaxReceiveBufferPerConnection: receiveBytes, MaxReceiveBufferPerStream: receiveBytes,
			// A header that never ends is not yet a frame, so no timeout of frames applies: a ping without reply finds it.
			SendPingTimeout: l.readHeader, PingTimeout: l.readHeader, WriteByteTimeout: l.write,
		},
		DisableGeneralOptionsHandler: true, // OPTIONS * goes to the handler too
		ConnState:                    open.changed,
		ConnContext:                  open.inContext,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// pace limits how long a client may take for each part of an answer, not for the whole: a large answer, or one that is written over
// hours, goes on as long as the client keeps reading.
func (l Limits) pace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			// It may have had a Content-Length too, which a proxy in front may have believed (RFC 9112, 6.1).
			w.Header().Set("Connection", "close")
		}
		now := time.Now()
		p := &paced{ResponseWriter: w, client: clientOf(r), each: l.write, timed: r.ProtoMajor > 1, renewed: now, touched: now}
		if r.Body != http.NoBody {
			// There is no ReadTimeout: net/http goes on reading after a request without a body, to notice when the client leaves, and
			// would mistake the timeout for that.
			_ = http.NewResponseController(w).SetReadDeadline(p.renewed.Add(l.read))
		}
		_ = p.rest()
		next.ServeHTTP(p, r)
		_ = p.renew() // for what is still in a buffer
	})
}

// paced is a ResponseWriter that renews the write deadline before each part. Where no deadline can be set, as with a
// httptest.ResponseRecorder, it writes without one.
type paced struct {
	http.ResponseWriter
	client  client
	each    time.Duration
	timed   bool      // HTTP/2: the deadline ends the answer even while nothing is being written
	renewed time.Time // when the deadline was last set; zero: there is none
	touched time.Time // when the connection was last counted as one that is used
}

// Write implements http.ResponseWriter.
func (w *paced) Write(p []byte) (written int, err error) {
	for first := true; first || len(p) > 0; first = false {
		piece := p[:min(len(p), writeBytes)]
		if err := w.renew(); err != nil {
			return written, err
		}
		n, err := w.client.joined.join(w.ResponseWriter, piece)
		written, p = written+n, p[n:]
		if err != nil {
			return written, err
		}
	}
	return written, w.rest()
}

// FlushError serves http.ResponseController.
func (w *paced) FlushError() error {
	if err := w.renew(); err != nil {
		return err
	}
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
		return err
	}
	return w.rest()
}

// touchEvery is how often at most an answer that is written over a long time counts as a use of its connection.
const touchEvery = time.Second

// renewShare is the fraction of the time that has to pass before the deadline is renewed: an answer written at once needs no renewal.
const renewShare = 16

// renew moves the deadline on, for the next part.
func (w *paced) renew() error {
	now := time.Now()
	if now.Sub(w.touched) > touchEvery {
		w.touched = now
		w.client.touch()
	}
	if now.Sub(w.renewed) < w.each/renewShare {
		return nil
	}
	w.renewed = now
	return w.deadline(now.Add(w.each))
}

// rest removes the deadline while the handler prepares the next part.
func (w *paced) rest() error {
	if !w.timed {
		return nil
	}
	w.renewed = time.Time{}
	return w.deadline(time.Time{})
}

func (w *paced) deadline(at time.Time) error {
	if err := http.NewResponseController(w.ResponseWriter).SetWriteDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// Unwrap serves http.ResponseController.
func (w *paced) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// connections are the open ones, by how recently they changed state or an answer was written to them. Above the limit, the one that
// was silent longest is closed.
type connections struct {
	limit int

	mu      sync.Mutex
	order   *list.List // of net.Conn; the first is closed first
	element map[net.Conn]*list.Element
}

func newConnections(limit int) *connections {
	return &connections{limit: limit, order: list.New(), element: map[net.Conn]*list.Element{}}
}

// changed is called by http.Server.ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, known := c.element[conn]
	switch {
	case state == http.StateClosed || state == http.StateHijacked:
		if known {
			c.remove(element)
		}
		return
	case known:
		c.order.MoveToBack(element)
		return
	}
	c.element[conn] = c.order.PushBack(conn)
	if len(c.element) > c.limit {
		abort(c.remove(c.order.Front()))
	}
}

// touch counts a connection as used now.
func (c *connections) touch(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, known := c.element[conn]; known {
		c.order.MoveToBack(element)
	}
}

// client is the connection of a request.
type client struct {
	joined *joined // nil: header and body are not joined
	conn   net.Conn
	open   *connections // nil: the request came by no server
}

// touch counts the connection as used now.
func (c client) touch() {
	if c.open != nil {
		c.open.touch(c.conn)
	}
}

type clientKey struct{}

// inContext is http.Server.ConnContext: it makes the connection known to the requests that come over it.
func (c *connections) inContext(ctx context.Context, conn net.Conn) context.Context {
	plain, _ := conn.(*joined)
	return context.WithValue(ctx, clientKey{}, client{plain, conn, c})
}

// clientOf returns the connection of a request.
func clientOf(r *http.Request) client {
	c, _ := r.Context().Value(clientKey{}).(client)
	return c
}

func (c *connections) remove(element *list.Element) net.Conn {
	conn := c.order.Remove(element).(net.Conn)
	delete(c.element, conn)
	return conn
}

// abort closes a connection without the farewell of TLS, for which a client that does not read would have to be waited for.
func abort(conn net.Conn) {
	if secure, is := conn.(*tls.Conn); is {
		conn = secure.NetConn()
	}
	conn.Close()
}
