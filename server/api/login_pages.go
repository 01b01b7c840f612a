package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

const (
	linkKey = "key"
	// mostHeld is how many answers are held back at once, a few kilobytes each.
	mostHeld = 4096
)

// LinkAddress is that of the page on which the person who has a link's secret sets a password.
func LinkAddress(site, secret string) string {
	return site + web.PageSetPassword.Path.EN + "?" + url.Values{linkKey: {secret}}.Encode()
}

// loginAddress is that of the page on which one signs in, and which then leads to the page that was asked for.
func loginAddress(page *url.URL) string {
	login := web.PageLogin.Path.EN
	if page.Path == web.PageOverview.Path.EN {
		return login // which leads there anyway
	}
	return login + "?" + url.Values{"next": {page.RequestURI()}}.Encode()
}

// form reads a form that was sent.
func form(c echo.Context) (url.Values, error) {
	request := c.Request()
	if err := request.ParseForm(); err != nil {
		return nil, errors.Join(problemFor(err), err)
	}
	return request.PostForm, nil
}

// tooMany says in the header how long to wait, and tells the minutes, begun ones included. An origin that goes on asking has its
// answer held back.
func (s *Server) tooMany(c echo.Context, limited *auth.LimitedError) (minutes int) {
	s.hold(c, limited.Hold)
	c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(limited.Wait.Seconds()))))
	return int(math.Ceil(limited.Wait.Minutes()))
}

// hold waits before an answer, unless the client is gone. Of so many that too many answers are held back the connection ends.
func (s *Server) hold(c echo.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case s.held <- struct{}{}:
		defer func() { <-s.held }()
	default:
		c.Response().Header().Set("Connection", "close")
		return
	}
	timer := s.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.Chan():
	case <-c.Request().Context().Done():
	case <-s.stopped.Done():
	}
}

// refusal is the status with which a form is shown again. If there were too many attempts, the header says how long to wait.
func (s *Server) refusal(c echo.Context, err error) int {
	var limited *auth.LimitedError
	if !errors.As(err, &limited) {
		return http.StatusBadRequest
	}
	s.tooMany(c, limited)
	return http.StatusTooManyRequests
}

func (s *Server) loginPage(c echo.Context, identity auth.Identity) error {
	next := c.QueryParam("next")
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
		view.Minutes = s.tooMany(c, limited)
		return s.showLogin(c, http.StatusTooManyRequests, view)
	case errors.Is(err, auth.ErrBadCredentials):
		view.Refused = true
		c.Response().Header().Set("WWW-Authenticate", "Bearer")
		return s.showLogin(c, http.StatusUnauthorized, view)
	case err != nil:
		return err
	}
	return s.enter(c, account, ownPath(view.Next))
}

// enter begins a session, has the browser known from now on, and leads on.
func (s *Server) enter(c echo.Context, account store.Account, next string) error {
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

// setPasswordPage shows the form that a link opens. It uses nothing up: mail programs open links to look at them.
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
		return s.showSetPassword(c, s.refusal(c, err), view)
	}
	if err != nil {
		return err
	}
	return s.enter(c, account, web.PageOverview.In(language(c)))
}

func (s *Server) forgottenPage(c echo.Context) error {
	return s.showRequest(c, http.StatusOK, s.pages.Forgotten, web.Request{})
}

// showRequest shows a page on which somebody who is not signed in asks for something.
func (s *Server) showRequest(c echo.Context, status int, render func(web.Visit, web.Request) ([]byte, error), view web.Request) error {
	view.Mail, view.Contact = s.mail != nil, s.contact
	body, err := render(visit(c, auth.Identity{}), view)
	return s.page(c, status, body, err)
}

// forgotten sends a link to the address if it has an account. The answer is the same, and as fast, if it has none.
func (s *Server) forgotten(c echo.Context) error {
	if s.mail == nil {
		return problemNotFound
	}
	return s.mailLink(c, s.pages.Forgotten, false)
}

// mailLink has a link sent to the address in a form, where there is something to send, after the answer.
func (s *Server) mailLink(c echo.Context, render func(web.Visit, web.Request) ([]byte, error), mayBeNew bool) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	view := web.Request{Email: fields.Get("email")}
	asked, limited := s.takeRequest(c, &view)
	if limited {
		return s.showRequest(c, http.StatusTooManyRequests, render, view)
	}
	language := language(c)
	s.later(c.Request().Context(), asked, func(ctx context.Context) error {
		to, secret, err := s.auth.RequestLink(ctx, view.Email, mayBeNew)
		if err != nil || secret == "" {
			return err
		}
		return s.sendLink(ctx, language, to, secret)
	})
	view.Done = true
	return s.showRequest(c, http.StatusOK, render, view)
}

// takeRequest counts a request of somebody who is not signed in. It tells how much was asked from the same origin before, and
// whether that was too much.
func (s *Server) takeRequest(c echo.Context, view *web.Request) (asked int, tooMuch bool) {
	asked, err := s.auth.TakeRequest(c.Request().Context())
	var limited *auth.LimitedError
	if !errors.As(err, &limited) {
		return asked, false
	}
	view.Minutes = s.tooMany(c, limited)
	return asked, true
}

func (s *Server) signUpPage(c echo.Context) error {
	if !s.openSignup {
		return problemNotFound
	}
	return s.showRequest(c, http.StatusOK, s.pages.SignUp, web.Request{})
}

// signUp makes a member's account. Where mails are sent it takes a link, and the answer does not tell whether the
// address had an account; elsewhere it does.
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
	if _, limited := s.takeRequest(c, &view); limited {
		return s.showRequest(c, http.StatusTooManyRequests, s.pages.SignUp, view)
	}
	ctx := c.Request().Context()
	err = s.auth.AddUser(ctx, view.Email, fields.Get("password"), false)
	if fault, known := faultOf(err); known {
		view.Fault = fault
		return s.showRequest(c, s.refusal(c, err), s.pages.SignUp, view)
	}
	if err != nil {
		return err
	}
	account, err := s.auth.User(ctx, view.Email)
	if err != nil {
		return err
	}
	return s.enter(c, account, web.PageOverview.In(language(c)))
}

// sendLink sends the address of the page that a secret opens.
func (s *Server) sendLink(ctx context.Context, language web.Language, to, secret string) error {
	subject := web.Text{FR: "Courant : choisir un mot de passe", EN: "Courant: choose a password"}
	text := web.Text{
		FR: "Bonjour,\n\nce lien permet de choisir le mot de passe de votre compte Courant. Il marche une fois, pendant 7 jours :\n\n",
		EN: "Hello,\n\nwith this link you choose the password of your Courant account. It works once, within 7 days:\n\n",
	}
	after := web.Text{
		FR: "\n\nSi vous n'avez rien demandé, ne faites rien.\n",
		EN: "\n\nIf you asked for nothing, do nothing.\n",
	}
	return s.mail.Send(ctx, to, subject.In(language), text.In(language)+LinkAddress(s.publicURL, secret)+after.In(language))
}
