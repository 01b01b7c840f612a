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
	sorted := slices.Clone(prices)
	slices.SortFunc(sorted, func(a, b Price) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Resolution.Seconds(), b.Resolution.Seconds()), cmp.Compare(a.Start, b.Start))
	})
	quarters := make([]Quarter, 0, len(sorted))
	taken := make(map[int64]bool, len(sorted))
	for _, p := range sorted {
		for start := p.Start; start < p.Start+p.Resolution.Seconds(); start += QuarterSeconds {
			if !taken[start] {
				taken[start] = true
				quarters = append(quarters, Quarter{start, p.Price, p.Source})
			}
		}
	}
	slices.SortFunc(quarters, func(a, b Quarter) int { return cmp.Compare(a.Start, b.Start) })
	return quarters
}
