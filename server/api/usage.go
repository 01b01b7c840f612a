package api

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/store/market"
)

// countedWriter counts the bytes of the answer to a token.
type countedWriter struct {
	http.ResponseWriter
	use *auth.Use
}

func (w *countedWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.use.AddBytes(n)
	return n, err
}

// Unwrap returns the writer for http.ResponseController.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// countRows counts the rows of the answer to a token. An answer to HEAD has none.
func countRows(c echo.Context, n int) {
	if w, is := c.Response().Writer.(*countedWriter); is && c.Request().Method != http.MethodHead {
		w.use.AddRows(n)
	}
}

var problemTokenOnly = problemUnauthenticated.withDetail(
	"Cette adresse décrit l’utilisation d’un jeton : envoyez-le dans l’en-tête Authorization.",
	"This address describes the usage of a token: send it in the Authorization header.")

// usage answers how a token was used, and what is left of its rate limit.
func (s *Server) usage(c echo.Context) error {
	identity, err := s.reader(c)
	if err != nil {
		return err
	}
	if identity.TokenID == 0 {
		return problemTokenOnly
	}
	days, err := s.auth.TokenDays(c.Request().Context(), identity.TokenID)
	if err != nil {
		return err
	}
	var listed []usageDay
	for _, day := range slices.Backward(days) {
		listed = append(listed, usageDay{day.Day, day.Requests, day.Rows, day.Bytes})
	}
	left := s.limits.left(identity.TokenID)
	body, err := json.Marshal(usageAnswer{listed, usageLimits{s.limits.perMinute, left.requests, report.Instant(s.clock.Now().Add(left.full))}})
	if err != nil {
		return err
	}
	return s.sendData(c, body)
}

// usageAnswer is the answer of /api/usage.
type usageAnswer struct {
	Days   []usageDay  `json:"days"` // the oldest first; today is among them
	Limits usageLimits `json:"limits"`
}

type usageDay struct {
	Date     market.DeliveryDate `json:"date"`
	Requests int64               `json:"requests"`
	Rows     int64               `json:"rows"`
	Bytes    int64               `json:"bytes"`
}

type usageLimits struct {
	PerMinute int            `json:"per_minute"`
	Left      int            `json:"left"`
	ResetsAt  report.Instant `json:"resets_at"` // when all requests are allowed again
}

// exampleUsage is an invented answer of /api/usage.
func exampleUsage() usageAnswer {
	return usageAnswer{
		[]usageDay{{exampleDate.Add(-1), 96, 9216, 1_204_355}, {exampleDate, 12, 1152, 150_544}},
		usageLimits{600, 599, report.Instant(exampleDate.At(12, 0))},
	}
}
