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
	view := web.Audit{}
	for _, note := range notes {
		view.Lines = append(view.Lines, web.AuditLine{
			At: note.At, Event: note.Event, Actor: note.Actor, Subject: note.Subject, Detail: note.Detail,
			Origin: note.Origin, More: note.More,
		})
	}
	if more {
		view.Older = notes[len(notes)-1].ID
	}
	body, err := s.pages.Audit(visitAt(c, identity, c.Request().URL.RequestURI()), view)
	return s.page(c, http.StatusOK, body, err)
}
