package analysis

import (
	"slices"
	"time"

	"courant/store/market"
)

// hoursADay is the number of hours that have a name of their own: on the day on which the clock goes back, two have the same.
const hoursADay = 24

// MeanDay is the means of the hours of a day, of all days and of those from Monday to Friday and at the weekend. The two hours of the same
// name, where the clock goes back, count for the same hour. An hour without a value is null.
type MeanDay struct {
	All, Weekdays, Weekends [hoursADay]market.Number
}

// MeanDayOf returns the mean day of steps that are not longer than an hour.
func MeanDayOf(steps []Step) MeanDay {
	var all, weekdays, weekends [hoursADay]Step
	for _, s := range steps {
		at := s.From().In(market.Paris)
		all[at.Hour()].add(s)
		if day := at.Weekday(); day == time.Saturday || day == time.Sunday {
			weekends[at.Hour()].add(s)
		} else {
			weekdays[at.Hour()].add(s)
		}
	}
	return MeanDay{means(all), means(weekdays), means(weekends)}
}

func means(hours [hoursADay]Step) (means [hoursADay]market.Number) {
	for h, hour := range hours {
		means[h] = hour.Mean()
	}
	return means
}

// Column is the hours of one or more delivery dates, from First on.
type Column struct {
	First market.DeliveryDate
	// Hours are the means of the hours. Of one date they are in the order of time, 23, 24 or 25; of several dates, those of the same name are
	// one, and there are 24.
	Hours []market.Number
}

// Columns returns the hours of the delivery dates from first to last, both included, each column so many days.
func Columns(steps []Step, first, last market.DeliveryDate, days int) []Column {
	var columns [][]Step
	for date := first; !date.After(last); date = date.Add(days) {
		hours := hoursADay
		if days == 1 {
			hours = date.Steps(market.HourSeconds)
		}
		columns = append(columns, make([]Step, hours))
	}
	var calendar market.Calendar
	for _, s := range steps {
		date := calendar.DateOf(s.Start)
		if date.Before(first) || date.After(last) {
			continue
		}
		hour := s.From().In(market.Paris).Hour()
		if days == 1 {
			hour = int((s.Start - date.Start().Unix()) / market.HourSeconds)
		}
		columns[first.DaysUntil(date)/days][hour].add(s)
	}
	var made []Column
	for i, column := range columns {
		hours := make([]market.Number, len(column))
		for h, hour := range column {
			hours[h] = hour.Mean()
		}
		made = append(made, Column{first.Add(i * days), hours})
	}
	return made
}

// Durations returns the means of the steps from the greatest to the least, at most so many of them: the first is the greatest,
// the last is the least, and those between lie at equal shares of the number of steps. Steps without a value do not count.
func Durations(steps []Step, most int) []market.Number {
	var values []float64
	for _, s := range steps {
		if n := s.Mean(); n.Valid {
			values = append(values, n.V)
		}
	}
	slices.Sort(values)
	slices.Reverse(values)
	n := min(most, len(values))
	curve := make([]market.Number, n)
	for i := range n {
		rank := 0
		if n > 1 {
			rank = (i*(len(values)-1) + (n-1)/2) / (n - 1)
		}
		curve[i] = market.Num(values[rank])
	}
	return curve
}
