package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// sendData sends data that only the client may store, and has to revalidate before each use.
func (s *Server) sendData(c echo.Context, body []byte) error {
	setDataHeaders(c)
	return s.send(c, http.StatusOK, "application/json", body)
}

func setDataHeaders(c echo.Context) {
	c.Response().Header().Set("Cache-Control", "private, no-cache")
	c.Response().Header().Set("Vary", "Authorization, Cookie")
}

// data returns the handler of an endpoint of data. It ignores query parameters.
func (s *Server) data(e endpoint) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.reader(c)
		if err != nil {
			return err
		}
		if err := mayRead(identity, e.datasets); err != nil {
			return err
		}
		body, built := s.bodies.of(e.name)
		if !built {
			return problemUnavailable
		}
		return s.sendDocument(c, body, cacheRevalidated)
	}
}
