package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/store/market"
	"courant/web"
)

// marketPage is a page with the datasets of a group, for delivery dates of the visitor's choice.
type marketPage struct {
	web.Page
	title web.Text
	group market.Group
}

var marketPages = []marketPage{
	{web.PagePrices, web.Text{FR: "Prix day-ahead", EN: "Day-ahead prices"}, market.GroupPrices},
	{web.PageCapacity, web.Text{FR: "Capacité d’équilibrage", EN: "Balancing capacity"}, market.GroupCapacity},
	{web.PageEnergy, web.Text{FR: "Énergie d’équilibrage", EN: "Balancing energy"}, market.GroupEnergy},
}

// market answers a page with the dates of the query. By default that is the last stored delivery date or, if it is after today, the
// last one that all datasets of the page have, but at least today.
func (s *Server) market(page marketPage) func(echo.Context, auth.Identity) error {
	return func(c echo.Context, identity auth.Identity) error {
		ctx := c.Request().Context()
		feeds, err := s.feeds(ctx, identity)
		if err != nil {
			return err
		}
		today := market.DeliveryDateOf(s.clock.Now())
		var latest, earliest, common market.DeliveryDate // common: the last date that all datasets have
		for _, dataset := range page.group.Datasets() {
			feed := feeds.Of(dataset)
			if feed.Last.After(latest) {
				latest = feed.Last
			}
			if !feed.Last.IsZero() && (common.IsZero() || feed.Last.Before(common)) {
				common = feed.Last
			}
			if !feed.First.IsZero() && (earliest.IsZero() || feed.First.Before(earliest)) {
				earliest = feed.First
			}
		}
		fallback := latest
		switch {
		case latest.IsZero():
			fallback = today
		case latest.After(today): // some reserves are procured weeks ahead
			fallback = today
			if common.After(today) {
				fallback = common
			}
		}
		dates, err := parseSpan(c.QueryParams(), fallback)
		view := web.Market{
			Title: page.title, Path: page.Path, First: dates.first, Last: dates.last, InvalidDates: err != nil, MostDates: mostPageDates,
			From: dates.first.String(), To: dates.last.String(),
		}
		if view.InvalidDates {
			view.From, view.To = typedDate(c.QueryParam("from")), typedDate(c.QueryParam("to"))
		}
		if !latest.IsZero() {
			view.Presets = presets(span{earliest, latest}, today, dates)
		}
		if before := dates.shifted(-1); !latest.IsZero() && !before.last.Before(earliest) {
			view.Before = "?" + before.query()
		}
		if after := dates.shifted(1); !after.first.After(latest) || !after.first.After(today) {
			view.After = "?" + after.query()
		}
		for _, dataset := range page.group.Datasets() {
			sheet, err := s.sheet(ctx, identity, dataset, dates, feeds.Of(dataset))
			if err != nil {
				return err
			}
			if len(sheet.Charts) > 0 {
				if sheet.Explore, err = s.exploreAddress(ctx, dataset, dates); err != nil {
					return err
				}
			}
			view.Sheets = append(view.Sheets, sheet)
		}
		visitor := visit(c, identity)
		if c.Request().URL.RawQuery != "" {
			visitor.Path += "?" + dates.query()
		}
		body, err := s.pages.Market(visitor, view)
		return s.page(c, http.StatusOK, body, err)
	}
}

// typedDate returns a date that a person typed; empty if the text is no date.
func typedDate(text string) string {
	if date, err := market.ParseDeliveryDate(text); err == nil {
		return date.String()
	}
	return ""
}

// presets returns links to the ranges that a page may show, for the dates that are stored.
func presets(stored span, today market.DeliveryDate, shown span) []web.Choice {
	var choices []web.Choice
	for _, r := range exploredRanges {
		if dates := r.of(stored, today); dates.days() <= mostPageDates && !dates.last.Before(stored.first) {
			choices = append(choices, web.Choice{Label: r.text, Address: "?" + dates.query(), Chosen: dates == shown})
		}
	}
	return choices
}

// sheet returns the part of a page about one dataset and some delivery dates.
func (s *Server) sheet(ctx context.Context, identity auth.Identity, dataset market.Dataset, dates span, feed web.Feed) (web.Sheet, error) {
	isCut := viewOf(dataset).oneDateOnly && dates.days() > 1
	if isCut {
		dates.first = dates.last
	}
	sheet, err := s.periodSheet(ctx, identity, dataset, dates, dates.period(), feed)
	sheet.OneDateOnly = isCut && sheet.Absence != web.AbsenceLocked
	return sheet, err
}

