package api

import (
	"iter"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// bridgeRoutes describes the bridges, with the parameters that the handler reads.
func bridgeRoutes() []web.Route {
	var routes []web.Route
	for _, b := range bridges {
		routes = append(routes, web.BridgeRoute(b.path, described(b.parameters)))
	}
	return routes
}

// documentedBridges describes the bridges, with answers of invented values that are written by the same code as real ones.
func documentedBridges() ([]web.Documented, error) {
	var all []web.Documented
	for i, route := range bridgeRoutes() {
		query := queryParser{parameters: bridges[i].parameters, now: exampleDate.At(12, 0)}
		if err := query.split(bridgeExamples[route.Path]); err != nil {
			return nil, err
		}
		plan, err := bridges[i].plan(&query)
		if err != nil {
			return nil, err
		}
		body, err := plan.write(examplePrices(plan.period), &store.Reading{ChangedAt: exampleDate.Start()})
		if err != nil {
			return nil, err
		}
		documented := web.Documented{Route: route, Example: string(body)}
		if route.Body != nil {
			if documented.Example, err = shorten(body, exampleRows); err != nil {
				return nil, err
			}
		}
		all = append(all, documented)
	}
	return all, nil
}

// bridgeExamples are the queries of the examples, by path.
var bridgeExamples = map[string]string{
	web.PathEnergyCharts: "bzn=FR",
	web.PathENTSOE:       "documentType=A44&in_Domain=" + franceEIC + "&out_Domain=" + franceEIC + "&periodStart=202604162200&periodEnd=202604162300",
}

// examplePrices are the invented prices of an hour of a period.
func examplePrices(period market.Period) iter.Seq2[knownPrice, error] {
	return func(yield func(knownPrice, error) bool) {
		for i := range int64(quartersPerHour) {
			start := period.Start + i*market.QuarterSeconds
			if !yield(knownPrice{market.NewPeriod(time.Unix(start, 0), time.Unix(start+market.QuarterSeconds, 0)), float64(8412-31*i) / 100}, nil) {
				return
			}
		}
	}
}
