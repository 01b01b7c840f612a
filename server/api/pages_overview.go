package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	// rankDates is how many delivery dates the price now is compared with.
	rankDates = 30
	// weekDates is from a delivery date to the same weekday of the next week.
	weekDates = 7
	// recentSeconds is how much of the energies the overview shows.
	recentSeconds = 12 * market.HourSeconds
)

// overview answers the start page: the price now and those of today and tomorrow, the capacity procured for these dates, and the
// last hours of the energies.
func (s *Server) overview(c echo.Context, identity auth.Identity) error {
	ctx := c.Request().Context()
	feeds, err := s.feeds(ctx, identity)
	if err != nil {
		return err
	}
	view := web.Overview{Feeds: feeds}
	choice := parseBlockChoice(c.QueryParams())
	now := s.clock.Now()
	if err := s.addPrices(ctx, identity, now, choice, &view); err != nil {
		return err
	}
	if err := s.addCapacity(ctx, identity, now, &view); err != nil {
		return err
	}
	for _, dataset := range market.GroupEnergy.Datasets() {
		recent, err := s.recent(ctx, identity, dataset, feeds.Of(dataset))
		if err != nil {
			return err
		}
		view.Energies = append(view.Energies, recent)
	}
	body, err := s.pages.Overview(visitAt(c, identity, choice.address()), view)
	return s.page(c, http.StatusOK, body, err)
}

// pricesDataset is the dataset that the page of prices is about.
func pricesDataset() market.Dataset { return market.GroupPrices.Datasets()[0] }

// addPrices adds the prices of today and tomorrow to the view, or those of the last date that has any if that is before today.
func (s *Server) addPrices(ctx context.Context, identity auth.Identity, now time.Time, choice blockChoice, view *web.Overview) error {
	dataset := pricesDataset()
	feed := view.Feeds.Of(dataset)
	today := market.DeliveryDateOf(now)
	view.Date = today
	if !feed.Last.IsZero() && feed.Last.Before(today) {
		view.Date = feed.Last
	}
	view.IsToday = view.Date == today
	view.Until = market.Buckets15Minutes.Bucket(now.Unix()).End
	dates := span{view.Date, view.Date}
	if view.IsToday && feed.Last.After(today) {
		dates.last = today.Add(1)
	}
	var err error
	view.Prices, err = s.sheet(ctx, identity, dataset, dates, feed)
	if err != nil || len(view.Prices.Table.Rows) == 0 {
		return err
	}
	view.Prices.Folded = true
	line, err := s.priceLine(ctx, span{view.Date.Add(-rankDates), dates.last})
	if err != nil {
		return err
	}
	for _, date := range market.Dates(dates.first, dates.last) {
		view.Days = append(view.Days, web.PriceDay{
			Date: date, DayFigures: figuresOf(line, date),
			DayBefore: figuresOf(line, date.Add(-1)), WeekBefore: figuresOf(line, date.Add(-weekDates)),
		})
	}
	if view.IsToday {
		ranked := line.Part(span{today.Add(-rankDates), today.Add(-1)}.period())
		view.Price, view.Next = line.HoldAt(now.Unix())
		view.Rank, view.Median = ranked.RankOf(view.Price.Price), ranked.Median()
		for _, date := range ranked.Period().Dates() {
			if line.Part(date.Period()).Known() > 0 {
				view.RankDates++
			}
		}
	}
	view.Blocks = choice.blocks(line, dates, now, view.IsToday)
	return nil
}

// priceLine reads the known prices of some delivery dates.
func (s *Server) priceLine(ctx context.Context, dates span) (market.PriceLine, error) {
	line := market.NewPriceLine(dates.period())
	reading, err := s.store.Read(ctx, store.ReadQuery{Dataset: pricesDataset(), Period: line.Period(), Columns: []string{priceColumn}})
	if err != nil {
		return line, explainReading(err)
	}
	for price, err := range knownPrices(ctx, reading) {
		if err != nil {
			return line, explainReading(err)
		}
		line.Set(price.Period, market.Num(price.price))
	}
	return line, nil
}

func figuresOf(line market.PriceLine, date market.DeliveryDate) market.DayFigures {
	return line.Part(date.Period()).Figures()
}

