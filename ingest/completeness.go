package ingest

import (
	"context"
	"time"

	"courant/store"
	"courant/store/market"
)

// EarliestDate is before the first delivery date of every series.
var EarliestDate = market.NewDeliveryDate(2014, time.January, 1)

// gapAfter is how long a source has to say the same of a delivery date that is over, until what is missing is taken for
// a gap of the source's own.
const gapAfter = 7 * 24 * time.Hour

// completeness is how much of one delivery date a dataset has, in periods.
type completeness struct {
	expected, received int
	secondary          int  // how many of those received are from the second source
	thinned            bool // what was received is kept in 5 min only, and nothing is asked for any more
}

// isComplete reports whether every period can be served.
func (h completeness) isComplete() bool { return h.thinned || h.received >= h.expected }

// isCompleteFromSource reports whether the dataset's own source has given every period.
func (h completeness) isCompleteFromSource() bool {
	return h.thinned || h.received-h.secondary >= h.expected
}

// completenessOf returns, for each delivery date from first to last, how much of the dataset is expected and stored.
func (f *Feeds) completenessOf(ctx context.Context, dataset market.Dataset, first, last market.DeliveryDate) (map[market.DeliveryDate]completeness, error) {
	coverage, err := f.store.Coverage(ctx, dataset, first, last)
	if err != nil {
		return nil, err
	}
	if dataset.About().Due == nil {
		return f.priceCompleteness(ctx, dataset, coverage, market.Dates(first, last))
	}
	return completenessIn(dataset, coverage, market.Dates(first, last)), nil
}

// priceCompleteness is completenessOf for the day-ahead prices. Where no single series of ENTSO-E is whole, it counts the quarters
// that all series together cover.
func (f *Feeds) priceCompleteness(ctx context.Context, dataset market.Dataset, coverage market.Coverage, dates []market.DeliveryDate) (map[market.DeliveryDate]completeness, error) {
	stored := map[market.DeliveryDate]completeness{}
	for _, date := range dates {
		h := completeness{expected: date.Steps(market.QuarterSeconds)}
		switch {
		case len(coverage[date]) == 0:
		case coverage.HasAllPrices(date):
			h.received = h.expected
		default:
			prices, err := store.Within(ctx, f.store, market.Prices, dataset, date.Period())
			if err != nil {
				return nil, err
			}
			h = countQuarters(h, prices)
		}
		stored[date] = h
	}
	return stored, nil
}

func countQuarters(h completeness, prices []market.Price) completeness {
	for _, q := range market.Quarters(prices) {
		h.received++
		if q.Source != market.FromENTSOE {
			h.secondary++
		}
	}
	return h
}

// completenessIn returns how much of each date a coverage has, that of the store or of a reply. It is not for prices.
func completenessIn(dataset market.Dataset, coverage market.Coverage, dates []market.DeliveryDate) map[market.DeliveryDate]completeness {
	due, step := coverage.DueSeries(dataset), dataset.Series().StepSeconds()
	stored := map[market.DeliveryDate]completeness{}
	for _, date := range dates {
		h := completeness{thinned: coverage.IsThinned(date)}
		h.expected, h.received = coverage.DueSteps(date, due, step)
		stored[date] = h
	}
	return stored
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

// missingDatasets is how many datasets of a feed are not whole, or not read well, on a delivery date.
type missingDatasets struct {
	open  int  // the source may still give what is missing, or what the newest reading did not take
	gaps  int  // the source has nothing more, or nothing more is kept of what it gave
	asked bool // the feed has asked for the date
}

// missing returns, for the delivery dates from first to last, how many of the feed's datasets are incomplete.
func (f *Feeds) missing(ctx context.Context, feed *feed, first, last market.DeliveryDate) (map[market.DeliveryDate]missingDatasets, error) {
	missing := map[market.DeliveryDate]missingDatasets{}
	clock, err := f.clockFinding(ctx)
	if err != nil {
		return nil, err
	}
	now := f.clock.Now()
	for _, dataset := range feed.Datasets {
		stored, err := f.completenessOf(ctx, dataset, first, last)
		if err != nil {
			return nil, err
		}
		asked, err := f.asked(ctx, feed, dataset, first, last)
		if err != nil {
			return nil, err
		}
		for date, h := range stored {
			l := missing[date]
			said, wasAsked := asked[date]
			l.asked = l.asked || wasAsked
			switch {
			case h.thinned:
				l.gaps++
			case said.Fault.IsOpen(): // also where the date is held whole: its error stays until it is read well
				l.open++
			case h.isCompleteFromSource() && said.Fault.Kind != store.FaultOmitted:
			case !clock.wrong && isGap(date, said, now):
				l.gaps++
			default:
				l.open++
			}
			missing[date] = l
		}
	}
	return missing, nil
}

// unfinished lists the delivery dates up to last for which the source may still publish data, or whose newest reading was not
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
	missing, err := f.missing(ctx, feed, begin, last)
	if err != nil {
		return nil, err
	}
	unfinished := map[market.DeliveryDate]bool{}
	for date, l := range missing {
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
