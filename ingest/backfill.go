package ingest

import (
	"context"
	"time"

	"courant/store"
)

// backfill fetches the windows of one request. It can run for hours unattended: it waits while the source is down, and
// asks again at the end for the windows that failed with a transient error.
type backfill struct {
	feeds    *Feeds
	feed     *feed
	fetchID  int64
	report   func(Progress)
	progress Progress
	faults   []string  // what could not be fetched, and why
	left     int       // delivery dates that were given up, because asking on would have failed too
	outage   circuit   // the source's outage, over all rounds
	resumeAt time.Time // when the source may be asked again
}

// longestWait is how long a fetch waits for a source; after a longer time the same command has to be run again.
const longestWait = time.Hour

// lostWindow is a window that failed with a transient error.
type lostWindow struct {
	window
	reason string
}

// run asks for the windows one after the other. It asks again for those that were lost, as long as a round fetches some of
// them or an outage may end. The error is the context's; other errors are in faults.
func (b *backfill) run(ctx context.Context, windows []window) error {
	for _, w := range windows {
		b.progress.Total += len(w.Dates())
	}
	b.report(b.progress)
	for len(windows) > 0 {
		lost, stopped := b.round(ctx, windows)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, down := b.outage.openUntil(); stopped || len(lost) == len(windows) && !down {
			for _, l := range lost {
				b.faults = append(b.faults, l.reason)
				if stopped {
					b.giveUp(l.window)
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

// round asks for each window once. It stops where the next windows would fail too.
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
		case isPermanent(err):
			b.faults = append(b.faults, run.Error)
			b.giveUp(windows[i:]...)
			return lost, true
		case !isTransient(err): // only this window is refused: the source itself works
			b.advance(w, run)
		default:
			lost = append(lost, lostWindow{w, run.Error})
			if !b.noteOutage(err) {
				b.giveUp(windows[i+1:]...)
				return lost, true
			}
		}
	}
	return lost, false
}

// giveUp counts the delivery dates of windows that are not asked for any more.
func (b *backfill) giveUp(windows ...window) {
	for _, w := range windows {
		b.left += len(w.Dates())
	}
}

// advance reports the progress after a window that was fetched, or failed for good.
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
	b.report(b.progress)
}

// noteOutage records a transient error, and reports whether to wait for the end of the outage.
func (b *backfill) noteOutage(err error) bool {
	now := b.feeds.clock.Now()
	b.outage.fail(now)
	b.resumeAt = now.Add(retryAfter(err))
	if until, down := b.outage.openUntil(); down && until.After(b.resumeAt) {
		b.resumeAt = until
	}
	return !b.outage.isLong() && b.resumeAt.Sub(now) <= longestWait
}

// wait returns once the source may be asked again, or ctx has ended.
func (b *backfill) wait(ctx context.Context) {
	wait := b.resumeAt.Sub(b.feeds.clock.Now())
	if wait <= 0 {
		return
	}
	b.feeds.log.Warn("waiting for the source", "feed", string(b.feed.Name), "pause", wait.String())
	select {
	case <-ctx.Done():
	case <-b.feeds.clock.After(wait):
	}
}
