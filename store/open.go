package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// applicationID marks a file as Courant's in its SQLite header: "crnt".
	applicationID = 0x63726e74
	// busyMilliseconds is how long a command waits for the write lock.
	busyMilliseconds = 10_000
	fileMode         = 0o600
)

// Open opens the database file, makes it if there is none, and brings its schema up to date. A file that is
// something else is left as it is; the error then is ErrNotDatabase, ErrNewer or ErrUnusableFile.
func Open(ctx context.Context, path string) (*Store, error) {
	s := &Store{path: path}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	var err error
	if s.writer, err = s.pool(ctx, 1, "_txlock=immediate"); err != nil {
		return nil, err
	}
	if s.reader, err = s.pool(ctx, readers, "_pragma=query_only(1)"); err != nil {
		s.writer.Close()
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		s.reader.Close()
		s.writer.Close()
		return nil, err
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// prepare makes the file if there is none and refuses one that is not Courant's, without touching it.
func (s *Store) prepare(ctx context.Context) error {
	file, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		if dir := filepath.Dir(s.path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s: the folder %s does not exist: make it, or set database.path", ErrUnusableFile, s.path, dir)
		}
		return fmt.Errorf("%w: %s: %v: set database.path to a file that can be written", ErrUnusableFile, s.path, err)
	}
	defer file.Close()
	header := make([]byte, 100)
	n, err := io.ReadFull(file, header)
	switch {
	case err == io.EOF:
		return s.create(ctx)
	case err != nil && err != io.ErrUnexpectedEOF:
		return fmt.Errorf("%w: %s: %v", ErrUnusableFile, s.path, err)
	case n < len(header) || !strings.HasPrefix(string(header), "SQLite format 3\x00"):
		return fmt.Errorf("%w: %s is not a SQLite file: set database.path to another one", ErrNotDatabase, s.path)
	case binary.BigEndian.Uint32(header[68:]) != applicationID:
		return fmt.Errorf("%w: %s belongs to another program: set database.path to another file", ErrNotDatabase, s.path)
	}
	return nil
}

// create writes the first page. It is done before the file is in WAL mode, so that from the first moment on the
// file itself says whose it is.
func (s *Store) create(ctx context.Context) error {
	db, err := sql.Open("sqlite", s.dsn("_pragma=auto_vacuum(incremental)"))
	if err != nil {
		return s.explain(err)
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return s.explain(err)
}

func (s *Store) dsn(options ...string) string {
	options = append([]string{fmt.Sprintf("_pragma=busy_timeout(%d)", busyMilliseconds)}, options...)
	return "file:" + (&url.URL{Path: filepath.ToSlash(s.path)}).EscapedPath() + "?" + strings.Join(options, "&")
}

// pool opens connections and reads back the settings on which durability and readers' peace depend.
func (s *Store) pool(ctx context.Context, size int, option string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", s.dsn("_pragma=journal_mode(wal)", "_pragma=synchronous(full)", "_pragma=foreign_keys(1)", option))
	if err != nil {
		return nil, s.explain(err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "auto_vacuum": "2"} {
		var is string
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&is); err != nil {
			db.Close()
			return nil, s.explain(err)
		}
		if is != want {
			db.Close()
			return nil, fmt.Errorf("%w: %s: SQLite keeps %s at %s, not %s", ErrUnusableFile, s.path, pragma, is, want)
		}
	}
	return db, nil
}

func (s *Store) migrate(ctx context.Context) error {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writer, folder)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return s.explain(err)
	}
	if current > target {
		return fmt.Errorf("%w: %s has schema %d and this courant knows up to %d: use the courant that wrote it, or a later one",
			ErrNewer, s.path, current, target)
	}
	if _, err := provider.Up(ctx); err != nil {
		// Another process may have brought the schema up to date meanwhile.
		if pending, again := provider.HasPending(ctx); again == nil && !pending {
			return nil
		}
		return s.explain(err)
	}
	return nil
}

// explain puts the path and, where it is known, the cause in plain words before an error of SQLite.
func (s *Store) explain(err error) error {
	var fault *sqlite.Error
	if err == nil || !errors.As(err, &fault) {
		return err
	}
	const primary = 0xff // the low byte of an extended result code
	switch fault.Code() & primary {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %s: the disk is full: make room and try again", ErrUnusableFile, s.path)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %s: another program has held its write lock for %d s", ErrUnusableFile, s.path, busyMilliseconds/1000)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w: %s or its folder cannot be written: %w", ErrUnusableFile, s.path, err)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %s is damaged: %w", ErrNotDatabase, s.path, err)
	}
	return fmt.Errorf("%s: %w", s.path, err)
}
