package analysis

import (
	"slices"
	"time"

	"courant/store/market"
)

// Step is the values of a series in one period: one published value, or those of several published steps together.
type Step struct {
	market.Period
	Sum         market.Micro
	Count       int64 // of values that are not null
	Least, Most market.Number
}

// StepOf returns the step of one published value.
func StepOf(period market.Period, value market.Number) Step {
	if !value.Valid {
		return Step{Period: period}
	}
	return Step{Period: period, Sum: market.MicroOf(value.V), Count: 1, Least: value, Most: value}
}

// Mean returns the only value of the step, or the mean of several with two decimals; null if there is none.
func (s Step) Mean() market.Number {
	switch s.Count {
	case 0:
		return market.Number{}
	case 1:
		return s.Sum.Number()
	}
	return market.MeanOf(s.Sum.Number(), s.Count)
}

// isNegative reports whether the mean of the step is below zero.
func (s Step) isNegative() bool { return s.Count > 0 && s.Sum < 0 }

// add adds the values of another step. Its least and greatest are unknown if those of either are.
func (s *Step) add(more Step) {
	if more.Count == 0 {
		return
	}
	if s.Count == 0 {
		s.Least, s.Most = more.Least, more.Most
	} else {
		s.Least, s.Most = lesser(s.Least, more.Least), greater(s.Most, more.Most)
	}
	s.Sum += more.Sum
	s.Count += more.Count
}

func lesser(a, b market.Number) market.Number {
	if !a.Valid || !b.Valid {
		return market.Number{}
	}
	return market.Num(min(a.V, b.V))
}

func greater(a, b market.Number) market.Number {
	if !a.Valid || !b.Valid {
		return market.Number{}
	}
	return market.Num(max(a.V, b.V))
}

// Fold puts ascending steps together into longer ones.
func Fold(steps []Step, length market.BucketLength) []Step {
	var folded []Step
	for _, s := range steps {
		if n := len(folded); n == 0 || !folded[n-1].Holds(s.Start) {
			folded = append(folded, Step{Period: length.Bucket(s.Start)})
		}
		folded[len(folded)-1].add(s)
	}
	return folded
}

// Shift returns ascending steps of whole hours or parts of an hour as if they were that many days later, at the same time of
// day in Paris. Where a clock change makes one of the days longer, an hour that the other one does not have is left out, and
// the first of two hours of the same name stands for a single one.
func Shift(steps []Step, days int) []Step {
	var calendar market.Calendar
	var shifted []Step
	for _, s := range steps {
		date := calendar.DateOf(s.Start)
		clock := s.From().In(market.Paris)
		hour := date.At(clock.Hour(), 0).Unix()
		isRepeated := s.Start-hour >= market.HourSeconds // the second of two hours of the same name
		to := date.Add(days)
		start := to.At(clock.Hour(), 0).Unix()
		if isRepeated {
			start += market.HourSeconds
		}
		if time.Unix(start, 0).In(market.Paris).Hour() != clock.Hour() {
			continue
		}
		if s.Seconds() > market.HourSeconds {
			s.Period = to.Period()
		} else {
			start += (s.Start - hour) % market.HourSeconds
			s.Period = market.Period{Start: start, End: start + s.Seconds()}
		}
		shifted = append(shifted, s)
	}
	return slices.Clip(shifted)
}
