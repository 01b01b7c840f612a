package ingest

import (
	"context"
	"slices"
	"strings"
	"time"

	"courant/store"
	"courant/store/market"
)

// EarliestDate is before the first delivery date of every series.
var EarliestDate = market.NewDeliveryDate(2014, time.January, 1)

// gapAfter is how long a source has to say the same of a delivery date that is over, until what it lacks is taken for
// a gap of the source's own.
const gapAfter = 7 * 24 * time.Hour

// holding is how much of one delivery date a dataset has, in periods.
type holding struct {
	expected, received int
	standIns           int  // how many of those received only stand in for the source's own
	thinned            bool // what was received is kept in 5 min only, and nothing is asked for any more
}

// whole says whether every period can be served.
func (h holding) whole() bool { return h.thinned || h.received >= h.expected }

// settled says whether the source itself has given every period.
func (h holding) settled() bool { return h.thinned || h.received-h.standIns >= h.expected }

// holdings tells, for each delivery date from first to last, what is expected of the dataset and what is held.
func (f *Feeds) holdings(ctx context.Context, dataset market.Dataset, first, last market.DeliveryDate) (map[market.DeliveryDate]holding, error) {
	coverage, err := f.store.Coverage(ctx, dataset, first, last)
	if err != nil {
		return nil, err
	}
	if dataset.About().Due == nil {
		return f.priceHoldings(ctx, dataset, coverage, market.Dates(first, last))
	}
	return holdingsOf(dataset, coverage, market.Dates(first, last)), nil
}

// priceHoldings is holdings of the day-ahead prices. Where no single series of ENTSO-E is whole, it counts the quarters
// that all series together cover.
func (f *Feeds) priceHoldings(ctx context.Context, dataset market.Dataset, coverage market.Coverage, dates []market.DeliveryDate) (map[market.DeliveryDate]holding, error) {
	holdings := map[market.DeliveryDate]holding{}
	for _, date := range dates {
		h := holding{expected: date.Steps(market.QuarterSeconds)}
		switch held := coverage[date]; {
		case len(held) == 0:
		case isWholeIn(held, date, market.PT15M) || isWholeIn(held, date, market.PT60M):
			h.received = h.expected
		default:
			prices, err := store.Within(ctx, f.store, market.Prices, dataset, date.Period())
			if err != nil {
				return nil, err
			}
			h = countQuarters(h, prices)
		}
		holdings[date] = h
	}
	return holdings, nil
}

func isWholeIn(held map[string]int, date market.DeliveryDate, resolution market.Resolution) bool {
	return held[market.PriceSeries(resolution, market.FromENTSOE)] >= date.Steps(resolution.Seconds())
}

func countQuarters(h holding, prices []market.Price) holding {
	for _, q := range market.Quarters(prices) {
		h.received++
		if q.Source != market.FromENTSOE {
			h.standIns++
		}
	}
	return h
}

// holdingsOf is what a coverage, of the store or of a reply, has of each of the dates. For prices it has no answer.
func holdingsOf(dataset market.Dataset, coverage market.Coverage, dates []market.DeliveryDate) map[market.DeliveryDate]holding {
	series, step := dueSeries(dataset, coverage), dataset.Series().StepSeconds()
	holdings := map[market.DeliveryDate]holding{}
	for _, date := range dates {
		h := holding{thinned: coverage.IsThinned(date)}
		for _, s := range series {
			if date.Before(s.First) {
				continue
			}
			steps := date.Steps(step)
			h.expected += steps
			h.received += min(rowsOf(coverage[date], s.Prefix), steps)
		}
		holdings[date] = h
	}
	return holdings
}

