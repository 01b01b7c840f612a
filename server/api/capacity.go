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

// capacityView serves and shows procured reserve by hours.
func capacityView(dataset market.Dataset) view {
	return view{
		build: func(ctx context.Context, db *store.Store, windowDays int) (body, error) {
			window, err := store.Latest(ctx, db, market.Capacity, dataset, windowDays)
			return finish(window, capacityBody), err
		},
		example: func(date market.DeliveryDate, read time.Time) body {
			return finish(windowOf(inventedCapacity(dataset, date), date, read), capacityBody)
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

// soldDirections are the directions in which a reserve is sold each day.
func soldDirections(dataset market.Dataset) []market.Direction {
	var directions []market.Direction
	for _, due := range dataset.About().Due {
		direction, _, _ := strings.Cut(due.Prefix, "/")
		directions = append(directions, market.Direction(direction))
	}
	return directions
}

// inventedCapacity is an hour of a reserve with values that nobody published.
func inventedCapacity(dataset market.Dataset, date market.DeliveryDate) []market.CapacityStep {
	var steps []market.CapacityStep
	for i := range int64(quartersPerHour) {
		for d, direction := range soldDirections(dataset) {
			steps = append(steps, market.CapacityStep{
				Dataset: dataset, Start: date.Start().Unix() + i*market.QuarterSeconds, Direction: direction, TimeHorizon: market.DailyHorizon,
				OfferedMW: market.Num(842), ContractedMW: market.Num(578), Price: market.Num(1.785 - float64(d)),
			})
		}
	}
	return steps
}

// capacityRow is one row of the API: an hour, or a quarter of one that could not be made an hour.
type capacityRow struct {
	step      market.CapacityStep // the first or only one
	seconds   int64
	perMWAndH market.Number
}

const (
	hourSeconds     = 3600
	quartersPerHour = hourSeconds / market.QuarterSeconds
)

// capacityBody answers one of the three capacity endpoints; prices are EUR per MW and hour.
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
	w.key(fetchedKey).fetched(window.FetchedAt)
	w.close('}')
	return w.bytes
}

func writeCapacity(w *jsonWriter, row capacityRow) {
	step := row.step
	w.open('{')
	w.key("period_start_utc").instant(step.Start)
	w.key("period_end_utc").instant(step.Start + row.seconds)
	if len(soldDirections(step.Dataset)) == 1 {
		w.key("volume_mw").number(step.ContractedMW)
		w.key("contracted_volume_mw").number(step.ContractedMW)
		w.key("offered_volume_mw").number(step.OfferedMW)
		w.key("price").number(row.perMWAndH)
		w.key("direction").text(string(step.Direction))
		w.key("product_type").text(step.Dataset.About().Reserve)
	} else {
		w.key("direction").text(string(step.Direction))
		w.key("price").number(row.perMWAndH)
		w.key("product_type").text(step.Dataset.About().Reserve)
		w.key("offered_volume_mw").number(step.OfferedMW)
		w.key("contracted_volume_mw").number(step.ContractedMW)
	}
	w.key("time_horizon").textOrNull(step.TimeHorizon)
	w.close('}')
}

// capacityRows makes one row of the four steps of a clock hour where all four are there, none lacks its price and both
// volumes are the same in all; the steps of another hour stay as they are, priced for an hour.
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
		rows = append(rows, foldHour(sorted[:n])...)
		sorted = sorted[n:]
	}
	slices.SortStableFunc(rows, func(a, b capacityRow) int {
		return cmp.Or(cmp.Compare(a.step.Start, b.step.Start), compareSeries(a.step, b.step))
	})
	return rows
}

func hourOf(step market.CapacityStep) int64 { return step.Start - step.Start%hourSeconds }

// compareSeries orders what is sold for one period: UPWARD before DOWNWARD, then by time horizon and RTE's product.
func compareSeries(a, b market.CapacityStep) int {
	return cmp.Or(
		-cmp.Compare(a.Direction, b.Direction), // the other way round from the alphabet
		cmp.Compare(a.TimeHorizon, b.TimeHorizon), cmp.Compare(a.Product, b.Product),
	)
}

// foldHour takes the steps of one series in one hour.
func foldHour(steps []market.CapacityStep) []capacityRow {
	first := steps[0]
	whole := len(steps) == quartersPerHour
	var sum market.Micro
	for _, step := range steps {
		whole = whole && step.Price.Valid && step.OfferedMW == first.OfferedMW && step.ContractedMW == first.ContractedMW
		sum += market.MicroOf(step.Price.V)
	}
	if whole {
		return []capacityRow{{step: first, seconds: hourSeconds, perMWAndH: sum.Number()}}
	}
	rows := make([]capacityRow, 0, len(steps))
	for _, step := range steps {
		row := capacityRow{step: step, seconds: market.QuarterSeconds}
		if step.Price.Valid {
			row.perMWAndH = (quartersPerHour * market.MicroOf(step.Price.V)).Number()
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
			Numbers: []market.Number{row.perMWAndH, row.step.ContractedMW, row.step.OfferedMW},
		})
	}
}

// seriesKey tells what is sold for one period apart, such as upward-daily-std.
func seriesKey(step market.CapacityStep) string {
	return strings.ToLower(strings.Join([]string{string(step.Direction), step.TimeHorizon, step.Product}, "-"))
}

// capacityDrawings draws the prices and the volumes procured of what is sold.
func capacityDrawings(table web.Table) []drawing {
	price := drawing{name: labelPrices, unit: table.Columns[0].Unit}
	volume := drawing{name: web.Text{FR: "Volume contracté", EN: "Procured volume"}, unit: table.Columns[1].Unit}
	for _, sold := range soldIn(table) {
		price.series = append(price.series, seriesOf(table, sold.key, table.Columns[0].Name, sold.label))
		volume.series = append(volume.series, seriesOf(table, sold.key, table.Columns[1].Name, sold.label))
	}
	return []drawing{price, volume}
}

// sold is a series of a table of capacity.
type sold struct {
	key   string
	label web.Text
}

// soldIn lists the series of a table of capacity, as they are ordered in a period.
func soldIn(table web.Table) []sold {
	var all []sold
	for _, row := range table.Rows {
		if slices.ContainsFunc(all, func(s sold) bool { return s.key == row.Series }) {
			continue
		}
		label := map[string]web.Text{
			string(market.Upward): labelUpward, string(market.Downward): labelDownward, string(market.Symmetric): {FR: "Symétrique", EN: "Symmetric"},
		}[row.Words[0]]
		if horizon := row.Words[1]; horizon != market.DailyHorizon {
			of := web.Published(horizon)
			label = web.Text{FR: label.FR + ", " + of.FR, EN: label.EN + ", " + of.EN}
		}
		all = append(all, sold{row.Series, label})
	}
	slices.SortStableFunc(all, func(a, b sold) int { return cmp.Compare(rank(a.key), rank(b.key)) })
	return all
}

// rank puts what is sold each day first.
func rank(key string) int {
	if strings.Contains(key, "-"+strings.ToLower(market.DailyHorizon)+"-") {
		return 0
	}
	return 1
}
