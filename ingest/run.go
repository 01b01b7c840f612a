package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// run asks for one window and stores the answer; fetchID is the fetch it is a part of, 0 for a scheduled run. The error is
// that of the source, also if it gave a part, or of the store. Refusals are not an error: they are in the run.
func (f *Feeds) run(ctx context.Context, feed *feed, w window, fetchID int64) (store.Run, error) {
	run := store.Run{
		Feed: string(feed.Name), Datasets: feed.Datasets, Window: w.Period, Started: f.clock.Now(), Outcome: store.OutcomeOK,
		Secondary: feed.Secondary,
	}
	if w.isOver(run.Started) { // a window that is not over will have more values
		run.FetchID = fetchID
	}
	if err := f.checkRoom(); err != nil {
		return f.recordFailure(ctx, feed, run, answer{}, err)
	}
	brought, err := f.gather(ctx, feed, w)
	run.Bytes = brought.traffic.Bytes
	if f.comparing && brought.traffic.Clock.Host != "" {
		run.Clocks = []market.ClockReading{brought.traffic.Clock}
	}
	if err != nil {
		return f.recordFailure(ctx, feed, run, brought, err)
	}
	check(&brought)
	if run.Rejected, err = feed.screen(ctx, &brought, fetchID == 0); err != nil { // a person has asked for a fetch
		return f.recordFailure(ctx, feed, run, brought, err)
	}
	run.Refusals = brought.refusals.List()
	if len(run.Refusals) > 0 {
		run.Outcome = store.OutcomePartial
		if brought.batch.IsEmpty() && allRefused(feed.Datasets, run.Refusals) {
			run.Outcome = store.OutcomeFailed
		}
	}
	run.Omissions = remainingOmissions(brought)
	if len(run.Omissions) > 0 && run.Outcome == store.OutcomeOK {
		run.Outcome = store.OutcomePartial
	}
	faults := append(refusalTexts(run.Refusals), omissionTexts(run.Omissions)...)
	if brought.fault != nil {
		run.Lost, run.Outcome = brought.lost, store.OutcomePartial
		faults = append(faults, oneLine(f.explain(brought.fault)))
	}
	run.Error = strings.Join(faults, "; ")
	run.Ended, run.ClockAhead = f.clock.Now(), f.clockAhead(ctx, run.Clocks)
	err = f.checkRoom() // the calls may take long, and other programs fill the disk too
	if err == nil {
		err = f.store.Commit(ctx, &run, brought.batch)
	}
	if err != nil {
		return f.recordFailure(ctx, feed, run, brought, err)
	}
	feed.setUnrecorded(nil)
	f.committed(ctx)
	f.report(feed, run, brought)
	if run.Tallies[compared].Changed > 0 {
		f.logDifferences(ctx, run.Window)
	}
	return run, brought.fault
}

// allRefused reports whether a part of every dataset was refused.
func allRefused(datasets []market.Dataset, refusals []market.Refusal) bool {
	for _, dataset := range datasets {
		if !slices.ContainsFunc(refusals, func(r market.Refusal) bool { return r.Dataset == dataset }) {
			return false
		}
	}
	return true
}

// recordFailure stores the record of a run that stored no values. Without room on the disk it is only logged.
func (f *Feeds) recordFailure(ctx context.Context, feed *feed, run store.Run, brought answer, cause error) (store.Run, error) {
	run.Ended, run.Outcome, run.Error = f.clock.Now(), store.OutcomeFailed, oneLine(f.explain(cause))
	if locked := f.store.Locked(); locked != nil && errors.Is(cause, store.ErrBusy) {
		run.Error = oneLine(locked) // without the file's path: the status shows it to every account
	}
	run.Refusals, run.Omissions, run.Rejected, run.Lost = nil, nil, nil, nil // the whole window failed, also where a part of it was read
	if ctx.Err() != nil {
		run.Outcome = store.OutcomeInterrupted
	}
	f.report(feed, run, brought)
	if errors.Is(cause, ErrNoRoom) {
		return run, cause
	}
	// The record of a run that was interrupted is stored too.
	err := f.store.RecordRun(context.WithoutCancel(ctx), &run)
	feed.setUnrecorded(err)
	if err != nil {
		return run, errors.Join(cause, err)
	}
	return run, cause
}

// setUnrecorded notes why the record of the newest run could not be stored, for the status; nil: it was stored.
func (feed *feed) setUnrecorded(err error) {
	feed.mu.Lock()
	defer feed.mu.Unlock()
	feed.unrecorded = err
}

// lastUnrecorded returns why the record of the newest run could not be stored; nil if it was.
func (feed *feed) lastUnrecorded() error {
	feed.mu.Lock()
	defer feed.mu.Unlock()
	return feed.unrecorded
}

