package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"courant/store/market"
)

// ErrThinned is returned for a moment before 4 s steps of the period were thinned: what was known of them then is lost.
var ErrThinned = errors.New("4 s steps are no longer kept")

// ReadQuery is what to read of a dataset.
type ReadQuery struct {
	Dataset market.Dataset
	Period  market.Period // the rows that begin in it

	// Columns are names of the dataset's served columns and of market.ExtraColumns; nil: all of the dataset's own.
	Columns []string
	// Keys are the values that a served key may have, by its name; all if it is not named.
	Keys map[string][]string

	At           Position // of the commit after which the rows are read: Newest, BeforeAll or one that there is
	UpdatedSince Position // only rows with a value that was stored or changed by a later commit; 0: all

	Descending bool // by start; rows of one period stay in their order
	Skip       int  // rows at the beginning that are left out
	Limit      int  // most rows; 0: all
}

// Reading is the rows of a period as they were at one moment. What later commits change is not in it.
type Reading struct {
	Position  Position              // the last commit that is in it; 0: none
	Stamp     time.Time             // of that commit; zero if there is none
	Changed   Position              // the last commit in it that changed the dataset, or a later one in it
	ChangedAt time.Time             // the time of that commit; zero if there is none
	Latest    Position              // the last commit that changed the dataset, also if it came after the moment
	First     market.DeliveryDate   // the first date of the dataset that has a row today; zero if there is none
	Last      market.DeliveryDate   // the last one
	Thinned   []market.DeliveryDate // dates of the period that have 5 min values, by Buckets, instead of rows

	store *Store
	query ReadQuery
	plan  plan
}

// plan is what a reading needs of each row.
type plan struct {
	dataset    market.Dataset
	columns    []plannedColumn
	keys       []map[string]bool // of each served key the values that are read; nil: all
	at         moment
	since      moment // read only what changed after it, if sifts
	sifts      bool
	descending bool
}

// plannedColumn is a column that is read: of the series, by its place among its columns, or an extra one, by its name.
type plannedColumn struct {
	kind  market.Kind
	own   int
	extra string
}

// partReader reads the parts of a reading, one after the other.
type partReader interface {
	// load reads what is stored of a period of some delivery dates.
	load(ctx context.Context, tx *sql.Tx, period market.Period) error
	// next returns the next rows of what was loaded, which are valid until the next call; false if there are no more.
	next() (chunk market.Chunk, more bool, err error)
}

// Read begins to read the rows of a dataset as they are served, in the order in which they are served. The error is
// ErrNotFound if no commit has the position, and ErrThinned if 4 s steps of the period were thinned after it.
func (s *Store) Read(ctx context.Context, query ReadQuery) (*Reading, error) {
	r := &Reading{store: s, query: query}
	var err error
	if r.plan, err = newPlan(query); err == nil {
		err = s.read(ctx, func(tx *sql.Tx) error { return r.begin(ctx, tx) })
	}
	if err != nil {
		return nil, fmt.Errorf("store: read %s: %w", query.Dataset, err)
	}
	return r, nil
}

func newPlan(query ReadQuery) (plan, error) {
	p := plan{dataset: query.Dataset, descending: query.Descending}
	series := query.Dataset.Series()
	names, stored := query.Columns, tableOf(query.Dataset).storedColumns()
	served := series.ServedColumns()
	if names == nil {
		for _, column := range served {
			names = append(names, column.Name)
		}
	}
	for _, name := range names {
		if i := slices.IndexFunc(served, func(c market.ServedColumn) bool { return c.Name == name }); i >= 0 {
			p.columns = append(p.columns, plannedColumn{kind: served[i].Kind, own: slices.Index(stored, served[i].Stored)})
			continue
		}
		extra := market.ExtraColumns()
		i := slices.IndexFunc(extra, func(c market.ServedColumn) bool { return c.Name == name })
		if i < 0 {
			return plan{}, fmt.Errorf("there is no column %q", name)
		}
		p.columns = append(p.columns, plannedColumn{kind: extra[i].Kind, own: -1, extra: name})
	}
	keys := series.ServedKeys()
	for name := range query.Keys {
		if !slices.ContainsFunc(keys, func(k market.ServedKey) bool { return k.Name == name }) {
			return plan{}, fmt.Errorf("there is no key %q", name)
		}
	}
	for _, key := range keys {
		var wanted map[string]bool
		if values, isNamed := query.Keys[key.Name]; isNamed {
			wanted = map[string]bool{}
			for _, value := range values {
				wanted[value] = true
			}
		}
		p.keys = append(p.keys, wanted)
	}
	return p, nil
}

