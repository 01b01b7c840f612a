package market

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Paris is the time zone of every delivery date.
var Paris = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic("store: no time zone data for Europe/Paris: " + err.Error())
	}
	return zone
}()

const dateLayout = "2006-01-02"

// DeliveryDate is the civil day in Europe/Paris in which electricity is delivered. It has 23 hours when the clock goes forward,
// 25 when it goes back, and 24 otherwise. The zero value means no date.
type DeliveryDate struct {
	days int32 // civil days since 1970-01-01; that day itself cannot be represented, because 0 means no date
}

// NewDeliveryDate returns the civil day year-month-day, normalised as by time.Date.
func NewDeliveryDate(year int, month time.Month, day int) DeliveryDate {
	return DeliveryDate{int32(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)}
}

// DeliveryDateOf returns the delivery date that contains the instant t.
func DeliveryDateOf(t time.Time) DeliveryDate {
	return NewDeliveryDate(t.In(Paris).Date())
}

// ParseDeliveryDate parses a date such as 2026-10-25.
func ParseDeliveryDate(text string) (DeliveryDate, error) {
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		return DeliveryDate{}, fmt.Errorf("%q is not a date such as 2026-10-25", text)
	}
	return NewDeliveryDate(t.Date()), nil
}

func (d DeliveryDate) civil() time.Time { return time.Unix(int64(d.days)*86400, 0).UTC() }

// String returns the date as YYYY-MM-DD.
func (d DeliveryDate) String() string { return d.civil().Format(dateLayout) }

// MarshalText returns the date as YYYY-MM-DD.
func (d DeliveryDate) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// IsZero reports whether this is the zero value, which means no date.
func (d DeliveryDate) IsZero() bool { return d.days == 0 }

// Start returns the first instant of the date, in UTC.
func (d DeliveryDate) Start() time.Time { return d.At(0, 0) }

// End returns the first instant of the next date, in UTC.
func (d DeliveryDate) End() time.Time { return d.Add(1).Start() }

// At returns the instant of hour:minute on this date in Paris, in UTC. In the hour that is repeated when the clock goes back it
// is the first of the two; in the hour that is skipped when it goes forward it is an hour later by the clock.
func (d DeliveryDate) At(hour, minute int) time.Time {
	year, month, day := d.civil().Date()
	t := time.Date(year, month, day, hour, minute, 0, 0, Paris)
	// time.Date does not specify which of the two instants it returns.
	if before := t.Add(-time.Hour); before.Hour() == t.Hour() {
		t = before
	}
	return t.UTC()
}

// NextAt returns the first instant after the given one at which it is that minute of the day in Paris, in UTC.
func NextAt(after time.Time, minute int) time.Time {
	for date := DeliveryDateOf(after); ; date = date.Add(1) {
		if then := date.At(minute/60, minute%60); then.After(after) {
			return then
		}
	}
}

// Period returns the period of the whole date.
func (d DeliveryDate) Period() Period { return NewPeriod(d.Start(), d.End()) }

// Steps returns the number of steps of that many seconds in the date, such as 92, 96 or 100 quarter hours.
func (d DeliveryDate) Steps(seconds int64) int { return int(d.Period().Seconds() / seconds) }

// Add returns the date n days later.
func (d DeliveryDate) Add(n int) DeliveryDate { return DeliveryDate{d.days + int32(n)} }

// Before reports whether d is before other.
func (d DeliveryDate) Before(other DeliveryDate) bool { return d.days < other.days }

// After reports whether d is after other.
func (d DeliveryDate) After(other DeliveryDate) bool { return d.days > other.days }

// DaysUntil returns the number of days from d to other.
func (d DeliveryDate) DaysUntil(other DeliveryDate) int { return int(other.days - d.days) }

// TurnBack returns the instant at which the clock goes back on this date (01:00 UTC), and false if it does not.
func (d DeliveryDate) TurnBack() (time.Time, bool) {
	if d.Steps(3600) != 25 {
		return time.Time{}, false
	}
	// France changes its clock at 01:00 UTC, with the rest of the Union.
	year, month, day := d.civil().Date()
	return time.Date(year, month, day, 1, 0, 0, 0, time.UTC), true
}

// Dates returns the dates from first to last, both included, ascending.
func Dates(first, last DeliveryDate) []DeliveryDate {
	var dates []DeliveryDate
	for d := first; !d.After(last); d = d.Add(1) {
		dates = append(dates, d)
	}
	return dates
}

// Value returns the date as YYYY-MM-DD, for SQL.
func (d DeliveryDate) Value() (driver.Value, error) { return d.String(), nil }

// Scan sets the date from its text in SQL; NULL is the zero date.
func (d *DeliveryDate) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = DeliveryDate{}
		return nil
	case string:
		parsed, err := ParseDeliveryDate(v)
		*d = parsed
		return err
	}
	return fmt.Errorf("store: a delivery date cannot be read from %T", src)
}

// settlementDay is the day of the second month after delivery on which RTE has settled the energies of a delivery date.
const settlementDay = 20

// Settlement returns the instant from which RTE's data of the delivery date are final: midnight in Paris at the start of the
// 20th of the second month after delivery. Until then RTE may still change them.
func (d DeliveryDate) Settlement() time.Time {
	at := d.Start().In(Paris)
	return NewDeliveryDate(at.Year(), at.Month()+2, settlementDay).Start()
}
