package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

func (s *Server) usersPage(c echo.Context, identity auth.Identity) error {
	return s.showUsers(c, identity, http.StatusOK, web.Users{})
}

func (s *Server) showUsers(c echo.Context, identity auth.Identity, status int, view web.Users) error {
	page, err := pageOf(c)
	if err != nil {
		return err
	}
	accounts, more, err := s.auth.Users(c.Request().Context(), page)
	if err != nil {
		return err
	}
	view.Pager = pagerOf(web.PageUsers.In(language(c)), page, more)
	for _, account := range accounts {
		view.Users = append(view.Users, s.userLine(account))
	}
	body, err := s.pages.Users(visitAt(c, identity, view.Pager.At), view)
	return s.page(c, status, body, err)
}

func (s *Server) userLine(account store.Account) web.UserLine {
	return web.UserLine{
		ID: account.ID, Email: account.Email, Admin: account.Role == store.Administrator, Invited: account.PasswordHash == "",
		Created: account.Created, Disabled: account.Disabled, Subscription: s.subscriptionOf(account),
	}
}

func (s *Server) invite(c echo.Context, identity auth.Identity, fields url.Values) error {
	ctx, email := c.Request().Context(), fields.Get("email")
	secret, err := s.auth.Invite(ctx, email, fields.Get("role") == string(store.Administrator))
	if fault, known := faultOf(err); known {
		return s.showUsers(c, identity, http.StatusBadRequest, web.Users{Email: email, Fault: fault})
	}
	if err != nil {
		return err
	}
	account, err := s.auth.User(ctx, email)
	if err != nil {
		return err
	}
	return s.showLink(c, identity, account, secret)
}

// showLink shows a link once on the page of its account, and mails it if Courant sends mails. The host of the link is
// the configured one, or the link has none: the Host of a request can be forged.
func (s *Server) showLink(c echo.Context, identity auth.Identity, account store.Account, secret string) error {
	if s.mail != nil {
		language := language(c)
		s.sendLater(c.Request().Context(), 0, func(ctx context.Context) error { return s.sendLink(ctx, language, account.Email, secret) })
	}
	s.secrets.add(identity, web.PageUser.Of(web.English, account.ID), LinkAddress(s.publicURL, secret), s.mail != nil)
	return c.Redirect(http.StatusSeeOther, web.PageUser.Of(language(c), account.ID))
}

func (s *Server) userPage(c echo.Context, identity auth.Identity) error {
	account, err := s.accountInPath(c)
	if err != nil {
		return err
	}
	view := web.User{}
	if c.Request().Method == http.MethodGet {
		held := s.secrets.take(identity, web.PageUser.Of(web.English, account.ID))
		view.Link, view.Mailed = held.text, held.mailed
	}
	return s.showUser(c, identity, account, http.StatusOK, view)
}

// accountInPath returns the account whose ID is in the path.
func (s *Server) accountInPath(c echo.Context) (store.Account, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return store.Account{}, problemNotFound
	}
	account, err := s.auth.Account(c.Request().Context(), id)
	if _, known := faultOf(err); known {
		return store.Account{}, problemNotFound
	}
	return account, err
}

func (s *Server) showUser(c echo.Context, identity auth.Identity, account store.Account, status int, view web.User) error {
	last, err := s.auth.IsLastAdministrator(c.Request().Context(), account)
	if err != nil {
		return err
	}
	view.UserLine, view.Last, view.Offers = s.userLine(account), last, s.offers
	view.Today = market.DeliveryDateOf(s.clock.Now())
	body, err := s.pages.User(visitAt(c, identity, web.PageUser.Of(language(c), account.ID)), view)
	return s.page(c, status, body, err)
}

// accountForm takes a form of an account's page, which changes the account.
func (s *Server) accountForm(change func(context.Context, store.Account, url.Values) error) echo.HandlerFunc {
	return s.adminForm(web.PageUsers, func(c echo.Context, identity auth.Identity, fields url.Values) error {
		account, err := s.accountInPath(c)
		if err != nil {
			return err
		}
		err = change(c.Request().Context(), account, fields)
		if fault, known := faultOf(err); known {
			return s.showUser(c, identity, account, http.StatusBadRequest, web.User{Fault: fault})
		}
		if err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, web.PageUser.Of(language(c), account.ID))
	})
}

func (s *Server) subscribe(ctx context.Context, account store.Account, fields url.Values) error {
	until, err := formDate(fields, "until")
	if err != nil {
		return err
	}
	return s.auth.Subscribe(ctx, account.Email, fields.Get("offer"), until)
}

func (s *Server) unsubscribe(ctx context.Context, account store.Account, _ url.Values) error {
	return s.auth.Unsubscribe(ctx, account.Email)
}

func (s *Server) disable(ctx context.Context, account store.Account, _ url.Values) error {
	_, err := s.auth.Disable(ctx, account.Email)
	return err
}

func (s *Server) enable(ctx context.Context, account store.Account, _ url.Values) error {
	return s.auth.Enable(ctx, account.Email)
}

func (s *Server) passwordLink(c echo.Context, identity auth.Identity, _ url.Values) error {
	account, err := s.accountInPath(c)
	if err != nil {
		return err
	}
	secret, err := s.auth.PasswordLink(c.Request().Context(), account.Email)
	if fault, known := faultOf(err); known {
		return s.showUser(c, identity, account, http.StatusBadRequest, web.User{Fault: fault})
	}
	if err != nil {
		return err
	}
	return s.showLink(c, identity, account, secret)
}
