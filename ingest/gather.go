package ingest

import (
	"context"
	"slices"
	"time"

	"courant/store/market"
)

// gather makes the window's calls and puts together what they bring.
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
	all.settleOmissions()
	return all, nil
}

// settleOmissions forgets that a reply lacked a dataset where another one gave rows of the date after all, and what is told twice.
func (a *answer) settleOmissions() {
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

// gatherCall makes one call. A source may cut a wide window short without a word, at its end or in one of its series:
// delivery dates that are over and not whole in the answer are asked for again by themselves, as long as that brings
// more than the call for a wider window did, to which was belongs; nil for the first call.
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
	short := f.shortOf(feed, dates, part)
	if was != nil && !short.isLessThan(was, dates) {
		return nil
	}
	for _, piece := range short.pieces(dates) {
		if askedRest(into.fault) > 0 {
			into.lost = append(into.lost, piece...)
			continue
		}
		first, last := piece[0], piece[len(piece)-1]
		err := f.gatherCall(ctx, feed, market.NewPeriod(first.Start(), last.End()), short, into)
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // what came is kept; the dates are asked for again later
			into.lose(piece, err)
		}
	}
	return nil
}

// mostUnreadable is how many documents of a window that cannot be read are asked for in halves: enough for two spoilt dates
// in the widest window, and few where all are.
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
		into.lose(half.Dates(), cause)
	}
	return nil
}

// shortfall is how many periods an answer lacks of delivery dates that are over; a date that is whole is not there.
type shortfall map[market.DeliveryDate]int

// shortOf is what the answer lacks of the dates; of a date of which it refuses something that is not known.
func (f *Feeds) shortOf(feed *feed, dates []market.DeliveryDate, part answer) shortfall {
	short := shortfall{}
	for _, dataset := range feed.Datasets {
		held := holdingsOf(dataset, part.batch.Coverage(dataset), dates)
		if dataset.About().Due == nil {
			held = quartersOf(part.batch, dataset, dates)
		}
		for _, date := range dates {
			if h := held[date]; date.Before(f.today()) && !h.settled() && !part.refusals.Has(dataset, date) {
				short[date] += h.expected - h.received
			}
		}
	}
	return short
}

// quartersOf is what a batch's prices cover of each of the dates.
func quartersOf(batch market.Batch, dataset market.Dataset, dates []market.DeliveryDate) map[market.DeliveryDate]holding {
	held := map[market.DeliveryDate]holding{}
	for _, date := range dates {
		prices := market.Prices.In(batch.Of(dataset, date))
		held[date] = countQuarters(holding{expected: date.Steps(market.QuarterSeconds)}, prices)
	}
	return held
}

// isLessThan says whether any of the dates lacks less than it did.
func (s shortfall) isLessThan(was shortfall, dates []market.DeliveryDate) bool {
	return slices.ContainsFunc(dates, func(date market.DeliveryDate) bool { return s[date] < was[date] })
}

// pieces are the runs of neighbours among the dates that lack something, or the dates in two halves if all do.
func (s shortfall) pieces(dates []market.DeliveryDate) [][]market.DeliveryDate {
	short := slices.DeleteFunc(slices.Clone(dates), func(date market.DeliveryDate) bool { return s[date] == 0 })
	if len(short) == len(dates) {
		return [][]market.DeliveryDate{dates[:len(dates)/2], dates[len(dates)/2:]}
	}
	return neighbours(short)
}

// neighbours cuts ascending dates into runs without a hole.
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

// latestUpdate is by how much the date that a source gives for a row's last change may lie ahead of this machine's clock. One
// that lies further ahead is not believed: it would shut out every later row.
const latestUpdate = 24 * time.Hour
