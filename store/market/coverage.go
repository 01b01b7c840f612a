package market

import "cmp"

// Coverage is the number of stored rows of each delivery date and series, at the resolution in which they were published.
type Coverage map[DeliveryDate]map[string]int

// Rows returns the number of rows in all. Prices of the second source count only on dates for which the first has none.
// Steps that are stored only as means of 5 min do not count.
func (c Coverage) Rows() int {
	sum := 0
	for _, series := range c {
		primary, standIns := 0, 0
		for name, rows := range series {
			switch {
			case isStandIn(name):
				standIns += rows
			case name != ThinnedSeries:
				primary += rows
			}
		}
		sum += cmp.Or(primary, standIns)
	}
	return sum
}

// Coverage returns the number of the batch's rows of one dataset.
func (b Batch) Coverage(dataset Dataset) Coverage {
	coverage := Coverage{}
	for _, r := range b.all {
		r.count(coverage, dataset)
	}
	return coverage
}

// ThinnedSeries is the series under which coverage counts the 4 s steps that are stored only as means of 5 min.
const ThinnedSeries = "PT5M"

// IsThinned reports whether only means of 5 min are stored of some 4 s steps of the date.
func (c Coverage) IsThinned(date DeliveryDate) bool { return c[date][ThinnedSeries] > 0 }
