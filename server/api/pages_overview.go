package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store/market"
	"courant/web"
)

// overview answers the start page with all datasets: prices and capacity of today or tomorrow, energies of their last date.
func (s *Server) overview(c echo.Context, identity auth.Identity) error {
	ctx := c.Request().Context()
	feeds, err := s.feeds(ctx, identity)
	if err != nil {
		return err
	}
	today := market.DeliveryDateOf(s.clock.Now())
	view := web.Overview{Feeds: feeds}
	prices := market.GroupPrices.Datasets()[0]
	last := feeds.Of(prices).Last
	view.Date = today
	if !last.IsZero() && last.Before(today) {
		view.Date = last
	}
	if last.After(today) {
		view.Other, view.OtherAddress = today.Add(1), web.PageOverview.Path.EN+"?day="+tomorrow
		if c.QueryParam("day") == tomorrow {
			view.Date, view.Other, view.OtherAddress, view.Tomorrow = today.Add(1), today, web.PageOverview.Path.EN, true
		}
	}
	view.Prices, err = s.sheet(ctx, identity, prices, span{view.Date, view.Date}, feeds.Of(prices))
	if err != nil {
		return err
	}
	for _, dataset := range market.GroupEnergy.Datasets() {
		feed := feeds.Of(dataset)
		sheet, err := s.sheet(ctx, identity, dataset, span{feed.Last, feed.Last}, feed)
		if err != nil {
			return err
		}
		if len(sheet.Charts) > 1 && !viewOf(dataset).oneDateOnly {
			sheet.Charts = sheet.Charts[:1] // prices
		}
		sheet.Folded = true
		view.Energies = append(view.Energies, sheet)
	}
	view.Prices.Folded = true
	if err := s.addCapacity(ctx, identity, feeds, &view); err != nil {
		return err
	}
	visitor := visit(c, identity)
	if view.Tomorrow {
		visitor.Path += "?day=" + tomorrow
	}
	body, err := s.pages.Overview(visitor, view)
	return s.page(c, http.StatusOK, body, err)
}

// tomorrow is the value of the query parameter day that selects the next delivery date.
const tomorrow = "tomorrow"

// addCapacity adds what is procured each day to the view: the current hour if the date is today, else the date's means.
func (s *Server) addCapacity(ctx context.Context, identity auth.Identity, feeds web.Feeds, view *web.Overview) error {
	var last market.DeliveryDate
	for _, dataset := range market.GroupCapacity.Datasets() {
		if newest := feeds.Of(dataset).Last; newest.After(last) {
			last = newest
		}
	}
	date := view.Date
	if !last.IsZero() && last.Before(date) {
		date = last
	}
	view.CapacityDate = date
	now := s.clock.Now().Unix()
	if date.Period().Holds(now) {
		view.CapacityNow = market.Period{Start: now - now%hourSeconds, End: now - now%hourSeconds + hourSeconds}
	}
	for _, dataset := range market.GroupCapacity.Datasets() {
		sheet, err := s.sheet(ctx, identity, dataset, span{date, date}, feeds.Of(dataset))
		if err != nil {
			return err
		}
		if absence := view.CapacityNotice.Absence; absence == "" || absence == web.AbsenceLocked {
			view.CapacityNotice = sheet
		}
		for _, direction := range dailyDirections(dataset) {
			line := web.CapacityLine{Reserve: dataset.About().Reserve, Direction: string(direction), Locked: sheet.Absence == web.AbsenceLocked}
			fillCapacityLine(&line, sheet.Table, view.CapacityNow)
			view.Capacity = append(view.Capacity, line)
		}
	}
	return nil
}

// fillCapacityLine fills a line with what is procured each day in its direction, and its means of the hour; of the whole date
// if hour is zero.
func fillCapacityLine(line *web.CapacityLine, table web.Table, hour market.Period) {
	var price, volume market.Mean
	for _, row := range table.Rows {
		if row.Words[0] != line.Direction || row.Words[1] != market.DailyHorizon {
			continue
		}
		line.Day = append(line.Day, row.Numbers[0])
		if hour == (market.Period{}) || hour.Holds(row.Period.Start) {
			price.Add(row.Numbers[0])
			volume.Add(row.Numbers[1])
		}
	}
	line.Price, line.Volume = price.Number(), volume.Number()
}
