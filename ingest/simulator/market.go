package simulator

import (
	"slices"
	"time"
)

// market is the market as one answer shows it: at an instant, with what has been
// corrected, and with what a fault makes of its values.
type market struct {
	now       time.Time
	corrected []Day  // the delivery dates of which the corrected values are out
	fault     string // what is wrong
	date      Day    // of which delivery date
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
	steps := shown(m, d, Prices(d), Price.Corrected, func(p *Price) { p.EURPerMWh = outOfBoundsValue })
	if m.has(flatPrices, d) {
		for i := range steps {
			steps[i].EURPerMWh = 0
		}
	}
	return steps
}

func (m market) exchanges(d Day) []Exchange {
	steps := shown(m, d, Exchanges(d), Exchange.Corrected, func(e *Exchange) { e.EURPerMWh = outOfBoundsValue })
	if m.has(flatPrices, d) {
		for i := range steps {
			steps[i].EURPerMWh = 0
		}
	}
	return steps
}

// capacity returns the results of one product. Of a date with a value out of
// bounds that is one of the first product.
func (m market) capacity(p capacityProduct, d Day) []Capacity {
	return shown(m, d, p.steps(d), Capacity.Corrected, func(c *Capacity) {
		if c.Reserve == capacityProducts[0].reserve && c.Direction == capacityProducts[0].direction {
			c.PricePerStep = outOfBoundsValue
		}
	})
}

func (m market) afrr(d Day) []AFRR {
	return shown(m, d, AFRRSteps(d), AFRR.Corrected, func(s *AFRR) { s.Demand = outOfBoundsValue })
}

func (m market) mfrr(d Day) []MFRR {
	return shown(m, d, MFRRSteps(d), MFRR.Corrected, func(s *MFRR) { s.Values.TotalVolumeSubmitted = new(float64(outOfBoundsValue)) })
}

// shown returns the steps of a delivery date as m shows them; spoil puts the
// first of them out of bounds.
func shown[S any](m market, d Day, steps []S, correct func(S) S, spoil func(*S)) []S {
	if m.has(missingDate, d) || len(steps) == 0 {
		return nil
	}
	corrected, spoilt := slices.Contains(m.corrected, d), m.has(outOfBounds, d)
	if !corrected && !spoilt {
		return steps
	}
	steps = slices.Clone(steps) // they may be shared
	if corrected {
		for i, s := range steps {
			steps[i] = correct(s)
		}
	}
	if spoilt {
		spoil(&steps[0])
	}
	return steps
}
