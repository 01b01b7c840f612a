package api

import (
	"context"
	"slices"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// view defines how a dataset is served and shown: the answer of its endpoint, and its tables and charts on pages.
type view struct {
	// body writes the answer of the endpoint.
	body func(store.Window) []byte
	// lastDateOnly is set if that is about the last delivery date only, and not about all dates of the window.
	lastDateOnly bool
	// sample returns invented rows of a delivery date, for the documentation.
	sample func(market.DeliveryDate) market.Chunk
	// columns are the names of the columns that tables are made of; nil: all of the dataset's own.
	columns []string
	// resolution is the length of the buckets that tables show, with these statistics; empty: the native step.
	resolution market.BucketLength
	stats      []market.Stat
	// fill sets what a table shows of rows with the columns, and its caption if that is not the dataset's title.
	fill func(table *web.Table, rows market.Chunk)
	// source names the sources of the rows of a period on pages; nil: the dataset's source.
	source func(context.Context, *store.Store, shownTable) (web.Text, error)
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

// shownTable is the table of a period, with the rows it was made from.
type shownTable struct {
	table   web.Table
	rows    market.Chunk
	period  market.Period
	changed store.Position // of the commit that last changed the dataset
}

// tableKey is what a cached table is found by: pages of whole dates and the overview, which shows other lengths, do not
// replace each other's.
type tableKey struct {
	dataset market.Dataset
	seconds int64
}

// table reads the table that pages and the CSV show of a period, as the data API reads rows.
func (s *Server) table(ctx context.Context, dataset market.Dataset, period market.Period) (shownTable, error) {
	view, about := viewOf(dataset), dataset.About()
	columns := dataset.Series().ServedColumns()
	if view.columns != nil {
		columns = nil
		for _, name := range view.columns {
			columns = append(columns, columnNamed(dataset, name))
		}
	}
	reading, err := s.store.Read(ctx, store.ReadQuery{Dataset: dataset, Period: period, Columns: columnNames(columns)})
	if err != nil {
		return shownTable{}, explainReading(err)
	}
	key := tableKey{dataset, period.Seconds()}
	if kept, is := s.tables.Load(key); is {
		if last := kept.(shownTable); last.period == period && last.changed == reading.Changed {
			return last, nil
		}
	}
	shown := shownTable{period: period, changed: reading.Changed, table: web.Table{
		ID: string(dataset), Caption: web.Text(about.Title), Source: web.Text{FR: about.Source, EN: about.Source},
		Period: period, Long: period.Seconds() > longestDate, Ahead: about.Ahead,
	}}
	if view.resolution != "" {
		resampler := market.NewResampler(dataset.Series(), columns, view.resolution, view.stats...)
		err = foldRows(ctx, reading, columns, resampler, shown.rows.Append)
		shown.rows.Append(resampler.End())
	} else {
		for chunk, fault := range reading.Chunks(ctx) {
			if err = fault; err == nil {
				shown.rows.Append(chunk)
			}
		}
	}
	if err != nil {
		return shownTable{}, explainReading(err)
	}
	if len(reading.Thinned) > 0 {
		shown.table.Note = thinnedNote
	}
	view.fill(&shown.table, shown.rows)
	if view.resolution != "" { // the store caches rows, but not what is made of 21 600 of them
		s.tables.Store(key, shown)
	}
	return shown, nil
}

// longestDate is how many seconds the longest delivery date has.
const longestDate = 25 * market.HourSeconds

// thinnedNote is the notice beside dates whose 4 s steps were removed.
var thinnedNote = web.Text{
	FR: "Pour cette date, seules les moyennes de 5 minutes sont conservées : les pas de 4 secondes ont été supprimés.",
	EN: "For this date, only the 5 minute means are kept: the 4 second steps were removed.",
}

// tableColumn returns the table column that shows a column of the dataset.
func tableColumn(c market.ServedColumn) web.Column {
	return web.Column{Name: c.Name, Label: web.Text(c.Label), Unit: c.Unit.Symbol(), Decimals: c.Unit.Decimals()}
}

// columnNamed returns the column that the API serves under a name. It panics if the dataset has no such column.
func columnNamed(dataset market.Dataset, name string) market.ServedColumn {
	columns := rowsColumns(dataset)
	return columns[slices.IndexFunc(columns, func(c market.ServedColumn) bool { return c.Name == name })]
}

// charts returns the charts of a dataset's table, with the period as their time axis.
func (s *Server) charts(dataset market.Dataset, table web.Table, period market.Period) []web.Chart {
	var charts []web.Chart
	for _, d := range viewOf(dataset).drawings(table) {
		charts = append(charts, web.Chart{
			Name: d.name, TableID: table.ID, Period: period, Now: s.clock.Now().Unix(), Unit: d.unit, Series: d.series, Large: d.large,
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
	days := newDayMeans(table)
	var all market.Mean
	known := table.Period.Start // everything before it is known, or in Missing
	for _, row := range table.Rows {
		if row.Series != rows {
			continue
		}
		figures.Periods++
		n := row.Numbers[at]
		days.add(row.Period, n, table.Ahead)
		if !n.Valid {
			continue
		}
		if row.Period.Start > known {
			figures.Missing = append(figures.Missing, market.Period{Start: known, End: row.Period.Start})
		}
		known = row.Period.End
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
		figures.Newest, figures.NewestAt = n, row.Period
		all.AddTimes(n, row.Period.Seconds())
	}
	if known < table.Period.End {
		figures.Missing = append(figures.Missing, market.Period{Start: known, End: table.Period.End})
	}
	if !table.Ahead {
		figures.Missing = nil
	}
	figures.Days = days.means()
	if figures.Mean = all.Number(); table.Columns[at].Mean.Valid {
		figures.Mean = table.Columns[at].Mean
	}
	return web.Series{Key: key, Label: label, Figures: figures}
}

// dayMeans computes the means of a series over delivery dates.
type dayMeans struct {
	calendar market.Calendar
	days     []web.DayMean
	sums     []market.Mean
}

// newDayMeans returns the dates of a table without means.
func newDayMeans(table web.Table) *dayMeans {
	m := &dayMeans{}
	for _, date := range table.Period.Dates() {
		m.days = append(m.days, web.DayMean{Date: date, Whole: date.Period().Seconds()})
	}
	m.sums = make([]market.Mean, len(m.days))
	return m
}

// add adds the value of a period. A null makes the period unknown if the data are known ahead.
func (m *dayMeans) add(period market.Period, n market.Number, ahead bool) {
	at := m.days[0].Date.DaysUntil(m.calendar.DateOf(period.Start))
	day := &m.days[at]
	m.sums[at].AddTimes(n, period.Seconds())
	if n.Valid || !ahead {
		day.Known += period.Seconds()
	}
	if !n.Valid {
		return
	}
	if !day.Least.Valid || n.V < day.Least.V {
		day.Least = n
	}
	if !day.Most.Valid || n.V > day.Most.V {
		day.Most = n
	}
	if n.V < 0 {
		day.Negative++
	}
}

func (m *dayMeans) means() []web.DayMean {
	for i := range m.days {
		m.days[i].Mean = m.sums[i].Number()
	}
	return m.days
}

// Labels on pages.
var (
	labelPrices   = web.Text{FR: "Prix", EN: "Prices"}
	labelUpward   = web.Text{FR: "Hausse", EN: "Upward"}
	labelDownward = web.Text{FR: "Baisse", EN: "Downward"}
)
