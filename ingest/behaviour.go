package ingest

import (
	"context"
	"time"

	"courant/store"
	"courant/store/market"
)

// behaviour is what differs between feeds: which delivery dates they ask for, when, and how they judge what comes.
type behaviour interface {
	// wanted returns the delivery dates for which the feed needs data, or has to fetch data again.
	wanted(ctx context.Context, now time.Time) (map[market.DeliveryDate]bool, error)
	// plan returns the windows of a job that begins now, where dates are those that are wanted and not paused.
	plan(ctx context.Context, now time.Time, dates map[market.DeliveryDate]bool) ([]window, error)
	// isUrgent reports whether what the feed's hours are for is among the wanted dates.
	isUrgent(wanted map[market.DeliveryDate]bool, today market.DeliveryDate) bool
	// nextAfter returns when the feed runs again after now.
	nextAfter(ctx context.Context, now time.Time, urgent bool) time.Time
	// restAfter returns until when the feed rests because its job ended with the error; false if it does not.
	restAfter(failed error, now time.Time) (time.Time, bool)

	// screen takes out of an answer the delivery dates that are not to be stored without a person's decision, or not
	// at all. rejected are those that a person has rejected before.
	screen(ctx context.Context, brought *answer, scheduled bool) (rejected []market.Refusal, err error)
	// canSplit reports whether the source can be asked for a part of a window.
	canSplit() bool

	// begun cuts off what has not begun at now, where that is not published yet; false if nothing is left.
	begun(w window, now time.Time) (window, bool)
	// dueDates returns the last delivery date that should be complete, and the last one that is late if it is not;
	// isLate reports whether it is late_at or later.
	dueDates(today market.DeliveryDate, isLate bool) (lastDue, lastOverdue market.DeliveryDate)
	// periodsBy returns how many of a delivery date's periods should be stored at now, before the date is due.
	periodsBy(date market.DeliveryDate, periods int, now time.Time) int
	// isContinuous reports whether new values come at any time of the day.
	isContinuous() bool
}

// behaviourOf makes the behaviour of a feed.
func (f *Feeds) behaviourOf(feed *feed) behaviour {
	ahead := aheadFeed{primary{f, feed}}
	switch {
	case feed.Secondary:
		return secondFeed{ahead}
	case feed.IsSoldAhead():
		return ahead
	case feed.Timetable.Fixed:
		return fixedFeed{energyFeed{primary{f, feed}}}
	}
	return energyFeed{primary{f, feed}}
}

// primary is the behaviour that the feeds of a dataset's own source have in common.
type primary struct {
	feeds *Feeds
	feed  *feed
}

func (p primary) nextAfter(_ context.Context, now time.Time, urgent bool) time.Time {
	return earliest(p.feed.schedule.next(now, urgent), nextReread(now, p.feed.Rereads))
}

func (p primary) restAfter(error, time.Time) (time.Time, bool) { return time.Time{}, false }

func (p primary) screen(ctx context.Context, brought *answer, scheduled bool) ([]market.Refusal, error) {
	return p.feeds.holdBack(ctx, brought, scheduled)
}

func (p primary) canSplit() bool { return true }

// wantedOf returns the delivery dates from first to last that the source may still complete, and of those from
// firstReread to lastReread the ones that were not read since rereadAt.
func (p primary) wantedOf(
	ctx context.Context, first, last, firstReread, lastReread market.DeliveryDate, rereadAt func(market.DeliveryDate) time.Time,
) (map[market.DeliveryDate]bool, error) {
	wanted, err := p.feeds.unfinished(ctx, p.feed, first, last)
	if err != nil {
		return nil, err
	}
	for _, dataset := range p.feed.Datasets {
		asked, err := p.feeds.asked(ctx, p.feed, dataset, firstReread, lastReread)
		if err != nil {
			return nil, err
		}
		coverage, err := p.feeds.store.Coverage(ctx, dataset, firstReread, lastReread)
		if err != nil {
			return nil, err
		}
		for date, a := range asked {
			if a.Whole.Before(rereadAt(date)) && !coverage.IsThinned(date) {
				wanted[date] = true
			}
		}
	}
	return wanted, nil
}

// aheadFeed brings what is known a day before its delivery date.
type aheadFeed struct{ primary }

