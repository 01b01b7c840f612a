package store

import (
	"context"
	"database/sql"
	"strings"
)

// BucketSeconds is how long an AFRRBucket lasts.
const BucketSeconds = 300

// AFRRBucket is 5 min of aFRR energy that hold a 4 s step.
type AFRRBucket struct {
	Start             int64 // seconds UTC
	Steps             int   // that it is made of
	UpwardPrice       BucketMean
	DownwardPrice     BucketMean
	DemandMW          BucketMean
	ForFranceMW       BucketMean
	InFranceMW        BucketMean
	PicassoConnection BucketFlag
	ProrataMode       BucketFlag
}

// BucketMean is the mean of the numbers that are there, with two decimals, and how many they are.
type BucketMean struct {
	Mean   Number
	Values int
}

// BucketFlag is at how many steps a flag was yes, and at how many no.
type BucketFlag struct {
	Yes, No int
}

// means are the bucket's in the order of afrrNumbers.
func (b *AFRRBucket) means() [len(afrrNumbers)]*BucketMean {
	return [...]*BucketMean{&b.UpwardPrice, &b.DownwardPrice, &b.DemandMW, &b.ForFranceMW, &b.InFranceMW}
}

// AFRRBuckets cuts steps, which ascend, into their 5 min.
func AFRRBuckets(steps []AFRRStep) []AFRRBucket {
	var buckets []AFRRBucket
	for len(steps) > 0 {
		start, n := bucketOf(steps[0].Start), 1
		for n < len(steps) && bucketOf(steps[n].Start) == start {
			n++
		}
		buckets = append(buckets, newBucket(start, steps[:n]))
		steps = steps[n:]
	}
	return buckets
}

// bucketOf is the start of the 5 min that hold the second.
func bucketOf(second int64) int64 {
	hour := hourOf(second)
	return second - (second-hour)%BucketSeconds
}

func newBucket(start int64, steps []AFRRStep) AFRRBucket {
	bucket := AFRRBucket{Start: start, Steps: len(steps)}
	means := bucket.means()
	for c, number := range afrrNumbers {
		var mean Mean
		for i := range steps {
			mean.Add(*number(&steps[i]))
		}
		*means[c] = BucketMean{mean.Number(), int(mean.count)}
	}
	for i := range steps {
		bucket.PicassoConnection.add(steps[i].PicassoConnection)
		bucket.ProrataMode.add(steps[i].ProrataMode)
	}
	return bucket
}

func (b *BucketFlag) add(flag Flag) {
	switch {
	case flag.Valid && flag.V:
		b.Yes++
	case flag.Valid:
		b.No++
	}
}

// knowsAsMuchAs says whether the bucket is made of as many steps as the other one, and each of its parts of as many values.
func (b *AFRRBucket) knowsAsMuchAs(other *AFRRBucket) bool {
	theirs := other.means()
	for c, mean := range b.means() {
		if mean.Values < theirs[c].Values {
			return false
		}
	}
	return b.Steps >= other.Steps && b.PicassoConnection.values() >= other.PicassoConnection.values() &&
		b.ProrataMode.values() >= other.ProrataMode.values()
}

func (b BucketFlag) values() int { return b.Yes + b.No }

// bucketColumns are those of the table, in the order of fields.
var bucketColumns = []string{"start", "steps", "upward_price", "upward_price_values", "downward_price", "downward_price_values",
	"demand_mw", "demand_values", "for_france_mw", "for_france_values", "in_france_mw", "in_france_values",
	"picasso_yes", "picasso_no", "prorata_yes", "prorata_no"}

func (b *AFRRBucket) fields() []any {
	fields := []any{&b.Start, &b.Steps}
	for _, mean := range b.means() {
		fields = append(fields, &mean.Mean, &mean.Values)
	}
	return append(fields, &b.PicassoConnection.Yes, &b.PicassoConnection.No, &b.ProrataMode.Yes, &b.ProrataMode.No)
}

// selectBuckets reads the 5 min of thinned dates that begin in the period, ascending.
func selectBuckets(ctx context.Context, tx *sql.Tx, period Period) ([]AFRRBucket, error) {
	found, err := tx.QueryContext(ctx, "SELECT "+strings.Join(bucketColumns, ",")+
		" FROM afrr_energy_bucket WHERE start >= ? AND start < ? ORDER BY start", period.Start, period.End)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var buckets []AFRRBucket
	for found.Next() {
		var b AFRRBucket
		if err := found.Scan(b.fields()...); err != nil {
			return nil, err
		}
		buckets = append(buckets, b)
	}
	return buckets, found.Err()
}

func insertBuckets(ctx context.Context, tx *sql.Tx, buckets []AFRRBucket) error {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO afrr_energy_bucket ("+strings.Join(bucketColumns, ",")+
		") VALUES (?"+strings.Repeat(",?", len(bucketColumns)-1)+")")
	if err != nil {
		return err
	}
	for i := range buckets {
		if _, err := insert.ExecContext(ctx, buckets[i].fields()...); err != nil {
			return err
		}
	}
	return nil
}
