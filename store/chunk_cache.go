package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"

	"courant/store/market"
)

// mostCachedBytes is about how much memory the cached rows take at most.
const mostCachedBytes = 8 << 20

// chunkCache holds the rows of delivery dates as they were served after a commit, so that a range that is read again is not
// decoded again. What the rows of a date were after a commit never changes, so an entry needs no invalidation: it is used by
// readings whose last commit of the dataset is the same, and replaced when the date is read after a later one.
type chunkCache struct {
	mu    sync.Mutex
	dates map[cachedDate]cachedChunk
	bytes int
}

type cachedDate struct {
	dataset market.Dataset
	date    market.DeliveryDate
}

// cachedChunk is all rows of a date with all columns, ascending. It is shared and must not be changed.
type cachedChunk struct {
	changed Position // the last commit of the dataset that is in it
	chunk   market.Chunk
	bytes   int
}

func (c *chunkCache) get(key cachedDate, changed Position) (market.Chunk, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, is := c.dates[key]
	return entry.chunk, is && entry.changed == changed
}

// put adds an entry and, if there is no more room, removes others, whichever they are.
func (c *chunkCache) put(key cachedDate, entry cachedChunk) {
	const bytesOfTime, bytesOfKey, bytesOfValue = 8, 16, 17
	entry.bytes = entry.chunk.Len() * (2*bytesOfTime + len(entry.chunk.Keys)*bytesOfKey + len(entry.chunk.Columns)*bytesOfValue)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dates == nil {
		c.dates = map[cachedDate]cachedChunk{}
	}
	c.remove(key)
	for other := range c.dates {
		if c.bytes+entry.bytes <= mostCachedBytes {
			break
		}
		c.remove(other)
	}
	c.dates[key], c.bytes = entry, c.bytes+entry.bytes
}

// remove removes an entry if there is one. The caller holds the lock.
func (c *chunkCache) remove(key cachedDate) {
	c.bytes -= c.dates[key].bytes
	delete(c.dates, key)
}

// cachedReader reads parts of a reading by whole delivery dates, which it takes from the cache and adds to it.
type cachedReader struct {
	cache   *chunkCache
	plan    plan // of all columns
	columns []int
	changed Position
}

// newCachedReader returns a reader of what the reading asks for; nil if that is not cached: a moment after which the dataset has
// changed, some rows of a date only, another order, and 4 s steps, which are many and packed.
func (r *Reading) newCachedReader() (*cachedReader, error) {
	if r.plan.sifts || r.plan.descending || r.plan.dataset == stepsDataset || r.Latest > r.Position || r.Changed == 0 ||
		slices.ContainsFunc(r.plan.keys, func(wanted map[string]bool) bool { return wanted != nil }) {
		return nil, nil
	}
	var names []string
	for _, column := range slices.Concat(r.plan.dataset.Series().ServedColumns(), market.ExtraColumns()) {
		names = append(names, column.Name)
	}
	whole, err := newPlan(ReadQuery{Dataset: r.plan.dataset, Columns: names})
	if err != nil {
		return nil, err
	}
	whole.at = r.plan.at
	c := &cachedReader{cache: &r.store.chunks, plan: whole, changed: r.Changed}
	for _, column := range r.plan.columns {
		c.columns = append(c.columns, slices.Index(whole.columns, column))
	}
	return c, nil
}

// cached returns the rows of a period, a chunk for each of its delivery dates; false if one of the dates is not cached.
func (c *cachedReader) cached(period market.Period) ([]market.Chunk, bool) {
	var chunks []market.Chunk
	for _, date := range period.Dates() {
		chunk, is := c.cache.get(cachedDate{c.plan.dataset, date}, c.changed)
		if !is {
			return nil, false
		}
		chunks = append(chunks, c.cut(chunk, period))
	}
	return chunks, true
}

// read reads the rows of a period, as cached returns them; false if the dataset has changed after the moment of the reading.
func (c *cachedReader) read(ctx context.Context, tx *sql.Tx, period market.Period) ([]market.Chunk, bool, error) {
	changed, err := lastChange(ctx, tx, c.plan.dataset)
	if err != nil || changed != c.changed {
		return nil, false, err
	}
	var chunks []market.Chunk
	for _, date := range period.Dates() {
		chunk, is := c.cache.get(cachedDate{c.plan.dataset, date}, c.changed)
		if !is {
			reader, _ := tableOf(c.plan.dataset).partReader(&c.plan)
			if err := reader.load(ctx, tx, date.Period()); err != nil {
				return nil, false, err
			}
			if chunk, _, err = reader.next(); err != nil { // all rows at once
				return nil, false, err
			}
			c.cache.put(cachedDate{c.plan.dataset, date}, cachedChunk{changed: c.changed, chunk: chunk})
		}
		chunks = append(chunks, c.cut(chunk, period))
	}
	return chunks, true, nil
}

// cut returns the rows of a period, with the columns that are read.
func (c *cachedReader) cut(chunk market.Chunk, period market.Period) market.Chunk {
	if chunk.Len() == 0 {
		return chunk
	}
	chosen := chunk
	chosen.Columns = make([]market.Vector, len(c.columns))
	for i, column := range c.columns {
		chosen.Columns[i] = chunk.Columns[column]
	}
	from, _ := slices.BinarySearch(chunk.Starts, period.Start)
	to, _ := slices.BinarySearch(chunk.Starts, period.End)
	cutChunk(&chosen, from, to)
	return chosen
}

// lastChange returns the position of the last commit that changed a dataset; 0 if there is none.
func lastChange(ctx context.Context, tx *sql.Tx, dataset market.Dataset) (Position, error) {
	var changed Position
	err := tx.QueryRowContext(ctx, "SELECT position FROM dataset_commit WHERE dataset = ?", dataset).Scan(&changed)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return changed, err
}
