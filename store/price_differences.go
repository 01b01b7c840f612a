package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// PriceDifference is a delivery date of which two publications of day-ahead prices do not agree.
type PriceDifference struct {
	Date     DeliveryDate
	Between  string    // ENTSO-E/RTE, or two resolutions of ENTSO-E such as PT15M/PT60M; the first one is served
	Quarters int       // that differ
	Largest  float64   // EUR/MWh, without sign
	Seen     time.Time // when the newest of the prices that differ came
}

// MostPriceDifference is by how much two publications that agree may differ, in EUR/MWh: a cent, for how each rounds.
const MostPriceDifference Micro = microsPerUnit / 100

// PriceDifferences lists the delivery dates from first on of which two publications differ by more than a cent, ascending:
// ENTSO-E's prices and RTE's, quarter by quarter as each would be served, and ENTSO-E's coarser prices and the mean of its finer
// ones.
func (s *Store) PriceDifferences(ctx context.Context, first DeliveryDate) ([]PriceDifference, error) {
	published, err := s.publishedPrices(ctx, first)
	if err != nil {
		return nil, fmt.Errorf("store: price differences: %w", err)
	}
	var found differenceList
	found.betweenSources(published)
	found.betweenResolutions(published[FromENTSOE])
	slices.SortFunc(found.list, func(a, b PriceDifference) int {
		return cmp.Or(b.Date.DaysUntil(a.Date), cmp.Compare(a.Between, b.Between))
	})
	return found.list, nil
}

// publication is what one source has published: prices, and when each came, in ms.
type publication struct {
	prices  []Price
	changed []int64
}

// publishedPrices reads what each source has published from first on.
func (s *Store) publishedPrices(ctx context.Context, first DeliveryDate) (published [2]publication, err error) {
	found, err := s.reader.QueryContext(ctx, priceLayout.selectRows(", changed_ms")+" WHERE start >= ?", first.Start().Unix())
	if err != nil {
		return published, err
	}
	var changed int64
	err = priceLayout.scan(found, []any{&changed}, func(p Price) {
		of := &published[p.Source]
		of.prices, of.changed = append(of.prices, p), append(of.changed, changed)
	})
	return published, err
}

// differenceList is what is found, an entry for each delivery date and pair of publications.
type differenceList struct {
	list     []PriceDifference
	calendar calendar
}

// add takes quarters that begin at an instant and differ by off; changed is when the newest of the prices came, in ms.
func (d *differenceList) add(start int64, between string, quarters int, off Micro, changed int64) {
	date := d.calendar.dateOf(start)
	i := slices.IndexFunc(d.list, func(other PriceDifference) bool { return other.Date == date && other.Between == between })
	if i < 0 {
		i = len(d.list)
		d.list = append(d.list, PriceDifference{Date: date, Between: between})
	}
	of := &d.list[i]
	of.Quarters += quarters
	of.Largest = max(of.Largest, off.Number().V)
	if at := milliseconds(changed); at.After(of.Seen) {
		of.Seen = at
	}
}

func (d *differenceList) betweenSources(published [2]publication) {
	own, other := published[FromENTSOE].quarters(), published[FromRTE].quarters()
	for _, start := range slices.Sorted(maps.Keys(other)) {
		i, both := own[start]
		if !both {
			continue
		}
		j := other[start]
		off := MicroOf(math.Abs(published[FromENTSOE].prices[i].Price.V - published[FromRTE].prices[j].Price.V))
		if off > MostPriceDifference {
			d.add(start, FromENTSOE.String()+"/"+FromRTE.String(), 1, off,
				max(published[FromENTSOE].changed[i], published[FromRTE].changed[j]))
		}
	}
}

// quarters tells which of the prices the source would have served of each quarter hour: the finest.
func (p publication) quarters() map[int64]int {
	quarters := map[int64]int{}
	for i, price := range p.prices {
		for start := price.Start; start < price.Start+price.Resolution.Seconds(); start += QuarterSeconds {
			if j, taken := quarters[start]; !taken || price.Resolution.Seconds() < p.prices[j].Resolution.Seconds() {
				quarters[start] = i
			}
		}
	}
	return quarters
}

func (d *differenceList) betweenResolutions(p publication) {
	for _, c := range coveredByFiner(p.prices) {
		if !c.differs() {
			continue
		}
		coarse := p.prices[c.coarse]
		changed, finest := p.changed[c.coarse], coarse.Resolution
		for _, i := range c.finer {
			changed = max(changed, p.changed[i])
			if r := p.prices[i].Resolution; r.Seconds() < finest.Seconds() {
				finest = r
			}
		}
		d.add(coarse.Start, string(finest+"/"+coarse.Resolution), len(c.finer), c.off(), changed)
	}
}

// covered is a price of which finer ones of the same source cover each quarter hour.
type covered struct {
	coarse int   // which price it is
	finer  []int // which price covers each of its quarters
	total  Micro // of the differences of all quarters, without sign
}

// differs says whether the price differs from the mean of the finer ones by more than two that agree may.
func (c covered) differs() bool { return c.total > Micro(len(c.finer))*MostPriceDifference }

// off is by how much the price differs from the mean of the finer ones.
func (c covered) off() Micro { return Micro(math.Round(float64(c.total) / float64(len(c.finer)))) }

// coveredByFiner finds the prices of one source whose quarters are all covered by finer ones, the finest of which stands.
func coveredByFiner(prices []Price) []covered {
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
		c := covered{coarse: i}
		var sum Micro
		whole := true
		for start := price.Start; start < price.Start+price.Resolution.Seconds(); start += QuarterSeconds {
			by, taken := finest[start]
			if !taken {
				finest[start], whole = i, false
				continue
			}
			c.finer = append(c.finer, by)
			sum += MicroOf(prices[by].Price.V)
		}
		if whole {
			c.total = Micro(len(c.finer))*MicroOf(price.Price.V) - sum
			c.total = max(c.total, -c.total)
			found = append(found, c)
		}
	}
	return found
}

// RepeatedByFiner says of each price of one source whether finer ones say the same of all its quarters.
func RepeatedByFiner(prices []Price) []bool {
	repeated := make([]bool, len(prices))
	for _, c := range coveredByFiner(prices) {
		repeated[c.coarse] = !c.differs()
	}
	return repeated
}
