package entrance

import (
	"net"
	"net/http"
	"sync"
)

// net/http writes the first 4 KiB of an answer, its header and the beginning of its body, and then the rest. Over a joined connection
// both leave in one system call, which is a quarter of the time that a prepared answer takes.

// joinedListener accepts joined connections.
type joinedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l joinedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, is := conn.(*net.TCPConn); is {
		return &joined{TCPConn: tcp}, err
	}
	return conn, err
}

// joined is a connection without TLS. Only the goroutine that answers a request writes to it.
type joined struct {
	*net.TCPConn
	joining bool // more follows: what is written first is held back
	held    []byte
	parts   [2][]byte
}

// heldBuffers are reused, so that idle connections have none.
var heldBuffers = sync.Pool{New: func() any { return new([mostHeld]byte) }}

// mostHeld is the size of net/http's buffer for a connection.
const mostHeld = 4 << 10

// Write implements net.Conn.
func (c *joined) Write(p []byte) (int, error) {
	if len(c.held) == 0 {
		if c.joining && len(p) <= mostHeld {
			buffer := heldBuffers.Get().(*[mostHeld]byte)
			c.held = buffer[:copy(buffer[:], p)]
			return len(p), nil
		}
		return c.TCPConn.Write(p)
	}
	c.parts = [2][]byte{c.held, p}
	both := net.Buffers(c.parts[:])
	n, err := both.WriteTo(c.TCPConn)
	n -= int64(len(c.held))
	c.release()
	return int(max(0, n)), err
}

// flush writes what is held back.
func (c *joined) flush() error {
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.TCPConn.Write(c.held)
	c.release()
	return err
}

func (c *joined) release() {
	heldBuffers.Put((*[mostHeld]byte)(c.held[:mostHeld]))
	c.held, c.parts = nil, [2][]byte{}
}

// join writes a part of an answer to w, whose connection is c, in as few system calls as it can. c may be nil.
func (c *joined) join(w http.ResponseWriter, part []byte) (int, error) {
	if c == nil {
		return w.Write(part)
	}
	c.joining = true
	n, err := w.Write(part)
	if err == nil && c.held != nil {
		err = http.NewResponseController(w).Flush() // what net/http still buffers
	}
	c.joining = false
	if flushed := c.flush(); err == nil {
		err = flushed
	}
	return n, err
}
