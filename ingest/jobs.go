package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-co-op/gocron/v2"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// lockPause is how long a feed waits after another program's lock on the database kept it from storing.
const lockPause = time.Minute

// mostJitter bounds the random delay that keeps many Courants from asking a source in the same second.
const mostJitter = time.Minute

// Serve runs every feed that has credentials, each on its own schedule, until ctx ends. Then it waits up to stopTimeout
// for the runs that have begun.
func (f *Feeds) Serve(ctx context.Context) error {
	scheduler, err := gocron.NewScheduler(gocron.WithClock(f.clock), gocron.WithLocation(market.Paris), gocron.WithStopTimeout(stopTimeout))
	if err != nil {
		return fmt.Errorf("ingest: scheduler: %w", err)
	}
	f.clearStates(ctx) // those of a service that was killed
	pauses := f.killPauses(ctx)
	for _, feed := range f.feeds {
		if feed.isOff() {
			continue
		}
		at := gocron.OneTimeJobStartImmediately()
		if until, killed := pauses[feed]; killed {
			at = gocron.OneTimeJobStartDateTime(until)
			feed.runsNext(until)
			f.storeStates(ctx, feed.host)
		}
		if err := f.schedule(ctx, scheduler, feed, at); err != nil {
			return err
		}
	}
	scheduler.Start()
	<-ctx.Done()
	if err := scheduler.Shutdown(); err != nil {
		// Such a run waits for a lock on the database. It has stored nothing, and the next start asks again.
		f.log.Warn("runs did not stop in time", "error", oneLine(err))
	}
	f.clearStates(context.WithoutCancel(ctx))
	f.endAllRuns(context.WithoutCancel(ctx))
	return nil
}

// stopTimeout is how long runs may take to stop, and clearTimeout how long the deletion of the feeds' states may take.
const (
	stopTimeout  = 4 * time.Second
	clearTimeout = time.Second
)

// clearStates deletes the stored states of the feeds. Where that fails they are overwritten, or soon ignored.
func (f *Feeds) clearStates(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, clearTimeout)
	defer cancel()
	if err := f.store.ClearFeedStates(limited); err != nil && ctx.Err() == nil {
		f.log.Warn("feed states not cleared", "error", oneLine(err))
	}
}

// schedule schedules one job of the feed, which schedules the next one when it ends. So the jobs of a feed never overlap,
// and each time depends on what is still missing.
func (f *Feeds) schedule(ctx context.Context, scheduler gocron.Scheduler, feed *feed, at gocron.OneTimeJobStartAtOption) error {
	_, err := scheduler.NewJob(gocron.OneTimeJob(at), gocron.NewTask(func() {
		next := f.job(ctx, feed)
		if ctx.Err() != nil {
			return
		}
		at := gocron.OneTimeJobStartImmediately()
		if next.After(f.clock.Now()) { // gocron refuses a time in the past
			at = gocron.OneTimeJobStartDateTime(next)
		}
		err := f.schedule(ctx, scheduler, feed, at)
		if err != nil { // the time may have passed in between
			err = f.schedule(ctx, scheduler, feed, gocron.OneTimeJobStartImmediately())
		}
		if err != nil {
			f.log.Error("feed not scheduled", "feed", string(feed.Name), "error", oneLine(err))
		}
	}), gocron.WithName(string(feed.Name)))
	if err != nil {
		return fmt.Errorf("ingest: schedule %s: %w", feed.Name, err)
	}
	return nil
}

// job fetches what is missing and returns when the feed is to run again.
func (f *Feeds) job(ctx context.Context, feed *feed) time.Time {
	feed.busy.Lock()
	defer feed.busy.Unlock()
	now := f.clock.Now()
	if until, blocked := feed.blockedUntil(); blocked && until.After(now) {
		return f.endJob(ctx, feed, nil, nil)
	}
	if f.isOutOfRoom(feed) {
		feed.runsNext(now.Add(roomPause))
		return now.Add(roomPause)
	}
	windows, err := f.due(ctx, feed, now)
	if err != nil && ctx.Err() == nil {
		f.log.Error("feed not planned", "feed", string(feed.Name), "error", oneLine(err))
	}
	var answered map[market.DeliveryDate]bool
	if len(windows) > 0 {
		answered, err = f.runAll(ctx, feed, windows)
	}
	if ctx.Err() != nil {
		return now
	}
	if slices.Contains(feed.Datasets, compared) {
		f.rereadDiffering(ctx, feed)
	}
	return f.endJob(ctx, feed, answered, err)
}

