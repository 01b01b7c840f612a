package api

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
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
	made, err := s.openAPIs[language(c)]()
	if err != nil {
		return err
	}
	return s.sendDocument(c, made, cacheDescription)
}

// newOpenAPIs returns what makes the OpenAPI document of each language, at its first request.
func (s *Server) newOpenAPIs() map[web.Language]func() (*document, error) {
	made := map[web.Language]func() (*document, error){}
	for _, l := range []web.Language{web.French, web.English} {
		made[l] = sync.OnceValues(func() (*document, error) {
			site := web.Site{PublicURL: s.publicURL, Contact: s.contact, SessionCookie: s.auth.SessionCookie()}
			body, err := web.OpenAPI(l, site, reference())
			if err != nil {
				return nil, err
			}
			return newDocument("application/json", body), nil
		})
	}
	return made
}

// llms answers the description of the API as text.
func (s *Server) llms(c echo.Context) error {
	text := web.LLMs(language(c), s.site(c), reference())
	return s.sendDocument(c, newDocument("text/plain; charset=utf-8", text), cacheDescription)
}

// docs answers the API documentation. Its examples are live answers for a visitor who may read them, else invented ones.
func (s *Server) docs(c echo.Context, identity auth.Identity) error {
	view, guest := web.Docs{Site: s.site(c)}, identity.AccountID == 0
	var err error
	if view.Rows, err = s.documentedRows(c, identity); err != nil {
		return err
	}
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
			if documented.Example, err = answer.example(); err != nil {
				return err
			}
		}
		view.Endpoints = append(view.Endpoints, documented)
	}
	feeds, err := documentedBridges()
	if err != nil {
		return err
	}
	view.Endpoints = append(view.Endpoints, feeds...)
	body, err := s.pages.Docs(visit(c, identity), view)
	return s.page(c, http.StatusOK, body, err)
}

// documentedRows describes the rows of the first dataset. The example is the newest rows for a visitor who may read them,
// else invented ones, written by the same code.
func (s *Server) documentedRows(c echo.Context, identity auth.Identity) (web.Documented, error) {
	dataset, ctx := market.Datasets()[0], c.Request().Context()
	documented := web.Documented{Route: rowsRoute(dataset)}
	latest, _ := s.bodies.latest(dataset)
	documented.Live = identity.AccountID != 0 && identity.May(dataset) == nil && !latest.IsZero()
	date := exampleDate
	if documented.Live {
		date = latest
	}
	query, err := parseRowsQuery(dataset, "date="+date.String()+"&limit="+strconv.Itoa(exampleRows), nil, s.clock.Now(), latest)
	if err != nil {
		return documented, err
	}
	answer := &rowsAnswer{query: query, columns: query.columns, reading: &store.Reading{ChangedAt: date.Start(), Changed: 1}}
	chunks := func(yield func(market.Chunk, error) bool) { yield(sampleRows(dataset, date), nil) }
	next := ""
	if documented.Live {
		if answer, err = s.beginRows(ctx, query); err != nil {
			return documented, err
		}
		if err := answer.countRows(ctx); err != nil {
			return documented, err
		}
		if answer.missing, err = s.missingDates(ctx, s.memo(), identity, answer); err != nil {
			return documented, err
		}
		chunks, next = answer.source.rows(ctx, query.limit), answer.nextAddress()
	}
	var body bytes.Buffer
	if err := s.writeRows(c, answer, next, chunks, &body, func() error { return nil }); err != nil {
		return documented, err
	}
	documented.Example, err = shorten(body.Bytes(), exampleRows)
	return documented, err
}

// problemPage answers the page that explains the code of an error.
func (s *Server) problemPage(c echo.Context, identity auth.Identity) error {
	all := web.Problems()
	at := slices.IndexFunc(all, func(p web.Problem) bool { return string(p.Code) == c.Param("code") })
	if at < 0 {
		return problemNotFound
	}
	body, err := s.pages.Problem(visit(c, identity), all[at])
	return s.page(c, http.StatusOK, body, err)
}

// exampleRows is the number of members to which lists in an example are cut.
const exampleRows = 2

// exampleDate is the delivery date of invented values.
var exampleDate = market.NewDeliveryDate(2026, 4, 17)

// examples returns the answer of each endpoint with invented values, written by the same code as the real ones.
var examples = sync.OnceValue(func() map[string]*document {
	date := exampleDate
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
