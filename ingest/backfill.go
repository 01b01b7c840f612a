package ingest

import (
	"context"
	"time"

	"courant/store"
)

// backfill is the windows of one request of a fetch under way. It is made for hours without a person: while the source
// is down it waits, and what was lost to a fault that may pass is asked for again at the end.
type backfill struct {
	feeds    *Feeds
	feed     *feed
	fetchID  int64
	tell     func(Progress)
	progress Progress
	faults   []string  // what could not be had, and why
	left     int       // delivery dates that were given up, since there was no use in going on
	outage   circuit   // that the source is in, over all rounds
	until    time.Time // the source is left alone
}

// longestWait is how long a fetch waits for a source that asks to be left alone. Nobody sits by for more than that.
const longestWait = time.Hour

// lostWindow is one that was lost to a fault that may pass.
type lostWindow struct {
	window
	says string
}

// run asks for the windows one after the other, and again for those that are lost as long as a round brings any in, or an
// outage may pass. The error is the context's; what else went wrong stands in faults.
func (b *backfill) run(ctx context.Context, windows []window) error {
	for _, w := range windows {
		b.progress.Total += len(w.Dates())
	}
	b.tell(b.progress)
	for len(windows) > 0 {
		lost, stopped := b.round(ctx, windows)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, down := b.outage.openUntil(); stopped || len(lost) == len(windows) && !down {
			for _, l := range lost {
				b.faults = append(b.faults, l.says)
				if stopped {
					b.leave(l.window)
				}
			}
			return nil
		}
		windows = nil
		for _, l := range lost {
			windows = append(windows, l.window)
		}
	}
	return nil
}

// round asks for each window once. It is stopped where there is no use in going on.
func (b *backfill) round(ctx context.Context, windows []window) (lost []lostWindow, stopped bool) {
	for i, w := range windows {
		b.wait(ctx)
		run, err := b.feeds.run(ctx, b.feed, w, b.fetchID)
		switch {
		case ctx.Err() != nil:
			return lost, true
		case err == nil:
			b.outage.succeed()
			b.advance(w, run)
		case hopeless(err):
			b.faults = append(b.faults, run.Error)
			b.leave(windows[i:]...)
			return lost, true
		case !passes(err): // this window is refused for good; of the source's health it says nothing
			b.advance(w, run)
		default:
			lost = append(lost, lostWindow{w, run.Error})
			if !b.mayEnd(err) {
				b.leave(windows[i+1:]...)
				return lost, true
			}
		}
	}
	return lost, false
}

// leave gives up the windows.
func (b *backfill) leave(windows ...window) {
	for _, w := range windows {
		b.left += len(w.Dates())
	}
}

// advance tells of a window that is done with, for better or worse.
func (b *backfill) advance(w window, run store.Run) {
	if run.Error != "" {
		b.faults = append(b.faults, run.Error)
	}
	dates := w.Dates()
	b.progress.Done += len(dates)
	b.progress.Date = dates[len(dates)-1]
	for _, tally := range run.Tallies {
		b.progress.Rows += tally.Seen
	}
	b.tell(b.progress)
}

// mayEnd takes a fault down that passes, and says whether there is use in waiting for its end.
func (b *backfill) mayEnd(err error) bool {
	now := b.feeds.clock.Now()
	b.outage.fail(now)
	b.until = now.Add(askedRest(err))
	if until, down := b.outage.openUntil(); down && until.After(b.until) {
		b.until = until
	}
	return !b.outage.isLong() && b.until.Sub(now) <= longestWait
}

// wait lasts for as long as the source is to be left alone.
func (b *backfill) wait(ctx context.Context) {
	wait := b.until.Sub(b.feeds.clock.Now())
	if wait <= 0 {
		return
	}
	b.feeds.log.Warn("source is down", "feed", string(b.feed.Name), "pause", wait.String())
	select {
	case <-ctx.Done():
	case <-b.feeds.clock.After(wait):
	}
}
