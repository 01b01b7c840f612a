package api

import (
	"slices"
	"sync"

	"courant/server/api/format"
	"courant/store/market"
	"courant/web"
)

// reference returns the description of every route, with examples.
var reference = sync.OnceValues(func() ([]web.Route, error) {
	var rows []web.Route
	for _, dataset := range market.Datasets() {
		rows = append(rows, rowsRoute(dataset))
	}
	rows = append(rows, web.StreamRoute(described(streamParameters())))
	rows = append(rows, webhookReference()...)
	routes := web.Reference(append(rows, bridgeRoutes()...)...)
	examples := map[string]web.Text{} // of the bridges, by path
	feeds, err := documentedBridges()
	if err != nil {
		return nil, err
	}
	for _, feed := range feeds {
		examples[feed.Path] = web.Text{FR: feed.Example, EN: feed.Example}
	}
	for i := range routes {
		isFeed := false
		if routes[i].Example, isFeed = examples[routes[i].Path]; !isFeed {
			if routes[i].Example, err = exampleOf(routes[i]); err != nil {
				return nil, err
			}
		}
	}
	return routes, nil
})

// rowsRoute describes the rows of a dataset, with the parameters and forms that the handler reads.
func rowsRoute(dataset market.Dataset) web.Route {
	var mediaTypes []string
	for _, form := range format.All() {
		if mediaType := form.MediaType(); mediaType != format.JSON.MediaType() && !slices.Contains(mediaTypes, mediaType) {
			mediaTypes = append(mediaTypes, mediaType)
		}
	}
	return web.RowsRoute(dataset, described(rowsParameters(dataset)), mediaTypes)
}

// described returns the descriptions of parameters; the text of each is what it accepts.
func described(parameters []queryParameter) []web.Parameter {
	var all []web.Parameter
	for _, p := range parameters {
		parameter := web.Parameter{
			Name: p.name, In: "query", Text: p.accepts, Kind: web.KindString, Values: p.values, List: p.isList, Optional: !p.isRequired,
		}
		if p.name == limitParameter {
			parameter.Kind, parameter.Most = web.KindInteger, mostPageRows
		}
		all = append(all, parameter)
	}
	return all
}
