package market

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
)

// BucketLength is the length of the buckets that rows are resampled to, as the API names it: an ISO 8601 duration. Days and
// months are those of Paris.
type BucketLength string

// The lengths of buckets.
const (
	Buckets5Minutes  BucketLength = "PT5M"
	Buckets15Minutes BucketLength = "PT15M"
	Buckets30Minutes BucketLength = "PT30M"
	BucketsHour      BucketLength = "PT1H"
	BucketsDay       BucketLength = "P1D"
	BucketsMonth     BucketLength = "P1M"
)

// BucketLengths lists the lengths of buckets, the shortest first.
func BucketLengths() []BucketLength {
	return []BucketLength{Buckets5Minutes, Buckets15Minutes, Buckets30Minutes, BucketsHour, BucketsDay, BucketsMonth}
}

// seconds returns the length in seconds; 0 for days and months, which vary.
func (l BucketLength) seconds() int64 {
	switch l {
	case Buckets5Minutes:
		return BucketSeconds
	case Buckets15Minutes:
		return QuarterSeconds
	case Buckets30Minutes:
		return 2 * QuarterSeconds
	case BucketsHour:
		return HourSeconds
	}
	return 0
}

// Seconds is the length in seconds; 0 for days and months, which vary, and for no length.
func (l BucketLength) Seconds() int64 { return l.seconds() }

// IsFinerThan reports whether the buckets are shorter than a step of that many seconds.
func (l BucketLength) IsFinerThan(step int64) bool { return l.seconds() != 0 && l.seconds() < step }

// Bucket returns the bucket that the second lies in.
func (l BucketLength) Bucket(second int64) Period {
	if length := l.seconds(); length != 0 {
		into := second % length
		if into < 0 {
			into += length
		}
		// Buckets of Paris and of UTC agree, because the offset of Paris is a whole number of hours.
		return Period{second - into, second - into + length}
	}
	date := DeliveryDateOf(time.Unix(second, 0))
	if l == BucketsDay {
		return date.Period()
	}
	year, month, _ := date.civil().Date()
	return Period{NewDeliveryDate(year, month, 1).Start().Unix(), NewDeliveryDate(year, month+1, 1).Start().Unix()}
}

// Whole returns the period that the buckets whose start lies in p fill together. Resampled rows of p are made from all rows
// of that period: it begins with the first bucket that starts in p, and ends with the last one's end, which may lie after p.
func (l BucketLength) Whole(p Period) Period {
	if p.End <= p.Start {
		return Period{p.Start, p.Start}
	}
	return Period{l.startAtOrAfter(p.Start), l.startAtOrAfter(p.End)}
}

func (l BucketLength) startAtOrAfter(second int64) int64 {
	bucket := l.Bucket(second)
	if bucket.Start == second {
		return second
	}
	return bucket.End
}

// Stat is what a bucket gives of the values of a column, as the API names it.
type Stat string

// The statistics of a bucket. Mean, Min, Max and Sum are null where the bucket has no value.
const (
	StatMean  Stat = "mean" // of a boolean: the share of its values that is true
	StatMin   Stat = "min"
	StatMax   Stat = "max"
	StatSum   Stat = "sum"   // of a boolean: how many of its values are true
	StatCount Stat = "count" // of values that are not null
	StatShare Stat = "share" // of the bucket's steps that have a value, with 4 decimals
)

// Stats lists the statistics of a bucket.
func Stats() []Stat { return []Stat{StatMean, StatMin, StatMax, StatSum, StatCount, StatShare} }

var statTexts = map[Stat]Text{
	StatMean:  {"moyenne", "mean"},
	StatMin:   {"minimum", "minimum"},
	StatMax:   {"maximum", "maximum"},
	StatSum:   {"somme", "sum"},
	StatCount: {"nombre de valeurs", "number of values"},
	StatShare: {"part des pas qui ont une valeur", "share of the steps that have a value"},
}

// IsResampled reports whether a resampled row has the column: a number, a boolean, or the start in Unix seconds, which is
// then the bucket's. Texts and instants are left out.
func (c ServedColumn) IsResampled() bool {
	return c.Kind == KindNumber || c.Kind == KindBoolean || c.Name == ColumnPeriodStartUnix
}

