package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"courant/store/market"
)

// Position is the place of a commit among all that changed what is served, from 1 on. Positions order commits; clocks do not.
type Position int64

const (
	// Newest stands for the position of the newest commit when something is read.
	Newest Position = 0
	// BeforeAll is the position before the first commit, when nothing was known.
	BeforeAll Position = -1
)

// ErrChangesPruned is returned for changes that are no longer listed.
var ErrChangesPruned = errors.New("the changes are no longer listed")

// changeLifetime is how long the changes of a commit are listed.
const changeLifetime = 7 * 24 * time.Hour

// mostPruned is how many lines of changes a commit looks at to delete old ones. It is more than a commit adds.
const mostPruned = 500

// Change is what a commit changed of one delivery date of a dataset.
type Change struct {
	Position    Position
	Stamp       time.Time // of the commit
	Dataset     market.Dataset
	Date        market.DeliveryDate
	First, Last int64 // starts of the first and the last period that changed, seconds UTC
	Rows        int   // that are new, changed or thinned, as they are served
	Completed   bool  // every period of the date can be served since this commit
}

// nextStamp returns the first millisecond from an instant on that no commit has as its stamp.
func nextStamp(ctx context.Context, tx *sql.Tx, at time.Time) (int64, error) {
	stamp := at.UnixMilli()
	var taken int64
	err := tx.QueryRowContext(ctx, `
		SELECT stamp_ms FROM market_commit AS c WHERE stamp_ms >= ?1 AND EXISTS (SELECT 1 FROM market_commit WHERE stamp_ms = ?1)
			AND NOT EXISTS (SELECT 1 FROM market_commit WHERE stamp_ms = c.stamp_ms + 1)
		ORDER BY stamp_ms LIMIT 1`, stamp).Scan(&taken)
	if errors.Is(err, sql.ErrNoRows) {
		return stamp, nil
	}
	return taken + 1, err
}

// recordCommit gives a commit that has changed something its position, and stores what it has changed.
func recordCommit(ctx context.Context, tx *sql.Tx, stamp int64, changes map[datedKey]*Change) (Position, error) {
	var position Position
	err := tx.QueryRowContext(ctx, `
		INSERT INTO market_commit (stamp_ms, latest_ms)
		VALUES (?1, max(?1, ifnull((SELECT latest_ms FROM market_commit ORDER BY position DESC LIMIT 1), ?1))) RETURNING position`,
		stamp).Scan(&position)
	if err != nil {
		return 0, err
	}
	for key, c := range changes {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO change (position, dataset, delivery_date, first_start, last_start, rows, completed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			position, key.dataset, key.date, c.First, c.Last, c.Rows, c.Completed)
		if err != nil {
			return 0, err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO dataset_commit (dataset, position) VALUES (?1, ?2) ON CONFLICT (dataset) DO UPDATE SET position = ?2`,
			key.dataset, position)
		if err != nil {
			return 0, err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO month_commit (dataset, month, position) VALUES (?1, ?2, ?3) ON CONFLICT (dataset, month) DO UPDATE SET position = ?3`,
			key.dataset, market.MonthOf(key.date).String(), position)
		if err != nil {
			return 0, err
		}
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM change WHERE position IN (
			SELECT position FROM (SELECT position FROM change ORDER BY position LIMIT ?) JOIN market_commit USING (position) WHERE stamp_ms < ?)`,
		mostPruned, stamp-changeLifetime.Milliseconds())
	return position, err
}

// setThinned notes from which commit on what is stored of a delivery date of thinned 4 s steps is as it was.
func setThinned(ctx context.Context, tx *sql.Tx, date market.DeliveryDate, position Position) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO thinned_date (delivery_date, position) VALUES (?1, ?2) ON CONFLICT (delivery_date) DO UPDATE SET position = ?2`,
		date, position)
	return err
}

// noteChange adds rows of a delivery date, which begin from first to last, to what the commit has changed.
func (w *writing) noteChange(key datedKey, first, last int64, rows int) {
	c := w.changes[key]
	if c == nil {
		c = &Change{First: first, Last: last}
		w.changes[key] = c
	}
	c.First, c.Last = min(c.First, first), max(c.Last, last)
	c.Rows += rows
}

// record gives the commit its position if it has changed something.
func (w *writing) record() error {
	if len(w.changes) == 0 {
		return nil
	}
	if err := w.noteCompleted(); err != nil {
		return err
	}
	position, err := recordCommit(w.ctx, w.tx, w.now, w.changes)
	if err != nil {
		return err
	}
	for date := range w.restored {
		if err := setThinned(w.ctx, w.tx, date, position); err != nil {
			return err
		}
	}
	return nil
}

