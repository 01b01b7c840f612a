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
)

// run asks for one window and keeps what comes; fetchID is that of the fetch it is a part of, 0 if it is scheduled. The error is that of the sources or the store; refusals are no error
// but stand in the run.
func (f *Feeds) run(ctx context.Context, feed *feed, w window, fetchID int64) (store.Run, error) {
	run := store.Run{
		Feed: string(feed.name), Datasets: feed.datasets, Window: w.Period, Started: f.clock.Now(), Outcome: store.OutcomeOK,
	}
	if w.isOver(run.Started) { // what is not over will have more to give
		run.FetchID = fetchID
	}
	brought, err := f.gather(ctx, feed, w)
	run.Bytes = brought.bytes
	if err != nil {
		return f.failed(ctx, run, err)
	}
	check(&brought.batch, &brought.refusals)
	if fetchID == 0 { // a fetch is a person's word already
		if err := f.holdBack(ctx, &brought.batch, &brought.refusals); err != nil {
			return f.failed(ctx, run, err)
		}
	}
	run.Refusals = brought.refusals.List()
	if len(run.Refusals) > 0 {
		run.Error = refusalText(run.Refusals)
		run.Outcome = store.OutcomePartial
		if isEmpty(brought.batch) && allRefused(feed.datasets, run.Refusals) {
			run.Outcome = store.OutcomeFailed
		}
	}
	run.Ended = f.clock.Now()
	if err := f.store.Commit(ctx, &run, brought.batch); err != nil {
		return f.failed(ctx, run, err)
	}
	f.committed(ctx)
	f.report(run, brought)
	return run, nil
}

// gather makes the window's calls and puts together what they bring.
func (f *Feeds) gather(ctx context.Context, feed *feed, w window) (answer, error) {
	var all answer
	for _, call := range w.calls {
		if err := f.gatherCall(ctx, feed, call, &all); err != nil {
			return all, err
		}
	}
	dropFuture(&all.batch, f.clock.Now())
	return all, nil
}

// gatherCall makes one call. A source may cut a wide window short without a word: delivery dates that are over and are
// not whole in the reply, while others are there, are asked for again by themselves.
func (f *Feeds) gatherCall(ctx context.Context, feed *feed, call store.Period, into *answer) error {
	part, err := feed.ask(ctx, call)
	into.bytes += part.bytes
	if err != nil {
		return err
	}
	into.batch.Prices = append(into.batch.Prices, part.batch.Prices...)
	into.batch.Capacity = append(into.batch.Capacity, part.batch.Capacity...)
	into.batch.AFRR = append(into.batch.AFRR, part.batch.AFRR...)
	into.batch.MFRR = append(into.batch.MFRR, part.batch.MFRR...)
	into.refusals.Add(part.refusals)
	into.notes = source.AddOnce(into.notes, part.notes...)
	into.unknownKeys = source.AddOnce(into.unknownKeys, part.unknownKeys...)
	dates := call.Dates()
	short := f.cutShort(feed, dates, part)
	if len(short) == 0 || len(short) == len(dates) {
		return nil
	}
	for _, run := range neighbours(short) {
		err := f.gatherCall(ctx, feed, store.NewPeriod(run[0].Start(), run[len(run)-1].End()), into)
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // what came is not lost for it; the dates stay unfinished and are asked for again later
			into.notes = source.AddOnce(into.notes, fmt.Sprintf("%s to %s could not be asked for again: %s", run[0], run[len(run)-1], oneLine(err)))
		}
	}
	return nil
}

