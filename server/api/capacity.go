package api

import (
	"cmp"
	"slices"
	"strings"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// capacityView is the view of procured reserve, by hour.
func capacityView(dataset market.Dataset) view {
	return view{
		body:     func(window store.Window) []byte { return capacityBody(dataset, window) },
		sample:   func(date market.DeliveryDate) market.Chunk { return sampleCapacity(dataset, date) },
		fill:     func(table *web.Table, rows market.Chunk) { fillCapacity(table, dataset, rows) },
		drawings: capacityDrawings,
	}
}

// dailyDirections returns the directions in which a reserve is procured each day.
func dailyDirections(dataset market.Dataset) []market.Direction {
	var directions []market.Direction
	for _, due := range dataset.About().Due {
		direction, _, _ := strings.Cut(due.Prefix, "/")
		directions = append(directions, market.Direction(direction))
	}
	return directions
}

// sampleCapacity returns one hour of a reserve with invented values, for the documentation.
func sampleCapacity(dataset market.Dataset, date market.DeliveryDate) market.Chunk {
	var steps []market.CapacityStep
	for i := range int64(quartersPerHour) {
		for d, direction := range dailyDirections(dataset) {
			steps = append(steps, market.CapacityStep{
				Dataset: dataset, Start: date.Start().Unix() + i*market.QuarterSeconds, Direction: direction, TimeHorizon: market.DailyHorizon,
				Product: "STD", OfferedMW: market.Num(842), ContractedMW: market.Num(578), Price: market.Num(1.785 - float64(d)),
			})
		}
	}
	return market.Capacity.Serve(steps)
}

// capacityRow is one row of the API: an hour, or a quarter hour where the four quarters could not be merged.
type capacityRow struct {
	period                      market.Period
	direction, horizon, product string
	offered, contracted         market.Number // MW
	price                       market.Number // EUR/MW/h
}

const (
	hourSeconds     = market.HourSeconds
	quartersPerHour = hourSeconds / market.QuarterSeconds
)

// capacityBody returns the answer of one of the three capacity endpoints; prices are EUR per MW and hour.
func capacityBody(dataset market.Dataset, window store.Window) []byte {
	rows := capacityRows(window.Rows)
	const bytesPerRow = 320
	w := jsonWriter{bytes: make([]byte, 0, len(rows)*bytesPerRow+bytesPerRow)}
	w.open('{')
	w.key("rows").open('[')
	for _, row := range rows {
		writeCapacity(&w, dataset, row)
	}
	w.close(']')
	w.key(fetchedKey).timestamp(window.FetchedAt)
	w.close('}')
	return w.bytes
}

func writeCapacity(w *jsonWriter, dataset market.Dataset, row capacityRow) {
	w.open('{')
	w.key("period_start_utc").instant(row.period.Start)
	w.key("period_end_utc").instant(row.period.End)
	if len(dailyDirections(dataset)) == 1 {
		w.key("volume_mw").number(row.contracted)
		w.key("contracted_volume_mw").number(row.contracted)
		w.key("offered_volume_mw").number(row.offered)
		w.key("price").number(row.price)
		w.key("direction").text(row.direction)
		w.key("product_type").text(dataset.About().Reserve)
	} else {
		w.key("direction").text(row.direction)
		w.key("price").number(row.price)
		w.key("product_type").text(dataset.About().Reserve)
		w.key("offered_volume_mw").number(row.offered)
		w.key("contracted_volume_mw").number(row.contracted)
	}
	w.key("time_horizon").textOrNull(row.horizon)
	w.close('}')
}

// capacityRows merges the four quarters of a clock hour into one row if all four are present, all have a price and both
// volumes are the same in all. The quarters of other hours stay rows of their own.
func capacityRows(steps market.Chunk) []capacityRow {
	var rows []capacityRow
	var quarters []capacityRow // of one hour
	for i := range steps.Len() {
		quarters = append(quarters, capacityRow{
			period: steps.Period(i), direction: steps.Keys[0][i], horizon: steps.Keys[1][i], product: steps.Keys[2][i],
			offered: steps.Columns[0].Number(i), contracted: steps.Columns[1].Number(i), price: steps.Columns[2].Number(i),
		})
		if i+1 == steps.Len() || market.HourOf(steps.Starts[i+1]) != market.HourOf(steps.Starts[i]) {
			rows = append(rows, hourRows(quarters)...)
			quarters = quarters[:0]
		}
	}
	return rows
}

// hourRows returns the rows of the quarters of one clock hour, in the order in which they are served.
func hourRows(quarters []capacityRow) []capacityRow {
	slices.SortFunc(quarters, func(a, b capacityRow) int {
		return cmp.Or(compareSeries(a, b), cmp.Compare(a.period.Start, b.period.Start))
	})
	var rows []capacityRow
	for from := 0; from < len(quarters); {
		to := from + 1
		for to < len(quarters) && compareSeries(quarters[to], quarters[from]) == 0 {
			to++
		}
		rows = append(rows, mergeHour(quarters[from:to])...)
		from = to
	}
	slices.SortFunc(rows, func(a, b capacityRow) int {
		return cmp.Or(cmp.Compare(a.period.Start, b.period.Start), compareSeries(a, b))
	})
	return rows
}

// compareSeries orders the rows of one period: UPWARD before DOWNWARD, then by time horizon and RTE's product.
func compareSeries(a, b capacityRow) int {
	return cmp.Or(
		-cmp.Compare(a.direction, b.direction), // the other way round from the alphabet
		cmp.Compare(a.horizon, b.horizon), cmp.Compare(a.product, b.product),
	)
}

// mergeHour returns the rows of the quarters of one series in one clock hour.
func mergeHour(quarters []capacityRow) []capacityRow {
	first := quarters[0]
	whole := len(quarters) == quartersPerHour
	var sum market.Micro
	for _, quarter := range quarters {
		whole = whole && quarter.price.Valid && quarter.offered == first.offered && quarter.contracted == first.contracted
		sum += market.MicroOf(quarter.price.V)
	}
	if !whole {
		return quarters
	}
	first.period.End = first.period.Start + hourSeconds
	first.price = (sum / quartersPerHour).Number() // exact: each price is four times the published one
	return []capacityRow{first}
}

func fillCapacity(table *web.Table, dataset market.Dataset, rows market.Chunk) {
	table.Caption = web.Text{FR: "Capacité contractée, prix par MW et heure", EN: "Procured capacity, price per MW and hour"}
	table.Words = []web.Column{
		{Name: "direction", Label: web.Text{FR: "Sens", EN: "Direction"}}, {Name: "time_horizon", Label: web.Text{FR: "Horizon", EN: "Horizon"}},
	}
	for _, name := range []string{"price", "contracted_volume_mw", "offered_volume_mw"} {
		table.Columns = append(table.Columns, tableColumn(columnNamed(dataset, name)))
	}
	for _, row := range capacityRows(rows) {
		table.Rows = append(table.Rows, web.Row{
			Period:  row.period,
			Series:  strings.ToLower(strings.Join([]string{row.direction, row.horizon, row.product}, "-")), // such as upward-daily-std
			Words:   []string{row.direction, row.horizon},
			Numbers: []market.Number{row.price, row.contracted, row.offered},
		})
	}
}

// capacityDrawings returns two charts of a table of capacity, prices and procured volumes, with a line for each series.
func capacityDrawings(table web.Table) []drawing {
	price := drawing{name: labelPrices, unit: table.Columns[0].Unit}
	volume := drawing{name: web.Text{FR: "Volume contracté", EN: "Procured volume"}, unit: table.Columns[1].Unit}
	for _, s := range capacitySeriesOf(table) {
		price.series = append(price.series, seriesOf(table, s.key, table.Columns[0].Name, s.label))
		volume.series = append(volume.series, seriesOf(table, s.key, table.Columns[1].Name, s.label))
	}
	return []drawing{price, volume}
}

// capacitySeries is a series of a table of capacity.
type capacitySeries struct {
	key   string
	label web.Text
}

// capacitySeriesOf returns the series of a table of capacity, those procured each day first, else in the order of its rows.
func capacitySeriesOf(table web.Table) []capacitySeries {
	var all []capacitySeries
	for _, row := range table.Rows {
		if slices.ContainsFunc(all, func(s capacitySeries) bool { return s.key == row.Series }) {
			continue
		}
		label := map[string]web.Text{
			string(market.Upward): labelUpward, string(market.Downward): labelDownward, string(market.Symmetric): {FR: "Symétrique", EN: "Symmetric"},
		}[row.Words[0]]
		if horizon := row.Words[1]; horizon != market.DailyHorizon {
			of := web.Published(horizon)
			label = web.Text{FR: label.FR + ", " + of.FR, EN: label.EN + ", " + of.EN}
		}
		all = append(all, capacitySeries{row.Series, label})
	}
	slices.SortStableFunc(all, func(a, b capacitySeries) int { return cmp.Compare(horizonRank(a.key), horizonRank(b.key)) })
	return all
}

// horizonRank orders series by their time horizon: what is procured each day comes first.
func horizonRank(key string) int {
	if strings.Contains(key, "-"+strings.ToLower(market.DailyHorizon)+"-") {
		return 0
	}
	return 1
}
