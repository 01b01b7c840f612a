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

// before is everything that happens before a request is handled. It is a single middleware because Echo rebuilds its chain
// of middleware for each request.
func (s *Server) before(protection *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			header := c.Response().Header()
			header["X-Content-Type-Options"] = noSniffing
			if s.simulated {
				header[simulatedHeader] = simulated
			}
			if isRead := c.Request().Method == http.MethodGet || c.Request().Method == http.MethodHead; !isRead || !s.dataRoutes[c.Path()] {
				setPageHeaders(c)
			}
			if s.allowOrigin(c) {
				return nil
			}
			defer s.recoverPanic(c, &err)
			if err := limitBody(c); err != nil {
				return err
			}
			if err := protection.Check(c.Request()); err != nil {
				return problemCrossOrigin // sent by a browser for a page of another site
			}
			recordClient(c)
			return next(c)
		}
	}
}

// requestID returns the ID of the request, which its log lines and its answer have. An ID that the client sent is ignored.
func requestID(c echo.Context) string {
	setPageHeaders(c)
	return c.Response().Header().Get(requestIDHeader)
}

// recoverPanic turns a panic into an error, and logs its stack.
func (s *Server) recoverPanic(c echo.Context, err *error) {
	r := recover()
	if r == nil {
		return
	}
	if r == http.ErrAbortHandler {
		panic(r)
	}
	s.log.Error("request panicked", "request", requestID(c), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	*err = fmt.Errorf("api: panic: %v", r)
}

// contentSecurityPolicy allows what Courant serves itself, and nothing inline.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Header values of answers, made once so that setting them does not allocate.
var (
	securityPolicy = []string{contentSecurityPolicy}
	noSniffing     = []string{"nosniff"}
	sameOrigin     = []string{"same-origin"}
	simulated      = []string{"simulated"}
)

// setPageHeaders adds the headers of every answer that is not data: the ID of the request, and what a browser may do with a page.
// Answers of data leave them out, because each header costs a request about as much as checking its token.
func setPageHeaders(c echo.Context) {
	header := c.Response().Header()
	if _, is := header[requestIDHeader]; is {
		return
	}
	header[requestIDHeader] = []string{rand.Text()}
	header["Content-Security-Policy"] = securityPolicy
	if header["Referrer-Policy"] == nil {
		header["Referrer-Policy"] = sameOrigin
	}
	header["Cross-Origin-Opener-Policy"] = sameOrigin
	header["Cross-Origin-Resource-Policy"] = sameOrigin
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

// recordClient records the client address of a POST before anyone has signed in, for the audit log.
func recordClient(c echo.Context) {
	if c.Request().Method == http.MethodPost {
		recordActor(c, auth.Identity{})
	}
}

// originOf returns the origin of an address as browsers send it in the Origin header: in lower case, without the default
// port.
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

// ipExtractor returns the function that finds the client address of a request: the peer or, if the peer is a trusted
// proxy, the last address in X-Forwarded-For that is not one. If that header has anything but addresses after it, the
// client address is that of the peer.
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

// forwardedAddr parses an address with or without a port as proxies write it; an IPv6 address may be in brackets.
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
