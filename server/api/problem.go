package api

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// problem is an error as one answer describes it. Its code and its status never change; its texts follow Accept-Language.
type problem struct {
	web.Problem
	retryAfter time.Duration // 0: the answer has no Retry-After
}

func (p *problem) Error() string { return string(p.Code) }

// withDetail returns the same kind of problem with another text of what to do.
func (p *problem) withDetail(fr, en string) *problem {
	detailed := *p
	detailed.Detail = web.Text{FR: fr, EN: en}
	return &detailed
}

// retriedAfter returns the same problem with a Retry-After header.
func (p *problem) retriedAfter(d time.Duration) *problem {
	retried := *p
	retried.retryAfter = d
	return &retried
}

func newProblem(code web.ProblemCode) *problem { return &problem{Problem: web.ProblemOf(code)} }

var (
	problemUnauthenticated      = newProblem(web.ProblemUnauthenticated)
	problemTokenInvalid         = newProblem(web.ProblemTokenInvalid)
	problemTokenExpired         = newProblem(web.ProblemTokenExpired)
	problemTokenRevoked         = newProblem(web.ProblemTokenRevoked)
	problemSubscriptionRequired = newProblem(web.ProblemSubscriptionRequired)
	problemForbidden            = newProblem(web.ProblemForbidden)
	problemNotFound             = newProblem(web.ProblemNotFound)
	problemMethodNotAllowed     = newProblem(web.ProblemMethodNotAllowed)
	problemInvalidParameter     = newProblem(web.ProblemInvalidParameter)
	problemPayloadTooLarge      = newProblem(web.ProblemPayloadTooLarge)
	problemRateLimited          = newProblem(web.ProblemRateLimited)
	problemInternal             = newProblem(web.ProblemInternal)
	problemUnavailable          = newProblem(web.ProblemUnavailable).retriedAfter(time.Second)

	problemAdministrators = problemForbidden.withDetail(
		"Cette adresse est réservée aux administrateurs.", "This address is for administrators.")
	problemFeedsToken = problemForbidden.withDetail(
		"Ce jeton n’ouvre que les flux de prix : /api/feeds/…, /price et /entsoe/api.",
		"This token opens only the price feeds:  /api/feeds/…, /price and /entsoe/api.")
	problemWebhooksToken = problemForbidden.withDetail(
		"Ce jeton n’ouvre que /api/webhooks.", "This token opens only /api/webhooks.")
	problemNotWebhooksToken = problemForbidden.withDetail(
		"/api/webhooks n'accepte qu'une session ou un jeton pour les webhooks (token create … --webhooks).",
		"/api/webhooks takes only a session or a token for webhooks (token create … --webhooks).")
	problemNotFeedsToken = problemTokenInvalid.withDetail(
		"Dans l’adresse, seul un jeton pour les flux de prix est accepté (token create … --feeds) : les adresses sont écrites dans des journaux. "+
			"Envoyez celui-ci dans l’en-tête Authorization, et révoquez-le si d’autres lisent ces journaux.",
		"An address takes only a token for the price feeds (token create … --feeds): addresses end in logs. "+
			"Send this one in the Authorization header, and revoke it if others read those logs.")
	problemCrossOrigin = problemForbidden.withDetail(
		"Cette requête vient d’un autre site.", "This request comes from another site.")
	problemInvalidDates = problemInvalidParameter.withDetail(
		"Donnez « from » et « to », deux dates AAAA-MM-JJ dans l’ordre, à moins de 366 jours l’une de l’autre.",
		"Give “from” and “to”, two dates YYYY-MM-DD in order, less than 366 days apart.")
	problemLocked = newProblem(web.ProblemUnavailable).retriedAfter(10*time.Second).withDetail(
		"Un autre programme verrouille la base de données ; réessayez plus tard.",
		"Another program keeps the database locked; try again later.")
)