// periodSheet returns the part of a page about one dataset and a period of the given dates. Without access to the dataset, it has
// no data and gives the reason.
func (s *Server) periodSheet(
	ctx context.Context, identity auth.Identity, dataset market.Dataset, dates span, period market.Period, feed web.Feed,
) (web.Sheet, error) {
	sheet := web.Sheet{Dataset: dataset, First: dates.first, Last: dates.last, Feed: feed}
	if identity.May(dataset) != nil {
		sheet.Absence = web.AbsenceLocked
		return sheet, nil
	}
	view := viewOf(dataset)
	sheet.Kicker = view.kicker
	shown, err := s.table(ctx, dataset, period)
	if err != nil {
		return sheet, err
	}
	table := shown.table
	if view.source != nil {
		if table.Source, err = view.source(ctx, s.store, shown); err != nil {
			return sheet, err
		}
	}
	sheet.Gaps = gapsIn(feed, dates)
	switch {
	case len(table.Rows) == 0 && feed.Last.IsZero() && feed.State == report.StateOff:
		sheet.Absence = web.AbsenceOff
	case len(table.Rows) == 0 && feed.Last.IsZero():
		sheet.Absence = web.AbsenceNothing
	case len(table.Rows) == 0:
		sheet.Absence = web.AbsenceDates
	default:
		if len(sheet.Gaps) > 0 || isOutdated(feed, dates) {
			sheet.Absence = web.AbsenceStale
		}
		sheet.Table, sheet.CSV = table, csvAddress(dataset, dates)
		sheet.Charts = s.charts(dataset, table, period)
	}
	return sheet, nil
}

// gapsIn returns the incomplete dates that concern a page of the given dates: those among them and, if the page shows the
// newest data, those after it, which are due as well.
func gapsIn(feed web.Feed, dates span) []report.Missing {
	var gaps []report.Missing
	for _, gap := range feed.Gaps {
		isShown := !gap.Date.Before(dates.first) && !gap.Date.After(dates.last)
		if isShown || gap.Date.After(dates.last) && !feed.Last.IsZero() && !feed.Last.After(dates.last) {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

// isOutdated reports whether a page of the given dates shows the newest data of a feed that brings nothing newer. The
// incomplete dates of a feed that is late or in error tell which dates it is about.
func isOutdated(feed web.Feed, dates span) bool {
	if feed.State == "" || feed.State == report.StateOK || dates.last.Before(feed.Last) {
		return false
	}
	isAboutDates := feed.State == report.StateLate || feed.State == report.StateError
	return !isAboutDates || feed.Trouble != "" || len(feed.Gaps) == 0
}

// csvAddress returns the address of the CSV of a dataset and dates, for each language.
func csvAddress(dataset market.Dataset, dates span) web.Text {
	query := "?" + dates.query()
	return web.Text{FR: web.CSVPath(web.French, dataset) + query, EN: web.CSVPath(web.English, dataset) + query}
}

// csv answers the table of a dataset as CSV, in the number format of the language in the path.
func (s *Server) csv(c echo.Context) error {
	identity, err := s.reader(c)
	if err != nil {
		return err
	}
	format, supported := web.ParseLanguage(c.Param("language"))
	dataset, known := market.ParseDataset(c.Param("dataset"))
	if !supported || !known {
		return problemNotFound
	}
	if err := identity.May(dataset); err != nil {
		return err
	}
	latest, _ := s.bodies.latest(dataset)
	if latest.IsZero() {
		latest = market.DeliveryDateOf(s.clock.Now())
	}
	dates, err := parseSpan(c.QueryParams(), latest)
	if err != nil || viewOf(dataset).oneDateOnly && dates.days() > 1 {
		return problemInvalidSpan
	}
	shown, err := s.table(c.Request().Context(), dataset, dates.period())
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s_%s", dataset, dates.first)
	if dates.days() > 1 {
		name += "_" + dates.last.String()
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	c.Response().Header().Set("Cache-Control", "private, no-cache")
	c.Response().Header().Set("Vary", "Authorization, Cookie")
	setAccount(c, identity)
	countRows(c, len(shown.table.Rows))
	return s.sendCounted(c, http.StatusOK, "text/csv; charset=utf-8", shown.table.CSV(format))
}
