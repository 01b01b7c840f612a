package ingest

import "courant/store/market"

// What else a year of serving by the default timetable adds to the database, as TestGrowthOfAYear measures it.
const (
	yearBytesOfRuns      = 18_500_000 // the accounts of the runs, and the positions of their commits
	yearBytesOfRevisions = 4_500_000
)

// YearBytes is what a year of all datasets adds to the database.
func YearBytes() int64 {
	sum := int64(yearBytesOfRuns + yearBytesOfRevisions)
	for _, dataset := range market.Datasets() {
		sum += dataset.About().YearBytes
	}
	return sum
}
