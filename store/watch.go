package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// reportEvery is how often a watcher that goes on failing reports it.
const reportEvery = time.Minute

// Watch calls changed soon after anything was committed to the file by another connection, of this process or of
// another one, until the store is closed. Several commits may make one call; one that fails is made again. failed is told what
// went wrong, with the database or in changed: at once, and then once a minute at most.
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
				report.Do(func() { failed(err) })
			}
		}
	})
}

// watcher keeps the one connection by which it sees that others have committed: data_version compares what a connection saw before
// and sees now.
type watcher struct {
	store   *Store
	changed func() error
	conn    *sql.Conn // nil until it is opened, and after an error
	seen    int64     // the data_version of which changed knows; -1: none
}

func (w *watcher) look() (err error) {
	ctx := w.store.stopped
	if w.conn == nil {
		if w.conn, err = w.store.reader.Conn(ctx); err != nil {
			return fmt.Errorf("store: watch: %w", w.store.explain(err))
		}
	}
	version, err := dataVersion(ctx, w.conn)
	if err != nil {
		w.close()
		return fmt.Errorf("store: watch: %w", w.store.explain(err))
	}
	if version == w.seen {
		return nil
	}
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
