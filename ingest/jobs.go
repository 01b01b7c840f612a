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

// energyDates is how many delivery dates of energy, today included, are brought in where nothing is stored yet.
const energyDates = 3

// overlap is how far before the newest step of energy a run begins: the last steps are corrected for a while.
const overlap = 30 * time.Minute

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
		if feed.off {
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
			f.log.Error("feed not scheduled", "feed", string(feed.name), "error", oneLine(err))
		}
	}), gocron.WithName(string(feed.name)))
	if err != nil {
		return fmt.Errorf("ingest: schedule %s: %w", feed.name, err)
	}
	return nil
}

// job fetches what the feed lacks and says when it is to run again.
func (f *Feeds) job(ctx context.Context, feed *feed) time.Time {
	feed.busy.Lock()
	defer feed.busy.Unlock()
	now := f.clock.Now()
	if until, blocked := feed.blockedUntil(); blocked && until.After(now) {
		return f.settle(ctx, feed, nil, nil)
	}
	if f.rests(feed) {
		feed.runsNext(now.Add(roomPause))
		return now.Add(roomPause)
	}
	windows, err := f.due(ctx, feed, now)
	if err != nil && ctx.Err() == nil {
		f.log.Error("feed not planned", "feed", string(feed.name), "error", oneLine(err))
	}
	var answered map[market.DeliveryDate]bool
	if len(windows) > 0 {
		answered, err = f.runAll(ctx, feed, windows)
	}
	if ctx.Err() != nil {
		return now
	}
	if slices.Contains(feed.datasets, market.DayAheadPrices) {
		f.rereadDiffering(ctx, feed)
	}
	return f.settle(ctx, feed, answered, err)
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

// due is what a run that begins now asks for.
func (f *Feeds) due(ctx context.Context, feed *feed, now time.Time) ([]window, error) {
	if feed.standsIn {
		return f.exchangeDue(ctx, feed, now)
	}
	wanted, err := f.wanted(ctx, feed, now)
	if err != nil {
		return nil, err
	}
	for date := range wanted {
		if feed.pauses[date].until.After(now) {
			delete(wanted, date)
		}
	}
	if feed.ahead {
		return planDates(feed, wanted), nil
	}
	running, err := f.running(ctx, feed, wanted, now)
	return append(running, planDates(feed, wanted)...), err
}

// wanted are the delivery dates that the feed makes whole and that are not, those before them that were asked for and are
// not whole either, and those that are due to be read again.
func (f *Feeds) wanted(ctx context.Context, feed *feed, now time.Time) (map[market.DeliveryDate]bool, error) {
	today := market.DeliveryDateOf(now)
	first, err := f.lookback(ctx, feed, today)
	if err != nil {
		return nil, err
	}
	last := today.Add(-1)
	if feed.ahead {
		last = today.Add(1)
	}
	wanted, err := f.unfinished(ctx, feed, first, last)
	if err != nil {
		return nil, err
	}
	rereads, err := f.dueRereads(ctx, feed, now)
	if err != nil {
		return nil, err
	}
	for date := range rereads {
		wanted[date] = true
	}
	return wanted, nil
}

// dueRereads are the delivery dates that were asked for and are due to be read again, whole or not.
func (f *Feeds) dueRereads(ctx context.Context, feed *feed, now time.Time) (map[market.DeliveryDate]bool, error) {
	today := market.DeliveryDateOf(now)
	first, last := today.Add(-settlementDates), today.Add(-1)
	if feed.ahead {
		first, last = today.Add(1-feed.schedule.LookbackDays), today.Add(1)
	}
	due := map[market.DeliveryDate]bool{}
	for _, dataset := range feed.datasets {
		asked, err := f.asked(ctx, feed, dataset, first, last)
		if err != nil {
			return nil, err
		}
		coverage, err := f.store.Coverage(ctx, dataset, first, last)
		if err != nil {
			return nil, err
		}
		for date, a := range asked {
			at := rereadAt(date, now, feed.rereads)
			if feed.ahead && !date.Before(today) && f.started.After(at) {
				at = f.started
			}
			if settles := settlementAt(date); !feed.ahead && !settles.After(now) && settles.After(at) {
				at = settles
			}
			if a.Whole.Before(at) && !coverage.IsThinned(date) {
				due[date] = true
			}
		}
	}
	return due, nil
}

// rereadDiffering has ENTSO-E asked again at once for the prices of today and tomorrow that differ from the exchanges'; once
// for each difference. feed is the one whose job is under way.
func (f *Feeds) rereadDiffering(ctx context.Context, feed *feed) {
	prices := f.of(market.DayAheadPrices)
	if _, blocked := prices.blockedUntil(); blocked || prices.off || ctx.Err() != nil {
		return
	}
	if feed != prices {
		if !prices.busy.TryLock() {
			return // its own job is under way, and does this at its end
		}
		defer prices.busy.Unlock()
	}
	today := f.today()
	differences, err := f.store.PriceDifferences(ctx, today)
	var asked map[market.DeliveryDate]store.FetchHistory
	if err == nil {
		asked, err = f.asked(ctx, prices, market.DayAheadPrices, today, today.Add(1))
	}
	if err != nil {
		f.log.Error("differing prices not read again", "error", oneLine(err))
		return
	}
	due := map[market.DeliveryDate]bool{}
	for _, d := range differences {
		if a, was := asked[d.Date]; was && a.Whole.Before(d.Seen) {
			due[d.Date] = true
		}
	}
	if len(due) > 0 {
		_, _ = f.runAll(ctx, prices, planDates(prices, due)) // what fails is logged and recorded there
	}
}

// lookback is the first delivery date that the feed makes whole.
func (f *Feeds) lookback(ctx context.Context, feed *feed, today market.DeliveryDate) (market.DeliveryDate, error) {
	first := today.Add(1 - feed.schedule.LookbackDays)
	if feed.ahead {
		return first, nil
	}
	extent, err := f.store.Extent(ctx, feed.datasets[0])
	if err != nil {
		return market.DeliveryDate{}, err
	}
	least := today.Add(1 - energyDates)
	switch {
	case extent.First.IsZero() || extent.First.After(least):
		return least, nil
	case extent.First.After(first):
		return extent.First, nil
	}
	return earlier(first, least), nil
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
		windows = append(windows, feed.plan(run[0], run[len(run)-1])...)
	}
	slices.Reverse(windows) // the newest first: they are what people wait for
	return windows
}

