package api

import (
	"errors"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store/market"
	"courant/web"
)

// identify tells whose request it is. An Authorization header decides alone; otherwise the session cookie does.
func (s *Server) identify(r *http.Request) (auth.Identity, error) {
	if values, given := r.Header["Authorization"]; given {
		scheme, token, _ := strings.Cut(values[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || len(values) > 1 {
			return auth.Identity{}, auth.ErrUnauthenticated
		}
		return s.auth.CheckToken(r.Context(), strings.TrimSpace(token))
	}
	return s.auth.CheckSession(r)
}

// reader tells whose request for data it is, and takes one of those that its token may still make.
func (s *Server) reader(c echo.Context) (auth.Identity, error) {
	identity, err := s.identify(c.Request())
	if err != nil || identity.TokenID == 0 {
		return identity, err
	}
	left, ok := s.limits.take(identity.TokenID)
	s.limits.tell(c.Response().Header(), left)
	if !ok {
		return identity, problemRateLimited.retriedAfter(left.wait)
	}
	return identity, nil
}

// sendData answers with data that only its reader may keep, and only to compare.
func (s *Server) sendData(c echo.Context, body []byte) error {
	setDataHeaders(c)
	return s.send(c, http.StatusOK, "application/json", body)
}

func setDataHeaders(c echo.Context) {
	c.Response().Header().Set("Cache-Control", "private, no-cache")
	c.Response().Header().Set("Vary", "Authorization, Cookie")
}

// data answers one of the eight endpoints. Query parameters are ignored.
func (s *Server) data(e endpoint) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.reader(c)
		if err != nil {
			return err
		}
		if err := mayRead(identity, e.datasets); err != nil {
			return err
		}
		body, built := s.bodies.of(e.name)
		if !built {
			return problemUnavailable
		}
		return s.sendDocument(c, body, onlyToCompare)
	}
}

// mayRead says whether the caller may read all of the datasets. As for a single one, what a token is limited to comes
// before the subscription.
func mayRead(identity auth.Identity, datasets []market.Dataset) error {
	var refused error
	for _, dataset := range datasets {
		err := identity.May(dataset)
		if errors.Is(err, auth.ErrForbidden) {
			return err
		}
		if err != nil {
			refused = err
		}
	}
	return refused
}

// healthz says that the process serves.
func (s *Server) healthz(c echo.Context) error {
	return s.send(c, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
}

// readyz says that all bodies are built and the database answers.
func (s *Server) readyz(c echo.Context) error {
	if !s.bodies.ready() {
		return problemUnavailable
	}
	if err := s.store.Ping(c.Request().Context()); err != nil {
		return errors.Join(problemUnavailable, err)
	}
	return s.send(c, http.StatusOK, "text/plain; charset=utf-8", []byte("ready\n"))
}

// problemFor says of a form that cannot be read whether it is too large or wrong.
func problemFor(err error) *problem {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return problemPayloadTooLarge
	}
	return problemInvalidParameter
}

// files are what pages load, by name.
var files = sync.OnceValue(func() map[string]*document {
	all := map[string]*document{}
	for name, content := range web.StaticFiles() {
		all[name] = newDocument(mime.TypeByExtension(path.Ext(name)), content, time.Time{})
		all[name].pack()
	}
	return all
})

// static answers a file that pages load. A folder is nothing that can be asked for.
func (s *Server) static(c echo.Context) error {
	name := strings.TrimPrefix(c.Request().URL.Path, web.PathStatic)
	file, found := files()[name]
	if !found {
		return problemNotFound
	}
	return s.sendDocument(c, file, forAnHour)
}
