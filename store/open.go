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
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// applicationID marks a file as Courant's in its SQLite header: "crnt" in ASCII.
	applicationID = 0x63726e74
	// busyTimeout is how long a write waits for the write lock.
	busyTimeout = 10 * time.Second
	// retryMilliseconds is how long Open waits before it tries a locked file again.
	retryMilliseconds = 20
	fileMode          = 0o600
	// incrementalVacuum is the value of auto_vacuum for a file whose unused pages can be returned to the file system.
	incrementalVacuum = "2"
)

// Open opens the database file, creates it if there is none, and brings its schema up to date. A file that is something else is not
// changed; the error then is ErrNotDatabase, ErrNewer or ErrUnusableFile.
func Open(ctx context.Context, path string, options ...Option) (*Store, error) {
	return open(ctx, path, false, options)
}

// OpenAlone is Open for the service: only one service may use the file at a time. The error is ErrInUse if another does, and the file is
// not changed. Commands may open the file at the same time, with Open.
func OpenAlone(ctx context.Context, path string, options ...Option) (*Store, error) {
	return open(ctx, path, true, options)
}

// Option changes how a database is opened.
type Option func(*Store)

// BusyTimeout is how long a write waits while another program holds the write lock, before it fails with ErrBusy; 10 s without it.
func BusyTimeout(d time.Duration) Option { return func(s *Store) { s.busy = d } }

func open(ctx context.Context, path string, alone bool, options []Option) (*Store, error) {
	// SQLite would interpret "file:" or ":memory:" in a path, and would open later connections relative to the folder of that moment.
	file, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnusableFile, path, err)
	}
	s := &Store{path: path, file: file, alone: alone, busy: busyTimeout}
	for _, option := range options {
		option(s)
	}
	// SQLite does not wait where that could deadlock: of two programs that open a new file at the same time, one may fail at once because
	// the file is locked.
	for giveUp := time.Now().Add(s.busy); ; {
		err := s.open(ctx)
		if errors.Is(err, errOutdated) {
			if err = s.upgrade(ctx); err == nil {
				continue
			}
		}
		if err == nil {
			break
		}
		if !errors.Is(err, ErrBusy) && !errors.Is(err, errReplaced) && !errors.Is(err, errOutdated) || time.Now().After(giveUp) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("store: open %s: %w", path, ctx.Err())
		case <-time.After(retryMilliseconds * time.Millisecond):
		}
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	empty, err := s.prepare()
	if err != nil {
		return err
	}
	if err := s.lockOut(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.unlock()
		}
	}()
	if err := s.refuseSecondName(); err != nil {
		return err
	}
	if s.alone {
		s.restrictModes()
	}
	if empty {
		if err := s.create(ctx); err != nil {
			return err
		}
	}
	if s.writer, err = s.pool(ctx, 1, "_txlock=immediate"); err != nil {
		return err
	}
	if s.reader, err = s.pool(ctx, readers, "_pragma=query_only(1)"); err != nil {
		s.writer.Close()
		return err
	}
	if err := s.migrate(ctx); err != nil {
		s.reader.Close()
		s.writer.Close()
		return err
	}
	return nil
}

// prepare creates the file if there is none and refuses one that is not Courant's, without changing it. It reports whether the first page
// still has to be written.
func (s *Store) prepare() (empty bool, err error) {
	// Opening a pipe or a device could block, or have an effect.
	if info, err := os.Stat(s.file); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return false, kindError{fmt.Errorf("%w: %s is no regular file", ErrUnusableFile, s.path), ErrPathTaken}
	}
	file, err := os.OpenFile(s.file, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		if dir := filepath.Dir(s.file); errors.Is(err, fs.ErrNotExist) {
			return false, kindError{fmt.Errorf("%w: %s: the folder %s does not exist", ErrUnusableFile, s.path, dir), ErrPathNoFolder}
		}
		return false, kindError{fmt.Errorf("%w: %s: %w", ErrUnusableFile, s.path, err), ErrPathUnwritable}
	}
	defer file.Close()
	header := make([]byte, headerBytes)
	n, err := io.ReadFull(file, header)
	switch {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, fmt.Errorf("%w: %s: %w", ErrUnusableFile, s.path, err)
	case n < len(header) || !isSQLite(header):
		return false, kindError{fmt.Errorf("%w: %s is not a SQLite file", ErrNotDatabase, s.path), ErrPathTaken}
	case !isOurs(header):
		return false, kindError{fmt.Errorf("%w: %s belongs to another program", ErrNotDatabase, s.path), ErrPathTaken}
	}
	// A file in WAL mode has no such journal: a program was killed while it created this file, and SQLite will roll its first page back.
	if _, err := os.Stat(s.file + "-journal"); err == nil {
		return true, nil
	}
	return false, nil
}

