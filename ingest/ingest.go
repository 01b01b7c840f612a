// Package ingest decides when to ask a source, what is missing and what to keep.
//
// A feed is the job that brings datasets in. It never asks "what time is it" but "which delivery dates do I lack": a
// restart or a lost night heals by itself, because the next run finds the hole. What a window's calls bring is checked
// and committed in one transaction, with the account of the run.
package ingest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// PriceSource gives day-ahead prices; ENTSO-E is one.
type PriceSource interface {
	DayAheadPrices(ctx context.Context, window market.Period) (source.Reply[market.Price], source.Traffic, error)
}

// ExchangeSource gives the day-ahead prices of the current or the next delivery date, whichever is its newest; RTE is
// one.
type ExchangeSource interface {
	PowerExchangePrices(ctx context.Context, window market.Period) (source.Reply[market.Price], source.Traffic, error)
}

// BalancingSource gives balancing capacity and energy; RTE is one.
type BalancingSource interface {
	ProcuredReserves(ctx context.Context, window market.Period) (source.Reply[market.CapacityStep], source.Traffic, error)
	MarginalPrice(ctx context.Context, window market.Period) (source.Reply[market.AFRRStep], source.Traffic, error)
	StandardMFRR(ctx context.Context, window market.Period) (source.Reply[market.MFRRStep], source.Traffic, error)
}

// Options says what the feeds work with.
type Options struct {
	Store     *store.Store
	Clock     clockwork.Clock
	Log       *slog.Logger
	Prices    PriceSource     // nil: the feed is off
	Exchange  ExchangeSource  // nil: nothing stands in for Prices
	Balancing BalancingSource // nil: the feeds are off
	Schedules map[FeedName]Schedule
	// Committed is called after each commit, before the run is said to be done.
	Committed func(context.Context)
	// Room says why nothing may be written at the moment; nil: there is always room.
	Room func() error
	// CompareClocks has each run compare this machine's clock with the Date headers of the sources.
	CompareClocks bool
	// Ran is called when a run has ended, however it did.
	Ran func(store.Run)
}

// Feeds is all feeds of Courant.
type Feeds struct {
	store     *store.Store
	clock     clockwork.Clock
	log       *slog.Logger
	committed func(context.Context)
	ran       func(store.Run)
	room      func() error
	feeds     []*feed
	telling   sync.Mutex // one says at a time how the feeds stand
	started   time.Time
	comparing bool // this machine's clock with those of the sources
}

// New makes the feeds; none runs yet.
func New(o Options) *Feeds {
	f := &Feeds{store: o.Store, clock: o.Clock, log: o.Log, committed: o.Committed, ran: o.Ran, room: o.Room,
		started: o.Clock.Now(), comparing: o.CompareClocks}
	if f.committed == nil {
		f.committed = func(context.Context) {}
	}
	if f.ran == nil {
		f.ran = func(store.Run) {}
	}
	if f.room == nil {
		f.room = func() error { return nil }
	}
	f.feeds = []*feed{
		{
			name: DayAheadPrices, source: "ENTSO-E", datasets: []market.Dataset{market.DayAheadPrices}, plan: blocks(pricesWindowDays),
			ask: askPrices(o.Prices), off: o.Prices == nil, rereads: priceRereads,
		}, {
			name: Capacity, source: "RTE", datasets: []market.Dataset{market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity},
			plan: blocks(capacityWindowDays), ask: askCapacity(o.Balancing), off: o.Balancing == nil,
			rereads: reserveRereads,
		}, {
			name: AFRREnergy, source: "RTE", datasets: []market.Dataset{market.AFRREnergy}, plan: singleDates,
			ask: askAFRR(o.Balancing), off: o.Balancing == nil, rereads: energyRereads,
		}, {
			name: MFRREnergy, source: "RTE", datasets: []market.Dataset{market.MFRREnergy}, plan: blocks(mfrrWindowDays),
			ask: askMFRR(o.Balancing), off: o.Balancing == nil, rereads: energyRereads,
		}, {
			name: ExchangePrices, source: "RTE", datasets: []market.Dataset{market.DayAheadPrices}, plan: blocks(exchangeWindowDays),
			ask: askExchange(o.Exchange), off: o.Exchange == nil, standsIn: true,
		},
	}
	hosts := map[string]*circuit{}
	for _, feed := range f.feeds {
		if hosts[feed.source] == nil {
			hosts[feed.source] = &circuit{}
		}
		feed.host = hosts[feed.source]
		feed.ahead = soldAhead(feed.datasets[0])
		feed.schedule = o.Schedules[feed.name]
		if feed.standsIn {
			feed.schedule = exchangeSchedule
		}
		feed.pauses = map[market.DeliveryDate]pause{}
	}
	return f
}

func (f *Feeds) today() market.DeliveryDate { return market.DeliveryDateOf(f.clock.Now()) }

// of is the feed that brings the dataset in.
func (f *Feeds) of(dataset market.Dataset) *feed {
	i := slices.IndexFunc(f.feeds, func(feed *feed) bool { return !feed.standsIn && slices.Contains(feed.datasets, dataset) })
	return f.feeds[i]
}

// LastDate is the last delivery date of the dataset that may be asked for: tomorrow for what is sold a day ahead,
// today for energy.
func LastDate(dataset market.Dataset, now time.Time) market.DeliveryDate {
	today := market.DeliveryDateOf(now)
	if soldAhead(dataset) {
		return today.Add(1)
	}
	return today
}

// soldAhead says whether the dataset is known a day before its delivery date.
func soldAhead(dataset market.Dataset) bool { return dataset.About().Ahead }

// instantText is how a log names an instant: UTC, seconds.
func instantText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
