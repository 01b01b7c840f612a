package api

import (
	"courant/store/market"
)

// endpoint is a path below /api/ with a finished answer. To read it, an account needs access to all of its datasets.
type endpoint struct {
	name     string // the last part of the path
	datasets []market.Dataset
	parts    []market.AggregatePart // nil: not an aggregate
}

// endpoints are one endpoint for each dataset, and one for each aggregate.
var endpoints = func() []endpoint {
	var all []endpoint
	for _, dataset := range market.Datasets() {
		all = append(all, endpoint{name: string(dataset), datasets: []market.Dataset{dataset}})
	}
	for _, aggregate := range market.Aggregates() {
		e := endpoint{name: aggregate.Name, parts: aggregate.Parts}
		for _, part := range aggregate.Parts {
			e.datasets = append(e.datasets, part.Dataset)
		}
		all = append(all, e)
	}
	return all
}()
