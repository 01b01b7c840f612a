package store

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// WriterPool is the one connection that writes, so that a test can ask SQLite itself.
func (s *Store) WriterPool() *sql.DB { return s.writer }

// ReaderPool is the connections that only read.
func (s *Store) ReaderPool() *sql.DB { return s.reader }

// MakeOld makes a database of an earlier schema, and runs statements in it.
func MakeOld(ctx context.Context, path string, version int64, statements string) error {
	s := &Store{path: path, file: path}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	db, err := s.pool(ctx, 1, "_txlock=immediate")
	if err != nil {
		return err
	}
	defer db.Close()
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder)
	if err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, version); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statements)
	return err
}
