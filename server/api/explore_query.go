package api

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"courant/store/market"
	"courant/web"
)

// exploredSeries is a series that the page for exploring can show: a number column of a dataset, of the rows with these keys.
type exploredSeries struct {
	id      string // in addresses: the dataset, the keys and the column, joined by colons
	dataset market.Dataset
	keys    []string // the value of each of the dataset's ServedKeys
	column  market.ServedColumn
}

// label returns the column and the keys in words.
func (e exploredSeries) label() web.Text {
	label := web.Text(e.column.Label)
	for _, key := range e.keys {
		word := market.WordText(key)
		label = web.Text{FR: label.FR + ", " + word.FR, EN: label.EN + ", " + word.EN}
	}
	return label
}

// name returns the dataset and the label; the dataset alone if that has a single series.
func (e exploredSeries) name() web.Text {
	title, label := e.dataset.About().Title, e.label()
	if len(e.keys) == 0 && len(numberColumns(e.dataset)) == 1 {
		return web.Text(title)
	}
	return web.Text{FR: title.FR + " : " + label.FR, EN: title.EN + ": " + label.EN}
}

// rowsQuery returns the parameters of the rows of the series.
func (e exploredSeries) rowsQuery() url.Values {
	query := url.Values{"columns": {e.column.Name}}
	for k, key := range e.dataset.Series().ServedKeys() {
		query.Set(key.Name, e.keys[k])
	}
	return query
}

func numberColumns(dataset market.Dataset) []market.ServedColumn {
	return slices.DeleteFunc(dataset.Series().ServedColumns(), func(c market.ServedColumn) bool { return c.Kind != market.KindNumber })
}

// seriesIn returns the series of a dataset, those of its main column first.
func (s *Server) seriesIn(ctx context.Context, dataset market.Dataset) ([]exploredSeries, error) {
	combinations, err := s.keysIn(ctx, dataset)
	if err != nil {
		return nil, err
	}
	var all []exploredSeries
	for _, column := range numberColumns(dataset) {
		for _, keys := range combinations {
			id := strings.Join(slices.Concat([]string{string(dataset)}, keys, []string{column.Name}), ":")
			all = append(all, exploredSeries{id, dataset, keys, column})
		}
	}
	slices.SortStableFunc(all, func(a, b exploredSeries) int { return cmp.Compare(unitRank(a), unitRank(b)) })
	return all, nil
}

// unitRank orders prices before other numbers.
func unitRank(e exploredSeries) int {
	if e.column.Unit == market.EURPerMWh || e.column.Unit == market.EURPerMW {
		return 0
	}
	return 1
}

// keysIn returns the values of the served keys that rows of a dataset have together, in the order in which they are served.
func (s *Server) keysIn(ctx context.Context, dataset market.Dataset) ([][]string, error) {
	keys := dataset.Series().ServedKeys()
	if len(keys) == 0 {
		return [][]string{nil}, nil
	}
	names, err := s.store.SeriesOf(ctx, dataset)
	if err != nil {
		return nil, err
	}
	var combinations [][]string
	for _, name := range names {
		combinations = append(combinations, dataset.Series().KeysOf(name))
	}
	slices.SortStableFunc(combinations, func(a, b []string) int {
		for k, key := range keys {
			rank := func(value string) int {
				if i := slices.Index(key.Values, value); i >= 0 {
					return i
				}
				return len(key.Values)
			}
			if order := cmp.Or(cmp.Compare(rank(a[k]), rank(b[k])), strings.Compare(a[k], b[k])); order != 0 {
				return order
			}
		}
		return 0
	})
	return combinations, nil
}

// The names of parameters of the page, and the values of before.
const (
	seriesParameter = "s"
	rangeParameter  = "range"
	beforeParameter = "before"
	analysisOf      = "of"
	defaultRange    = "30d"
)

const (
	mostExplored = 8   // series in one view
	daysInAYear  = 364 // 52 weeks, so that the same days of the week are compared
	// mostExploredDates is more than any source has published.
	mostExploredDates = 100 * 366
)

// exploredComparison is a range that can be laid over the one shown, so many days before it.
type exploredComparison struct {
	value string // in the address
	days  int
	text  web.Text
}

var exploredBefore = []exploredComparison{
	{"day", 1, web.Text{FR: "veille", EN: "day before"}},
	{"week", 7, web.Text{FR: "semaine précédente", EN: "week before"}},
	{"year", daysInAYear, web.Text{FR: "un an avant (52 semaines)", EN: "year before (52 weeks)"}},
}

// exploredRange is a range that follows from today and from the dates that are stored.
type exploredRange struct {
	value string // in the address
	text  web.Text
	of    func(stored span, today market.DeliveryDate) span
}

