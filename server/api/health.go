package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
)

// healthz answers 200 while the process serves.
func (s *Server) healthz(c echo.Context) error {
	return s.send(c, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
}

// readyz answers 200 if all bodies are built and the database answers.
func (s *Server) readyz(c echo.Context) error {
	if !s.bodies.ready() {
		return problemUnavailable
	}
	if err := s.store.Ping(c.Request().Context()); err != nil {
		return errors.Join(problemUnavailable, err)
	}
	return s.send(c, http.StatusOK, "text/plain; charset=utf-8", []byte("ready\n"))
}
