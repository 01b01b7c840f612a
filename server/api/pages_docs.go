package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"courant/auth"
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
			routes, err := reference()
			if err != nil {
				return nil, err
			}
			body, err := web.OpenAPI(l, site, routes)
			if err != nil {
				return nil, err
			}
			return newDocument("application/json", body), nil
		})
	}
	return made
}

// describedRoutes returns the routes that /docs describes without an example.
func describedRoutes() []web.Documented {
	described := []web.Documented{}
	for _, route := range append(web.Reference(), webhookReference()...) {
		if route.Method == http.MethodPost && (route.Path == web.PathMCP || route.Path == web.PathWebhooks) {
			described = append(described, web.Documented{Route: route})
		}
	}
	return described
}

// llms answers the description of the API as text.
func (s *Server) llms(c echo.Context) error {
	routes, err := reference()
	if err != nil {
		return err
	}
	text := web.LLMs(language(c), s.site(c), routes)
	return s.sendDocument(c, newDocument("text/plain; charset=utf-8", text), cacheDescription)
}

// docs answers the API documentation. Its examples are live answers for a visitor who may read them, else invented ones.
func (s *Server) docs(c echo.Context, identity auth.Identity) error {
	view := web.Docs{Site: s.site(c), Described: describedRoutes()}
	routes, err := reference()
	if err != nil {
		return err
	}
	feeds, err := documentedBridges()
	if err != nil {
		return err
	}
	shownRows := web.RowsPath(market.Datasets()[0])
	for _, route := range routes {
		isFeed := slices.ContainsFunc(feeds, func(feed web.Documented) bool { return feed.Path == route.Path })
		isWebhooks := strings.HasPrefix(route.Path, web.PathWebhooks) // described as a whole
		if !strings.HasPrefix(route.Path, web.PathAPI) || route.Body == nil || isFeed || isWebhooks {
			continue
		}
		documented := web.Documented{Route: route, Example: route.Example.In(language(c)), Address: route.Path}
		if identity.AccountID != 0 && mayRead(identity, route.Datasets) == nil {
			if err := s.showLive(c, identity, &documented); err != nil {
				return err
			}
		}
		switch {
		case route.Path == shownRows:
			view.Rows = documented
		case !strings.HasSuffix(route.Path, "/rows"):
			view.Endpoints = append(view.Endpoints, documented)
		}
	}
	view.Endpoints = append(view.Endpoints, feeds...)
	body, err := s.pages.Docs(visit(c, identity), view)
	return s.page(c, http.StatusOK, body, err)
}

// showLive replaces the invented example of a route with what is served now, if there is such an answer.
func (s *Server) showLive(c echo.Context, identity auth.Identity, documented *web.Documented) error {
	var body []byte
	switch path := documented.Path; path {
	case web.PathStatus, web.PathDatasets, web.PathDataset:
		found, err := s.report(c.Request().Context(), identity.Admin)
		if err != nil || len(found.Datasets) == 0 {
			return err
		}
		var answer any = found
		if path != web.PathStatus {
			described := describeDatasets(found, language(c))
			answer = described
			if path == web.PathDataset {
				first := described["datasets"][0]
				answer, documented.Address = first, web.DatasetPath(first.ID)
			}
		}
		if body, err = json.Marshal(answer); err != nil {
			return err
		}
	case web.RowsPath(market.Datasets()[0]):
		var err error
		if body, err = s.newestRows(c, identity, market.Datasets()[0]); err != nil {
			return err
		}
	default:
		served, built := s.bodies.of(strings.TrimPrefix(path, web.PathAPI))
		if !built || served == nil {
			return nil
		}
		example, err := served.example()
		documented.Example, documented.Live = example, true
		return err
	}
	if body == nil {
		return nil
	}
	example, err := shorten(body, exampleRows)
	documented.Example, documented.Live = example, true
	return err
}

// newestRows returns the first rows of the latest delivery date of a dataset in JSON; nil if nothing is stored.
func (s *Server) newestRows(c echo.Context, identity auth.Identity, dataset market.Dataset) ([]byte, error) {
	latest, _ := s.bodies.latest(dataset)
	if latest.IsZero() {
		return nil, nil
	}
	ctx := c.Request().Context()
	query, err := parseRowsQuery(dataset, "date="+latest.String()+"&limit="+strconv.Itoa(exampleRows), nil, s.clock.Now(), latest)
	if err != nil {
		return nil, err
	}
	answer, err := s.beginRows(ctx, query)
	if err != nil {
		return nil, err
	}
	if err := answer.countRows(ctx); err != nil {
		return nil, err
	}
	if answer.missing, err = s.missingDates(ctx, s.memo(), identity, answer); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	rows := answer.source.rows(ctx, query.limit)
	err = answer.write(language(c), s.simulated, answer.nextAddress(), rows, &body, func() error { return nil })
	return body.Bytes(), err
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

func flag(v bool) market.Flag { return market.Flag{V: v, Valid: true} }
