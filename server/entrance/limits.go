// Package entrance is the ports: what a client may cost, the certificate that Courant gets for itself, and the way from HTTP to HTTPS.
// What may come in here is true of any handler that is served; it knows nothing of what is answered.
package entrance

import (
	"container/list"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits says what a client may cost. One that is slow is let go, and one that waits makes room for others.
type Limits struct {
	readHeader  time.Duration // for the header of a request, and for a TLS handshake
	read        time.Duration // for a request
	write       time.Duration // for each writeBytes of an answer
	idle        time.Duration // between two requests
	connections int           // at once
	open        *connections  // of all servers of the entrance; nil: each server counts its own
}

// clients is the entrance that is served. The idle time is that of proxies, which shall not find a connection closed that
// they are about to use.
var clients = Limits{
	readHeader: 8 * time.Second, read: 12 * time.Second, write: 12 * time.Second, idle: 2 * time.Minute, connections: 8192,
}

const (
	// ownHandles is how many open files the service keeps for itself: 25 for the database, its logs, the ports and the log, and
	// 16 for calls of sources, backups, mails and connections that are just being closed.
	ownHandles = 25 + 16
	// leastConnections is how many there may be even where the system gives hardly any open files.
	leastConnections = 8
	// manyFiles is in the place of a limit that is not known, or that no service reaches.
	manyFiles = 1 << 20
)

// New is what is served to clients, with no more connections than the process may have files open.
func New() Limits { return clients.within(openFiles()) }

// within is the entrance with no more connections, of all its servers together, than the process may have files open.
func (e Limits) within(openFiles int) Limits {
	e.connections = max(leastConnections, min(e.connections, openFiles-ownHandles))
	e.open = newConnections(e.connections)
	return e
}

const (
	maxHeaderBytes = 32 << 10
	// writeBytes is what a client has to take of an answer within entrance.write. In pieces of 64 KiB a large answer took a sixth
	// longer.
	writeBytes = 256 << 10
	// streams is how many requests one HTTP/2 connection may have under way.
	streams = 100
	// receiveBytes is what HTTP/2 takes of bodies before anybody reads them: the largest body that is read at all.
	receiveBytes = 64 << 10
)

// Server is an http.Server that lets nobody cost more.
func (e Limits) Server(handler http.Handler, log *slog.Logger) *http.Server {
	open := e.open
	if open == nil {
		open = newConnections(e.connections)
	}
	return &http.Server{
		Handler:           e.pace(handler),
		ReadHeaderTimeout: e.readHeader, ReadTimeout: e.read, WriteTimeout: e.write, IdleTimeout: e.idle, MaxHeaderBytes: maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: streams, MaxReceiveBufferPerConnection: receiveBytes, MaxReceiveBufferPerStream: receiveBytes,
			// A header that never ends is no frame: it is found by a ping that stays without answer.
			SendPingTimeout: e.readHeader, PingTimeout: e.readHeader, WriteByteTimeout: e.write,
		},
		DisableGeneralOptionsHandler: true, // OPTIONS * is answered as all else is
		ConnState:                    open.changed,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// pace limits how long a client may take for each part of an answer, not for the whole: a large answer, or one that is written over
// hours, goes on for as long as the client takes what it is sent.
func (e Limits) pace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			// It may have had a Content-Length too, which a proxy in front may have believed (RFC 9112, 6.1).
			w.Header().Set("Connection", "close")
		}
		p := &paced{ResponseWriter: w, controller: http.NewResponseController(w), each: e.write, timed: r.ProtoMajor > 1, renewed: time.Now()}
		if r.Body == http.NoBody {
			// The request is read. net/http goes on reading to see the client leave, and would take the end of ReadTimeout for that.
			_ = p.controller.SetReadDeadline(time.Time{})
		}
		_ = p.rest()
		next.ServeHTTP(p, r)
		_ = p.renew() // for what is still in a buffer
	})
}

// paced is an answer whose time to be written is renewed before each part. Where there is no deadline to set, as in tests that record
// an answer, it is written without.
type paced struct {
	http.ResponseWriter
	controller *http.ResponseController
	each       time.Duration
	timed      bool      // the deadline ends the answer also while nothing is being written: HTTP/2
	renewed    time.Time // zero: there is no deadline
}

// Write is for http.ResponseWriter.
func (w *paced) Write(p []byte) (written int, err error) {
	for first := true; first || len(p) > 0; first = false {
		piece := p[:min(len(p), writeBytes)]
		if err := w.renew(); err != nil {
			return written, err
		}
		n, err := w.ResponseWriter.Write(piece)
		written, p = written+n, p[n:]
		if err != nil {
			return written, err
		}
	}
	return written, w.rest()
}

// FlushError is for http.ResponseController.
func (w *paced) FlushError() error {
	if err := w.renew(); err != nil {
		return err
	}
	if err := w.controller.Flush(); err != nil {
		return err
	}
	return w.rest()
}

// renewShare is the share of the time after which it is renewed: an answer that is written at once costs no renewal.
const renewShare = 16

// renew gives the client time for what is written next.
func (w *paced) renew() error {
	now := time.Now()
	if now.Sub(w.renewed) < w.each/renewShare {
		return nil
	}
	w.renewed = now
	return w.deadline(now.Add(w.each))
}

// rest stops the clock while the handler prepares the next part.
func (w *paced) rest() error {
	if !w.timed {
		return nil
	}
	w.renewed = time.Time{}
	return w.deadline(time.Time{})
}

func (w *paced) deadline(at time.Time) error {
	if err := w.controller.SetWriteDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// Unwrap is for http.ResponseController.
func (w *paced) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// connections are those that are open. Of too many, the one goes of which nothing was heard for longest.
type connections struct {
	most int

	mu    sync.Mutex
	order *list.List // of net.Conn, the one first that goes first
	place map[net.Conn]*list.Element
}

func newConnections(most int) *connections {
	return &connections{most: most, order: list.New(), place: map[net.Conn]*list.Element{}}
}

// changed is for http.Server.ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, known := c.place[conn]
	switch {
	case state == http.StateClosed || state == http.StateHijacked:
		if known {
			c.forget(place)
		}
		return
	case known:
		c.order.MoveToBack(place)
		return
	}
	c.place[conn] = c.order.PushBack(conn)
	if len(c.place) > c.most {
		cut(c.forget(c.order.Front()))
	}
}

func (c *connections) forget(place *list.Element) net.Conn {
	conn := c.order.Remove(place).(net.Conn)
	delete(c.place, conn)
	return conn
}

// cut closes a connection without the farewell of TLS, for which a client that does not read would have to be waited for.
func cut(conn net.Conn) {
	if secure, is := conn.(*tls.Conn); is {
		conn = secure.NetConn()
	}
	conn.Close()
}