// refuseSecondName refuses a file that has another name, by a hard link. SQLite writes the newest rows to a file beside the name that was
// opened: a program that opens the other name does not see them, and both together damage the database.
func (s *Store) refuseSecondName() error {
	file, err := filepath.EvalSymlinks(s.file)
	if err != nil {
		return err
	}
	if links(file) > 1 {
		// A killed restore leaves such a name. No restore is running, since it would have locked the file.
		if err := sweep(file); err != nil {
			return err
		}
	}
	if n := links(file); n > 1 {
		return fmt.Errorf("%w: %s has %d names (hard links), and a program that opens another one would damage the database: "+
			"find them with find FOLDER -samefile %[2]s and remove the others, or copy the file with courant backup",
			ErrUnusableFile, s.path, n)
	}
	return nil
}

// restrictModes removes the permissions of other users, since the database contains password hashes: programs such as litestream restore
// create files that everyone may read. The permissions of the group are left to the owner.
func (s *Store) restrictModes() {
	for _, path := range []string{s.file, s.file + "-wal", s.file + "-shm"} {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o007 != 0 {
			_ = os.Chmod(path, fileMode) // courant check reports files that stay so
		}
	}
}

func isSQLite(header []byte) bool { return strings.HasPrefix(string(header), "SQLite format 3\x00") }

func isOurs(header []byte) bool { return binary.BigEndian.Uint32(header[68:]) == applicationID }

// create writes the first page, before the file is in WAL mode, so that from the first moment on the file is marked as Courant's.
func (s *Store) create(ctx context.Context) error {
	db, err := sql.Open("sqlite", s.dsn())
	if err != nil {
		return s.explain(err)
	}
	defer db.Close()
	// One transaction, so that no other program, nor one that starts after a crash, finds a page without the mark.
	_, err = db.ExecContext(ctx, fmt.Sprintf("BEGIN; PRAGMA auto_vacuum = incremental; PRAGMA application_id = %d; COMMIT", applicationID))
	return s.explain(err)
}

func (s *Store) dsn(options ...string) string {
	options = append([]string{fmt.Sprintf("_pragma=busy_timeout(%d)", s.busy.Milliseconds())}, options...)
	return uri(s.file, options...)
}

// uri returns the URI of a file for SQLite, escaped whatever its name.
func uri(file string, options ...string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath() + "?" + strings.Join(options, "&")
}

// pool opens connections and checks the settings on which durability and undisturbed readers depend.
func (s *Store) pool(ctx context.Context, size int, option string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", s.dsn("_pragma=journal_mode(wal)", "_pragma=synchronous(full)", "_pragma=foreign_keys(1)", option))
	if err != nil {
		return nil, s.explain(err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "auto_vacuum": incrementalVacuum} {
		var value string
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&value); err != nil {
			db.Close()
			return nil, s.explain(err)
		}
		if value != want {
			db.Close()
			return nil, fmt.Errorf("%w: %s: SQLite keeps %s at %s, not %s", ErrUnusableFile, s.path, pragma, value, want)
		}
	}
	return db, nil
}

// migrator returns the provider of the migrations, each of which runs in a transaction.
func migrator(db *sql.DB) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder,
		goose.WithGoMigrations(
			goose.NewGoMigration(packVersion, &goose.GoFunc{RunTx: packRows}, nil),
			goose.NewGoMigration(revisionVersion, &goose.GoFunc{RunTx: packRevisions}, nil),
			goose.NewGoMigration(moveWaitingVersion, &goose.GoFunc{RunTx: moveWaiting}, nil),
			goose.NewGoMigration(ownersVersion, &goose.GoFunc{RunTx: moveSessions}, nil)))
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	return provider, nil
}

// migrate creates the schema of a new file. An older schema is errOutdated, because the file is backed up before it is upgraded.
func (s *Store) migrate(ctx context.Context) error {
	provider, err := migrator(s.writer)
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return s.explain(err)
	}
	if current > target {
		return newer(s.path, current, target)
	}
	if current > 0 && current < target {
		return errOutdated
	}
	if _, err := provider.Up(ctx); err != nil {
		// Another process may be migrating at the same time: as long as it makes progress, try again.
		if now, _, again := provider.GetVersions(ctx); again == nil && now > current {
			return s.migrate(ctx)
		}
		return s.explain(err)
	}
	return nil
}

func newer(path string, schema, known int64) error {
	return fmt.Errorf("%w: %s has schema %d and this courant knows up to %d: use the courant that wrote it, or a later one",
		ErrNewer, path, schema, known)
}

// explain adds the path to an error of SQLite and, if it is a known one, its cause in plain words.
func (s *Store) explain(err error) error {
	var fault *sqlite.Error
	if err == nil || errors.Is(err, ErrUnusableFile) || errors.Is(err, ErrNotDatabase) || !errors.As(err, &fault) {
		return err
	}
	code := fault.Code() & 0xff // the primary code
	if fault.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		code = sqlite3.SQLITE_FULL // no space for the -shm file
	}
	switch code {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %s: the disk is full: free some space and try again", ErrUnusableFile, s.path)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %s: %w: another program has held its write lock for %s", ErrUnusableFile, s.path, ErrBusy, s.busy)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w: %s or its folder cannot be written: %w", ErrUnusableFile, s.path, err)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %s is damaged: %w", ErrNotDatabase, s.path, err)
	}
	return fmt.Errorf("%s: %w", s.path, err)
}
