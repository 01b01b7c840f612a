package market

const HourSeconds = 3600

// AFRRNumbers are the number columns of AFRR, in their order.
var AFRRNumbers = [5]func(*AFRRStep) *Number(AFRR.numbers())

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

// Means are the bucket's in the order of AFRRNumbers.
func (b *AFRRBucket) Means() [len(AFRRNumbers)]*BucketMean {
	return [...]*BucketMean{&b.UpwardPrice, &b.DownwardPrice, &b.DemandMW, &b.ForFranceMW, &b.InFranceMW}
}

// AFRRBuckets cuts steps, which ascend, into their 5 min.
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

// FiveMinutesOf is the start of the 5 min that hold the second.
func FiveMinutesOf(second int64) int64 {
	hour := HourOf(second)
	return second - (second-hour)%BucketSeconds
}

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

// KnowsAsMuchAs says whether the bucket is made of as many steps as the other one, and each of its parts of as many values.
func (b *AFRRBucket) KnowsAsMuchAs(other *AFRRBucket) bool {
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

// HourOf is the start of the hour that holds the second.
func HourOf(second int64) int64 {
	into := second % HourSeconds
	if into < 0 {
		into += HourSeconds
	}
	return second - into
}
