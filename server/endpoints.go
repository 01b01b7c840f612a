package server

import (
	"courant/store"
)

// endpoint is one of the eight paths below /api/, and the datasets that a reader of it has to be allowed.
type endpoint struct {
	name     string
	datasets []store.Dataset
	parts    []part // of an aggregate
}

// part is a member of an aggregate: to the byte what another endpoint answers.
type part struct {
	key     string
	dataset store.Dataset
}

var endpoints = []endpoint{
	single(store.DayAheadPrices),
	single(store.FCRCapacity), single(store.AFRRCapacity), single(store.MFRRCapacity),
	single(store.AFRREnergy), single(store.MFRREnergy),
	aggregate("balancing-capacity", part{"fcr", store.FCRCapacity}, part{"afrr", store.AFRRCapacity}, part{"mfrr", store.MFRRCapacity}),
	aggregate("balancing-energy", part{"afrr", store.AFRREnergy}, part{"mfrr", store.MFRREnergy}),
}

func single(dataset store.Dataset) endpoint {
	return endpoint{name: string(dataset), datasets: []store.Dataset{dataset}}
}

func aggregate(name string, parts ...part) endpoint {
	e := endpoint{name: name, parts: parts}
	for _, p := range parts {
		e.datasets = append(e.datasets, p.dataset)
	}
	return e
}
