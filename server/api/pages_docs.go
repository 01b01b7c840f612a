package api

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// site returns what the documentation says about this installation. Without a configured public address, it is the address of
// the request.
func (s *Server) site(c echo.Context) web.Site {
	address := s.publicURL
	if address == "" {
		address = c.Scheme() + "://" + c.Request().Host
	}
	return web.Site{PublicURL: address, Contact: s.contact}
}

// openAPI answers the OpenAPI document of all routes.
func (s *Server) openAPI(c echo.Context) error {
	body, err := web.OpenAPI(language(c), web.Site{PublicURL: s.publicURL, Contact: s.contact, SessionCookie: s.auth.SessionCookie()})
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	c.Response().Header().Set("Vary", "Accept-Language, Cookie")
	return s.send(c, http.StatusOK, "application/json", body)
}

// docs answers the API documentation. Its examples are live answers for a visitor who may read them, else invented ones.
func (s *Server) docs(c echo.Context, identity auth.Identity) error {
	view, guest := web.Docs{Site: s.site(c)}, identity.AccountID == 0
	for _, route := range web.Reference() {
		name, isAPI := strings.CutPrefix(route.Path, web.PathAPI)
		if !isAPI || route.Body == nil {
			continue
		}
		documented := web.Documented{Route: route}
		answer := examples()[name]
		if served, built := s.bodies.of(name); built && served != nil && !guest && mayRead(identity, route.Datasets) == nil {
			answer, documented.Live = served, true
		}
		if answer != nil {
			var err error
			if documented.Example, err = answer.example(); err != nil {
				return err
			}
		}
		view.Endpoints = append(view.Endpoints, documented)
	}
	body, err := s.pages.Docs(visit(c, identity), view)
	return s.page(c, http.StatusOK, body, err)
}

// exampleRows is the number of members to which lists in an example are cut.
const exampleRows = 2

// examples returns the answer of each endpoint with invented values, written by the same code as the real ones.
var examples = sync.OnceValue(func() map[string]*document {
	date := market.NewDeliveryDate(2026, 4, 17)
	read := date.Start().Add(-time.Hour)
	parts := map[market.Dataset]body{}
	for _, dataset := range market.Datasets() {
		parts[dataset] = viewOf(dataset).example(date, read)
	}
	made := map[string]*document{}
	for _, e := range endpoints {
		made[e.name] = e.answer(parts, nil)
	}
	return made
})

func windowOf[R any](rows []R, last market.DeliveryDate, read time.Time) store.Window[[]R] {
	return store.Window[[]R]{Rows: rows, Last: last, FetchedAt: read}
}

func flag(v bool) market.Flag { return market.Flag{V: v, Valid: true} }
