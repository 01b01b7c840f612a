package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/web"
)

// routes adds every route: the paths are those of package web, which also describes them.
func (s *Server) routes(protection *http.CrossOriginProtection) {
	s.echo.Use(s.before(protection))
	for _, e := range endpoints {
		s.getData(web.PathAPI+e.name, s.data(e))
	}
	s.getData(web.PathStatus, s.status)
	s.getData(web.PathUsage, s.usage)
	s.getData(web.PathRevisions, s.revisions)
	s.getData(web.PathDatasets, s.datasets)
	s.getData(web.PathDataset, s.dataset)
	s.getData(web.PathRows, s.rows)
	s.getData(web.PathStream, s.stream)
	s.getData(web.PathArchive, s.archiveList)
	s.getData(web.PathArchiveFile, s.archiveFile)
	s.echo.POST(web.PathMCP, s.serveMCP)
	s.webhookRoutes()
	for _, b := range bridges {
		s.getData(b.path, s.serveBridge(b))
	}
	s.get(web.PathOpenAPI, s.openAPI)
	s.get(web.PathLLMs, s.llms)
	s.getData(web.PathCSV, s.csv)
	s.get(web.PathHealth, s.healthz)
	s.get(web.PathReady, s.readyz)
	s.get(web.PathMetrics, s.serveMetrics)
	s.get(web.PathStatic+"*", s.static)

	s.getPage(web.PageOverview, s.requireSignIn(s.overview))
	for _, page := range marketPages {
		s.getPage(page.Page, s.requireSignIn(s.market(page)))
	}
	s.getPage(web.PageExplore, s.requireSignIn(s.explore))
	s.getPage(web.PageDocs, s.public(s.docs))
	s.getPage(web.PageProblem, s.public(s.problemPage))
	s.getPage(web.PageStatus, s.requireSignIn(s.statusPage))
	s.post(web.FormLanguage, s.chooseLanguage)
	s.post(web.FormQuarantine, s.adminForm(web.PageStatus, s.decideWaiting))

	s.getPage(web.PageLogin, s.public(s.loginPage))
	s.post(web.FormLogin, s.login)
	s.post(web.FormLogout, s.logout)
	s.getPage(web.PageSetPassword, s.setPasswordPage)
	s.post(web.FormSetPassword, s.setPassword)
	s.getPage(web.PageForgotten, s.forgottenPage)
	s.post(web.FormForgotten, s.forgotten)
	s.getPage(web.PageSignUp, s.signUpPage)
	s.post(web.FormSignUp, s.signUp)

	s.getPage(web.PageOffers, s.public(s.offersPage))
	s.getPage(web.PageAccount, s.requireSignIn(s.accountPage))
	s.post(web.FormPassword, s.signedInForm(web.PageAccount, s.changePassword))
	s.post(web.FormSessions, s.signedInForm(web.PageAccount, s.endOtherSessions))
	s.getPage(web.PageTokens, s.requireSignIn(s.tokensPage))
	s.post(web.FormTokens, s.signedInForm(web.PageTokens, s.createToken))
	s.post(web.FormRevokeToken, s.signedInForm(web.PageTokens, s.revokeToken))

	s.alertRoutes()

	s.getPage(web.PageUsers, s.requireAdmin(s.usersPage))
	s.getPage(web.PageUser, s.requireAdmin(s.userPage))
	s.getPage(web.PageAudit, s.requireAdmin(s.auditPage))
	s.post(web.FormInvite, s.adminForm(web.PageUsers, s.invite))
	s.post(web.FormSubscribe, s.accountForm(s.subscribe))
	s.post(web.FormUnsubscribe, s.accountForm(s.unsubscribe))
	s.post(web.FormDisable, s.accountForm(s.disable))
	s.post(web.FormEnable, s.accountForm(s.enable))
	s.post(web.FormLink, s.adminForm(web.PageUsers, s.passwordLink))
}

// get adds a route for GET and HEAD.
func (s *Server) get(path string, handler echo.HandlerFunc) {
	if d, is := s.deprecations[path]; is {
		handler = deprecated(d, handler)
	}
	s.echo.Match([]string{http.MethodGet, http.MethodHead}, pattern(path), handler)
}

// getData adds a route of data, whose answers have only the headers that its readers use.
func (s *Server) getData(path string, handler echo.HandlerFunc) {
	s.dataRoutes[pattern(path)] = true
	s.get(path, handler)
}

// deprecated adds the headers of a deprecated route to its answers.
func deprecated(d web.Deprecation, next echo.HandlerFunc) echo.HandlerFunc {
	since, sunset := "@"+strconv.FormatInt(d.Since.Unix(), 10), d.Sunset.UTC().Format(http.TimeFormat)
	return func(c echo.Context) error {
		successor := d.Successor
		for _, name := range c.ParamNames() {
			successor = strings.ReplaceAll(successor, "{"+name+"}", url.PathEscape(c.Param(name)))
		}
		header := c.Response().Header()
		header.Set("Deprecation", since)
		header.Set("Sunset", sunset)
		header.Add("Link", "<"+successor+`>; rel="successor-version"`)
		return next(c)
	}
}

// getPage adds the routes of a page, at its path in each language.
func (s *Server) getPage(page web.Page, handler echo.HandlerFunc) {
	s.get(page.Path.FR, handler)
	if page.Path.EN != page.Path.FR {
		s.get(page.Path.EN, handler)
	}
}

func (s *Server) post(form web.Form, handler echo.HandlerFunc) {
	s.echo.POST(pattern(form.Path), handler)
}

// pattern returns a path as Echo writes it: {id} is :id.
func pattern(path string) string { return strings.NewReplacer("{", ":", "}", "").Replace(path) }
