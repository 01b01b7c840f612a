package market

import "cmp"

// Coverage is how many native rows of each series of a delivery date are held.
type Coverage map[DeliveryDate]map[string]int

// Rows is how many native rows are held in all. What only stands in for a source counts on dates of which that has given
// nothing; what is kept in 5 min only does not count.
func (c Coverage) Rows() int {
	sum := 0
	for _, series := range c {
		own, standIns := 0, 0
		for name, rows := range series {
			switch {
			case isStandIn(name):
				standIns += rows
			case name != ThinnedSeries:
				own += rows
			}
		}
		sum += cmp.Or(own, standIns)
	}
	return sum
}

// Coverage counts the rows of one dataset that a batch has.
func (b Batch) Coverage(dataset Dataset) Coverage {
	coverage := Coverage{}
	for _, r := range b.all {
		r.count(coverage, dataset)
	}
	return coverage
}

// ThinnedSeries is the series under which coverage counts the steps that are kept in 5 min only.
const ThinnedSeries = "PT5M"

// IsThinned says whether 4 s steps of the date are kept in 5 min only.
func (c Coverage) IsThinned(date DeliveryDate) bool { return c[date][ThinnedSeries] > 0 }
