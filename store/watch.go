package store

import (
	"context"
	"database/sql"
	"time"

	"golang.org/x/time/rate"
)

// reportEvery is how often a watcher reports an error that persists.
const reportEvery = time.Minute

// Watch calls changed shortly after another connection, of this process or another one, has committed to the file, until the
// store is closed. It looks once every interval, so several commits may make one call; a call that fails is repeated.
// failed receives errors of the database and of changed: the first at once, then at most one a minute.
func (s *Store) Watch(interval time.Duration, changed func() error, failed func(error)) {
	s.watchers.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		w := watcher{store: s, changed: changed, seen: -1}
		defer w.close()
		report := rate.Sometimes{Interval: reportEvery}
		for {
			select {
			case <-s.stopped.Done():
				return
			case <-ticker.C:
			}
			if err := w.look(); err != nil && s.stopped.Err() == nil {
				s.commits.Add(1) // there may be commits that it has not seen
				report.Do(func() { failed(err) })
			}
		}
	})
}

// watcher compares data_version on a connection of its own: SQLite changes it for a connection when another one commits.
type watcher struct {
	store   *Store
	changed func() error
	conn    *sql.Conn // nil until it is opened, and after an error
	seen    int64     // the data_version at the last successful call of changed; -1: none
}

// look calls changed if data_version has changed.
func (w *watcher) look() (err error) {
	ctx := w.store.stopped
	if w.conn == nil {
		if w.conn, err = w.store.reader.Conn(ctx); err != nil {
			return wrap("watch", w.store.explain(err))
		}
	}
	version, err := dataVersion(ctx, w.conn)
	if err != nil {
		w.close()
		return wrap("watch", w.store.explain(err))
	}
	if version == w.seen {
		return nil
	}
	w.store.commits.Add(1)
	if err := w.changed(); err != nil {
		return err
	}
	w.seen = version
	return nil
}

func (w *watcher) close() {
	if w.conn != nil {
		w.conn.Close()
	}
	w.conn, w.seen = nil, -1
}

func dataVersion(ctx context.Context, conn *sql.Conn) (version int64, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
	return version, err
}
