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

func (s *Server) tokensPage(c echo.Context, identity auth.Identity) error {
	view := web.Tokens{}
	if c.Request().Method == http.MethodGet {
		view.New = s.secrets.take(identity, web.PageTokens.Path.EN).text
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
		view.Tokens = append(view.Tokens, web.TokenLine{
			ID: token.ID, Name: token.Name, Prefix: token.Prefix, Datasets: token.Datasets, Feeds: token.Scope == store.ScopeFeeds,
			Webhooks: token.Scope == store.ScopeWebhooks,
			Created:  token.Created, Expires: token.Expires, Revoked: token.Revoked, Over: token.IsOver(now), Used: used[token.ID],
		})
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
	s.secrets.add(identity, web.PageTokens.Path.EN, token, false)
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
	ctx := c.Request().Context()
	switch isFeeds, isWebhooks := fields.Get("feeds") != "", fields.Get("webhooks") != ""; {
	case isFeeds && isWebhooks, (isFeeds || isWebhooks) && len(datasets) > 0:
		return "", errFormScope
	case isFeeds:
		return s.auth.CreateFeedsToken(ctx, identity.Email, fields.Get("name"), expires)
	case isWebhooks:
		return s.auth.CreateWebhooksToken(ctx, identity.Email, fields.Get("name"), expires)
	}
	return s.auth.CreateToken(ctx, identity.Email, fields.Get("name"), expires, datasets...)
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
