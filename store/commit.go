package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"courant/store/market"
)

// rowsPerInsert is how many rows one statement writes; larger ones gain nothing more.
const rowsPerInsert = 60

// Commit keeps what a run brought and the account of the run itself, in one transaction. It fills in, for each of
// the run's datasets, the rows seen and the rows changed: a row that is stored already as it came is not written.
func (s *Store) Commit(ctx context.Context, run *Run, batch market.Batch) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return commit(ctx, tx, run, batch) })
	if err != nil {
		run.Tallies = nil // nothing was stored
		return fmt.Errorf("store: commit of %s: %w", run.Feed, err)
	}
	return nil
}

func commit(ctx context.Context, tx *sql.Tx, run *Run, batch market.Batch) error {
	w, err := newWriting(ctx, tx, run)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := table.upsert(w, batch); err != nil {
			return err
		}
	}
	if err := w.record(); err != nil {
		return err
	}
	if err := supersede(w, run, batch); err != nil {
		return err
	}
	run.Tallies = map[market.Dataset]Tally{}
	for dataset, tally := range w.tallies {
		run.Tallies[dataset] = *tally
	}
	if err := insertRun(ctx, tx, run, w.changed); err != nil {
		return err
	}
	if run.FetchID == 0 || run.Outcome != OutcomeOK {
		return nil
	}
	_, err = tx.ExecContext(ctx, "INSERT OR IGNORE INTO fetch_window (fetch_id, window_start) SELECT id, ? FROM fetch WHERE id = ?",
		run.Window.Start, run.FetchID)
	return err
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// writing is one commit under way.
type writing struct {
	ctx      context.Context
	tx       *sql.Tx
	now      int64 // the commit's stamp, ms; no other commit has it
	tallies  map[market.Dataset]*Tally
	changed  map[datedKey]bool            // a row of the date is new or has another value
	changes  map[datedKey]*Change         // what is served differently; the position is not known yet
	covers   map[coverKey]int             // rows that are new, less those that are gone
	restored map[market.DeliveryDate]bool // 4 s steps have taken the place of what was thinned

	insertRevision *sql.Stmt // nil until a value changes
}

func newWriting(ctx context.Context, tx *sql.Tx, run *Run) (*writing, error) {
	now, err := nextStamp(ctx, tx, run.Ended.Add(-run.ClockAhead))
	if err != nil {
		return nil, err
	}
	w := &writing{ctx: ctx, tx: tx, now: now, tallies: map[market.Dataset]*Tally{}, changed: map[datedKey]bool{},
		changes: map[datedKey]*Change{}, covers: map[coverKey]int{}, restored: map[market.DeliveryDate]bool{}}
	for _, dataset := range run.Datasets {
		w.tallies[dataset] = &Tally{}
	}
	return w, nil
}

// datedKey is a delivery date of a dataset.
type datedKey struct {
	dataset market.Dataset
	date    market.DeliveryDate
}

// tally is what the run brings of a dataset, which it has to have asked for.
func (w *writing) tally(dataset market.Dataset) (*Tally, error) {
	tally, asked := w.tallies[dataset]
	if !asked {
		return nil, fmt.Errorf("a row of %s in a run that did not ask for it", dataset)
	}
	return tally, nil
}

// servedRows is as how many rows of the series' step a row is served.
func (l layout[R]) servedRows(r *R) int {
	if l.Lasts == nil {
		return 1
	}
	return int(l.Lasts(r) / l.Step)
}

// lastStart is the start of the last of them, seconds UTC.
func (l layout[R]) lastStart(r *R) int64 { return *l.Start(r) + int64(l.servedRows(r)-1)*l.Step }

type storedRow[R any] struct {
	row       R
	firstSeen int64 // ms
	changedAt int64 // ms
}

// upsert writes the rows that are new or differ from what is stored, and what they differ from.
func (l layout[R]) upsert(w *writing, batch market.Batch) error {
	rows := l.In(batch)
	if len(rows) == 0 {
		return nil
	}
	first, last := *l.Start(&rows[0]), *l.Start(&rows[0])
	for i := range rows {
		tally, err := w.tally(l.DatasetOf(&rows[i]))
		if err != nil {
			return err
		}
		tally.Seen++
		first, last = min(first, *l.Start(&rows[i])), max(last, *l.Start(&rows[i]))
	}
	stored, err := storedRows(w.ctx, w.tx, l, market.Period{Start: first, End: last + 1})
	if err != nil {
		return err
	}
	var written []storedRow[R]
	var calendar market.Calendar
	cover := coverage{}
	for _, row := range l.joined(rows) {
		key := l.rowKey(&row)
		dated := datedKey{key.dataset, calendar.DateOf(key.start)}
		before, known := stored[key]
		row, older := l.Merge(before.row, row)
		switch {
		case older:
			w.tallies[key.dataset].Older++
			continue
		case known && row == before.row:
			continue
		case known && l.SameValues(row, before.row):
			if !l.IsServedAlike(&row, &before.row) {
				w.tallies[key.dataset].Changed++
				w.noteChange(dated, key.start, l.lastStart(&row), l.servedRows(&row))
			}
			if l.HasRisen(&before.row, &row) {
				before.changedAt = w.now
			}
			written = append(written, storedRow[R]{row, before.firstSeen, before.changedAt})
			continue
		case known:
			if err := revise(w, l, key, before, row); err != nil {
				return err
			}
		default:
			before.firstSeen = w.now
			cover.add(coverKey{dated, key.series}, 1, key.start)
			if err := replaceStandIn(w, l, key, stored, row); err != nil {
				return err
			}
		}
		w.tallies[key.dataset].Changed++
		w.changed[dated] = true
		w.noteChange(dated, key.start, l.lastStart(&row), l.servedRows(&row))
		written = append(written, storedRow[R]{row, before.firstSeen, w.now})
	}
	if err := write(w, l, written); err != nil {
		return err
	}
	return cover.write(w)
}