// of returns the column that holds a statistic of the column c.
func (stat Stat) of(c ServedColumn) ServedColumn {
	note := statTexts[stat]
	resampled := ServedColumn{
		Name: c.Name, Kind: KindNumber, Unit: c.Unit, Nullable: true,
		Text:  Text{c.Text.FR + " (" + note.FR + ")", c.Text.EN + " (" + note.EN + ")"},
		Label: Text{c.Label.FR + " (" + note.FR + ")", c.Label.EN + " (" + note.EN + ")"},
	}
	if stat != StatMean {
		resampled.Name += "_" + string(stat)
	}
	switch {
	case stat == StatCount:
		resampled.Kind, resampled.Unit, resampled.Nullable = KindInteger, "", false
	case stat == StatShare:
		resampled.Unit, resampled.Nullable = "", false
	case c.Kind == KindBoolean && stat == StatSum:
		resampled.Kind = KindInteger
	case c.Kind == KindBoolean && stat != StatMean:
		resampled.Kind = KindBoolean
	}
	return resampled
}

// Resampler folds rows, which ascend by their start, into buckets. Each row that is folded belongs to one bucket for each
// combination of keys; the buckets of one period are in the order in which the dataset is served. A bucket without a row is
// left out. Sums are exact, in millionths; results have at most six decimals, halves rounded away from zero.
//
// A Resampler keeps one period of buckets in memory, whatever the range. To give the latest buckets first, split the range
// where a bucket starts, fold the parts from the last to the first, ending each with End, and reverse the rows of each part.
type Resampler struct {
	length BucketLength
	step   int64 // seconds
	keys   []ServedKey
	stats  []Stat

	needsSum, needsExtremes bool

	columns []ServedColumn // that it makes
	folded  []foldedColumn

	bucket  Period
	texts   [][]string // the keys of each group of rows in the bucket
	order   []int32    // the groups in the order in which they are served
	last    int        // place in order of the row before
	groupOf []int32    // of each row that is being folded
	made    Chunk
}

// foldedColumn is a column that is folded, and the values of each group of its bucket.
type foldedColumn struct {
	kind   Kind
	in     int // its place in the chunks
	groups []Summary
}

// NewResampler returns a Resampler for rows of a series that have these columns in this order. Where there are no stats it
// gives means.
func NewResampler(series AnySeries, columns []ServedColumn, length BucketLength, stats ...Stat) *Resampler {
	if len(stats) == 0 {
		stats = []Stat{StatMean}
	}
	r := &Resampler{length: length, step: series.StepSeconds(), keys: series.ServedKeys(), stats: stats}
	for _, stat := range stats {
		r.needsSum = r.needsSum || stat == StatMean || stat == StatSum
		r.needsExtremes = r.needsExtremes || stat == StatMin || stat == StatMax
	}
	for i, c := range columns {
		switch {
		case !c.IsResampled():
			continue
		case c.Name == ColumnPeriodStartUnix:
			r.columns = append(r.columns, c)
		default:
			for _, stat := range stats {
				r.columns = append(r.columns, stat.of(c))
			}
		}
		r.folded = append(r.folded, foldedColumn{kind: c.Kind, in: i})
	}
	r.made = Chunk{Keys: make([][]string, len(r.keys)), Columns: make([]Vector, len(r.columns))}
	for i, c := range r.columns {
		r.made.Columns[i].Kind = c.Kind
	}
	return r
}

// Columns describes the columns of the resampled rows: for each number and boolean the stats in the order in which they
// were asked for.
func (r *Resampler) Columns() []ServedColumn { return r.columns }

// Add folds rows and returns the buckets that they complete. The chunk it returns is valid until the next call.
func (r *Resampler) Add(chunk Chunk) Chunk {
	return r.add(chunk.Starts, chunk.Keys, func(from, to int) { r.foldRows(chunk, from, to) })
}

// AddSummaries is Add for rows that stand for several steps each, of a series without keys.
func (r *Resampler) AddSummaries(rows Summaries) Chunk {
	return r.add(rows.Starts, nil, func(from, to int) { r.foldSummaries(rows, from, to) })
}

// End returns the buckets that are not complete yet. Other rows may be folded after it, also earlier ones.
func (r *Resampler) End() Chunk {
	r.clear()
	r.emit()
	r.bucket = Period{}
	return r.made
}

