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
	return web.Reference(rows...)
}

// rowsRoute describes the rows of a dataset, with the parameters and forms that the handler reads.
func rowsRoute(dataset market.Dataset) web.Route {
	var parameters []web.Parameter
	for _, p := range rowsParameters(dataset) {
		parameter := web.Parameter{
			Name: p.name, In: "query", Text: p.accepts, Kind: web.KindString, Values: p.values, List: p.isList, Optional: true,
		}
		if p.name == limitParameter {
			parameter.Kind, parameter.Most = web.KindInteger, mostPageRows
		}
		parameters = append(parameters, parameter)
	}
	var mediaTypes []string
	for _, form := range format.All() {
		if mediaType := form.MediaType(); mediaType != format.JSON.MediaType() && !slices.Contains(mediaTypes, mediaType) {
			mediaTypes = append(mediaTypes, mediaType)
		}
	}
	return web.RowsRoute(dataset, parameters, mediaTypes)
}