// runAll asks for windows one after the other. It returns the delivery dates for which the source answered, and the error
// of the last run.
func (f *Feeds) runAll(ctx context.Context, feed *feed, windows []window) (answered map[market.DeliveryDate]bool, err error) {
	f.beginRuns(ctx, feed)
	defer f.endRuns(ctx, feed)
	answered = map[market.DeliveryDate]bool{}
	for _, w := range windows {
		// run logs and records an error. The next windows are asked for all the same, unless they would fail too.
		var run store.Run
		run, err = f.run(ctx, feed, w, 0)
		if ctx.Err() != nil {
			return answered, err
		}
		f.judge(feed, run, err)
		f.storeStates(ctx, feed.host)
		if err == nil || isAnswer(err) {
			for _, date := range w.Dates() {
				answered[date] = true
			}
		}
		if err == nil {
			continue
		}
		if _, blocked := feed.blockedUntil(); blocked || isPermanent(err) || isUnreached(err) {
			break
		}
	}
	return answered, err
}

// isAnswer reports whether an error shows that the source was reached and answered.
func isAnswer(err error) bool {
	var fault *source.Fault
	return errors.As(err, &fault) && !fault.Connection && fault.Status < 500
}

// due plans what a job that begins now asks for.
func (f *Feeds) due(ctx context.Context, feed *feed, now time.Time) ([]window, error) {
	wanted, err := feed.wanted(ctx, now)
	if err != nil {
		return nil, err
	}
	for date := range wanted {
		if feed.pauses[date].until.After(now) {
			delete(wanted, date)
		}
	}
	return feed.plan(ctx, now, wanted)
}

func earlier(a, b market.DeliveryDate) market.DeliveryDate {
	if b.Before(a) {
		return b
	}
	return a
}

// planDates plans windows over dates, the newest first, for each sequence of neighbouring dates.
func planDates(feed *feed, dates map[market.DeliveryDate]bool) []window {
	sorted := make([]market.DeliveryDate, 0, len(dates))
	for date := range dates {
		sorted = append(sorted, date)
	}
	slices.SortFunc(sorted, func(a, b market.DeliveryDate) int { return b.DaysUntil(a) })
	var windows []window
	for _, run := range neighbours(sorted) {
		windows = append(windows, windowsOf(feed.Feed, run[0], run[len(run)-1])...)
	}
	slices.Reverse(windows) // users wait for the newest
	return windows
}

// endJob notes which delivery dates are paused now that the source has answered for them, and returns when the feed runs
// again. failed is the error of the job.
func (f *Feeds) endJob(ctx context.Context, feed *feed, answered map[market.DeliveryDate]bool, failed error) time.Time {
	now := f.clock.Now()
	wanted, err := feed.wanted(ctx, now)
	if err == nil {
		f.pauseDates(feed, wanted, answered, now)
	}
	next := feed.nextAfter(ctx, now, err != nil || feed.isUrgent(wanted, market.DeliveryDateOf(now)))
	jitter := min(mostJitter, next.Sub(now)/10)
	until, blocked := feed.blockedUntil()
	if rest, rests := feed.restAfter(failed, now); rests {
		next = rest
	} else if blocked && until.After(now) {
		next = until
	} else if errors.Is(failed, store.ErrBusy) {
		next = earliest(next, now.Add(lockPause))
	}
	next = next.Add(rand.N(jitter + 1))
	feed.runsNext(next)
	f.storeStates(ctx, feed.host)
	return next
}

// storeStates stores the states of a source's feeds for other processes: the run of one feed may open or close the circuit
// of all. States that have not changed are not written.
func (f *Feeds) storeStates(ctx context.Context, host *circuit) {
	f.statesMu.Lock()
	defer f.statesMu.Unlock()
	for _, feed := range f.feeds {
		state := feed.ownState()
		if feed.host != host || state.NextRun.IsZero() || state == feed.stored {
			continue
		}
		switch err := f.store.PutFeedState(ctx, string(feed.Name), state); {
		case err == nil:
			feed.stored = state
		case ctx.Err() == nil:
			f.log.Error("feed state not stored", "feed", string(feed.Name), "error", oneLine(err))
		}
	}
}

func (feed *feed) runsNext(at time.Time) {
	feed.mu.Lock()
	defer feed.mu.Unlock()
	feed.nextRun = at
}

// pauseDates pauses the dates before today for which the source answered and that are still wanted, for longer each time.
// Where the source was not reached, nothing is known of a date.
func (f *Feeds) pauseDates(feed *feed, wanted, answered map[market.DeliveryDate]bool, now time.Time) {
	for date := range feed.pauses {
		if !wanted[date] {
			delete(feed.pauses, date)
		}
	}
	for date := range wanted {
		if p := feed.pauses[date]; date.Before(f.today()) && answered[date] && !p.until.After(now) {
			feed.pauses[date] = p.longer(now)
		}
	}
}
