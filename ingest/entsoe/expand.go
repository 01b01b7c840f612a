package entsoe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"courant/ingest/source"
	"courant/store/market"
)

// expansion turns the series of a document into one price for each period.
type expansion struct {
	zone   string
	window market.Period
	reply  *source.Reply[market.Price]
	prices map[slot]float64

	empty  []emptyPeriod
	unread []unreadPeriod
}

type slot struct {
	start      int64 // seconds UTC
	resolution market.Resolution
}

// pointValue is the price of a point, or what is wrong with it.
type pointValue struct {
	amount float64
	fault  string
}

// emptyPeriod is a Period without a point, cut to the window.
type emptyPeriod struct {
	market.Period
	reason string
}

// unreadPeriod is a Period that cannot be read. It does not matter for the delivery dates that are complete without it.
type unreadPeriod struct {
	dates  []market.DeliveryDate // that it touches; nil: they are not known
	reason string
}

func newExpansion(zone string, window market.Period, reply *source.Reply[market.Price]) *expansion {
	return &expansion{zone: zone, window: window, reply: reply, prices: map[slot]float64{}}
}

// addSeries adds the prices of a series if it is the zone's day-ahead auction, in EUR/MWh.
func (e *expansion) addSeries(series *timeSeries) {
	if why := e.foreign(series); why != "" {
		e.reply.Note("a series with %s was skipped", why)
		return
	}
	for i := range series.Periods {
		e.addPeriod(strings.TrimSpace(series.Curve), &series.Periods[i])
	}
}

// foreign returns what in a series is not as in the zone's day-ahead auction; "" if all is.
func (e *expansion) foreign(series *timeSeries) string {
	for _, rule := range []struct {
		name, value string
		wanted      []string
	}{
		{"in_Domain", series.InDomain, []string{e.zone}},
		{"out_Domain", series.OutDomain, []string{e.zone}},
		{"contract_MarketAgreement.type", series.Contract, []string{"A01", ""}},
		{"auction.type", series.Auction, []string{"A01", ""}},
		{"currency_Unit.name", series.Currency, []string{"EUR"}},
		{"price_Measure_Unit.name", series.Unit, []string{"MWH"}},
		{"classificationSequence", series.Sequence, []string{"", "1"}},
	} {
		if value := strings.TrimSpace(rule.value); !slices.Contains(rule.wanted, value) {
			return fmt.Sprintf("%s %.40q", rule.name, value)
		}
	}
	return ""
}

// addPeriod expands one Period: its points, sorted by position, each repeated up to the next, the last to the end.
func (e *expansion) addPeriod(curve string, p *period) {
	interval, ok := e.interval(p)
	if !ok {
		return
	}
	clipped := interval.Intersect(e.window)
	if clipped.Start >= clipped.End {
		return
	}
	resolution := market.Resolution(strings.TrimSpace(p.Resolution))
	step := resolution.Seconds()
	var fault string
	switch {
	case step == 0:
		fault = fmt.Sprintf("resolution %.20q is not known", resolution)
	case interval.Seconds()%step != 0 || interval.Start%step != 0 || interval.Seconds() > longestPeriod:
		fault = fmt.Sprintf("a Period from %s to %s has no whole number of %s", p.Start, p.End, resolution)
	case curve != "A01" && curve != "A03" && curve != "":
		fault = fmt.Sprintf("curve type %.20q is not known", curve)
	}
	switch dates := clipped.Dates(); {
	case fault != "" && len(dates) > 1:
		e.unread = append(e.unread, unreadPeriod{dates, fault})
	case fault != "":
		e.reply.Refusals.RefuseFinally(market.DayAheadPrices, dates[0], "%s", fault)
	case len(p.Points) == 0:
		e.empty = append(e.empty, emptyPeriod{clipped, fmt.Sprintf("the Period from %s has no position 1", p.Start)})
	default:
		e.addPoints(curve, p, interval, clipped, resolution)
	}
}

// addPoints adds the prices of the Period's steps. A fault of a step refuses its delivery date.
func (e *expansion) addPoints(curve string, p *period, interval, clipped market.Period, resolution market.Resolution) {
	step := resolution.Seconds()
	given := e.given(p, int(interval.Seconds()/step), clipped)
	var last pointValue
	for i := range int(interval.Seconds() / step) {
		start := interval.Start + int64(i)*step
		value, there := given[i+1]
		switch {
		case there:
		case i == 0:
			value.fault = fmt.Sprintf("the Period from %s has no position 1", p.Start)
		case curve == "A03":
			value = last
		default:
			value.fault = fmt.Sprintf("the Period from %s has no position %d, which curve type A01 must have", p.Start, i+1)
		}
		last = value
		if !e.window.Holds(start) {
			continue
		}
		if value.fault != "" {
			e.reply.Refusals.Refuse(market.DayAheadPrices, dateOf(start), "%s", value.fault)
			continue
		}
		e.addPrice(slot{start, resolution}, value.amount)
	}
}

func (e *expansion) addPrice(s slot, amount float64) {
	if other, taken := e.prices[s]; taken && other != amount {
		e.reply.Refusals.RefuseFinally(market.DayAheadPrices, dateOf(s.start),
			"two series differ at %s: %v and %v EUR/MWh", source.InstantText(s.start), other, amount)
		return
	}
	e.prices[s] = amount
}

func dateOf(second int64) market.DeliveryDate { return market.DeliveryDateOf(time.Unix(second, 0)) }

