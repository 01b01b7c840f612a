package api

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

func (s *Server) accountPage(c echo.Context, identity auth.Identity) error {
	return s.showAccount(c, identity, http.StatusOK, web.Account{Changed: c.QueryParams().Has("changed")})
}

func (s *Server) showAccount(c echo.Context, identity auth.Identity, status int, view web.Account) (err error) {
	ctx := c.Request().Context()
	account, err := s.auth.Account(ctx, identity.AccountID)
	if err != nil {
		return err
	}
	view.Email, view.Subscription = account.Email, s.subscriptionOf(account)
	page, err := pageOf(c)
	if err != nil {
		return err
	}
	page.Size = sessionsOnAPage
	var more bool
	if view.Sessions, more, err = s.auth.Sessions(ctx, identity, page); err != nil {
		return err
	}
	view.Pager = pagerOf(web.PageAccount.In(language(c)), page, more)
	body, err := s.pages.Account(visitAt(c, identity, view.Pager.At), view)
	return s.page(c, status, body, err)
}

// changePassword sets a new password, which ends all sessions, and starts a new one for this browser.
func (s *Server) changePassword(c echo.Context, identity auth.Identity, fields url.Values) error {
	account, err := s.auth.ChangePassword(c.Request().Context(), identity.Email, fields.Get("former"), fields.Get("password"))
	if fault, known := faultOf(err); known {
		return s.showAccount(c, identity, s.refusalStatus(c, err), web.Account{Fault: fault})
	}
	if err != nil {
		return err
	}
	return s.beginSession(c, account, web.PageAccount.In(language(c))+"?changed")
}

func (s *Server) endOtherSessions(c echo.Context, identity auth.Identity, _ url.Values) error {
	if err := s.auth.EndOtherSessions(c.Request().Context(), identity); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.PageAccount.In(language(c)))
}
