package api

import (
	"slices"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// mfrrView is the view of mFRR energy: the endpoint serves the newest delivery date, pages show one row a quarter hour with
// both directions.
func mfrrView(dataset market.Dataset) view {
	return view{
		body:         mfrrBody,
		lastDateOnly: true,
		sample: func(date market.DeliveryDate) market.Chunk {
			start := date.Start().Unix()
			return market.MFRR.Serve([]market.MFRRStep{
				{Start: start, Direction: market.Upward, ClearingPrice: market.Num(118.5), SettlementPriceCurrent: market.Num(118.5),
					RequestedVolumeSAMW: market.Num(120), ActivatedVolumeSAMW: market.Num(120), SubmittedOffersMW: market.Num(931)},
				{Start: start, Direction: market.Downward, SubmittedOffersMW: market.Num(640)},
			})
		},
		columns: mfrrColumns,
		fill:    func(table *web.Table, rows market.Chunk) { fillMFRR(table, dataset, rows) },
		drawings: func(table web.Table) []drawing {
			return []drawing{
				{name: labelPrices, unit: table.Columns[0].Unit, series: upAndDown(table, 0, 1)},
				{name: web.Text{FR: "Volumes activés, programmés", EN: "Activated volumes, scheduled"}, unit: table.Columns[2].Unit, series: upAndDown(table, 2, 3)},
			}
		},
		kicker: web.Text{FR: "prix marginaux par quart d’heure", EN: "clearing prices by quarter hour"},
	}
}

// mfrrBody returns the answer of /api/mfrr-energy: the latest delivery date, by quarter hour and by direction.
func mfrrBody(window store.Window) []byte {
	rows := window.Rows
	quarters := bothDirections(rows, 1) // clearing prices
	head := energyHead{stepSeconds: market.QuarterSeconds}
	for _, quarter := range quarters {
		head.up.Add(quarter.Numbers[0])
		head.down.Add(quarter.Numbers[1])
	}
	var w jsonWriter
	w.open('{')
	w.energyHead(window, head)
	writeNewest(w.key("latestUpwardRow"), rows, market.Upward)
	writeNewest(w.key("latestDownwardRow"), rows, market.Downward)
	w.key("recentRows").open('[')
	for i := len(quarters) - 1; i >= max(0, len(quarters)-recentSteps); i-- {
		writeQuarter(&w, quarters[i])
	}
	w.close(']')
	w.key("chartRows").open('[')
	for _, quarter := range quarters {
		writeQuarter(&w, quarter)
	}
	w.close(']')
	w.close('}')
	return w.bytes
}

// bothDirections returns a row for each quarter hour with the numbers of the first columns, each upward and then downward.
func bothDirections(rows market.Chunk, columns int) []web.Row {
	var quarters []web.Row
	for i := range rows.Len() {
		if n := len(quarters); n == 0 || quarters[n-1].Period != rows.Period(i) {
			quarters = append(quarters, web.Row{Period: rows.Period(i), Numbers: make([]market.Number, 2*columns)})
		}
		side := 0
		if rows.Keys[0][i] == string(market.Downward) {
			side = 1
		}
		for c := range columns {
			quarters[len(quarters)-1].Numbers[2*c+side] = rows.Columns[c].Number(i)
		}
	}
	return quarters
}

// writeNewest writes the direction's newest row with a value; its newest row if none has a value; null if it has no row.
func writeNewest(w *jsonWriter, rows market.Chunk, direction market.Direction) {
	newest := -1
	for i := range rows.Len() {
		if rows.Keys[0][i] == string(direction) && (newest < 0 || hasValue(rows, i) || !hasValue(rows, newest)) {
			newest = i
		}
	}
	if newest < 0 {
		w.null()
		return
	}
	w.row(market.MFRR.ServedKeys(), market.MFRR.ServedColumns(), rows, newest)
}

// hasValue reports whether a row has a value in any column.
func hasValue(rows market.Chunk, i int) bool {
	return slices.ContainsFunc(rows.Columns, func(v market.Vector) bool { return v.Valid[i] })
}

func writeQuarter(w *jsonWriter, quarter web.Row) {
	w.open('{')
	w.key("period_start_utc").instant(quarter.Period.Start)
	w.key("period_end_utc").instant(quarter.Period.End)
	w.key("upward_price_eur_mwh").number(quarter.Numbers[0])
	w.key("downward_price_eur_mwh").number(quarter.Numbers[1])
	w.close('}')
}

// mfrrColumns are the columns that pages show for each direction.
var mfrrColumns = []string{"clearing_price_eur_mwh", "total_activated_volume_sa_mw", "total_activated_volume_da_mw"}

// fillMFRR puts both directions of a quarter hour into one row.
func fillMFRR(table *web.Table, dataset market.Dataset, rows market.Chunk) {
	table.Caption = web.Text{FR: "Énergie mFRR : prix marginaux, et volumes activés (programmés, directs)", EN: "mFRR energy: clearing prices, and activated volumes (scheduled, direct)"}
	named := []struct {
		upward, downward           string
		labelUpward, labelDownward web.Text
	}{
		{"upward_price_eur_mwh", "downward_price_eur_mwh", labelUpward, labelDownward},
		{"upward_activated_volume_sa_mw", "downward_activated_volume_sa_mw", web.Text{FR: "Hausse programmée", EN: "Upward scheduled"}, web.Text{FR: "Baisse programmée", EN: "Downward scheduled"}},
		{"upward_activated_volume_da_mw", "downward_activated_volume_da_mw", web.Text{FR: "Hausse directe", EN: "Upward direct"}, web.Text{FR: "Baisse directe", EN: "Downward direct"}},
	}
	for c, name := range mfrrColumns {
		upward := tableColumn(columnNamed(dataset, name))
		downward := upward
		upward.Name, upward.Label = named[c].upward, named[c].labelUpward
		downward.Name, downward.Label = named[c].downward, named[c].labelDownward
		table.Columns = append(table.Columns, upward, downward)
	}
	table.Rows = bothDirections(rows, len(mfrrColumns))
}
