package ingest

import (
	"context"
	"strings"
	"time"

	"courant/store"
)

// firstDates is from when on each series is published, until its source gives an earlier date. Energies have no date
// of their own: they begin with the first one that was ever stored.
var firstDates = struct{ prices, capacity, mfrrUpward, mfrrDownward store.DeliveryDate }{
	prices:       store.NewDeliveryDate(2015, time.January, 5),
	capacity:     store.NewDeliveryDate(2025, time.January, 1),
	mfrrUpward:   store.NewDeliveryDate(2025, time.October, 20),
	mfrrDownward: store.NewDeliveryDate(2026, time.May, 1),
}

// EarliestDate is before the first delivery date of every series.
var EarliestDate = store.NewDeliveryDate(2014, time.January, 1)

// holding is how much of one delivery date a dataset has, in periods.
type holding struct {
	expected, received int
}

func (h holding) whole() bool { return h.received >= h.expected }

// holdings tells, for each delivery date from first to last, what is expected of the dataset and what is held.
func (f *Feeds) holdings(ctx context.Context, dataset store.Dataset, first, last store.DeliveryDate) (map[store.DeliveryDate]holding, error) {
	coverage, err := f.store.Coverage(ctx, dataset, first, last)
	if err != nil {
		return nil, err
	}
	quarters := map[store.DeliveryDate]int{}
	if dataset == store.DayAheadPrices {
		prices, err := f.store.Prices(ctx, store.NewPeriod(first.Start(), last.End()))
		if err != nil {
			return nil, err
		}
		for _, q := range store.Quarters(prices) {
			quarters[store.DeliveryDateOf(time.Unix(q.Start, 0))]++
		}
	}
	series := expectedSeries(dataset, coverage)
	holdings := map[store.DeliveryDate]holding{}
	for _, date := range store.Dates(first, last) {
		if dataset == store.DayAheadPrices {
			holdings[date] = holding{date.Steps(store.QuarterSeconds), quarters[date]}
			continue
		}
		var h holding
		for _, s := range series {
			if date.Before(s.first) {
				continue
			}
			steps := date.Steps(s.stepSeconds)
			h.expected += steps
			h.received += min(rowsOf(coverage[date], s.prefix), steps)
		}
		holdings[date] = h
	}
	return holdings, nil
}

// expected is a series that a whole delivery date has: the names of its rows' series begin with prefix.
type expected struct {
	prefix      string
	first       store.DeliveryDate
	stepSeconds int64
}

// expectedSeries are the series of a dataset that are due. PERIODIC mFRR comes weeks ahead or not at all.
func expectedSeries(dataset store.Dataset, coverage store.Coverage) []expected {
	var series []expected
	switch dataset {
	case store.FCRCapacity:
		series = []expected{{string(store.Symmetric), firstDates.capacity, store.QuarterSeconds}}
	case store.AFRRCapacity:
		series = []expected{
			{string(store.Upward), firstDates.capacity, store.QuarterSeconds},
			{string(store.Downward), firstDates.capacity, store.QuarterSeconds},
		}
	case store.MFRRCapacity:
		series = []expected{
			{store.CapacitySeries(store.Upward, "DAILY", ""), firstDates.mfrrUpward, store.QuarterSeconds},
			{store.CapacitySeries(store.Downward, "DAILY", ""), firstDates.mfrrDownward, store.QuarterSeconds},
		}
	case store.AFRREnergy:
		series = []expected{{stepSeconds: store.AFRRSeconds}}
	case store.MFRREnergy:
		series = []expected{{prefix: string(store.Upward), stepSeconds: store.QuarterSeconds}, {prefix: string(store.Downward), stepSeconds: store.QuarterSeconds}}
	}
	for i := range series {
		for date, held := range coverage {
			if date.Before(series[i].first) && rowsOf(held, series[i].prefix) > 0 {
				series[i].first = date
			}
		}
	}
	return series
}

// rowsOf is how many rows the fullest series with that prefix has.
func rowsOf(held map[string]int, prefix string) int {
	most := 0
	for series, rows := range held {
		if strings.HasPrefix(series, prefix) {
			most = max(most, rows)
		}
	}
	return most
}

// unfinished lists the delivery dates from first to last of which one of the feed's datasets is not whole.
func (f *Feeds) unfinished(ctx context.Context, feed *feed, first, last store.DeliveryDate) (map[store.DeliveryDate]bool, error) {
	lacking := map[store.DeliveryDate]bool{}
	for _, dataset := range feed.datasets {
		holdings, err := f.holdings(ctx, dataset, first, last)
		if err != nil {
			return nil, err
		}
		for date, h := range holdings {
			if !h.whole() {
				lacking[date] = true
			}
		}
	}
	return lacking, nil
}
