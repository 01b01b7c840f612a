package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/api/format"
	"courant/store/market"
	"courant/store/market/analysis"
	"courant/web"
)

// explore answers the page that shows any series over any range of stored delivery dates.
func (s *Server) explore(c echo.Context, identity auth.Identity) error {
	body, err := s.exploreBody(c, identity)
	return s.page(c, http.StatusOK, body, err)
}

// exploreBody makes the page once it is its turn.
func (s *Server) exploreBody(c echo.Context, identity auth.Identity) ([]byte, error) {
	ctx := c.Request().Context()
	done, err := s.awaitViewTurn(ctx, identity)
	if err != nil {
		return nil, err
	}
	defer done()
	feeds, err := s.feeds(ctx, identity)
	if err != nil {
		return nil, err
	}
	catalog, err := s.exploreCatalog(ctx)
	if err != nil {
		return nil, err
	}
	e := exploration{server: s, identity: identity, feeds: feeds, catalog: catalog, language: language(c)}
	var valid bool
	e.query, valid = parseExplore(c.QueryParams(), e.isKnown)
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	view, err := e.view(ctx)
	if err != nil {
		return nil, err
	}
	view.InvalidAddress = !valid
	visitor := visit(c, identity)
	if c.Request().URL.RawQuery != "" {
		visitor.Path += "?" + e.query.query()
	}
	return s.pages.Explore(visitor, view)
}

// awaitViewTurn waits until a view of the page for exploring may be made, which lasts until done is called. The error is
// problemTooManyAnswers if too many views of the account are made or wait, or that of ctx.
func (s *Server) awaitViewTurn(ctx context.Context, identity auth.Identity) (done func(), err error) {
	if !s.views.add(identity.AccountID, 1) {
		return nil, problemTooManyAnswers
	}
	select {
	case s.viewTurns <- struct{}{}:
		return func() {
			<-s.viewTurns
			s.views.remove(identity.AccountID, 1)
		}, nil
	case <-ctx.Done():
		s.views.remove(identity.AccountID, 1)
		return nil, ctx.Err()
	}
}

// exploration is one view of the page for exploring.
type exploration struct {
	server   *Server
	identity auth.Identity
	feeds    web.Feeds
	catalog  map[market.Dataset][]exploredSeries
	language web.Language

	query  exploreQuery
	series []exploredSeries // that are shown, of datasets that the visitor may read
	locked []market.Dataset
	dates  span // that are shown
}

// isKnown reports whether a dataset has the series with an ID, also if the visitor may not read it.
func (e *exploration) isKnown(id string) bool {
	_, known := e.find(id)
	return known
}

func (e *exploration) find(id string) (exploredSeries, bool) {
	name, _, _ := strings.Cut(id, ":")
	for _, series := range e.catalog[market.Dataset(name)] {
		if series.id == id {
			return series, true
		}
	}
	return exploredSeries{}, false
}

// begin finds the series and the dates that are shown.
func (e *exploration) begin(ctx context.Context) error {
	if len(e.query.series) == 0 {
		e.query.series = []string{e.catalog[pricesDataset()][0].id}
	}
	for _, id := range e.query.series {
		series, _ := e.find(id)
		if e.identity.May(series.dataset) == nil {
			e.series = append(e.series, series)
		} else if !slices.Contains(e.locked, series.dataset) {
			e.locked = append(e.locked, series.dataset)
		}
	}
	var stored span // the dates that any of the datasets has
	for _, dataset := range e.datasets() {
		extent, err := e.server.store.Extent(ctx, dataset)
		if err != nil {
			return err
		}
		if stored.first.IsZero() || !extent.First.IsZero() && extent.First.Before(stored.first) {
			stored.first = extent.First
		}
		stored.last = later(stored.last, extent.Last)
	}
	today := market.DeliveryDateOf(e.server.clock.Now())
	if stored.first.IsZero() {
		stored = span{today, today}
	}
	e.dates = e.query.dates
	if e.query.preset != "" {
		i := slices.IndexFunc(exploredRanges, func(r exploredRange) bool { return r.value == e.query.preset })
		e.dates = exploredRanges[i].of(stored, today)
	}
	within := span{later(e.dates.first, stored.first), earlier(e.dates.last, stored.last)}
	if !within.last.Before(within.first) {
		e.dates = within
	}
	return nil
}

func later(a, b market.DeliveryDate) market.DeliveryDate {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b market.DeliveryDate) market.DeliveryDate {
	if b.Before(a) {
		return b
	}
	return a
}

// address returns the address of the page with another query.
func (e *exploration) address(change func(*exploreQuery)) string {
	q := e.query
	change(&q)
	return "?" + q.query()
}

