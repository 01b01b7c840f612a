package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"courant/store/market"
)

// priceTable reads and writes day-ahead prices. RTE's prices are served only where ENTSO-E has none.
type priceTable struct{ layout[market.Price] }

// published returns the prices of ENTSO-E.
func (t priceTable) published(batch market.Batch) market.Batch {
	return t.Batch(slices.DeleteFunc(slices.Clone(t.In(batch)), func(p market.Price) bool { return p.Source != market.FromENTSOE }))
}

func (t priceTable) isReplaced(ctx context.Context, tx *sql.Tx, q Quarantined, waiting, arrived market.Batch) (bool, error) {
	newer, err := storedSince(ctx, tx, q.Date, q.Seen)
	return coversAll(append(newer, t.In(arrived)...), t.In(waiting)), err
}

// endOf returns the end of the longest price that begins at the second.
func (t priceTable) endOf(ctx context.Context, tx *sql.Tx, start int64) (int64, error) {
	prices, err := t.selectPeriod(ctx, tx, t.Datasets[0].ID, market.Period{Start: start, End: start + 1})
	end := start + t.Step
	for i := range prices {
		end = max(end, start+t.Lasts(&prices[i]))
	}
	return end, err
}

// storedSince returns ENTSO-E's prices of the delivery date that were stored or changed after an instant.
func storedSince(ctx context.Context, tx *sql.Tx, date market.DeliveryDate, since time.Time) ([]market.Price, error) {
	return publishedBy(ctx, tx, market.FromENTSOE, date.Period(), since)
}

// ExchangePrices returns the prices that RTE publishes of a period, also those that are not served.
func (s *Store) ExchangePrices(ctx context.Context, period market.Period) (prices []market.Price, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		prices, err = publishedBy(ctx, tx, market.FromRTE, period, time.UnixMilli(0))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: exchange prices: %w", err)
	}
	return prices, nil
}

// publishedBy returns a source's prices that begin in a period and were stored or changed after an instant.
func publishedBy(ctx context.Context, tx *sql.Tx, source market.PriceSource, period market.Period, since time.Time) ([]market.Price, error) {
	found, err := tx.QueryContext(ctx, priceRows.selectRows("")+" WHERE start >= ? AND start < ? AND source = ? AND changed_ms > ?",
		period.Start, period.End, source, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	var prices []market.Price
	err = priceRows.scan(found, nil, func(p market.Price) { prices = append(prices, p) })
	return prices, err
}

// coversAll reports whether newer prices of the same or a finer resolution cover every quarter hour of the older ones.
func coversAll(newer, older []market.Price) bool {
	finest := map[int64]int64{} // the shortest price that covers a quarter, in seconds
	for _, p := range newer {
		for start := p.Start; start < p.Start+p.Resolution.Seconds(); start += market.QuarterSeconds {
			if length, is := finest[start]; !is || p.Resolution.Seconds() < length {
				finest[start] = p.Resolution.Seconds()
			}
		}
	}
	for _, p := range older {
		for start := p.Start; start < p.Start+p.Resolution.Seconds(); start += market.QuarterSeconds {
			if length, is := finest[start]; !is || length > p.Resolution.Seconds() {
				return false
			}
		}
	}
	return true
}
