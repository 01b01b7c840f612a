package api

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

func (s *Server) auditPage(c echo.Context, identity auth.Identity) error {
	before := int64(0)
	if text := c.QueryParam("before"); text != "" {
		var err error
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return problemInvalidParameter
		}
	}
	notes, more, err := s.auth.Notes(c.Request().Context(), before)
	if err != nil {
		return err
	}
	view := web.Audit{Notes: notes}
	if more {
		view.Older = notes[len(notes)-1].ID
	}
	body, err := s.pages.Audit(visitAt(c, identity, c.Request().URL.RequestURI()), view)
	return s.page(c, http.StatusOK, body, err)
}