// problemOf returns the problem that a client sees for an error; problemInternal for an error that is only logged.
func problemOf(err error) *problem {
	var known *problem
	var tooLarge *http.MaxBytesError
	var fromEcho *echo.HTTPError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, auth.ErrUnauthenticated), errors.Is(err, auth.ErrBadCredentials):
		return problemUnauthenticated
	case errors.Is(err, auth.ErrTokenInvalid):
		return problemTokenInvalid
	case errors.Is(err, auth.ErrNotFeedsToken):
		return problemNotFeedsToken
	case errors.Is(err, auth.ErrTokenExpired):
		return problemTokenExpired
	case errors.Is(err, auth.ErrTokenRevoked):
		return problemTokenRevoked
	case errors.Is(err, auth.ErrSubscriptionRequired):
		return problemSubscriptionRequired
	case errors.Is(err, auth.ErrForbidden):
		return problemForbidden
	case errors.Is(err, store.ErrBusy):
		return problemLocked
	case errors.As(err, &tooLarge):
		return problemPayloadTooLarge
	case errors.As(err, &fromEcho) && fromEcho.Code == http.StatusNotFound:
		return problemNotFound
	case errors.As(err, &fromEcho) && fromEcho.Code == http.StatusMethodNotAllowed:
		return problemMethodNotAllowed
	}
	return problemInternal
}

// fail answers a request whose handler returned an error. No other code turns an error into an answer.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	setPageHeaders(c)
	p := problemOf(err)
	if (p == problemInternal || p == problemLocked) && c.Request().Context().Err() == nil {
		s.log.LogAttrs(c.Request().Context(), slog.LevelError, "request failed",
			slog.String("request", requestID(c)), slog.String("client", c.RealIP()), slog.String("method", c.Request().Method),
			slog.String("path", c.Request().URL.Path), slog.String("error", err.Error()))
	}
	header := c.Response().Header()
	var contentType string
	var body []byte
	switch page, wanted := s.failurePage(c, p); {
	case wanted:
		header.Add("Vary", "Accept, Accept-Language, Cookie")
		contentType, body = "text/html; charset=utf-8", page
	case c.Request().URL.Path == web.PathENTSOE:
		contentType, body = xmlType, acknowledgement(string(p.Code)+": "+p.Detail.EN, s.clock.Now())
	default:
		language := web.LanguageOf(c.Request().Header.Get("Accept-Language"))
		header.Set("Content-Language", string(language))
		header.Add("Vary", "Accept-Language")
		contentType, body = "application/problem+json", s.problemDocument(p, language)
	}
	header.Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	if p.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	s.send(c, p.Status, contentType, body)
}

// failurePage returns the page that a browser is shown for a problem; false if the client is a program. Accept tells them
// apart: only browsers name text/html. The API answers all clients alike, because some HTTP libraries of programs name it too.
func (s *Server) failurePage(c echo.Context, p *problem) ([]byte, bool) {
	request := c.Request()
	accept := strings.ToLower(strings.Join(request.Header.Values("Accept"), ","))
	if !strings.Contains(accept, "text/html") || strings.HasPrefix(request.URL.Path, web.PathAPI) || request.URL.Path == web.PathENTSOE {
		return nil, false
	}
	identity, err := s.auth.CheckSession(request)
	if err != nil {
		identity = auth.Identity{} // the page is that of a guest
	}
	visitor := visit(c, identity)
	if request.Method != http.MethodGet {
		visitor.Path = web.PageOverview.In(visitor.Language) // the language switch asks with GET
	}
	view := web.Failure{Problem: p.Problem}
	if p == problemInternal {
		view.RequestID = requestID(c)
	}
	body, err := s.pages.Failure(visitor, view)
	return body, err == nil
}

// problemDocument returns a problem as RFC 9457 describes it.
func (s *Server) problemDocument(p *problem, language web.Language) []byte {
	var w jsonWriter
	w.open('{')
	w.key("type").text(s.publicURL + p.Path())
	w.key("title").text(p.Title.In(language))
	w.key("status").integer(p.Status)
	w.key("detail").text(p.Detail.In(language))
	w.key("code").text(string(p.Code))
	w.close('}')
	return append(w.bytes, '\n')
}

// send writes a complete answer; for HEAD only its header.
func (s *Server) send(c echo.Context, status int, contentType string, body []byte) error {
	response := c.Response()
	response.Header().Set("Content-Type", contentType)
	response.Header().Set("Content-Length", strconv.Itoa(len(body)))
	response.WriteHeader(status)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	_, err := response.Write(body)
	return err
}