// view returns what the page shows.
func (e *exploration) view(ctx context.Context) (web.Explore, error) {
	view := web.Explore{
		Path: web.PageExplore.Path, First: e.dates.first, Last: e.dates.last, MostSeries: mostExplored,
	}
	for _, r := range exploredRanges {
		view.Presets = append(view.Presets, web.Choice{
			Value: r.value, Label: r.text, Chosen: r.value == e.query.preset, Address: e.address(func(q *exploreQuery) { q.preset = r.value }),
		})
	}
	for _, before := range exploredBefore {
		view.Befores = append(view.Befores, web.Choice{Value: before.value, Label: before.text, Chosen: before.value == e.query.before})
	}
	for _, dataset := range market.Datasets() {
		group := web.SeriesGroup{Dataset: dataset, Locked: e.identity.May(dataset) != nil}
		if group.Locked {
			view.Groups = append(view.Groups, group)
			continue
		}
		for _, series := range e.catalog[dataset] {
			group.Series = append(group.Series, web.SeriesChoice{
				ID: series.id, Label: series.label(), Chosen: slices.Contains(e.query.series, series.id),
			})
		}
		view.Groups = append(view.Groups, group)
	}
	for _, dataset := range e.locked {
		view.Notices = append(view.Notices, web.Sheet{Dataset: dataset, Absence: web.AbsenceLocked})
	}
	if len(e.series) == 0 {
		return view, nil
	}
	return view, e.fill(ctx, &view)
}

// datasets returns the datasets of the series, each once.
func (e *exploration) datasets() []market.Dataset {
	var all []market.Dataset
	for _, series := range e.series {
		if !slices.Contains(all, series.dataset) {
			all = append(all, series.dataset)
		}
	}
	return all
}

// fill reads the rows and adds what is made of them.
func (e *exploration) fill(ctx context.Context, view *web.Explore) error {
	lines := len(e.series)
	before := daysBefore(e.query.before)
	if before > 0 {
		lines *= 2
	}
	analysed := e.series[max(0, slices.IndexFunc(e.series, func(s exploredSeries) bool { return s.id == e.query.of }))]
	shown := map[string][]web.Series{}
	view.NothingBefore = before > 0
	for _, dataset := range e.datasets() {
		var all []exploredSeries
		for _, series := range e.series {
			if series.dataset == dataset {
				all = append(all, series)
			}
		}
		drawn := drawnLength(dataset, e.dates.days(), lines)
		read := readLength(dataset, e.dates.days(), drawn)
		steps, compared, err := e.read(ctx, all, read, before)
		if err != nil {
			return err
		}
		isEmpty := !slices.ContainsFunc(all, func(s exploredSeries) bool { return len(steps[s.id]) > 0 })
		if sheet := e.notice(dataset, isEmpty); sheet.Absence != "" {
			view.Notices = append(view.Notices, sheet)
		}
		if isEmpty {
			continue
		}
		for _, series := range all {
			shown[series.id] = []web.Series{e.line(series, steps[series.id], drawn, 0)}
			if earlier := compared[series.id]; len(earlier) > 0 {
				view.NothingBefore = false
				shown[series.id] = append(shown[series.id], e.lineBefore(series, earlier, drawn))
			}
		}
		view.Files = append(view.Files, e.files(dataset, all, drawn))
		if analysed.dataset == dataset && len(steps[analysed.id]) > 0 {
			view.Analysis = e.analysis(analysed, steps[analysed.id], read)
		}
	}
	view.Charts = e.panels(shown)
	source := sourcesOf(e.datasets())
	for i := range view.Charts {
		view.Charts[i].Source = source
	}
	if view.Analysis != nil {
		for i := range view.Analysis.Charts {
			view.Analysis.Charts[i].Source = sourcesOf([]market.Dataset{analysed.dataset})
		}
	}
	return nil
}

// sourcesOf names the sources of datasets.
func sourcesOf(datasets []market.Dataset) web.Text {
	var names []string
	for _, dataset := range datasets {
		if source := dataset.About().Source; !slices.Contains(names, source) {
			names = append(names, source)
		}
	}
	list := strings.Join(names, ", ")
	return web.Text{FR: "Source : " + list, EN: "Source: " + list}
}