// cutShort lists the dates that are over and of which the answer lacks quarter hours.
func (f *Feeds) cutShort(feed *feed, dates []store.DeliveryDate, part answer) []store.DeliveryDate {
	starts := map[store.DeliveryDate]map[int64]bool{}
	add := func(start int64) {
		date := store.DeliveryDateOf(time.Unix(start, 0))
		if starts[date] == nil {
			starts[date] = map[int64]bool{}
		}
		starts[date][start] = true
	}
	for _, q := range store.Quarters(part.batch.Prices) {
		add(q.Start)
	}
	for _, step := range part.batch.Capacity {
		add(step.Start)
	}
	for _, step := range part.batch.MFRR {
		add(step.Start)
	}
	var short []store.DeliveryDate
	for _, date := range dates {
		refused := slices.ContainsFunc(feed.datasets, func(d store.Dataset) bool { return part.refusals.Has(d, date) })
		if date.Before(f.today()) && !refused && len(starts[date]) < date.Steps(store.QuarterSeconds) {
			short = append(short, date)
		}
	}
	return short
}

// neighbours cuts ascending dates into runs without a hole.
func neighbours(dates []store.DeliveryDate) [][]store.DeliveryDate {
	var runs [][]store.DeliveryDate
	for i, date := range dates {
		if i == 0 || dates[i-1].Add(1) != date {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], date)
	}
	return runs
}

// dropFuture takes out the steps of energy that have not begun: a source may list them ahead, without values.
func dropFuture(batch *store.Batch, now time.Time) {
	steps := batch.AFRR[:0]
	for _, row := range batch.AFRR {
		if row.Start <= now.Unix() {
			steps = append(steps, row)
		}
	}
	batch.AFRR = steps
	quarters := batch.MFRR[:0]
	for _, row := range batch.MFRR {
		if row.Start <= now.Unix() {
			quarters = append(quarters, row)
		}
	}
	batch.MFRR = quarters
}

func isEmpty(batch store.Batch) bool {
	return len(batch.Prices)+len(batch.Capacity)+len(batch.AFRR)+len(batch.MFRR) == 0
}

// allRefused says whether of each dataset something was refused.
func allRefused(datasets []store.Dataset, refusals []store.Refusal) bool {
	for _, dataset := range datasets {
		if !slices.ContainsFunc(refusals, func(r store.Refusal) bool { return r.Dataset == dataset }) {
			return false
		}
	}
	return true
}

// failed keeps the account of a run that brought nothing.
func (f *Feeds) failed(ctx context.Context, run store.Run, cause error) (store.Run, error) {
	run.Ended, run.Outcome, run.Error = f.clock.Now(), store.OutcomeFailed, oneLine(cause)
	if ctx.Err() != nil {
		run.Outcome = store.OutcomeInterrupted
	}
	f.report(run, answer{})
	// The account is kept also of a run that was told to stop.
	if err := f.store.RecordRun(context.WithoutCancel(ctx), &run); err != nil {
		return run, errors.Join(cause, err)
	}
	return run, cause
}

// report tells the log and whoever asked to be told of a run that ended.
func (f *Feeds) report(run store.Run, brought answer) {
	f.ran(run)
	var seen, changed int
	for _, tally := range run.Tallies {
		seen += tally.Seen
		changed += tally.Changed
	}
	attrs := []slog.Attr{
		slog.String("feed", run.Feed), slog.String("from", instantText(run.Window.From())), slog.String("to", instantText(run.Window.To())),
		slog.String("outcome", string(run.Outcome)), slog.Int("rows_seen", seen), slog.Int("rows_changed", changed),
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
	for _, note := range brought.notes {
		f.log.Warn("source remark", "feed", run.Feed, "remark", note)
	}
	for _, key := range brought.unknownKeys {
		f.log.Debug("unknown key", "feed", run.Feed, "key", key)
	}
}

func refusalText(refusals []store.Refusal) string {
	var parts []string
	for _, r := range refusals {
		parts = append(parts, fmt.Sprintf("%s %s refused: %s", r.Dataset, r.Date, r.Reason))
	}
	return strings.Join(parts, "; ")
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// hopeless says that the other windows of the same feed would fail in the same way.
func hopeless(err error) bool {
	var fault *source.Fault
	return !errors.As(err, &fault) || fault.Connection || fault.Status == 401 || fault.Status == 403
}
