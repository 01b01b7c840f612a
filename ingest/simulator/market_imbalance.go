package simulator

import (
	"math/rand/v2"
	"time"
)

// firstQuarterImbalances is the first delivery date that is settled by the quarter
// hour; before it a step lasts half an hour.
var firstQuarterImbalances = Day{2025, time.January, 1}

// nothingMissing is what RTE writes when it has all the inputs of a step.
const nothingMissing = "N/A"

// missingInputs are the inputs that may be late for a step.
var missingInputs = []string{"afrr_activated_energy", "mfrr_activated_energy", "afrr_activated_energy, mfrr_activated_energy"}

// Imbalance is the imbalance settlement of France for one step.
type Imbalance struct {
	Start    time.Time // UTC
	End      time.Time // UTC, as RTE writes it; see [ImbalanceSteps]
	MWh      float64   // of the step, signed, two decimals; below zero France was short
	Trend    string    // HAUSSE where upward energy was needed, else BAISSE
	Positive *float64  // EUR/MWh, paid to a party in surplus, two decimals; nil while RTE has not computed it
	Negative *float64  // EUR/MWh, paid by a party in deficit
	Missing  string    // the inputs that RTE does not have yet; N/A once it has all
	Updated  time.Time // UTC, whole seconds: when RTE last wrote the row
}

// ImbalanceSteps returns the imbalance settlement of a delivery date in time
// order, after RTE has written it for the last time, about seven weeks after
// delivery. Steps last 15 min from delivery 2025-01-01 on, although the first
// four of that date carry ends 30 min after their starts, and 30 min before.
//
// The prices follow from the energies in [AFRRSteps] and [MFRRSteps]: their
// average price in the direction of the trend, less and plus a coefficient of
// the month. The slice is shared between callers and is only to be read.
func ImbalanceSteps(d Day) []Imbalance {
	rows := recentImbalances.day(d)
	steps := make([]Imbalance, len(rows))
	for i, versions := range rows {
		steps[i] = versions[len(versions)-1]
	}
	return steps
}

// ImbalanceStepsAt returns the imbalance settlement of a delivery date as RTE
// publishes it at an instant: the steps that are out, each as it was written
// last. Some rows first come without prices; rows are written again the same day,
// one, two, three and seven days later and about six weeks later, at times with
// other values.
func ImbalanceStepsAt(d Day, now time.Time) []Imbalance {
	if !now.After(d.Start()) {
		return nil
	}
	var steps []Imbalance
	for _, versions := range recentImbalances.day(d) {
		out := 0
		for out < len(versions) && !now.Before(versions[out].Updated) {
			out++
		}
		if out > 0 {
			steps = append(steps, versions[out-1])
		}
	}
	return steps
}

// recentImbalances keeps more days than one re-read of a month asks for.
var recentImbalances = recentDays[[]Imbalance]{most: 40, make: newImbalanceDay}

// newImbalanceDay returns the versions of each step of a delivery date, in the
// order in which RTE writes them.
func newImbalanceDay(d Day) [][]Imbalance {
	step := quarter
	if d.before(firstQuarterImbalances) {
		step = 2 * quarter
	}
	r := random("imbalance", d)
	k := imbalanceCoefficient(d)
	balances := balancesOf(d, step)
	rows := make([][]Imbalance, len(balances))
	for i, settled := range balances {
		start := d.Start().Add(time.Duration(i) * step)
		rows[i] = imbalanceVersions(d, start, start.Add(step), settled, k, r)
		if d == firstQuarterImbalances && i < 4 {
			for v := range rows[i] {
				rows[i][v].End = start.Add(2 * quarter)
			}
		}
	}
	return rows
}

// imbalanceCoefficient returns the coefficient k of a delivery date's month.
func imbalanceCoefficient(d Day) float64 {
	return round(0.03+0.09*random("imbalance coefficient", Day{d.Year, d.Month, 1}).Float64(), 4)
}

// balance is what a step is settled by.
type balance struct {
	mwh              float64 // downward energy less upward energy
	upward, downward float64 // average prices of the energies, EUR/MWh
}

