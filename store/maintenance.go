package store

import (
	"context"
	"fmt"
)

// Maintain does what SQLite asks for now and then: it counts what queries are planned by, gives pages that hold nothing back
// to the disk, and empties the write-ahead log. A log that another program reads is left for the next time: waiting for the
// reader would hold up all who write, and one that copies the log elsewhere never ends.
func (s *Store) Maintain(ctx context.Context) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("store: upkeep: %w", err)
	}
	defer conn.Close()
	defer conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", s.busy.Milliseconds()))
	for _, statement := range []string{"PRAGMA optimize", "PRAGMA incremental_vacuum", "PRAGMA busy_timeout = 0", "PRAGMA wal_checkpoint(truncate)"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("store: %s: %w", statement, s.explain(err))
		}
	}
	return nil
}
