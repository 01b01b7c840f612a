package api

import (
	"courant/store/market"
)

// endpoint is a path below /api/ with a finished answer, and the datasets that a reader of it has to be allowed.
type endpoint struct {
	name     string
	datasets []market.Dataset
	parts    []market.AggregatePart // of an aggregate
}

// endpoints are one for each dataset, and the aggregates.
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
