package analysis

import (
	"courant/store/market"
)

// Total is the figures of a series over some delivery dates.
type Total struct {
	Expected        int64         // published steps
	LeastAt, MostAt market.Period // the first step with the least and with the greatest value
	NegativeSeconds int64         // length of the steps with a mean below zero

	sum Step
}

// Values returns how many published steps have a value.
func (t Total) Values() int64 { return t.sum.Count }

// IsWhole reports whether every published step has a value.
func (t Total) IsWhole() bool { return t.sum.Count == t.Expected }

// Mean returns the mean of the values with two decimals; null if there is none.
func (t Total) Mean() market.Number {
	if t.sum.Count == 0 {
		return market.Number{}
	}
	return market.MeanOf(t.sum.Sum.Number(), t.sum.Count)
}

// Least returns the least value; null if there is none or it is not known, because only means of some steps are stored.
func (t Total) Least() market.Number { return t.sum.Least }

// Most returns the greatest value; null as Least.
func (t Total) Most() market.Number { return t.sum.Most }

// NegativeHours returns the length of the steps with a mean below zero in hours, with two decimals; null if there is no value.
func (t Total) NegativeHours() market.Number {
	if t.sum.Count == 0 {
		return market.Number{}
	}
	return market.MeanOf(market.Num(float64(t.NegativeSeconds)), market.HourSeconds)
}

func (t *Total) add(s Step) {
	negative := int64(0)
	if s.isNegative() {
		negative = s.Seconds()
	}
	t.merge(Total{LeastAt: s.Period, MostAt: s.Period, NegativeSeconds: negative, sum: s})
}

// merge adds the figures of later steps.
func (t *Total) merge(more Total) {
	t.Expected += more.Expected
	t.NegativeSeconds += more.NegativeSeconds
	if more.sum.Count == 0 {
		return
	}
	if t.sum.Count == 0 || more.sum.Least.V < t.sum.Least.V {
		t.LeastAt = more.LeastAt
	}
	if t.sum.Count == 0 || more.sum.Most.V > t.sum.Most.V {
		t.MostAt = more.MostAt
	}
	t.sum.add(more.sum)
}

// Day is the figures of a delivery date.
type Day struct {
	Date market.DeliveryDate
	Total
}

// Days returns the figures of the delivery dates from first to last, both included, of ascending steps of a series that is
// published every so many seconds.
func Days(steps []Step, published int64, first, last market.DeliveryDate) []Day {
	var days []Day
	for _, date := range market.Dates(first, last) {
		days = append(days, Day{date, Total{Expected: int64(date.Steps(published))}})
	}
	var calendar market.Calendar
	for _, s := range steps {
		if i := first.DaysUntil(calendar.DateOf(s.Start)); i >= 0 && i < len(days) {
			days[i].add(s)
		}
	}
	return days
}

// Month is the figures of the dates of a calendar month that are among some days.
type Month struct {
	market.Month
	Total
}

// Months returns the figures of the months of ascending days.
func Months(days []Day) []Month {
	var months []Month
	for _, day := range days {
		month := market.MonthOf(day.Date)
		if n := len(months); n == 0 || months[n-1].Month != month {
			months = append(months, Month{Month: month})
		}
		months[len(months)-1].merge(day.Total)
	}
	return months
}

// All returns the figures of all days together.
func All(days []Day) Total {
	var all Total
	for _, day := range days {
		all.merge(day.Total)
	}
	return all
}
