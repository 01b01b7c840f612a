package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/web"
)

// accountRoutes are those of signing in, of accounts, tokens and offers, and of administration. Forms have one path for
// both languages.
func (s *Server) accountRoutes() {
	read := []string{http.MethodGet, http.MethodHead}
	both := func(path web.Text, handler echo.HandlerFunc) {
		s.echo.Match(read, path.FR, handler)
		s.echo.Match(read, path.EN, handler)
	}
	s.echo.Match(read, loginPath, s.public(s.loginPage))
	s.echo.POST(loginPath, s.login)
	s.echo.POST("/logout", s.logout)
	s.echo.Match(read, setPasswordPath, s.setPasswordPage)
	s.echo.POST(setPasswordPath, s.setPassword)
	both(web.Text{FR: "/mot-de-passe-oublie", EN: "/forgotten"}, s.forgottenPage)
	s.echo.POST("/forgotten", s.forgotten)
	both(web.Text{FR: "/inscription", EN: "/signup"}, s.signUpPage)
	s.echo.POST("/signup", s.signUp)

	both(offersPath, s.public(s.offersPage))
	both(accountPath, s.signedIn(s.accountPage))
	s.echo.POST("/account/password", s.own(accountPath, s.changePassword))
	s.echo.POST("/account/sessions", s.own(accountPath, s.endOtherSessions))
	both(tokensPath, s.signedIn(s.tokensPage))
	s.echo.POST("/docs/tokens", s.own(tokensPath, s.createToken))
	s.echo.POST("/docs/tokens/revoke", s.own(tokensPath, s.revokeToken))

	both(usersPath, s.administered(s.usersPage))
	both(web.Text{FR: userPath.FR + "/:id", EN: userPath.EN + "/:id"}, s.administered(s.userPage))
	both(auditPath, s.administered(s.auditPage))
	s.echo.POST("/admin/users", s.administer(usersPath, s.invite))
	s.echo.POST("/admin/users/:id/subscription", s.change(s.subscribe))
	s.echo.POST("/admin/users/:id/unsubscribe", s.change(s.unsubscribe))
	s.echo.POST("/admin/users/:id/disable", s.change(s.disable))
	s.echo.POST("/admin/users/:id/enable", s.change(s.enable))
	s.echo.POST("/admin/users/:id/link", s.administer(usersPath, s.passwordLink))
}
