package api

import (
	"context"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// pricesView is the view of day-ahead prices, by quarter hour.
func pricesView(dataset market.Dataset) view {
	return view{
		build: func(ctx context.Context, db *store.Store, windowDays int) (body, error) {
			window, err := store.Latest(ctx, db, market.Prices, dataset, windowDays)
			return newBody(window, pricesBody), err
		},
		example: func(date market.DeliveryDate, read time.Time) body {
			return newBody(windowOf(samplePrices(date), date, read), pricesBody)
		},
		sample: func(date market.DeliveryDate) market.Chunk { return market.Prices.Serve(samplePrices(date)) },
		table: func(ctx context.Context, s *Server, dates span) (web.Table, error) {
			prices, err := store.Within(ctx, s.store, market.Prices, dataset, dates.period())
			table := newTable(dataset, dates)
			table.Source = sourceOf(prices)
			fillPrices(&table, market.Quarters(prices))
			return table, err
		},
		drawings: func(table web.Table) []drawing {
			return []drawing{{
				name: table.Caption, unit: table.Columns[0].Unit, large: true,
				series: []web.Series{seriesOf(table, "", table.Columns[0].Name, table.Columns[0].Label)},
			}}
		},
	}
}

// samplePrices returns an hour of invented prices, for the documentation.
func samplePrices(date market.DeliveryDate) []market.Price {
	var prices []market.Price
	for i := range int64(quartersPerHour) {
		prices = append(prices, market.Price{
			Start: date.Start().Unix() + i*market.QuarterSeconds, Resolution: market.PT15M, Price: market.Num(float64(8412-31*i) / 100),
		})
	}
	return prices
}

// pricesBody returns the answer of /api/day-ahead-prices: every quarter hour of the window, EUR/MWh.
func pricesBody(window store.Window[[]market.Price]) []byte {
	quarters := market.Quarters(window.Rows)
	const bytesPerRow = 128
	w := jsonWriter{bytes: make([]byte, 0, len(quarters)*bytesPerRow+bytesPerRow)}
	w.open('{')
	w.key("rows").open('[')
	for _, q := range quarters {
		w.open('{')
		w.key("hour_start_utc").instant(q.Start)
		w.key("hour_end_utc").instant(q.Start + market.QuarterSeconds)
		w.key("price_eur_mwh").number(q.Price)
		w.close('}')
	}
	w.close(']')
	var earliest market.DeliveryDate
	if len(quarters) > 0 {
		earliest = market.DeliveryDateOf(time.Unix(quarters[0].Start, 0))
	}
	w.key("latestDate").date(window.Last)
	w.key("earliestDate").date(earliest)
	w.close('}')
	return w.bytes
}

func fillPrices(table *web.Table, quarters []market.Quarter) {
	table.Caption = web.Text{FR: "Prix day-ahead, zone France", EN: "Day-ahead prices, French zone"}
	table.Columns = []web.Column{tableColumn(columnNamed(market.DayAheadPrices, "price_eur_mwh"))}
	for _, q := range quarters {
		table.Rows = append(table.Rows, web.Row{
			Period: market.Period{Start: q.Start, End: q.Start + market.QuarterSeconds}, Numbers: []market.Number{q.Price},
		})
	}
}

// The sources of the prices on a page, as the page names them.
var (
	fromStandIn     = web.Text{FR: "RTE, en attendant ENTSO-E", EN: "RTE, until ENTSO-E gives them"}
	fromBoth        = web.Text{FR: "ENTSO-E et, en attendant, RTE", EN: "ENTSO-E and, until it gives the rest, RTE"}
	fromENTSOE      = web.Text{FR: "ENTSO-E", EN: "ENTSO-E"}
	confirmedENTSOE = web.Text{FR: "ENTSO-E, confirmé par RTE", EN: "ENTSO-E, confirmed by RTE"}
)

// sourceOf returns the text that names the sources of the prices that are served.
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
		published, found := exchange[q.Start]
		difference := published - market.MicroOf(q.Price.V)
		switch {
		case q.Source == market.FromRTE:
			standIns++
		case found && max(difference, -difference) <= market.MostPriceDifference:
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