// reads reports whether an extra column is read.
func (p *plan) reads(extra string) bool {
	return slices.ContainsFunc(p.columns, func(c plannedColumn) bool { return c.extra == extra })
}

// begin finds the moment, and what is known of the dataset beside its rows.
func (r *Reading) begin(ctx context.Context, tx *sql.Tx) error {
	at := r.query.At
	if at == Newest {
		if err := tx.QueryRowContext(ctx, "SELECT ifnull(max(position), 0) FROM market_commit").Scan(&at); err != nil {
			return err
		}
	}
	if err := r.plan.at.read(ctx, tx, at); err != nil {
		return err
	}
	r.plan.sifts = r.query.UpdatedSince > 0
	if r.plan.sifts {
		if err := r.plan.since.read(ctx, tx, r.query.UpdatedSince); err != nil {
			return err
		}
	}
	r.Position = max(at, 0)
	if r.Position > 0 {
		err := tx.QueryRowContext(ctx, "SELECT stamp_ms FROM market_commit WHERE position = ?", r.Position).Scan(instant{&r.Stamp})
		if err != nil {
			return err
		}
	}
	var err error
	if r.Latest, err = lastChange(ctx, tx, r.plan.dataset); err != nil {
		return err
	}
	r.Changed = min(r.Latest, r.Position)
	if r.Changed > 0 {
		err := tx.QueryRowContext(ctx, "SELECT stamp_ms FROM market_commit WHERE position = ?", r.Changed).Scan(instant{&r.ChangedAt})
		if err != nil {
			return err
		}
	}
	err = tx.QueryRowContext(ctx, "SELECT min(delivery_date), max(delivery_date) FROM coverage WHERE dataset = ?", r.plan.dataset).Scan(&r.First, &r.Last)
	if err != nil || r.First.IsZero() {
		return err
	}
	within := r.within()
	if within.End <= within.Start {
		return nil
	}
	if err := r.plan.refuseThinned(ctx, tx, within); err != nil {
		return err
	}
	var date market.DeliveryDate
	rows, err := tx.QueryContext(ctx, `
		SELECT delivery_date FROM coverage WHERE dataset = ? AND series = ? AND delivery_date BETWEEN ? AND ? ORDER BY delivery_date`,
		r.plan.dataset, market.ThinnedSeries, market.DeliveryDateOf(within.From()), market.DeliveryDateOf(within.To().Add(-time.Second)))
	return eachRow(rows, err, []any{&date}, func() error {
		r.Thinned = append(r.Thinned, date)
		return nil
	})
}

// refuseThinned returns ErrThinned if 4 s steps of the period, which is not empty, were thinned after the moment, or came again
// after it to where they had been thinned.
func (p *plan) refuseThinned(ctx context.Context, tx *sql.Tx, period market.Period) error {
	if p.dataset != stepsDataset {
		return nil
	}
	var date market.DeliveryDate
	err := tx.QueryRowContext(ctx, "SELECT delivery_date FROM thinned_date WHERE delivery_date BETWEEN ? AND ? AND position > ? ORDER BY delivery_date LIMIT 1",
		market.DeliveryDateOf(period.From()), market.DeliveryDateOf(period.To().Add(-time.Second)), p.at.position).Scan(&date)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s was thinned after position %d: %w", date, p.at.position, ErrThinned)
}

// within is the part of the period in which the dataset has delivery dates today; it may be empty.
func (r *Reading) within() market.Period {
	if r.First.IsZero() {
		return market.Period{}
	}
	return r.query.Period.Intersect(market.NewPeriod(r.First.Start(), r.Last.End()))
}

// Part returns the reading of a part of its period, at the same moment.
func (r *Reading) Part(period market.Period) *Reading {
	part := *r
	part.query.Period = r.query.Period.Intersect(period)
	part.Thinned = slices.DeleteFunc(slices.Clone(r.Thinned), func(date market.DeliveryDate) bool {
		common := part.query.Period.Intersect(date.Period())
		return common.End <= common.Start
	})
	return &part
}

// parts cuts the period into those of some delivery dates each, in the order in which they are read.
func (r *Reading) parts(dates int) iter.Seq[market.Period] {
	return func(yield func(market.Period) bool) {
		within := r.within()
		if within.End <= within.Start || r.Position == 0 {
			return
		}
		first, last := market.DeliveryDateOf(within.From()), market.DeliveryDateOf(within.To().Add(-time.Second))
		for n := range first.DaysUntil(last)/dates + 1 {
			date := first.Add(n * dates)
			if r.query.Descending {
				date = last.Add(1 - (n+1)*dates)
			}
			if !yield(within.Intersect(market.NewPeriod(date.Start(), date.Add(dates).Start()))) {
				return
			}
		}
	}
}

