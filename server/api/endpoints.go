package api

import (
	"courant/store/market"
)

// endpoint is one of the eight paths below /api/, and the datasets that a reader of it has to be allowed.
type endpoint struct {
	name     string
	datasets []market.Dataset
	parts    []part // of an aggregate
}

// part is a member of an aggregate: to the byte what another endpoint answers.
type part struct {
	key     string
	dataset market.Dataset
}

var endpoints = []endpoint{
	single(market.DayAheadPrices),
	single(market.FCRCapacity), single(market.AFRRCapacity), single(market.MFRRCapacity),
	single(market.AFRREnergy), single(market.MFRREnergy),
	aggregate("balancing-capacity", part{"fcr", market.FCRCapacity}, part{"afrr", market.AFRRCapacity}, part{"mfrr", market.MFRRCapacity}),
	aggregate("balancing-energy", part{"afrr", market.AFRREnergy}, part{"mfrr", market.MFRREnergy}),
}

func single(dataset market.Dataset) endpoint {
	return endpoint{name: string(dataset), datasets: []market.Dataset{dataset}}
}

func aggregate(name string, parts ...part) endpoint {
	e := endpoint{name: name, parts: parts}
	for _, p := range parts {
		e.datasets = append(e.datasets, p.dataset)
	}
	return e
}
