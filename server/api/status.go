package api

import (
	"encoding/json"

	"github.com/labstack/echo/v4"
)

// status sends the state of the datasets to any account.
func (s *Server) status(c echo.Context) error {
	identity, err := s.reader(c)
	if err != nil {
		return err
	}
	report, err := s.report(c.Request().Context(), identity.Admin)
	if err != nil {
		return err
	}
	body, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return s.sendData(c, body)
}