// report logs a run that ended, and calls Options.Ran.
func (f *Feeds) report(feed *feed, run store.Run, brought answer) {
	f.ran(run)
	var seen, changed, withdrawn, older int
	var datasets []string
	for _, dataset := range run.Datasets {
		seen += run.Tallies[dataset].Seen
		changed += run.Tallies[dataset].Changed
		withdrawn += run.Tallies[dataset].Withdrawn
		older += run.Tallies[dataset].Older
		datasets = append(datasets, string(dataset))
	}
	attrs := []slog.Attr{
		slog.String("feed", run.Feed), slog.String("dataset", strings.Join(datasets, ",")),
		slog.String("from", instantText(run.Window.From())), slog.String("to", instantText(run.Window.To())),
		slog.String("outcome", string(run.Outcome)), slog.Int("tries", brought.traffic.Tries),
		slog.Int("rows_seen", seen), slog.Int("rows_changed", changed), slog.Int("values_withdrawn", withdrawn),
		slog.Int64("bytes", run.Bytes), slog.Int64("duration_ms", run.Ended.Sub(run.Started).Milliseconds()),
	}
	level := slog.LevelInfo
	if run.Error != "" {
		attrs = append(attrs, slog.String("error", run.Error))
	}
	if run.Outcome == store.OutcomeFailed || run.Outcome == store.OutcomePartial {
		level = slog.LevelWarn
	}
	f.log.LogAttrs(context.Background(), level, "feed run", attrs...)
	if older > 0 {
		remark := fmt.Sprintf("rows that are older than what is stored, by their update date, changed nothing: %d", older)
		f.log.Warn("source remark", "feed", run.Feed, "remark", remark)
	}
	for _, note := range brought.notes {
		f.log.Warn("source remark", "feed", run.Feed, "remark", note)
	}
	for _, key := range brought.unknownKeys {
		level := slog.LevelDebug
		if feed.UndocumentedKeys {
			level = slog.LevelInfo
		}
		f.log.Log(context.Background(), level, "unknown key", "feed", run.Feed, "key", key)
	}
}

// remainingOmissions are those of dates that were not refused as a whole.
func remainingOmissions(brought answer) []market.Omission {
	return slices.DeleteFunc(slices.Clone(brought.omissions), func(o market.Omission) bool {
		return brought.refusals.Has(o.Dataset, o.Date)
	})
}

func refusalTexts(refusals []market.Refusal) []string {
	var texts []string
	for _, r := range refusals {
		texts = append(texts, refusalText(r.Dataset, r.Date, r.Reason))
	}
	return texts
}

func refusalText(dataset market.Dataset, date market.DeliveryDate, reason string) string {
	return fmt.Sprintf("%s %s refused: %s", dataset, date, reason)
}

func omissionTexts(omissions []market.Omission) []string {
	var texts []string
	for _, o := range omissions {
		texts = append(texts, omissionText(o))
	}
	return texts
}

func omissionText(o market.Omission) string {
	switch o.Steps {
	case 0:
		return fmt.Sprintf("%s %s incomplete: %s", o.Dataset, o.Date, o.Reason)
	case 1:
		return fmt.Sprintf("%s %s: 1 step refused: %s", o.Dataset, o.Date, o.Reason)
	}
	return fmt.Sprintf("%s %s: %d steps refused: %s", o.Dataset, o.Date, o.Steps, o.Reason)
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// isPermanent reports whether the other windows of the same feed would fail in the same way, now and later.
func isPermanent(err error) bool {
	var fault *source.Fault
	return !errors.As(err, &fault) || isRefusal(err)
}

// isRefusal reports whether the source refuses this application access.
func isRefusal(err error) bool {
	var fault *source.Fault
	return errors.As(err, &fault) && (fault.Status == 401 || fault.Status == 403)
}

// isTransient reports whether the same call may succeed later. A reply of status 200 that cannot be read comes from a
// machine in front of the source.
func isTransient(err error) bool {
	var fault *source.Fault
	return errors.As(err, &fault) && (fault.Retryable || fault.Status < 300)
}

// retryAfter returns the pause that the source asked for; 0 if it asked for none.
func retryAfter(err error) time.Duration {
	var fault *source.Fault
	if errors.As(err, &fault) {
		return fault.RetryAfter
	}
	return 0
}

// isUnreadable reports whether the source answered with a document that cannot be read.
func isUnreadable(err error) bool {
	var fault *source.Fault
	return errors.As(err, &fault) && fault.Unreadable && !isTooWide(err)
}

// isTooWide reports whether the source refused a window because it is too wide.
func isTooWide(err error) bool { return errors.Is(err, source.ErrTooWide) }

// isUnreached reports whether the source was not reached.
func isUnreached(err error) bool {
	var fault *source.Fault
	return errors.As(err, &fault) && fault.Connection
}
