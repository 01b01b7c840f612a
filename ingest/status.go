package ingest

import (
	"context"
	"fmt"
	"time"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
)

// staleAfter is how long after the last change a dataset becomes stale.
const staleAfter = 24 * time.Hour

func waitingOf(q store.Quarantined) report.Waiting {
	w := report.Waiting{ID: q.ID, Dataset: q.Dataset, Date: q.Date, Reason: q.Reason, SeenAt: report.Instant(q.Seen)}
	if q.Kind == market.WaitsRefused {
		w.Reason, w.Detail = string(q.Kind), &q.Reason
	}
	return w
}

// differenceDays is how many delivery dates back the differences between sources of prices are reported.
const differenceDays = 35

// Report returns the state of each dataset, and what waits for a decision.
func (f *Feeds) Report(ctx context.Context) (report.Report, error) {
	current := report.Report{
		GeneratedAt: report.Instant(f.clock.Now()), Quarantine: []report.Waiting{},
		PriceDifferences: []report.Difference{}, Corrections: []report.Correction{},
	}
	states, err := f.store.FeedStates(ctx)
	if err != nil {
		return report.Report{}, err
	}
	clock, err := f.clockFinding(ctx)
	if err != nil {
		return report.Report{}, err
	}
	for _, dataset := range market.Datasets() {
		status, err := f.status(ctx, dataset, states, clock)
		if err != nil {
			return report.Report{}, err
		}
		current.Datasets = append(current.Datasets, status)
		if !dataset.About().Ahead {
			continue
		}
		corrections, err := f.store.Corrections(ctx, dataset, f.today(), f.today().Add(1))
		if err != nil {
			return report.Report{}, err
		}
		for _, c := range corrections {
			current.Corrections = append(current.Corrections, report.Correction{
				Dataset: c.Dataset, Date: c.Date, Values: c.Values, SeenAt: report.Instant(c.Seen),
			})
		}
	}
	waiting, err := f.store.InQuarantine(ctx)
	if err != nil {
		return report.Report{}, err
	}
	for _, q := range waiting {
		current.Quarantine = append(current.Quarantine, waitingOf(q))
	}
	differences, err := f.store.PriceDifferences(ctx, f.today().Add(-differenceDays))
	if err != nil {
		return report.Report{}, err
	}
	for _, d := range differences {
		current.PriceDifferences = append(current.PriceDifferences, report.Difference{
			Date: d.Date, Between: d.Between, Quarters: d.Quarters, LargestEURMWh: d.Largest, SeenAt: report.Instant(d.Seen),
		})
	}
	if clock.isShown() {
		current.Clock = &report.Clock{
			AheadSeconds: int64(clock.ahead / time.Second), Host: clock.host, Wrong: clock.wrong, ReadAt: report.Instant(clock.read),
		}
	}
	return current, nil
}

// remarkDates is how many delivery dates back the status tells of odd values.
const remarkDates = 7

func (f *Feeds) status(
	ctx context.Context, dataset market.Dataset, states map[string]store.FeedState, clock clockFinding,
) (report.Status, error) {
	feed, now := f.primary[dataset], f.clock.Now()
	extent, err := f.store.Extent(ctx, dataset)
	if err != nil {
		return report.Status{}, err
	}
	summary, err := f.store.RunSummary(ctx, dataset)
	if err != nil {
		return report.Status{}, err
	}
	state := feed.currentState(states[string(feed.Name)], now)
	status := report.Status{
		Dataset: dataset, Source: feed.Source,
		LastSuccessAt: report.InstantOf(summary.LastSuccess), LastChangeAt: report.InstantOf(summary.LastChange),
		NextRunAt: report.InstantOf(state.NextRun),
	}
	lag := time.Duration(0)
	if !extent.First.IsZero() {
		end := time.Unix(extent.NewestEnd, 0)
		lag = max(clock.latest(now).Sub(end), 0)
		seconds := int64(lag / time.Second)
		status.FirstDate, status.LastDate = &extent.First, &extent.Last
		status.NewestPeriodEnd, status.LagSeconds = report.InstantOf(end), &seconds
	}
	isLagging := feed.schedule.LagAt > 0 && lag > feed.schedule.LagAt
	dates, err := f.judgeDates(ctx, feed, dataset, extent, isLagging, clock.wrong)
	if err != nil {
		return report.Status{}, err
	}
	status.Missing, status.Remarks = dates.missing, []report.Remark{}
	if !extent.Last.IsZero() {
		remarks, err := f.store.Remarks(ctx, dataset, market.NewPeriod(extent.Last.Add(1-remarkDates).Start(), extent.Last.End()))
		if err != nil {
			return report.Status{}, err
		}
		for _, r := range remarks {
			status.Remarks = append(status.Remarks, report.Remark(r))
		}
	}
	feed.mu.Lock()
	status.Trouble = feed.trouble
	feed.mu.Unlock()
	status.LastError = dates.error()
	if clock.wrong && status.LastError == nil {
		says := clock.text()
		status.LastError = &says
	}
	for _, err := range []error{feed.lastUnrecorded(), f.store.Locked(), f.checkRoom()} {
		if err != nil && !feed.isOff() {
			says := oneLine(err)
			status.LastError = &says
		}
	}
	quiet := now.Sub(summary.LastChange) > staleAfter
	switch {
	case feed.isOff() && state.NextRun.IsZero(): // a service may have credentials that this process does not have
		status.State = report.StateOff
	case !state.OpenUntil.IsZero():
		status.State = report.StateDown
	case clock.wrong || dates.hasError:
		status.State = report.StateError
	case summary.LastChange.IsZero() || dates.isOverdue || isLagging:
		status.State = report.StateLate
	case quiet && feed.isContinuous():
		status.State = report.StateStale
	default:
		status.State = report.StateOK
	}
	return status, nil
}

