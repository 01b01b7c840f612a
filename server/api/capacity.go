package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// capacityView is the view of procured reserve, by hour.
func capacityView(dataset market.Dataset) view {
	return view{
		build: func(ctx context.Context, db *store.Store, windowDays int) (body, error) {
			window, err := store.Latest(ctx, db, market.Capacity, dataset, windowDays)
			return newBody(window, capacityBody), err
		},
		example: func(date market.DeliveryDate, read time.Time) body {
			return newBody(windowOf(sampleCapacity(dataset, date), date, read), capacityBody)
		},
		sample: func(date market.DeliveryDate) market.Chunk {
			return market.Capacity.Serve(sampleCapacity(dataset, date))
		},
		table: func(ctx context.Context, s *Server, dates span) (web.Table, error) {
			steps, err := store.Within(ctx, s.store, market.Capacity, dataset, dates.period())
			table := newTable(dataset, dates)
			fillCapacity(&table, dataset, capacityRows(steps))
			return table, err
		},
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
func sampleCapacity(dataset market.Dataset, date market.DeliveryDate) []market.CapacityStep {
	var steps []market.CapacityStep
	for i := range int64(quartersPerHour) {
		for d, direction := range dailyDirections(dataset) {
			steps = append(steps, market.CapacityStep{
				Dataset: dataset, Start: date.Start().Unix() + i*market.QuarterSeconds, Direction: direction, TimeHorizon: market.DailyHorizon,
				Product: "STD", OfferedMW: market.Num(842), ContractedMW: market.Num(578), Price: market.Num(1.785 - float64(d)),
			})
		}
	}
	return steps
}

// capacityRow is one row of the API: an hour, or a quarter hour where the four quarters could not be merged.
type capacityRow struct {
	step         market.CapacityStep // the first or only quarter hour
	seconds      int64
	pricePerHour market.Number // EUR/MW/h
}

const (
	hourSeconds     = 3600
	quartersPerHour = hourSeconds / market.QuarterSeconds
)

// capacityBody returns the answer of one of the three capacity endpoints; prices are EUR per MW and hour.
func capacityBody(window store.Window[[]market.CapacityStep]) []byte {
	rows := capacityRows(window.Rows)
	const bytesPerRow = 320
	w := jsonWriter{bytes: make([]byte, 0, len(rows)*bytesPerRow+bytesPerRow)}
	w.open('{')
	w.key("rows").open('[')
	for _, row := range rows {
		writeCapacity(&w, row)
	}
	w.close(']')
	w.key(fetchedKey).timestamp(window.FetchedAt)
	w.close('}')
	return w.bytes
}

func writeCapacity(w *jsonWriter, row capacityRow) {
	step := row.step
	w.open('{')
	w.key("period_start_utc").instant(step.Start)
	w.key("period_end_utc").instant(step.Start + row.seconds)
	if len(dailyDirections(step.Dataset)) == 1 {
		w.key("volume_mw").number(step.ContractedMW)
		w.key("contracted_volume_mw").number(step.ContractedMW)
		w.key("offered_volume_mw").number(step.OfferedMW)
		w.key("price").number(row.pricePerHour)
		w.key("direction").text(string(step.Direction))
		w.key("product_type").text(step.Dataset.About().Reserve)
	} else {
		w.key("direction").text(string(step.Direction))
		w.key("price").number(row.pricePerHour)
		w.key("product_type").text(step.Dataset.About().Reserve)
		w.key("offered_volume_mw").number(step.OfferedMW)
		w.key("contracted_volume_mw").number(step.ContractedMW)
	}
	w.key("time_horizon").textOrNull(step.TimeHorizon)
	w.close('}')
}

// capacityRows merges the four quarters of a clock hour into one row if all four are present, all have a price and both
// volumes are the same in all. The quarters of other hours stay rows of their own, with their price scaled to an hour.
func capacityRows(steps []market.CapacityStep) []capacityRow {
	sorted := slices.Clone(steps)
	slices.SortFunc(sorted, func(a, b market.CapacityStep) int {
		return cmp.Or(
			cmp.Compare(hourOf(a), hourOf(b)), compareSeries(a, b), cmp.Compare(a.Start, b.Start),
		)
	})
	var rows []capacityRow
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && hourOf(sorted[n]) == hourOf(sorted[0]) && compareSeries(sorted[n], sorted[0]) == 0 {
			n++
		}
		rows = append(rows, mergeHour(sorted[:n])...)
		sorted = sorted[n:]
	}
	slices.SortStableFunc(rows, func(a, b capacityRow) int {
		return cmp.Or(cmp.Compare(a.step.Start, b.step.Start), compareSeries(a.step, b.step))
	})
	return rows
}

func hourOf(step market.CapacityStep) int64 { return step.Start - step.Start%hourSeconds }

// compareSeries orders the rows of one period: UPWARD before DOWNWARD, then by time horizon and RTE's product.
func compareSeries(a, b market.CapacityStep) int {
	return cmp.Or(
		-cmp.Compare(a.Direction, b.Direction), // the other way round from the alphabet
		cmp.Compare(a.TimeHorizon, b.TimeHorizon), cmp.Compare(a.Product, b.Product),
	)
}

// mergeHour returns the rows of the steps of one series in one clock hour.
func mergeHour(steps []market.CapacityStep) []capacityRow {
	first := steps[0]
	whole := len(steps) == quartersPerHour
	var sum market.Micro
	for _, step := range steps {
		whole = whole && step.Price.Valid && step.OfferedMW == first.OfferedMW && step.ContractedMW == first.ContractedMW
		sum += market.MicroOf(step.Price.V)
	}
	if whole {
		return []capacityRow{{step: first, seconds: hourSeconds, pricePerHour: sum.Number()}}
	}
	rows := make([]capacityRow, 0, len(steps))
	for _, step := range steps {
		row := capacityRow{step: step, seconds: market.QuarterSeconds}
		if step.Price.Valid {
			row.pricePerHour = (quartersPerHour * market.MicroOf(step.Price.V)).Number()
		}
		rows = append(rows, row)
	}
	return rows
}

func fillCapacity(table *web.Table, dataset market.Dataset, rows []capacityRow) {
	table.Caption = web.Text{FR: "Capacité contractée, prix par MW et heure", EN: "Procured capacity, price per MW and hour"}
	table.Words = []web.Column{
		{Name: "direction", Label: web.Text{FR: "Sens", EN: "Direction"}}, {Name: "time_horizon", Label: web.Text{FR: "Horizon", EN: "Horizon"}},
	}
	for _, name := range []string{"price", "contracted_volume_mw", "offered_volume_mw"} {
		table.Columns = append(table.Columns, tableColumn(columnNamed(dataset, name)))
	}
	for _, row := range rows {
		table.Rows = append(table.Rows, web.Row{
			Period:  market.Period{Start: row.step.Start, End: row.step.Start + row.seconds},
			Series:  seriesKey(row.step),
			Words:   []string{string(row.step.Direction), row.step.TimeHorizon},
			Numbers: []market.Number{row.pricePerHour, row.step.ContractedMW, row.step.OfferedMW},
		})
	}
}

// seriesKey names the series of a step, such as upward-daily-std. The rows of one period have different ones.
func seriesKey(step market.CapacityStep) string {
	return strings.ToLower(strings.Join([]string{string(step.Direction), step.TimeHorizon, step.Product}, "-"))
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
