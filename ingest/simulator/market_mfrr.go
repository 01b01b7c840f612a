package simulator

import (
	"math/rand/v2"
	"time"
)

// MFRR is the mFRR energy of France in one 15 min step and one direction.
type MFRR struct {
	Start     time.Time // UTC
	Direction string    // UPWARD, DOWNWARD
	Values    MFRRValues
}

// MFRRValues are the measures of one step: EUR/MWh for prices, MW for volumes,
// nil where there is none. SA is scheduled activation, DA direct activation.
type MFRRValues struct {
	TotalRequestedVolumeSA  *float64
	TotalRequestedVolumeDA  *float64
	TotalSatisfiedNeedSA    *float64
	TotalSatisfiedNeedDA    *float64
	TotalActivatedVolumeSA  *float64
	TotalActivatedVolumeDA  *float64
	ClearingPrice           *float64
	SettlementPriceCurrent  *float64
	SettlementPricePrevious *float64
	TotalVolumeSubmitted    *float64
	TotalVolumeFiltered     *float64
}

// MFRRSteps returns the mFRR energy of a delivery date in time order, upward
// before downward in each step.
func MFRRSteps(d Day) []MFRR {
	r := random("mFRR energy", d)
	spot := dayAhead(d)
	steps := make([]MFRR, 0, 2*d.steps(quarter))
	for start := d.Start(); start.Before(d.End()); start = start.Add(quarter) {
		price := priceAt(spot, start)
		steps = append(steps,
			MFRR{start, "UPWARD", mfrrValues(price, 1, r)},
			MFRR{start, "DOWNWARD", mfrrValues(price, -1, r)})
	}
	return steps
}

// mfrrValues draws what happened in one step and direction, which is 1 for
// upward and -1 for downward, beside a day-ahead price in EUR/MWh. Nine steps in
// ten saw no activation; one in six has nothing to say at all.
func mfrrValues(spot, direction float64, r *rand.Rand) MFRRValues {
	var v MFRRValues
	if chance(r, 0.17) {
		return v
	}
	submitted := float64(between(r, 20, 990))
	v.TotalVolumeSubmitted = new(submitted)
	if chance(r, 0.25) {
		v.TotalVolumeFiltered = new(float64(between(r, 1, 60)))
	}
	scheduled, direct := chance(r, 0.1), chance(r, 0.02)
	if scheduled {
		activated := round(submitted*(0.3+0.7*r.Float64()), 2)
		v.TotalRequestedVolumeSA = new(submitted)
		v.TotalActivatedVolumeSA = new(activated)
		if chance(r, 0.5) {
			v.TotalSatisfiedNeedSA = new(activated)
		}
	}
	if direct {
		requested := float64(between(r, 20, 300))
		v.TotalRequestedVolumeDA = new(requested)
		v.TotalActivatedVolumeDA = new(requested)
		v.TotalSatisfiedNeedDA = new(requested)
	}
	if scheduled || direct {
		clearing := round(spot+direction*(20+60*r.ExpFloat64()), 2)
		v.ClearingPrice = new(clearing)
		if chance(r, 0.4) {
			v.SettlementPriceCurrent = new(clearing)
		}
		if direct {
			v.SettlementPricePrevious = new(round(clearing+direction*15*r.Float64(), 2))
		}
	}
	return v
}
