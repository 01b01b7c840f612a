package api

import (
	"context"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// mfrrView is the view of mFRR energy: the endpoint serves the newest delivery date, pages show one row a quarter hour with
// both directions.
func mfrrView(dataset market.Dataset) view {
	return view{
		build: func(ctx context.Context, db *store.Store, _ int) (body, error) {
			window, err := store.Latest(ctx, db, market.MFRR, dataset, 1)
			return newBody(window, mfrrBody), err
		},
		example: func(date market.DeliveryDate, read time.Time) body {
			return newBody(windowOf(sampleMFRR(date), date, read), mfrrBody)
		},
		sample: func(date market.DeliveryDate) market.Chunk { return market.MFRR.Serve(sampleMFRR(date)) },
		table: func(ctx context.Context, s *Server, dates span) (web.Table, error) {
			rows, err := store.Within(ctx, s.store, market.MFRR, dataset, dates.period())
			table := newTable(dataset, dates)
			fillMFRR(&table, rows)
			return table, err
		},
		drawings: func(table web.Table) []drawing {
			return []drawing{
				{name: labelPrices, unit: table.Columns[0].Unit, series: upAndDown(table, 0, 1)},
				{name: web.Text{FR: "Volumes activés, programmés", EN: "Activated volumes, scheduled"}, unit: table.Columns[2].Unit, series: upAndDown(table, 2, 3)},
			}
		},
		kicker: web.Text{FR: "prix marginaux par quart d’heure", EN: "clearing prices by quarter hour"},
	}
}

// sampleMFRR returns a quarter hour with invented values, for the documentation.
func sampleMFRR(date market.DeliveryDate) []market.MFRRStep {
	start := date.Start().Unix()
	return []market.MFRRStep{
		{Start: start, Direction: market.Upward, ClearingPrice: market.Num(118.5), SettlementPriceCurrent: market.Num(118.5),
			RequestedVolumeSAMW: market.Num(120), ActivatedVolumeSAMW: market.Num(120), SubmittedOffersMW: market.Num(931)},
		{Start: start, Direction: market.Downward, SubmittedOffersMW: market.Num(640)},
	}
}

// mfrrQuarter is the clearing prices of a quarter hour, EUR/MWh.
type mfrrQuarter struct {
	start    int64 // seconds UTC
	up, down market.Number
}

// mfrrBody returns the answer of /api/mfrr-energy: the latest delivery date, by quarter hour and by direction.
func mfrrBody(window store.Window[[]market.MFRRStep]) []byte {
	var up, down market.Mean
	var quarters []mfrrQuarter
	for _, row := range window.Rows {
		if len(quarters) == 0 || quarters[len(quarters)-1].start != row.Start {
			quarters = append(quarters, mfrrQuarter{start: row.Start})
		}
		quarter := &quarters[len(quarters)-1]
		if row.Direction == market.Upward {
			up.Add(row.ClearingPrice)
			quarter.up = row.ClearingPrice
		} else {
			down.Add(row.ClearingPrice)
			quarter.down = row.ClearingPrice
		}
	}
	var newest int64
	if len(quarters) > 0 {
		newest = quarters[len(quarters)-1].start
	}
	var w jsonWriter
	w.open('{')
	w.energyHead(window.Last, window.FetchedAt, energyHead{rows: len(window.Rows), stepSeconds: market.QuarterSeconds, up: up, down: down, newest: newest})
	writeNewest(w.key("latestUpwardRow"), window.Rows, market.Upward)
	writeNewest(w.key("latestDownwardRow"), window.Rows, market.Downward)
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

// writeNewest writes the direction's newest row with a value; its newest row if none has a value; null if it has no row.
func writeNewest(w *jsonWriter, rows []market.MFRRStep, direction market.Direction) {
	var newest *market.MFRRStep
	for i := range rows {
		if rows[i].Direction == direction && (newest == nil || market.MFRR.HasValue(&rows[i]) || !market.MFRR.HasValue(newest)) {
			newest = &rows[i]
		}
	}
	if newest == nil {
		w.null()
		return
	}
	w.open('{')
	w.key("period_start_utc").instant(newest.Start)
	w.key("period_end_utc").instant(newest.Start + market.QuarterSeconds)
	w.key("direction").text(string(newest.Direction))
	row := market.MFRR.Serve([]market.MFRRStep{*newest})
	for c, column := range market.MFRR.ServedColumns() {
		w.key(column.Name).cell(row.Columns[c], 0)
	}
	w.close('}')
}

func writeQuarter(w *jsonWriter, quarter mfrrQuarter) {
	w.open('{')
	w.key("period_start_utc").instant(quarter.start)
	w.key("period_end_utc").instant(quarter.start + market.QuarterSeconds)
	w.key("upward_price_eur_mwh").number(quarter.up)
	w.key("downward_price_eur_mwh").number(quarter.down)
	w.close('}')
}

func fillMFRR(table *web.Table, rows []market.MFRRStep) {
	table.Caption = web.Text{FR: "Énergie mFRR : prix marginaux, et volumes activés (programmés, directs)", EN: "mFRR energy: clearing prices, and activated volumes (scheduled, direct)"}
	price, power := market.EURPerMWh, market.MW
	table.Columns = []web.Column{
		{Name: "upward_price_eur_mwh", Label: labelUpward, Unit: price.Symbol(), Decimals: price.Decimals()},
		{Name: "downward_price_eur_mwh", Label: labelDownward, Unit: price.Symbol(), Decimals: price.Decimals()},
		{Name: "upward_activated_volume_sa_mw", Label: web.Text{FR: "Hausse programmée", EN: "Upward scheduled"}, Unit: power.Symbol()},
		{Name: "downward_activated_volume_sa_mw", Label: web.Text{FR: "Baisse programmée", EN: "Downward scheduled"}, Unit: power.Symbol()},
		{Name: "upward_activated_volume_da_mw", Label: web.Text{FR: "Hausse directe", EN: "Upward direct"}, Unit: power.Symbol()},
		{Name: "downward_activated_volume_da_mw", Label: web.Text{FR: "Baisse directe", EN: "Downward direct"}, Unit: power.Symbol()},
	}
	for _, row := range rows {
		period := market.Period{Start: row.Start, End: row.Start + market.QuarterSeconds}
		if len(table.Rows) == 0 || table.Rows[len(table.Rows)-1].Period != period {
			table.Rows = append(table.Rows, web.Row{Period: period, Numbers: make([]market.Number, len(table.Columns))})
		}
		numbers := table.Rows[len(table.Rows)-1].Numbers
		side := 0
		if row.Direction == market.Downward {
			side = 1
		}
		numbers[side], numbers[2+side], numbers[4+side] = row.ClearingPrice, row.ActivatedVolumeSAMW, row.ActivatedVolumeDAMW
	}
}
