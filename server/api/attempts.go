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

// mostDelayed is how many answers are delayed at a time. Each takes a few kilobytes.
const mostDelayed = 4096

// limitReached sets Retry-After and returns the minutes to wait, rounded up. Where the limit says so, it delays the
// answer: an origin that goes on asking gets its answers more slowly.
func (s *Server) limitReached(c echo.Context, limited *auth.LimitedError) (minutes int) {
	s.delay(c, limited.Delay)
	c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(limited.Wait.Seconds()))))
	return int(math.Ceil(limited.Wait.Minutes()))
}

// delay waits for d before an answer, or until the client is gone. If too many answers are delayed already, it does not
// wait, and the answer closes the connection.
func (s *Server) delay(c echo.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case s.delayed <- struct{}{}:
		defer func() { <-s.delayed }()
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

// refusalStatus returns the status with which a form is shown again after err. After too many attempts it also sets
// Retry-After.
func (s *Server) refusalStatus(c echo.Context, err error) int {
	var limited *auth.LimitedError
	if !errors.As(err, &limited) {
		return http.StatusBadRequest
	}
	s.limitReached(c, limited)
	return http.StatusTooManyRequests
}
