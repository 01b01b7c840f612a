package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"slices"
	"time"

	"courant/store/market"
)

// WriterPool is the one connection that writes, so that a test can ask SQLite itself.
func (s *Store) WriterPool() *sql.DB { return s.writer }

// WriteConn is the connection that writes, as a write gets it.
func (s *Store) WriteConn(ctx context.Context) (*sql.Conn, error) { return s.writeConn(ctx) }

// ReaderPool is the connections that only read.
func (s *Store) ReaderPool() *sql.DB { return s.reader }

// NewestRunQueries find a dataset's newest runs.
func NewestRunQueries() map[string][]any {
	return map[string][]any{
		ofNewest("ended_ms", readNewestDate):   {market.AFRREnergy},
		ofNewest("ended_ms", changedSomething): {market.AFRREnergy},
	}
}

// MakeOld makes a database of an earlier schema, and runs statements in it.
func MakeOld(ctx context.Context, path string, version int64, statements string) error {
	s := &Store{path: path, file: path, busy: busyTimeout}
	if _, err := s.prepare(); err != nil {
		return err
	}
	if err := s.create(ctx); err != nil {
		return err
	}
	db, err := s.pool(ctx, 1, "_txlock=immediate")
	if err != nil {
		return err
	}
	defer db.Close()
	provider, err := migrator(db)
	if err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, version); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statements)
	return err
}

// NewestSchema is the newest schema.
func NewestSchema(ctx context.Context, db *sql.DB) (int64, error) {
	provider, err := migrator(db)
	if err != nil {
		return 0, err
	}
	_, latest, err := provider.GetVersions(ctx)
	return latest, err
}

// Schemas lists the schemas that there have been, ascending.
func Schemas(db *sql.DB) ([]int64, error) {
	provider, err := migrator(db)
	if err != nil {
		return nil, err
	}
	var schemas []int64
	for _, source := range provider.ListSources() {
		schemas = append(schemas, source.Version)
	}
	return schemas, nil
}

// Use has the database in use as an open store has it.
func Use(path string) (release func() error, err error) {
	s := &Store{path: path, file: path, busy: busyTimeout}
	return s.unlock, s.lockOut()
}

// OpenOnce is Open that does not wait for other programs.
func OpenOnce(ctx context.Context, path string) error {
	s := &Store{path: path, file: path, busy: busyTimeout}
	if err := s.open(ctx); !errors.Is(err, errOutdated) {
		return err
	}
	return s.upgrade(ctx)
}

// PackedHour is an hour of 4 s steps as the database holds it, with a checksum that is right.
func PackedHour(start int64, rows int, runs, decimals, numbers []byte) (unpack func() ([]market.AFRRStep, error)) {
	p := packedHour{start: start, rows: rows, runs: runs, decimals: decimals, numbers: numbers}
	p.checksum = p.sum()
	return func() ([]market.AFRRStep, error) {
		steps, err := p.unpack(nil)
		var found []market.AFRRStep
		for _, step := range steps {
			found = append(found, step.row)
		}
		return found, err
	}
}

// RevisedHour reads what changed of an hour of 4 s steps, with a checksum that is right: how many steps, and how many values.
func RevisedHour(hour, seen int64, steps int, runs, changes []byte) (revised, values int, err error) {
	p := revisedHour{hour: hour, seen: seen, steps: steps, runs: runs, changes: changes}
	p.checksum = p.sum()
	found, err := p.unpack()
	for _, step := range found {
		values += bits.OnesCount(step.columns)
	}
	return len(found), values, err
}

// singleSteps is the table in which each 4 s step was a row of its own.
var singleSteps = func() layout[market.AFRRStep] {
	l := layoutOf(market.AFRR)
	l.table = "afrr_energy_row"
	return l
}()

// HoursPerSummary is how many hours are summarised in one transaction.
const HoursPerSummary = hoursPerSummary

// MakeStepRows makes the table in which each 4 s step was a row of its own.
func (s *Store) MakeStepRows(ctx context.Context) error {
	_, err := s.writer.ExecContext(ctx, `CREATE TABLE afrr_energy_row (
		start INTEGER PRIMARY KEY, upward_price REAL, downward_price REAL, demand_mw REAL, for_france_mw REAL, in_france_mw REAL,
		picasso_connection INTEGER, prorata_mode INTEGER, first_seen_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL) STRICT`)
	return err
}

// CommitStepRows is Commit as it was while each 4 s step was a row of its own.
func (s *Store) CommitStepRows(ctx context.Context, run *Run, rows []market.AFRRStep) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		w, err := newWriting(ctx, tx, run)
		if err != nil {
			return err
		}
		if err := singleSteps.upsert(w, market.AFRR.Batch(rows)); err != nil {
			return err
		}
		return insertRun(ctx, tx, run, w.changed)
	})
}

