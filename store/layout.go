package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"courant/store/market"
)

// layout reads and writes the rows of one series, each as a row of its table.
type layout[R comparable] struct {
	*market.Series[R]
	table string
}

func layoutOf[R comparable](series *market.Series[R]) layout[R] {
	return layout[R]{series, series.Table}
}

// table is what the store does with the rows of one series.
type table interface {
	holds() market.AnySeries
	upsert(w *writing, batch market.Batch) error
	preview(ctx context.Context, tx *sql.Tx, effect *Effect, dataset market.Dataset, period market.Period, batch market.Batch) error
	// nextRevisions lists the next changes of a dataset's values after a place.
	nextRevisions(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period, after RevisionAt) ([]Revision, error)
	packRows(market.Batch) (packed, digest []byte, err error)
	unpackRows(content) (market.Batch, error)
	// storedColumns are the names of the series' columns in the database.
	storedColumns() []string
	// partReader reads rows as they are served, of so many delivery dates in one transaction.
	partReader(*plan) (reader partReader, dates int)
	// endOf is when the period ends that begins at a second; there is a row of it.
	endOf(ctx context.Context, tx *sql.Tx, start int64) (int64, error)
	propose(p *Proposal)
	addKeys(keys map[rowKey]bool, batch market.Batch)
	// published are the rows of a batch that do not only stand in for others.
	published(market.Batch) market.Batch
	// isReplaced reports whether every row that waits for a decision has a newer one, among those that arrived or those
	// stored since it waits.
	isReplaced(ctx context.Context, tx *sql.Tx, q Quarantined, waiting, arrived market.Batch) (bool, error)
}

var (
	priceRows = priceTable{layoutOf(market.Prices)}
	stepRows  = hourTable{layoutOf(market.AFRR)}
)

// tables are those of all series.
var tables = []table{priceRows, layoutOf(market.Capacity), stepRows, layoutOf(market.MFRR), layoutOf(market.Imbalance)}

// tableOf is the table of a dataset's rows.
func tableOf(dataset market.Dataset) table {
	return tables[slices.IndexFunc(tables, func(t table) bool { return t.holds() == dataset.Series() })]
}

// reader reads rows of one series that begin in a period, ascending.
type reader[R comparable] interface {
	selectPeriod(context.Context, *sql.Tx, market.Dataset, market.Period) ([]R, error)
}

// rowReader reads what begins in a period of a dataset: a slice of rows, or a Chunk.
type rowReader[T any] func(context.Context, *sql.Tx, market.Dataset, market.Period) (T, error)

// readerOf reads the rows of a series.
func readerOf[R comparable](series *market.Series[R]) reader[R] {
	return tableOf(series.Datasets[0].ID).(reader[R])
}

func (l layout[R]) holds() market.AnySeries { return l.Series }

// rowKey tells one row from all others.
type rowKey struct {
	dataset market.Dataset
	start   int64 // seconds UTC
	series  string
}

func (l layout[R]) rowKey(r *R) rowKey { return rowKey{l.DatasetOf(r), *l.Start(r), l.NameOf(r)} }

func (l layout[R]) addKeys(keys map[rowKey]bool, batch market.Batch) {
	rows := l.In(batch)
	for i := range rows {
		keys[l.rowKey(&rows[i])] = true
	}
}

func (l layout[R]) endOf(_ context.Context, _ *sql.Tx, start int64) (int64, error) {
	return start + l.Step, nil
}

// upsertRows is a statement that writes n rows; first_seen_ms is kept where a row is there already.
func (l layout[R]) upsertRows(n int) string {
	columns := slices.Concat(l.KeyNames(), l.ColumnNames(), []string{"first_seen_ms", "changed_ms"})
	row := "(?" + strings.Repeat(",?", len(columns)-1) + ")"
	var set []string
	for _, column := range append(l.ColumnNames(), "changed_ms") {
		set = append(set, column+"=excluded."+column)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON CONFLICT (%s) DO UPDATE SET %s", l.table, strings.Join(columns, ","),
		row+strings.Repeat(","+row, n-1), strings.Join(l.KeyNames(), ","), strings.Join(set, ","))
}

// selectRows begins a query over the table; extra names more columns.
func (l layout[R]) selectRows(extra string) string {
	return "SELECT " + strings.Join(slices.Concat(l.KeyNames(), l.ColumnNames()), ",") + extra + " FROM " + l.table
}

// scan reads all rows of a query made by selectRows; more points at what extra columns are read into.
func (l layout[R]) scan(rows *sql.Rows, more []any, each func(R)) error {
	defer rows.Close()
	for rows.Next() {
		var r R
		if err := rows.Scan(append(l.Fields(&r), more...)...); err != nil {
			return err
		}
		each(r)
	}
	return rows.Err()
}

func (l layout[R]) selectPeriod(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period) ([]R, error) {
	query := l.selectRows("") + " WHERE start >= ? AND start < ?"
	args := []any{period.Start, period.End}
	if l.Dataset != nil {
		query += " AND dataset = ?"
		args = append(args, dataset)
	}
	found, err := tx.QueryContext(ctx, query+" ORDER BY start", args...)
	if err != nil {
		return nil, err
	}
	var rows []R
	err = l.scan(found, nil, func(r R) { rows = append(rows, r) })
	return rows, err
}