// running is what of energy may have changed since the last run: from a while before the newest step to now, over
// midnight if the source lags, or from midnight if nothing is held. A date that is wanted whole is left to that.
func (f *Feeds) running(ctx context.Context, feed *feed, wanted map[market.DeliveryDate]bool, now time.Time) ([]window, error) {
	extent, err := f.store.Extent(ctx, feed.datasets[0])
	if err != nil {
		return nil, err
	}
	today := market.DeliveryDateOf(now)
	asked, err := f.asked(ctx, feed, feed.datasets[0], today.Add(-1), today)
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
			continue // it is wanted, and rests
		}
		for _, w := range feed.plan(date, date) {
			if w, begun := w.upTo(now); begun {
				windows = append(windows, w.since(from))
			}
		}
	}
	return windows, nil
}

// settle takes stock after a job: the pauses of the dates that the source answered and that are still wanted, and when
// to run again. failed is what the job ended with.
func (f *Feeds) settle(ctx context.Context, feed *feed, answered map[market.DeliveryDate]bool, failed error) time.Time {
	now := f.clock.Now()
	next := f.nextRun(now, feed, f.isEager(ctx, feed, answered, now))
	jitter := min(mostJitter, next.Sub(now)/10)
	until, blocked := feed.blockedUntil()
	switch {
	case feed.standsIn && isRefusal(failed):
		next = nextMinute(now, feed.schedule.FromMinute) // it is not needed so much
	case blocked && until.After(now):
		next = until
	case errors.Is(failed, store.ErrBusy):
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
		switch err := f.store.PutFeedState(ctx, string(feed.name), state); {
		case err == nil:
			feed.told = state
		case ctx.Err() == nil:
			f.log.Error("feed state not stored", "feed", string(feed.name), "error", oneLine(err))
		}
	}
}

func (feed *feed) runsNext(at time.Time) {
	feed.mu.Lock()
	defer feed.mu.Unlock()
	feed.nextRun = at
}

// isEager says whether what the feed's hours are for is still missing, and lets dates rest.
func (f *Feeds) isEager(ctx context.Context, feed *feed, answered map[market.DeliveryDate]bool, now time.Time) bool {
	if feed.standsIn {
		lacks, err := f.exchangeLacks(ctx, now)
		return lacks || err != nil
	}
	wanted, err := f.wanted(ctx, feed, now)
	if err != nil {
		return true
	}
	f.pauseDates(feed, wanted, answered, now)
	return !feed.ahead || wanted[market.DeliveryDateOf(now).Add(1)]
}

// nextRun is when the feed runs again after now, by its hours and by its rereads.
func (f *Feeds) nextRun(now time.Time, feed *feed, eager bool) time.Time {
	next := feed.schedule.next(now, eager)
	if feed.standsIn {
		return next
	}
	return earliest(next, nextReread(now, feed.rereads))
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
