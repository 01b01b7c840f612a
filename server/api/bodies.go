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

// bodies caches the finished answer of every endpoint.
type bodies struct {
	store      *store.Store
	windowDays int

	refreshing  sync.Mutex
	current     atomic.Pointer[snapshot] // nil until all bodies are built
	compressing sync.Mutex
}

// snapshot is the answers that one refresh published together. It is immutable.
type snapshot struct {
	parts   map[market.Dataset]body
	answers map[string]*document // by endpoint
}

// body is the finished JSON answer of one dataset.
type body struct {
	bytes     []byte
	rows      int // from which it is made
	last      market.DeliveryDate
	fetchedAt time.Time
	version   int64
}

func newBodies(db *store.Store, windowDays int) *bodies {
	return &bodies{store: db, windowDays: windowDays}
}

// of returns the finished answer of an endpoint, and false until all bodies are built.
func (b *bodies) of(endpoint string) (*document, bool) {
	current := b.current.Load()
	if current == nil {
		return nil, false
	}
	return current.answers[endpoint], true
}

// ready reports whether all bodies are built.
func (b *bodies) ready() bool { return b.current.Load() != nil }

// latest returns the last delivery date of a dataset and the time of its last fetch; both are zero if it was never fetched.
func (b *bodies) latest(dataset market.Dataset) (market.DeliveryDate, time.Time) {
	current := b.current.Load()
	if current == nil {
		return market.DeliveryDate{}, time.Time{}
	}
	return current.parts[dataset].last, current.parts[dataset].fetchedAt
}

// refresh rebuilds the answers of the datasets that have changed and publishes them in one step, so that an aggregate never
// differs from its parts. It reports whether anything had changed.
func (b *bodies) refresh(ctx context.Context) (bool, error) {
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	versions, err := b.store.Versions(ctx)
	if err != nil {
		return false, err
	}
	next := snapshot{parts: map[market.Dataset]body{}, answers: map[string]*document{}}
	if current := b.current.Load(); current != nil {
		maps.Copy(next.parts, current.parts)
		maps.Copy(next.answers, current.answers)
	}
	stale := slices.DeleteFunc(market.Datasets(), func(dataset market.Dataset) bool {
		known, built := next.parts[dataset]
		return built && known.version == versions[dataset]
	})
	if len(stale) == 0 {
		return false, nil
	}
	renewed, err := inParallel(stale, func(dataset market.Dataset) (body, error) { return b.renew(ctx, dataset, next.parts[dataset]) })
	if err != nil {
		return false, fmt.Errorf("server: build bodies: %w", err)
	}
	for i, dataset := range stale {
		next.parts[dataset] = renewed[i]
	}
	touched := slices.DeleteFunc(slices.Clone(endpoints), func(e endpoint) bool {
		return !slices.ContainsFunc(stale, func(dataset market.Dataset) bool { return slices.Contains(e.datasets, dataset) })
	})
	answers, err := inParallel(touched, func(e endpoint) (*document, error) { return e.answer(next.parts, next.answers[e.name]), nil })
	if err != nil {
		return false, err
	}
	for i, e := range touched {
		next.answers[e.name] = answers[i]
	}
	b.current.Store(&next)
	return true, nil
}

// inParallel applies work to every item at the same time and returns the results in the order of the items, or the first
// error in that order.
func inParallel[T, R any](items []T, work func(T) (R, error)) ([]R, error) {
	results, errs := make([]R, len(items)), make([]error, len(items))
	var running sync.WaitGroup
	for i, item := range items {
		running.Go(func() { results[i], errs[i] = work(item) })
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// compress makes the best variants of all answers, until ctx ends. One call runs at a time; one that had to wait finds
// little left to do.
func (b *bodies) compress(ctx context.Context) {
	b.compressing.Lock()
	defer b.compressing.Unlock()
	for _, e := range endpoints {
		if ctx.Err() != nil {
			return
		}
		b.current.Load().answers[e.name].compress()
	}
}

// renew builds the body of a dataset. If no row has changed since the former body was built, it only updates the fetch time
// in that one.
func (b *bodies) renew(ctx context.Context, dataset market.Dataset, former body) (body, error) {
	if former.bytes != nil {
		changes, err := b.store.ChangesSince(ctx, dataset, former.version)
		if err != nil {
			return body{}, err
		}
		if !changes.RowsChanged {
			former.bytes = withFetchTime(former.bytes, former.fetchedAt, changes.FetchedAt)
			former.fetchedAt, former.version = changes.FetchedAt, changes.Version
			return former, nil
		}
	}
	view, days := viewOf(dataset), b.windowDays
	if view.lastDateOnly {
		days = 1
	}
	window, err := b.store.LatestRows(ctx, dataset, days)
	if err != nil {
		return body{}, err
	}
	return view.answer(window), nil
}

// answer writes the rows of a window and notes what they were read from.
func (v view) answer(window store.Window) body {
	return body{bytes: v.body(window), rows: window.Rows.Len(), last: window.Last, fetchedAt: window.FetchedAt, version: window.Version}
}

const fetchedKey = "latestFetchedAtUtc"

// fetchedMember begins the member with the time of the last fetch. It cannot occur inside a JSON string, where its quotes
// would be escaped.
var fetchedMember = []byte(`"` + fetchedKey + `":`)

// withFetchTime returns the body with its fetch time changed from before to at; the same body if it has no fetch time or the
// two are equal.
func withFetchTime(body []byte, before, at time.Time) []byte {
	key := bytes.Index(body, fetchedMember)
	if key < 0 || at.Equal(before) {
		return body
	}
	start := key + len(fetchedMember)
	end := start + bytes.IndexAny(body[start:], ",}")
	w := jsonWriter{bytes: make([]byte, 0, len(body)+len(instantLayout))}
	w.bytes = append(w.bytes, body[:start]...)
	w.timestamp(at)
	w.bytes = append(w.bytes, body[end:]...)
	return w.bytes
}

// answer returns the endpoint's answer from the bodies of its datasets; former, which may be nil, if its content is the same.
func (e endpoint) answer(built map[market.Dataset]body, former *document) *document {
	var newest time.Time
	rows := 0
	for _, dataset := range e.datasets {
		rows += built[dataset].rows
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
	d := newDocument("application/json", content)
	d.rows = rows
	return d
}

func aggregateBody(parts []market.AggregatePart, built map[market.Dataset]body, newest time.Time) []byte {
	size := len(instantLayout)
	for _, p := range parts {
		size += len(p.Key) + len(built[p.Dataset].bytes)
	}
	const bytesOfRest = 64
	w := jsonWriter{bytes: make([]byte, 0, size+bytesOfRest)}
	w.open('{')
	w.key(fetchedKey).timestamp(newest)
	for _, p := range parts {
		w.key(p.Key).raw(built[p.Dataset].bytes)
	}
	w.close('}')
	return w.bytes
}
