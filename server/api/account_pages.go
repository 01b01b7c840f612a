package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// acting has what a request does be noted as done by whom its session belongs to.
func acting(c echo.Context, identity auth.Identity) {
	request := c.Request()
	actor := auth.Actor{Email: identity.Email, Origin: c.RealIP()}
	c.SetRequest(request.WithContext(auth.WithActor(request.Context(), actor)))
}

// own has a form of a page taken from those who are signed in, in their name; others are sent to sign in, and then to
// the page.
func (s *Server) own(page web.Page, take func(echo.Context, auth.Identity, url.Values) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		identity, err := s.auth.CheckSession(c.Request())
		if errors.Is(err, auth.ErrUnauthenticated) {
			return c.Redirect(http.StatusSeeOther, loginAddress(&url.URL{Path: page.In(language(c))}))
		}
		if err != nil {
			return err
		}
		fields, err := form(c)
		if err != nil {
			return err
		}
		acting(c, identity)
		remember(c, identity)
		return take(c, identity, fields)
	}
}

// So many lines of a list a page shows.
const (
	linesOnAPage    = 100
	sessionsOnAPage = 25
)

// pageOf reads which page of a list is asked for.
func pageOf(c echo.Context) (auth.Page, error) {
	page := auth.Page{Number: 1, Size: linesOnAPage}
	text := c.QueryParam("page")
	if text == "" {
		return page, nil
	}
	var err error
	if page.Number, err = strconv.Atoi(text); err != nil || page.Number < 1 {
		return page, problemInvalidParameter
	}
	return page, nil
}

// pagerOf leads from a page of the list at a path to those beside it.
func pagerOf(path string, page auth.Page, more bool) web.Pager {
	address := func(number int) string {
		if number == 1 {
			return path
		}
		return path + "?page=" + strconv.Itoa(number)
	}
	pager := web.Pager{At: address(page.Number)}
	if page.Number > 1 {
		pager.Before = address(page.Number - 1)
	}
	if more {
		pager.After = address(page.Number + 1)
	}
	return pager
}

func (s *Server) accountPage(c echo.Context, identity auth.Identity) error {
	return s.showAccount(c, identity, http.StatusOK, web.Account{Changed: c.QueryParams().Has("changed")})
}

func (s *Server) showAccount(c echo.Context, identity auth.Identity, status int, view web.Account) (err error) {
	ctx := c.Request().Context()
	if view.Account, err = s.auth.Account(ctx, identity.AccountID); err != nil {
		return err
	}
	view.Subscription = web.SubscriptionOf(view.Account, s.offers, s.clock.Now())
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

// changePassword sets a new password, which ends all sessions, and begins a new one here.
func (s *Server) changePassword(c echo.Context, identity auth.Identity, fields url.Values) error {
	account, err := s.auth.ChangePassword(c.Request().Context(), identity.Email, fields.Get("former"), fields.Get("password"))
	if fault, known := faultOf(err); known {
		return s.showAccount(c, identity, s.refusal(c, err), web.Account{Fault: fault})
	}
	if err != nil {
		return err
	}
	return s.enter(c, account, web.PageAccount.In(language(c))+"?changed")
}

func (s *Server) endOtherSessions(c echo.Context, identity auth.Identity, _ url.Values) error {
	if err := s.auth.EndOtherSessions(c.Request().Context(), identity); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.PageAccount.In(language(c)))
}

// offersPage shows what there is to subscribe to, to anybody.
func (s *Server) offersPage(c echo.Context, identity auth.Identity) error {
	view := web.Offers{Offers: s.offers, Contact: s.contact, OpenSignup: s.openSignup}
	if identity.AccountID != 0 {
		account, err := s.auth.Account(c.Request().Context(), identity.AccountID)
		if err != nil {
			return err
		}
		view.Subscription = web.SubscriptionOf(account, s.offers, s.clock.Now())
	}
	body, err := s.pages.Offers(visit(c, identity), view)
	return s.page(c, http.StatusOK, body, err)
}

func (s *Server) tokensPage(c echo.Context, identity auth.Identity) error {
	view := web.Tokens{}
	if c.Request().Method == http.MethodGet {
		view.New = s.shown.take(identity, web.PageTokens.Path.EN).text
	}
	return s.showTokens(c, identity, http.StatusOK, view)
}

func (s *Server) showTokens(c echo.Context, identity auth.Identity, status int, view web.Tokens) error {
	ctx, now := c.Request().Context(), s.clock.Now()
	page, err := pageOf(c)
	if err != nil {
		return err
	}
	tokens, more, err := s.auth.OwnTokens(ctx, identity, page)
	if err != nil {
		return err
	}
	view.Pager = pagerOf(web.PageTokens.In(language(c)), page, more)
	used, err := s.auth.TokensUsed(ctx, tokens)
	if err != nil {
		return err
	}
	for _, token := range tokens {
		view.Tokens = append(view.Tokens, web.TokenLine{Token: token, Used: used[token.ID], Over: token.IsOver(now)})
	}
	view.Site, view.Datasets, view.Today = s.site(c), market.Datasets(), market.DeliveryDateOf(now)
	body, err := s.pages.Tokens(visitAt(c, identity, view.Pager.At), view)
	return s.page(c, status, body, err)
}

func (s *Server) createToken(c echo.Context, identity auth.Identity, fields url.Values) error {
	token, err := s.newToken(c, identity, fields)
	if fault, known := faultOf(err); known {
		return s.showTokens(c, identity, http.StatusBadRequest, web.Tokens{Fault: fault, Name: fields.Get("name")})
	}
	if err != nil {
		return err
	}
	s.shown.put(identity, web.PageTokens.Path.EN, token, false)
	return c.Redirect(http.StatusSeeOther, web.PageTokens.In(language(c)))
}

func (s *Server) newToken(c echo.Context, identity auth.Identity, fields url.Values) (string, error) {
	expires, err := formDate(fields, "expires")
	if err != nil {
		return "", err
	}
	var datasets []market.Dataset
	for _, name := range fields["dataset"] {
		dataset, known := market.ParseDataset(name)
		if !known {
			return "", errFormDataset
		}
		datasets = append(datasets, dataset)
	}
	return s.auth.CreateToken(c.Request().Context(), identity.Email, fields.Get("name"), expires, datasets...)
}

// formDate is a date of a form; the zero one if the field is empty.
func formDate(fields url.Values, name string) (market.DeliveryDate, error) {
	text := fields.Get(name)
	if text == "" {
		return market.DeliveryDate{}, nil
	}
	date, err := market.ParseDeliveryDate(text)
	// The zero date stands for none, and 1970-01-01 is written in its place by nobody who means it.
	if err != nil || date.IsZero() {
		return market.DeliveryDate{}, errFormDate
	}
	return date, nil
}

func (s *Server) revokeToken(c echo.Context, identity auth.Identity, fields url.Values) error {
	id, err := strconv.ParseInt(fields.Get("id"), 10, 64)
	if err != nil {
		return problemInvalidParameter
	}
	err = s.auth.RevokeOwnToken(c.Request().Context(), identity, id)
	if errors.Is(err, store.ErrNotFound) {
		return problemNotFound
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.PageTokens.In(language(c)))
}
