package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

const languageCookieSeconds = 365 * 24 * 3600

// language returns the language that the visitor chose, else the one that the browser prefers.
func language(c echo.Context) web.Language {
	value, _ := auth.Cookie(c.Request(), auth.LanguageCookie)
	if chosen, known := web.ParseLanguage(value); known {
		return chosen
	}
	return web.LanguageOf(c.Request().Header.Get("Accept-Language"))
}

// chooseLanguage stores the visitor's language in a cookie and returns to the page.
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
		Name: auth.CookieName(auth.LanguageCookie, s.secure), Value: string(chosen), Path: "/", MaxAge: languageCookieSeconds,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure,
	})
	return c.Redirect(http.StatusSeeOther, ownPath(fields.Get("next")))
}

// ownPath returns the address if it is a path on this site, else the path of the overview, so that a form cannot redirect
// to another site.
func ownPath(address string) string {
	own := strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//")
	if !own || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == '\\' }) {
		return web.PageOverview.Path.EN
	}
	return address
}