// StoredWindow is a Window with the rows as they are stored.
type StoredWindow[R any] struct {
	Window
	Rows []R
}

// Latest reads the newest part of a dataset, as LatestRows does, with its rows as they are stored.
func Latest[R comparable](ctx context.Context, s *Store, series *market.Series[R], dataset market.Dataset, days int) (StoredWindow[R], error) {
	window, err := s.LatestRows(ctx, dataset, days)
	if err != nil || window.Last.IsZero() {
		return StoredWindow[R]{Window: window}, err
	}
	rows, err := Within(ctx, s, series, dataset, market.NewPeriod(window.Last.Add(1-days).Start(), window.Last.End()))
	return StoredWindow[R]{window, rows}, err
}

// AFRRBucketsWithin returns the means of 5 min that begin in a period, ascending, whether they are stored or its steps are.
// thinned reports whether any are stored.
func (s *Store) AFRRBucketsWithin(ctx context.Context, period market.Period) (buckets []market.AFRRBucket, thinned bool, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		steps, err := selectSteps(ctx, tx, period)
		if err != nil {
			return err
		}
		stored, err := selectBuckets(ctx, tx, period)
		thinned = len(stored) > 0
		buckets = append(stored, market.AFRRBuckets(steps)...)
		slices.SortFunc(buckets, func(a, b market.AFRRBucket) int { return cmp.Compare(a.Start, b.Start) })
		return err
	})
	return buckets, thinned, err
}

// StepRowsWithin is AFRRWithin as it was while each 4 s step was a row of its own.
func (s *Store) StepRowsWithin(ctx context.Context, period market.Period) ([]market.AFRRStep, error) {
	var rows []market.AFRRStep
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		rows, err = singleSteps.selectPeriod(ctx, tx, market.AFRREnergy, period)
		return err
	})
	return rows, err
}

// StartUpgrade begins to bring a database up to date as Open does, and stops as a program that is killed does: after the database was
// saved, if saves, and when it has that schema.
func StartUpgrade(ctx context.Context, path string, saves bool, schema int64) error {
	alone := &Store{path: path, file: path, busy: busyTimeout}
	var err error
	if alone.writer, err = alone.pool(ctx, 1, "_txlock=immediate"); err != nil {
		return err
	}
	defer alone.writer.Close()
	alone.reader = alone.writer
	provider, err := migrator(alone.writer)
	if err != nil {
		return err
	}
	from, _, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if saves {
		if err := alone.backup(ctx, savedName(path, from), replaceExisting); err != nil {
			return err
		}
	}
	_, err = provider.UpTo(ctx, schema)
	return err
}

// NewPart begins a file as a backup to path does; stop removes it.
func NewPart(path string) (name string, stop func(), err error) {
	p, err := NewUnfinishedFile(path)
	if err != nil {
		return "", nil, err
	}
	return p.name, p.Remove, nil
}

// BreakWatch closes the readers under the watchers.
func (s *Store) BreakWatch() error { return s.reader.Close() }

// StoreSteps stores the 4 s steps of one delivery date as a commit does, where nothing is stored yet, in a fraction of the time.
func (s *Store) StoreSteps(ctx context.Context, now time.Time, rows []market.AFRRStep) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		w, err := newWriting(ctx, tx, &Run{Ended: now})
		if err != nil {
			return err
		}
		insert, err := insertHours(ctx, tx)
		if err != nil {
			return err
		}
		summaries, err := newSummaryWriter(ctx, tx)
		if err != nil {
			return err
		}
		var calendar market.Calendar
		var steps []heldStep
		cover := coverage{}
		for i := range rows {
			steps = append(steps, heldStep{row: rows[i], firstSeen: w.now})
			hour := market.HourOf(rows[i].Start)
			if i+1 < len(rows) && market.HourOf(rows[i+1].Start) == hour {
				continue
			}
			summary, err := insertHour(ctx, insert, hour, steps)
			if err != nil {
				return err
			}
			if err := summaries.write(ctx, summary, w.now); err != nil {
				return err
			}
			key := datedKey{stepsDataset, calendar.DateOf(hour)}
			cover.add(coverKey{key, ""}, len(steps), rows[i].Start)
			w.noteChange(key, steps[0].row.Start, rows[i].Start, len(steps))
			steps = steps[:0]
		}
		if err := cover.write(w); err != nil {
			return err
		}
		return w.record()
	})
}

// MostCachedBytes is the limit of cached rows.
const MostCachedBytes = mostCachedBytes

// CacheRows caches so many rows of prices for a date, and returns the bytes of all that is cached.
func (s *Store) CacheRows(date market.DeliveryDate, rows int) int {
	chunk := market.Chunk{Starts: make([]int64, rows), Columns: make([]market.Vector, 4)}
	s.chunks.put(cachedDate{market.DayAheadPrices, date}, cachedChunk{changed: 1, chunk: chunk})
	return s.chunks.bytes
}
