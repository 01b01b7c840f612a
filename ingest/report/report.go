// Package report is what is known of how the datasets are doing, in words and JSON that the command line, /api/status, pages and
// metrics share. What may come in here are its types; how the answer is found is the business of package ingest.
package report

import (
	"time"

	"courant/store/market"
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

// Reason is why a delivery date is not whole.
type Reason string

const (
	ReasonNotAsked     Reason = "not_asked"
	ReasonNotPublished Reason = "not_published"
	ReasonSourceError  Reason = "source_error"
	ReasonRejected     Reason = "rejected"
	ReasonPartial      Reason = "partial"
	ReasonSourceGap    Reason = "source_gap" // the source has said the same for a week
	ReasonThinned      Reason = "thinned"    // its steps were removed, and only 5 min means are stored; of rows only
)

// Reasons are all reasons.
func Reasons() []Reason {
	return []Reason{ReasonNotAsked, ReasonNotPublished, ReasonSourceError, ReasonSourceGap, ReasonRejected, ReasonPartial, ReasonThinned}
}

// Trouble is why the newest run of a feed failed, where it is something that a person can mend; "" if it is not.
type Trouble string

const (
	TroubleCredentials Trouble = "credentials" // the source does not accept them
	TroubleConnection  Trouble = "connection"  // the source was not reached
)

// Missing is a delivery date that is not whole.
type Missing struct {
	Date     market.DeliveryDate `json:"date"`
	Expected int                 `json:"expected"` // periods
	Received int                 `json:"received"` // periods
	Reason   Reason              `json:"reason"`
}

// Status is what Courant knows of a dataset. Times are UTC; nil is "never" or "not known".
type Status struct {
	Dataset         market.Dataset       `json:"dataset"`
	Source          string               `json:"source"`
	State           State                `json:"state"`
	FirstDate       *market.DeliveryDate `json:"first_date"`
	LastDate        *market.DeliveryDate `json:"last_date"`
	NewestPeriodEnd *Instant             `json:"newest_period_end"`
	LagSeconds      *int64               `json:"lag_seconds"` // from the end of the newest period to now; 0 if that is ahead
	LastSuccessAt   *Instant             `json:"last_success_at"`
	LastChangeAt    *Instant             `json:"last_change_at"`
	LastError       *string              `json:"last_error"`
	NextRunAt       *Instant             `json:"next_run_at"`
	Missing         []Missing            `json:"missing"`
	Remarks         []Remark             `json:"remarks"`
	Trouble         Trouble              `json:"-"` // known only to the process that runs the feed
}

// Remark is what is odd about values of a delivery date that are served as published all the same.
type Remark struct {
	Date market.DeliveryDate `json:"date"`
	Rows int                 `json:"rows"`
	Text string              `json:"text"` // English
}

// Instant is a time in UTC that is written with milliseconds.
type Instant time.Time

// MarshalText is RFC 3339 with three decimals and Z.
func (i Instant) MarshalText() ([]byte, error) {
	return time.Time(i).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

// Time is the instant as a time.
func (i Instant) Time() time.Time { return time.Time(i) }

// TimeOf is the instant as a time, the zero time for nil.
func TimeOf(i *Instant) time.Time {
	if i == nil {
		return time.Time{}
	}
	return i.Time()
}

// InstantOf is the instant of t, nil for the zero time.
func InstantOf(t time.Time) *Instant {
	if t.IsZero() {
		return nil
	}
	i := Instant(t)
	return &i
}

// Waiting is a delivery date that a person has to decide on.
type Waiting struct {
	ID      int64               `json:"id"`
	Dataset market.Dataset      `json:"dataset"`
	Date    market.DeliveryDate `json:"date"`
	Reason  string              `json:"reason"` // what is odd about it, or "refused"
	SeenAt  Instant             `json:"seen_at"`
	Detail  *string             `json:"detail"` // why it was refused; nil if it was not
}

// Difference is a delivery date on which two publications of prices differ by more than a cent.
type Difference struct {
	Date          market.DeliveryDate `json:"date"`
	Between       string              `json:"between"` // ENTSO-E/RTE, or two resolutions of ENTSO-E such as PT15M/PT60M; the first is served
	Quarters      int                 `json:"quarters"`
	LargestEURMWh float64             `json:"largest_eur_mwh"` // without sign
	SeenAt        Instant             `json:"seen_at"`
}

// Largest is the largest difference, in EUR/MWh, without sign.
func (d Difference) Largest() market.Number { return market.Num(d.LargestEURMWh) }

// Report is what Courant knows of all datasets.
type Report struct {
	GeneratedAt      Instant      `json:"generated_at"`
	Datasets         []Status     `json:"datasets"`
	Quarantine       []Waiting    `json:"quarantine"`
	PriceDifferences []Difference `json:"price_differences"`
	Corrections      []Correction `json:"corrections"`
	Clock            *Clock       `json:"clock"` // nil while it agrees with the sources'
}

// Correction is a delivery date of prices or capacity whose values the source changed before it was over.
type Correction struct {
	Dataset market.Dataset      `json:"dataset"`
	Date    market.DeliveryDate `json:"date"`
	Values  int                 `json:"values"` // that changed or were withdrawn
	SeenAt  Instant             `json:"seen_at"`
}

// Clock is how far this machine's clock differs from a source's, where that is 2 min or more.
type Clock struct {
	AheadSeconds int64   `json:"ahead_seconds"` // negative: behind
	Host         string  `json:"host"`          // of the source
	Wrong        bool    `json:"wrong"`         // two hosts or three runs agree on 10 min or more
	ReadAt       Instant `json:"read_at"`
}

// Minutes is the difference without sign.
func (c Clock) Minutes() int {
	ahead := time.Duration(c.AheadSeconds) * time.Second
	return int(ahead.Abs().Round(time.Minute) / time.Minute)
}
