package server

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// site is what the documentation says of this Courant. Without a public address it is the one that was asked.
func (s *Server) site(c echo.Context) web.Site {
	address := s.publicURL
	if address == "" {
		address = c.Scheme() + "://" + c.Request().Host
	}
	return web.Site{PublicURL: address, Contact: s.contact}
}

// openAPI answers the description of all routes.
func (s *Server) openAPI(c echo.Context) error {
	body, err := web.OpenAPI(language(c), web.Site{PublicURL: s.publicURL, Contact: s.contact, SessionCookie: s.auth.SessionCookie()})
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	c.Response().Header().Set("Vary", "Accept-Language, Cookie")
	return s.send(c, http.StatusOK, "application/json", body)
}

// docs explains the API, with examples of what is served now to those who may read it.
func (s *Server) docs(c echo.Context, identity auth.Identity) error {
	view, guest := web.Docs{Site: s.site(c)}, identity.AccountID == 0
	for _, route := range web.Reference() {
		name, isAPI := strings.CutPrefix(route.Path, "/api/")
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

// exampleRows is how many members of a list an example shows.
const exampleRows = 2

// examples are answers with invented values, made as the real ones are.
var examples = sync.OnceValue(func() map[string]*document {
	date := store.NewDeliveryDate(2026, 4, 17)
	read := date.Start().Add(-time.Hour)
	start := date.Start().Unix()
	var prices []store.Price
	steps := map[store.Dataset][]store.CapacityStep{}
	for i := range int64(quartersPerHour) {
		at := start + i*store.QuarterSeconds
		prices = append(prices, store.Price{Start: at, Resolution: store.PT15M, Price: store.Num(float64(8412-31*i) / 100)})
		for _, sold := range []struct {
			dataset   store.Dataset
			direction store.Direction
			price     float64
		}{{store.FCRCapacity, store.Symmetric, 1.785}, {store.AFRRCapacity, store.Upward, 6.925}, {store.AFRRCapacity, store.Downward, 0.915}, {store.MFRRCapacity, store.Upward, 0.2075}, {store.MFRRCapacity, store.Downward, 0.1975}} {
			steps[sold.dataset] = append(steps[sold.dataset], store.CapacityStep{
				Dataset: sold.dataset, Start: at, Direction: sold.direction, TimeHorizon: dailyHorizon, OfferedMW: store.Num(842), ContractedMW: store.Num(578), Price: store.Num(sold.price),
			})
		}
	}
	afrr := []store.AFRRStep{
		{Start: start, UpwardPrice: store.Num(96.4), DemandMW: store.Num(212), ForFranceMW: store.Num(180), InFranceMW: store.Num(164), PicassoConnection: flag(true), ProrataMode: flag(false)},
		{Start: start + store.AFRRSeconds, UpwardPrice: store.Num(97.1), DownwardPrice: store.Num(41.12), DemandMW: store.Num(-18), PicassoConnection: flag(true), ProrataMode: flag(false)},
	}
	mfrr := []store.MFRRStep{
		{Start: start, Direction: store.Upward, ClearingPrice: store.Num(118.5), SettlementPriceCurrent: store.Num(118.5), RequestedVolumeSAMW: store.Num(120), ActivatedVolumeSAMW: store.Num(120), SubmittedOffersMW: store.Num(931)},
		{Start: start, Direction: store.Downward, SubmittedOffersMW: store.Num(640)},
	}
	parts := map[store.Dataset]body{
		store.DayAheadPrices: finish(windowOf(prices, date, read), pricesBody),
		store.AFRREnergy:     finish(windowOf(afrr, date, read), afrrBody),
		store.MFRREnergy:     finish(windowOf(mfrr, date, read), mfrrBody),
	}
	for dataset, rows := range steps {
		parts[dataset] = finish(windowOf(rows, date, read), capacityBody)
	}
	made := map[string]*document{}
	for _, e := range endpoints {
		made[e.name] = e.answer(parts, nil)
	}
	return made
})

func windowOf[R any](rows []R, last store.DeliveryDate, read time.Time) store.Window[R] {
	return store.Window[R]{Rows: rows, Last: last, FetchedAt: read}
}

func flag(v bool) store.Flag { return store.Flag{V: v, Valid: true} }
