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

// DeliveryDate is a civil day in Europe/Paris, the day in which electricity is delivered: 23 hours long when the
// clock goes forward, 25 when it goes back, 24 otherwise. The zero value is no date.
type DeliveryDate struct {
	days int32 // civil days since 1970-01-01, which stands for no date
}

// NewDeliveryDate is the civil day year-month-day; days beyond the month's end run over, as in time.Date.
func NewDeliveryDate(year int, month time.Month, day int) DeliveryDate {
	return DeliveryDate{int32(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)}
}

// DeliveryDateOf is the delivery date that holds the instant t.
func DeliveryDateOf(t time.Time) DeliveryDate {
	return NewDeliveryDate(t.In(Paris).Date())
}

// ParseDeliveryDate reads YYYY-MM-DD.
func ParseDeliveryDate(text string) (DeliveryDate, error) {
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		return DeliveryDate{}, fmt.Errorf("%q is not a date such as 2026-10-25", text)
	}
	return NewDeliveryDate(t.Date()), nil
}

func (d DeliveryDate) civil() time.Time { return time.Unix(int64(d.days)*86400, 0).UTC() }

// String is YYYY-MM-DD.
func (d DeliveryDate) String() string { return d.civil().Format(dateLayout) }

// MarshalText is YYYY-MM-DD.
func (d DeliveryDate) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// IsZero says that this is no date.
func (d DeliveryDate) IsZero() bool { return d.days == 0 }

// Start is the date's first instant, in UTC.
func (d DeliveryDate) Start() time.Time { return d.At(0, 0) }

// End is the first instant of the next date, in UTC.
func (d DeliveryDate) End() time.Time { return d.Add(1).Start() }

// At is the instant at which a clock in Paris shows hour:minute on this date, in UTC; of the two on the day the
// clock goes back it is the first, and in the hour that is left out it is as far after the change.
func (d DeliveryDate) At(hour, minute int) time.Time {
	year, month, day := d.civil().Date()
	t := time.Date(year, month, day, hour, minute, 0, 0, Paris)
	// Which of two instants time.Date gives is not said.
	if before := t.Add(-time.Hour); before.Hour() == t.Hour() {
		t = before
	}
	return t.UTC()
}

// NextAt is the first instant after that one at which a clock in Paris shows that minute of the day, in UTC.
func NextAt(after time.Time, minute int) time.Time {
	for date := DeliveryDateOf(after); ; date = date.Add(1) {
		if then := date.At(minute/60, minute%60); then.After(after) {
			return then
		}
	}
}

// Period is the whole date.
func (d DeliveryDate) Period() Period { return NewPeriod(d.Start(), d.End()) }

// Steps is how many steps of that many seconds the date holds: 92, 96 or 100 quarter hours.
func (d DeliveryDate) Steps(seconds int64) int { return int(d.Period().Seconds() / seconds) }

// Add is the date n days later.
func (d DeliveryDate) Add(n int) DeliveryDate { return DeliveryDate{d.days + int32(n)} }

// Before says whether d comes before other.
func (d DeliveryDate) Before(other DeliveryDate) bool { return d.days < other.days }

// After says whether d comes after other.
func (d DeliveryDate) After(other DeliveryDate) bool { return d.days > other.days }

// DaysUntil is how many days other comes after d.
func (d DeliveryDate) DaysUntil(other DeliveryDate) int { return int(other.days - d.days) }

// TurnBack is the instant at which the clock goes back on this date (01:00Z), and false on any other date.
func (d DeliveryDate) TurnBack() (time.Time, bool) {
	if d.Steps(3600) != 25 {
		return time.Time{}, false
	}
	// France changes its clock at 01:00 UTC, with the rest of the Union.
	year, month, day := d.civil().Date()
	return time.Date(year, month, day, 1, 0, 0, 0, time.UTC), true
}

// Dates lists the dates from first to last, both included, ascending.
func Dates(first, last DeliveryDate) []DeliveryDate {
	var dates []DeliveryDate
	for d := first; !d.After(last); d = d.Add(1) {
		dates = append(dates, d)
	}
	return dates
}

// Value stores a date as its text.
func (d DeliveryDate) Value() (driver.Value, error) { return d.String(), nil }

// Scan reads a date from its text, and no date from NULL.
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

// Settlement is when RTE has settled the energies of the delivery date, which it changes for weeks: midnight in Paris, the
// 20th of the second month after it.
func (d DeliveryDate) Settlement() time.Time {
	at := d.Start().In(Paris)
	return NewDeliveryDate(at.Year(), at.Month()+2, settlementDay).Start()
}
