package api

import (
	"context"
	"slices"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// view is what is made of a dataset: the finished answer of its endpoint, and what pages show of it.
type view struct {
	// build makes the finished answer of the newest delivery dates.
	build func(ctx context.Context, db *store.Store, windowDays int) (body, error)
	// example makes the answer with invented values of a delivery date, as read at a time.
	example func(date market.DeliveryDate, read time.Time) body
	// table reads what pages and the CSV show of delivery dates.
	table func(ctx context.Context, s *Server, dates span) (web.Table, error)
	// drawings are the charts of a table.
	drawings func(web.Table) []drawing
	// kicker says what the first chart shows.
	kicker web.Text
	// byDate marks a dataset of which pages show one delivery date at a time.
	byDate bool
}

// drawing is a chart without its times.
type drawing struct {
	name   web.Text
	unit   string
	series []web.Series
	large  bool
}

// views are those of the series that are not shown as they are stored.
var views = map[market.AnySeries]func(market.Dataset) view{
	market.Prices: pricesView, market.Capacity: capacityView, market.AFRR: afrrView, market.MFRR: mfrrView,
}

// viewOf is the view of a dataset: by default its rows as they are stored.
func viewOf(dataset market.Dataset) view {
	if special, is := views[dataset.Series()]; is {
		return special(dataset)
	}
	return rowsView(dataset)
}

// newTable begins the table of a dataset.
func newTable(dataset market.Dataset, dates span) web.Table {
	about := dataset.About()
	return web.Table{
		ID: string(dataset), Caption: web.Text(about.Title), Source: web.Text{FR: about.Source, EN: about.Source}, Long: dates.days() > 1,
	}
}

// tableColumn is the column of a table that shows a column of the dataset.
func tableColumn(c market.ServedColumn) web.Column {
	return web.Column{Name: c.Name, Label: web.Text(c.Label), Unit: c.Unit.Symbol(), Decimals: c.Unit.Decimals()}
}

// columnNamed is a column of the dataset by the name under which it is served.
func columnNamed(dataset market.Dataset, name string) market.ServedColumn {
	columns := dataset.Series().ServedColumns()
	return columns[slices.IndexFunc(columns, func(c market.ServedColumn) bool { return c.Name == name })]
}

// charts are the drawings of a dataset's table, on the time axis of the dates.
func (s *Server) charts(dataset market.Dataset, table web.Table, dates span) []web.Chart {
	var charts []web.Chart
	for _, d := range viewOf(dataset).drawings(table) {
		charts = append(charts, web.Chart{
			Name: d.name, TableID: table.ID, Period: dates.period(), Now: s.clock.Now().Unix(), Unit: d.unit, Series: d.series, Large: d.large,
		})
	}
	return charts
}

// seriesOf is a line of a chart over the table: a column, of those rows that are of the series.
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

// Labels of what is shown on pages.
var (
	labelPrices   = web.Text{FR: "Prix", EN: "Prices"}
	labelUpward   = web.Text{FR: "Hausse", EN: "Upward"}
	labelDownward = web.Text{FR: "Baisse", EN: "Downward"}
)
