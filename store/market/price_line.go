package market

import (
	"cmp"
	"slices"
)

// PriceLine is the prices of consecutive quarter hours, EUR/MWh. A quarter hour whose price is unknown is null.
type PriceLine struct {
	Start  int64 // seconds UTC of the first quarter hour
	Prices []Number
}

// NewPriceLine returns the line of a period, all of its quarter hours unknown.
func NewPriceLine(period Period) PriceLine {
	return PriceLine{period.Start, make([]Number, max(0, period.Seconds()/QuarterSeconds))}
}

// Set sets the price of the quarter hours of a period, as far as they are in the line.
func (l PriceLine) Set(period Period, price Number) {
	within := l.Period().Intersect(period)
	for start := within.Start; start < within.End; start += QuarterSeconds {
		l.Prices[l.index(start)] = price
	}
}

// Period returns the period of the whole line.
func (l PriceLine) Period() Period { return l.period(0, len(l.Prices)) }

// Part returns the part of the line that is in a period. It shares its prices with the line.
func (l PriceLine) Part(period Period) PriceLine {
	within := l.Period().Intersect(period)
	if within.End <= within.Start {
		return PriceLine{Start: period.Start}
	}
	return PriceLine{within.Start, l.Prices[l.index(within.Start):l.index(within.End)]}
}

// Known returns how many quarter hours have a price.
func (l PriceLine) Known() int {
	known := 0
	for _, price := range l.Prices {
		if price.Valid {
			known++
		}
	}
	return known
}

// Median returns the median of the known prices with two decimals, halves rounded away from zero; null if none is known.
func (l PriceLine) Median() Number {
	known := l.ascending()
	if len(known) == 0 {
		return Number{}
	}
	middle := Mean{known[(len(known)-1)/2].price + known[len(known)/2].price, 2}
	return middle.Number()
}

// Rank is where a price is among those of a line.
type Rank struct {
	Below, Known int // quarter hours with a lower price, and with any
}

// Percent returns the share of the quarter hours with a lower price in percent, rounded down; 0 if no price is known.
func (r Rank) Percent() int {
	if r.Known == 0 {
		return 0
	}
	return 100 * r.Below / r.Known
}

// RankOf returns where a price is among the known prices of the line.
func (l PriceLine) RankOf(price Number) Rank {
	var rank Rank
	of := MicroOf(price.V)
	for i, other := range l.Prices {
		if !other.Valid {
			continue
		}
		rank.Known++
		if l.micro(i) < of {
			rank.Below++
		}
	}
	return rank
}

// Hold is a price and the period for which it stays the same.
type Hold struct {
	Period
	Price Number
}

// HoldAt returns the price at an instant, in seconds UTC, with the period before and after it that has the same price, and the
// price that follows; both are null where they are unknown.
func (l PriceLine) HoldAt(second int64) (now, next Hold) {
	if !l.Period().Holds(second) {
		return Hold{}, Hold{}
	}
	i := l.index(second)
	now = l.holdOf(i)
	if end := l.index(now.End); end < len(l.Prices) {
		next = l.holdOf(end)
	}
	return now, next
}

func (l PriceLine) holdOf(i int) Hold {
	from, to := i, i+1
	for from > 0 && l.isSame(from-1, i) {
		from--
	}
	for to < len(l.Prices) && l.isSame(to, i) {
		to++
	}
	return Hold{l.period(from, to), l.Prices[i]}
}

func (l PriceLine) isSame(i, j int) bool {
	return l.Prices[i].Valid == l.Prices[j].Valid && (!l.Prices[i].Valid || l.micro(i) == l.micro(j))
}

// Block is quarter hours that were chosen by their price.
type Block struct {
	Periods []Period // ascending; quarter hours that follow each other are one period
	Mean    Number   // two decimals
}

// Block returns the consecutive quarter hours with the lowest mean price, or the highest if dearest, the earliest of several.
// Quarter hours without a price are in no block; false means that there is no block of that length.
func (l PriceLine) Block(quarters int, dearest bool) (Block, bool) {
	best, bestSum, found := 0, Micro(0), false
	sum, known := Micro(0), 0
	for i := range l.Prices {
		if l.Prices[i].Valid {
			sum += l.micro(i)
			known++
		}
		if out := i - quarters; out >= 0 && l.Prices[out].Valid {
			sum -= l.micro(out)
			known--
		}
		if known < quarters {
			continue
		}
		if !found || !dearest && sum < bestSum || dearest && sum > bestSum {
			best, bestSum, found = i-quarters+1, sum, true
		}
	}
	if quarters < 1 || !found {
		return Block{}, false
	}
	mean := Mean{bestSum, int64(quarters)}
	return Block{[]Period{l.period(best, best+quarters)}, mean.Number()}, true
}

