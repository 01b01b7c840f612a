package api

import (
	"slices"

	"courant/server/api/format"
	"courant/store/market"
	"courant/web"
)

// reference returns the description of every route.
func reference() []web.Route {
	var rows []web.Route
	for _, dataset := range market.Datasets() {
		rows = append(rows, rowsRoute(dataset))
	}
	return web.Reference(append(rows, bridgeRoutes()...)...)
}

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
