package server

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"courant/store"
)

// bodies holds the finished answers of the eight endpoints.
type bodies struct {
	store      *store.Store
	windowDays int

	refreshing sync.Mutex
	current    atomic.Pointer[snapshot] // nil until all bodies are built
}

// snapshot is all answers of one make. It never changes.
type snapshot struct {
	parts   map[store.Dataset]body
	answers map[string]*document // by endpoint
}

// body is the finished answer of one dataset.
type body struct {
	bytes     []byte
	last      store.DeliveryDate
	fetchedAt time.Time
	version   int64

	fiveMinutes []afrrBucket // of the last delivery date of afrr-energy, for the pages
}

func newBodies(db *store.Store, windowDays int) *bodies {
	return &bodies{store: db, windowDays: windowDays}
}

// of is the endpoint's finished answer; false until all bodies are built.
func (b *bodies) of(endpoint string) (*document, bool) {
	now := b.current.Load()
	if now == nil {
		return nil, false
	}
	return now.answers[endpoint], true
}

// ready says whether all bodies are built.
func (b *bodies) ready() bool { return b.current.Load() != nil }

// news is the last delivery date of a dataset, and when it was read last; zero if never.
func (b *bodies) news(dataset store.Dataset) (store.DeliveryDate, time.Time) {
	now := b.current.Load()
	if now == nil {
		return store.DeliveryDate{}, time.Time{}
	}
	return now.parts[dataset].last, now.parts[dataset].fetchedAt
}

// fiveMinutes is the last delivery date of afrr-energy in 5 min, and which date that is; zero if nothing is stored.
func (b *bodies) fiveMinutes() ([]afrrBucket, store.DeliveryDate) {
	now := b.current.Load()
	if now == nil {
		return nil, store.DeliveryDate{}
	}
	energy := now.parts[store.AFRREnergy]
	return energy.fiveMinutes, energy.last
}

// refresh builds what has changed and swaps it in at once, so that an aggregate and its parts are always of one make.
// It returns what is served then, nil if nothing has changed.
func (b *bodies) refresh(ctx context.Context) (*snapshot, error) {
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	versions, err := b.store.Versions(ctx)
	if err != nil {
		return nil, err
	}
	next := snapshot{parts: map[store.Dataset]body{}, answers: map[string]*document{}}
	former := map[string]*document{}
	if now := b.current.Load(); now != nil {
		maps.Copy(next.parts, now.parts)
		former = now.answers
	}
	changed := false
	for _, dataset := range store.Datasets() {
		if has, is := next.parts[dataset]; is && has.version == versions[dataset] {
			continue
		}
		if next.parts[dataset], err = b.build(ctx, dataset); err != nil {
			return nil, fmt.Errorf("server: build body of %s: %w", dataset, err)
		}
		changed = true
	}
	if !changed {
		return nil, nil
	}
	for _, e := range endpoints {
		content, modified := e.answer(next.parts)
		if had := former[e.name]; had != nil && bytes.Equal(had.plain.bytes, content) {
			next.answers[e.name] = had
		} else {
			next.answers[e.name] = newDocument(content, modified)
		}
	}
	b.current.Store(&next)
	return &next, nil
}

// pack makes the best variants of what is served.
func (s *snapshot) pack(ctx context.Context) {
	for _, e := range endpoints {
		if ctx.Err() != nil {
			return
		}
		s.answers[e.name].pack()
	}
}

func (b *bodies) build(ctx context.Context, dataset store.Dataset) (body, error) {
	switch dataset {
	case store.DayAheadPrices:
		window, err := b.store.LatestPrices(ctx, b.windowDays)
		return finish(window, pricesBody), err
	case store.AFRREnergy:
		window, err := b.store.LatestAFRR(ctx)
		made := finish(window, afrrBody)
		made.fiveMinutes = afrrBuckets(window.Rows)
		return made, err
	case store.MFRREnergy:
		window, err := b.store.LatestMFRR(ctx)
		return finish(window, mfrrBody), err
	}
	window, err := b.store.LatestCapacity(ctx, dataset, b.windowDays)
	return finish(window, capacityBody), err
}

func finish[R any](window store.Window[R], write func(store.Window[R]) []byte) body {
	return body{bytes: write(window), last: window.Last, fetchedAt: window.FetchedAt, version: window.Version}
}

// answer is the endpoint's, made of the finished parts, and when the newest of them was read.
func (e endpoint) answer(built map[store.Dataset]body) ([]byte, time.Time) {
	var newest time.Time
	for _, dataset := range e.datasets {
		if at := built[dataset].fetchedAt; at.After(newest) {
			newest = at
		}
	}
	if e.parts == nil {
		return built[e.datasets[0]].bytes, newest
	}
	return aggregateBody(e.parts, built, newest), newest
}

func aggregateBody(parts []part, built map[store.Dataset]body, newest time.Time) []byte {
	var w jsonWriter
	w.open('{')
	w.key("latestFetchedAtUtc").fetched(newest)
	for _, p := range parts {
		w.key(p.key).raw(built[p.dataset].bytes)
	}
	w.close('}')
	return w.bytes
}
