package market

import (
	"cmp"
	"slices"
)

// Quarter is the day-ahead price that is served for a quarter hour.
type Quarter struct {
	Start  int64  // seconds UTC
	Price  Number // EUR/MWh
	Source PriceSource
}

// Quarters returns the price of each quarter hour that the prices cover, ascending: the price of an hour is the price of each
// of its quarters. Where several prices cover a quarter, ENTSO-E comes before RTE, then the finer resolution before the
// coarser.
func Quarters(prices []Price) []Quarter {
	served := ServedQuarters(prices)
	quarters := make([]Quarter, len(served))
	for i, q := range served {
		quarters[i] = Quarter{q.Start, prices[q.Price].Price, prices[q.Price].Source}
	}
	return quarters
}

// ServedQuarter is a quarter hour and the price that is served for it.
type ServedQuarter struct {
	Start int64 // seconds UTC
	Price int   // the index of the price
}

// ServedQuarters returns the same quarter hours as Quarters, each with the index of its price in prices.
func ServedQuarters(prices []Price) []ServedQuarter {
	order := make([]int, len(prices))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &prices[i], &prices[j]
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Resolution.Seconds(), b.Resolution.Seconds()), cmp.Compare(a.Start, b.Start))
	})
	quarters := make([]ServedQuarter, 0, len(prices))
	taken := make(map[int64]bool, len(prices))
	for _, i := range order {
		for start := prices[i].Start; start < prices[i].Start+prices[i].Resolution.Seconds(); start += QuarterSeconds {
			if !taken[start] {
				taken[start] = true
				quarters = append(quarters, ServedQuarter{start, i})
			}
		}
	}
	slices.SortFunc(quarters, func(a, b ServedQuarter) int { return cmp.Compare(a.Start, b.Start) })
	return quarters
}
