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

// table reads and writes the rows of one series.
type table interface {
	holds() market.AnySeries
	upsert(w *writing, batch market.Batch) error
	preview(ctx context.Context, tx *sql.Tx, effect *Effect, dataset market.Dataset, period market.Period, batch market.Batch) error
	// nextRevisions returns the next changes of a dataset's values after a position in the list of them.
	nextRevisions(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period, after RevisionAt) ([]Revision, error)
	// revisionsOfCommit returns the first changes of a dataset's values in a period that were seen at an instant, ms, up to most.
	revisionsOfCommit(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period, seen int64, most int) ([]Revision, error)
	packRows(market.Batch) (packed, digest []byte, err error)
	unpackRows(content) (market.Batch, error)
	// storedColumns returns the names of the series' columns in the database.
	storedColumns() []string
	// partReader returns a reader of rows as they are served, and the number of delivery dates to read in one transaction.
	partReader(*plan) (reader partReader, dates int)
	// remarks counts the rows of each delivery date of a period that are odd and served all the same.
	remarks(context.Context, *sql.Tx, market.Dataset, market.Period) ([]Remark, error)
	// endOf returns the end of the period that begins at a second, for which there is a row.
	endOf(ctx context.Context, tx *sql.Tx, start int64) (int64, error)
	propose(p *Proposal)
	addKeys(keys map[rowKey]bool, batch market.Batch)
	// published returns the rows of a batch without those of a second source.
	published(market.Batch) market.Batch
	// isReplaced reports whether every quarantined row has a newer one, among those that arrived or those stored since it was
	// quarantined.
	isReplaced(ctx context.Context, tx *sql.Tx, q Quarantined, waiting, arrived market.Batch) (bool, error)
}

var (
	priceRows = priceTable{layoutOf(market.Prices)}
	stepRows  = hourTable{layoutOf(market.AFRR)}
)

// tables are the tables of all series.
var tables = []table{priceRows, layoutOf(market.Capacity), stepRows, layoutOf(market.MFRR), layoutOf(market.Imbalance)}

// tableOf returns the table of a dataset's rows.
func tableOf(dataset market.Dataset) table {
	return tables[slices.IndexFunc(tables, func(t table) bool { return t.holds() == dataset.Series() })]
}

// reader reads the rows of one series that begin in a period, ascending.
type reader[R comparable] interface {
	selectPeriod(context.Context, *sql.Tx, market.Dataset, market.Period) ([]R, error)
}

// rowReader reads what is stored of a dataset in a period.
type rowReader[T any] func(context.Context, *sql.Tx, market.Dataset, market.Period) (T, error)

// readerOf returns the reader of the rows of a series.
func readerOf[R comparable](series *market.Series[R]) reader[R] {
	return tableOf(series.Datasets[0].ID).(reader[R])
}

func (l layout[R]) holds() market.AnySeries { return l.Series }

// rowKey identifies a row.
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

// upsertRows returns a statement that writes n rows. Rows that exist keep their first_seen_ms.
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

// selectRows returns the beginning of a query over the table; extra, which may be empty, lists more columns.
func (l layout[R]) selectRows(extra string) string {
	return "SELECT " + strings.Join(slices.Concat(l.KeyNames(), l.ColumnNames()), ",") + extra + " FROM " + l.table
}

// scan reads all rows of a query that begins with selectRows, and calls each for every row; more are the pointers for its extra
// columns.
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

func (l layout[R]) remarks(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period) ([]Remark, error) {
	if l.Remark == nil {
		return nil, nil
	}
	rows, err := l.selectPeriod(ctx, tx, dataset, period)
	var remarks []Remark
	var calendar market.Calendar
	for i := range rows {
		text := l.Remark(&rows[i])
		if text == "" {
			continue
		}
		date := calendar.DateOf(*l.Start(&rows[i]))
		at := slices.IndexFunc(remarks, func(r Remark) bool { return r.Date == date && r.Text == text })
		if at < 0 {
			at = len(remarks)
			remarks = append(remarks, Remark{Date: date, Text: text})
		}
		remarks[at].Rows++
	}
	return remarks, err
}
