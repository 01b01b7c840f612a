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
	// defaultIdleTimeout is how long no byte may be received or sent before a call fails.
	defaultIdleTimeout = time.Minute
	// maxReplyBytes is more than any answer has that is not a file.
	maxReplyBytes  = 8 << 20
	maxHeaderBytes = 64 << 10
	// abortTimeout is how long a call may take after its caller's context has ended: an interrupted upload is then deleted.
	abortTimeout = time.Second
)

// newTransport makes connections that fail once no byte has been transferred for idleTimeout. A limit on a whole call would have to
// allow for the slowest line and the largest file.
func newTransport(idleTimeout time.Duration) *http.Transport {
	idleTimeout = cmp.Or(idleTimeout, defaultIdleTimeout)
	dialer := net.Dialer{Timeout: connectTimeout}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return idleLimitedConn{conn, idleTimeout}, nil
		},
		TLSHandshakeTimeout:    connectTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		IdleConnTimeout:        idleTimeout / 2,
		DisableCompression:     true,
	}
}

// idleLimitedConn is a connection on which every read and every write moves the deadline of both on: during an upload a read of the answer
// is pending all the time.
type idleLimitedConn struct {
	net.Conn
	idleTimeout time.Duration
}

func (c idleLimitedConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.idleTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c idleLimitedConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.idleTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// maxBytesKey is the key, in the context of a call, of the maximum size of its answer.
type maxBytesKey struct{}

// callerContextKey is the key, in the context of a call, of the caller's context: the library goes on
// with a clean-up after that has ended.
type callerContextKey struct{}

// limitedTransport cuts off answers that are longer than any real one, and refuses HTML pages.
type limitedTransport struct{ next http.RoundTripper }

func (b limitedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	end := func() {}
	if caller, ok := request.Context().Value(callerContextKey{}).(context.Context); ok && caller.Err() != nil {
		var ctx context.Context
		ctx, end = context.WithTimeout(request.Context(), abortTimeout)
		request = request.WithContext(ctx)
	}
	response, err := b.next.RoundTrip(request)
	if err != nil {
		end()
		return nil, err
	}
	response.Body = closingBody{response.Body, end}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		response.Body.Close()
		return nil, ErrNotS3
	}
	limit, ok := request.Context().Value(maxBytesKey{}).(int64)
	if !ok {
		limit = maxReplyBytes
	}
	response.Body = http.MaxBytesReader(nil, response.Body, limit)
	return response, nil
}

// closingBody is a body that calls end when it is closed.
type closingBody struct {
	io.ReadCloser
	end func()
}

func (e closingBody) Close() error {
	defer e.end()
	return e.ReadCloser.Close()
}