// Quarters returns the quarter hours with the lowest prices, or the highest if dearest, wherever they are in the line; of equal
// prices the earliest ones. It returns false if fewer prices are known.
func (l PriceLine) Quarters(quarters int, dearest bool) (Block, bool) {
	order := l.ascending()
	if quarters < 1 || len(order) < quarters {
		return Block{}, false
	}
	if dearest {
		slices.SortFunc(order, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.price, a.price), cmp.Compare(a.at, b.at)) })
	}
	chosen := make([]int, quarters)
	for i, quarter := range order[:quarters] {
		chosen[i] = quarter.at
	}
	slices.Sort(chosen)
	var mean Mean
	for _, i := range chosen {
		mean.Add(l.Prices[i])
	}
	return Block{l.periods(chosen), mean.Number()}, true
}

// ranked is a known price and its index in the line.
type ranked struct {
	price Micro
	at    int
}

// ascending returns the known prices, the lowest first, of equal prices the earliest first.
func (l PriceLine) ascending() []ranked {
	order := make([]ranked, 0, len(l.Prices))
	for i, price := range l.Prices {
		if price.Valid {
			order = append(order, ranked{l.micro(i), i})
		}
	}
	slices.SortFunc(order, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.price, b.price), cmp.Compare(a.at, b.at)) })
	return order
}

// DayFigures are what a delivery date's prices are summed up as.
type DayFigures struct {
	Known, Expected int    // quarter hours with a price, and all of the date
	Mean            Number // two decimals; like the others null if no price is known
	Least, Most     Number
	LeastAt, MostAt Period   // the first quarter hour with that price
	Spread          Number   // the highest price less the lowest
	Negative        int      // quarter hours with a price below 0
	NegativeAt      []Period // ascending; quarter hours that follow each other are one period
}

// Figures returns the figures of the line.
func (l PriceLine) Figures() DayFigures {
	figures := DayFigures{Expected: len(l.Prices)}
	var mean Mean
	var negative []int
	least, most := -1, -1
	for i, price := range l.Prices {
		if !price.Valid {
			continue
		}
		figures.Known++
		mean.Add(price)
		if l.micro(i) < 0 {
			negative = append(negative, i)
		}
		if least < 0 || l.micro(i) < l.micro(least) {
			least = i
		}
		if most < 0 || l.micro(i) > l.micro(most) {
			most = i
		}
	}
	if figures.Known == 0 {
		return figures
	}
	figures.Mean = mean.Number()
	figures.Least, figures.LeastAt = l.Prices[least], l.period(least, least+1)
	figures.Most, figures.MostAt = l.Prices[most], l.period(most, most+1)
	figures.Spread = (l.micro(most) - l.micro(least)).Number()
	figures.Negative, figures.NegativeAt = len(negative), l.periods(negative)
	return figures
}

// IsComplete reports whether all quarter hours of the date have a price.
func (f DayFigures) IsComplete() bool { return f.Expected > 0 && f.Known == f.Expected }

// Difference returns a less b, exact in millionths; null if one of them is null.
func Difference(a, b Number) Number {
	if !a.Valid || !b.Valid {
		return Number{}
	}
	return (MicroOf(a.V) - MicroOf(b.V)).Number()
}

func (l PriceLine) micro(i int) Micro { return MicroOf(l.Prices[i].V) }

// index returns the index of the quarter hour that contains an instant of the line, or its length at the end.
func (l PriceLine) index(second int64) int { return int((second - l.Start) / QuarterSeconds) }

func (l PriceLine) period(from, to int) Period {
	return Period{l.Start + int64(from)*QuarterSeconds, l.Start + int64(to)*QuarterSeconds}
}

// periods returns the periods of quarter hours that ascend; those that follow each other are one period.
func (l PriceLine) periods(quarters []int) []Period {
	var periods []Period
	for _, i := range quarters {
		quarter := l.period(i, i+1)
		if n := len(periods); n > 0 && periods[n-1].End == quarter.Start {
			periods[n-1].End = quarter.End
		} else {
			periods = append(periods, quarter)
		}
	}
	return periods
}
