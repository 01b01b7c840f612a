package market

// HourSeconds is the length of an hour.
const HourSeconds = 3600

// AFRRNumbers are the number columns of AFRR, in the order of its columns.
var AFRRNumbers = [5]func(*AFRRStep) *Number(AFRR.numbers())

// BucketSeconds is the length of an AFRRBucket: 5 min.
const BucketSeconds = 300

// AFRRBucket summarises the 4 s steps of aFRR energy in 5 min. It has at least one step.
type AFRRBucket struct {
	Start             int64 // seconds UTC
	Steps             int   // number of steps
	UpwardPrice       BucketMean
	DownwardPrice     BucketMean
	DemandMW          BucketMean
	ForFranceMW       BucketMean
	InFranceMW        BucketMean
	PicassoConnection BucketFlag
	ProrataMode       BucketFlag
}

// BucketMean is the mean of the values of a column, with two decimals, and their number. Nulls do not count.
type BucketMean struct {
	Mean   Number
	Values int
}

// BucketFlag is the number of steps at which a flag was true, and at which it was false.
type BucketFlag struct {
	Yes, No int
}

// Means returns the bucket's means in the order of AFRRNumbers.
func (b *AFRRBucket) Means() [len(AFRRNumbers)]*BucketMean {
	return [...]*BucketMean{&b.UpwardPrice, &b.DownwardPrice, &b.DemandMW, &b.ForFranceMW, &b.InFranceMW}
}

// flags are the bucket's in the order of the flag columns of AFRR.
func (b *AFRRBucket) flags() [2]*BucketFlag {
	return [...]*BucketFlag{&b.PicassoConnection, &b.ProrataMode}
}

// AFRRBuckets groups steps, which ascend, into buckets of 5 min.
func AFRRBuckets(steps []AFRRStep) []AFRRBucket {
	var buckets []AFRRBucket
	for len(steps) > 0 {
		start, n := FiveMinutesOf(steps[0].Start), 1
		for n < len(steps) && FiveMinutesOf(steps[n].Start) == start {
			n++
		}
		buckets = append(buckets, NewAFRRBucket(start, steps[:n]))
		steps = steps[n:]
	}
	return buckets
}

// FiveMinutesOf returns the start of the 5 min that contain the second.
func FiveMinutesOf(second int64) int64 {
	hour := HourOf(second)
	return second - (second-hour)%BucketSeconds
}

// NewAFRRBucket returns the bucket of these steps, which all lie in its 5 min.
func NewAFRRBucket(start int64, steps []AFRRStep) AFRRBucket {
	bucket := AFRRBucket{Start: start, Steps: len(steps)}
	means := bucket.Means()
	for c, number := range AFRRNumbers {
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

// IsAsCompleteAs reports whether the bucket has no fewer steps than the other one, and no fewer values in any column.
func (b *AFRRBucket) IsAsCompleteAs(other *AFRRBucket) bool {
	theirs := other.Means()
	for c, mean := range b.Means() {
		if mean.Values < theirs[c].Values {
			return false
		}
	}
	return b.Steps >= other.Steps && b.PicassoConnection.values() >= other.PicassoConnection.values() &&
		b.ProrataMode.values() >= other.ProrataMode.values()
}

func (b BucketFlag) values() int { return b.Yes + b.No }

// HourOf returns the start of the UTC hour that contains the second.
func HourOf(second int64) int64 {
	into := second % HourSeconds
	if into < 0 {
		into += HourSeconds
	}
	return second - into
}

// AFRRMeans returns buckets as rows that a Resampler folds, with these columns of AFRR in this order.
func AFRRMeans(buckets []AFRRBucket, columns []ServedColumn) Summaries {
	made := Summaries{Starts: make([]int64, len(buckets)), Columns: make([][]Summary, len(columns))}
	for i := range buckets {
		made.Starts[i] = buckets[i].Start
	}
	for c, column := range columns {
		made.Columns[c] = make([]Summary, len(buckets))
		mean, flag := placeIn(AFRR, column)
		for i := range buckets {
			summary := &made.Columns[c][i]
			summary.reset()
			switch column.Kind {
			case KindNumber:
				if of := buckets[i].Means()[mean]; of.Values > 0 {
					summary.Sum, summary.Count, summary.OnlyMeans = MicroOf(of.Mean.V)*Micro(of.Values), int64(of.Values), true
				}
			case KindBoolean:
				of := buckets[i].flags()[flag]
				summary.Sum, summary.Count = Micro(of.Yes), int64(of.values())
			}
		}
	}
	return made
}

// placeIn returns how many numbers and how many flags the series has before the column.
func placeIn[R comparable](s *Series[R], column ServedColumn) (numbers, flags int) {
	for i := range s.Columns {
		switch c := &s.Columns[i]; {
		case c.Served == column.Name:
			return numbers, flags
		case c.Number != nil:
			numbers++
		case c.Flag != nil:
			flags++
		}
	}
	return numbers, flags
}
