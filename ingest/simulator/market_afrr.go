package simulator

import (
	"math"
	"math/rand/v2"
	"time"
)

const (
	afrrStep      = 4 * time.Second
	afrrReachMW   = 1200 // demand stays within this, either way
	afrrBalanceMW = 30   // below this both directions clear, at one price
)

// AFRR is the aFRR energy of France in one step of 4 s.
type AFRR struct {
	Start     time.Time // UTC
	Upward    *float64  // marginal price, EUR/MWh, two decimals; nil where RTE says "Invalid"
	Downward  *float64  // the same, downward
	Demand    float64   // MW, signed, four decimals; below zero France needs downward energy
	ForFrance float64   // MW activated for France, signed, four decimals
	InFrance  float64   // MW activated in France, signed, four decimals
	Picasso   bool      // connected to the European platform
	Prorata   bool      // activated pro rata instead of by merit order
}

// AFRRSteps returns the aFRR energy of a delivery date in time order: 21 600
// steps, 20 700 or 22 500 on the days the clock changes. The slice is shared
// between callers and is only to be read.
func AFRRSteps(d Day) []AFRR { return recentAFRR.day(d) }

var recentAFRR = recentDays[AFRR]{most: 4, make: newAFRRDay}

func newAFRRDay(d Day) []AFRR {
	r := random("aFRR energy", d)
	steps := make([]AFRR, d.steps(afrrStep))
	offline := outageIn(len(steps), r)
	demand := afrrDemand{length: len(steps)}
	market := afrrPrices{marginal: make([]float64, 0, 2*len(steps))}
	spot := dayAhead(d)
	var forFrance, inFrance float64
	for i := range steps {
		start := d.Start().Add(time.Duration(i) * afrrStep)
		need := demand.next(start, r)
		if i == 0 {
			forFrance, inFrance = 0.8*need, 0.6*need
		}
		// Units follow the need with the delay of a power plant.
		forFrance += (0.8*need - forFrance) / 40
		inFrance += (0.6*need - inFrance) / 25
		s := &steps[i]
		s.Start = start
		s.Demand, s.ForFrance, s.InFrance = round(need, 4), round(forFrance, 4), round(inFrance, 4)
		s.Upward, s.Downward = market.clear(priceAt(spot, start), s.Demand, r)
		s.Picasso = !offline.holds(i)
		s.Prorata = offline.holds(i) && i < (offline.from+offline.to)/2
	}
	return steps
}

// afrrDemand is a slow wave with two mean-reverting disturbances on it.
type afrrDemand struct {
	minutes, seconds float64 // the disturbances, MW, by the time they last
	step, length     int     // of the day
}

// next returns the demand at t in MW; it is called once for each step of a day.
func (a *afrrDemand) next(t time.Time, r *rand.Rand) float64 {
	a.minutes = 0.998*a.minutes + 14*r.NormFloat64()
	a.seconds = 0.97*a.seconds + 24*r.NormFloat64()
	const hour = 2 * math.Pi / 3600
	s := float64(t.Unix())
	wave := 260*math.Sin(hour/5.3*s) + 180*math.Sin(hour/1.9*s)
	// The wave goes on over midnight. The disturbances belong to their day, so
	// they fade at both its ends, within five minutes.
	fade := min(1, float64(min(a.step, a.length-1-a.step))/75)
	a.step++
	return afrrReachMW * math.Tanh((wave+fade*(a.minutes+a.seconds))/900)
}

// afrrPrices turns a demand into the marginal prices of the two directions.
type afrrPrices struct {
	marginal []float64 // every price so far; made with room for all, since steps point into it
	held     float64   // a price holds for some steps, as offers are lumps
	side     int       // of the held price: 1 upward, -1 downward, 0 in balance
}

// clear returns the upward and the downward price, EUR/MWh, for a day-ahead
// price and a demand in MW.
func (a *afrrPrices) clear(spot, demand float64, r *rand.Rand) (upward, downward *float64) {
	side := 0
	switch {
	case demand >= afrrBalanceMW:
		side = 1
	case demand <= -afrrBalanceMW:
		side = -1
	}
	if side != a.side || len(a.marginal) == 0 || chance(r, 0.3) {
		a.side = side
		a.held = round(spot+12*float64(side)+0.11*demand+scarcity(demand)+3*r.NormFloat64(), 2)
	}
	switch {
	case side == 0:
		both := a.price(a.held)
		return both, both
	case side > 0:
		return a.price(a.held), nil
	case chance(r, 0.02):
		return a.price(round(a.held+25, 2)), a.price(a.held)
	}
	return nil, a.price(a.held)
}

func (a *afrrPrices) price(v float64) *float64 {
	a.marginal = append(a.marginal, v)
	return &a.marginal[len(a.marginal)-1]
}

// scarcity is what the last offers of the merit order add to the price.
func scarcity(demand float64) float64 {
	beyond := max(0, math.Abs(demand)-700)
	return math.Copysign(1.2*beyond, demand)
}

// outage is a run of steps, from included and to excluded.
type outage struct{ from, to int }

func (o outage) holds(i int) bool { return i >= o.from && i < o.to }

// outageIn draws when a day of n steps is off the European platform: on one day
// in three, for 2 min to an hour.
func outageIn(n int, r *rand.Rand) outage {
	if !chance(r, 1.0/3) {
		return outage{}
	}
	length := between(r, 30, 900)
	from := r.IntN(n - length)
	return outage{from, from + length}
}