// read reads the steps of series of one dataset over the range and, if before is above 0, over the range that lies so many days
// before it. Ranges that overlap are read once.
func (e *exploration) read(ctx context.Context, all []exploredSeries, length market.BucketLength, before int) (
	steps, compared map[string][]analysis.Step, err error,
) {
	period := e.dates.period()
	past := span{e.dates.first.Add(-before), e.dates.last.Add(-before)}.period()
	if before == 0 || !past.Overlaps(period) {
		if steps, err = e.server.readSteps(ctx, e.identity, all, period, length); err == nil && before > 0 {
			compared, err = e.server.readSteps(ctx, e.identity, all, past, length)
		}
		return steps, compared, err
	}
	both, err := e.server.readSteps(ctx, e.identity, all, market.Period{Start: past.Start, End: period.End}, length)
	steps, compared = map[string][]analysis.Step{}, map[string][]analysis.Step{}
	for id, list := range both {
		from := slices.IndexFunc(list, func(s analysis.Step) bool { return s.Start >= period.Start })
		to := slices.IndexFunc(list, func(s analysis.Step) bool { return s.Start >= past.End })
		if from >= 0 {
			steps[id] = list[from:]
		}
		if to < 0 {
			to = len(list)
		}
		compared[id] = list[:to]
	}
	return steps, compared, err
}

// fold returns steps of a dataset as they are drawn.
func fold(dataset market.Dataset, steps []analysis.Step, drawn market.BucketLength) []analysis.Step {
	if drawn.Seconds() == dataset.Series().StepSeconds() {
		return steps
	}
	return analysis.Fold(steps, drawn)
}

// lineBefore returns the line of a series in the earlier range that is laid over the one shown.
func (e *exploration) lineBefore(series exploredSeries, steps []analysis.Step, drawn market.BucketLength) web.Series {
	comparison := exploredBefore[slices.IndexFunc(exploredBefore, func(b exploredComparison) bool { return b.value == e.query.before })]
	line := e.line(series, steps, drawn, comparison.days)
	line.Key, line.Style = line.Key+":before", line.Style+" before"
	line.Label = web.Text{FR: line.Label.FR + ", " + comparison.text.FR, EN: line.Label.EN + ", " + comparison.text.EN}
	return line
}

// line returns the line of a series over the dates so many days before those shown, drawn that much later. Its figures are those of
// its own dates, of the steps before they are folded to be drawn.
func (e *exploration) line(series exploredSeries, steps []analysis.Step, drawn market.BucketLength, before int) web.Series {
	published := series.dataset.Series().StepSeconds()
	total := analysis.All(analysis.Days(steps, published, e.dates.first.Add(-before), e.dates.last.Add(-before)))
	steps = fold(series.dataset, steps, drawn)
	if before > 0 {
		steps = analysis.Shift(steps, before)
	}
	query := series.rowsQuery()
	query.Set("format", string(format.Columns))
	return web.Series{
		Key: series.id, Label: series.name(), Runs: web.Runs(steps), Before: before,
		Rows: web.RowsPath(series.dataset) + "?" + query.Encode(), Step: published,
		Style: "s" + strconv.Itoa(slices.IndexFunc(e.series, func(other exploredSeries) bool { return other.id == series.id })),
		Figures: web.Figures{
			Values: int(total.Values()), Periods: int(total.Expected), Mean: total.Mean(), Least: total.Least(), Most: total.Most(),
			LeastAt: total.LeastAt, MostAt: total.MostAt, Dated: true,
		},
	}
}

// panels returns a chart for each unit, all with the same time axis.
func (e *exploration) panels(shown map[string][]web.Series) []web.Chart {
	var charts []web.Chart
	for _, series := range e.series {
		if len(shown[series.id]) == 0 {
			continue
		}
		unit := series.column.Unit.Symbol()
		i := slices.IndexFunc(charts, func(c web.Chart) bool { return c.Unit == unit })
		if i < 0 {
			i = len(charts)
			charts = append(charts, web.Chart{
				Name: series.name(), Period: e.dates.period(), Now: e.server.clock.Now().Unix(), Unit: unit, Large: len(e.series) == 1, Saves: true,
			})
		} else {
			charts[i].Name = web.Text{FR: "Séries en " + unit, EN: "Series in " + unit}
		}
		charts[i].Series = append(charts[i].Series, shown[series.id]...)
	}
	return charts
}

// notice returns why rows of a dataset are missing; the Sheet has no Absence if none are.
func (e *exploration) notice(dataset market.Dataset, isEmpty bool) web.Sheet {
	feed := e.feeds.Of(dataset)
	sheet := web.Sheet{Dataset: dataset, First: e.dates.first, Last: e.dates.last, Feed: feed, Gaps: gapsIn(feed, e.dates)}
	switch {
	case isEmpty && feed.Last.IsZero() && feed.State == report.StateOff:
		sheet.Absence = web.AbsenceOff
	case isEmpty && feed.Last.IsZero():
		sheet.Absence = web.AbsenceNothing
	case isEmpty:
		sheet.Absence = web.AbsenceDates
	case len(sheet.Gaps) > 0:
		sheet.Absence = web.AbsenceStale
	}
	return sheet
}

