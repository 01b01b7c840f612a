package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/web"
)

func (s *Server) signUpPage(c echo.Context) error {
	if !s.openSignup {
		return problemNotFound
	}
	return s.showRequest(c, http.StatusOK, s.pages.SignUp, web.Request{})
}

// signUp makes a member's account. If Courant sends mails, it mails a link, and the answer does not reveal whether the
// address has an account already. If it does not, the answer does reveal that.
func (s *Server) signUp(c echo.Context) error {
	if !s.openSignup {
		return problemNotFound
	}
	if s.mail != nil {
		return s.mailLink(c, s.pages.SignUp, true)
	}
	fields, err := form(c)
	if err != nil {
		return err
	}
	view := web.Request{Email: fields.Get("email")}
	if _, limited := s.countRequest(c, &view); limited {
		return s.showRequest(c, http.StatusTooManyRequests, s.pages.SignUp, view)
	}
	ctx := c.Request().Context()
	err = s.auth.AddUser(ctx, view.Email, fields.Get("password"), false)
	if fault, known := faultOf(err); known {
		view.Fault = fault
		return s.showRequest(c, s.refusalStatus(c, err), s.pages.SignUp, view)
	}
	if err != nil {
		return err
	}
	account, err := s.auth.User(ctx, view.Email)
	if err != nil {
		return err
	}
	return s.beginSession(c, account, web.PageOverview.In(language(c)))
}
