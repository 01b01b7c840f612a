package api

import (
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// afrrView is the view of aFRR energy: the endpoint serves the newest delivery date in 4 s steps, pages show means of 5 min.
func afrrView(dataset market.Dataset) view {
	return view{
		body:         afrrBody,
		lastDateOnly: true,
		sample: func(date market.DeliveryDate) market.Chunk {
			start := date.Start().Unix()
			return market.AFRR.Serve([]market.AFRRStep{
				{Start: start, UpwardPrice: market.Num(96.4), DemandMW: market.Num(212), ForFranceMW: market.Num(180), InFranceMW: market.Num(164),
					PicassoConnection: flag(true), ProrataMode: flag(false)},
				{Start: start + market.AFRRSeconds, UpwardPrice: market.Num(97.1), DownwardPrice: market.Num(41.12), DemandMW: market.Num(-18),
					PicassoConnection: flag(true), ProrataMode: flag(false)},
			})
		},
		columns:    afrrColumns,
		resolution: market.Buckets5Minutes,
		stats:      sumAndCount,
		fill:       func(table *web.Table, rows market.Chunk) { fillAFRR(table, dataset, rows) },
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

// upAndDown returns the chart lines of two columns, the upward and the downward one.
func upAndDown(table web.Table, up, down int) []web.Series {
	return []web.Series{
		seriesOf(table, "", table.Columns[up].Name, labelUpward), seriesOf(table, "", table.Columns[down].Name, labelDownward),
	}
}

// recentSteps is how many of the newest rows an answer lists in recentRows.
const recentSteps = 50

// afrrBody returns the answer of /api/afrr-energy: the newest 4 s steps of the latest delivery date, and all of that date in
// means of 5 min.
func afrrBody(window store.Window) []byte {
	rows := window.Rows
	columns := market.AFRR.ServedColumns()
	var w jsonWriter
	w.open('{')
	head := energyHead{stepSeconds: market.AFRRSeconds}
	for i := range rows.Len() {
		head.up.Add(rows.Columns[0].Number(i))
		head.down.Add(rows.Columns[1].Number(i))
	}
	w.energyHead(window, head)
	w.key("latestRow")
	if rows.Len() == 0 {
		w.null()
	} else {
		w.row(nil, columns, rows, rows.Len()-1)
	}
	w.key("recentRows").open('[')
	for i := rows.Len() - 1; i >= max(0, rows.Len()-recentSteps); i-- {
		w.row(nil, columns, rows, i)
	}
	w.close(']')
	w.key("chartRows").open('[')
	resampler := market.NewResampler(market.AFRR, columns[:2], market.Buckets5Minutes, sumAndCount...)
	writeBuckets(&w, resampler.Add(rows))
	writeBuckets(&w, resampler.End())
	w.close(']')
	w.close('}')
	return w.bytes
}

// sumAndCount are the statistics from which the means of two decimals are made.
var sumAndCount = []market.Stat{market.StatSum, market.StatCount}

// meansOf returns the means of a row that was resampled to sumAndCount, one for each column.
func meansOf(rows market.Chunk, i int) []market.Number {
	var means []market.Number
	for c := 0; c < len(rows.Columns); c += len(sumAndCount) {
		means = append(means, market.MeanOf(rows.Columns[c].Number(i), rows.Columns[c+1].Integers[i]))
	}
	return means
}

// meanOfRows returns the mean of a column of all rows that were resampled to sumAndCount.
func meanOfRows(rows market.Chunk, column int) market.Number {
	if rows.Len() == 0 {
		return market.Number{}
	}
	var sum market.Micro
	var count int64
	for i := range rows.Len() {
		if n := rows.Columns[column*len(sumAndCount)].Number(i); n.Valid {
			sum += market.MicroOf(n.V)
			count += rows.Columns[column*len(sumAndCount)+1].Integers[i]
		}
	}
	return market.MeanOf(sum.Number(), count)
}

func writeBuckets(w *jsonWriter, rows market.Chunk) {
	for i := range rows.Len() {
		means := meansOf(rows, i)
		w.open('{')
		w.key("bucket_start_utc").instant(rows.Starts[i])
		w.key("bucket_end_utc").instant(rows.Ends[i])
		w.key("upward_price_eur_mwh").number(means[0])
		w.key("downward_price_eur_mwh").number(means[1])
		w.close('}')
	}
}

// meanDecimals is the least number of decimals that pages show of a mean.
const meanDecimals = 2

// afrrColumns are the columns whose means pages show.
var afrrColumns = []string{"upward_price_eur_mwh", "downward_price_eur_mwh", "pdemand_mw"}

func fillAFRR(table *web.Table, dataset market.Dataset, rows market.Chunk) {
	table.Caption = web.Text{FR: "Énergie aFRR, moyennes de 5 minutes des pas de 4 secondes", EN: "aFRR energy, 5 minute means of the 4 second steps"}
	for c, name := range afrrColumns {
		column := tableColumn(columnNamed(dataset, name))
		column.Decimals, column.Mean = meanDecimals, meanOfRows(rows, c)
		table.Columns = append(table.Columns, column)
	}
	for i := range rows.Len() {
		table.Rows = append(table.Rows, web.Row{Period: rows.Period(i), Numbers: meansOf(rows, i)})
	}
}
