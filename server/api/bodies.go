package api

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"courant/store"
	"courant/store/market"
)

// bodies holds the finished answers of the data endpoints.
type bodies struct {
	store      *store.Store
	windowDays int

	refreshing sync.Mutex
	current    atomic.Pointer[snapshot] // nil until all bodies are built
	packing    sync.Mutex
}

// snapshot is all answers of one make. It never changes.
type snapshot struct {
	parts   map[market.Dataset]body
	answers map[string]*document // by endpoint
}

// body is the finished answer of one dataset.
type body struct {
	bytes     []byte
	last      market.DeliveryDate
	fetchedAt time.Time
	version   int64

	fiveMinutes []market.AFRRBucket // of the last delivery date of 4 s steps, for the pages
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
func (b *bodies) news(dataset market.Dataset) (market.DeliveryDate, time.Time) {
	now := b.current.Load()
	if now == nil {
		return market.DeliveryDate{}, time.Time{}
	}
	return now.parts[dataset].last, now.parts[dataset].fetchedAt
}

// fiveMinutes is the last delivery date of a dataset of 4 s steps in 5 min, and which date that is; zero if nothing is stored.
func (b *bodies) fiveMinutes(dataset market.Dataset) ([]market.AFRRBucket, market.DeliveryDate) {
	now := b.current.Load()
	if now == nil {
		return nil, market.DeliveryDate{}
	}
	energy := now.parts[dataset]
	return energy.fiveMinutes, energy.last
}

// refresh renews what has changed and swaps it in at once, so that an aggregate and its parts are always of one make.
// It tells whether there was anything.
func (b *bodies) refresh(ctx context.Context) (bool, error) {
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	versions, err := b.store.Versions(ctx)
	if err != nil {
		return false, err
	}
	next := snapshot{parts: map[market.Dataset]body{}, answers: map[string]*document{}}
	if now := b.current.Load(); now != nil {
		maps.Copy(next.parts, now.parts)
		maps.Copy(next.answers, now.answers)
	}
	stale := slices.DeleteFunc(market.Datasets(), func(dataset market.Dataset) bool {
		has, built := next.parts[dataset]
		return built && has.version == versions[dataset]
	})
	if len(stale) == 0 {
		return false, nil
	}
	renewed, err := atOnce(stale, func(dataset market.Dataset) (body, error) { return b.renew(ctx, dataset, next.parts[dataset]) })
	if err != nil {
		return false, fmt.Errorf("server: build bodies: %w", err)
	}
	for i, dataset := range stale {
		next.parts[dataset] = renewed[i]
	}
	touched := slices.DeleteFunc(slices.Clone(endpoints), func(e endpoint) bool {
		return !slices.ContainsFunc(stale, func(dataset market.Dataset) bool { return slices.Contains(e.datasets, dataset) })
	})
	answers, err := atOnce(touched, func(e endpoint) (*document, error) { return e.answer(next.parts, next.answers[e.name]), nil })
	if err != nil {
		return false, err
	}
	for i, e := range touched {
		next.answers[e.name] = answers[i]
	}
	b.current.Store(&next)
	return true, nil
}

// atOnce makes something of each, several at a time.
func atOnce[T, R any](all []T, work func(T) (R, error)) ([]R, error) {
	made, failed := make([]R, len(all)), make([]error, len(all))
	var working sync.WaitGroup
	for i, one := range all {
		working.Go(func() { made[i], failed[i] = work(one) })
	}
	working.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return made, nil
}

// pack makes the best variants of what is served. Of several calls that wait, the first does all there is to do.
func (b *bodies) pack(ctx context.Context) {
	b.packing.Lock()
	defer b.packing.Unlock()
	for _, e := range endpoints {
		if ctx.Err() != nil {
			return
		}
		b.current.Load().answers[e.name].pack()
	}
}

// renew builds a body, or has the one that there is tell the time of the newest fetch where no row has changed since.
func (b *bodies) renew(ctx context.Context, dataset market.Dataset, has body) (body, error) {
	if has.bytes != nil {
		news, err := b.store.ChangesSince(ctx, dataset, has.version)
		if err != nil {
			return body{}, err
		}
		if !news.RowsChanged {
			has.bytes = refetched(has.bytes, has.fetchedAt, news.FetchedAt)
			has.fetchedAt, has.version = news.FetchedAt, news.Version
			return has, nil
		}
	}
	return viewOf(dataset).build(ctx, b.store, b.windowDays)
}

func finish[T any](window store.Window[T], write func(store.Window[T]) []byte) body {
	return body{bytes: write(window), last: window.Last, fetchedAt: window.FetchedAt, version: window.Version}
}

const fetchedKey = "latestFetchedAtUtc"

// fetchedMember begins the member that tells the time of the fetch. No text can hold it: its quotes would be escaped.
var fetchedMember = []byte(`"` + fetchedKey + `":`)

// refetched is a body with the time of another fetch; the same one if it tells no such time, or that one already.
func refetched(body []byte, before, at time.Time) []byte {
	key := bytes.Index(body, fetchedMember)
	if key < 0 || at.Equal(before) {
		return body
	}
	start := key + len(fetchedMember)
	end := start + bytes.IndexAny(body[start:], ",}")
	w := jsonWriter{bytes: make([]byte, 0, len(body)+len(instantLayout))}
	w.bytes = append(w.bytes, body[:start]...)
	w.fetched(at)
	w.bytes = append(w.bytes, body[end:]...)
	return w.bytes
}

// answer is the endpoint's, made of the finished parts: the former one, which may be nil, if that says the same.
func (e endpoint) answer(built map[market.Dataset]body, former *document) *document {
	var newest time.Time
	for _, dataset := range e.datasets {
		if at := built[dataset].fetchedAt; at.After(newest) {
			newest = at
		}
	}
	content := built[e.datasets[0]].bytes
	if e.parts != nil {
		content = aggregateBody(e.parts, built, newest)
	}
	if former != nil && bytes.Equal(former.plain.bytes, content) {
		return former
	}
	return newDocument("application/json", content, newest)
}

func aggregateBody(parts []market.AggregatePart, built map[market.Dataset]body, newest time.Time) []byte {
	size := len(instantLayout)
	for _, p := range parts {
		size += len(p.Key) + len(built[p.Dataset].bytes)
	}
	const bytesOfRest = 64
	w := jsonWriter{bytes: make([]byte, 0, size+bytesOfRest)}
	w.open('{')
	w.key(fetchedKey).fetched(newest)
	for _, p := range parts {
		w.key(p.Key).raw(built[p.Dataset].bytes)
	}
	w.close('}')
	return w.bytes
}
