package market

import "time"

// Period is the half-open interval [Start, End) in seconds UTC.
type Period struct {
	Start, End int64
}

// NewPeriod is [from, to), cut to whole seconds.
func NewPeriod(from, to time.Time) Period { return Period{from.Unix(), to.Unix()} }

// From is the period's first instant, in UTC.
func (p Period) From() time.Time { return time.Unix(p.Start, 0).UTC() }

// To is the first instant after the period, in UTC.
func (p Period) To() time.Time { return time.Unix(p.End, 0).UTC() }

// Seconds is how long the period lasts.
func (p Period) Seconds() int64 { return p.End - p.Start }

// Holds says whether the second lies in the period.
func (p Period) Holds(second int64) bool { return p.Start <= second && second < p.End }

// Overlaps reports whether the two periods have a second in common.
func (p Period) Overlaps(other Period) bool { return p.Start < other.End && other.Start < p.End }

// Intersect returns what the two periods have in common. Where that is nothing, the end is not after the start.
func (p Period) Intersect(other Period) Period {
	return Period{max(p.Start, other.Start), min(p.End, other.End)}
}

// Dates lists the delivery dates that the period touches.
func (p Period) Dates() []DeliveryDate {
	return Dates(DeliveryDateOf(p.From()), DeliveryDateOf(p.To().Add(-time.Second)))
}

// Calendar tells the delivery date of many instants that mostly follow one another; its zero value is ready.
type Calendar struct {
	date   DeliveryDate
	period Period
}

func (c *Calendar) DateOf(second int64) DeliveryDate {
	if !c.period.Holds(second) {
		c.date = DeliveryDateOf(time.Unix(second, 0))
		c.period = c.date.Period()
	}
	return c.date
}
