package store

import (
	"context"
	"database/sql"
	"time"
)

// Watch calls changed soon after anything was committed to the file by another connection, of this process or of
// another one, until the store is closed. Several commits may make one call; one that fails is made again.
func (s *Store) Watch(interval time.Duration, changed func() error) {
	s.watchers.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		var conn *sql.Conn
		defer func() {
			if conn != nil {
				conn.Close()
			}
		}()
		seen := int64(-1)
		for {
			select {
			case <-s.stopped.Done():
				return
			case <-ticker.C:
			}
			// data_version compares what one connection saw before and sees now, so the connection has to stay.
			if conn == nil {
				opened, err := s.reader.Conn(s.stopped)
				if err != nil {
					continue
				}
				conn = opened
			}
			version, err := dataVersion(s.stopped, conn)
			if err != nil {
				conn.Close()
				conn, seen = nil, -1
				continue
			}
			if version != seen && changed() == nil {
				seen = version
			}
		}
	})
}

func dataVersion(ctx context.Context, conn *sql.Conn) (version int64, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
	return version, err
}
