package ingest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// FeedName names a feed, in the configuration and in the log.
type FeedName string

const (
	DayAheadPrices FeedName = "day_ahead_prices"
	Capacity       FeedName = "capacity"
	AFRREnergy     FeedName = "afrr_energy"
	MFRREnergy     FeedName = "mfrr_energy"
	// ExchangePrices stands in for DayAheadPrices and checks it; its hours are those of its source.
	ExchangePrices FeedName = "exchange_prices"
)

// How many delivery dates a call may span.
const (
	pricesWindowDays   = 90
	capacityWindowDays = 7
	mfrrWindowDays     = 7
)

// feed is one source's resource and the datasets that it brings.
type feed struct {
	name     FeedName
	source   string
	datasets []market.Dataset
	plan     func(first, last market.DeliveryDate) []window
	ask      func(context.Context, market.Period) (answer, error)
	off      bool // there are no credentials for the source
	ahead    bool // sold a day ahead: tomorrow may be there already
	standsIn bool // it only stands in for the feed whose dataset it brings, and checks it
	schedule Schedule
	rereads  []reread
	resting  bool     // there is no room for what it would bring
	circuit  circuit  // of this resource
	host     *circuit // of the source, shared by its feeds

	busy       sync.Mutex          // held by the job under way
	failing    market.DeliveryDate // the newest date of the windows that failed since the circuit was last closed; belongs to the job
	mu         sync.Mutex
	pauses     map[market.DeliveryDate]pause
	nextRun    time.Time       // zero: none is due
	unrecorded error           // why the account of the newest run is not in the database
	told       store.FeedState // to other processes; belongs to who tells
}

// window is what one run asks for. Its calls are made one after the other, and what they bring is committed at once.
type window struct {
	market.Period
	calls []market.Period
}

// answer is what one call brought, in the store's words.
type answer struct {
	batch       market.Batch
	refusals    source.Refusals
	refused     market.Batch // what could be read of refused dates
	omissions   []market.Omission
	notes       []string
	unknownKeys []string
	traffic     source.Traffic
	lost        []market.DeliveryDate // that could not be asked for, or read, by themselves
	fault       error                 // why; nil if none is lost
	unreadable  int                   // how many documents of more than one date could not be read
}

// lose notes why neighbouring delivery dates are not in the answer; the first reason stands.
func (a *answer) lose(dates []market.DeliveryDate, err error) {
	a.lost = append(a.lost, dates...)
	a.fault = cmp.Or(a.fault, fmt.Errorf("%s to %s: %w", dates[0], dates[len(dates)-1], err))
}

func newAnswer[R any](reply source.Reply[R], traffic source.Traffic, batchOf func([]R) market.Batch) answer {
	return answer{
		batch: batchOf(reply.Rows), refused: batchOf(reply.Refused), refusals: reply.Refusals, omissions: reply.Omissions,
		notes: reply.Notes, unknownKeys: reply.UnknownKeys, traffic: traffic,
	}
}

func batchOfPrices(rows []market.Price) market.Batch          { return market.Prices.Batch(rows) }
func batchOfCapacity(rows []market.CapacityStep) market.Batch { return market.Capacity.Batch(rows) }
func batchOfAFRR(rows []market.AFRRStep) market.Batch         { return market.AFRR.Batch(rows) }
func batchOfMFRR(rows []market.MFRRStep) market.Batch         { return market.MFRR.Batch(rows) }

// add takes what another call brought in.
func (a *answer) add(part answer) {
	a.batch = a.batch.With(part.batch)
	a.refused = a.refused.With(part.refused)
	a.refusals.Add(part.refusals)
	a.omissions = append(a.omissions, part.omissions...)
	a.notes = source.AddOnce(a.notes, part.notes...)
	a.unknownKeys = source.AddOnce(a.unknownKeys, part.unknownKeys...)
}

func askPrices(from PriceSource) func(context.Context, market.Period) (answer, error) {
	return func(ctx context.Context, period market.Period) (answer, error) {
		reply, traffic, err := from.DayAheadPrices(ctx, period)
		return newAnswer(reply, traffic, batchOfPrices), err
	}
}

func askExchange(from ExchangeSource) func(context.Context, market.Period) (answer, error) {
	return func(ctx context.Context, period market.Period) (answer, error) {
		reply, traffic, err := from.PowerExchangePrices(ctx, period)
		return newAnswer(reply, traffic, batchOfPrices), err
	}
}

func askCapacity(from BalancingSource) func(context.Context, market.Period) (answer, error) {
	return func(ctx context.Context, period market.Period) (answer, error) {
		reply, traffic, err := from.ProcuredReserves(ctx, period)
		return newAnswer(reply, traffic, batchOfCapacity), err
	}
}

func askAFRR(from BalancingSource) func(context.Context, market.Period) (answer, error) {
	return func(ctx context.Context, period market.Period) (answer, error) {
		reply, traffic, err := from.MarginalPrice(ctx, period)
		return newAnswer(reply, traffic, batchOfAFRR), err
	}
}

func askMFRR(from BalancingSource) func(context.Context, market.Period) (answer, error) {
	return func(ctx context.Context, period market.Period) (answer, error) {
		reply, traffic, err := from.StandardMFRR(ctx, period)
		return newAnswer(reply, traffic, batchOfMFRR), err
	}
}

// blocks plans one call for up to days delivery dates.
func blocks(days int) func(first, last market.DeliveryDate) []window {
	return func(first, last market.DeliveryDate) []window {
		var windows []window
		for ; !first.After(last); first = first.Add(days) {
			end := first.Add(days - 1)
			if end.After(last) {
				end = last
			}
			period := market.NewPeriod(first.Start(), end.End())
			windows = append(windows, window{period, []market.Period{period}})
		}
		return windows
	}
}

// singleDates plans one delivery date a window. On the day the clock goes back it is asked for in two calls, cut at
// the change, because the steps' clock times bear no offset.
func singleDates(first, last market.DeliveryDate) []window {
	var windows []window
	for _, date := range market.Dates(first, last) {
		period := date.Period()
		windows = append(windows, window{period, cutAtChange(date, period)})
	}
	return windows
}

// cutAtChange cuts a period within the date at the instant at which the clock goes back.
func cutAtChange(date market.DeliveryDate, period market.Period) []market.Period {
	change, turns := date.TurnBack()
	if at := change.Unix(); turns && period.Start < at && at < period.End {
		return []market.Period{{Start: period.Start, End: at}, {Start: at, End: period.End}}
	}
	return []market.Period{period}
}

// upTo cuts a window at an instant, for energies, which have no future; false if nothing is left.
func (w window) upTo(now time.Time) (window, bool) {
	end := now.Unix()
	if w.End <= end {
		return w, true
	}
	if w.Start >= end {
		return window{}, false
	}
	return w.between(w.Start, end), true
}

// isOver says whether the window ends with a delivery date that is over.
func (w window) isOver(now time.Time) bool {
	return !w.To().After(now) && w.To().Equal(market.DeliveryDateOf(w.To()).Start())
}

// since cuts off what lies before an instant.
func (w window) since(from time.Time) window {
	return w.between(max(w.Start, from.Unix()), w.End)
}

func (w window) between(start, end int64) window {
	cut := window{Period: market.Period{Start: start, End: end}}
	for _, call := range w.calls {
		if call.Start, call.End = max(call.Start, start), min(call.End, end); call.Start < call.End {
			cut.calls = append(cut.calls, call)
		}
	}
	return cut
}
