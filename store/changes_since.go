package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"courant/store/market"
)

// News is what the runs of a dataset brought since one of its versions.
type News struct {
	Version     int64     // the newest
	FetchedAt   time.Time // end of the newest run that read the newest delivery date well; zero if there was none
	RowsChanged bool      // by one of those runs
}

// News tells what came of a dataset after the version since; reading it costs no more the more is stored.
func (s *Store) News(ctx context.Context, dataset market.Dataset, since int64) (News, error) {
	var news News
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		if news.Version, err = version(ctx, tx, dataset); err != nil {
			return err
		}
		if news.FetchedAt, err = newestEnd(ctx, tx, dataset, readNewestDate); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT ifnull(("+changedSomething+"), 0) > ?", dataset, since).Scan(&news.RowsChanged)
	})
	if err != nil {
		return News{}, fmt.Errorf("store: news of %s: %w", dataset, err)
	}
	return news, nil
}
