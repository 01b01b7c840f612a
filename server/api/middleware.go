package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
)

const (
	maxRequestBytes = 64 << 10
	requestIDHeader = "X-Request-Id"
	simulatedHeader = "X-Courant-Data"
)

// before is all that is done before a request is handled. It is one step for Echo, which makes each of its steps anew for
// each request.
func (s *Server) before(protection *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			s.setCommonHeaders(c.Response().Header())
			defer s.recoverPanic(c, &err)
			if err := limitBody(c); err != nil {
				return err
			}
			if err := protection.Check(c.Request()); err != nil {
				return problemCrossOrigin // a page of another site made a browser send it
			}
			recordClient(c)
			return next(c)
		}
	}
}

func requestID(c echo.Context) string { return c.Response().Header().Get(requestIDHeader) }

// recoverPanic makes of a panic an error like any other; its stack goes to the log.
func (s *Server) recoverPanic(c echo.Context, err *error) {
	r := recover()
	if r == nil {
		return
	}
	if r == http.ErrAbortHandler {
		panic(r)
	}
	s.log.Error("request panicked", "request", requestID(c), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	*err = fmt.Errorf("server: panic: %v", r)
}

// contentSecurityPolicy allows what Courant itself serves, and nothing inline.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// The lines of the header that every answer carries, made once: setting them costs no allocation.
var (
	securityPolicy = []string{contentSecurityPolicy}
	noSniffing     = []string{"nosniff"}
	sameOrigin     = []string{"same-origin"}
	simulated      = []string{"simulated"}
)

// setCommonHeaders also gives the request an id, which the log and the answer carry. One that came in is not believed.
func (s *Server) setCommonHeaders(header http.Header) {
	header[requestIDHeader] = []string{rand.Text()}
	header["Content-Security-Policy"] = securityPolicy
	header["X-Content-Type-Options"] = noSniffing
	header["Referrer-Policy"] = sameOrigin
	header["Cross-Origin-Opener-Policy"] = sameOrigin
	header["Cross-Origin-Resource-Policy"] = sameOrigin
	if s.simulated {
		header[simulatedHeader] = simulated
	}
}

func limitBody(c echo.Context) error {
	request := c.Request()
	if request.ContentLength > maxRequestBytes {
		return problemPayloadTooLarge
	}
	if request.Body != http.NoBody {
		request.Body = http.MaxBytesReader(c.Response(), request.Body, maxRequestBytes)
	}
	return nil
}

// nameOrigin has what a request changes be noted as done from where it comes, by nobody who is known yet.
func recordClient(c echo.Context) {
	if c.Request().Method == http.MethodPost {
		recordActor(c, auth.Identity{})
	}
}

// originOf is the scheme and host of an address, as a browser's Origin header names them: in lower case, and without
// the port that goes without saying.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.ToLower(u.Host)
	if port, known := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; known {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}

// ipExtractor tells whose request it is: the peer's, or, where the peer is a trusted proxy, the last in X-Forwarded-For
// that is none. It is the peer's too where that header holds something that is no address before such a one is found.
func ipExtractor(trusted []netip.Prefix) echo.IPExtractor {
	isTrusted := func(addr netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
	}
	return func(r *http.Request) string {
		peer, ok := forwardedAddr(r.RemoteAddr)
		if !ok {
			return r.RemoteAddr
		}
		addr := peer
		named := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
		for i := len(named) - 1; i >= 0 && isTrusted(addr); i-- {
			text := strings.TrimSpace(named[i])
			if text == "" {
				continue
			}
			if addr, ok = forwardedAddr(text); !ok {
				return peer.String()
			}
		}
		return addr.String()
	}
}

// forwardedAddr reads an address with or without a port, an IPv6 one also in brackets, as proxies write them.
func forwardedAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(text); err == nil {
			addr = withPort.Addr()
		}
	}
	if inner, bracketed := strings.CutPrefix(text, "["); err != nil && bracketed {
		if inner, bracketed = strings.CutSuffix(inner, "]"); bracketed {
			if addr, err = netip.ParseAddr(inner); err == nil && !addr.Is6() {
				return netip.Addr{}, false
			}
		}
	}
	return addr.Unmap().WithZone(""), err == nil
}
