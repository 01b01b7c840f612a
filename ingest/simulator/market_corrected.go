package simulator

import "time"

// A source corrects about every seventh step of a delivery date, by little.
const (
	correctedEvery       = 7
	correctionEURPerMWh  = 0.37
	correctionPerStepEUR = 0.0125 // 5 cents a MW and hour
	correctionMW         = 1
	correctionMWh        = 1
)

// isCorrected reports whether the step that begins at t is one that is
// corrected.
func isCorrected(t time.Time, step time.Duration) bool {
	return t.Unix()/int64(step/time.Second)%correctedEvery == 0
}

// Corrected returns what p is once its source has corrected it.
func (p Price) Corrected() Price {
	if isCorrected(p.Start, p.Step) {
		p.EURPerMWh = round(p.EURPerMWh+correctionEURPerMWh, 2)
	}
	return p
}

// Corrected returns what e is once its source has corrected it: its price is
// what [Price.Corrected] makes of it.
func (e Exchange) Corrected() Exchange {
	p := Price{Start: e.Start, Step: quarter, EURPerMWh: e.EURPerMWh}
	if DayOf(e.Start).before(firstQuarterPrices) {
		p.Start, p.Step = e.Start.Truncate(time.Hour), time.Hour
	}
	e.EURPerMWh = p.Corrected().EURPerMWh
	return e
}

// Corrected returns what c is once its source has corrected it. What was sold by
// the hour is corrected by the hour.
func (c Capacity) Corrected() Capacity {
	if isCorrected(c.Start, time.Hour) {
		c.PricePerStep = round(c.PricePerStep+correctionPerStepEUR, 6)
	}
	return c
}

// Corrected returns what s is once its source has corrected it.
func (s AFRR) Corrected() AFRR {
	if isCorrected(s.Start, afrrStep) {
		s.Upward, s.Downward = plus(s.Upward, correctionEURPerMWh), plus(s.Downward, correctionEURPerMWh)
		s.ForFrance = round(s.ForFrance+correctionMW, 4)
	}
	return s
}

// Corrected returns what m is once its source has corrected it. A step without
// any value stays without.
func (m MFRR) Corrected() MFRR {
	if isCorrected(m.Start, quarter) {
		m.Values.ClearingPrice = plus(m.Values.ClearingPrice, correctionEURPerMWh)
		m.Values.TotalVolumeSubmitted = plus(m.Values.TotalVolumeSubmitted, correctionMW)
	}
	return m
}

// Corrected returns what s is once its source has corrected it. A step without
// prices stays without.
func (s Imbalance) Corrected() Imbalance {
	if isCorrected(s.Start, quarter) {
		s.Positive, s.Negative = plus(s.Positive, correctionEURPerMWh), plus(s.Negative, correctionEURPerMWh)
		further := float64(correctionMWh) // from zero, so that the trend stays
		if s.Trend == "HAUSSE" {
			further = -further
		}
		s.MWh = round(s.MWh+further, 2)
	}
	return s
}

// plus returns v and a difference, to two decimals; nil stays nil.
func plus(v *float64, difference float64) *float64 {
	if v == nil {
		return nil
	}
	return new(round(*v+difference, 2))
}
