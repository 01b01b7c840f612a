package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"courant/store/market"
)

// Revision is a value that changed: Old was current from Since until Seen, New is from then on. A value that the source took
// back is a change to null.
type Revision struct {
	Start       int64  // of the period, seconds UTC
	Series      string // tells the rows of one period apart, such as UPWARD; empty where there is one
	Column      string // of the dataset's table
	Old, New    market.Value
	Since, Seen time.Time

	id   int64
	rank int
}

// At is the revision's place among those of its dataset.
func (r Revision) At() RevisionAt { return RevisionAt{r.Start, r.rank, r.id} }

// RevisionAt is the place of a revision among those of its dataset; the zero one is before all. It stays what it is while
// others are added.
type RevisionAt struct {
	Start int64 // of the period, seconds UTC
	Rank  int   // among the columns of a 4 s step; else 0
	ID    int64
}

// errNoSuchRevision is a place at which there is no revision of the dataset.
var errNoSuchRevision = fmt.Errorf("no revision is there: %w", ErrNotFound)

// revisionsAtOnce is how many rows of revision are read in one transaction.
const revisionsAtOnce = 2000

// Revisions lists the changes of the dataset's values from first to last, both included, that come after a place, by period,
// series, column and time. It reads them little by little, an hour of 4 s steps or a few thousand others at once, and holds
// no transaction meanwhile. An error ends the list; it is ErrNotFound if no revision of the dataset is at the place.
func (s *Store) Revisions(ctx context.Context, dataset market.Dataset, first, last market.DeliveryDate, after RevisionAt) iter.Seq2[Revision, error] {
	period := market.NewPeriod(first.Start(), last.End())
	table := tableOf(dataset)
	return func(yield func(Revision, error) bool) {
		for {
			var revisions []Revision
			err := s.read(ctx, func(tx *sql.Tx) (err error) {
				revisions, err = table.nextRevisions(ctx, tx, dataset, period, after)
				return err
			})
			if err != nil {
				yield(Revision{}, fmt.Errorf("store: revisions of %s: %w", dataset, err))
				return
			}
			if len(revisions) == 0 {
				return
			}
			for _, revision := range revisions {
				if !yield(revision, nil) {
					return
				}
			}
			after = revisions[len(revisions)-1].At()
		}
	}
}

// RevisionsOfCommit lists the first changes of the dataset's values in a period that the commit with a stamp has made, up to most, by
// period, series and column.
func (s *Store) RevisionsOfCommit(ctx context.Context, dataset market.Dataset, period market.Period, stamp time.Time, most int) (
	revisions []Revision, err error,
) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		revisions, err = tableOf(dataset).revisionsOfCommit(ctx, tx, dataset, period, stamp.UnixMilli(), most)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: revisions of %s: %w", dataset, err)
	}
	return revisions, nil
}

const selectRevisions = "SELECT id, start, series, column_name, old, new, old_text, new_text, since_ms, seen_ms FROM revision"

func (l layout[R]) revisionsOfCommit(
	ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period, seen int64, most int,
) ([]Revision, error) {
	return scanRevisions(tx.QueryContext(ctx, selectRevisions+
		" WHERE dataset = ? AND start >= ? AND start < ? AND seen_ms = ? ORDER BY start, series, column_name, id LIMIT ?",
		dataset, period.Start, period.End, seen, most))
}

// scanRevisions reads the result of a query that begins with selectRevisions.
func scanRevisions(rows *sql.Rows, err error) ([]Revision, error) {
	return collect(rows, err, func(r *Revision) []any {
		return []any{&r.id, &r.Start, &r.Series, &r.Column, &r.Old.Number, &r.New.Number, &r.Old.Text, &r.New.Text,
			instant{&r.Since}, instant{&r.Seen}}
	})
}

// nextRevisions lists the next changes of a dataset whose values are revised row by row.
func (l layout[R]) nextRevisions(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period, after RevisionAt) ([]Revision, error) {
	query := selectRevisions + " WHERE dataset = ? AND start >= ? AND start < ?"
	args := []any{dataset, period.Start, period.End}
	if after.ID != 0 {
		at := Revision{}
		err := tx.QueryRowContext(ctx, "SELECT start, series, column_name FROM revision WHERE id = ? AND dataset = ? AND start = ?",
			after.ID, dataset, after.Start).Scan(&at.Start, &at.Series, &at.Column)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, errNoSuchRevision
		}
		if err != nil {
			return nil, err
		}
		args[1] = max(period.Start, at.Start)
		query += " AND (start, series, column_name, id) > (?, ?, ?, ?)"
		args = append(args, at.Start, at.Series, at.Column, after.ID)
	}
	args = append(args, revisionsAtOnce)
	return scanRevisions(tx.QueryContext(ctx, query+" ORDER BY start, series, column_name, id LIMIT ?", args...))
}
