package api

import (
	"context"
	"slices"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// view defines how a dataset is served and shown: the answer of its endpoint, and its tables and charts on pages.
type view struct {
	// build reads the newest delivery dates and writes the answer of the endpoint.
	build func(ctx context.Context, db *store.Store, windowDays int) (body, error)
	// example writes an answer with invented values of a delivery date, fetched at the given time, for the documentation.
	example func(date market.DeliveryDate, read time.Time) body
	// sample returns the rows of that answer as they are stored.
	sample func(date market.DeliveryDate) market.Chunk
	// table reads the table that pages and the CSV show of the dates.
	table func(ctx context.Context, s *Server, dates span) (web.Table, error)
	// drawings returns the charts of a table.
	drawings func(web.Table) []drawing
	// kicker is the line above the first chart: what the chart shows.
	kicker web.Text
	// oneDateOnly is set if pages show one delivery date of the dataset at a time.
	oneDateOnly bool
}

// drawing is a chart without its time axis.
type drawing struct {
	name   web.Text
	unit   string
	series []web.Series
	large  bool
}

// views are the views of the series that are not served row by row as stored.
var views = map[market.AnySeries]func(market.Dataset) view{
	market.Prices: pricesView, market.Capacity: capacityView, market.AFRR: afrrView, market.MFRR: mfrrView,
}

// viewOf returns the view of a dataset; rowsView if it has no view of its own.
func viewOf(dataset market.Dataset) view {
	if special, is := views[dataset.Series()]; is {
		return special(dataset)
	}
	return rowsView(dataset)
}

// newTable returns a table of a dataset without columns and rows.
func newTable(dataset market.Dataset, dates span) web.Table {
	about := dataset.About()
	return web.Table{
		ID: string(dataset), Caption: web.Text(about.Title), Source: web.Text{FR: about.Source, EN: about.Source}, Long: dates.days() > 1,
	}
}

// tableColumn returns the table column that shows a column of the dataset.
func tableColumn(c market.ServedColumn) web.Column {
	return web.Column{Name: c.Name, Label: web.Text(c.Label), Unit: c.Unit.Symbol(), Decimals: c.Unit.Decimals()}
}

// columnNamed returns the column that the API serves under a name. It panics if the dataset has no such column.
func columnNamed(dataset market.Dataset, name string) market.ServedColumn {
	columns := dataset.Series().ServedColumns()
	return columns[slices.IndexFunc(columns, func(c market.ServedColumn) bool { return c.Name == name })]
}

// charts returns the charts of a dataset's table, with the dates as their time axis.
func (s *Server) charts(dataset market.Dataset, table web.Table, dates span) []web.Chart {
	var charts []web.Chart
	for _, d := range viewOf(dataset).drawings(table) {
		charts = append(charts, web.Chart{
			Name: d.name, TableID: table.ID, Period: dates.period(), Now: s.clock.Now().Unix(), Unit: d.unit, Series: d.series, Large: d.large,
		})
	}
	return charts
}

// seriesOf returns a line of a chart: a column of the table, of the rows of one series only; "" is the series of a table with
// one row a period.
func seriesOf(table web.Table, rows, column string, label web.Text) web.Series {
	at := slices.IndexFunc(table.Columns, func(c web.Column) bool { return c.Name == column })
	key := column
	if rows != "" {
		key = rows + "-" + column
	}
	figures := web.Figures{Dated: table.Long}
	var all market.Mean
	for _, row := range table.Rows {
		if row.Series != rows {
			continue
		}
		figures.Periods++
		n := row.Numbers[at]
		if !n.Valid {
			continue
		}
		if figures.Values == 0 || n.V < figures.Least.V {
			figures.Least, figures.LeastAt = n, row.Period
		}
		if figures.Values == 0 || n.V > figures.Most.V {
			figures.Most, figures.MostAt = n, row.Period
		}
		figures.Values++
		if n.V < 0 {
			figures.Negative++
		}
		all.Add(n)
	}
	figures.Mean = all.Number()
	return web.Series{Key: key, Label: label, Figures: figures}
}

// Labels on pages.
var (
	labelPrices   = web.Text{FR: "Prix", EN: "Prices"}
	labelUpward   = web.Text{FR: "Hausse", EN: "Upward"}
	labelDownward = web.Text{FR: "Baisse", EN: "Downward"}
)
