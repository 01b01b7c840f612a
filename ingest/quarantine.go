package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"courant/ingest/source"
	"courant/store"
)

// mostChangedShare is how much of a finished date of prices a scheduled reading may change without a person's word.
const mostChangedShare = 0.2

// quarantineRun is the feed in the account of what a person accepted.
const quarantineRun = "quarantine"

// pricesByDate are prices by delivery date, and the dates in the order in which they came.
func pricesByDate(prices []store.Price) (dates []store.DeliveryDate, byDate map[store.DeliveryDate][]store.Price) {
	byDate = map[store.DeliveryDate][]store.Price{}
	for _, price := range prices {
		date := store.DeliveryDateOf(time.Unix(price.Start, 0))
		if byDate[date] == nil {
			dates = append(dates, date)
		}
		byDate[date] = append(byDate[date], price)
	}
	return dates, byDate
}

// holdBack takes out of a scheduled reading the delivery dates of prices that look like a fault of the source: a whole
// date at one price, or a finished date of which much changes. They wait for a person's decision and are refused until
// then. What a person rejected before is left out and told, but no fault of the reading.
func (f *Feeds) holdBack(ctx context.Context, batch *store.Batch, refusals *source.Refusals) (rejected []store.Refusal, err error) {
	var kept []store.Price
	dates, byDate := pricesByDate(batch.Prices)
	for _, date := range dates {
		prices := byDate[date]
		reason, err := f.suspicion(ctx, date, prices)
		if err != nil {
			return nil, err
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
			return nil, err
		case decision == store.Accepted:
			kept = append(kept, prices...)
		case decision == store.Undecided:
			refusals.Refuse(store.DayAheadPrices, date, "%s; it waits for courant feeds accept or reject", reason)
		case decision == store.Rejected:
			rejected = append(rejected, store.Refusal{Dataset: store.DayAheadPrices, Date: date, Reason: reason})
		}
	}
	batch.Prices = kept
	return rejected, nil
}

// suspicion says what would be odd about a date's prices if the new ones were taken, "" if nothing would.
func (f *Feeds) suspicion(ctx context.Context, date store.DeliveryDate, prices []store.Price) (string, error) {
	held, err := f.store.Prices(ctx, date.Period())
	if err != nil {
		return "", err
	}
	type slot struct {
		start      int64
		resolution store.Resolution
	}
	merged := map[slot]store.Price{}
	var own []store.Price // what only stands in may change as a whole
	for _, p := range held {
		if p.Source == store.FromENTSOE {
			own = append(own, p)
			merged[slot{p.Start, p.Resolution}] = p
		}
	}
	for _, p := range prices {
		merged[slot{p.Start, p.Resolution}] = p
	}
	before := map[int64]store.Number{}
	for _, q := range store.Quarters(own) {
		before[q.Start] = q.Price
	}
	after, whole := store.Quarters(slices.Collect(maps.Values(merged))), date.Steps(store.QuarterSeconds)
	changed := 0
	for _, q := range after {
		if q.Price != before[q.Start] {
			changed++
		}
	}
	switch {
	case changed == 0:
		return "", nil
	case isFlat(after, date):
		return flatText(after), nil
	case len(before) == whole && float64(changed) > mostChangedShare*float64(whole):
		return fmt.Sprintf("%d of the %d prices change", changed, whole), nil
	}
	return "", nil
}

// isFlat says whether at least half of the date's quarters are there, and all that are have one price.
func isFlat(quarters []store.Quarter, date store.DeliveryDate) bool {
	if 2*len(quarters) < date.Steps(store.QuarterSeconds) {
		return false
	}
	return !slices.ContainsFunc(quarters, func(q store.Quarter) bool { return q.Price != quarters[0].Price })
}

func flatText(quarters []store.Quarter) string {
	return fmt.Sprintf("all prices are %v EUR/MWh", quarters[0].Price.V)
}

// refuseFlat refuses the delivery dates of which what stands in has one price: it is no help to anybody.
func refuseFlat(batch *store.Batch, refusals *source.Refusals) {
	var kept []store.Price
	dates, byDate := pricesByDate(batch.Prices)
	for _, date := range dates {
		if quarters := store.Quarters(byDate[date]); isFlat(quarters, date) {
			refusals.Refuse(store.DayAheadPrices, date, "%s", flatText(quarters))
			continue
		}
		kept = append(kept, byDate[date]...)
	}
	batch.Prices = kept
}

// Accept takes what waits under the id; store.ErrNotFound if nothing does.
func (f *Feeds) Accept(ctx context.Context, id int64) (store.Quarantined, error) {
	now := f.clock.Now()
	q, err := f.store.Accept(ctx, id, &store.Run{Feed: quarantineRun, Started: now, Ended: now, Outcome: store.OutcomeOK})
	if err == nil {
		f.committed(ctx)
	}
	return q, err
}

// Reject drops what waits under the id; the same prices are not asked about again. store.ErrNotFound if nothing does.
func (f *Feeds) Reject(ctx context.Context, id int64) (store.Quarantined, error) {
	return f.store.Reject(ctx, id, f.clock.Now())
}
