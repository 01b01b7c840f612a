package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// problem is an error as a client sees it (RFC 9457). Its code never changes; its words follow Accept-Language.
type problem struct {
	status     int
	code       string
	title      web.Text
	detail     web.Text
	retryAfter time.Duration // 0: not said
}

func (p *problem) Error() string { return p.code }

var (
	problemUnauthenticated = &problem{status: http.StatusUnauthorized, code: "unauthenticated",
		title:  web.Text{FR: "Authentification requise", EN: "Authentication required"},
		detail: web.Text{FR: "Envoyez l'en-tête « Authorization: Bearer <jeton> » ou connectez-vous.", EN: "Send the header “Authorization: Bearer <token>” or sign in."}}
	problemTokenInvalid = &problem{status: http.StatusUnauthorized, code: "token_invalid",
		title:  web.Text{FR: "Jeton inconnu", EN: "Unknown token"},
		detail: web.Text{FR: "Ce jeton n'existe pas ; vérifiez qu'il est entier.", EN: "There is no such token; check that it is complete."}}
	problemTokenExpired = &problem{status: http.StatusUnauthorized, code: "token_expired",
		title:  web.Text{FR: "Jeton expiré", EN: "Token expired"},
		detail: web.Text{FR: "La date de fin de ce jeton est passée ; créez-en un autre.", EN: "This token's end date has passed; create another one."}}
	problemTokenRevoked = &problem{status: http.StatusUnauthorized, code: "token_revoked",
		title:  web.Text{FR: "Jeton révoqué", EN: "Token revoked"},
		detail: web.Text{FR: "Ce jeton a été révoqué ; créez-en un autre.", EN: "This token was revoked; create another one."}}
	problemSubscriptionRequired = &problem{status: http.StatusUnauthorized, code: "subscription_required",
		title:  web.Text{FR: "Abonnement requis", EN: "Subscription required"},
		detail: web.Text{FR: "Ces données demandent un abonnement en cours qui les couvre.", EN: "These data need an active subscription that covers them."}}
	problemForbidden = &problem{status: http.StatusForbidden, code: "forbidden",
		title:  web.Text{FR: "Accès refusé", EN: "Access denied"},
		detail: web.Text{FR: "Ce jeton est limité à d'autres jeux de données.", EN: "This token is limited to other datasets."}}
	problemAdministrators = &problem{status: http.StatusForbidden, code: "forbidden",
		title:  problemForbidden.title,
		detail: web.Text{FR: "Cette adresse est réservée aux administrateurs.", EN: "This address is for administrators."}}
	problemCrossOrigin = &problem{status: http.StatusForbidden, code: "forbidden",
		title:  problemForbidden.title,
		detail: web.Text{FR: "Cette requête vient d'un autre site.", EN: "This request comes from another site."}}
	problemNotFound = &problem{status: http.StatusNotFound, code: "not_found",
		title:  web.Text{FR: "Introuvable", EN: "Not found"},
		detail: web.Text{FR: "Il n'y a rien à cette adresse.", EN: "There is nothing at this address."}}
	problemMethodNotAllowed = &problem{status: http.StatusMethodNotAllowed, code: "method_not_allowed",
		title:  web.Text{FR: "Méthode non permise", EN: "Method not allowed"},
		detail: web.Text{FR: "L'en-tête Allow dit lesquelles le sont.", EN: "The Allow header says which are."}}
	problemInvalidParameter = &problem{status: http.StatusBadRequest, code: "invalid_parameter",
		title:  web.Text{FR: "Requête incorrecte", EN: "Bad request"},
		detail: web.Text{FR: "La requête n'a pas pu être lue.", EN: "The request could not be read."}}
	problemInvalidDates = &problem{status: http.StatusBadRequest, code: "invalid_parameter",
		title:  problemInvalidParameter.title,
		detail: web.Text{FR: "Donnez « from » et « to », deux dates AAAA-MM-JJ dans l'ordre, à moins de 366 jours l'une de l'autre.", EN: "Give “from” and “to”, two dates YYYY-MM-DD in order, less than 366 days apart."}}
	problemPayloadTooLarge = &problem{status: http.StatusRequestEntityTooLarge, code: "payload_too_large",
		title:  web.Text{FR: "Requête trop volumineuse", EN: "Request too large"},
		detail: web.Text{FR: "Le corps de la requête dépasse 64 Kio.", EN: "The body of the request is larger than 64 KiB."}}
	problemRateLimited = &problem{status: http.StatusTooManyRequests, code: "rate_limited",
		title:  web.Text{FR: "Trop de requêtes", EN: "Too many requests"},
		detail: web.Text{FR: "Attendez le temps que dit l'en-tête Retry-After.", EN: "Wait for as long as the Retry-After header says."}}
	problemInternal = &problem{status: http.StatusInternalServerError, code: "internal",
		title:  web.Text{FR: "Erreur interne", EN: "Internal error"},
		detail: web.Text{FR: "Le journal du serveur en dit plus, sous l'identifiant X-Request-Id.", EN: "The server's log says more, under the X-Request-Id."}}
	problemUnavailable = &problem{status: http.StatusServiceUnavailable, code: "unavailable",
		title:      web.Text{FR: "Indisponible", EN: "Unavailable"},
		detail:     web.Text{FR: "Courant n'est pas encore prêt ; réessayez dans un instant.", EN: "Courant is not ready yet; try again in a moment."},
		retryAfter: time.Second}
	problemLocked = &problem{status: http.StatusServiceUnavailable, code: "unavailable",
		title:      problemUnavailable.title,
		detail:     web.Text{FR: "Un autre programme verrouille la base de données ; réessayez plus tard.", EN: "Another program keeps the database locked; try again later."},
		retryAfter: 10 * time.Second}
)

// problemOf turns the kind of an error into what a client is told; problemInternal stands for what only the log tells.
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

// fail answers a request whose handler failed. It is the one place where an error becomes an answer.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problemOf(err)
	if (p == problemInternal || p == problemLocked) && c.Request().Context().Err() == nil {
		s.log.LogAttrs(c.Request().Context(), slog.LevelError, "request failed",
			slog.String("request", requestID(c)), slog.String("client", c.RealIP()), slog.String("method", c.Request().Method),
			slog.String("path", c.Request().URL.Path), slog.String("error", err.Error()))
	}
	language := web.LanguageOf(c.Request().Header.Get("Accept-Language"))
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // people read it, and no browser takes it for a page
	err = encoder.Encode(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code"`
	}{"urn:courant:problem:" + p.code, p.title.In(language), p.status, p.detail.In(language), p.code})
	if err != nil {
		s.log.Error("problem not written", "error", err.Error())
		return
	}
	header := c.Response().Header()
	header.Set("Content-Language", string(language))
	header.Add("Vary", "Accept-Language")
	header.Set("Cache-Control", "no-store")
	if p.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	if p.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	s.send(c, p.status, "application/problem+json", body.Bytes())
}

// send writes an answer that is there as a whole; to HEAD only its header.
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
