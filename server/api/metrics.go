package api

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/server/entrance"
)

// figures answers Prometheus: an administrator's token or session, or a scraper on this machine where the configuration
// opens it to that.
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

// isLocal says whether a request comes from this machine and was meant for it. A proxy on this machine shows itself by the
// name that it was asked for, or by a header; one that rewrites the name and adds no header cannot be told from a scraper.
func isLocal(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && entrance.IsLoopbackHost(r.Host)
}
