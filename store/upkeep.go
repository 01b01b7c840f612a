package store

import (
	"context"
	"fmt"
)

// Maintain does what SQLite asks for now and then: it counts what queries are planned by, gives pages that hold nothing back
// to the disk, and empties the write-ahead log. A log that another program reads is left for the next time.
func (s *Store) Maintain(ctx context.Context) error {
	for _, statement := range []string{"PRAGMA optimize", "PRAGMA incremental_vacuum", "PRAGMA wal_checkpoint(truncate)"} {
		if _, err := s.writer.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("store: %s: %w", statement, s.explain(err))
		}
	}
	return nil
}
