package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

// linkKey is the parameter with the secret of a link, on the page that sets a password.
const linkKey = "key"

// LinkAddress returns the address of the page on which the secret of a link sets a password. An empty site gives the path.
func LinkAddress(site, secret string) string {
	return site + web.PageSetPassword.Path.EN + "?" + url.Values{linkKey: {secret}}.Encode()
}

// setPasswordPage shows the form that a link opens. It does not use the link up: mail programs open links to preview them.
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

// forgotten mails a link to the address if it has an account. The answer and its duration are the same if it has none.
func (s *Server) forgotten(c echo.Context) error {
	if s.mail == nil {
		return problemNotFound
	}
	return s.mailLink(c, s.pages.Forgotten, false)
}

// showRequest shows a page on which a guest asks for a link or an account.
func (s *Server) showRequest(c echo.Context, status int, render func(web.Visit, web.Request) ([]byte, error), view web.Request) error {
	view.Mail, view.Contact = s.mail != nil, s.contact
	body, err := render(visit(c, auth.Identity{}), view)
	return s.page(c, status, body, err)
}

// countRequest counts a request of a guest. It returns how many the origin made before, and whether that is over the
// limit.
func (s *Server) countRequest(c echo.Context, view *web.Request) (asked int, tooMuch bool) {
	asked, err := s.auth.TakeRequest(c.Request().Context())
	var limited *auth.LimitedError
	if !errors.As(err, &limited) {
		return asked, false
	}
	view.Minutes = s.limitReached(c, limited)
	return asked, true
}
