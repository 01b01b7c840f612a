package ingest

import (
	"context"
	"slices"
	"time"

	"courant/store/market"
)

// gather makes the window's calls and joins their answers.
func (f *Feeds) gather(ctx context.Context, feed *feed, w window) (answer, error) {
	var all answer
	for _, call := range w.calls {
		if err := f.gatherCall(ctx, feed, call, nil, &all); err != nil {
			return all, err
		}
	}
	now := f.clock.Now()
	all.batch = all.batch.WithoutFuture(now)
	all.batch.ForgetUpdates(now.Add(latestUpdate))
	all.batch.Settle(now)
	all.refused = all.refused.WithoutFuture(now)
	all.dropResolvedOmissions()
	return all, nil
}

// dropResolvedOmissions deletes the omissions of a whole date for which another reply had rows after all, and repeated ones.
func (a *answer) dropResolvedOmissions() {
	var kept []market.Omission
	for _, omission := range a.omissions {
		whole := omission.Steps == 0
		if whole && len(a.batch.Coverage(omission.Dataset)[omission.Date]) == 0 && !slices.ContainsFunc(kept, func(other market.Omission) bool {
			return other.Dataset == omission.Dataset && other.Date == omission.Date
		}) || !whole {
			kept = append(kept, omission)
		}
	}
	a.omissions = kept
}

// gatherCall makes one call. A source may cut the answer to a wide window short without saying so, at its end or in one of
// its series: past delivery dates that are incomplete in the answer are asked for again by themselves, as long as that
// returns more than the call for the wider window. was is the shortfall of that call; nil for the first one.
func (f *Feeds) gatherCall(ctx context.Context, feed *feed, call market.Period, was shortfall, into *answer) error {
	part, err := feed.read(ctx, call)
	into.traffic.Add(part.traffic)
	dates := call.Dates()
	switch canSplit := len(dates) > 1 && feed.canSplit(); {
	case canSplit && isTooWide(err):
		return f.gatherHalves(ctx, feed, call, err, into)
	case canSplit && isUnreadable(err) && into.unreadable < mostUnreadable:
		into.unreadable++
		return f.gatherHalves(ctx, feed, call, err, into)
	case err != nil:
		return err
	}
	into.add(part)
	if len(dates) == 1 || part.batch.IsEmpty() {
		return nil
	}
	short := f.shortfallOf(feed, dates, part)
	if was != nil && !short.isLessThan(was, dates) {
		return nil
	}
	for _, piece := range short.pieces(dates) {
		if retryAfter(into.fault) > 0 {
			into.lost = append(into.lost, piece...)
			continue
		}
		first, last := piece[0], piece[len(piece)-1]
		err := f.gatherCall(ctx, feed, market.NewPeriod(first.Start(), last.End()), short, into)
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // the rest of the answer is stored; these dates are asked for again later
			into.addLost(piece, err)
		}
	}
	return nil
}

// mostUnreadable is how many unreadable documents of a window are asked for in halves: enough for two unreadable dates in
// the widest window, and few calls where all dates are.
const mostUnreadable = 14

// gatherHalves asks for a window in two halves, because the source calls it too wide, or because its document cannot be
// read: a single date may have spoilt it. cause is that error; it is returned where neither half can be read.
func (f *Feeds) gatherHalves(ctx context.Context, feed *feed, call market.Period, cause error, into *answer) error {
	dates := call.Dates()
	middle := dates[len(dates)/2].Start().Unix()
	var unread []market.Period
	for _, half := range []market.Period{{Start: call.Start, End: middle}, {Start: middle, End: call.End}} {
		switch err := f.gatherCall(ctx, feed, half, nil, into); {
		case err == nil:
		case isUnreadable(err):
			unread = append(unread, half)
			if isTooWide(cause) {
				cause = err
			}
		default:
			return err
		}
	}
	if len(unread) == 2 {
		return cause
	}
	for _, half := range unread {
		into.addLost(half.Dates(), cause)
	}
	return nil
}

// shortfall is how many periods of past delivery dates are missing from an answer. It has no entry for a complete date.
type shortfall map[market.DeliveryDate]int

// shortfallOf counts the missing periods per date; dates with refusals are skipped.
func (f *Feeds) shortfallOf(feed *feed, dates []market.DeliveryDate, part answer) shortfall {
	short := shortfall{}
	for _, dataset := range feed.Datasets {
		held := completenessIn(dataset, part.batch.Coverage(dataset), dates)
		if dataset.About().Due == nil {
			held = quartersOf(part.batch, dataset, dates)
		}
		for _, date := range dates {
			if h := held[date]; date.Before(f.today()) && !h.isCompleteFromSource() && !part.refusals.Has(dataset, date) {
				short[date] += h.expected - h.received
			}
		}
	}
	return short
}

// quartersOf counts the quarters of each date that a batch's prices cover.
func quartersOf(batch market.Batch, dataset market.Dataset, dates []market.DeliveryDate) map[market.DeliveryDate]completeness {
	held := map[market.DeliveryDate]completeness{}
	for _, date := range dates {
		prices := market.Prices.In(batch.Of(dataset, date))
		held[date] = countQuarters(completeness{expected: date.Steps(market.QuarterSeconds)}, prices)
	}
	return held
}

// isLessThan reports whether less than before is missing from any of the dates.
func (s shortfall) isLessThan(was shortfall, dates []market.DeliveryDate) bool {
	return slices.ContainsFunc(dates, func(date market.DeliveryDate) bool { return s[date] < was[date] })
}

// pieces are the sequences of neighbouring dates that are incomplete, or two halves of the dates if all are.
func (s shortfall) pieces(dates []market.DeliveryDate) [][]market.DeliveryDate {
	short := slices.DeleteFunc(slices.Clone(dates), func(date market.DeliveryDate) bool { return s[date] == 0 })
	if len(short) == len(dates) {
		return [][]market.DeliveryDate{dates[:len(dates)/2], dates[len(dates)/2:]}
	}
	return neighbours(short)
}

// neighbours splits ascending dates into sequences of consecutive dates.
func neighbours(dates []market.DeliveryDate) [][]market.DeliveryDate {
	var runs [][]market.DeliveryDate
	for i, date := range dates {
		if i == 0 || dates[i-1].Add(1) != date {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], date)
	}
	return runs
}

// latestUpdate is how far in the future, by this machine's clock, the time at which a source last changed a row may be. A
// later time is ignored: it would make every later row look old.
const latestUpdate = 24 * time.Hour
