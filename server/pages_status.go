package server

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// calendarDates is how many delivery dates the calendar shows, tomorrow included.
const calendarDates = 36

var statusPath = web.Text{FR: "/etat", EN: "/status"}

// statusPage says how the feeds are doing.
func (s *Server) statusPage(c echo.Context, identity auth.Identity) error {
	feeds, err := s.feeds(c.Request().Context(), identity)
	if err != nil {
		return err
	}
	last := store.DeliveryDateOf(s.clock.Now()).Add(1)
	body, err := s.pages.Status(visit(c, identity), web.Status{Feeds: feeds, Dates: store.Dates(last.Add(1-calendarDates), last)})
	return s.page(c, http.StatusOK, body, err)
}

// decideWaiting takes or drops what waits in quarantine under the ID in the path. What somebody else has decided
// meanwhile is left at that: the page shows what waits now.
func (s *Server) decideWaiting(c echo.Context, _ auth.Identity, fields url.Values) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return problemNotFound
	}
	event, known := map[string]auth.Event{"accept": auth.QuarantineAccepted, "reject": auth.QuarantineRejected}[fields.Get("decision")]
	if !known {
		return problemInvalidParameter
	}
	ctx := s.auth.Noting(c.Request().Context(), event, strconv.FormatInt(id, 10), "")
	if err := s.decide(ctx, id, event == auth.QuarantineAccepted); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.Redirect(http.StatusSeeOther, statusPath.In(language(c)))
}