// currentState returns the feed's state in the service that runs it: this process, or another one that stored it. The last
// state of a service that was killed is soon ignored.
func (feed *feed) currentState(stored store.FeedState, now time.Time) store.FeedState {
	own := feed.ownState()
	switch {
	case !own.NextRun.IsZero():
		return own
	case now.Sub(stored.NextRun) > idleInterval:
		return store.FeedState{}
	}
	return stored
}

// ownState returns the feed's state in this process. Its next run is zero where this process runs no feeds.
func (feed *feed) ownState() store.FeedState {
	feed.mu.Lock()
	defer feed.mu.Unlock()
	state := store.FeedState{NextRun: feed.nextRun}
	if until, blocked := feed.blockedUntil(); blocked {
		state.OpenUntil = until
	}
	return state
}

// judgedDates summarizes the delivery dates of a dataset.
type judgedDates struct {
	missing   []report.Missing
	isOverdue bool // a date is late that the source may still complete
	hasError  bool // the newest reading of a date was refused or failed
	faults    []string
}

// error returns the fault of the newest date that has one, nil if none has.
func (j judgedDates) error() *string {
	if len(j.faults) == 0 {
		return nil
	}
	says := j.faults[len(j.faults)-1]
	if more := len(j.faults) - 1; more > 0 {
		says += fmt.Sprintf("; delivery dates with an error before it: %d", more)
	}
	return &says
}

// failuresToReport is how many runs in a row have to fail until a delivery date that is not due yet has an error.
const failuresToReport = 2

// judgeDates judges all delivery dates from the first that is due to the last that may be asked for. A date is due once it
// should be complete: for energy when it is over, for what is sold ahead when it begins, and tomorrow from late_at on. A
// date that is not due yet counts only if something went wrong with it.
func (f *Feeds) judgeDates(
	ctx context.Context, feed *feed, dataset market.Dataset, extent store.Extent, isLagging, clockIsWrong bool,
) (judgedDates, error) {
	judged := judgedDates{missing: []report.Missing{}}
	now := f.clock.Now()
	today := market.DeliveryDateOf(now)
	first, err := f.firstDue(ctx, dataset, extent)
	last := LastDate(dataset, now)
	if err != nil || first.IsZero() || first.After(last) {
		return judged, err
	}
	isLate := !now.Before(minutesLater(today, feed.schedule.LateMinute))
	lastDue, lastOverdue := feed.dueDates(today, isLate)
	stored, err := f.completenessOf(ctx, dataset, first, last)
	if err != nil {
		return judged, err
	}
	asked, err := f.asked(ctx, feed, dataset, first, last)
	if err != nil {
		return judged, err
	}
	for _, date := range market.Dates(first, last) {
		h := stored[date]
		if h.thinned { // it is not asked for any more, so an error would never end
			continue
		}
		a, wasAsked := asked[date]
		isDue := !date.After(lastDue)
		isError := a.Fault.Kind == store.FaultRefused || a.Fault.Kind == store.FaultFailed && (isDue || a.Fault.Runs >= failuresToReport)
		judged.hasError = judged.hasError || isError
		if says := faultText(dataset, date, a.Fault); says != "" {
			judged.faults = append(judged.faults, says)
		}
		if !isDue {
			h.expected = feed.periodsBy(date, h.expected, now)
		}
		isMissing := !h.isComplete() || a.Fault.Kind == store.FaultOmitted
		if !isDue {
			isMissing = isError || a.Fault.Kind == store.FaultOmitted || a.Fault.Kind == store.FaultDeclined || isLagging
		}
		if !isMissing {
			continue
		}
		gap := !clockIsWrong && isGap(date, a, now)
		judged.missing = append(judged.missing, report.Missing{
			Date: date, Expected: h.expected, Received: h.received, Reason: reason(h, a, wasAsked, gap),
		})
		if !gap && !date.After(lastOverdue) && !h.isComplete() {
			judged.isOverdue = true
		}
	}
	return judged, nil
}

// faultText describes the newest fault of a delivery date, "" if there is none that the source could correct.
func faultText(dataset market.Dataset, date market.DeliveryDate, fault store.DateFault) string {
	switch fault.Kind {
	case store.FaultRefused:
		return refusalText(dataset, date, fault.Reason)
	case store.FaultOmitted:
		return omissionText(market.Omission{Dataset: dataset, Date: date, Steps: fault.Steps, Reason: fault.Reason})
	case store.FaultFailed:
		return fault.Reason
	}
	return ""
}

func reason(h completeness, asked store.FetchHistory, wasAsked, isGap bool) report.Reason {
	switch {
	case !wasAsked && h.received == 0:
		return report.ReasonNotAsked
	case asked.Fault.Kind == store.FaultRefused || asked.Fault.Kind == store.FaultDeclined:
		return report.ReasonRejected
	case isGap:
		return report.ReasonSourceGap
	case asked.Fault.Kind == store.FaultFailed:
		return report.ReasonSourceError
	case h.received > 0:
		return report.ReasonPartial
	}
	return report.ReasonNotPublished
}
