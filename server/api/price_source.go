package api

import (
	"courant/store/market"
	"courant/web"
)

// What pages say of where the values that they show come from.
var (
	fromStandIn     = web.Text{FR: "RTE, en attendant ENTSO-E", EN: "RTE, until ENTSO-E gives them"}
	fromBoth        = web.Text{FR: "ENTSO-E et, en attendant, RTE", EN: "ENTSO-E and, until it gives the rest, RTE"}
	fromRTE         = web.Text{FR: "RTE", EN: "RTE"}
	fromENTSOE      = web.Text{FR: "ENTSO-E", EN: "ENTSO-E"}
	confirmedENTSOE = web.Text{FR: "ENTSO-E, confirmé par RTE", EN: "ENTSO-E, confirmed by RTE"}
)

// sourceOf says where the prices that are served come from.
func sourceOf(prices []market.Price) web.Text {
	exchange := map[int64]market.Micro{}
	for _, p := range prices {
		if p.Source == market.FromRTE && p.Resolution == market.PT15M {
			exchange[p.Start] = market.MicroOf(p.Price.V)
		}
	}
	quarters := market.Quarters(prices)
	standIns, confirmed := 0, 0
	for _, q := range quarters {
		given, has := exchange[q.Start]
		off := given - market.MicroOf(q.Price.V)
		switch {
		case q.Source == market.FromRTE:
			standIns++
		case has && max(off, -off) <= market.MostPriceDifference:
			confirmed++
		}
	}
	switch {
	case len(quarters) > 0 && standIns == len(quarters):
		return fromStandIn
	case standIns > 0:
		return fromBoth
	case len(quarters) > 0 && confirmed == len(quarters):
		return confirmedENTSOE
	}
	return fromENTSOE
}