// dueSeries are the series of a dataset that are due; one that is held from an earlier date on is due from then on.
func dueSeries(dataset market.Dataset, coverage market.Coverage) []market.Due {
	series := slices.Clone(dataset.About().Due)
	for i := range series {
		for date, held := range coverage {
			if date.Before(series[i].First) && rowsOf(held, series[i].Prefix) > 0 {
				series[i].First = date
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

// asked is store.FetchHistory without the instants that lie ahead of now: they were kept while the clock was wrong.
func (f *Feeds) asked(ctx context.Context, feed *feed, dataset market.Dataset, first, last market.DeliveryDate) (
	map[market.DeliveryDate]store.FetchHistory, error,
) {
	asked, err := f.store.FetchHistory(ctx, string(feed.Name), dataset, first, last)
	now := f.clock.Now()
	for date, a := range asked {
		for _, at := range []*time.Time{&a.Answered, &a.SameSince, &a.Whole} {
			if at.After(now) {
				*at = time.Time{}
			}
		}
		asked[date] = a
	}
	return asked, err
}

// isGap says that the source has said the same of the delivery date for so long after its end that there is no more to
// come of itself.
func isGap(date market.DeliveryDate, asked store.FetchHistory, now time.Time) bool {
	if date.End().After(now) || asked.Answered.IsZero() {
		return false
	}
	since := asked.SameSince
	if since.Before(date.End()) {
		since = date.End()
	}
	return asked.Answered.Sub(since) >= gapAfter
}

// lack is how many datasets of a feed are not whole, or not read well, on a delivery date.
type lack struct {
	open  int  // the source may still give what is missing, or what the newest reading did not take
	gaps  int  // the source has nothing more, or nothing more is kept of what it gave
	asked bool // the feed has asked for the date
}

// lacks tells, for the delivery dates from first to last, which of the feed's datasets are not whole.
func (f *Feeds) lacks(ctx context.Context, feed *feed, first, last market.DeliveryDate) (map[market.DeliveryDate]lack, error) {
	lacks := map[market.DeliveryDate]lack{}
	clock, err := f.clockFinding(ctx)
	if err != nil {
		return nil, err
	}
	now := f.clock.Now()
	for _, dataset := range feed.Datasets {
		holdings, err := f.holdings(ctx, dataset, first, last)
		if err != nil {
			return nil, err
		}
		asked, err := f.asked(ctx, feed, dataset, first, last)
		if err != nil {
			return nil, err
		}
		for date, h := range holdings {
			l := lacks[date]
			said, wasAsked := asked[date]
			l.asked = l.asked || wasAsked
			switch {
			case h.thinned:
				l.gaps++
			case said.Fault.IsOpen(): // also where the date is held whole: its error stays until it is read well
				l.open++
			case h.settled() && said.Fault.Kind != store.FaultOmitted:
			case !clock.wrong && isGap(date, said, now):
				l.gaps++
			default:
				l.open++
			}
			lacks[date] = l
		}
	}
	return lacks, nil
}

// unfinished lists the delivery dates up to last of which the source may still give something, or whose newest reading was not
// taken as a whole: all from first on, and of those before it the ones that were asked for.
func (f *Feeds) unfinished(ctx context.Context, feed *feed, first, last market.DeliveryDate) (map[market.DeliveryDate]bool, error) {
	begin := first
	for _, dataset := range feed.Datasets {
		extent, err := f.store.Extent(ctx, dataset)
		if err != nil {
			return nil, err
		}
		due, err := f.firstDue(ctx, dataset, extent)
		if err != nil {
			return nil, err
		}
		if !due.IsZero() {
			begin = earlier(begin, due)
		}
	}
	lacks, err := f.lacks(ctx, feed, begin, last)
	if err != nil {
		return nil, err
	}
	unfinished := map[market.DeliveryDate]bool{}
	for date, l := range lacks {
		if l.open > 0 && (l.asked || !date.Before(first)) {
			unfinished[date] = true
		}
	}
	return unfinished, nil
}

// firstDue is the first delivery date of the dataset that is due: the first one stored, or asked for if the source is
// known to have it. It is zero if there is none.
func (f *Feeds) firstDue(ctx context.Context, dataset market.Dataset, extent store.Extent) (market.DeliveryDate, error) {
	asked, err := f.store.FirstRequestedDate(ctx, dataset)
	if err != nil {
		return market.DeliveryDate{}, err
	}
	first := dataset.About().First
	if first.IsZero() {
		first = extent.First
	}
	switch {
	case asked.IsZero(), !extent.First.IsZero() && extent.First.Before(asked):
		return extent.First, nil
	case asked.Before(first) && (extent.First.IsZero() || !extent.First.Before(first)):
		return first, nil
	}
	return asked, nil
}
