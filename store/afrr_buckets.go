package store

import (
	"context"
	"database/sql"
	"strings"

	"courant/store/market"
)

// bucketColumns are the columns of afrr_energy_bucket, in the order of bucketFields.
var bucketColumns = []string{"start", "steps", "upward_price", "upward_price_values", "downward_price", "downward_price_values",
	"demand_mw", "demand_values", "for_france_mw", "for_france_values", "in_france_mw", "in_france_values",
	"picasso_yes", "picasso_no", "prorata_yes", "prorata_no"}

func bucketFields(b *market.AFRRBucket) []any {
	fields := []any{&b.Start, &b.Steps}
	for _, mean := range b.Means() {
		fields = append(fields, &mean.Mean, &mean.Values)
	}
	return append(fields, &b.PicassoConnection.Yes, &b.PicassoConnection.No, &b.ProrataMode.Yes, &b.ProrataMode.No)
}

// selectBuckets reads the 5 min of thinned dates that begin in the period, in ascending order.
func selectBuckets(ctx context.Context, tx *sql.Tx, period market.Period) ([]market.AFRRBucket, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+strings.Join(bucketColumns, ",")+
		" FROM afrr_energy_bucket WHERE start >= ? AND start < ? ORDER BY start", period.Start, period.End)
	return collect(rows, err, bucketFields)
}

func insertBuckets(ctx context.Context, tx *sql.Tx, buckets []market.AFRRBucket) error {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO afrr_energy_bucket ("+strings.Join(bucketColumns, ",")+
		") VALUES (?"+strings.Repeat(",?", len(bucketColumns)-1)+")")
	if err != nil {
		return err
	}
	for i := range buckets {
		if _, err := insert.ExecContext(ctx, bucketFields(&buckets[i])...); err != nil {
			return err
		}
	}
	return nil
}
