package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"courant/store/market"
)

// Window is the newest part of a dataset, all of it read at one moment.
type Window[R any] struct {
	Rows      []R                 // ascending by start
	Last      market.DeliveryDate // the last delivery date that has a row; zero if the dataset is empty
	FetchedAt time.Time           // end of the newest run that read the newest delivery date well; zero if there was none
	Version   int64               // grows with every run of the dataset
}

// LatestPrices reads the last delivery date that has a price, and the calendar dates before it, days in all.
func (s *Store) LatestPrices(ctx context.Context, days int) (Window[market.Price], error) {
	return latest(ctx, s, priceLayout.selectPeriod, market.DayAheadPrices, days)
}

// LatestCapacity is as LatestPrices, for one of the three capacity datasets.
func (s *Store) LatestCapacity(ctx context.Context, dataset market.Dataset, days int) (Window[market.CapacityStep], error) {
	return latest(ctx, s, capacityLayout.selectPeriod, dataset, days)
}

// LatestAFRR reads the last delivery date that has a 4 s step.
func (s *Store) LatestAFRR(ctx context.Context) (Window[market.AFRRStep], error) {
	return latest(ctx, s, selectSteps, market.AFRREnergy, 1)
}

// LatestMFRR reads the last delivery date that has a row of mFRR energy.
func (s *Store) LatestMFRR(ctx context.Context) (Window[market.MFRRStep], error) {
	return latest(ctx, s, mfrrLayout.selectPeriod, market.MFRREnergy, 1)
}

// selection reads the rows of a dataset that begin in a period, ascending.
type selection[R any] func(context.Context, *sql.Tx, market.Dataset, market.Period) ([]R, error)

func latest[R any](ctx context.Context, s *Store, from selection[R], dataset market.Dataset, days int) (Window[R], error) {
	var window Window[R]
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		if window.Version, err = version(ctx, tx, dataset); err != nil {
			return err
		}
		if window.FetchedAt, err = newestEnd(ctx, tx, dataset, readNewestDate); err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT max(delivery_date) FROM coverage WHERE dataset = ?", dataset).Scan(&window.Last)
		if err != nil || window.Last.IsZero() {
			return err
		}
		period := market.NewPeriod(window.Last.Add(1-days).Start(), window.Last.End())
		window.Rows, err = from(ctx, tx, dataset, period)
		return err
	})
	if err != nil {
		return Window[R]{}, fmt.Errorf("store: latest %s: %w", dataset, err)
	}
	return window, nil
}

// Prices reads the prices that begin in the period, ascending.
func (s *Store) Prices(ctx context.Context, period market.Period) ([]market.Price, error) {
	var prices []market.Price
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		prices, err = priceLayout.selectPeriod(ctx, tx, market.DayAheadPrices, period)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: prices: %w", err)
	}
	return prices, nil
}

func (l layout[R]) selectPeriod(ctx context.Context, tx *sql.Tx, dataset market.Dataset, period market.Period) ([]R, error) {
	query := l.selectRows("") + " WHERE start >= ? AND start < ?"
	args := []any{period.Start, period.End}
	if slices.Contains(l.Key, "dataset") {
		query += " AND dataset = ?"
		args = append(args, dataset)
	}
	found, err := tx.QueryContext(ctx, query+" ORDER BY start", args...)
	if err != nil {
		return nil, err
	}
	var rows []R
	err = l.scan(found, nil, func(r R) { rows = append(rows, r) })
	return rows, err
}

// Coverage counts the native rows held of a dataset from first to last, both included.
func (s *Store) Coverage(ctx context.Context, dataset market.Dataset, first, last market.DeliveryDate) (market.Coverage, error) {
	rows, err := s.reader.QueryContext(ctx,
		"SELECT delivery_date, series, rows FROM coverage WHERE dataset = ? AND delivery_date BETWEEN ? AND ?", dataset, first, last)
	if err != nil {
		return nil, fmt.Errorf("store: coverage of %s: %w", dataset, err)
	}
	defer rows.Close()
	coverage := market.Coverage{}
	for rows.Next() {
		var date market.DeliveryDate
		var series string
		var count int
		if err := rows.Scan(&date, &series, &count); err != nil {
			return nil, fmt.Errorf("store: coverage of %s: %w", dataset, err)
		}
		if coverage[date] == nil {
			coverage[date] = map[string]int{}
		}
		coverage[date][series] = count
	}
	return coverage, rows.Err()
}

// Extent is where a dataset begins and ends; the zero Extent is that of an empty dataset.
type Extent struct {
	First, Last market.DeliveryDate // delivery dates that have a row
	NewestStart int64               // start of the newest row, seconds UTC
}

// Extent tells where the dataset begins and ends.
func (s *Store) Extent(ctx context.Context, dataset market.Dataset) (Extent, error) {
	var extent Extent
	var newest sql.Null[int64]
	err := s.reader.QueryRowContext(ctx,
		"SELECT min(delivery_date), max(delivery_date), max(newest_start) FROM coverage WHERE dataset = ?", dataset,
	).Scan(&extent.First, &extent.Last, &newest)
	if err != nil {
		return Extent{}, fmt.Errorf("store: extent of %s: %w", dataset, err)
	}
	extent.NewestStart = newest.V
	return extent, nil
}