// files returns the addresses of the shown rows of a dataset.
func (e *exploration) files(dataset market.Dataset, all []exploredSeries, drawn market.BucketLength) web.SeriesFiles {
	lists := map[string][]string{}
	for _, series := range all {
		for name, values := range series.rowsQuery() {
			if !slices.Contains(lists[name], values[0]) {
				lists[name] = append(lists[name], values[0])
			}
		}
	}
	query := url.Values{"from": {e.dates.first.String()}, "to": {e.dates.last.Add(1).String()}}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		query.Set(name, strings.Join(lists[name], ","))
	}
	var length market.BucketLength
	if drawn.Seconds() != dataset.Series().StepSeconds() {
		length = drawn
		query.Set("resolution", string(drawn))
	}
	as := func(form format.Form) string {
		query.Set("format", string(form))
		return web.RowsPath(dataset) + "?" + query.Encode()
	}
	table := format.CSV
	if e.language == web.French {
		table = format.FrenchCSV
	}
	return web.SeriesFiles{Dataset: dataset, Length: length, CSV: as(table), XLSX: as(format.XLSX), Parquet: as(format.Parquet)}
}

const (
	distributionPoints = 400
	mostDayColumns     = 400 // days of a heat map; more are shown as weeks
)

// analysis returns what is computed of one series.
func (e *exploration) analysis(series exploredSeries, steps []analysis.Step, read market.BucketLength) *web.Analysis {
	published := series.dataset.Series().StepSeconds()
	days := analysis.Days(steps, published, e.dates.first, e.dates.last)
	a := &web.Analysis{
		Name: series.name(), Unit: series.column.Unit.Symbol(), Decimals: series.column.Unit.Decimals(),
		Whole: analysis.All(days), Days: days, Months: analysis.Months(days),
	}
	slices.Reverse(a.Days)
	if read.Seconds() != published {
		a.Step = read
	}
	for _, other := range e.series {
		a.Choices = append(a.Choices, web.Choice{
			Label: other.name(), Chosen: other.id == series.id, Address: e.address(func(q *exploreQuery) { q.of = other.id }),
		})
	}
	if e.dates.days() > 1 {
		width := 1
		if e.dates.days() > mostDayColumns {
			width = 7
		}
		a.Heat = &web.HeatMap{Days: width, Unit: a.Unit, Columns: analysis.Columns(steps, e.dates.first, e.dates.last, width)}
		a.Charts = append(a.Charts, meanDay(a, analysis.MeanDayOf(steps)))
	}
	a.Charts = append(a.Charts, distribution(a, analysis.Durations(steps, distributionPoints)))
	return a
}

// meanDay returns the chart of the mean day.
func meanDay(a *web.Analysis, day analysis.MeanDay) web.Chart {
	line := func(key, style string, label web.Text, hours []market.Number) web.Series {
		return web.Series{Key: key, Style: style, Label: label, Runs: web.Run(0, market.HourSeconds, hours)}
	}
	return web.Chart{
		Name: web.Text{FR: "Journée moyenne", EN: "Average day"}, Unit: a.Unit, Saves: true,
		Axis: web.AxisHour, Period: market.Period{End: 24 * market.HourSeconds},
		Series: []web.Series{
			line("all", "s0", web.Text{FR: "Tous les jours", EN: "All days"}, day.All[:]),
			line("weekdays", "s1", web.Text{FR: "Lundi à vendredi", EN: "Monday to Friday"}, day.Weekdays[:]),
			line("weekends", "s2", web.Text{FR: "Week-end", EN: "Weekend"}, day.Weekends[:]),
		},
		Summary: web.Text{FR: "Moyenne de chaque heure du jour sur la période.", EN: "Mean of each hour of the day over the range."},
	}
}

// distribution returns the chart of the values from the greatest to the least.
func distribution(a *web.Analysis, values []market.Number) web.Chart {
	return web.Chart{
		Name: web.Text{FR: "Monotone", EN: "Duration curve"},
		Unit: a.Unit, Axis: web.AxisShare, Period: market.Period{End: int64(cmp.Or(len(values), 1))}, Saves: true,
		Series:  []web.Series{{Key: "values", Style: "s0", Label: a.Name, Runs: web.Run(0, 1, values)}},
		Summary: web.Text{FR: "Part du temps pendant laquelle la valeur est dépassée.", EN: "Share of the time for which a value is exceeded."},
	}
}
