package simulator

import (
	"math"
	"math/rand/v2"
	"time"
)

const quarter = 15 * time.Minute

var (
	firstPrices        = Day{2015, time.January, 5}
	firstQuarterPrices = Day{2025, time.October, 1}
)

// Price is the day-ahead price of France for one step.
type Price struct {
	Start     time.Time     // UTC
	Step      time.Duration // 15 min from delivery 2025-10-01, 60 min before
	EURPerMWh float64       // two decimals
}

// Prices returns the day-ahead prices of a delivery date in time order. There
// are none before 2015-01-05.
func Prices(d Day) []Price {
	if d.before(firstPrices) {
		return nil
	}
	return dayAhead(d)
}

// dayAhead is Prices without a first delivery date: the balancing energies lean
// on it and have none.
func dayAhead(d Day) []Price {
	r := random("day-ahead prices", d)
	step := quarter
	if d.before(firstQuarterPrices) {
		step = time.Hour
	}
	shape := shapeOf(d, r)
	prices := make([]Price, d.steps(step))
	for i := range prices {
		start := d.Start().Add(time.Duration(i) * step)
		local := start.In(paris)
		hour := float64(local.Hour()) + float64(local.Minute())/60
		v := shape.at(hour) + 1.8*r.NormFloat64()
		// Quarters of one hour seldom clear alike: the first and the last
		// carry the ramp.
		if step == quarter {
			v += 2 * shape.ramp(hour) * (float64(i%4) - 1.5)
		}
		// Around zero the price sticks where subsidised offers stop.
		if v > -4 && v < 0 {
			v = -0.01
		}
		prices[i] = Price{start, step, round(v, 2)}
		if i > 0 && chance(r, 0.05) {
			prices[i].EURPerMWh = prices[i-1].EURPerMWh
		}
	}
	if chance(r, 0.4) {
		equalTail(prices, between(r, 1, 3))
	}
	return prices
}

// equalTail gives the last n prices the value of the one before them.
func equalTail(prices []Price, n int) {
	last := len(prices) - 1
	for i := last - n + 1; i <= last; i++ {
		prices[i].EURPerMWh = prices[last-n].EURPerMWh
	}
}

// priceShape is the course of one day's price, EUR/MWh.
type priceShape struct {
	level float64 // season, working day or not, and the luck of the day
	solar float64 // how deep the midday dip is
	peaks float64 // how far the peaks of the morning and the evening rise
	wind  float64 // how far a windy night falls; 0 on most days
}

func shapeOf(d Day, r *rand.Rand) priceShape {
	dayOfYear := float64(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).YearDay())
	year := 2 * math.Pi / 365.25
	cold := math.Cos(year * (dayOfYear + 20))      // 1 in December, -1 in June
	sun := 0.5 - 0.5*math.Cos(year*(dayOfYear+10)) // 0 at the winter solstice, 1 at the summer one
	shape := priceShape{
		level: 64 + 22*cold + 8*r.NormFloat64(),
		solar: 8 + 58*sun*r.Float64(),
		peaks: 20 + 6*cold + 4*r.Float64(),
	}
	if chance(r, 0.15) {
		shape.wind = shape.level * (0.8 + 0.4*r.Float64())
	}
	switch d.weekday() {
	case time.Saturday:
		shape.level -= 9
	case time.Sunday:
		shape.level -= 16
	}
	return shape
}

// at returns the price at an hour of the Paris clock.
func (s priceShape) at(hour float64) float64 {
	return s.level - (14+s.wind)*bell(hour, 3.5, 2.8) - s.solar*bell(hour, 13.75, 2.6) +
		0.8*s.peaks*bell(hour, 8, 1.5) + 1.3*s.peaks*bell(hour, 19.5, 1.8)
}

// ramp returns how the price moves around an hour, EUR/MWh a quarter, within
// bounds.
func (s priceShape) ramp(hour float64) float64 {
	return max(-3, min(3, (s.at(hour+0.25)-s.at(hour-0.25))/2))
}

// bell is 1 at its centre and fades over its width.
func bell(x, centre, width float64) float64 {
	z := (x - centre) / width
	return math.Exp(-z * z / 2)
}

// priceAt returns the price of the step that holds t.
func priceAt(prices []Price, t time.Time) float64 {
	return prices[int(t.Sub(prices[0].Start)/prices[0].Step)].EURPerMWh
}