// add calls fold with the places of the rows of each bucket, from and up to them, once their groups are found.
func (r *Resampler) add(starts []int64, keys [][]string, fold func(from, to int)) Chunk {
	r.clear()
	for from, rows := 0, len(starts); from < rows; {
		if start := starts[from]; !r.bucket.Holds(start) {
			r.emit()
			r.bucket = r.length.Bucket(start)
		}
		rest := starts[from:]
		to := from + sort.Search(len(rest), func(i int) bool { return rest[i] >= r.bucket.End })
		r.group(keys, from, to)
		fold(from, to)
		from = to
	}
	return r.made
}

func (r *Resampler) foldRows(chunk Chunk, from, to int) {
	for i := range r.folded {
		column := &r.folded[i]
		if column.kind == KindInteger {
			continue
		}
		values := &chunk.Columns[column.in]
		switch {
		case column.kind == KindBoolean:
			column.addFlags(values, r.groupOf, from, to)
		case len(r.order) == 1:
			column.groups[0].addNumbers(values.Numbers[from:to], values.Valid[from:to], r.needsSum, r.needsExtremes)
		default:
			column.addNumbers(values, r.groupOf, from, to)
		}
	}
}

func (r *Resampler) foldSummaries(rows Summaries, from, to int) {
	for i := range r.folded {
		if column := &r.folded[i]; column.kind != KindInteger {
			for _, more := range rows.Columns[column.in][from:to] {
				column.groups[0].add(more)
			}
		}
	}
}

// group finds the group of each row.
func (r *Resampler) group(keys [][]string, from, to int) {
	r.groupOf = slices.Grow(r.groupOf[:0], to-from)[:to-from]
	if len(r.keys) == 0 {
		if len(r.order) == 0 {
			r.newGroup(keys, from, 0)
		}
		clear(r.groupOf)
		return
	}
	for row := from; row < to; row++ {
		next := r.last + 1
		if next >= len(r.order) {
			next = 0
		}
		// Rows of one period follow each other in the order of the groups, so the next group is mostly the right one.
		if len(r.order) == 0 || r.compare(r.order[next], keys, row) != 0 {
			var found bool
			next, found = slices.BinarySearchFunc(r.order, row, func(group int32, row int) int { return r.compare(group, keys, row) })
			if !found {
				r.newGroup(keys, row, next)
			}
		}
		r.last = next
		r.groupOf[row-from] = r.order[next]
	}
}

// newGroup begins a group with the keys of a row, at that place of the order.
func (r *Resampler) newGroup(keys [][]string, row, place int) {
	group := len(r.order)
	r.order = slices.Insert(r.order, place, int32(group))
	if len(r.texts) == group {
		r.texts = append(r.texts, make([]string, len(r.keys)))
	}
	for k := range r.keys {
		r.texts[group][k] = keys[k][row]
	}
	for i := range r.folded {
		column := &r.folded[i]
		if len(column.groups) == group {
			column.groups = append(column.groups, Summary{})
		}
		column.groups[group].reset()
	}
}

// compare orders a group and a row as the dataset is served: by the keys in their order, each in the order of its values.
func (r *Resampler) compare(group int32, keys [][]string, row int) int {
	for k := range r.keys {
		a, b := r.texts[group][k], keys[k][row]
		if a == b {
			continue
		}
		values := r.keys[k].Values
		return cmp.Or(cmp.Compare(rankIn(values, a), rankIn(values, b)), strings.Compare(a, b))
	}
	return 0
}

// rankIn returns the index of a text in the values; their number if they do not list it.
func rankIn(values []string, text string) int {
	if i := slices.Index(values, text); i >= 0 {
		return i
	}
	return len(values)
}

func (f *Summary) addNumbers(numbers []float64, valid []bool, sum, extremes bool) {
	valid = valid[:len(numbers)]
	count := f.Count
	if sum {
		total := f.Sum
		for i, v := range numbers {
			if valid[i] {
				total += MicroOf(v)
				count++
			}
		}
		f.Sum = total
	}
	if extremes {
		f.addExtremes(numbers, valid)
	}
	if !sum {
		for _, is := range valid {
			if is {
				count++
			}
		}
	}
	f.Count = count
}

