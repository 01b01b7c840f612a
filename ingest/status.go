package ingest

import (
	"context"
	"fmt"
	"time"

	"courant/store"
)

// State is how a dataset is doing.
type State string

// The states, the worst first. A dataset is in the worst one that holds.
const (
	StateOff   State = "off"   // no credentials for its source
	StateDown  State = "down"  // its source has failed so often, or asked for it, that it is left alone for a while
	StateError State = "error" // the newest reading of a date that is due was refused or failed, or the clock is wrong
	StateLate  State = "late"  // a delivery date is not whole at the time at which it should be
	StateStale State = "stale" // nothing new for a day
	StateOK    State = "ok"
)

// States are all states, the worst first.
func States() []State {
	return []State{StateOff, StateDown, StateError, StateLate, StateStale, StateOK}
}

// staleAfter is how long without anything new makes a dataset stale.
const staleAfter = 24 * time.Hour

// Reason is why a delivery date is not whole.
type Reason string

const (
	ReasonNotAsked     Reason = "not_asked"
	ReasonNotPublished Reason = "not_published"
	ReasonSourceError  Reason = "source_error"
	ReasonRejected     Reason = "rejected"
	ReasonPartial      Reason = "partial"
	ReasonSourceGap    Reason = "source_gap" // the source has said the same for a week
)

// Missing is a delivery date that is not whole.
type Missing struct {
	Date     store.DeliveryDate `json:"date"`
	Expected int                `json:"expected"` // periods
	Received int                `json:"received"` // periods
	Reason   Reason             `json:"reason"`
}

// Status is what Courant knows of a dataset. Times are UTC; nil is "never" or "not known".
type Status struct {
	Dataset         store.Dataset       `json:"dataset"`
	Source          string              `json:"source"`
	State           State               `json:"state"`
	FirstDate       *store.DeliveryDate `json:"first_date"`
	LastDate        *store.DeliveryDate `json:"last_date"`
	NewestPeriodEnd *Instant            `json:"newest_period_end"`
	LagSeconds      *int64              `json:"lag_seconds"` // from the end of the newest period to now; 0 if that is ahead
	LastSuccessAt   *Instant            `json:"last_success_at"`
	LastChangeAt    *Instant            `json:"last_change_at"`
	LastError       *string             `json:"last_error"`
	NextRunAt       *Instant            `json:"next_run_at"`
	Missing         []Missing           `json:"missing"`
}

// Instant is a time in UTC that is written with milliseconds.
type Instant time.Time

