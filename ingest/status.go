package ingest

import (
	"context"
	"time"

	"courant/store"
)

// State is how a dataset is doing.
type State string

const (
	StateOK    State = "ok"
	StateLate  State = "late"  // a delivery date is not whole at the time at which it should be
	StateStale State = "stale" // nothing new for a day, though something is due
	StateDown  State = "down"  // its source has failed so often, or asked for it, that it is left alone for a while
	StateOff   State = "off"   // no credentials for its source
)

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

// Difference is a delivery date of which ENTSO-E's prices and RTE's differ by more than a cent.
type Difference struct {
	Date          store.DeliveryDate `json:"date"`
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
}

// Report tells how each dataset is doing, and what waits for a decision.
func (f *Feeds) Report(ctx context.Context) (Report, error) {
	report := Report{GeneratedAt: Instant(f.clock.Now()), Quarantine: []Waiting{}, PriceDifferences: []Difference{}}
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
		report.PriceDifferences = append(report.PriceDifferences, Difference{d.Date, d.Quarters, d.Largest, Instant(d.Seen)})
	}
	return report, nil
}

func (f *Feeds) status(ctx context.Context, dataset store.Dataset, states map[string]store.FeedState) (Status, error) {
	feed, now := f.of(dataset), f.clock.Now()
	extent, err := f.store.Extent(ctx, dataset)
	if err != nil {
		return Status{}, err
	}
	summary, err := f.store.RunSummary(ctx, string(feed.name), dataset)
	if err != nil {
		return Status{}, err
	}
	missing, awaited, err := f.missing(ctx, feed, dataset, extent)
	if err != nil {
		return Status{}, err
	}
	state := feed.stands(states[string(feed.name)], now)
	status := Status{
		Dataset: dataset, Source: feed.source, Missing: missing,
		LastSuccessAt: instantOf(summary.LastSuccess), LastChangeAt: instantOf(summary.LastChange), NextRunAt: instantOf(state.NextRun),
	}
	if !extent.First.IsZero() {
		end, err := f.newestEnd(ctx, dataset, extent)
		if err != nil {
			return Status{}, err
		}
		lag := max(int64(now.Sub(end)/time.Second), 0)
		status.FirstDate, status.LastDate, status.NewestPeriodEnd, status.LagSeconds = &extent.First, &extent.Last, instantOf(end), &lag
	}
	if summary.LastError != "" {
		status.LastError = &summary.LastError
	}
	if err := f.checkRoom(); err != nil && !feed.off {
		says := oneLine(err)
		status.LastError = &says
	}
	status.State = stateOf(feed, state, awaited, summary, now)
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

// stateOf puts into one word how a dataset is doing; awaited are the missing dates of which the source may still give
// something.
func stateOf(feed *feed, stands store.FeedState, awaited []Missing, summary store.RunSummary, now time.Time) State {
	today := store.DeliveryDateOf(now)
	judged := today.Add(-1)
	if feed.ahead {
		judged = today.Add(1)
	}
	late := !now.Before(minutesLater(today, feed.schedule.LateMinute))
	switch {
	case feed.off && stands.NextRun.IsZero(): // a service may have credentials that this process has not
		return StateOff
	case !stands.OpenUntil.IsZero():
		return StateDown
	case summary.LastChange.IsZero():
		return StateLate
	}
	quiet := now.Sub(summary.LastChange) > staleAfter
	if quiet && !feed.ahead { // energy never rests
		return StateStale
	}
	for _, m := range awaited {
		overdue := late && m.Date == judged || m.Date.Before(judged)
		switch {
		case overdue && quiet:
			return StateStale
		case overdue:
			return StateLate
		}
	}
	return StateOK
}

// missing lists the delivery dates that are not whole, from the first one due to the last, and those of them that are no
// gap of the source's own, which is nobody's fault.
func (f *Feeds) missing(ctx context.Context, feed *feed, dataset store.Dataset, extent store.Extent) (missing, awaited []Missing, err error) {
	missing = []Missing{}
	now := f.clock.Now()
	today := store.DeliveryDateOf(now)
	first, err := f.firstDue(ctx, dataset, extent)
	if err != nil {
		return nil, nil, err
	}
	if first.IsZero() {
		return missing, nil, nil
	}
	last := today.Add(-1)
	if feed.ahead {
		if last = today; !now.Before(minutesLater(today, feed.schedule.LateMinute)) {
			last = today.Add(1)
		}
	}
	if first.After(last) {
		return missing, nil, nil
	}
	holdings, err := f.holdings(ctx, dataset, first, last)
	if err != nil {
		return nil, nil, err
	}
	asked, err := f.store.Asked(ctx, string(feed.name), dataset, first, last)
	if err != nil {
		return nil, nil, err
	}
	for _, date := range store.Dates(first, last) {
		if h := holdings[date]; !h.whole() {
			a, wasAsked := asked[date]
			m := Missing{date, h.expected, h.received, reason(date, h, a, wasAsked)}
			missing = append(missing, m)
			if !isGap(date, a) {
				awaited = append(awaited, m)
			}
		}
	}
	return missing, awaited, nil
}

func reason(date store.DeliveryDate, h holding, asked store.Asked, wasAsked bool) Reason {
	switch {
	case !wasAsked && h.received == 0:
		return ReasonNotAsked
	case asked.Refused:
		return ReasonRejected
	case isGap(date, asked):
		return ReasonSourceGap
	case asked.Outcome == store.OutcomeFailed || asked.Outcome == store.OutcomeInterrupted:
		return ReasonSourceError
	case h.received > 0:
		return ReasonPartial
	}
	return ReasonNotPublished
}
