package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// oneIn bounds what a scheduled reading may change or withdraw of a past delivery date without a person's decision: one value
// in so many.
const oneIn = 5

// quarantineRun is the feed's name in the record of a run in which a person accepted values.
const quarantineRun = "quarantine"

// holdBack moves what a person has to decide on into quarantine: from a scheduled reading the delivery dates that look like
// an error of the source, which are refused until then, and from every reading the readable rows of refused dates. What a
// person has accepted before is taken. What a person has rejected before is left out of a scheduled reading and returned,
// but is not an error.
func (f *Feeds) holdBack(ctx context.Context, brought *answer, scheduled bool) (rejected []market.Refusal, err error) {
	accepted, rejected, err := f.quarantineRefused(ctx, brought, scheduled)
	if err != nil {
		return nil, err
	}
	if scheduled {
		odd, err := f.quarantineOdd(ctx, brought)
		if err != nil {
			return nil, err
		}
		rejected = append(rejected, odd...)
	}
	brought.batch = brought.batch.With(accepted)
	return rejected, nil
}

// quarantineRefused moves the readable rows of refused dates into quarantine, where a person may accept them.
func (f *Feeds) quarantineRefused(
	ctx context.Context, brought *answer, scheduled bool,
) (accepted market.Batch, rejected []market.Refusal, err error) {
	for _, refusal := range slices.Clone(brought.refusals.List()) {
		batch := brought.refused.Of(refusal.Dataset, refusal.Date)
		if refusal.Final || batch.IsEmpty() {
			continue
		}
		decision, err := f.quarantine(ctx, refusal.Dataset, refusal.Date, market.WaitsRefused, refusal.Reason, batch)
		switch {
		case errors.Is(err, store.ErrUnfitToWait):
		case err != nil:
			return accepted, nil, err
		case decision == store.Accepted:
			brought.refusals.Drop(refusal.Dataset, refusal.Date)
			accepted = accepted.With(batch)
		case decision == store.Rejected && scheduled:
			brought.refusals.Drop(refusal.Dataset, refusal.Date)
			rejected = append(rejected, refusal)
		}
	}
	return accepted, rejected, nil
}

// quarantineOdd moves the delivery dates that look like an error of the source from a scheduled reading into quarantine,
// separately for each dataset.
func (f *Feeds) quarantineOdd(ctx context.Context, brought *answer) (rejected []market.Refusal, err error) {
	whole := brought.batch
	for _, dataset := range market.Datasets() {
		for _, date := range whole.Dates(dataset) {
			batch := whole.Of(dataset, date)
			kind, reason, err := f.suspicion(ctx, dataset, date, batch)
			if err != nil {
				return nil, err
			}
			if reason == "" {
				continue
			}
			decision, err := f.quarantine(ctx, dataset, date, kind, reason, batch)
			switch {
			case errors.Is(err, store.ErrUnfitToWait):
				brought.refusals.Refuse(dataset, date, "%s", reason)
			case err != nil:
				return nil, err
			case decision == store.Accepted:
				continue
			case decision == store.Undecided:
				brought.refusals.Refuse(dataset, date, "%s; it waits for courant feeds accept or reject", reason)
			case decision == store.Rejected:
				rejected = append(rejected, market.Refusal{Dataset: dataset, Date: date, Reason: reason})
			}
			brought.batch = brought.batch.Without(dataset, date)
		}
	}
	return rejected, nil
}

func (f *Feeds) quarantine(
	ctx context.Context, dataset market.Dataset, date market.DeliveryDate, kind market.WaitKind, reason string, batch market.Batch,
) (store.Decision, error) {
	return f.store.Quarantine(ctx, store.Quarantined{
		Dataset: dataset, Date: date, Kind: kind, Reason: reason, Seen: f.clock.Now(), Batch: batch,
	})
}

