package market

import (
	"cmp"
	"math"
	"slices"
)

// MostPriceDifference is by how much two publications that agree may differ, in EUR/MWh: a cent, for how each rounds.
const MostPriceDifference Micro = MicrosPerUnit / 100

// covered is a price of which finer ones of the same source cover each quarter hour.
type covered struct {
	Coarse int   // which price it is
	Finer  []int // which price covers each of its quarters
	total  Micro // of the differences of all quarters, without sign
}

// Differs says whether the price differs from the mean of the finer ones by more than two that agree may.
func (c covered) Differs() bool { return c.total > Micro(len(c.Finer))*MostPriceDifference }

// Off is by how much the price differs from the mean of the finer ones.
func (c covered) Off() Micro {
	return Micro(math.Round(float64(c.total) / float64(len(c.Finer))))
}

// CoveredByFiner finds the prices of one source whose quarters are all covered by finer ones, the finest of which stands.
func CoveredByFiner(prices []Price) []covered {
	byLength := make([]int, len(prices))
	for i := range byLength {
		byLength[i] = i
	}
	slices.SortStableFunc(byLength, func(a, b int) int {
		return cmp.Compare(prices[a].Resolution.Seconds(), prices[b].Resolution.Seconds())
	})
	var found []covered
	finest := map[int64]int{} // which price covers a quarter
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

// RepeatedByFiner says of each price of one source whether finer ones say the same of all its quarters.
func RepeatedByFiner(prices []Price) []bool {
	repeated := make([]bool, len(prices))
	for _, c := range CoveredByFiner(prices) {
		repeated[c.Coarse] = !c.Differs()
	}
	return repeated
}
