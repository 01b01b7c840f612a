package ingest

import (
	"courant/store/market"
)

// What else grows with the delivery dates.
const (
	growthOfRuns      = "accounts of the runs"
	growthOfRevisions = "revisions"
)

// yearBytes is what a year of serving by the default timetable adds to the database, as TestGrowthOfAYear measures it.
var yearBytes = map[string]int64{
	string(market.DayAheadPrices): 3_600_000,
	string(market.FCRCapacity):    2_800_000,
	string(market.AFRRCapacity):   5_600_000,
	string(market.MFRRCapacity):   8_400_000,
	string(market.AFRREnergy):     107_700_000,
	string(market.MFRREnergy):     3_700_000,
	growthOfRuns:                  10_300_000,
	growthOfRevisions:             4_200_000,
}

// YearBytes is what a year of all datasets adds to the database.
func YearBytes() int64 {
	sum := int64(0)
	for _, bytes := range yearBytes {
		sum += bytes
	}
	return sum
}
