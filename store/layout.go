package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"courant/store/market"
)

// layout says how one row type lies in its table.
type layout[R comparable] struct {
	market.Columns[R]
	table string
}

var (
	priceLayout    = layout[market.Price]{market.PriceColumns, "day_ahead_price"}
	capacityLayout = layout[market.CapacityStep]{market.CapacityColumns, "capacity"}
	afrrLayout     = layout[market.AFRRStep]{market.AFRRColumns, "afrr_energy"}
	mfrrLayout     = layout[market.MFRRStep]{market.MFRRColumns, "mfrr_energy"}
)

// rowKey tells one row from all others.
type rowKey struct {
	dataset market.Dataset
	start   int64 // seconds UTC
	series  string
}

func (l layout[R]) rowKey(r *R) rowKey { return rowKey{l.Dataset(r), l.Start(r), l.Series(r)} }

func (l layout[R]) columns() []string { return slices.Concat(l.Key, l.data()) }

// data are the columns that are not of the key.
func (l layout[R]) data() []string {
	if l.Updated == nil {
		return l.Values
	}
	return append(slices.Clip(l.Values), "updated_ms")
}

// upsert is a statement that writes n rows; first_seen_ms is kept where a row is there already.
func (l layout[R]) upsert(n int) string {
	columns := append(l.columns(), "first_seen_ms", "changed_ms")
	row := "(?" + strings.Repeat(",?", len(columns)-1) + ")"
	var set []string
	for _, column := range append(slices.Clone(l.data()), "changed_ms") {
		set = append(set, column+"=excluded."+column)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON CONFLICT (%s) DO UPDATE SET %s", l.table, strings.Join(columns, ","),
		row+strings.Repeat(","+row, n-1), strings.Join(l.Key, ","), strings.Join(set, ","))
}

// selectRows begins a query over the table; extra names more columns.
func (l layout[R]) selectRows(extra string) string {
	return "SELECT " + strings.Join(l.columns(), ",") + extra + " FROM " + l.table
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
