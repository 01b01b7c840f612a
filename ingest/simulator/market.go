package simulator

import (
	"slices"
	"time"
)

// market is the market as one answer shows it: at an instant, with what has been
// corrected, and with what a fault makes of its values.
type market struct {
	now       time.Time
	corrected []Day  // the delivery dates whose corrected values are published
	fault     string // what is wrong
	date      Day    // the delivery date in question
}

// outOfBoundsValue is more than a price or a power can be.
const outOfBoundsValue = 999_999

// bounds returns what of an asked window is answered.
func (m market) bounds(asked window) window {
	const answered = 3
	if end := DayOf(asked.start).Add(answered).Start(); m.fault == windowCutShort && end.Before(asked.end) {
		asked.end = end
	}
	return asked
}

// has reports whether a fault concerns a delivery date.
func (m market) has(fault string, d Day) bool { return m.fault == fault && m.date == d }

func (m market) prices(d Day) []Price {
	return shown(m, d, Prices(d), Price.Corrected, func(p *Price, v float64) { p.EURPerMWh = v })
}

func (m market) exchanges(d Day) []Exchange {
	return shown(m, d, Exchanges(d), Exchange.Corrected, func(e *Exchange, v float64) { e.EURPerMWh = v })
}

// capacity returns the results of one product. A value out of bounds is one of
// the first product.
func (m market) capacity(p capacityProduct, d Day) []Capacity {
	return shown(m, d, p.steps(d), Capacity.Corrected, func(c *Capacity, v float64) {
		if p.reserve == capacityProducts[0].reserve && p.direction == capacityProducts[0].direction {
			c.PricePerStep = v
		}
	})
}

func (m market) afrr(d Day) []AFRR {
	return shown(m, d, AFRRSteps(d), AFRR.Corrected, func(s *AFRR, v float64) { s.Demand = v })
}

func (m market) mfrr(d Day) []MFRR {
	return shown(m, d, MFRRSteps(d), MFRR.Corrected, func(s *MFRR, v float64) { s.Values.TotalVolumeSubmitted = &v })
}

// imbalance returns the steps that are out. Both prices of a flat date are 0; out
// of bounds is the negative one alone.
func (m market) imbalance(d Day) []Imbalance {
	return shown(m, d, ImbalanceStepsAt(d, m.now), Imbalance.Corrected, func(s *Imbalance, v float64) {
		if s.Negative = &v; v == 0 {
			s.Positive = &v
		}
	})
}

// shown returns the steps of a delivery date as m shows them; spoil gives one of
// them a value that is not its own.
func shown[S any](m market, d Day, steps []S, correct func(S) S, spoil func(*S, float64)) []S {
	corrected := slices.Contains(m.corrected, d)
	switch {
	case len(steps) == 0, m.has(missingDate, d):
		return nil
	case !corrected && !m.has(outOfBounds, d) && !m.has(flatPrices, d):
		return steps
	}
	steps = slices.Clone(steps) // they may be shared
	for i, s := range steps {
		if corrected {
			steps[i] = correct(s)
		}
		if m.has(flatPrices, d) {
			spoil(&steps[i], 0)
		}
	}
	if m.has(outOfBounds, d) {
		spoil(&steps[0], outOfBoundsValue)
	}
	return steps
}
