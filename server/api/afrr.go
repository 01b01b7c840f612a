package api

import (
	"context"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// afrrView is the view of aFRR energy: the endpoint serves the newest delivery date in 4 s steps, pages show means of 5 min.
func afrrView(dataset market.Dataset) view {
	return view{
		build: func(ctx context.Context, db *store.Store, _ int) (body, error) {
			window, err := store.Latest(ctx, db, market.AFRR, dataset, 1)
			made := newBody(window, afrrBody)
			made.fiveMinutes = market.AFRRBuckets(window.Rows)
			return made, err
		},
		example: func(date market.DeliveryDate, read time.Time) body {
			return newBody(windowOf(sampleAFRR(date), date, read), afrrBody)
		},
		sample: func(date market.DeliveryDate) market.Chunk { return market.AFRR.Serve(sampleAFRR(date)) },
		table: func(ctx context.Context, s *Server, dates span) (web.Table, error) {
			buckets, thinned, err := s.fiveMinutes(ctx, dataset, dates)
			table := newTable(dataset, dates)
			fillAFRR(&table, dataset, buckets)
			if thinned {
				table.Note = thinnedNote
			}
			return table, err
		},
		drawings: func(table web.Table) []drawing {
			demand := table.Columns[2]
			return []drawing{
				{name: labelPrices, unit: table.Columns[0].Unit, series: upAndDown(table, 0, 1)},
				{name: demand.Label, unit: demand.Unit, series: []web.Series{seriesOf(table, "", demand.Name, demand.Label)}},
			}
		},
		kicker:      web.Text{FR: "moyennes de 5 min", EN: "5 min means"},
		oneDateOnly: true,
	}
}

// sampleAFRR returns two steps with invented values, for the documentation.
func sampleAFRR(date market.DeliveryDate) []market.AFRRStep {
	start := date.Start().Unix()
	return []market.AFRRStep{
		{Start: start, UpwardPrice: market.Num(96.4), DemandMW: market.Num(212), ForFranceMW: market.Num(180), InFranceMW: market.Num(164),
			PicassoConnection: flag(true), ProrataMode: flag(false)},
		{Start: start + market.AFRRSeconds, UpwardPrice: market.Num(97.1), DownwardPrice: market.Num(41.12), DemandMW: market.Num(-18),
			PicassoConnection: flag(true), ProrataMode: flag(false)},
	}
}

// upAndDown returns the chart lines of two columns, the upward and the downward one.
func upAndDown(table web.Table, up, down int) []web.Series {
	return []web.Series{
		seriesOf(table, "", table.Columns[up].Name, labelUpward), seriesOf(table, "", table.Columns[down].Name, labelDownward),
	}
}

// thinnedNote is the notice beside dates whose 4 s steps were removed.
var thinnedNote = web.Text{
	FR: "De cette date, Courant ne garde plus que ces moyennes de 5 minutes : les pas de 4 secondes ont été retirés.",
	EN: "Of this date Courant keeps these 5 minute means only: the 4 second steps were removed.",
}

// fiveMinutes returns the means of 5 min of the dates, the last stored date from the finished answers. thinned reports that
// 4 s steps of the dates have been removed.
func (s *Server) fiveMinutes(ctx context.Context, dataset market.Dataset, dates span) (buckets []market.AFRRBucket, thinned bool, err error) {
	if buckets, last := s.bodies.fiveMinutes(dataset); dates.first == last && dates.last == last {
		return buckets, false, nil
	}
	return s.store.AFRRBucketsWithin(ctx, dates.period())
}

// recentSteps is how many of the newest rows an answer lists in recentRows.
const recentSteps = 50

// afrrBody returns the answer of /api/afrr-energy: the newest 4 s steps of the latest delivery date, and all of that date in
// means of 5 min.
func afrrBody(window store.Window[[]market.AFRRStep]) []byte {
	rows := window.Rows
	var up, down market.Mean
	for _, row := range rows {
		up.Add(row.UpwardPrice)
		down.Add(row.DownwardPrice)
	}
	var newest int64
	if len(rows) > 0 {
		newest = rows[len(rows)-1].Start
	}
	var w jsonWriter
	w.open('{')
	w.energyHead(window.Last, window.FetchedAt, energyHead{rows: len(rows), stepSeconds: market.AFRRSeconds, up: up, down: down, newest: newest})
	w.key("latestRow")
	if len(rows) == 0 {
		w.null()
	} else {
		writeAFRR(&w, rows[len(rows)-1])
	}
	w.key("recentRows").open('[')
	for i := len(rows) - 1; i >= max(0, len(rows)-recentSteps); i-- {
		writeAFRR(&w, rows[i])
	}
	w.close(']')
	w.key("chartRows").open('[')
	for _, bucket := range market.AFRRBuckets(rows) {
		w.open('{')
		w.key("bucket_start_utc").instant(bucket.Start)
		w.key("bucket_end_utc").instant(bucket.Start + market.BucketSeconds)
		w.key("upward_price_eur_mwh").number(bucket.UpwardPrice.Mean)
		w.key("downward_price_eur_mwh").number(bucket.DownwardPrice.Mean)
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return w.bytes
}

func writeAFRR(w *jsonWriter, row market.AFRRStep) {
	w.open('{')
	w.key("period_start_utc").instant(row.Start)
	w.key("period_end_utc").instant(row.Start + market.AFRRSeconds)
	w.key("upward_price_eur_mwh").number(row.UpwardPrice)
	w.key("downward_price_eur_mwh").number(row.DownwardPrice)
	w.key("pdemand_mw").number(row.DemandMW)
	w.key("afrr_for_france_mw").number(row.ForFranceMW)
	w.key("afrr_in_france_mw").number(row.InFranceMW)
	w.key("picasso_connection").flag(row.PicassoConnection)
	w.key("prorata_mode").flag(row.ProrataMode)
	w.close('}')
}

// meanDecimals is the least number of decimals that pages show of a mean.
const meanDecimals = 2

func fillAFRR(table *web.Table, dataset market.Dataset, buckets []market.AFRRBucket) {
	table.Caption = web.Text{FR: "Énergie aFRR, moyennes de 5 minutes des pas de 4 secondes", EN: "aFRR energy, 5 minute means of the 4 second steps"}
	for _, name := range []string{"upward_price_eur_mwh", "downward_price_eur_mwh", "pdemand_mw"} {
		column := tableColumn(columnNamed(dataset, name))
		column.Decimals = meanDecimals
		table.Columns = append(table.Columns, column)
	}
	for _, b := range buckets {
		table.Rows = append(table.Rows, web.Row{
			Period:  market.Period{Start: b.Start, End: b.Start + market.BucketSeconds},
			Numbers: []market.Number{b.UpwardPrice.Mean, b.DownwardPrice.Mean, b.DemandMW.Mean},
		})
	}
}
