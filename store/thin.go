package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"courant/store/market"
)

// To thin a delivery date is to replace its 4 s steps by means of 5 min, permanently. Each 5 min is then stored either as a row
// of afrr_energy_bucket or, if its steps were fetched again later, as those steps; never as both.

// ThinAFRR replaces the 4 s steps of all delivery dates before the given one by means of 5 min, each date in a transaction of
// its own, and returns the number of dates that it thinned. A date that cannot be read is left as it is and its error is
// returned after the others are done. now is the time by this machine's clock.
func (s *Store) ThinAFRR(ctx context.Context, before market.DeliveryDate, now time.Time) (thinned int, err error) {
	dates, err := s.withSteps(ctx, before)
	if err != nil {
		return 0, fmt.Errorf("store: thin %s: %w", stepsDataset, err)
	}
	var faults []error
	for _, date := range dates {
		err := s.write(ctx, func(tx *sql.Tx) error { return thin(ctx, tx, date, now) })
		if ctx.Err() != nil {
			return thinned, ctx.Err()
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("store: thin %s %s: %w", stepsDataset, date, err))
			continue
		}
		thinned++
	}
	return thinned, errors.Join(faults...)
}

// withSteps returns the delivery dates before the given one that have 4 s steps, ascending.
func (s *Store) withSteps(ctx context.Context, before market.DeliveryDate) ([]market.DeliveryDate, error) {
	found, err := s.reader.QueryContext(ctx,
		"SELECT delivery_date FROM coverage WHERE dataset = ? AND series = '' AND delivery_date < ? ORDER BY delivery_date", stepsDataset, before)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var dates []market.DeliveryDate
	for found.Next() {
		var date market.DeliveryDate
		if err := found.Scan(&date); err != nil {
			return nil, err
		}
		dates = append(dates, date)
	}
	return dates, found.Err()
}

func thin(ctx context.Context, tx *sql.Tx, date market.DeliveryDate, now time.Time) error {
	period := date.Period()
	steps, err := selectSteps(ctx, tx, period)
	if err != nil {
		return err
	}
	if _, err := summariseMissing(ctx, tx, period, math.MaxInt32); err != nil { // afterwards it is too late
		return err
	}
	if err := insertBuckets(ctx, tx, market.AFRRBuckets(steps)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM afrr_energy_hour WHERE start >= ? AND start < ?", period.Start, period.End); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO coverage (dataset, delivery_date, series, rows, newest_start)
			SELECT dataset, delivery_date, ?3, rows, newest_start FROM coverage WHERE dataset = ?1 AND delivery_date = ?2 AND series = ''
		ON CONFLICT (dataset, delivery_date, series)
		DO UPDATE SET rows = rows + excluded.rows, newest_start = max(newest_start, excluded.newest_start)`, stepsDataset, date, market.ThinnedSeries)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM coverage WHERE dataset = ? AND delivery_date = ? AND series = ''", stepsDataset, date)
	if err != nil || len(steps) == 0 {
		return err
	}
	stamp, err := nextStamp(ctx, tx, now)
	if err != nil {
		return err
	}
	position, err := recordCommit(ctx, tx, stamp, map[datedKey]*Change{
		{stepsDataset, date}: {First: steps[0].Start, Last: steps[len(steps)-1].Start, Rows: len(steps)},
	})
	if err != nil {
		return err
	}
	return setThinned(ctx, tx, date, position)
}

// thinnedHours is the stored buckets of the hours for which steps have arrived.
type thinnedHours struct {
	byHour map[int64][]market.AFRRBucket
	fold   hour
}

func readThinned(ctx context.Context, tx *sql.Tx, period market.Period) (*thinnedHours, error) {
	buckets, err := selectBuckets(ctx, tx, period)
	if err != nil {
		return nil, err
	}
	t := &thinnedHours{byHour: map[int64][]market.AFRRBucket{}}
	for _, b := range buckets {
		t.byHour[market.HourOf(b.Start)] = append(t.byHour[market.HourOf(b.Start)], b)
	}
	return t, nil
}

// admit decides for each stored bucket of an hour whether the arrived steps replace it: they do if they are at least as
// complete. It returns the steps to store and the buckets that they replace; steps of the other buckets are dropped.
func (t *thinnedHours) admit(start int64, arrived []*market.AFRRStep) (admitted []*market.AFRRStep, replaced []market.AFRRBucket) {
	for _, bucket := range t.byHour[start] {
		t.fold.begin(start)
		others := arrived[:0:0]
		var within []*market.AFRRStep
		for _, row := range arrived {
			if market.FiveMinutesOf(row.Start) != bucket.Start {
				others = append(others, row)
				continue
			}
			within = append(within, row)
			t.fold.take(row, 0)
		}
		var steps []market.AFRRStep
		for _, held := range t.fold.ascending() {
			steps = append(steps, held.row)
		}
		if made := market.NewAFRRBucket(bucket.Start, steps); !made.IsAsCompleteAs(&bucket) {
			arrived = others
			continue
		}
		arrived = append(others, within...)
		replaced = append(replaced, bucket)
	}
	return arrived, replaced
}

// dropBuckets deletes buckets of a date that are replaced by their steps, and subtracts them from the coverage of means of 5
// min.
func dropBuckets(w *writing, date datedKey, replaced []market.AFRRBucket, cover coverage) error {
	for _, bucket := range replaced {
		if _, err := w.tx.ExecContext(w.ctx, "DELETE FROM afrr_energy_bucket WHERE start = ?", bucket.Start); err != nil {
			return err
		}
		cover.add(coverKey{date, market.ThinnedSeries}, -bucket.Steps, 0)
		w.restored[date.date] = true
	}
	return nil
}
