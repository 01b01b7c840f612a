package store

import (
	"context"
	"database/sql"
	"errors"
)

// AccessChanges counts the changes of accounts, subscriptions, tokens and sessions that this process has made. What was
// read of them is current while the count stays the same, unless another process has changed it.
func (s *Store) AccessChanges() uint64 { return s.accessChanges.Load() }

// changeAccess is writeNoted for the changes that AccessChanges counts.
func (s *Store) changeAccess(ctx context.Context, operation string, note Note, fn func(*sql.Tx) error) error {
	defer s.accessChanges.Add(1) // also after an error: a commit that failed may have reached the disk
	return s.writeNoted(ctx, operation, note, fn)
}

// writeNoted runs fn and adds the note to the audit log, both in one write transaction; the zero Note adds nothing. A
// failure names the operation. ErrNotFound, ErrExists and ErrFull answer the request and are returned as they are.
func (s *Store) writeNoted(ctx context.Context, operation string, note Note, fn func(*sql.Tx) error) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return insertNote(ctx, tx, note)
	})
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrExists) || errors.Is(err, ErrFull) {
		return err
	}
	return wrap(operation, err)
}

// changeRow is changeAccess for one statement; unchanged is the error if it changes no row.
func (s *Store) changeRow(ctx context.Context, operation string, note Note, unchanged error, statement string, args ...any) error {
	return s.changeAccess(ctx, operation, note, func(tx *sql.Tx) error {
		return execOne(ctx, tx, unchanged, statement, args...)
	})
}

// execOne runs one statement; unchanged is the error if it changes no row.
func execOne(ctx context.Context, tx *sql.Tx, unchanged error, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if changed == 0 {
		return unchanged
	}
	return nil
}