// Changes lists what the commits after a position have changed, in the order of their positions: all of each commit, and no more
// commits once there are that many lines. The error is ErrChangesPruned if the changes of one of the commits after the position are no
// longer listed.
func (s *Store) Changes(ctx context.Context, after Position, most int) ([]Change, error) {
	var changes []Change
	err := s.read(ctx, func(tx *sql.Tx) error {
		var pruned bool
		err := tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM market_commit AS c WHERE position > ? AND NOT EXISTS (SELECT 1 FROM change WHERE position = c.position))`,
			after).Scan(&pruned)
		if err != nil {
			return err
		}
		if pruned {
			return fmt.Errorf("after position %d: %w", after, ErrChangesPruned)
		}
		rows, err := tx.QueryContext(ctx, `
			SELECT position, stamp_ms, dataset, delivery_date, first_start, last_start, rows, completed FROM change JOIN market_commit USING (position)
			WHERE position > ?1 AND position <= ifnull((SELECT position FROM change WHERE position > ?1 ORDER BY position LIMIT 1 OFFSET ?2), ?3)
			ORDER BY position`, after, max(most-1, 0), int64(1)<<62)
		changes, err = collect(rows, err, func(c *Change) []any {
			return []any{&c.Position, instant{&c.Stamp}, &c.Dataset, &c.Date, &c.First, &c.Last, &c.Rows, &c.Completed}
		})
		return err
	})
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(datasetRank(a.Dataset), datasetRank(b.Dataset)), cmp.Compare(a.First, b.First))
	})
	return changes, wrap("changes", err)
}

// datasetRank is the place of a dataset in the order in which datasets are shown.
func datasetRank(dataset market.Dataset) int { return slices.Index(market.Datasets(), dataset) }

// FirstListed returns the first position after which Changes lists the changes of all commits.
func (s *Store) FirstListed(ctx context.Context) (Position, error) {
	var first Position
	err := s.reader.QueryRowContext(ctx, `
		SELECT ifnull((SELECT position FROM market_commit AS c WHERE NOT EXISTS (SELECT 1 FROM change WHERE position = c.position)
			ORDER BY position DESC LIMIT 1), 0)`).Scan(&first)
	return first, wrap("position", s.explain(err))
}

// NewestPosition returns the position of the newest commit; 0 if there is none.
func (s *Store) NewestPosition(ctx context.Context) (Position, error) {
	var newest Position
	err := s.reader.QueryRowContext(ctx, "SELECT ifnull(max(position), 0) FROM market_commit").Scan(&newest)
	return newest, wrap("position", s.explain(err))
}

// PositionAt returns the position of the last commit whose stamp is not after an instant; BeforeAll if there is none.
func (s *Store) PositionAt(ctx context.Context, at time.Time) (Position, error) {
	// Where no clock went back, stamps ascend with positions.
	var position sql.Null[Position]
	err := s.reader.QueryRowContext(ctx, `
		SELECT max(position) FROM (
			SELECT * FROM (SELECT position FROM market_commit WHERE stamp_ms <= ?1 AND stamp_ms = latest_ms ORDER BY stamp_ms DESC LIMIT 1)
			UNION ALL
			SELECT max(position) FROM market_commit WHERE stamp_ms < latest_ms AND stamp_ms <= ?1)`, at.UnixMilli()).Scan(&position)
	if err != nil {
		return 0, wrap("position", s.explain(err))
	}
	if !position.Valid {
		return BeforeAll, nil
	}
	return position.V, nil
}

// PositionBefore returns the position before the first commit whose stamp is not before an instant in whole ms: what changed from
// the instant on was changed after this position. If a clock was wrong, commits after it may have earlier stamps; none is left
// out. It is BeforeAll if every commit comes after the position.
func (s *Store) PositionBefore(ctx context.Context, at time.Time) (Position, error) {
	var first, newest sql.Null[Position]
	err := s.reader.QueryRowContext(ctx, `
		SELECT min(position), (SELECT max(position) FROM market_commit) FROM (
			SELECT * FROM (SELECT position FROM market_commit WHERE stamp_ms >= ?1 AND stamp_ms = latest_ms ORDER BY stamp_ms LIMIT 1)
			UNION ALL
			SELECT min(position) FROM market_commit WHERE stamp_ms < latest_ms AND stamp_ms >= ?1)`, at.UnixMilli()).Scan(&first, &newest)
	switch {
	case err != nil:
		return 0, wrap("position", s.explain(err))
	case !first.Valid && newest.Valid:
		return newest.V, nil
	case first.V <= 1:
		return BeforeAll, nil
	}
	return first.V - 1, nil
}

// moment is what was known once the commit at a position had been made. It tells by a stamp whether its commit came later.
type moment struct {
	position Position
	latest   int64          // ms; a commit with a later stamp came later
	late     map[int64]bool // stamps of commits that came later, although their stamps are not later than latest
	earliest int64          // ms; no commit with an earlier stamp came later
	checked  Position       // late holds the commits up to this one
}

// read finds the stamps that belong to a position.
func (m *moment) read(ctx context.Context, tx *sql.Tx, position Position) error {
	*m = moment{position: position, checked: position, latest: -1 << 63, earliest: -1 << 63}
	if position < 1 {
		return nil // every commit came later
	}
	err := tx.QueryRowContext(ctx, "SELECT latest_ms FROM market_commit WHERE position = ?", position).Scan(&m.latest)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("no commit has position %d: %w", position, ErrNotFound)
	}
	if err != nil {
		return err
	}
	m.earliest = m.latest + 1
	return m.refresh(ctx, tx)
}

// refresh takes in the commits that were made since the moment was last looked at.
func (m *moment) refresh(ctx context.Context, tx *sql.Tx) error {
	if m.position < 1 {
		return nil
	}
	var newest Position
	if err := tx.QueryRowContext(ctx, "SELECT ifnull(max(position), 0) FROM market_commit").Scan(&newest); err != nil || newest <= m.checked {
		return err
	}
	var stamp int64
	rows, err := tx.QueryContext(ctx, `
		SELECT stamp_ms FROM market_commit INDEXED BY market_commit_set_back
		WHERE position > ? AND stamp_ms < latest_ms AND stamp_ms <= ?`, m.checked, m.latest)
	err = eachRow(rows, err, []any{&stamp}, func() error {
		if m.late == nil {
			m.late = map[int64]bool{}
		}
		m.late[stamp] = true
		m.earliest = min(m.earliest, stamp)
		return nil
	})
	m.checked = newest
	return err
}

// isAfter reports whether the commit with a stamp came after the moment.
func (m *moment) isAfter(stamp int64) bool { return stamp > m.latest || m.late[stamp] }
