package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"courant/store/market"
)

// PriceDifference is a delivery date on which two publications of day-ahead prices differ.
type PriceDifference struct {
	Date     market.DeliveryDate
	Between  string    // ENTSO-E/RTE, or two resolutions of ENTSO-E such as PT15M/PT60M; the first one is served
	Quarters int       // number of quarter hours that differ
	Largest  float64   // the largest difference, EUR/MWh, absolute
	Seen     time.Time // when the newest of the differing prices was stored
}

// PriceDifferences returns the delivery dates from first on, ascending, on which two publications differ by more than a cent:
// the prices of ENTSO-E and RTE for the same quarter hour, or a price of ENTSO-E and the mean of its finer prices for the same
// period.
func (s *Store) PriceDifferences(ctx context.Context, first market.DeliveryDate) ([]PriceDifference, error) {
	published, err := s.publishedPrices(ctx, first)
	if err != nil {
		return nil, fmt.Errorf("store: price differences: %w", err)
	}
	var found differenceList
	found.betweenSources(published)
	found.betweenResolutions(published[market.FromENTSOE])
	slices.SortFunc(found.list, func(a, b PriceDifference) int {
		return cmp.Or(b.Date.DaysUntil(a.Date), cmp.Compare(a.Between, b.Between))
	})
	return found.list, nil
}

// publication is the prices of one source, and when each was last stored or changed, in ms UTC.
type publication struct {
	prices  []market.Price
	changed []int64
}

// publishedPrices reads the prices of each source from first on.
func (s *Store) publishedPrices(ctx context.Context, first market.DeliveryDate) (published [2]publication, err error) {
	found, err := s.reader.QueryContext(ctx, priceRows.selectRows(", changed_ms")+" WHERE start >= ?", first.Start().Unix())
	if err != nil {
		return published, err
	}
	var changed int64
	err = priceRows.scan(found, []any{&changed}, func(p market.Price) {
		source := &published[p.Source]
		source.prices, source.changed = append(source.prices, p), append(source.changed, changed)
	})
	return published, err
}

// differenceList collects differences, with one entry for each delivery date and pair of publications.
type differenceList struct {
	list     []PriceDifference
	calendar market.Calendar
}

// add adds quarters from start on that differ by off; changed is when the newest of the prices was stored, in ms UTC.
func (d *differenceList) add(start int64, between string, quarters int, off market.Micro, changed int64) {
	date := d.calendar.DateOf(start)
	i := slices.IndexFunc(d.list, func(other PriceDifference) bool { return other.Date == date && other.Between == between })
	if i < 0 {
		i = len(d.list)
		d.list = append(d.list, PriceDifference{Date: date, Between: between})
	}
	entry := &d.list[i]
	entry.Quarters += quarters
	entry.Largest = max(entry.Largest, off.Number().V)
	if at := milliseconds(changed); at.After(entry.Seen) {
		entry.Seen = at
	}
}

func (d *differenceList) betweenSources(published [2]publication) {
	entsoe, rte := published[market.FromENTSOE].quarters(), published[market.FromRTE].quarters()
	for _, start := range slices.Sorted(maps.Keys(rte)) {
		i, both := entsoe[start]
		if !both {
			continue
		}
		j := rte[start]
		off := market.MicroOf(math.Abs(published[market.FromENTSOE].prices[i].Price.V - published[market.FromRTE].prices[j].Price.V))
		if off > market.MostPriceDifference {
			d.add(start, market.FromENTSOE.String()+"/"+market.FromRTE.String(), 1, off,
				max(published[market.FromENTSOE].changed[i], published[market.FromRTE].changed[j]))
		}
	}
}

// quarters returns the index of the finest price that covers each quarter hour, by the start of the quarter.
func (p publication) quarters() map[int64]int {
	quarters := map[int64]int{}
	for i, price := range p.prices {
		for start := price.Start; start < price.Start+price.Resolution.Seconds(); start += market.QuarterSeconds {
			if j, taken := quarters[start]; !taken || price.Resolution.Seconds() < p.prices[j].Resolution.Seconds() {
				quarters[start] = i
			}
		}
	}
	return quarters
}

func (d *differenceList) betweenResolutions(p publication) {
	for _, c := range market.CoveredByFiner(p.prices) {
		if !c.Differs() {
			continue
		}
		coarse := p.prices[c.Coarse]
		changed, finest := p.changed[c.Coarse], coarse.Resolution
		for _, i := range c.Finer {
			changed = max(changed, p.changed[i])
			if r := p.prices[i].Resolution; r.Seconds() < finest.Seconds() {
				finest = r
			}
		}
		d.add(coarse.Start, string(finest+"/"+coarse.Resolution), len(c.Finer), c.Off(), changed)
	}
}
