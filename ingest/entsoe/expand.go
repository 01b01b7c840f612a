package entsoe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"courant/ingest/source"
	"courant/store"
)

// minuteForm is how ENTSO-E writes the bounds of a Period: without seconds, so it is not RFC 3339.
const minuteForm = "2006-01-02T15:04Z07:00"

// expansion turns the series of a document into one price a period.
type expansion struct {
	zone   string
	window store.Period
	reply  *source.Reply[store.Price]
	prices map[slot]float64
}

type slot struct {
	start      int64 // seconds UTC
	resolution store.Resolution
}

func newExpansion(zone string, window store.Period, reply *source.Reply[store.Price]) *expansion {
	return &expansion{zone: zone, window: window, reply: reply, prices: map[slot]float64{}}
}

// addSeries takes the series if it is the zone's day-ahead auction, in EUR/MWh.
func (e *expansion) addSeries(series *timeSeries) {
	if why := e.foreign(series); why != "" {
		e.reply.Note("a series with %s was skipped", why)
		return
	}
	for i := range series.Periods {
		e.addPeriod(strings.TrimSpace(series.Curve), &series.Periods[i])
	}
}

// foreign says what in a series is not the auction that is looked for.
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
	interval, err := parseInterval(p)
	if err != nil {
		e.reply.Refusals.RefuseAll(store.DayAheadPrices, e.window, "%v", err)
		return
	}
	clipped := store.Period{Start: max(interval.Start, e.window.Start), End: min(interval.End, e.window.End)}
	if clipped.Start >= clipped.End {
		return
	}
	amounts, err := e.amounts(curve, p, interval)
	if err != nil {
		e.reply.Refusals.RefuseAll(store.DayAheadPrices, clipped, "%v", err)
		return
	}
	resolution := store.Resolution(p.Resolution)
	for i, amount := range amounts {
		start := interval.Start + int64(i)*resolution.Seconds()
		if !e.window.Holds(start) {
			continue
		}
		s := slot{start, resolution}
		if other, taken := e.prices[s]; taken && other != amount {
			e.reply.Refusals.Refuse(store.DayAheadPrices, store.DeliveryDateOf(time.Unix(start, 0)),
				"two series differ at %s: %v and %v EUR/MWh", time.Unix(start, 0).UTC().Format(time.RFC3339), other, amount)
			continue
		}
		e.prices[s] = amount
	}
}

func parseInterval(p *period) (store.Period, error) {
	p.Start, p.End = strings.TrimSpace(p.Start), strings.TrimSpace(p.End)
	from, fromErr := time.Parse(minuteForm, p.Start)
	to, toErr := time.Parse(minuteForm, p.End)
	if fromErr != nil || toErr != nil || !from.Before(to) {
		return store.Period{}, fmt.Errorf("a Period from %.30q to %.30q is none", p.Start, p.End)
	}
	return store.NewPeriod(from, to), nil
}

// longestPeriod bounds what a Period is expanded to, whatever it says of itself.
const longestPeriod = 400 * 24 * 3600

// amounts are the prices of the Period's steps, in order.
func (e *expansion) amounts(curve string, p *period, interval store.Period) ([]float64, error) {
	p.Resolution = strings.TrimSpace(p.Resolution)
	step := store.Resolution(p.Resolution).Seconds()
	switch {
	case step == 0:
		return nil, fmt.Errorf("resolution %.20q is not known", p.Resolution)
	case interval.Seconds()%step != 0 || interval.Start%step != 0 || interval.Seconds() > longestPeriod:
		return nil, fmt.Errorf("a Period from %s to %s has no whole number of %s", p.Start, p.End, p.Resolution)
	case curve != "A01" && curve != "A03" && curve != "":
		return nil, fmt.Errorf("curve type %.20q is not known", curve)
	}
	count := int(interval.Seconds() / step)
	given := map[int]float64{}
	for _, point := range p.Points {
		position, err := strconv.Atoi(strings.TrimSpace(point.Position))
		if err != nil || position < 1 || position > count {
			return nil, fmt.Errorf("position %.20q lies outside a Period of %d", point.Position, count)
		}
		amount, ok := source.ParseNumber(strings.TrimSpace(point.Amount))
		if !ok {
			return nil, fmt.Errorf("price %.40q at position %d is not a number", point.Amount, position)
		}
		if other, twice := given[position]; twice && other != amount {
			e.reply.Note("position %d of the Period from %s is listed twice with other values; the later one stands", position, p.Start)
		}
		given[position] = amount
	}
	amounts := make([]float64, count)
	for i := range amounts {
		amount, there := given[i+1]
		switch {
		case there:
			amounts[i] = amount
		case i == 0:
			return nil, fmt.Errorf("the Period from %s has no position 1", p.Start)
		case curve == "A03":
			amounts[i] = amounts[i-1]
		default:
			return nil, fmt.Errorf("the Period from %s lacks position %d, which curve type A01 has to give", p.Start, i+1)
		}
	}
	return amounts, nil
}

// finish hands the prices over, ascending, without the dates that were refused and without the coarse prices whose
// quarters finer ones cover.
func (e *expansion) finish() {
	for s, amount := range e.prices {
		date := store.DeliveryDateOf(time.Unix(s.start, 0))
		if !e.reply.Refusals.Has(store.DayAheadPrices, date) && !e.covered(s) {
			e.reply.Rows = append(e.reply.Rows, store.Price{Start: s.start, Resolution: s.resolution, Price: store.Num(amount)})
		}
	}
	slices.SortFunc(e.reply.Rows, func(a, b store.Price) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Resolution, b.Resolution))
	})
}

// covered says whether each quarter of the slot has a finer price.
func (e *expansion) covered(s slot) bool {
	for quarter := s.start; quarter < s.start+s.resolution.Seconds(); quarter += store.QuarterSeconds {
		if !e.hasFiner(quarter, s.resolution) {
			return false
		}
	}
	return true
}

func (e *expansion) hasFiner(quarter int64, than store.Resolution) bool {
	for _, resolution := range []store.Resolution{store.PT15M, store.PT30M} {
		if resolution.Seconds() < than.Seconds() {
			start := quarter - quarter%resolution.Seconds()
			if _, there := e.prices[slot{start, resolution}]; there {
				return true
			}
		}
	}
	return false
}
