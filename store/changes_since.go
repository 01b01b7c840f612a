package store

import (
	"context"
	"database/sql"
	"time"

	"courant/store/market"
)

// ChangesSince is what the runs of a dataset have brought after one of its versions.
type ChangesSince struct {
	Version     int64     // the newest
	FetchedAt   time.Time // end of the newest run that read the newest delivery date well; zero if there was none
	RowsChanged bool      // by one of those runs
}

// ChangesSince returns what the runs of a dataset have brought after the version since. It reads no more when more is stored.
func (s *Store) ChangesSince(ctx context.Context, dataset market.Dataset, since int64) (ChangesSince, error) {
	var changes ChangesSince
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		if changes.Version, err = version(ctx, tx, dataset); err != nil {
			return err
		}
		if changes.FetchedAt, err = newestEnd(ctx, tx, dataset, readNewestDate); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT ifnull(("+changedSomething+"), 0) > ?", dataset, since).Scan(&changes.RowsChanged)
	})
	if err != nil {
		return ChangesSince{}, wrap("changes of "+string(dataset), err)
	}
	return changes, nil
}