// suspicion describes what would be odd about a delivery date of a dataset with the new rows, "" if nothing would be.
// Corrections and withdrawals of a date that is not over are served at once: users need the current values.
func (f *Feeds) suspicion(
	ctx context.Context, dataset market.Dataset, date market.DeliveryDate, batch market.Batch,
) (market.WaitKind, string, error) {
	over := !f.clock.Now().Before(date.End())
	if dataset == compared {
		if kind, reason, err := f.priceSuspicion(ctx, date, over, market.Prices.In(batch)); reason != "" || err != nil {
			return kind, reason, err
		}
	}
	if !over || !batch.Withdraws() {
		return "", "", nil
	}
	effect, err := f.store.Preview(ctx, dataset, date, batch)
	if err != nil {
		return "", "", err
	}
	for _, column := range slices.Sorted(maps.Keys(effect.Columns)) {
		if c := effect.Columns[column]; oneIn*c.Withdrawn > c.Held {
			return market.WaitsWithdrawn, fmt.Sprintf("%d of the %d values of %s are withdrawn", c.Withdrawn, c.Held, column), nil
		}
	}
	return "", "", nil
}

// priceSuspicion is suspicion for prices.
func (f *Feeds) priceSuspicion(
	ctx context.Context, date market.DeliveryDate, over bool, prices []market.Price,
) (market.WaitKind, string, error) {
	held, err := store.Within(ctx, f.store, market.Prices, compared, date.Period())
	if err != nil {
		return "", "", err
	}
	type slot struct {
		start      int64
		resolution market.Resolution
	}
	merged := map[slot]market.Price{}
	var own []market.Price // those of the second source may all change
	for _, p := range held {
		if p.Source == market.FromENTSOE {
			own = append(own, p)
			merged[slot{p.Start, p.Resolution}] = p
		}
	}
	for _, p := range prices {
		merged[slot{p.Start, p.Resolution}] = p
	}
	before := map[int64]market.Number{}
	for _, q := range market.Quarters(own) {
		before[q.Start] = q.Price
	}
	after, whole := market.Quarters(slices.Collect(maps.Values(merged))), date.Steps(market.QuarterSeconds)
	arrived, changed := 0, 0
	for _, q := range after {
		switch was, known := before[q.Start]; {
		case !known:
			arrived++
		case was != q.Price:
			changed++
		}
	}
	switch {
	case arrived+changed == 0:
	case isFlat(after, date):
		return market.WaitsFlat, flatText(after), nil
	case over && oneIn*changed > whole:
		return market.WaitsChanged, fmt.Sprintf("%d of the %d prices change", changed, whole), nil
	}
	return "", "", nil
}

// isFlat reports whether at least half of the date's quarters have a price, and all prices are the same.
func isFlat(quarters []market.Quarter, date market.DeliveryDate) bool {
	if 2*len(quarters) < date.Steps(market.QuarterSeconds) {
		return false
	}
	return !slices.ContainsFunc(quarters, func(q market.Quarter) bool { return q.Price != quarters[0].Price })
}

func flatText(quarters []market.Quarter) string {
	return fmt.Sprintf("all prices are %v EUR/MWh", quarters[0].Price.V)
}

// refuseFlat refuses the delivery dates on which a second source gives the same price for every period.
func refuseFlat(batch *market.Batch, refusals *source.Refusals) {
	for _, date := range batch.Dates(compared) {
		if quarters := market.Quarters(market.Prices.In(batch.Of(compared, date))); isFlat(quarters, date) {
			refusals.Refuse(compared, date, "%s", flatText(quarters))
			*batch = batch.Without(compared, date)
		}
	}
}

// Accept stores what waits under the ID, with the note in the audit log; store.ErrNotFound if nothing waits there.
func (f *Feeds) Accept(ctx context.Context, note store.Note, id int64) (store.Quarantined, error) {
	now := f.clock.Now()
	q, err := f.store.Accept(ctx, note, id, &store.Run{Feed: quarantineRun, Started: now, Ended: now, Outcome: store.OutcomeOK,
		ClockAhead: f.clockAhead(ctx, nil)})
	if err == nil {
		f.committed(ctx)
	}
	return q, err
}

// Reject drops what waits under the ID, with the note in the audit log; the same content does not wait again.
// store.ErrNotFound if nothing waits there.
func (f *Feeds) Reject(ctx context.Context, note store.Note, id int64) (store.Quarantined, error) {
	return f.store.Reject(ctx, note, id, f.clock.Now())
}