func (a aheadFeed) wanted(ctx context.Context, now time.Time) (map[market.DeliveryDate]bool, error) {
	today := market.DeliveryDateOf(now)
	first, last := today.Add(1-a.feed.schedule.LookbackDays), today.Add(1)
	return a.wantedOf(ctx, first, last, first, last, func(date market.DeliveryDate) time.Time {
		at := rereadAt(date, now, a.feed.Rereads)
		if started := a.feeds.started; !date.Before(today) && started.After(at) {
			at = started
		}
		return at
	})
}

func (a aheadFeed) plan(_ context.Context, _ time.Time, dates map[market.DeliveryDate]bool) ([]window, error) {
	return planDates(a.feed, dates), nil
}

func (aheadFeed) isUrgent(wanted map[market.DeliveryDate]bool, today market.DeliveryDate) bool {
	return wanted[today.Add(1)]
}

func (aheadFeed) begun(w window, _ time.Time) (window, bool) { return w, true }

// dueDates are tomorrow from late_at on, and today before.
func (aheadFeed) dueDates(today market.DeliveryDate, isLate bool) (lastDue, lastOverdue market.DeliveryDate) {
	if isLate {
		return today.Add(1), today.Add(1)
	}
	return today, today
}

func (aheadFeed) periodsBy(_ market.DeliveryDate, periods int, _ time.Time) int { return periods }

func (aheadFeed) isContinuous() bool { return false }

// energyFeed brings what is published soon after it was delivered.
type energyFeed struct{ primary }

// energyDates is how many delivery dates of energy, today included, are brought in where nothing is stored yet.
const energyDates = 3

// overlap is how far before the newest step of energy a run begins: the last steps are corrected for a while.
const overlap = 30 * time.Minute

func (e energyFeed) wanted(ctx context.Context, now time.Time) (map[market.DeliveryDate]bool, error) {
	today := market.DeliveryDateOf(now)
	first, err := e.firstDate(ctx, today)
	if err != nil {
		return nil, err
	}
	yesterday := today.Add(-1)
	return e.wantedOf(ctx, first, yesterday, today.Add(-settlementDates), yesterday, func(date market.DeliveryDate) time.Time {
		at := rereadAt(date, now, e.feed.Rereads)
		if settles := settlementAt(date); !settles.After(now) && settles.After(at) {
			at = settles
		}
		return at
	})
}

// firstDate returns the first delivery date that the feed completes: that of the lookback, but none before the first
// one stored, unless it is one of the last few.
func (e energyFeed) firstDate(ctx context.Context, today market.DeliveryDate) (market.DeliveryDate, error) {
	extent, err := e.feeds.store.Extent(ctx, e.feed.Datasets[0])
	if err != nil {
		return market.DeliveryDate{}, err
	}
	first, least := today.Add(1-e.feed.schedule.LookbackDays), today.Add(1-energyDates)
	switch {
	case extent.First.IsZero() || extent.First.After(least):
		return least, nil
	case extent.First.After(first):
		return extent.First, nil
	}
	return earlier(first, least), nil
}

// plan asks for what may have changed since the last run, and then for the dates.
func (e energyFeed) plan(ctx context.Context, now time.Time, dates map[market.DeliveryDate]bool) ([]window, error) {
	newest, err := e.newest(ctx, now, dates)
	return append(newest, planDates(e.feed, dates)...), err
}

// newest returns the windows that may have changed since the last run: from a while before the newest step to now, over
// midnight if the source lags, or from midnight if nothing is stored. A date that is wanted as a whole is left out.
func (e energyFeed) newest(ctx context.Context, now time.Time, wanted map[market.DeliveryDate]bool) ([]window, error) {
	extent, err := e.feeds.store.Extent(ctx, e.feed.Datasets[0])
	if err != nil {
		return nil, err
	}
	today := market.DeliveryDateOf(now)
	asked, err := e.feeds.asked(ctx, e.feed, e.feed.Datasets[0], today.Add(-1), today)
	if err != nil {
		return nil, err
	}
	var windows []window
	for _, date := range []market.DeliveryDate{today, today.Add(-1)} {
		from := time.Unix(extent.NewestStart, 0).Add(-overlap)
		if fault := asked[date].Fault; (fault.IsOpen() || fault.Kind == store.FaultOmitted) && fault.Window.From().Before(from) {
			from = fault.Window.From() // what was not read well is read again
		}
		if wanted[date] || !from.Before(date.End()) {
			continue
		}
		if date != today && extent.Last.Before(date) {
			continue // it is wanted, and paused
		}
		for _, w := range windowsOf(e.feed.Feed, date, date) {
			if w, begun := w.upTo(now); begun {
				windows = append(windows, w.since(from))
			}
		}
	}
	return windows, nil
}

