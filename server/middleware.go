package server

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
)

const (
	maxRequestBytes = 64 << 10
	requestIDHeader = "X-Request-Id"
	simulatedHeader = "X-Courant-Data"
)

// identifyRequest gives each request an id, which the log and the answer carry. One that came in is not believed.
func (s *Server) identifyRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(requestIDHeader, rand.Text())
		return next(c)
	}
}

func requestID(c echo.Context) string { return c.Response().Header().Get(requestIDHeader) }

// recoverPanic makes of a panic an error like any other; its stack goes to the log.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				s.log.Error("request panicked", "request", requestID(c), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
				err = fmt.Errorf("server: panic: %v", r)
			}
		}()
		return next(c)
	}
}

// contentSecurityPolicy allows what Courant itself serves, and nothing inline.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) commonHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.simulated {
			header.Set(simulatedHeader, "simulated")
		}
		return next(c)
	}
}

func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		request := c.Request()
		if request.ContentLength > maxRequestBytes {
			return problemPayloadTooLarge
		}
		request.Body = http.MaxBytesReader(c.Response(), request.Body, maxRequestBytes)
		return next(c)
	}
}

// sameOrigin refuses what a page of another site makes a browser send.
func sameOrigin(protection *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return problemCrossOrigin
			}
			return next(c)
		}
	}
}

// nameOrigin has what a request changes be noted as done from where it comes, by nobody who is known yet.
func nameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method == http.MethodPost {
			acting(c, auth.Identity{})
		}
		return next(c)
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

// ipExtractor tells whose request it is: the peer's, or what a trusted proxy says in X-Forwarded-For.
func ipExtractor(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range trusted {
		options = append(options, echo.TrustIPRange(&net.IPNet{
			IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
