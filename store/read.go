package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"courant/store/market"
)

// Window is the newest part of a dataset, all of it read at one moment.
type Window struct {
	Rows      market.Chunk        // as they are served, with all columns
	Last      market.DeliveryDate // the last delivery date that has a row; zero if the dataset is empty
	FetchedAt time.Time           // end of the newest run that read the newest delivery date well; zero if there was none
	Version   int64               // grows with every run of the dataset
}

// LatestRows reads the last delivery date of a dataset that has a row, and the calendar dates before it, days in all.
func (s *Store) LatestRows(ctx context.Context, dataset market.Dataset, days int) (Window, error) {
	var window Window
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
		window.Rows, err = servedRows(ctx, tx, dataset, period)
		return err
	})
	if err != nil {
		return Window{}, fmt.Errorf("store: latest %s: %w", dataset, err)
	}
	return window, nil
}

// Within reads the rows of a dataset of the series that begin in the period, ascending; there are none of what is kept in
// 5 min only.
func Within[R comparable](ctx context.Context, s *Store, series *market.Series[R], dataset market.Dataset, period market.Period) ([]R, error) {
	return within(ctx, s, dataset, period, readerOf(series).selectPeriod)
}

func within[T any](ctx context.Context, s *Store, dataset market.Dataset, period market.Period, read rowReader[T]) (T, error) {
	var rows T
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		rows, err = read(ctx, tx, dataset, period)
		return err
	})
	if err != nil {
		return rows, fmt.Errorf("store: %s: %w", dataset, err)
	}
	return rows, nil
}

// Coverage counts the native rows held of a dataset from first to last, both included.
func (s *Store) Coverage(ctx context.Context, dataset market.Dataset, first, last market.DeliveryDate) (coverage market.Coverage, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		coverage, err = selectCoverage(ctx, tx, dataset, first, last)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: coverage of %s: %w", dataset, err)
	}
	return coverage, nil
}

func selectCoverage(ctx context.Context, tx *sql.Tx, dataset market.Dataset, first, last market.DeliveryDate) (market.Coverage, error) {
	coverage := market.Coverage{}
	var date market.DeliveryDate
	var series string
	var count int
	rows, err := tx.QueryContext(ctx,
		"SELECT delivery_date, series, rows FROM coverage WHERE dataset = ? AND delivery_date BETWEEN ? AND ?", dataset, first, last)
	err = eachRow(rows, err, []any{&date, &series, &count}, func() error {
		if coverage[date] == nil {
			coverage[date] = map[string]int{}
		}
		coverage[date][series] = count
		return nil
	})
	return coverage, err
}

// SeriesOf returns the names of the series for which a dataset has ever had rows, in alphabetical order.
func (s *Store) SeriesOf(ctx context.Context, dataset market.Dataset) ([]string, error) {
	var names []string
	err := s.read(ctx, func(tx *sql.Tx) error {
		var name string
		rows, err := tx.QueryContext(ctx, "SELECT DISTINCT series FROM coverage WHERE dataset = ? ORDER BY series", dataset)
		return eachRow(rows, err, []any{&name}, func() error {
			names = append(names, name)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("store: series of %s: %w", dataset, err)
	}
	return names, nil
}

// Extent is where a dataset begins and ends; the zero Extent is that of an empty dataset.
type Extent struct {
	First, Last market.DeliveryDate // delivery dates that have a row
	NewestStart int64               // start of the newest row, seconds UTC
	NewestEnd   int64               // when its period ends, seconds UTC
}

// Extent tells where the dataset begins and ends.
func (s *Store) Extent(ctx context.Context, dataset market.Dataset) (Extent, error) {
	var extent Extent
	err := s.read(ctx, func(tx *sql.Tx) error {
		var newest sql.Null[int64]
		err := tx.QueryRowContext(ctx, "SELECT min(delivery_date), max(delivery_date), max(newest_start) FROM coverage WHERE dataset = ?", dataset).
			Scan(&extent.First, &extent.Last, &newest)
		if err != nil || !newest.Valid {
			return err
		}
		extent.NewestStart = newest.V
		extent.NewestEnd, err = tableOf(dataset).endOf(ctx, tx, newest.V)
		return err
	})
	if err != nil {
		return Extent{}, fmt.Errorf("store: extent of %s: %w", dataset, err)
	}
	return extent, nil
}

// Remark is what is odd about rows of a delivery date that are served as published all the same.
type Remark struct {
	Date market.DeliveryDate
	Rows int
	Text string
}

// Remarks lists what is odd about the rows of a dataset that begin in a period, by delivery date.
func (s *Store) Remarks(ctx context.Context, dataset market.Dataset, period market.Period) ([]Remark, error) {
	return within(ctx, s, dataset, period, tableOf(dataset).remarks)
}
