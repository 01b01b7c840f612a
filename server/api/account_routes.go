package api

import "courant/web"

// accountRoutes are those of signing in, of accounts, tokens and offers, and of administration. Forms have one path for
// both languages.
func (s *Server) accountRoutes() {
	s.echo.Match(read, loginPath, s.public(s.loginPage))
	s.echo.POST(loginPath, s.login)
	s.echo.POST("/logout", s.logout)
	s.echo.Match(read, setPasswordPath, s.setPasswordPage)
	s.echo.POST(setPasswordPath, s.setPassword)
	s.both(web.Text{FR: "/mot-de-passe-oublie", EN: "/forgotten"}, s.forgottenPage)
	s.echo.POST("/forgotten", s.forgotten)
	s.both(web.Text{FR: "/inscription", EN: "/signup"}, s.signUpPage)
	s.echo.POST("/signup", s.signUp)

	s.both(offersPath, s.public(s.offersPage))
	s.both(accountPath, s.signedIn(s.accountPage))
	s.echo.POST("/account/password", s.own(accountPath, s.changePassword))
	s.echo.POST("/account/sessions", s.own(accountPath, s.endOtherSessions))
	s.both(tokensPath, s.signedIn(s.tokensPage))
	s.echo.POST("/docs/tokens", s.own(tokensPath, s.createToken))
	s.echo.POST("/docs/tokens/revoke", s.own(tokensPath, s.revokeToken))

	s.both(usersPath, s.administered(s.usersPage))
	s.both(web.Text{FR: userPath.FR + "/:id", EN: userPath.EN + "/:id"}, s.administered(s.userPage))
	s.both(auditPath, s.administered(s.auditPage))
	s.echo.POST("/admin/users", s.administer(usersPath, s.invite))
	s.echo.POST("/admin/users/:id/subscription", s.change(s.subscribe))
	s.echo.POST("/admin/users/:id/unsubscribe", s.change(s.unsubscribe))
	s.echo.POST("/admin/users/:id/disable", s.change(s.disable))
	s.echo.POST("/admin/users/:id/enable", s.change(s.enable))
	s.echo.POST("/admin/users/:id/link", s.administer(usersPath, s.passwordLink))
}