// exploredRanges are the ranges that the page offers.
var exploredRanges = []exploredRange{
	{"7d", web.Text{FR: "7 jours", EN: "7 days"}, lastDays(7)},
	{defaultRange, web.Text{FR: "30 jours", EN: "30 days"}, lastDays(30)},
	{"90d", web.Text{FR: "90 jours", EN: "90 days"}, lastDays(90)},
	{"month", web.Text{FR: "mois dernier", EN: "last month"}, func(_ span, today market.DeliveryDate) span {
		month := market.MonthOf(market.MonthOf(today).First().Add(-1))
		return span{month.First(), month.Last()}
	}},
	{"year", web.Text{FR: "cette année", EN: "this year"}, func(stored span, today market.DeliveryDate) span {
		year, _ := market.MonthOf(today).Civil()
		return span{market.NewDeliveryDate(year, 1, 1), later(stored.last, today)}
	}},
	{"all", web.Text{FR: "tout", EN: "all"}, func(stored span, _ market.DeliveryDate) span { return stored }},
}

func lastDays(n int) func(span, market.DeliveryDate) span {
	return func(stored span, _ market.DeliveryDate) span { return span{stored.last.Add(1 - n), stored.last} }
}

// exploreQuery is what an address of the page asks for. Everything that the page shows follows from it and the stored rows.
type exploreQuery struct {
	series []string // IDs
	preset string   // empty: dates
	dates  span     // if there is no preset
	before string   // empty: nothing is laid over
	of     string   // the ID of the series that is analysed; empty: the first
}

// query returns the query of the address.
func (q exploreQuery) query() string {
	values := url.Values{}
	for _, id := range q.series {
		values.Add(seriesParameter, id)
	}
	if q.preset != "" {
		values.Set(rangeParameter, q.preset)
	} else {
		values.Set("from", q.dates.first.String())
		values.Set("to", q.dates.last.String())
	}
	if q.before != "" {
		values.Set(beforeParameter, q.before)
	}
	if q.of != "" {
		values.Set(analysisOf, q.of)
	}
	return values.Encode()
}

// parseExplore reads the query of an address. valid is false if part of it was left out because it cannot be shown.
func parseExplore(values url.Values, known func(id string) bool) (q exploreQuery, valid bool) {
	valid = true
	for _, id := range values[seriesParameter] {
		switch {
		case slices.Contains(q.series, id):
		case !known(id) || len(q.series) == mostExplored:
			valid = false
		default:
			q.series = append(q.series, id)
		}
	}
	q.preset = defaultRange
	switch preset := values.Get(rangeParameter); {
	case preset != "":
		if slices.ContainsFunc(exploredRanges, func(r exploredRange) bool { return r.value == preset }) {
			q.preset = preset
		} else {
			valid = false
		}
	case values.Get("from") != "" || values.Get("to") != "":
		dates, err := parseSpanOf(values, span{}, mostExploredDates)
		if err != nil {
			valid = false
		} else {
			q.preset, q.dates = "", dates
		}
	}
	if before := values.Get(beforeParameter); before != "" {
		if daysBefore(before) > 0 {
			q.before = before
		} else {
			valid = false
		}
	}
	if of := values.Get(analysisOf); slices.Contains(q.series, of) {
		q.of = of
	}
	return q, valid
}

// daysBefore returns how many days earlier the overlaid range is than the range shown; 0 if the value names no overlay.
func daysBefore(value string) int {
	for _, before := range exploredBefore {
		if before.value == value {
			return before.days
		}
	}
	return 0
}

// exploreAddress returns the address, in each language, of the page for exploring with the main series of a dataset, over the dates;
// over the newest 30 days if it is a single date.
func (s *Server) exploreAddress(ctx context.Context, dataset market.Dataset, dates span) (web.Text, error) {
	all, err := s.seriesIn(ctx, dataset)
	if err != nil {
		return web.Text{}, err
	}
	q := exploreQuery{preset: defaultRange}
	if dates.days() > 1 {
		q.preset, q.dates = "", dates
	}
	for _, series := range all {
		isMain := series.column.Name == all[0].column.Name || len(series.keys) == 0 && series.column.Unit == all[0].column.Unit
		if isMain && len(q.series) < mostExplored {
			q.series = append(q.series, series.id)
		}
	}
	query := "?" + q.query()
	return web.Text{FR: web.PageExplore.Path.FR + query, EN: web.PageExplore.Path.EN + query}, nil
}

// exploreCatalog returns the series of all datasets.
func (s *Server) exploreCatalog(ctx context.Context) (map[market.Dataset][]exploredSeries, error) {
	catalog := map[market.Dataset][]exploredSeries{}
	for _, dataset := range market.Datasets() {
		var err error
		if catalog[dataset], err = s.seriesIn(ctx, dataset); err != nil {
			return nil, err
		}
	}
	return catalog, nil
}
