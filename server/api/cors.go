package api

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
)

// exposedHeaders are the headers of data that scripts of other sites may read, besides those that every script may.
const exposedHeaders = "ETag, Link, Retry-After, RateLimit, RateLimit-Policy, Content-Disposition, Deprecation, Sunset, X-Request-Id, " +
	"X-Courant-Data, X-Courant-Position, X-Courant-Attribution, Accept-Ranges, Content-Range"

// allowOrigin lets scripts of the configured origins read data. They send a token: cookies are never allowed. It reports
// whether it has answered the request: the question of a browser whether a script may send its request.
func (s *Server) allowOrigin(c echo.Context) (answered bool) {
	if len(s.corsOrigins) == 0 || !s.dataRoutes[c.Path()] {
		return false
	}
	request, response := c.Request(), c.Response()
	header := response.Header()
	response.Before(func() { header.Add("Vary", "Origin") }) // handlers set Vary
	origin := request.Header.Get("Origin")
	if !slices.Contains(s.corsOrigins, origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	if request.Method != http.MethodOptions || request.Header.Get("Access-Control-Request-Method") == "" {
		header.Set("Access-Control-Expose-Headers", exposedHeaders)
		return false
	}
	header.Set("Access-Control-Allow-Methods", "GET, HEAD")
	header.Set("Access-Control-Allow-Headers", "Authorization, If-None-Match, Range, If-Range, Last-Event-ID")
	header.Set("Access-Control-Max-Age", "600")
	response.WriteHeader(http.StatusNoContent)
	return true
}
