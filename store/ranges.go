package store

import (
	"context"
	"database/sql"
	"fmt"

	"courant/store/market"
)

// CapacityWithin reads the steps of one of the three capacity datasets that begin in the period, ascending.
func (s *Store) CapacityWithin(ctx context.Context, dataset market.Dataset, period market.Period) ([]market.CapacityStep, error) {
	return within(ctx, s, capacityLayout.selectPeriod, dataset, period)
}

// AFRRWithin reads the 4 s steps that begin in the period, ascending; there are none of what is kept in 5 min only.
func (s *Store) AFRRWithin(ctx context.Context, period market.Period) ([]market.AFRRStep, error) {
	return within(ctx, s, selectSteps, market.AFRREnergy, period)
}

// MFRRWithin reads the rows of mFRR energy that begin in the period, ascending.
func (s *Store) MFRRWithin(ctx context.Context, period market.Period) ([]market.MFRRStep, error) {
	return within(ctx, s, mfrrLayout.selectPeriod, market.MFRREnergy, period)
}

func within[R any](ctx context.Context, s *Store, from selection[R], dataset market.Dataset, period market.Period) ([]R, error) {
	var rows []R
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		rows, err = from(ctx, tx, dataset, period)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", dataset, err)
	}
	return rows, nil
}
