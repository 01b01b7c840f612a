// Package ingest decides when to ask a source, what is missing and what to store.
//
// A feed is the job that fetches datasets. It starts from the delivery dates that are missing, not from the time of day:
// after a restart or a lost night the next run finds the gap by itself. What a window's calls return is checked and
// committed in one transaction, together with the record of the run.
package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// Options are what the feeds need.
type Options struct {
	Store *store.Store
	Clock clockwork.Clock
	Log   *slog.Logger
	// Readers ask the feeds' sources. A feed without one is off: there are no credentials for its source.
	Readers map[market.FeedName]Reader
	// Schedules are the feeds' timetables; a feed without one has the default.
	Schedules map[market.FeedName]Schedule
	// Committed is called after each commit, before the run is reported.
	Committed func(context.Context)
	// Room returns why nothing may be written at the moment, or nil; a nil Room: there is always room.
	Room func() error
	// CompareClocks has each run compare this machine's clock with the Date headers of the sources.
	CompareClocks bool
	// Ran is called after each run, whatever its outcome.
	Ran func(store.Run)
	// Explain adds to an error what a person can do about it, for the log and the status; nil: errors are reported as they are.
	Explain func(error) error
}

// Feeds are all feeds of Courant.
type Feeds struct {
	store     *store.Store
	clock     clockwork.Clock
	log       *slog.Logger
	committed func(context.Context)
	ran       func(store.Run)
	room      func() error
	explain   func(error) error
	feeds     []*feed
	primary   map[market.Dataset]*feed // the feed of each dataset's own source
	statesMu  sync.Mutex               // serializes storeStates
	started   time.Time
	comparing bool // this machine's clock with those of the sources
}

// New makes the feeds. Serve runs them.
func New(o Options) *Feeds {
	f := &Feeds{store: o.Store, clock: o.Clock, log: o.Log, committed: o.Committed, ran: o.Ran, room: o.Room, explain: o.Explain,
		started: o.Clock.Now(), comparing: o.CompareClocks, primary: map[market.Dataset]*feed{}}
	if f.committed == nil {
		f.committed = func(context.Context) {}
	}
	if f.ran == nil {
		f.ran = func(store.Run) {}
	}
	if f.room == nil {
		f.room = func() error { return nil }
	}
	if f.explain == nil {
		f.explain = func(err error) error { return err }
	}
	hosts := map[string]*circuit{}
	for _, described := range market.Feeds() {
		feed := &feed{Feed: described, read: o.Readers[described.Name], schedule: scheduleOf(described.Timetable),
			pauses: map[market.DeliveryDate]pause{}}
		if schedule, isSet := o.Schedules[feed.Name]; isSet {
			feed.schedule = schedule
		}
		if hosts[feed.Source] == nil {
			hosts[feed.Source] = &circuit{}
		}
		feed.host = hosts[feed.Source]
		feed.behaviour = f.behaviourOf(feed)
		f.feeds = append(f.feeds, feed)
		if feed.Secondary {
			continue
		}
		for _, dataset := range feed.Datasets {
			f.primary[dataset] = feed
		}
	}
	return f
}

func (f *Feeds) today() market.DeliveryDate { return market.DeliveryDateOf(f.clock.Now()) }

// LastDate returns the last delivery date of a dataset that may be asked for: tomorrow for what is sold a day ahead,
// today for energy.
func LastDate(dataset market.Dataset, now time.Time) market.DeliveryDate {
	today := market.DeliveryDateOf(now)
	if dataset.About().Ahead {
		return today.Add(1)
	}
	return today
}

func instantText(t time.Time) string { return source.InstantText(t.Unix()) }