// Chunks reads the rows little by little: an hour of 4 s steps, or a few delivery dates of other rows at once. It holds no
// transaction while it yields, and a chunk is valid until the next one. An error ends it: that of ctx as soon as ctx ends, and
// ErrThinned if 4 s steps of the period have been thinned meanwhile.
//
// Texts that only rise have no revisions: in a row that changed after a past moment they are no higher than they can have been then.
// Instants of the source have none either, and are given as they are now.
func (r *Reading) Chunks(ctx context.Context) iter.Seq2[market.Chunk, error] {
	return func(yield func(market.Chunk, error) bool) {
		p := r.plan
		p.at.late, p.since.late = maps.Clone(p.at.late), maps.Clone(p.since.late)
		reader, dates := tableOf(p.dataset).partReader(&p)
		cache, err := r.newCachedReader()
		skip, left := r.query.Skip, r.query.Limit
		// next returns the rows of the part that are left, of the cache or the reader.
		var cached []market.Chunk
		var isCached bool
		next := func() (market.Chunk, bool, error) {
			switch {
			case !isCached:
				return reader.next()
			case len(cached) == 0:
				return market.Chunk{}, false, nil
			}
			chunk := cached[0]
			cached = cached[1:]
			return chunk, true, nil
		}
		for period := range r.parts(dates) {
			if isCached = false; cache != nil {
				cached, isCached = cache.cached(period)
			}
			if err == nil && !isCached {
				err = r.store.read(ctx, func(tx *sql.Tx) error {
					if err := firstError(
						func() error { return p.at.refresh(ctx, tx) },
						func() error { return p.since.refresh(ctx, tx) },
						func() error { return p.refuseThinned(ctx, tx, period) },
					); err != nil {
						return err
					}
					if cache != nil {
						var err error
						if cached, isCached, err = cache.read(ctx, tx, period); err != nil || isCached {
							return err
						}
					}
					return reader.load(ctx, tx, period)
				})
			}
			for err == nil {
				var chunk market.Chunk
				var more bool
				if chunk, more, err = next(); err != nil || !more {
					break
				}
				if err = ctx.Err(); err != nil {
					break
				}
				n := chunk.Len()
				if skip >= n {
					skip -= n
					continue
				}
				to := n
				if r.query.Limit > 0 {
					to = min(n, skip+left)
				}
				cutChunk(&chunk, skip, to)
				left -= to - skip
				skip = 0
				if !yield(chunk, nil) || r.query.Limit > 0 && left == 0 {
					return
				}
			}
			if err != nil {
				yield(market.Chunk{}, fmt.Errorf("store: read %s: %w", p.dataset, err))
				return
			}
		}
	}
}

// Buckets reads the 5 min that begin in the period and are kept in the place of 4 s steps, a delivery date at once and in the
// order of the reading. It neither skips nor limits. Errors are as those of Chunks.
func (r *Reading) Buckets(ctx context.Context) iter.Seq2[[]market.AFRRBucket, error] {
	return func(yield func([]market.AFRRBucket, error) bool) {
		dates := slices.Clone(r.Thinned)
		if r.query.Descending {
			slices.Reverse(dates)
		}
		for _, date := range dates {
			var buckets []market.AFRRBucket
			err := r.store.read(ctx, func(tx *sql.Tx) (err error) {
				period := r.query.Period.Intersect(date.Period())
				if err := r.plan.refuseThinned(ctx, tx, period); err != nil {
					return err
				}
				buckets, err = selectBuckets(ctx, tx, period)
				return err
			})
			if err != nil {
				yield(nil, fmt.Errorf("store: read %s: %w", r.plan.dataset, err))
				return
			}
			if r.query.Descending {
				slices.Reverse(buckets)
			}
			if !yield(buckets, nil) {
				return
			}
		}
	}
}

// servedRows reads the newest rows of a dataset that begin in a period, all at once.
func servedRows(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period) (market.Chunk, error) {
	r := &Reading{query: ReadQuery{Dataset: dataset, Period: period}}
	var err error
	if r.plan, err = newPlan(r.query); err != nil {
		return market.Chunk{}, err
	}
	if err := r.begin(ctx, tx); err != nil {
		return market.Chunk{}, err
	}
	var rows market.Chunk
	reader, dates := tableOf(dataset).partReader(&r.plan)
	for part := range r.parts(dates) {
		if err := reader.load(ctx, tx, part); err != nil {
			return market.Chunk{}, err
		}
		for {
			chunk, more, err := reader.next()
			if err != nil {
				return market.Chunk{}, err
			}
			if !more {
				break
			}
			rows.Append(chunk)
		}
	}
	return rows, nil
}
