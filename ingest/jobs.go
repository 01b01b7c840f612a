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

// lockPause is how long a feed rests when another program's lock kept out what it had brought.
const lockPause = time.Minute

// mostJitter keeps many Courants from asking a source at the same second.
const mostJitter = time.Minute

// Serve runs every feed that has credentials, each on its own schedule, until ctx ends; then it waits a while for the
// runs under way.
func (f *Feeds) Serve(ctx context.Context) error {
	scheduler, err := gocron.NewScheduler(gocron.WithClock(f.clock), gocron.WithLocation(market.Paris), gocron.WithStopTimeout(stopTimeout))
	if err != nil {
		return fmt.Errorf("ingest: scheduler: %w", err)
	}
	f.clearStates(ctx) // those of a service that was killed
	rests := f.killRests(ctx)
	for _, feed := range f.feeds {
		if feed.isOff() {
			continue
		}
		at := gocron.OneTimeJobStartImmediately()
		if until, killed := rests[feed]; killed {
			at = gocron.OneTimeJobStartDateTime(until)
			feed.runsNext(until)
			f.tellStates(ctx, feed.host)
		}
		if err := f.schedule(ctx, scheduler, feed, at); err != nil {
			return err
		}
	}
	scheduler.Start()
	<-ctx.Done()
	if err := scheduler.Shutdown(); err != nil {
		// What such a run waits for is the database's lock; it has stored nothing, and the next start asks again.
		f.log.Warn("runs not ended in time", "error", oneLine(err))
	}
	f.clearStates(context.WithoutCancel(ctx))
	f.endAllRuns(context.WithoutCancel(ctx))
	return nil
}

// stopTimeout is how long a run that was told to stop may take, and clearTimeout how long the states of the feeds.
const (
	stopTimeout  = 4 * time.Second
	clearTimeout = time.Second
)

// clearStates takes back how the feeds stand. Without it they are overwritten, or not believed for long.
func (f *Feeds) clearStates(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, clearTimeout)
	defer cancel()
	if err := f.store.ClearFeedStates(limited); err != nil && ctx.Err() == nil {
		f.log.Warn("feed states not cleared", "error", oneLine(err))
	}
}

// schedule sets one run of the feed. When it ends it sets the next: runs of a feed never overlap, and each time is
// chosen knowing what is still missing.
func (f *Feeds) schedule(ctx context.Context, scheduler gocron.Scheduler, feed *feed, at gocron.OneTimeJobStartAtOption) error {
	_, err := scheduler.NewJob(gocron.OneTimeJob(at), gocron.NewTask(func() {
		next := f.job(ctx, feed)
		if ctx.Err() != nil {
			return
		}
		at := gocron.OneTimeJobStartImmediately()
		if next.After(f.clock.Now()) { // gocron takes no other
			at = gocron.OneTimeJobStartDateTime(next)
		}
		err := f.schedule(ctx, scheduler, feed, at)
		if err != nil { // the time may have passed meanwhile
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

// job fetches what the feed lacks and says when it is to run again.
func (f *Feeds) job(ctx context.Context, feed *feed) time.Time {
	feed.busy.Lock()
	defer feed.busy.Unlock()
	now := f.clock.Now()
	if until, blocked := feed.blockedUntil(); blocked && until.After(now) {
		return f.endJob(ctx, feed, nil, nil)
	}
	if f.rests(feed) {
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
	if slices.Contains(feed.Datasets, market.DayAheadPrices) {
		f.rereadDiffering(ctx, feed)
	}
	return f.endJob(ctx, feed, answered, err)
}

// runAll asks for windows one after the other. It tells of which delivery dates the source was asked and answered; the error is that
// of the last run.
func (f *Feeds) runAll(ctx context.Context, feed *feed, windows []window) (answered map[market.DeliveryDate]bool, err error) {
	f.beginRuns(ctx, feed)
	defer f.endRuns(ctx, feed)
	answered = map[market.DeliveryDate]bool{}
	for _, w := range windows {
		// A run that fails is logged and recorded there. The next windows are asked for all the same, unless they
		// would fail alike.
		var run store.Run
		run, err = f.run(ctx, feed, w, 0)
		if ctx.Err() != nil {
			return answered, err
		}
		f.judge(feed, run, err)
		f.tellStates(ctx, feed.host)
		if err == nil || isAnswer(err) {
			for _, date := range w.Dates() {
				answered[date] = true
			}
		}
		if err == nil {
			continue
		}
		if _, blocked := feed.blockedUntil(); blocked || hopeless(err) || isUnreached(err) {
			break
		}
	}
	return answered, err
}

// isAnswer says whether the source was reached and answered, with something that could not be taken.
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

// planDates plans windows over dates, one for each run of neighbours.
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
	slices.Reverse(windows) // the newest first: they are what people wait for
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
	next := feed.nextAfter(now, err != nil || feed.isUrgent(wanted, market.DeliveryDateOf(now)))
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
	f.tellStates(ctx, feed.host)
	return next
}

// tellStates tells other processes how the feeds of a source stand: what one of them meets may open or close the circuit of
// all. What was told already is not told again.
func (f *Feeds) tellStates(ctx context.Context, host *circuit) {
	f.telling.Lock()
	defer f.telling.Unlock()
	for _, feed := range f.feeds {
		state := feed.ownState()
		if feed.host != host || state.NextRun.IsZero() || state == feed.told {
			continue
		}
		switch err := f.store.PutFeedState(ctx, string(feed.Name), state); {
		case err == nil:
			feed.told = state
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

// pauseDates lets the dates before today that the source answered and that are still wanted rest for longer each time.
// A source that was not reached said nothing of them.
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