// blockChoice is which blocks of hours the overview shows.
type blockChoice struct {
	hours int
	apart bool // the hours need not follow each other
}

// The names of the choice in the address.
const (
	hoursParameter = "hours"
	apartParameter = "apart"
	apartYes       = "yes"
)

var blockLengths = []int{1, 2, 4, 8}

// usualBlock is shown unless the address chooses another.
var usualBlock = blockChoice{hours: 4}

// parseBlockChoice reads the choice of a query. What it does not know has the usual value.
func parseBlockChoice(query url.Values) blockChoice {
	choice := usualBlock
	for _, hours := range blockLengths {
		if query.Get(hoursParameter) == strconv.Itoa(hours) {
			choice.hours = hours
		}
	}
	choice.apart = query.Get(apartParameter) == apartYes
	return choice
}

// address returns the address of the overview with this choice.
func (b blockChoice) address() string {
	query := url.Values{}
	if b.hours != usualBlock.hours {
		query.Set(hoursParameter, strconv.Itoa(b.hours))
	}
	if b.apart {
		query.Set(apartParameter, apartYes)
	}
	if len(query) == 0 {
		return web.PageOverview.Path.EN
	}
	return web.PageOverview.Path.EN + "?" + query.Encode()
}

// blocks returns the blocks of each date and, if one of them is today, of the time from the next quarter hour on.
func (b blockChoice) blocks(line market.PriceLine, dates span, now time.Time, isToday bool) web.Blocks {
	blocks := web.Blocks{Hours: b.hours, Apart: b.apart}
	link := func(label web.Text, to blockChoice) web.Choice {
		return web.Choice{Label: label, Address: to.address() + "#blocks", Chosen: to == b}
	}
	for _, hours := range blockLengths {
		label := fmt.Sprintf("%d\u00a0h", hours)
		blocks.Lengths = append(blocks.Lengths, link(web.Text{FR: label, EN: label}, blockChoice{hours, b.apart}))
	}
	blocks.Kinds = []web.Choice{
		link(web.Text{FR: "consécutives", EN: "consecutive"}, blockChoice{b.hours, false}),
		link(web.Text{FR: "réparties", EN: "spread out"}, blockChoice{b.hours, true}),
	}
	add := func(part market.PriceLine, made web.BlockLine) {
		find := part.Block
		if b.apart {
			find = part.Quarters
		}
		quarters := b.hours * quartersPerHour
		made.Cheapest, _ = find(quarters, false)
		made.Dearest, _ = find(quarters, true)
		made.Known, made.Expected = part.Known(), len(part.Prices)
		blocks.Lines = append(blocks.Lines, made)
	}
	if isToday {
		next := market.Buckets15Minutes.Bucket(now.Unix()).End
		ahead := line.Part(market.Period{Start: next, End: dates.period().End})
		if len(ahead.Prices) > 0 {
			add(ahead, web.BlockLine{From: market.Period{Start: next, End: next + market.QuarterSeconds}, Dated: dates.days() > 1})
		}
	}
	for _, date := range market.Dates(dates.first, dates.last) {
		add(line.Part(date.Period()), web.BlockLine{Date: date})
	}
	return blocks
}

