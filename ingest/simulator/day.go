package simulator

import (
	"fmt"
	"iter"
	"time"
)

var paris = func() *time.Location {
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return l
}()

// Day is a delivery date: a civil day in Europe/Paris, 23, 24 or 25 hours long.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// DayOf returns the delivery date that holds t.
func DayOf(t time.Time) Day {
	y, m, d := t.In(paris).Date()
	return Day{y, m, d}
}

// Start returns the first instant of d, in UTC.
func (d Day) Start() time.Time { return d.at(0, 0) }

// End returns the first instant after d, in UTC.
func (d Day) End() time.Time { return d.Add(1).Start() }

// Add returns the delivery date n days after d.
func (d Day) Add(n int) Day {
	y, m, day := time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC).Date()
	return Day{y, m, day}
}

// String returns d as YYYY-MM-DD.
func (d Day) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// at returns the instant of a Paris wall clock on d, in UTC.
func (d Day) at(hour, minute int) time.Time {
	return time.Date(d.Year, d.Month, d.Day, hour, minute, 0, 0, paris).UTC()
}

// number counts days from 1970-01-01.
func (d Day) number() int {
	return int(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

func (d Day) before(other Day) bool { return d.number() < other.number() }

func (d Day) weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Weekday()
}

// steps returns how many steps of that length d holds.
func (d Day) steps(step time.Duration) int { return int(d.End().Sub(d.Start()) / step) }

// window is what a client asks for: start included, end excluded.
type window struct{ start, end time.Time }

func (w window) length() time.Duration { return w.end.Sub(w.start) }

func (w window) holds(t time.Time) bool { return !t.Before(w.start) && t.Before(w.end) }

// days yields the delivery dates that w touches, oldest first.
func (w window) days() iter.Seq[Day] {
	return func(yield func(Day) bool) {
		for d := DayOf(w.start); d.Start().Before(w.end); d = d.Add(1) {
			if !yield(d) {
				return
			}
		}
	}
}
