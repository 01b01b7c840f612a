package ingest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// Reader asks a source for a period, and returns what it answered in rows of a batch. The error is a *source.Fault, or the
// context's.
type Reader func(context.Context, market.Period) (answer, error)

// ReaderOf makes a Reader of a source's method, which gives rows of a series.
func ReaderOf[R comparable](
	series *market.Series[R], read func(context.Context, market.Period) (source.Reply[R], source.Traffic, error),
) Reader {
	return func(ctx context.Context, period market.Period) (answer, error) {
		reply, traffic, err := read(ctx, period)
		return answer{
			batch: series.Batch(reply.Rows), refused: series.Batch(reply.Refused), refusals: reply.Refusals, omissions: reply.Omissions,
			notes: reply.Notes, unknownKeys: reply.UnknownKeys, traffic: traffic,
		}, err
	}
}

// feed is a feed of this process: its description and behaviour, and how its runs went.
type feed struct {
	market.Feed
	behaviour
	read      Reader // nil: there are no credentials for the source
	schedule  Schedule
	outOfRoom bool     // the disk is nearly full
	circuit   circuit  // of this resource
	host      *circuit // of the source, shared by its feeds

	busy       sync.Mutex          // locked while a job runs
	failing    market.DeliveryDate // the newest date of the windows that failed since the circuit was last closed; guarded by busy
	mu         sync.Mutex
	pauses     map[market.DeliveryDate]pause
	nextRun    time.Time       // zero: no run is scheduled
	trouble    report.Trouble  // of the newest run
	unrecorded error           // why the record of the newest run could not be stored
	stored     store.FeedState // the state in the database; guarded by Feeds.statesMu
}

// isOff reports whether there are no credentials for the feed's source.
func (feed *feed) isOff() bool { return feed.read == nil }

// window is what one run asks for. Its calls are made one after the other, and their answers are committed together.
type window struct {
	market.Period
	calls []market.Period
}

// answer is what one call, or all calls of a window, returned.
type answer struct {
	batch       market.Batch
	refusals    source.Refusals
	refused     market.Batch // the readable rows of refused dates
	omissions   []market.Omission
	notes       []string
	unknownKeys []string
	traffic     source.Traffic
	lost        []market.DeliveryDate // dates that could not be fetched or read, even by themselves
	fault       error                 // why the first of them was lost; nil if none is
	unreadable  int                   // how many documents of more than one date could not be read
}

// addLost adds neighbouring delivery dates to those that are missing from the answer because of an error. The first error
// is kept.
func (a *answer) addLost(dates []market.DeliveryDate, err error) {
	a.lost = append(a.lost, dates...)
	a.fault = cmp.Or(a.fault, fmt.Errorf("%s to %s: %w", dates[0], dates[len(dates)-1], err))
}

// add adds the answer to another call.
func (a *answer) add(part answer) {
	a.batch = a.batch.With(part.batch)
	a.refused = a.refused.With(part.refused)
	a.refusals.Add(part.refusals)
	a.omissions = append(a.omissions, part.omissions...)
	a.notes = source.AddOnce(a.notes, part.notes...)
	a.unknownKeys = source.AddOnce(a.unknownKeys, part.unknownKeys...)
}

// windowsOf plans windows over the delivery dates, each of as many as a call may span. Dates before the feed's earliest
// one are left out.
func windowsOf(feed market.Feed, first, last market.DeliveryDate) []window {
	var windows []window
	if earliest := feed.Earliest(); first.Before(earliest) {
		first = earliest
	}
	for ; !first.After(last); first = first.Add(feed.WindowDays) {
		end := first.Add(feed.WindowDays - 1)
		if end.After(last) {
			end = last
		}
		period := market.NewPeriod(first.Start(), end.End())
		calls := []market.Period{period}
		if feed.LocalTimes {
			calls = cutAtChange(end, period)
		}
		windows = append(windows, window{period, calls})
	}
	return windows
}

// cutAtChange cuts a period at the instant at which the clock goes back on its last delivery date.
func cutAtChange(date market.DeliveryDate, period market.Period) []market.Period {
	change, turns := date.TurnBack()
	if at := change.Unix(); turns && period.Start < at && at < period.End {
		return []market.Period{{Start: period.Start, End: at}, {Start: at, End: period.End}}
	}
	return []market.Period{period}
}

// upTo cuts off what lies after an instant, because energy has no values in the future; false if nothing is left.
func (w window) upTo(now time.Time) (window, bool) {
	end := now.Unix()
	if w.End <= end {
		return w, true
	}
	if w.Start >= end {
		return window{}, false
	}
	return w.between(w.Start, end), true
}

// isOver reports whether the window ends with the end of a delivery date, which is past.
func (w window) isOver(now time.Time) bool {
	return !w.To().After(now) && w.To().Equal(market.DeliveryDateOf(w.To()).Start())
}

// since cuts off what lies before an instant.
func (w window) since(from time.Time) window {
	return w.between(max(w.Start, from.Unix()), w.End)
}

func (w window) between(start, end int64) window {
	cut := window{Period: market.Period{Start: start, End: end}}
	for _, call := range w.calls {
		if part := call.Intersect(cut.Period); part.Start < part.End {
			cut.calls = append(cut.calls, part)
		}
	}
	return cut
}
