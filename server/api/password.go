package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

// linkKey is the parameter of the page that sets a password: the secret of a link.
const linkKey = "key"

// LinkAddress is that of the page on which the person who has a link's secret sets a password.
func LinkAddress(site, secret string) string {
	return site + web.PageSetPassword.Path.EN + "?" + url.Values{linkKey: {secret}}.Encode()
}

// setPasswordPage shows the form that a link opens. It uses nothing up: mail programs open links to look at them.
func (s *Server) setPasswordPage(c echo.Context) error {
	return s.showSetPassword(c, http.StatusOK, web.SetPassword{Secret: c.QueryParam(linkKey)})
}

func (s *Server) showSetPassword(c echo.Context, status int, view web.SetPassword) error {
	email, err := s.auth.Link(c.Request().Context(), view.Secret)
	switch {
	case errors.Is(err, auth.ErrLink):
		view = web.SetPassword{}
		if status != http.StatusTooManyRequests {
			status = http.StatusNotFound
		}
	case err != nil:
		return err
	case email == "":
		view.First = true
	default:
		view.Email = email
	}
	body, err := s.pages.SetPassword(visitAt(c, auth.Identity{}, LinkAddress("", view.Secret)), view)
	return s.page(c, status, body, err)
}

func (s *Server) setPassword(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	view := web.SetPassword{Secret: fields.Get(linkKey), Email: fields.Get("email")}
	account, err := s.auth.UseLink(c.Request().Context(), view.Secret, view.Email, fields.Get("password"))
	if errors.Is(err, auth.ErrLink) {
		return s.showSetPassword(c, http.StatusNotFound, view)
	}
	if fault, known := faultOf(err); known {
		view.Fault = fault
		return s.showSetPassword(c, s.refusalStatus(c, err), view)
	}
	if err != nil {
		return err
	}
	return s.beginSession(c, account, web.PageOverview.In(language(c)))
}

func (s *Server) forgottenPage(c echo.Context) error {
	return s.showRequest(c, http.StatusOK, s.pages.Forgotten, web.Request{})
}

// forgotten sends a link to the address if it has an account. The answer is the same, and as fast, if it has none.
func (s *Server) forgotten(c echo.Context) error {
	if s.mail == nil {
		return problemNotFound
	}
	return s.mailLink(c, s.pages.Forgotten, false)
}

// showRequest shows a page on which somebody who is not signed in asks for something.
func (s *Server) showRequest(c echo.Context, status int, render func(web.Visit, web.Request) ([]byte, error), view web.Request) error {
	view.Mail, view.Contact = s.mail != nil, s.contact
	body, err := render(visit(c, auth.Identity{}), view)
	return s.page(c, status, body, err)
}

// takeRequest counts a request of somebody who is not signed in. It tells how much was asked from the same origin before, and
// whether that was too much.
func (s *Server) countRequest(c echo.Context, view *web.Request) (asked int, tooMuch bool) {
	asked, err := s.auth.TakeRequest(c.Request().Context())
	var limited *auth.LimitedError
	if !errors.As(err, &limited) {
		return asked, false
	}
	view.Minutes = s.limitReached(c, limited)
	return asked, true
}