func (energyFeed) isUrgent(map[market.DeliveryDate]bool, market.DeliveryDate) bool { return true }

func (energyFeed) begun(w window, now time.Time) (window, bool) { return w.upTo(now) }

// dueDates are yesterday; it is late from late_at on.
func (energyFeed) dueDates(today market.DeliveryDate, isLate bool) (lastDue, lastOverdue market.DeliveryDate) {
	yesterday := today.Add(-1)
	if isLate {
		return yesterday, yesterday
	}
	return yesterday, yesterday.Add(-1)
}

func (energyFeed) periodsBy(date market.DeliveryDate, periods int, now time.Time) int {
	whole := date.Period()
	elapsed := min(max(now.Unix()-whole.Start, 0), whole.Seconds())
	return int(int64(periods) * elapsed / whole.Seconds())
}

func (energyFeed) isContinuous() bool { return true }

// fixedFeed fetches energy whose periods are each published at a known time after their end.
type fixedFeed struct{ energyFeed }

// repeats are how long after its time a run is repeated where the newest period is missing.
var repeats = []time.Duration{2 * time.Minute, 5 * time.Minute}

// nextAfter returns the next time of the timetable, or the next repeat.
func (f fixedFeed) nextAfter(ctx context.Context, now time.Time, _ bool) time.Time {
	last, next := f.feed.schedule.times(now)
	extent, err := f.feeds.store.Extent(ctx, f.feed.Datasets[0])
	if ended := last.Truncate(f.feed.schedule.Every); err == nil && time.Unix(extent.NewestEnd, 0).Before(ended) {
		for _, repeat := range repeats {
			if at := last.Add(repeat); at.After(now) {
				next = earliest(at, next)
				break
			}
		}
	}
	return earliest(next, nextReread(now, f.feed.Rereads))
}

// secondFeed brings the prices of a second source, the power exchanges: they are served until the first source has
// given its own, and compared with them afterwards. The exchanges give one delivery date, without being asked which.
type secondFeed struct{ aheadFeed }

// wanted returns tomorrow once the feed's hours have begun, to be served or compared, and before that today where no
// source has given it.
func (s secondFeed) wanted(ctx context.Context, now time.Time) (map[market.DeliveryDate]bool, error) {
	today := market.DeliveryDateOf(now)
	dataset := s.feed.Datasets[0]
	if now.Before(minutesLater(today, s.feed.schedule.FromMinute)) {
		stored, err := s.feeds.completenessOf(ctx, dataset, today, today)
		if err != nil || stored[today].isComplete() {
			return nil, err
		}
		return map[market.DeliveryDate]bool{today: true}, nil
	}
	tomorrow := today.Add(1)
	coverage, err := s.feeds.store.Coverage(ctx, dataset, tomorrow, tomorrow)
	own := coverage[tomorrow][market.PriceSeries(market.PT15M, market.FromRTE)]
	if err != nil || own >= tomorrow.Steps(market.QuarterSeconds) {
		return nil, err
	}
	return map[market.DeliveryDate]bool{tomorrow: true}, nil
}

// plan asks for today and tomorrow, whichever is wanted.
func (s secondFeed) plan(_ context.Context, now time.Time, dates map[market.DeliveryDate]bool) ([]window, error) {
	if len(dates) == 0 {
		return nil, nil
	}
	today := market.DeliveryDateOf(now)
	return windowsOf(s.feed.Feed, today, today.Add(1)), nil
}

func (secondFeed) isUrgent(wanted map[market.DeliveryDate]bool, _ market.DeliveryDate) bool {
	return len(wanted) > 0
}

func (s secondFeed) nextAfter(_ context.Context, now time.Time, urgent bool) time.Time {
	return s.feed.schedule.next(now, urgent)
}

// restAfter lets the feed rest until the next day where the source refuses the application: it may well not be
// subscribed to a second source.
func (s secondFeed) restAfter(failed error, now time.Time) (time.Time, bool) {
	return nextMinute(now, s.feed.schedule.FromMinute), isRefusal(failed)
}

func (secondFeed) screen(_ context.Context, brought *answer, _ bool) ([]market.Refusal, error) {
	refuseFlat(&brought.batch, &brought.refusals)
	return nil, nil
}

func (secondFeed) canSplit() bool { return false }