// write writes rows that are new or differ from what is stored.
func write[R comparable](w *writing, l layout[R], rows []storedRow[R]) error {
	var insert *sql.Stmt
	var fields []any
	prepared := 0 // how many rows insert writes
	for chunk := range slices.Chunk(rows, rowsPerInsert) {
		if prepared != len(chunk) {
			var err error
			if insert, err = w.tx.PrepareContext(w.ctx, l.upsertRows(len(chunk))); err != nil {
				return err
			}
			prepared = len(chunk)
		}
		fields = fields[:0]
		for i := range chunk {
			fields = append(append(fields, l.Fields(&chunk[i].row)...), chunk[i].firstSeen, chunk[i].changedAt)
		}
		if _, err := insert.ExecContext(w.ctx, fields...); err != nil {
			return err
		}
	}
	return nil
}

// joined makes one row of those of a batch that have the same key.
func (l layout[R]) joined(rows []R) []R {
	folded := make([]R, 0, len(rows))
	at := make(map[rowKey]int, len(rows))
	repeated := map[int][]R{} // by place in folded
	for i := range rows {
		key := l.rowKey(&rows[i])
		place, twice := at[key]
		if !twice {
			at[key] = len(folded)
			folded = append(folded, rows[i])
			continue
		}
		if repeated[place] == nil {
			repeated[place] = []R{folded[place]}
		}
		repeated[place] = append(repeated[place], rows[i])
	}
	for place, same := range repeated {
		folded[place] = l.Join(same...)
	}
	return folded
}

// storedRows reads what the table holds of the period.
func storedRows[R comparable](ctx context.Context, tx *sql.Tx, l layout[R], period market.Period) (map[rowKey]storedRow[R], error) {
	found, err := tx.QueryContext(ctx, l.selectRows(", first_seen_ms, changed_ms")+" WHERE start >= ? AND start < ?", period.Start, period.End)
	if err != nil {
		return nil, err
	}
	stored := map[rowKey]storedRow[R]{}
	var firstSeen, changedAt int64
	err = l.scan(found, []any{&firstSeen, &changedAt}, func(row R) {
		stored[l.rowKey(&row)] = storedRow[R]{row, firstSeen, changedAt}
	})
	return stored, err
}

// revise notes each value of a row that changes, with the instants between which the old one was current.
func revise[R comparable](w *writing, l layout[R], key rowKey, before storedRow[R], after R) (err error) {
	if w.insertRevision == nil {
		w.insertRevision, err = w.tx.PrepareContext(w.ctx, `
			INSERT INTO revision (dataset, start, series, column_name, old, new, old_text, new_text, since_ms, seen_ms)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, coalesce((SELECT seen_ms FROM revision
				WHERE dataset = ?1 AND start = ?2 AND series = ?3 AND column_name = ?4 ORDER BY id DESC LIMIT 1), ?9), ?10)`)
		if err != nil {
			return err
		}
	}
	old, new := l.Values(&before.row), l.Values(&after)
	for i, column := range l.Revised() {
		if old[i] == new[i] {
			continue
		}
		if new[i].IsNull() && !column.Remark {
			w.tallies[key.dataset].Withdrawn++
		}
		_, err := w.insertRevision.ExecContext(w.ctx, key.dataset, key.start, key.series, column.Name,
			old[i].Number, new[i].Number, old[i].Text, new[i].Text, before.firstSeen, w.now)
		if err != nil {
			return err
		}
	}
	return nil
}

// replaceStandIn notes that a new row is served from now on in the place of the one that stood in for it.
func replaceStandIn[R comparable](w *writing, l layout[R], key rowKey, stored map[rowKey]storedRow[R], row R) error {
	if l.StandIn == nil {
		return nil
	}
	other := l.StandIn(row)
	stood, was := stored[l.rowKey(&other)]
	if !was {
		return nil
	}
	stood.firstSeen = stood.changedAt // it was served as it is now from then on
	return revise(w, l, key, stood, row)
}

// coverage counts the rows that a commit adds to each series of a delivery date, less those that it removes.
type coverage map[coverKey]*cover

type coverKey struct {
	datedKey
	series string
}

type cover struct {
	rows   int
	newest int64 // start, seconds UTC
}

func (c coverage) add(key coverKey, rows int, newest int64) {
	if c[key] == nil {
		c[key] = &cover{}
	}
	c[key].rows += rows
	c[key].newest = max(c[key].newest, newest)
}

func (c coverage) write(w *writing) error {
	for k, added := range c {
		w.covers[k] += added.rows
		_, err := w.tx.ExecContext(w.ctx, `
			INSERT INTO coverage (dataset, delivery_date, series, rows, newest_start) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (dataset, delivery_date, series)
			DO UPDATE SET rows = rows + excluded.rows, newest_start = max(newest_start, excluded.newest_start)`,
			k.dataset, k.date, k.series, added.rows, added.newest)
		if err != nil {
			return err
		}
		if added.rows >= 0 {
			continue
		}
		_, err = w.tx.ExecContext(w.ctx, "DELETE FROM coverage WHERE dataset = ? AND delivery_date = ? AND series = ? AND rows <= 0", k.dataset, k.date, k.series)
		if err != nil {
			return err
		}
	}
	return nil
}

func milliseconds(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
