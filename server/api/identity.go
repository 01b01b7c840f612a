package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// identify returns who makes a request. If it has an Authorization header, only that counts; else the tokens in its address,
// if there are any; else the session cookie.
func (s *Server) identify(r *http.Request, inAddress []string) (auth.Identity, error) {
	if values, given := r.Header["Authorization"]; given {
		scheme, token, _ := strings.Cut(values[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || len(values) > 1 {
			return auth.Identity{}, auth.ErrUnauthenticated
		}
		return s.auth.CheckToken(r.Context(), strings.TrimSpace(token))
	}
	switch len(inAddress) {
	case 0:
		return s.auth.CheckSession(r)
	case 1:
		return s.auth.CheckTokenInAddress(r.Context(), inAddress[0])
	}
	return auth.Identity{}, auth.ErrUnauthenticated
}

// reader returns who makes a request for data, which tokens of a narrower scope do not open.
func (s *Server) reader(c echo.Context) (auth.Identity, error) {
	identity, err := s.readerOf(c, nil)
	if err == nil {
		err = refuseScope(identity, store.ScopeAPI)
	}
	return identity, err
}

// refuseScope returns why a caller may not use routes of some scopes; nil if it may.
func refuseScope(identity auth.Identity, scopes ...store.Scope) error {
	switch {
	case slices.Contains(scopes, identity.Scope):
		return nil
	case identity.Scope == store.ScopeFeeds:
		return problemFeedsToken
	case identity.Scope == store.ScopeWebhooks:
		return problemWebhooksToken
	}
	return problemNotWebhooksToken
}

// readerOf is identify for requests for data: it also counts the request against the rate limit of its token.
func (s *Server) readerOf(c echo.Context, inAddress []string) (auth.Identity, error) {
	identity, err := s.identify(c.Request(), inAddress)
	if err != nil || identity.TokenID == 0 {
		return identity, err
	}
	c.Response().Writer = &countedWriter{c.Response().Writer, identity.Use()}
	left, ok := s.limits.take(identity.TokenID)
	left.setHeader(c.Response().Header())
	if !ok {
		return identity, problemRateLimited.retriedAfter(left.wait)
	}
	return identity, nil
}

// mayRead returns why the caller may not read all of the datasets; nil if it may. As for a single dataset, a token that
// is limited to others is reported before a missing subscription.
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

// recordActor puts the signed-in account and the client address into the request's context, for the audit log.
func recordActor(c echo.Context, identity auth.Identity) {
	request := c.Request()
	actor := auth.Actor{Email: identity.Email, Origin: c.RealIP()}
	c.SetRequest(request.WithContext(auth.WithActor(request.Context(), actor)))
}

// requireSignIn shows a page to visitors who are signed in, and redirects others to sign in.
func (s *Server) requireSignIn(page func(echo.Context, auth.Identity) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.auth.CheckSession(c.Request())
		if errors.Is(err, auth.ErrUnauthenticated) {
			return c.Redirect(http.StatusSeeOther, loginAddress(c.Request().URL))
		}
		if err != nil {
			return err
		}
		setAccount(c, identity)
		return page(c, identity)
	}
}

// public shows a page to every visitor; the identity of a guest is zero.
func (s *Server) public(page func(echo.Context, auth.Identity) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.auth.CheckSession(c.Request())
		if err != nil && !errors.Is(err, auth.ErrUnauthenticated) {
			return err
		}
		setAccount(c, identity)
		return page(c, identity)
	}
}

// requireAdmin shows a page to administrators only.
func (s *Server) requireAdmin(page func(echo.Context, auth.Identity) error) echo.HandlerFunc {
	return s.requireSignIn(func(c echo.Context, identity auth.Identity) error {
		if !identity.Admin {
			return problemAdministrators
		}
		return page(c, identity)
	})
}

// signedInForm takes a form of a page from visitors who are signed in, as their action. Others are redirected to sign in,
// and from there to the page.
func (s *Server) signedInForm(page web.Page, take func(echo.Context, auth.Identity, url.Values) error) echo.HandlerFunc {
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
		recordActor(c, identity)
		setAccount(c, identity)
		return take(c, identity, fields)
	}
}

// adminForm takes a form of a page from administrators only, as their action.
func (s *Server) adminForm(page web.Page, take func(echo.Context, auth.Identity, url.Values) error) echo.HandlerFunc {
	return s.signedInForm(page, func(c echo.Context, identity auth.Identity, fields url.Values) error {
		if !identity.Admin {
			return problemAdministrators
		}
		return take(c, identity, fields)
	})
}
