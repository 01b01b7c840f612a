package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// calendarDates is how many delivery dates the calendar shows, tomorrow included.
const calendarDates = 36

// statusPage says how the feeds are doing.
func (s *Server) statusPage(c echo.Context, identity auth.Identity) error {
	feeds, err := s.feeds(c.Request().Context())
	if err != nil {
		return err
	}
	last := store.DeliveryDateOf(s.clock.Now()).Add(1)
	body, err := s.pages.Status(visit(c, identity), web.Status{Feeds: feeds, Dates: store.Dates(last.Add(1-calendarDates), last)})
	return s.page(c, http.StatusOK, body, err)
}
