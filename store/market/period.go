package market

import "time"

// Period is the half-open interval [Start, End) in seconds UTC.
type Period struct {
	Start, End int64
}

// NewPeriod returns [from, to), truncated to whole seconds.
func NewPeriod(from, to time.Time) Period { return Period{from.Unix(), to.Unix()} }

// From returns the first instant of the period, in UTC.
func (p Period) From() time.Time { return time.Unix(p.Start, 0).UTC() }

// To returns the first instant after the period, in UTC.
func (p Period) To() time.Time { return time.Unix(p.End, 0).UTC() }

// Seconds returns the length of the period.
func (p Period) Seconds() int64 { return p.End - p.Start }

// Holds reports whether the second is in the period.
func (p Period) Holds(second int64) bool { return p.Start <= second && second < p.End }

// Overlaps reports whether the two periods have a second in common.
func (p Period) Overlaps(other Period) bool { return p.Start < other.End && other.Start < p.End }

// Intersect returns the part that the two periods have in common. If there is none, its end is not after its start.
func (p Period) Intersect(other Period) Period {
	return Period{max(p.Start, other.Start), min(p.End, other.End)}
}

// Dates returns the delivery dates that the period overlaps, ascending.
func (p Period) Dates() []DeliveryDate {
	return Dates(DeliveryDateOf(p.From()), DeliveryDateOf(p.To().Add(-time.Second)))
}

// Calendar returns the delivery dates of many instants. It is fast if they mostly ascend, because it remembers the last date.
// Its zero value is ready for use.
type Calendar struct {
	date   DeliveryDate
	period Period
}

// DateOf returns the delivery date of a Unix time in seconds.
func (c *Calendar) DateOf(second int64) DeliveryDate {
	if !c.period.Holds(second) {
		c.date = DeliveryDateOf(time.Unix(second, 0))
		c.period = c.date.Period()
	}
	return c.date
}