// balancesOf returns the balance of each step of a delivery date, by its energies.
// A direction without energy has the day-ahead price.
func balancesOf(d Day, step time.Duration) []balance {
	type energy struct{ mwh, eur float64 }
	type both struct{ upward, downward energy }
	energies := make([]both, d.steps(step))
	add := func(start time.Time, upward bool, mwh, price float64) {
		e := &energies[int(start.Sub(d.Start())/step)].downward
		if upward {
			e = &energies[int(start.Sub(d.Start())/step)].upward
		}
		e.mwh += mwh
		e.eur += mwh * price
	}
	for _, s := range AFRRSteps(d) {
		mwh, upward := s.ForFrance*afrrStep.Hours(), s.ForFrance > 0
		price, other := s.Downward, s.Upward
		if upward {
			price, other = other, price
		} else {
			mwh = -mwh
		}
		if price == nil { // units follow the demand with a delay
			price = other
		}
		add(s.Start, upward, mwh, *price)
	}
	for _, m := range MFRRSteps(d) {
		for _, mw := range []*float64{m.Values.TotalActivatedVolumeSA, m.Values.TotalActivatedVolumeDA} {
			if mw != nil {
				add(m.Start, m.Direction == "UPWARD", *mw*quarter.Hours(), *m.Values.ClearingPrice)
			}
		}
	}
	spot := dayAhead(d)
	balances := make([]balance, len(energies))
	for i, e := range energies {
		average := func(e energy) float64 {
			if e.mwh == 0 {
				return priceAt(spot, d.Start().Add(time.Duration(i)*step))
			}
			return e.eur / e.mwh
		}
		balances[i] = balance{e.downward.mwh - e.upward.mwh, average(e.upward), average(e.downward)}
	}
	return balances
}

// settle returns the settlement of a balance with a coefficient.
func (b balance) settle(k float64) Imbalance {
	s := Imbalance{MWh: round(b.mwh, 2), Trend: "BAISSE", Missing: nothingMissing}
	price := b.downward
	if s.MWh <= 0 {
		s.Trend, price = "HAUSSE", b.upward
	}
	less, plus := price*(1-k), price*(1+k)
	s.Positive, s.Negative = new(round(min(less, plus), 2)), new(round(max(less, plus), 2))
	return s
}

// before returns what the balance may have been before its energies were
// corrected.
func (b balance) before(r *rand.Rand) balance {
	return balance{b.mwh + 3*r.NormFloat64(), b.upward + r.NormFloat64(), b.downward + r.NormFloat64()}
}

// imbalanceVersions returns the versions of one step in the order in which RTE
// writes them; the last one is settled.
func imbalanceVersions(d Day, start, end time.Time, settled balance, k float64, r *rand.Rand) []Imbalance {
	first := end.Add(seconds(r, 157, 171))
	written := []time.Time{first}
	lacks := chance(r, 0.04)
	if lacks {
		written = append(written, first.Add(time.Duration(between(r, 1, 2))*quarter))
	}
	const hour = 60 * 60
	for _, again := range []struct {
		likely  float64
		from    time.Time
		seconds int // at most that long after it
	}{
		{0.15, first.Add(2 * time.Hour), 6 * hour},
		{0.2, d.Add(1).at(9, 30), 6 * hour},
		{0.8, d.Add(2).at(0, 10), 20},
		{0.15, d.Add(3).at(13, 2), 20},
		{0.15, d.Add(7).at(2, 2), 20},
		{0.35, d.Add(between(r, 43, 47)).at(21, 30), 2 * hour},
	} {
		if chance(r, again.likely) {
			written = append(written, again.from.Add(seconds(r, 0, again.seconds)))
		}
	}
	versions := make([]Imbalance, len(written))
	for v := len(versions) - 1; v >= 0; v-- {
		versions[v] = settled.settle(k)
		versions[v].Start, versions[v].End, versions[v].Updated = start, end, written[v]
		if chance(r, 0.2) {
			settled = settled.before(r)
		}
	}
	if lacks {
		versions[0].Missing = missingInputs[r.IntN(len(missingInputs))]
		if chance(r, 0.75) {
			versions[0].Positive, versions[0].Negative = nil, nil
		}
	}
	return versions
}

// seconds returns a duration of whole seconds between two bounds, both included.
func seconds(r *rand.Rand, low, high int) time.Duration {
	return time.Duration(between(r, low, high)) * time.Second
}
