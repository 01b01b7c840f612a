package store

import (
	"database/sql"
	"fmt"
	"time"
)

// wrap names the operation that failed: "store: list accounts: …". A nil error stays nil.
func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %s: %w", operation, err)
}

// eachRow scans every row of a query into dest, calls each after each row, and closes the rows. rows and err are what the
// query returned. The error is the first one of the query, a scan, each, or the iteration; the caller wraps it once.
func eachRow(rows *sql.Rows, err error, dest []any, each func() error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if err := each(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// collect returns one T for each row of a query, as eachRow does. fields lists pointers into a T, one for each column.
func collect[T any](rows *sql.Rows, err error, fields func(*T) []any) ([]T, error) {
	var all []T
	var row T
	err = eachRow(rows, err, fields(&row), func() error {
		all = append(all, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// instant scans a column of milliseconds UTC into a time; NULL becomes the zero time.
type instant struct{ to *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	var ms sql.Null[int64]
	if err := ms.Scan(value); err != nil {
		return err
	}
	*i.to = optionalTime(ms)
	return nil
}

// nullable scans a column that may be NULL; NULL becomes the zero value.
type nullable[T any] struct{ to *T }

// Scan implements sql.Scanner.
func (n nullable[T]) Scan(value any) error {
	var null sql.Null[T]
	if err := null.Scan(value); err != nil {
		return err
	}
	*n.to = null.V
	return nil
}
