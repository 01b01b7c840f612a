package market

import (
	"cmp"
	"math"
	"slices"
)

// MostPriceDifference is the greatest difference, in EUR/MWh, between two publications of a price that count as equal: a
// cent, because each source rounds.
const MostPriceDifference Micro = MicrosPerUnit / 100

// covered is a price whose quarter hours are all covered by finer prices of the same source.
type covered struct {
	Coarse int   // its index
	Finer  []int // the index of the finest price of each of its quarters
	total  Micro // the absolute difference from the mean of the finer prices, times the number of quarters
}

// Differs reports whether the price differs from the mean of the finer ones by more than MostPriceDifference.
func (c covered) Differs() bool { return c.total > Micro(len(c.Finer))*MostPriceDifference }

// Off returns the absolute difference between the price and the mean of the finer ones.
func (c covered) Off() Micro {
	return Micro(math.Round(float64(c.total) / float64(len(c.Finer))))
}

// CoveredByFiner returns the prices whose quarter hours are all covered by finer ones. All prices are of one source. Where
// several finer prices cover a quarter, the finest counts.
func CoveredByFiner(prices []Price) []covered {
	byLength := make([]int, len(prices))
	for i := range byLength {
		byLength[i] = i
	}
	slices.SortStableFunc(byLength, func(a, b int) int {
		return cmp.Compare(prices[a].Resolution.Seconds(), prices[b].Resolution.Seconds())
	})
	var found []covered
	finest := map[int64]int{} // the index of the price by start of the quarter
	for _, i := range byLength {
		price := prices[i]
		c := covered{Coarse: i}
		var sum Micro
		whole := true
		for start := price.Start; start < price.Start+price.Resolution.Seconds(); start += QuarterSeconds {
			by, taken := finest[start]
			if !taken {
				finest[start], whole = i, false
				continue
			}
			c.Finer = append(c.Finer, by)
			sum += MicroOf(prices[by].Price.V)
		}
		if whole {
			c.total = Micro(len(c.Finer))*MicroOf(price.Price.V) - sum
			c.total = max(c.total, -c.total)
			found = append(found, c)
		}
	}
	return found
}

// RepeatedByFiner reports for each price whether finer ones cover all its quarters and have the same mean. All prices are of
// one source.
func RepeatedByFiner(prices []Price) []bool {
	repeated := make([]bool, len(prices))
	for _, c := range CoveredByFiner(prices) {
		repeated[c.Coarse] = !c.Differs()
	}
	return repeated
}
