package api

import (
	"slices"
	"strings"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// rowsView is the view of a dataset that is served and shown row by row, as it is stored.
func rowsView(dataset market.Dataset) view {
	return view{
		body:     func(window store.Window) []byte { return rowsBody(dataset, window) },
		sample:   func(date market.DeliveryDate) market.Chunk { return sampleRows(dataset, date) },
		fill:     func(table *web.Table, rows market.Chunk) { fillRows(table, dataset, rows) },
		drawings: func(table web.Table) []drawing { return drawingsByUnit(dataset, table) },
		kicker:   stepText(dataset.Series().StepSeconds()),
	}
}

// stepText names the step at which a dataset is shown; empty if pages do not name it.
func stepText(seconds int64) web.Text {
	if seconds == market.QuarterSeconds {
		return web.Text{FR: "par quart d’heure", EN: "by quarter hour"}
	}
	return web.Text{}
}

// rowsBody returns the answer of a dataset whose rows are served as they are stored.
func rowsBody(dataset market.Dataset, window store.Window) []byte {
	series, rows := dataset.Series(), window.Rows
	keys, columns := series.ServedKeys(), series.ServedColumns()
	const bytesPerRow = 320
	w := jsonWriter{bytes: make([]byte, 0, rows.Len()*bytesPerRow+bytesPerRow)}
	w.open('{')
	w.key("rows").open('[')
	for i := range rows.Len() {
		w.row(keys, columns, rows, i)
	}
	w.close(']')
	w.key("latestDeliveryDateParis").date(window.Last)
	w.key(fetchedKey).timestamp(window.FetchedAt)
	w.key("latestPeriodEndUtc")
	if n := rows.Len(); n > 0 {
		w.instant(rows.Ends[n-1])
	} else {
		w.null()
	}
	w.key("resolutionSeconds").integer(int(series.StepSeconds()))
	w.key("rowCount").integer(rows.Len())
	w.close('}')
	return w.bytes
}

// row writes a row with its period, keys and columns.
func (w *jsonWriter) row(keys []market.ServedKey, columns []market.ServedColumn, rows market.Chunk, i int) {
	w.open('{')
	w.key("period_start_utc").instant(rows.Starts[i])
	w.key("period_end_utc").instant(rows.Ends[i])
	for k, key := range keys {
		w.key(key.Name).text(rows.Keys[k][i])
	}
	for c, column := range columns {
		w.key(column.Name).cell(rows.Columns[c], i)
	}
	w.close('}')
}

// cell writes the value of a column in a row, null if there is none.
func (w *jsonWriter) cell(column market.Vector, row int) {
	switch {
	case !column.Valid[row]:
		w.null()
	case column.Kind == market.KindNumber:
		w.number(column.Number(row))
	case column.Kind == market.KindBoolean:
		w.flag(market.Flag{V: column.Flags[row], Valid: true})
	case column.Kind == market.KindInstant:
		w.timestamp(time.UnixMilli(column.Instants[row]))
	default:
		w.text(column.Texts[row])
	}
}

// fillRows fills a table with the rows of a dataset: keys and texts become its words, numbers its columns.
func fillRows(table *web.Table, dataset market.Dataset, rows market.Chunk) {
	series := dataset.Series()
	for _, key := range series.ServedKeys() {
		table.Words = append(table.Words, web.Column{Name: key.Name, Label: web.Text(key.Text)})
	}
	var words, numbers []int
	for c, column := range series.ServedColumns() {
		switch column.Kind {
		case market.KindString:
			words = append(words, c)
			table.Words = append(table.Words, tableColumn(column))
		case market.KindNumber:
			numbers = append(numbers, c)
			table.Columns = append(table.Columns, tableColumn(column))
		}
	}
	for i := range rows.Len() {
		row := web.Row{Period: rows.Period(i)}
		for _, key := range rows.Keys {
			row.Words = append(row.Words, key[i])
		}
		row.Series = strings.ToLower(strings.Join(row.Words, "-"))
		for _, c := range words {
			row.Words = append(row.Words, rows.Columns[c].Texts[i])
		}
		for _, c := range numbers {
			row.Numbers = append(row.Numbers, rows.Columns[c].Number(i))
		}
		table.Rows = append(table.Rows, row)
	}
}

// drawingsByUnit returns a chart for each unit, with a line for each column of that unit and each series of rows.
func drawingsByUnit(dataset market.Dataset, table web.Table) []drawing {
	var firsts []web.Row // the first row of each series
	for _, row := range table.Rows {
		if !slices.ContainsFunc(firsts, func(first web.Row) bool { return first.Series == row.Series }) {
			firsts = append(firsts, row)
		}
	}
	if firsts == nil {
		firsts = []web.Row{{}}
	}
	var drawings []drawing
	for _, column := range table.Columns {
		at := slices.IndexFunc(drawings, func(d drawing) bool { return d.unit == column.Unit })
		if at < 0 {
			at = len(drawings)
			name := column.Label
			if column.Unit == market.EURPerMWh.Symbol() {
				name = labelPrices
			}
			drawings = append(drawings, drawing{name: name, unit: column.Unit})
		}
		for _, first := range firsts {
			label := column.Label
			if first.Series != "" {
				for k := range dataset.Series().ServedKeys() {
					key := market.WordText(first.Words[k])
					label = web.Text{FR: label.FR + ", " + key.FR, EN: label.EN + ", " + key.EN}
				}
			}
			drawings[at].series = append(drawings[at].series, seriesOf(table, first.Series, column.Name, label))
		}
	}
	return drawings
}

// sampleRows returns two rows of a dataset with invented values and empty keys, for the documentation.
func sampleRows(dataset market.Dataset, date market.DeliveryDate) market.Chunk {
	const n = 2
	series := dataset.Series()
	rows := market.Chunk{}
	for i := range int64(n) {
		start := date.Start().Unix() + i*series.StepSeconds()
		rows.Starts, rows.Ends = append(rows.Starts, start), append(rows.Ends, start+series.StepSeconds())
	}
	for range series.ServedKeys() {
		rows.Keys = append(rows.Keys, make([]string, n))
	}
	for c, column := range series.ServedColumns() {
		v := market.Vector{Kind: column.Kind, Valid: make([]bool, n)}
		for i := range n {
			v.Valid[i] = column.Kind != market.KindString || len(column.Values) > 0
			v.Numbers = append(v.Numbers, float64(6120+17*i+540*c)/100)
			v.Flags = append(v.Flags, i == 0)
			text := ""
			if len(column.Values) > 0 {
				text = column.Values[0]
			}
			v.Texts = append(v.Texts, text)
			v.Instants = append(v.Instants, 1000*(rows.Ends[i]+161))
		}
		rows.Columns = append(rows.Columns, v)
	}
	return rows
}
