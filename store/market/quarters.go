package market

import (
	"cmp"
	"slices"
)

// Quarter is a day-ahead price of one quarter hour.
type Quarter struct {
	Start  int64 // seconds UTC
	Price  Number
	Source PriceSource
}

// Quarters cuts prices into quarter hours, ascending: an hour's price is that of its four quarters. Where two prices
// cover a quarter, ENTSO-E's stands before RTE's, and of one source the finer.
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
	Price int   // which of the prices
}

// ServedQuarters lists the quarter hours that the prices cover as Quarters does, and which price is served for each.
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
