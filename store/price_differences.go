package store

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// PriceDifference is a delivery date of which the two sources of day-ahead prices do not agree.
type PriceDifference struct {
	Date     DeliveryDate
	Quarters int       // that differ
	Largest  float64   // EUR/MWh, without sign
	Seen     time.Time // when the newest of the prices that differ came
}

// MostPriceDifference is by how much two sources that agree may differ, in EUR/MWh: a cent, for how each rounds.
const MostPriceDifference Micro = microsPerUnit / 100

// PriceDifferences lists the delivery dates from first on of which the sources differ by more than a cent, ascending. What
// each would have served of a quarter is compared, at whatever steps it was published.
func (s *Store) PriceDifferences(ctx context.Context, first DeliveryDate) ([]PriceDifference, error) {
	quarters, err := s.pricesBySource(ctx, first)
	if err != nil {
		return nil, fmt.Errorf("store: price differences: %w", err)
	}
	var differences []PriceDifference
	var calendar calendar
	for _, start := range slices.Sorted(maps.Keys(quarters)) {
		own, other := quarters[start][FromENTSOE], quarters[start][FromRTE]
		off := MicroOf(math.Abs(own.price - other.price))
		if own.seconds == 0 || other.seconds == 0 || off <= MostPriceDifference {
			continue
		}
		date := calendar.dateOf(start)
		if n := len(differences); n == 0 || differences[n-1].Date != date {
			differences = append(differences, PriceDifference{Date: date})
		}
		d := &differences[len(differences)-1]
		d.Quarters++
		d.Largest = max(d.Largest, off.Number().V)
		if at := milliseconds(max(own.changed, other.changed)); at.After(d.Seen) {
			d.Seen = at
		}
	}
	return differences, nil
}

// sourcePrice is what one source says of a quarter hour.
type sourcePrice struct {
	price   float64
	seconds int64 // of the step at which it was published; 0: it says nothing
	changed int64 // ms
}

// pricesBySource reads what each source says of each quarter hour from first on of which RTE says anything; of one source
// the finer price stands.
func (s *Store) pricesBySource(ctx context.Context, first DeliveryDate) (map[int64]*[2]sourcePrice, error) {
	// RTE's prices come first, so that the quarters are known of which ENTSO-E's matter.
	found, err := s.reader.QueryContext(ctx, priceLayout.selectRows(", changed_ms")+" WHERE start >= ? ORDER BY source DESC", first.Start().Unix())
	if err != nil {
		return nil, err
	}
	quarters := map[int64]*[2]sourcePrice{}
	var changed int64
	err = priceLayout.scan(found, []any{&changed}, func(p Price) {
		for start := p.Start; start < p.Start+p.Resolution.Seconds(); start += QuarterSeconds {
			if quarters[start] == nil {
				if p.Source != FromRTE {
					continue
				}
				quarters[start] = new([2]sourcePrice)
			}
			if said := &quarters[start][p.Source]; said.seconds == 0 || p.Resolution.Seconds() < said.seconds {
				*said = sourcePrice{p.Price.V, p.Resolution.Seconds(), changed}
			}
		}
	})
	return quarters, err
}
