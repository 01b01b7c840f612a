package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Codings of an answer, as Accept-Encoding and Content-Encoding name them.
const (
	identity = "identity"
	gzipped  = "gzip"
)

// mostAnswer is how long one answer may take.
const mostAnswer = 30 * time.Second

var errNotKept = errors.New("the server does not keep its connection")

// connection is one connection to a server, kept until it is closed. It is never made anew in silence, as the pool of
// net/http would, and it is used by one goroutine at a time.
type connection struct {
	conn   net.Conn
	in     *bufio.Reader
	head   string // of each request, after its path
	coding string
	unbind func() bool // from its context
}

// dial connects to a server, until ctx ends at most.
func dial(ctx context.Context, s *server, coding string) (*connection, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	return &connection{
		conn: conn, in: bufio.NewReaderSize(conn, 64<<10), coding: coding,
		head:   " HTTP/1.1\r\nHost: " + s.addr + "\r\nAuthorization: Bearer " + s.token + "\r\nAccept-Encoding: " + coding + "\r\n\r\n",
		unbind: context.AfterFunc(ctx, func() { conn.Close() }),
	}, nil
}

func (c *connection) close() {
	c.unbind()
	c.conn.Close()
}

// fetch asks for a path and copies the body, packed as it came, to w. After an error the connection is of no use.
func (c *connection) fetch(path string, w io.Writer, buffer []byte) error {
	if err := c.conn.SetDeadline(time.Now().Add(mostAnswer)); err != nil {
		return err
	}
	if _, err := io.WriteString(c.conn, "GET "+path+c.head); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	coding := answer.Header.Get("Content-Encoding")
	switch {
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	case coding != c.coding && !(coding == "" && c.coding == identity):
		return fmt.Errorf("GET %s: coding %q", path, coding)
	case answer.Close:
		return errNotKept
	}
	_, err = io.CopyBuffer(w, answer.Body, buffer)
	return err
}

// document asks for the whole document and returns its bodies, unpacked.
func (c *connection) document(w way) (bodies [][]byte, err error) {
	for _, path := range w.paths {
		var packed bytes.Buffer
		if err := c.fetch(path, &packed, nil); err != nil {
			return nil, err
		}
		body := packed.Bytes()
		if c.coding == gzipped {
			unpacked, err := gzip.NewReader(&packed)
			if err != nil {
				return nil, err
			}
			if body, err = io.ReadAll(unpacked); err != nil {
				return nil, err
			}
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// transfer asks for the whole document and counts its bytes, packed as they came.
func (c *connection) transfer(w way, buffer []byte) (length counter, err error) {
	for _, path := range w.paths {
		if err := c.fetch(path, &length, buffer); err != nil {
			return 0, err
		}
	}
	return length, nil
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// documentAnew asks for the whole document over a connection of its own.
func documentAnew(ctx context.Context, s *server, w way) ([][]byte, error) {
	c, err := dial(ctx, s, identity)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.document(w)
}

// turnsAway returns an error if a request with a wrong token gets rows.
func turnsAway(ctx context.Context, s *server) error {
	stranger := *s
	stranger.token = "nobody"
	for _, w := range s.ways {
		if bodies, err := documentAnew(ctx, &stranger, w); err == nil {
			if rows, err := w.rows(bodies[0]); err != nil || len(rows) > 0 {
				return fmt.Errorf("%s is open to a wrong token", w.paths[0])
			}
		}
	}
	return nil
}
