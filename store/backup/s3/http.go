package s3

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	connectTimeout = 10 * time.Second
	// defaultPatience is how long nothing may come from the store, nor be taken by it, before a call fails.
	defaultPatience = time.Minute
	// mostReplyBytes is more than an answer that is no file ever has.
	mostReplyBytes = 8 << 20
	maxHeaderBytes = 64 << 10
	// farewell is how long a call may take that is made for a caller who has gone: an upload is taken back then.
	farewell = time.Second
)

// newTransport makes connections that fail once no byte has moved for so long. A limit on a whole call would have to allow
// for the slowest line and the largest file.
func newTransport(patience time.Duration) *http.Transport {
	patience = cmp.Or(patience, defaultPatience)
	dialer := net.Dialer{Timeout: connectTimeout}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return impatient{conn, patience}, nil
		},
		TLSHandshakeTimeout:    connectTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		IdleConnTimeout:        patience / 2,
		DisableCompression:     true,
	}
}

// impatient is a connection of which every read and every write puts off the end of both: while a file goes up, the answer is
// waited for all the time.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// roomKey is the key, in the context of a call, of how many bytes its answer may have.
type roomKey struct{}

// callerKey is the key, in the context of a call, of the context of whoever waits for it.
type callerKey struct{}

// bounded ends answers that are longer than they can be, and refuses pages.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	end := func() {}
	if caller, ok := request.Context().Value(callerKey{}).(context.Context); ok && caller.Err() != nil {
		var ctx context.Context
		ctx, end = context.WithTimeout(request.Context(), farewell)
		request = request.WithContext(ctx)
	}
	response, err := b.next.RoundTrip(request)
	if err != nil {
		end()
		return nil, err
	}
	response.Body = ending{response.Body, end}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		response.Body.Close()
		return nil, ErrNotS3
	}
	room, ok := request.Context().Value(roomKey{}).(int64)
	if !ok {
		room = mostReplyBytes
	}
	response.Body = http.MaxBytesReader(nil, response.Body, room)
	return response, nil
}

// ending is a body after which something ends.
type ending struct {
	io.ReadCloser
	end func()
}

func (e ending) Close() error {
	defer e.end()
	return e.ReadCloser.Close()
}