// interval returns when the Period begins and ends, and trims the spaces around both in p. A Period of no length is skipped;
// an odd one refuses, for good, the delivery date that it most likely means.
func (e *expansion) interval(p *period) (market.Period, bool) {
	p.Start, p.End = strings.TrimSpace(p.Start), strings.TrimSpace(p.End)
	from, to := source.ReadStamp([]byte(p.Start)), source.ReadStamp([]byte(p.End))
	if from.Good && to.Good {
		switch {
		case from.At < to.At:
			return market.Period{Start: from.At, End: to.At}, true
		case from.At == to.At:
			e.reply.Note("a Period of no length at %.30q was skipped", p.Start)
			return market.Period{}, false
		}
	}
	reason := fmt.Sprintf("a Period from %.30q to %.30q is not a valid interval", p.Start, p.End)
	var named []market.DeliveryDate
	if date, ok := source.DateNamed(from, to); ok {
		named = append(named, date)
	}
	if from.Good && to.Good { // the two may be swapped
		named = []market.DeliveryDate{dateOf(to.At)}
		if last := dateOf(from.At - 1); last != named[0] {
			named = append(named, last)
		}
	}
	if len(named) == 0 {
		e.unread = append(e.unread, unreadPeriod{nil, reason})
		return market.Period{}, false
	}
	asked := false
	for _, date := range named {
		if period := date.Period(); period.Overlaps(e.window) {
			e.reply.Refusals.RefuseFinally(market.DayAheadPrices, date, "%s", reason)
			asked = true
		}
	}
	if !asked {
		e.reply.Note("%s; it names %s, which was not asked for", reason, named[0])
	}
	return market.Period{}, false
}

// longestPeriod bounds the length, in seconds, to which a Period is expanded.
const longestPeriod = 400 * 24 * 3600

// given returns the value at each position. A point at a position outside the Period refuses, for good, all dates of the
// Period in the window.
func (e *expansion) given(p *period, count int, clipped market.Period) map[int]pointValue {
	given := map[int]pointValue{}
	refused := false
	for _, point := range p.Points {
		position, err := strconv.Atoi(strings.TrimSpace(point.Position))
		if err != nil || position < 1 || position > count {
			if refused {
				continue // the first reason is kept
			}
			refused = true
			for _, date := range clipped.Dates() {
				e.reply.Refusals.RefuseFinally(market.DayAheadPrices, date, "position %.20q lies outside a Period of %d", point.Position, count)
			}
			continue
		}
		amount, ok := source.ParseNumber(strings.TrimSpace(point.Amount))
		if !ok {
			given[position] = pointValue{fault: fmt.Sprintf("price %.40q at position %d is not a number", point.Amount, position)}
			continue
		}
		other, twice := given[position]
		if twice && other.fault != "" { // it stays odd
			continue
		}
		if twice && other.amount != amount {
			e.reply.Note("position %d of the Period from %s is listed twice with other values; the later one stands", position, p.Start)
		}
		given[position] = pointValue{amount: amount}
	}
	return given
}

// finish adds the prices to the reply, ascending, those of refused dates to Refused. A coarse price whose quarters have finer
// prices is dropped, unless it differs from them.
func (e *expansion) finish() error {
	for _, empty := range e.empty {
		e.judgeEmpty(empty)
	}
	for _, d := range e.unread {
		if err := e.judge(d); err != nil {
			return err
		}
	}
	var all []market.Price
	for s, amount := range e.prices {
		all = append(all, market.Price{Start: s.start, Resolution: s.resolution, Price: market.Num(amount)})
	}
	slices.SortFunc(all, func(a, b market.Price) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Resolution, b.Resolution))
	})
	repeated := market.RepeatedByFiner(all)
	for i, price := range all {
		switch {
		case repeated[i]:
		case e.reply.Refusals.Has(market.DayAheadPrices, dateOf(price.Start)):
			e.reply.Refused = append(e.reply.Refused, price)
		default:
			e.reply.Rows = append(e.reply.Rows, price)
		}
	}
	return nil
}

// judgeEmpty skips a Period without points if others cover it, and refuses its dates otherwise.
func (e *expansion) judgeEmpty(empty emptyPeriod) {
	covered := true
	for _, date := range empty.Dates() {
		if !e.covers(date.Period().Intersect(empty.Period)) {
			e.reply.Refusals.Refuse(market.DayAheadPrices, date, "%s", empty.reason)
			covered = false
		}
	}
	if covered {
		e.reply.Note("%s and was skipped; another one covers it", empty.reason)
	}
}

// judge refuses the delivery dates that are incomplete without the Period. It returns an error if the Period may belong to
// any date and more than one is incomplete: the dates have to be asked for by themselves.
func (e *expansion) judge(d unreadPeriod) error {
	dates := d.dates
	if dates == nil {
		dates = e.window.Dates()
	}
	var incomplete []market.DeliveryDate
	for _, date := range dates {
		if !e.covers(date.Period().Intersect(e.window)) {
			incomplete = append(incomplete, date)
		}
	}
	switch {
	case len(incomplete) == 0:
		e.reply.Note("%s and was skipped; every date is whole without it", d.reason)
	case d.dates == nil && len(incomplete) > 1:
		return errors.New(d.reason)
	}
	for _, date := range incomplete {
		e.reply.Refusals.RefuseFinally(market.DayAheadPrices, date, "%s", d.reason)
	}
	return nil
}

// covers reports whether each quarter hour of the period has a price.
func (e *expansion) covers(period market.Period) bool {
	for quarter := period.Start - period.Start%market.QuarterSeconds; quarter < period.End; quarter += market.QuarterSeconds {
		if !e.hasPrice(quarter) {
			return false
		}
	}
	return true
}

func (e *expansion) hasPrice(quarter int64) bool {
	for _, resolution := range []market.Resolution{market.PT15M, market.PT30M, market.PT60M} {
		if _, there := e.prices[slot{quarter - quarter%resolution.Seconds(), resolution}]; there {
			return true
		}
	}
	return false
}
