package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// loginAddress returns the address of the sign-in page that returns to the page afterwards.
func loginAddress(page *url.URL) string {
	login := web.PageLogin.Path.EN
	if page.Path == web.PageOverview.Path.EN {
		return login // it returns there by default
	}
	return login + "?" + url.Values{"next": {page.RequestURI()}}.Encode()
}

// signInLink signs an account in once, without its password.
type signInLink struct {
	hash    [sha256.Size]byte // of its secret
	account store.Account
}

// SignInOnce returns the path of a link that signs the account in once, without its password. It replaces an earlier link and
// is gone when the process ends.
func (s *Server) SignInOnce(account store.Account) (path string) {
	secret := rand.Text()
	s.signInOnce.Store(&signInLink{sha256.Sum256([]byte(secret)), account})
	return web.PageLogin.Path.EN + "?" + url.Values{linkKey: {secret}}.Encode()
}

// takeSignInLink returns the account of the link with this secret and uses the link up.
func (s *Server) takeSignInLink(secret string) (account store.Account, ok bool) {
	link := s.signInOnce.Load()
	hash := sha256.Sum256([]byte(secret))
	if link == nil || subtle.ConstantTimeCompare(link.hash[:], hash[:]) == 0 || !s.signInOnce.CompareAndSwap(link, nil) {
		return store.Account{}, false
	}
	return link.account, true
}

func (s *Server) loginPage(c echo.Context, identity auth.Identity) error {
	next := c.QueryParam("next")
	if c.Request().Method == http.MethodGet {
		if account, ok := s.takeSignInLink(c.QueryParam(linkKey)); ok {
			return s.beginSession(c, account, ownPath(next))
		}
	}
	if identity.AccountID != 0 {
		return c.Redirect(http.StatusSeeOther, ownPath(next))
	}
	return s.showLogin(c, http.StatusOK, web.Login{Next: next})
}

func (s *Server) showLogin(c echo.Context, status int, view web.Login) error {
	address := web.PageLogin.In(language(c))
	if view.Next != "" {
		view.Next = ownPath(view.Next)
		address += "?" + url.Values{"next": {view.Next}}.Encode()
	}
	view.OpenSignup = s.openSignup
	body, err := s.pages.Login(visitAt(c, auth.Identity{}, address), view)
	return s.page(c, status, body, err)
}

func (s *Server) login(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	view := web.Login{Email: fields.Get("email"), Next: fields.Get("next")}
	account, err := s.auth.SignIn(s.auth.WithDevice(c.Request()), view.Email, fields.Get("password"))
	var limited *auth.LimitedError
	switch {
	case errors.As(err, &limited):
		view.Minutes = s.limitReached(c, limited)
		return s.showLogin(c, http.StatusTooManyRequests, view)
	case errors.Is(err, auth.ErrBadCredentials):
		view.Refused = true
		c.Response().Header().Set("WWW-Authenticate", "Bearer")
		return s.showLogin(c, http.StatusUnauthorized, view)
	case err != nil:
		return err
	}
	return s.beginSession(c, account, ownPath(view.Next))
}

// beginSession starts a session, marks the browser as a known device, and redirects to next.
func (s *Server) beginSession(c echo.Context, account store.Account, next string) error {
	if err := s.auth.BeginSession(c.Response(), c.Request(), account); err != nil {
		return err
	}
	s.auth.RememberDevice(c.Response(), c.Request(), account)
	return c.Redirect(http.StatusSeeOther, next)
}

func (s *Server) logout(c echo.Context) error {
	if err := s.auth.EndSession(c.Response(), c.Request()); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.PageLogin.In(language(c)))
}