func (f *Summary) addExtremes(numbers []float64, valid []bool) {
	least, most := f.Least, f.Most
	for i, v := range numbers {
		if valid[i] {
			if v < least {
				least = v
			}
			if v > most {
				most = v
			}
		}
	}
	f.Least, f.Most = least, most
}

func (c *foldedColumn) addNumbers(values *Vector, groupOf []int32, from, to int) {
	numbers, valid := values.Numbers[from:to], values.Valid[from:to]
	for i, v := range numbers {
		if valid[i] {
			f := &c.groups[groupOf[i]]
			f.Sum += MicroOf(v)
			f.Count++
			f.Least, f.Most = min(f.Least, v), max(f.Most, v)
		}
	}
}

func (c *foldedColumn) addFlags(values *Vector, groupOf []int32, from, to int) {
	flags, valid := values.Flags[from:to], values.Valid[from:to]
	for i, is := range flags {
		if valid[i] {
			f := &c.groups[groupOf[i]]
			f.Count++
			if is {
				f.Sum++
			}
		}
	}
}

// clear empties what was made before.
func (r *Resampler) clear() {
	made := &r.made
	made.Starts, made.Ends = made.Starts[:0], made.Ends[:0]
	for k := range made.Keys {
		made.Keys[k] = made.Keys[k][:0]
	}
	for i := range made.Columns {
		v := &made.Columns[i]
		v.Valid, v.Numbers, v.Integers, v.Flags = v.Valid[:0], v.Numbers[:0], v.Integers[:0], v.Flags[:0]
	}
}

// emit appends the buckets of the period to what is made, and forgets them.
func (r *Resampler) emit() {
	for _, group := range r.order {
		r.made.Starts = append(r.made.Starts, r.bucket.Start)
		r.made.Ends = append(r.made.Ends, r.bucket.End)
		for k, text := range r.texts[group] {
			r.made.Keys[k] = append(r.made.Keys[k], text)
		}
	}
	out := 0
	for i := range r.folded {
		column := &r.folded[i]
		if column.kind == KindInteger {
			v := &r.made.Columns[out]
			out++
			for range r.order {
				v.Valid, v.Integers = append(v.Valid, true), append(v.Integers, r.bucket.Start)
			}
			continue
		}
		for _, stat := range r.stats {
			v := &r.made.Columns[out]
			out++
			for _, group := range r.order {
				r.appendStat(v, column.kind, stat, &column.groups[group])
			}
		}
	}
	r.order, r.last = r.order[:0], 0
}

// appendStat appends a statistic of one bucket.
func (r *Resampler) appendStat(v *Vector, kind Kind, stat Stat, f *Summary) {
	switch {
	case stat == StatCount:
		v.Valid, v.Integers = append(v.Valid, true), append(v.Integers, f.Count)
	case stat == StatShare:
		const decimals = 10_000
		share := roundedQuotient(f.Count*decimals, r.bucket.Seconds()/r.step)
		v.Valid, v.Numbers = append(v.Valid, true), append(v.Numbers, float64(share)/decimals)
	case kind == KindBoolean && stat == StatSum:
		v.Valid, v.Integers = append(v.Valid, f.Count > 0), append(v.Integers, int64(f.Sum))
	case kind == KindBoolean && stat == StatMin:
		v.Valid, v.Flags = append(v.Valid, f.Count > 0), append(v.Flags, f.Count > 0 && int64(f.Sum) == f.Count)
	case kind == KindBoolean && stat == StatMax:
		v.Valid, v.Flags = append(v.Valid, f.Count > 0), append(v.Flags, f.Sum > 0)
	default:
		n := f.number(kind, stat)
		v.Valid, v.Numbers = append(v.Valid, n.Valid), append(v.Numbers, n.V)
	}
}

// number is a statistic that is a number; null if the bucket has no value.
func (f *Summary) number(kind Kind, stat Stat) Number {
	switch {
	case f.Count == 0, f.OnlyMeans && (stat == StatMin || stat == StatMax):
		return Number{}
	case stat == StatMin:
		return MicroOf(f.Least).Number()
	case stat == StatMax:
		return MicroOf(f.Most).Number()
	case stat == StatSum:
		return f.Sum.Number()
	case kind == KindBoolean:
		return Micro(roundedQuotient(int64(f.Sum)*MicrosPerUnit, f.Count)).Number()
	}
	return Micro(roundedQuotient(int64(f.Sum), f.Count)).Number()
}
