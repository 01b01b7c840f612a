package ingest

import (
	"context"
	"fmt"
	"time"

	"courant/ingest/source"
	"courant/store"
)

// mostChangedShare is how much of a finished date of prices a scheduled reading may change without a person's word.
const mostChangedShare = 0.2

// holdBack takes out of a scheduled reading the delivery dates of prices that look like a fault of the source: a whole
// date at one price, or a finished date of which much changes. They wait for a person's decision and are refused until
// then; what was rejected before is left out without another word.
func (f *Feeds) holdBack(ctx context.Context, batch *store.Batch, refusals *source.Refusals) error {
	var dates []store.DeliveryDate
	byDate := map[store.DeliveryDate][]store.Price{}
	for _, price := range batch.Prices {
		date := store.DeliveryDateOf(time.Unix(price.Start, 0))
		if byDate[date] == nil {
			dates = append(dates, date)
		}
		byDate[date] = append(byDate[date], price)
	}
	var kept []store.Price
	for _, date := range dates {
		prices := byDate[date]
		reason, err := f.suspicion(ctx, date, prices)
		if err != nil {
			return err
		}
		if reason == "" {
			kept = append(kept, prices...)
			continue
		}
		decision, err := f.store.Quarantine(ctx, store.Quarantined{
			Dataset: store.DayAheadPrices, Date: date, Reason: reason, Seen: f.clock.Now(), Prices: prices,
		})
		switch {
		case err != nil:
			return err
		case decision == store.Accepted:
			kept = append(kept, prices...)
		case decision == store.Undecided:
			refusals.Refuse(store.DayAheadPrices, date, "%s; it waits for courant feeds accept or reject", reason)
		}
	}
	batch.Prices = kept
	return nil
}

// suspicion says what is odd about a date's prices, "" if nothing is.
func (f *Feeds) suspicion(ctx context.Context, date store.DeliveryDate, prices []store.Price) (string, error) {
	held, err := f.store.Prices(ctx, date.Period())
	if err != nil {
		return "", err
	}
	before := map[int64]store.Number{}
	for _, q := range store.Quarters(held) {
		before[q.Start] = q.Price
	}
	quarters, whole := store.Quarters(prices), date.Steps(store.QuarterSeconds)
	changed, flat := 0, len(quarters) == whole
	for _, q := range quarters {
		if q.Price != before[q.Start] {
			changed++
		}
		flat = flat && q.Price == quarters[0].Price
	}
	switch {
	case changed == 0:
		return "", nil
	case flat:
		return fmt.Sprintf("all prices are %v EUR/MWh", quarters[0].Price.V), nil
	case len(before) == whole && float64(changed) > mostChangedShare*float64(whole):
		return fmt.Sprintf("%d of the %d prices change", changed, whole), nil
	}
	return "", nil
}

// Accept takes what waits under the id, as if it had just been read; store.ErrNotFound if nothing does.
func (f *Feeds) Accept(ctx context.Context, id int64) (store.Quarantined, error) {
	q, err := f.waiting(ctx, id)
	if err != nil {
		return q, err
	}
	now := f.clock.Now()
	run := store.Run{Feed: string(DayAheadPrices), Datasets: []store.Dataset{q.Dataset}, Window: q.Date.Period(), Started: now, Ended: now, Outcome: store.OutcomeOK}
	if err := f.store.Commit(ctx, &run, store.Batch{Prices: q.Prices}); err != nil {
		return q, err
	}
	return q, f.store.Decide(ctx, id, store.Accepted, now)
}

// Reject drops what waits under the id; the same prices are not asked about again. store.ErrNotFound if nothing does.
func (f *Feeds) Reject(ctx context.Context, id int64) (store.Quarantined, error) {
	q, err := f.waiting(ctx, id)
	if err != nil {
		return q, err
	}
	return q, f.store.Decide(ctx, id, store.Rejected, f.clock.Now())
}

func (f *Feeds) waiting(ctx context.Context, id int64) (store.Quarantined, error) {
	all, err := f.store.InQuarantine(ctx)
	if err != nil {
		return store.Quarantined{}, err
	}
	for _, q := range all {
		if q.ID == id {
			return q, nil
		}
	}
	return store.Quarantined{}, fmt.Errorf("nothing waits under %d: %w", id, store.ErrNotFound)
}
