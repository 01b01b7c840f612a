package api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

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

// acting has what a request does be noted as done by whom its session belongs to.
func acting(c echo.Context, identity auth.Identity) {
	request := c.Request()
	actor := auth.Actor{Email: identity.Email, Origin: c.RealIP()}
	c.SetRequest(request.WithContext(auth.WithActor(request.Context(), actor)))
}

// signedIn has a page shown to those who are signed in; anybody else is sent to sign in.
func (s *Server) signedIn(page func(echo.Context, auth.Identity) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.auth.CheckSession(c.Request())
		if errors.Is(err, auth.ErrUnauthenticated) {
			return c.Redirect(http.StatusSeeOther, loginAddress(c.Request().URL))
		}
		if err != nil {
			return err
		}
		remember(c, identity)
		return page(c, identity)
	}
}

// public has a page shown to everybody; a guest's identity is the zero one.
func (s *Server) public(page func(echo.Context, auth.Identity) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.auth.CheckSession(c.Request())
		if err != nil && !errors.Is(err, auth.ErrUnauthenticated) {
			return err
		}
		remember(c, identity)
		return page(c, identity)
	}
}

// administered has a page shown to administrators alone.
func (s *Server) administered(page func(echo.Context, auth.Identity) error) echo.HandlerFunc {
	return s.signedIn(func(c echo.Context, identity auth.Identity) error {
		if !identity.Admin {
			return problemAdministrators
		}
		return page(c, identity)
	})
}

// own has a form of a page taken from those who are signed in, in their name; others are sent to sign in, and then to
// the page.
func (s *Server) own(page web.Page, take func(echo.Context, auth.Identity, url.Values) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.auth.CheckSession(c.Request())
		if errors.Is(err, auth.ErrUnauthenticated) {
			return c.Redirect(http.StatusSeeOther, loginAddress(&url.URL{Path: page.In(language(c))}))
		}
		if err != nil {
			return err
		}
		fields, err := form(c)
		if err != nil {
			return err
		}
		acting(c, identity)
		remember(c, identity)
		return take(c, identity, fields)
	}
}

// administer has a form of a page taken from administrators alone, in their name.
func (s *Server) administer(page web.Page, take func(echo.Context, auth.Identity, url.Values) error) echo.HandlerFunc {
	return s.own(page, func(c echo.Context, identity auth.Identity, fields url.Values) error {
		if !identity.Admin {
			return problemAdministrators
		}
		return take(c, identity, fields)
	})
}
