package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// offersPage shows every visitor the plans that an account can be subscribed to.
func (s *Server) offersPage(c echo.Context, identity auth.Identity) error {
	view := web.Offers{Offers: s.offers, Contact: s.contact, OpenSignup: s.openSignup}
	if identity.AccountID != 0 {
		account, err := s.auth.Account(c.Request().Context(), identity.AccountID)
		if err != nil {
			return err
		}
		view.Subscription = s.subscriptionOf(account)
	}
	body, err := s.pages.Offers(visit(c, identity), view)
	return s.page(c, http.StatusOK, body, err)
}

// subscriptionOf returns an account's subscription as pages show it now; nil if it has none.
func (s *Server) subscriptionOf(account store.Account) *web.Subscription {
	held := account.Subscription
	if held.Offer == "" {
		return nil
	}
	return web.NewSubscription(held.Offer, s.offers, held.Active(s.clock.Now()), held.End)
}
