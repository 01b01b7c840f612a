package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

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
