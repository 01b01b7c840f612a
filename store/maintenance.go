package store

import (
	"context"
	"fmt"
)

// Maintain runs SQLite's maintenance: it updates the statistics for the query planner, gives free pages back to the disk and
// empties the write-ahead log. It skips a log that another program is reading: waiting for that reader would block all
// writers, and a reader that replicates the log never ends.
func (s *Store) Maintain(ctx context.Context) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return wrap("maintenance", err)
	}
	defer conn.Close()
	defer conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", s.busy.Milliseconds()))
	for _, statement := range []string{
		"PRAGMA optimize", "PRAGMA incremental_vacuum", "PRAGMA busy_timeout = 0", "PRAGMA wal_checkpoint(truncate)",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return wrap(statement, s.explain(err))
		}
	}
	return nil
}
