// Package store is the one SQLite file that keeps every published value. All SQL is here, and nothing but what reads or
// writes that file may come in; what a value is, package market says.
//
// Values are kept as published, at the step at which they were published: nothing is rounded, filled or scaled here.
// A row knows when it was first seen and when it last changed; what a value was before is kept as a revision. Nothing
// that was published is ever deleted, but the 4 s steps of old delivery dates where that is asked for, of which the 5 min
// stay. A null takes the place of a value only where the source writes it: what is left out changes nothing.
//
// The file is read and written through two pools: one connection that writes, and a few that can only read, so that
// a day of 4 s values being written never makes a reader wait. Periods are integer seconds UTC, instants of
// Courant's own are milliseconds UTC.
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

// Kinds of error. A caller asks with errors.Is; the message says the rest.
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
	path   string // as it was named
	file   string // the same, absolute
	alone  bool
	busy   time.Duration // how long a write waits for the write lock
	serves *flock.Flock  // held by the one service
	uses   *flock.Flock  // shared by all that have the file open
	writer *sql.DB
	reader *sql.DB

	accessChanges atomic.Uint64
	lockedOut     atomic.Bool // a lock kept the newest write out

	watchers sync.WaitGroup
	stop     context.CancelFunc
	stopped  context.Context
}

// Path is the file that was opened, as it was named.
func (s *Store) Path() string { return s.path }

// Close ends the watchers, waits for them, closes both pools and lets go of the locks.
func (s *Store) Close() error {
	s.stop()
	s.watchers.Wait()
	return errors.Join(s.reader.Close(), s.writer.Close(), s.unlock())
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var runs int
	// A query that touches no page would be answered also where the file is gone.
	if err := s.reader.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT id FROM feed_run ORDER BY id DESC LIMIT 1)").Scan(&runs); err != nil {
		return fmt.Errorf("store: ping: %w", err)
	}
	return nil
}

// IntegrityCheck reads the whole database, every packed hour and revision included; the error holds the first finding.
func (s *Store) IntegrityCheck(ctx context.Context) error {
	err := s.read(ctx, func(tx *sql.Tx) error {
		_, err := s.checkWhole(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: integrity check: %w", err)
	}
	return nil
}

// SQLiteVersion is the version of the SQLite that is built in.
func SQLiteVersion(ctx context.Context) (string, error) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		return "", fmt.Errorf("store: SQLite version: %w", err)
	}
	defer db.Close()
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return "", fmt.Errorf("store: SQLite version: %w", err)
	}
	return version, nil
}

// read runs fn in one read transaction, so that all it reads is of one moment.
func (s *Store) read(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	return s.explain(fn(tx))
}

// Locked is an ErrBusy if the lock of another program kept the newest write out, else nil.
func (s *Store) Locked() error {
	if s.lockedOut.Load() {
		return fmt.Errorf("%w: another program has held its write lock for %s", ErrBusy, s.busy)
	}
	return nil
}

// write runs fn in one write transaction, which is committed if fn returns nil.
func (s *Store) write(ctx context.Context, fn func(*sql.Tx) error) error {
	err := s.writeOnce(ctx, fn)
	if isLocked := errors.Is(err, ErrBusy); isLocked || err == nil {
		s.lockedOut.Store(isLocked)
	}
	return err
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
	if err := noteChange(ctx, tx); err != nil {
		return s.explain(err)
	}
	return s.explain(tx.Commit())
}

// writeConn is the one connection that writes. Whoever waits behind others for it, and then for the write lock, waits no longer than
// one that waits for the lock alone.
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
