package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

// page sends a page that was rendered, unless that failed, packed where that is accepted: no page shows a secret beside
// something that another site could have sent, so its size tells nothing.
func (s *Server) page(c echo.Context, status int, body []byte, err error) error {
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Encoding, Accept-Language, Cookie")
	if accept := c.Request().Header["Accept-Encoding"]; len(accept) > 0 && len(body) >= leastPacked && parseAcceptEncoding(accept).likesGzip() {
		header.Set("Content-Encoding", codingGzip)
		body = quicklyGzipped(body)
	}
	return s.sendOwn(c, status, "text/html; charset=utf-8", body)
}

// visit tells a page who looks at it, and how. The zero Identity is a guest's. A page that reads its query adds that to
// the path; what else came in is not sent back.
func visit(c echo.Context, identity auth.Identity) web.Visit {
	return web.Visit{
		Language: language(c), Path: c.Request().URL.Path, Email: identity.Email, Admin: identity.Admin,
		EndsSoon: identity.EndsSoon,
	}
}

// visitAt is visit for a page whose address is not that of the request, or has a query.
func visitAt(c echo.Context, identity auth.Identity, address string) web.Visit {
	v := visit(c, identity)
	v.Path = address
	return v
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

const (
	languageCookie        = "courant_language"
	languageCookieSeconds = 365 * 24 * 3600
)

// language is the one that the visitor chose, else the one that the browser prefers.
func language(c echo.Context) web.Language {
	value, _ := auth.Cookie(c.Request(), languageCookie)
	if chosen, known := web.ParseLanguage(value); known {
		return chosen
	}
	return web.LanguageOf(c.Request().Header.Get("Accept-Language"))
}

// chooseLanguage keeps the visitor's language in a cookie and shows the page again.
func (s *Server) chooseLanguage(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	chosen, known := web.ParseLanguage(fields.Get("language"))
	if !known {
		return problemInvalidParameter
	}
	c.SetCookie(&http.Cookie{
		Name: auth.CookieName(languageCookie, s.secure), Value: string(chosen), Path: "/", MaxAge: languageCookieSeconds,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure,
	})
	return c.Redirect(http.StatusSeeOther, ownPath(fields.Get("next")))
}

// ownPath is the address if it is one of this site's, else the first page's: nobody is sent elsewhere by a form.
func ownPath(address string) string {
	own := strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//")
	if !own || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == '\\' }) {
		return web.PageOverview.Path.EN
	}
	return address
}