// MarshalText is RFC 3339 with three decimals and Z.
func (i Instant) MarshalText() ([]byte, error) {
	return time.Time(i).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

func instantOf(t time.Time) *Instant {
	if t.IsZero() {
		return nil
	}
	i := Instant(t)
	return &i
}

// Waiting is a delivery date that a person has to decide on.
type Waiting struct {
	ID      int64              `json:"id"`
	Dataset store.Dataset      `json:"dataset"`
	Date    store.DeliveryDate `json:"date"`
	Reason  string             `json:"reason"` // what is odd about it, or "refused"
	SeenAt  Instant            `json:"seen_at"`
	Detail  *string            `json:"detail"` // why it was refused; nil if it was not
}

func waitingOf(q store.Quarantined) Waiting {
	w := Waiting{ID: q.ID, Dataset: q.Dataset, Date: q.Date, Reason: q.Reason, SeenAt: Instant(q.Seen)}
	if q.Kind == store.WaitsRefused {
		w.Reason, w.Detail = string(q.Kind), &q.Reason
	}
	return w
}

// Difference is a delivery date of which two publications of prices differ by more than a cent.
type Difference struct {
	Date          store.DeliveryDate `json:"date"`
	Between       string             `json:"between"` // ENTSO-E/RTE, or two resolutions of ENTSO-E such as PT15M/PT60M; the first is served
	Quarters      int                `json:"quarters"`
	LargestEURMWh float64            `json:"largest_eur_mwh"` // without sign
	SeenAt        Instant            `json:"seen_at"`
}

// differenceDays is how many delivery dates back the sources of prices are compared.
const differenceDays = 35

// Report is what Courant knows of all datasets.
type Report struct {
	GeneratedAt      Instant      `json:"generated_at"`
	Datasets         []Status     `json:"datasets"`
	Quarantine       []Waiting    `json:"quarantine"`
	PriceDifferences []Difference `json:"price_differences"`
	Corrections      []Correction `json:"corrections"`
	Clock            *Clock       `json:"clock"` // nil while it agrees with the sources'
}

// Correction is a delivery date, of what is sold ahead, of which the source changed values before it was over.
type Correction struct {
	Dataset store.Dataset      `json:"dataset"`
	Date    store.DeliveryDate `json:"date"`
	Values  int                `json:"values"` // that changed or were withdrawn
	SeenAt  Instant            `json:"seen_at"`
}

// Clock is how far this machine's clock differs from a source's, where that is 2 min or more.
type Clock struct {
	AheadSeconds int64   `json:"ahead_seconds"` // negative: behind
	Host         string  `json:"host"`          // of the source
	Wrong        bool    `json:"wrong"`         // two hosts or three runs agree on 10 min or more
	ReadAt       Instant `json:"read_at"`
}

// Report tells how each dataset is doing, and what waits for a decision.
func (f *Feeds) Report(ctx context.Context) (Report, error) {
	report := Report{GeneratedAt: Instant(f.clock.Now()), Quarantine: []Waiting{}, PriceDifferences: []Difference{}, Corrections: []Correction{}}
	states, err := f.store.FeedStates(ctx)
	if err != nil {
		return Report{}, err
	}
	for _, dataset := range store.Datasets() {
		status, err := f.status(ctx, dataset, states)
		if err != nil {
			return Report{}, err
		}
		report.Datasets = append(report.Datasets, status)
		if !soldAhead(dataset) {
			continue
		}
		corrections, err := f.store.Corrections(ctx, dataset, f.today(), f.today().Add(1))
		if err != nil {
			return Report{}, err
		}
		for _, c := range corrections {
			report.Corrections = append(report.Corrections, Correction{c.Dataset, c.Date, c.Values, Instant(c.Seen)})
		}
	}
	waiting, err := f.store.InQuarantine(ctx)
	if err != nil {
		return Report{}, err
	}
	for _, q := range waiting {
		report.Quarantine = append(report.Quarantine, waitingOf(q))
	}
	differences, err := f.store.PriceDifferences(ctx, f.today().Add(-differenceDays))
	if err != nil {
		return Report{}, err
	}
	for _, d := range differences {
		report.PriceDifferences = append(report.PriceDifferences, Difference{d.Date, d.Between, d.Quarters, d.Largest, Instant(d.Seen)})
	}
	clock, err := f.clockFinding(ctx)
	if err != nil {
		return Report{}, err
	}
	if clock.isTold() {
		report.Clock = &Clock{int64(clock.ahead / time.Second), clock.host, clock.wrong, Instant(clock.read)}
	}
	return report, nil
}

func (f *Feeds) status(ctx context.Context, dataset store.Dataset, states map[string]store.FeedState) (Status, error) {
	feed, now := f.of(dataset), f.clock.Now()
	extent, err := f.store.Extent(ctx, dataset)
	if err != nil {
		return Status{}, err
	}
	summary, err := f.store.RunSummary(ctx, dataset)
	if err != nil {
		return Status{}, err
	}
	clock, err := f.clockFinding(ctx)
	if err != nil {
		return Status{}, err
	}
	state := feed.stands(states[string(feed.name)], now)
	status := Status{
		Dataset: dataset, Source: feed.source,
		LastSuccessAt: instantOf(summary.LastSuccess), LastChangeAt: instantOf(summary.LastChange), NextRunAt: instantOf(state.NextRun),
	}
	lag := time.Duration(0)
	if !extent.First.IsZero() {
		end, err := f.newestEnd(ctx, dataset, extent)
		if err != nil {
			return Status{}, err
		}
		lag = max(clock.latest(now).Sub(end), 0)
		seconds := int64(lag / time.Second)
		status.FirstDate, status.LastDate, status.NewestPeriodEnd, status.LagSeconds = &extent.First, &extent.Last, instantOf(end), &seconds
	}
	isLagging := feed.schedule.LagAt > 0 && lag > feed.schedule.LagAt
	dates, err := f.judgeDates(ctx, feed, dataset, extent, isLagging, clock.wrong)
	if err != nil {
		return Status{}, err
	}
	status.Missing = dates.missing
	status.LastError = dates.error()
	if clock.wrong && status.LastError == nil {
		says := clock.text()
		status.LastError = &says
	}
	for _, err := range []error{feed.lastUnrecorded(), f.store.Locked(), f.checkRoom()} {
		if err != nil && !feed.off {
			says := oneLine(err)
			status.LastError = &says
		}
	}
	quiet := now.Sub(summary.LastChange) > staleAfter
	switch {
	case feed.off && state.NextRun.IsZero(): // a service may have credentials that this process has not
		status.State = StateOff
	case !state.OpenUntil.IsZero():
		status.State = StateDown
	case clock.wrong || dates.hasError:
		status.State = StateError
	case summary.LastChange.IsZero() || dates.isOverdue || isLagging:
		status.State = StateLate
	case quiet && !feed.ahead: // energy never rests
		status.State = StateStale
	default:
		status.State = StateOK
	}
	return status, nil
}

// stands is how the feed stands in the service that runs it: this process, or another one by its own word. A service
// that was killed has left its last one, which is not believed for long.
func (feed *feed) stands(told store.FeedState, now time.Time) store.FeedState {
	own := feed.ownState()
	switch {
	case !own.NextRun.IsZero():
		return own
	case now.Sub(told.NextRun) > idleInterval:
		return store.FeedState{}
	}
	return told
}

// ownState is how the feed stands in this process. Its next run is zero where this process runs no feeds.
func (feed *feed) ownState() store.FeedState {
	feed.mu.Lock()
	defer feed.mu.Unlock()
	state := store.FeedState{NextRun: feed.nextRun}
	if until, blocked := feed.blockedUntil(); blocked {
		state.OpenUntil = until
	}
	return state
}

// newestEnd is the end of the newest period that is held.
func (f *Feeds) newestEnd(ctx context.Context, dataset store.Dataset, extent store.Extent) (time.Time, error) {
	length := int64(store.QuarterSeconds)
	switch dataset {
	case store.AFRREnergy:
		length = store.AFRRSeconds
	case store.DayAheadPrices:
		prices, err := f.store.Prices(ctx, store.Period{Start: extent.NewestStart, End: extent.NewestStart + 1})
		if err != nil {
			return time.Time{}, err
		}
		for _, p := range prices {
			length = p.Resolution.Seconds()
		}
	}
	return time.Unix(extent.NewestStart+length, 0), nil
}

// judgedDates is what the delivery dates of a dataset come to.
type judgedDates struct {
	missing   []Missing
	isOverdue bool // a date that the source may still complete is not whole though it should be
	hasError  bool // the newest reading of a date was refused or failed
	faults    []string
}

// error is the fault of the newest date that has one, nil if none has.
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

// failuresToTell is how many runs in a row have to fail until that is an error of a delivery date that is not over yet.
const failuresToTell = 2

// judgeDates looks at all delivery dates from the first that is due to the last that may be asked for. A date is due once it
// should be whole: energy's when it is over, what is sold ahead when the date begins, tomorrow's from late_at on. Of a date
// that is not due yet only what went wrong counts.
func (f *Feeds) judgeDates(ctx context.Context, feed *feed, dataset store.Dataset, extent store.Extent, isLagging, clockIsWrong bool) (judgedDates, error) {
	judged := judgedDates{missing: []Missing{}}
	now := f.clock.Now()
	today := store.DeliveryDateOf(now)
	first, err := f.firstDue(ctx, dataset, extent)
	last := LastDate(dataset, now)
	if err != nil || first.IsZero() || first.After(last) {
		return judged, err
	}
	isLate := !now.Before(minutesLater(today, feed.schedule.LateMinute))
	lastDue, lastOverdue := last, last
	if !feed.ahead {
		lastDue, lastOverdue = today.Add(-1), today.Add(-1)
	}
	if !isLate {
		lastOverdue = lastOverdue.Add(-1)
		if feed.ahead {
			lastDue = today
		}
	}
	holdings, err := f.holdings(ctx, dataset, first, last)
	if err != nil {
		return judged, err
	}
	asked, err := f.asked(ctx, feed, dataset, first, last)
	if err != nil {
		return judged, err
	}
	for _, date := range store.Dates(first, last) {
		h := holdings[date]
		if h.thinned { // it is not asked for any more, so no error of it could end
			continue
		}
		a, wasAsked := asked[date]
		isDue := !date.After(lastDue)
		isError := a.Fault.Kind == store.FaultRefused || a.Fault.Kind == store.FaultFailed && (isDue || a.Fault.Runs >= failuresToTell)
		judged.hasError = judged.hasError || isError
		if says := faultText(dataset, date, a.Fault); says != "" {
			judged.faults = append(judged.faults, says)
		}
		if !isDue && !feed.ahead {
			h.expected = begun(date, h.expected, now)
		}
		isMissing := !h.whole() || a.Fault.Kind == store.FaultOmitted
		if !isDue {
			isMissing = isError || a.Fault.Kind == store.FaultOmitted || a.Fault.Kind == store.FaultDeclined || isLagging
		}
		if !isMissing {
			continue
		}
		gap := !clockIsWrong && isGap(date, a, now)
		judged.missing = append(judged.missing, Missing{date, h.expected, h.received, reason(h, a, wasAsked, gap)})
		if !gap && !date.After(lastOverdue) && !h.whole() {
			judged.isOverdue = true
		}
	}
	return judged, nil
}

// begun is how many of a delivery date's periods have begun.
func begun(date store.DeliveryDate, periods int, now time.Time) int {
	whole := date.Period()
	share := min(max(now.Unix()-whole.Start, 0), whole.Seconds())
	return int(int64(periods) * share / whole.Seconds())
}

// faultText says what keeps a delivery date from having been read well, "" where nothing does that the source could mend.
func faultText(dataset store.Dataset, date store.DeliveryDate, fault store.DateFault) string {
	switch fault.Kind {
	case store.FaultRefused:
		return refusalText(dataset, date, fault.Reason)
	case store.FaultOmitted:
		return omissionText(store.Omission{Dataset: dataset, Date: date, Steps: fault.Steps, Reason: fault.Reason})
	case store.FaultFailed:
		return fault.Reason
	}
	return ""
}

func reason(h holding, asked store.Asked, wasAsked, isGap bool) Reason {
	switch {
	case !wasAsked && h.received == 0:
		return ReasonNotAsked
	case asked.Fault.Kind == store.FaultRefused || asked.Fault.Kind == store.FaultDeclined:
		return ReasonRejected
	case isGap:
		return ReasonSourceGap
	case asked.Fault.Kind == store.FaultFailed:
		return ReasonSourceError
	case h.received > 0:
		return ReasonPartial
	}
	return ReasonNotPublished
}
