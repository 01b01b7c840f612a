package api

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
)

// serveMetrics sends the metrics to administrators and, if the configuration allows it, to a scraper on this machine.
func (s *Server) serveMetrics(c echo.Context) error {
	if !s.openMetrics || !isLocal(c.Request()) {
		identity, err := s.reader(c)
		if err != nil {
			return err
		}
		if !identity.Admin {
			return problemAdministrators
		}
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	s.metrics.ServeHTTP(c.Response(), c.Request())
	return nil
}

// isLocal reports whether a request was made on this machine, and not forwarded by a proxy on it. A proxy is recognised by
// the Host or by the headers it adds; one that rewrites Host and adds no header looks like a scraper.
func isLocal(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && isLoopbackHost(r.Host)
}
