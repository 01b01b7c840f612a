// Package store reads and writes the one SQLite file with every published value. All SQL of Courant is in this package;
// package market defines the values.
//
// Values are stored as published, at their published step: nothing is rounded, filled or scaled here. A row has the times
// at which it was first seen and last changed; former values are stored as revisions. No published value is ever deleted,
// except the 4 s steps of old delivery dates if the configuration asks for it, whose 5 min means remain. A null replaces a
// value only if the source publishes a null: what it leaves out changes nothing.
//
// Two pools of connections use the file: one connection that writes, and a few that can only read, so that readers do not
// wait while a day of 4 s values is written. Periods are seconds UTC, instants of Courant itself are milliseconds UTC.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the database driver "sqlite", without CGO
)

// Kinds of error, for errors.Is; the message has the details.
var (
	ErrNotFound     = errors.New("not found")
	ErrExists       = errors.New("exists already")
	ErrNotDatabase  = errors.New("not a Courant database")
	ErrNewer        = errors.New("database is newer than this program")
	ErrUnusableFile = errors.New("database file cannot be used")
	ErrInUse        = errors.New("another courant serve uses it")
	ErrBusy         = errors.New("the database is locked")
)

// Kinds of error that another path for the database would mend. Each comes with ErrNotDatabase or ErrUnusableFile, whose message says
// what was found; errors.Is finds the kind, so that a caller can add what to do.
var (
	ErrPathTaken      = errors.New("the path of the database leads to something else")
	ErrPathNoFolder   = errors.New("the folder of the database does not exist")
	ErrPathUnwritable = errors.New("the file of the database cannot be written")
)

// kindError is an error with a kind that errors.Is finds and the message leaves out.
type kindError struct {
	error
	kind error
}

func (e kindError) Unwrap() []error { return []error{e.error, e.kind} }

// readers is how many connections answer reads at once.
const readers = 4

// Store is an open database. It is safe for concurrent use.
type Store struct {
	path   string // as the caller wrote it
	file   string // the same, absolute
	alone  bool
	busy   time.Duration // how long a write waits for the write lock
	serves *flock.Flock  // locked by the one service
	uses   *flock.Flock  // locked in shared mode by every program that has the file open
	writer *sql.DB
	reader *sql.DB

	chunks        chunkCache
	commits       atomic.Uint64
	accessChanges atomic.Uint64
	lockedOut     atomic.Bool // the newest write failed because another program holds the write lock

	watchers sync.WaitGroup
	stop     context.CancelFunc
	stopped  context.Context
}

// Path returns the path of the file, as it was passed to Open.
func (s *Store) Path() string { return s.path }

// Close stops the watchers and waits for them, closes both pools and releases the locks.
func (s *Store) Close() error {
	s.stop()
	s.watchers.Wait()
	return errors.Join(s.reader.Close(), s.writer.Close(), s.unlock())
}

// Ping returns an error unless the database answers a query.
func (s *Store) Ping(ctx context.Context) error {
	var runs int
	// A query that reads no page would succeed even if the file is gone.
	err := s.reader.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT id FROM feed_run ORDER BY id DESC LIMIT 1)").Scan(&runs)
	return wrap("ping", err)
}

// IntegrityCheck reads the whole database, including every packed hour and revision; the error is the first finding.
func (s *Store) IntegrityCheck(ctx context.Context) error {
	return wrap("integrity check", s.read(ctx, func(tx *sql.Tx) error {
		_, err := s.checkIntegrity(ctx, tx)
		return err
	}))
}

// SQLiteVersion returns the version of the built-in SQLite.
func SQLiteVersion(ctx context.Context) (string, error) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		return "", wrap("SQLite version", err)
	}
	defer db.Close()
	var version string
	err = db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version)
	return version, wrap("SQLite version", err)
}

// read runs fn in one read transaction, so that fn sees the database at one moment.
func (s *Store) read(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	return s.explain(fn(tx))
}

// Locked returns ErrBusy if the newest write failed because another program holds the write lock, else nil.
func (s *Store) Locked() error {
	if s.lockedOut.Load() {
		return fmt.Errorf("%w: another program has held its write lock for %s", ErrBusy, s.busy)
	}
	return nil
}

// Commits counts the writes of this process, and what the watcher of Watch notices of other connections. What was read from the
// database is current while the count stays the same; another process's commit is counted after the watcher's interval.
func (s *Store) Commits() uint64 { return s.commits.Load() }

// write runs fn in one write transaction, and commits it if fn returns nil.
func (s *Store) write(ctx context.Context, fn func(*sql.Tx) error) error {
	defer s.commits.Add(1) // also after an error: a commit that failed may have reached the disk
	err := s.writeOnce(ctx, fn)
	if isLocked := errors.Is(err, ErrBusy); isLocked || err == nil {
		s.lockedOut.Store(isLocked)
	}
	return err
}

// exec runs one statement in a write transaction of its own.
func (s *Store) exec(ctx context.Context, operation, statement string, args ...any) error {
	return wrap(operation, s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	}))
}

func (s *Store) writeOnce(ctx context.Context, fn func(*sql.Tx) error) error {
	conn, err := s.writeConn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return s.explain(err)
	}
	return s.explain(tx.Commit())
}

// writeConn returns the one connection that writes, with a busy timeout of what is left of s.busy. So a write that first
// waits for other writes of this program waits no longer in all than one that waits for the write lock only.
func (s *Store) writeConn(ctx context.Context) (*sql.Conn, error) {
	begun := time.Now()
	late := fmt.Errorf("%w: %s: %w: other writes of this program have taken %s", ErrUnusableFile, s.path, ErrBusy, s.busy)
	waiting, cancel := context.WithTimeout(ctx, s.busy)
	defer cancel()
	conn, err := s.writer.Conn(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return nil, late
	}
	if err != nil {
		return nil, s.explain(err)
	}
	left := max(s.busy-time.Since(begun), 0)
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", left.Milliseconds())); err != nil {
		return nil, errors.Join(s.explain(err), conn.Close())
	}
	return conn, nil
}
