package api

import (
	"context"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// pricesView is the view of day-ahead prices, by quarter hour.
func pricesView(dataset market.Dataset) view {
	return view{
		body: pricesBody,
		sample: func(date market.DeliveryDate) market.Chunk {
			var prices []market.Price
			for i := range int64(quartersPerHour) {
				prices = append(prices, market.Price{
					Start: date.Start().Unix() + i*market.QuarterSeconds, Resolution: market.PT15M, Price: market.Num(float64(8412-31*i) / 100),
				})
			}
			return market.Prices.Serve(prices)
		},
		columns: []string{priceColumn, market.ColumnSource},
		fill:    fillPrices,
		source:  sourceOf,
		drawings: func(table web.Table) []drawing {
			return []drawing{{
				name: table.Caption, unit: table.Columns[0].Unit, large: true,
				series: []web.Series{seriesOf(table, "", table.Columns[0].Name, table.Columns[0].Label)},
			}}
		},
	}
}

// pricesBody returns the answer of /api/day-ahead-prices: every quarter hour of the window, EUR/MWh.
func pricesBody(window store.Window) []byte {
	rows := window.Rows
	const bytesPerRow = 128
	w := jsonWriter{bytes: make([]byte, 0, rows.Len()*bytesPerRow+bytesPerRow)}
	w.open('{')
	w.key("rows").open('[')
	for i := range rows.Len() {
		w.open('{')
		w.key("hour_start_utc").instant(rows.Starts[i])
		w.key("hour_end_utc").instant(rows.Ends[i])
		w.key(priceColumn).number(rows.Columns[0].Number(i))
		w.close('}')
	}
	w.close(']')
	var earliest market.DeliveryDate
	if rows.Len() > 0 {
		earliest = market.DeliveryDateOf(rows.Period(0).From())
	}
	w.key("latestDate").date(window.Last)
	w.key("earliestDate").date(earliest)
	w.close('}')
	return w.bytes
}

func fillPrices(table *web.Table, rows market.Chunk) {
	table.Caption = web.Text{FR: "Prix day-ahead, zone France", EN: "Day-ahead prices, French zone"}
	table.Columns = []web.Column{tableColumn(columnNamed(market.DayAheadPrices, priceColumn))}
	for i := range rows.Len() {
		table.Rows = append(table.Rows, web.Row{Period: rows.Period(i), Numbers: []market.Number{rows.Columns[0].Number(i)}})
	}
}

// The sources of the prices on a page, as the page names them.
var (
	fromStandIn     = web.Text{FR: "RTE, en attendant ENTSO-E", EN: "RTE, until ENTSO-E publishes them"}
	fromBoth        = web.Text{FR: "ENTSO-E et, en attendant, RTE", EN: "ENTSO-E and, until it publishes the rest, RTE"}
	fromENTSOE      = web.Text{FR: "ENTSO-E", EN: "ENTSO-E"}
	confirmedENTSOE = web.Text{FR: "ENTSO-E, confirmé par RTE", EN: "ENTSO-E, confirmed by RTE"}
)

// sourceOf returns the text that names the sources of the prices that are shown.
func sourceOf(ctx context.Context, db *store.Store, shown shownTable) (web.Text, error) {
	rows := shown.rows
	standIns := 0
	for i := range rows.Len() {
		if rows.Columns[1].Texts[i] == market.SourceRTE {
			standIns++
		}
	}
	switch {
	case rows.Len() == 0:
		return fromENTSOE, nil
	case standIns == rows.Len():
		return fromStandIn, nil
	case standIns > 0:
		return fromBoth, nil
	}
	exchange, err := db.ExchangePrices(ctx, shown.period)
	if err != nil {
		return fromENTSOE, err
	}
	published := map[int64]market.Micro{}
	for _, p := range exchange {
		if p.Resolution == market.PT15M {
			published[p.Start] = market.MicroOf(p.Price.V)
		}
	}
	for i := range rows.Len() {
		price, found := published[rows.Starts[i]]
		difference := price - market.MicroOf(rows.Columns[0].Numbers[i])
		if !found || max(difference, -difference) > market.MostPriceDifference {
			return fromENTSOE, nil
		}
	}
	return confirmedENTSOE, nil
}
