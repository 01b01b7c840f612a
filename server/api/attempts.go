package api

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
)

// mostHeld is how many answers are held back at once, a few kilobytes each.
const mostHeld = 4096

// tooMany says in the header how long to wait, and tells the minutes, begun ones included. An origin that goes on asking has its
// answer held back.
func (s *Server) tooMany(c echo.Context, limited *auth.LimitedError) (minutes int) {
	s.hold(c, limited.Hold)
	c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(limited.Wait.Seconds()))))
	return int(math.Ceil(limited.Wait.Minutes()))
}

// hold waits before an answer, unless the client is gone. Of so many that too many answers are held back the connection ends.
func (s *Server) hold(c echo.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case s.held <- struct{}{}:
		defer func() { <-s.held }()
	default:
		c.Response().Header().Set("Connection", "close")
		return
	}
	timer := s.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.Chan():
	case <-c.Request().Context().Done():
	case <-s.stopped.Done():
	}
}

// refusal is the status with which a form is shown again. If there were too many attempts, the header says how long to wait.
func (s *Server) refusal(c echo.Context, err error) int {
	var limited *auth.LimitedError
	if !errors.As(err, &limited) {
		return http.StatusBadRequest
	}
	s.tooMany(c, limited)
	return http.StatusTooManyRequests
}
