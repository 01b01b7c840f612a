package market

import (
	"fmt"
	"time"
)

const monthLayout = "2006-01"

// Month is a calendar month of delivery dates. The zero value means no month.
type Month struct {
	first DeliveryDate
}

// MonthOf returns the month of a delivery date.
func MonthOf(date DeliveryDate) Month {
	year, month, _ := date.civil().Date()
	return Month{NewDeliveryDate(year, month, 1)}
}

// ParseMonth parses a month such as 2026-10.
func ParseMonth(text string) (Month, error) {
	t, err := time.Parse(monthLayout, text)
	if err != nil {
		return Month{}, fmt.Errorf("%q is not a month such as 2026-10", text)
	}
	return MonthOf(NewDeliveryDate(t.Date())), nil
}

// String returns the month as YYYY-MM.
func (m Month) String() string { return m.first.civil().Format(monthLayout) }

// Civil returns the year and the month of the year.
func (m Month) Civil() (year int, month time.Month) {
	year, month, _ = m.first.civil().Date()
	return year, month
}

// First returns the first delivery date of the month.
func (m Month) First() DeliveryDate { return m.first }

// Last returns the last delivery date of the month.
func (m Month) Last() DeliveryDate { return m.Next().first.Add(-1) }

// Next returns the month after it.
func (m Month) Next() Month {
	year, month := m.Civil()
	return Month{NewDeliveryDate(year, month+1, 1)}
}

// Before reports whether the month is earlier than the other.
func (m Month) Before(other Month) bool { return m.first.Before(other.first) }

// Period returns the period of the whole month.
func (m Month) Period() Period { return NewPeriod(m.First().Start(), m.Last().End()) }

// Scan reads a month from a column of SQLite.
func (m *Month) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("store: a month cannot be read from %T %v", src, src)
	}
	var err error
	*m, err = ParseMonth(text)
	return err
}