// addCapacity adds what is procured for today and tomorrow to the view, or for the last date if that is before today: the current
// hour and the means of the dates.
func (s *Server) addCapacity(ctx context.Context, identity auth.Identity, now time.Time, view *web.Overview) error {
	today := market.DeliveryDateOf(now)
	var last market.DeliveryDate
	for _, dataset := range market.GroupCapacity.Datasets() {
		if newest := view.Feeds.Of(dataset).Last; newest.After(last) {
			last = newest
		}
	}
	dates := span{today, today}
	switch {
	case last.After(today):
		dates.last = today.Add(1)
	case !last.IsZero() && last.Before(today):
		dates = span{last, last}
	}
	view.CapacityDates = market.Dates(dates.first, dates.last)
	if dates.first == today {
		view.CapacityNow = market.BucketsHour.Bucket(now.Unix())
	}
	for _, dataset := range market.GroupCapacity.Datasets() {
		sheet, err := s.sheet(ctx, identity, dataset, dates, view.Feeds.Of(dataset))
		if err != nil {
			return err
		}
		if absence := view.CapacityNotice.Absence; absence == "" || absence == web.AbsenceLocked {
			view.CapacityNotice = sheet
		}
		for _, direction := range dailyDirections(dataset) {
			products := dailyProducts(sheet.Table, string(direction))
			for _, product := range products {
				line := web.CapacityLine{Reserve: dataset.About().Reserve, Direction: string(direction), Locked: sheet.Absence == web.AbsenceLocked}
				if len(products) > 1 {
					line.Product = product
				}
				fillCapacityLine(&line, sheet.Table, product, view.CapacityNow, view.CapacityDates)
				view.Capacity = append(view.Capacity, line)
			}
		}
	}
	if len(view.CapacityDates) > 1 && !view.HasResults(1) {
		view.CapacityDates = view.CapacityDates[:1] // what is published of tomorrow is not procured each day
	}
	return nil
}

// isDaily reports whether a row of a table of capacity is procured each day in the direction.
func isDaily(row web.Row, direction string) bool {
	return row.Words[0] == direction && row.Words[1] == market.DailyHorizon
}

// productOf returns RTE's product of a row of a table of capacity, in capitals.
func productOf(row web.Row) string {
	return strings.ToUpper(row.Series[strings.LastIndexByte(row.Series, '-')+1:])
}

// dailyProducts returns the products that are procured each day in a direction, ascending; a single empty name if there are no products.
func dailyProducts(table web.Table, direction string) []string {
	var products []string
	for _, row := range table.Rows {
		if isDaily(row, direction) && !slices.Contains(products, productOf(row)) {
			products = append(products, productOf(row))
		}
	}
	if products == nil {
		return []string{""}
	}
	slices.Sort(products)
	return products
}

// fillCapacityLine fills a line with what is procured each day of a product in its direction, for the hour and for each date.
func fillCapacityLine(line *web.CapacityLine, table web.Table, product string, hour market.Period, dates []market.DeliveryDate) {
	var price, volume market.Mean
	means := make([]market.Mean, len(dates))
	line.Days = make([]web.CapacityDay, len(dates))
	var calendar market.Calendar
	for _, row := range table.Rows {
		if !isDaily(row, line.Direction) || productOf(row) != product {
			continue
		}
		if hour.Holds(row.Period.Start) {
			price.AddTimes(row.Numbers[0], row.Period.Seconds())
			volume.AddTimes(row.Numbers[1], row.Period.Seconds())
		}
		at := dates[0].DaysUntil(calendar.DateOf(row.Period.Start))
		day := &line.Days[at]
		day.Prices = append(day.Prices, row.Numbers[0])
		means[at].AddTimes(row.Numbers[0], row.Period.Seconds())
		if row.Numbers[0].Valid {
			day.Known += row.Period.Seconds()
		}
	}
	for i, date := range dates {
		line.Days[i].Date, line.Days[i].Mean, line.Days[i].Whole = date, means[i].Number(), date.Period().Seconds()
	}
	line.Price, line.Volume = price.Number(), volume.Number()
}

// recent returns the last hours of a dataset, up to the end of its newest period.
func (s *Server) recent(ctx context.Context, identity auth.Identity, dataset market.Dataset, feed web.Feed) (web.Recent, error) {
	end := feed.Last.End().Unix()
	if newest := feed.NewestEnd; !newest.IsZero() && newest.Unix() < end {
		end = market.Buckets15Minutes.Bucket(newest.Unix() - 1).End
	}
	period := market.Period{Start: end - recentSeconds, End: end}
	sheet, err := s.periodSheet(ctx, identity, dataset, span{market.DeliveryDateOf(period.From()), feed.Last}, period, feed)
	if err != nil {
		return web.Recent{}, err
	}
	sheet.Folded, sheet.CSV = true, web.Text{}
	recent := web.Recent{Sheet: sheet, All: sheet.Series()}
	if len(sheet.Charts) > 1 && !viewOf(dataset).oneDateOnly {
		recent.Charts = sheet.Charts[:1] // prices
	}
	return recent, nil
}
