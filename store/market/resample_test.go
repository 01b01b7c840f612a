package market_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store/market"
)

// rows is rows as people read them: the period, the keys and the values of each, apart by spaces.
func rows(chunk market.Chunk) []string {
	var lines []string
	for i := range chunk.Len() {
		line := []string{instant(chunk.Starts[i]), instant(chunk.Ends[i])}
		for _, key := range chunk.Keys {
			line = append(line, key[i])
		}
		for _, v := range chunk.Columns {
			line = append(line, cellOf(v, i))
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return lines
}

// cellOf is a value as a text.
func cellOf(v market.Vector, i int) string {
	switch {
	case !v.Valid[i]:
		return "null"
	case v.Kind == market.KindNumber:
		return strconv.FormatFloat(v.Numbers[i], 'f', -1, 64)
	case v.Kind == market.KindInteger:
		return fmt.Sprint(v.Integers[i])
	}
	return fmt.Sprint(v.Flags[i])
}

func instant(second int64) string { return time.Unix(second, 0).UTC().Format("2006-01-02T15:04:05Z") }

func second(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

// resample folds chunks, each as one call.
func resample(r *market.Resampler, chunks ...market.Chunk) []string {
	var lines []string
	for _, chunk := range chunks {
		lines = append(lines, rows(r.Add(chunk))...)
	}
	return append(lines, rows(r.End())...)
}

// columns are some columns of a series.
func columns(series market.AnySeries, names ...string) []market.ServedColumn {
	var found []market.ServedColumn
	for _, name := range names {
		all := append(series.ServedColumns(), market.ExtraColumns()...)
		i := slices.IndexFunc(all, func(c market.ServedColumn) bool { return c.Name == name })
		if i < 0 {
			panic("no column " + name)
		}
		found = append(found, all[i])
	}
	return found
}

// numbers is a column of numbers; "" stands for null.
func numbers(texts ...string) market.Vector {
	v := market.Vector{Kind: market.KindNumber}
	for _, text := range texts {
		var n float64
		if text != "" {
			fmt.Sscan(text, &n)
		}
		v.Numbers, v.Valid = append(v.Numbers, n), append(v.Valid, text != "")
	}
	return v
}

// flags is a column of booleans: y, n, and another letter for null.
func flags(letters string) market.Vector {
	v := market.Vector{Kind: market.KindBoolean}
	for _, letter := range letters {
		v.Flags, v.Valid = append(v.Flags, letter == 'y'), append(v.Valid, letter == 'y' || letter == 'n')
	}
	return v
}

// starts are n steps from an instant on.
func starts(from string, step int64, n int) (starts, ends []int64) {
	first := second(from)
	for i := range int64(n) {
		starts, ends = append(starts, first+i*step), append(ends, first+(i+1)*step)
	}
	return starts, ends
}

func TestABucketGivesTheStatisticsThatAreAskedFor(t *testing.T) {
	all := market.Stats()
	for name, row := range map[string]struct {
		values []string
		want   string
	}{
		"whole":                 {[]string{"1", "2", "3", "4.5"}, "2.625 1 4.5 10.5 4 1"},
		"with a null":           {[]string{"1", "", "3", "-4"}, "0 -4 3 0 3 0.75"},
		"only null":             {[]string{"", "", "", ""}, "null null null null 0 0"},
		"zero":                  {[]string{"0"}, "0 0 0 0 1 0.25"},
		"halves away from zero": {[]string{"0.000001", "0.000002"}, "0.000002 0.000001 0.000002 0.000003 2 0.5"},
		"negative halves":       {[]string{"-0.000001", "-0.000002"}, "-0.000002 -0.000002 -0.000001 -0.000003 2 0.5"},
		"six decimals":          {[]string{"1", "1", "2"}, "1.333333 1 2 4 3 0.75"},
		"what floats lose":      {[]string{"0.1", "0.2", "0.3"}, "0.2 0.1 0.3 0.6 3 0.75"},
	} {
		t.Run(name, func(t *testing.T) {
			r := market.NewResampler(market.Prices, columns(market.Prices, "price_eur_mwh"), market.BucketsHour, all...)
			begin, end := starts("2026-10-25T00:00:00Z", 900, len(row.values))
			got := resample(r, market.Chunk{Starts: begin, Ends: end, Columns: []market.Vector{numbers(row.values...)}})
			want := []string{"2026-10-25T00:00:00Z 2026-10-25T01:00:00Z " + row.want}
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestAMeanOfBooleansIsTheShareThatIsTrue(t *testing.T) {
	for letters, want := range map[string]string{
		"yyn":  "0.666667 false true 2 3 0.04",
		"yy.":  "1 true true 2 2 0.0267",
		"nn.":  "0 false false 0 2 0.0267",
		"...":  "null null null null 0 0",
		"yn":   "0.5 false true 1 2 0.0267",
		"y":    "1 true true 1 1 0.0133",
		"ynnn": "0.25 false true 1 4 0.0533",
	} {
		r := market.NewResampler(market.AFRR, columns(market.AFRR, "prorata_mode"), market.Buckets5Minutes, market.Stats()...)
		begin, end := starts("2026-10-25T00:00:00Z", 4, len(letters))
		got := resample(r, market.Chunk{Starts: begin, Ends: end, Columns: []market.Vector{flags(letters)}})
		if want := []string{"2026-10-25T00:00:00Z 2026-10-25T00:05:00Z " + want}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", letters, got, want)
		}
	}
}

func TestColumnsOfResampledRows(t *testing.T) {
	asked := columns(market.AFRR, "period_start_unix", "upward_price_eur_mwh", "updated_at", "prorata_mode", "source")
	r := market.NewResampler(market.AFRR, asked, market.BucketsHour, market.Stats()...)
	type short struct {
		Name     string
		Kind     market.Kind
		Unit     market.Unit
		Nullable bool
	}
	var got []short
	for _, c := range r.Columns() {
		got = append(got, short{c.Name, c.Kind, c.Unit, c.Nullable})
		if c.Text.FR == "" || c.Text.EN == "" || c.Label.FR == "" || c.Label.EN == "" {
			t.Errorf("%s lacks a text: %+v", c.Name, c)
		}
	}
	want := []short{
		{"period_start_unix", market.KindInteger, "", false},
		{"upward_price_eur_mwh", market.KindNumber, market.EURPerMWh, true},
		{"upward_price_eur_mwh_min", market.KindNumber, market.EURPerMWh, true},
		{"upward_price_eur_mwh_max", market.KindNumber, market.EURPerMWh, true},
		{"upward_price_eur_mwh_sum", market.KindNumber, market.EURPerMWh, true},
		{"upward_price_eur_mwh_count", market.KindInteger, "", false},
		{"upward_price_eur_mwh_share", market.KindNumber, "", false},
		{"prorata_mode", market.KindNumber, "", true},
		{"prorata_mode_min", market.KindBoolean, "", true},
		{"prorata_mode_max", market.KindBoolean, "", true},
		{"prorata_mode_sum", market.KindInteger, "", true},
		{"prorata_mode_count", market.KindInteger, "", false},
		{"prorata_mode_share", market.KindNumber, "", false},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	begin, end := starts("2026-07-14T10:00:04Z", 4, 1)
	chunk := market.Chunk{Starts: begin, Ends: end, Columns: []market.Vector{
		{Kind: market.KindInteger}, numbers("1"), {Kind: market.KindInstant}, flags("y"), {Kind: market.KindString},
	}}
	unix := fmt.Sprint(second("2026-07-14T10:00:00Z"))
	line := "2026-07-14T10:00:00Z 2026-07-14T11:00:00Z " + unix + " 1 1 1 1 1 0.0011 1 true true 1 1 0.0011"
	if got := resample(r, chunk); !slices.Equal(got, []string{line}) {
		t.Errorf("%q, want %q", got, line)
	}
	for i, v := range r.End().Columns {
		if v.Kind != r.Columns()[i].Kind {
			t.Errorf("%s is a %s, and its values are of kind %s", r.Columns()[i].Name, r.Columns()[i].Kind, v.Kind)
		}
	}
	if got := market.NewResampler(market.Prices, market.Prices.ServedColumns(), market.BucketsDay).Columns(); len(got) != 1 || got[0].Name != "price_eur_mwh" {
		t.Errorf("without stats: %+v, want the mean", got)
	}
}

func TestBucketsOfEachLength(t *testing.T) {
	for name, row := range map[string]struct {
		length         market.BucketLength
		at, start, end string
	}{
		"5 min":                        {"PT5M", "2026-07-14T10:04:59Z", "2026-07-14T10:00:00Z", "2026-07-14T10:05:00Z"},
		"quarter":                      {"PT15M", "2026-07-14T10:15:00Z", "2026-07-14T10:15:00Z", "2026-07-14T10:30:00Z"},
		"half hour":                    {"PT30M", "2026-07-14T10:59:56Z", "2026-07-14T10:30:00Z", "2026-07-14T11:00:00Z"},
		"hour":                         {"PT1H", "2026-07-14T10:59:56Z", "2026-07-14T10:00:00Z", "2026-07-14T11:00:00Z"},
		"hour before 1970":             {"PT1H", "1969-12-31T23:59:56Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"},
		"first 02:00 hour of October":  {"PT1H", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
		"second 02:00 hour of October": {"PT1H", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
		"day of 25 h":                  {"P1D", "2026-10-25T22:59:56Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		"day of 23 h":                  {"P1D", "2026-03-28T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		"1970-01-01":                   {"P1D", "1970-01-01T12:00:00Z", "1969-12-31T23:00:00Z", "1970-01-01T23:00:00Z"},
		"month with 743 h":             {"P1M", "2026-03-31T21:59:56Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		"month with 745 h":             {"P1M", "2026-10-01T00:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"},
		"December":                     {"P1M", "2026-12-31T22:59:00Z", "2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z"},
	} {
		got := row.length.Bucket(second(row.at))
		if instant(got.Start) != row.start || instant(got.End) != row.end {
			t.Errorf("%s: %s to %s, want %s to %s", name, instant(got.Start), instant(got.End), row.start, row.end)
		}
	}
}

func TestAPeriodWidensToTheBucketsThatStartInIt(t *testing.T) {
	for name, row := range map[string]struct {
		length               market.BucketLength
		from, to, begin, end string
	}{
		"whole hours":            {"PT1H", "2026-07-14T10:00:00Z", "2026-07-14T12:00:00Z", "2026-07-14T10:00:00Z", "2026-07-14T12:00:00Z"},
		"parts of hours":         {"PT1H", "2026-07-14T10:00:01Z", "2026-07-14T12:00:01Z", "2026-07-14T11:00:00Z", "2026-07-14T13:00:00Z"},
		"within an hour":         {"PT1H", "2026-07-14T10:10:00Z", "2026-07-14T10:50:00Z", "2026-07-14T11:00:00Z", "2026-07-14T11:00:00Z"},
		"a second":               {"PT1H", "2026-07-14T10:00:00Z", "2026-07-14T10:00:01Z", "2026-07-14T10:00:00Z", "2026-07-14T11:00:00Z"},
		"nothing":                {"P1D", "2026-07-14T10:00:00Z", "2026-07-14T10:00:00Z", "2026-07-14T10:00:00Z", "2026-07-14T10:00:00Z"},
		"a day of UTC in Paris":  {"P1D", "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"},
		"the middle of a month":  {"P1M", "2026-10-15T00:00:00Z", "2026-11-15T00:00:00Z", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"},
		"the end of all periods": {"P1M", "9999-12-01T00:00:00Z", "9999-12-31T22:00:00Z", "9999-12-31T23:00:00Z", "9999-12-31T23:00:00Z"},
	} {
		got := row.length.Whole(market.Period{Start: second(row.from), End: second(row.to)})
		if instant(got.Start) != row.begin || instant(got.End) != row.end {
			t.Errorf("%s: %s to %s, want %s to %s", name, instant(got.Start), instant(got.End), row.begin, row.end)
		}
	}
}

func TestBucketsThatAreFinerThanAStep(t *testing.T) {
	for step, want := range map[int64][]market.BucketLength{
		market.AFRRSeconds:    {},
		market.QuarterSeconds: {"PT5M"},
		market.HourSeconds:    {"PT5M", "PT15M", "PT30M"},
	} {
		var got []market.BucketLength
		for _, length := range market.BucketLengths() {
			if length.IsFinerThan(step) {
				got = append(got, length)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("than %d s: %v, want %v", step, got, want)
		}
	}
}

func TestBucketsWithoutARowAreLeftOutAndKeysHaveTheirOwn(t *testing.T) {
	hour := second("2026-10-25T00:00:00Z")
	r := market.NewResampler(market.MFRR, columns(market.MFRR, "clearing_price_eur_mwh"), market.BucketsHour, market.StatMean, market.StatCount)
	got := resample(r, market.Chunk{
		// Upward comes first in an hour, although its first row in one of them comes later.
		Starts:  []int64{hour, hour, hour + 900, hour + 7200, hour + 8100, hour + 8100},
		Ends:    []int64{hour + 900, hour + 900, hour + 1800, hour + 8100, hour + 9000, hour + 9000},
		Keys:    [][]string{{"UPWARD", "DOWNWARD", "DOWNWARD", "DOWNWARD", "UPWARD", "DOWNWARD"}},
		Columns: []market.Vector{numbers("10", "1", "3", "5", "", "6")},
	})
	want := []string{
		"2026-10-25T00:00:00Z 2026-10-25T01:00:00Z UPWARD 10 1",
		"2026-10-25T00:00:00Z 2026-10-25T01:00:00Z DOWNWARD 2 2",
		"2026-10-25T02:00:00Z 2026-10-25T03:00:00Z UPWARD null 0",
		"2026-10-25T02:00:00Z 2026-10-25T03:00:00Z DOWNWARD 5.5 2",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// step is a row of a random series: capacity, with three keys, or aFRR, with none.
type step struct {
	start  int64
	keys   []string
	micros []int64 // one for each number column; nulled by valid
	valid  []bool
	yes    bool // the boolean column, of aFRR
	known  bool
}

// randomSeries is a series with random rows of some days that begin with a date.
type randomSeries struct {
	series  market.AnySeries
	columns []market.ServedColumn
	steps   []step
}

func anySeries(t *rapid.T) randomSeries {
	date := rapid.SampledFrom([]market.DeliveryDate{
		market.NewDeliveryDate(2026, time.March, 29), market.NewDeliveryDate(2026, time.October, 25),
		market.NewDeliveryDate(2026, time.March, 28), market.NewDeliveryDate(2026, time.October, 24),
		market.NewDeliveryDate(2026, time.February, 28), market.NewDeliveryDate(2026, time.December, 31),
	}).Draw(t, "date")
	period := market.Period{Start: date.Start().Unix(), End: date.Add(1).End().Unix()}
	value := rapid.Int64Range(-100_000_000_000, 100_000_000_000)
	of := func(start int64, keys ...string) step {
		return step{start, keys, []int64{value.Draw(t, "a"), value.Draw(t, "b")},
			[]bool{rapid.Bool().Draw(t, "a is there"), rapid.IntRange(0, 4).Draw(t, "b is there") > 0}, rapid.Bool().Draw(t, "yes"), rapid.Bool().Draw(t, "known")}
	}
	s := randomSeries{series: market.AFRR, columns: columns(market.AFRR, "pdemand_mw", "prorata_mode", "upward_price_eur_mwh")}
	if rapid.Bool().Draw(t, "has keys") {
		s = randomSeries{series: market.Capacity, columns: columns(market.Capacity, "price", "offered_volume_mw")}
		for start := period.Start; start < period.End; start += rapid.SampledFrom([]int64{900, 900, 4500}).Draw(t, "to the next") {
			for _, direction := range []string{"UPWARD", "DOWNWARD"} {
				for _, horizon := range []string{"DAILY", "PERIODIC"} {
					if rapid.IntRange(0, 2).Draw(t, "row") > 0 {
						s.steps = append(s.steps, of(start, direction, horizon, "STD"))
					}
				}
			}
		}
		return s
	}
	for range rapid.IntRange(0, 200).Draw(t, "rows") {
		start := rapid.Int64Range(period.Start/4, period.End/4-1).Draw(t, "start") * 4
		s.steps = append(s.steps, of(start))
	}
	slices.SortFunc(s.steps, func(a, b step) int { return cmp.Compare(a.start, b.start) })
	s.steps = slices.CompactFunc(s.steps, func(a, b step) bool { return a.start == b.start })
	return s
}

// chunk is some of the rows.
func (s randomSeries) chunk(steps []step) market.Chunk {
	chunk := market.Chunk{Keys: make([][]string, len(s.series.ServedKeys()))}
	vectors := make([]market.Vector, len(s.columns))
	for _, row := range steps {
		chunk.Starts, chunk.Ends = append(chunk.Starts, row.start), append(chunk.Ends, row.start+s.series.StepSeconds())
		for k := range chunk.Keys {
			chunk.Keys[k] = append(chunk.Keys[k], row.keys[k])
		}
		number := 0
		for i, c := range s.columns {
			v := &vectors[i]
			v.Kind = c.Kind
			if c.Kind == market.KindBoolean {
				v.Flags, v.Valid = append(v.Flags, row.yes), append(v.Valid, row.known)
				continue
			}
			v.Numbers = append(v.Numbers, float64(row.micros[number])/market.MicrosPerUnit)
			v.Valid = append(v.Valid, row.valid[number])
			number++
		}
	}
	chunk.Columns = vectors
	return chunk
}

// naive resamples row by row with big rational numbers.
func (s randomSeries) naive(length market.BucketLength, stats []market.Stat) []string {
	type place struct {
		start int64
		keys  string
	}
	buckets := map[place][]step{}
	ends := map[int64]int64{}
	for _, row := range s.steps {
		start, end := naiveBucket(length, row.start)
		ends[start] = end
		at := place{start, strings.Join(row.keys, " ")}
		buckets[at] = append(buckets[at], row)
	}
	places := slices.SortedFunc(maps.Keys(buckets), func(a, b place) int {
		// UPWARD before DOWNWARD, and then the horizon by its letters.
		return cmp.Or(cmp.Compare(a.start, b.start), -cmp.Compare(strings.SplitN(a.keys, " ", 2)[0], strings.SplitN(b.keys, " ", 2)[0]), cmp.Compare(a.keys, b.keys))
	})
	var lines []string
	for _, at := range places {
		line := []string{instant(at.start), instant(ends[at.start])}
		if at.keys != "" {
			line = append(line, at.keys)
		}
		number := 0
		for _, c := range s.columns {
			var values []*big.Rat
			for _, row := range buckets[at] {
				switch {
				case c.Kind == market.KindBoolean && row.known:
					n := int64(0)
					if row.yes {
						n = 1
					}
					values = append(values, big.NewRat(n, 1))
				case c.Kind == market.KindNumber && row.valid[number]:
					values = append(values, big.NewRat(row.micros[number], market.MicrosPerUnit))
				}
			}
			if c.Kind == market.KindNumber {
				number++
			}
			for _, stat := range stats {
				line = append(line, naiveStat(values, stat, (ends[at.start]-at.start)/s.series.StepSeconds(), c.Kind == market.KindBoolean))
			}
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return lines
}

// naiveBucket counts civil days in Paris, minute by minute where it has to.
func naiveBucket(length market.BucketLength, at int64) (start, end int64) {
	lengths := map[market.BucketLength]int64{"PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT1H": 3600}
	if n := lengths[length]; n > 0 {
		return at - at%n, at - at%n + n
	}
	layout := "2006-01-02"
	if length == "P1M" {
		layout = "2006-01"
	}
	in := func(second int64) string { return time.Unix(second, 0).In(market.Paris).Format(layout) }
	start, end = at-at%3600, at-at%3600
	for in(start-3600) == in(at) {
		start -= 3600
	}
	for in(end) == in(at) {
		end += 3600
	}
	return start, end
}

func naiveStat(values []*big.Rat, stat market.Stat, expected int64, boolean bool) string {
	count := big.NewRat(int64(len(values)), 1)
	switch {
	case stat == market.StatCount:
		return rounded(count, 6)
	case stat == market.StatShare:
		return rounded(count.Quo(count, big.NewRat(expected, 1)), 4)
	case len(values) == 0:
		return "null"
	}
	sum, least, most := new(big.Rat), values[0], values[0]
	for _, v := range values {
		sum.Add(sum, v)
		if v.Cmp(least) < 0 {
			least = v
		}
		if v.Cmp(most) > 0 {
			most = v
		}
	}
	switch stat {
	case market.StatMean:
		return rounded(sum.Quo(sum, count), 6)
	case market.StatSum:
		return rounded(sum, 6)
	case market.StatMin:
		most = least
	}
	if boolean {
		return fmt.Sprint(most.Sign() > 0)
	}
	return rounded(most, 6)
}

// rounded writes a number as cellOf does, halves rounded away from zero.
func rounded(r *big.Rat, decimals int) string {
	var n float64
	fmt.Sscan(r.FloatString(decimals), &n)
	return strconv.FormatFloat(n+0, 'f', -1, 64) // without the sign of a zero
}

func TestResamplingAgreesWithRationalNumbersHoweverTheRowsAreCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySeries(t)
		var lengths []market.BucketLength
		for _, length := range market.BucketLengths() {
			if !length.IsFinerThan(s.series.StepSeconds()) {
				lengths = append(lengths, length)
			}
		}
		length := rapid.SampledFrom(lengths).Draw(t, "resolution")
		stats := rapid.SliceOfNDistinct(rapid.SampledFrom(market.Stats()), 1, 6, rapid.ID).Draw(t, "stats")
		want := s.naive(length, stats)
		r := market.NewResampler(s.series, s.columns, length, stats...)
		if diff := gocmp.Diff(want, resample(r, s.chunk(s.steps))); diff != "" {
			t.Fatalf("at once: %s", diff)
		}
		var chunks []market.Chunk
		for rest := s.steps; len(rest) > 0; {
			n := rapid.IntRange(min(len(chunks), len(rest)), len(rest)).Draw(t, "rows of a chunk")
			chunks, rest = append(chunks, s.chunk(rest[:n])), rest[n:]
		}
		if diff := gocmp.Diff(want, resample(r, chunks...)); diff != "" {
			t.Fatalf("in %d chunks: %s", len(chunks), diff)
		}
	})
}

func TestSumsAndCountsOfHoursAddUpToTheirDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySeries(t)
		stats := []market.Stat{market.StatSum, market.StatCount}
		hours := market.NewResampler(s.series, s.columns, market.BucketsHour, stats...)
		days := market.NewResampler(s.series, s.columns, market.BucketsDay, stats...)
		totals := func(r *market.Resampler) map[string]market.Micro {
			totals := map[string]market.Micro{}
			add := func(chunk market.Chunk) {
				for i := range chunk.Len() {
					date := market.DeliveryDateOf(time.Unix(chunk.Starts[i], 0)).String()
					for _, key := range chunk.Keys {
						date += " " + key[i]
					}
					for c, v := range chunk.Columns {
						name := date + " " + r.Columns()[c].Name
						if v.Kind == market.KindInteger {
							totals[name] += market.Micro(v.Integers[i])
						} else {
							totals[name] += market.MicroOf(v.Numbers[i])
						}
					}
				}
			}
			add(r.Add(s.chunk(s.steps)))
			add(r.End())
			return totals
		}
		if diff := gocmp.Diff(totals(days), totals(hours)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestPartsOfARangeAreFoldedInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySeries(t)
		length := rapid.SampledFrom([]market.BucketLength{market.BucketsHour, market.BucketsDay}).Draw(t, "resolution")
		r := market.NewResampler(s.series, s.columns, length, market.StatSum, market.StatCount)
		want := resample(r, s.chunk(s.steps))
		slices.Reverse(want)
		var got []string
		for rest := s.steps; len(rest) > 0; {
			bucket := length.Bucket(rest[len(rest)-1].start)
			from, _ := slices.BinarySearchFunc(rest, bucket.Start, func(row step, start int64) int { return cmp.Compare(row.start, start) })
			part := resample(r, s.chunk(rest[from:]))
			slices.Reverse(part)
			got, rest = append(got, part...), rest[:from]
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestMeansAreWeightedByTheirCounts(t *testing.T) {
	hour := second("2026-10-25T01:00:00Z")
	r := market.NewResampler(market.AFRR, columns(market.AFRR, "pdemand_mw", "prorata_mode"), market.BucketsHour, market.Stats()...)
	steps := market.Chunk{Starts: []int64{hour, hour + 4}, Ends: []int64{hour + 4, hour + 8}, Columns: []market.Vector{numbers("7", ""), flags("yn")}}
	mean := func(v float64, values int) market.BucketMean {
		return market.BucketMean{Mean: market.Number{V: v, Valid: values > 0}, Values: values}
	}
	thinned := market.AFRRMeans([]market.AFRRBucket{
		{Start: hour + 300, Steps: 75, DemandMW: mean(1.5, 75), ProrataMode: market.BucketFlag{Yes: 75}},
		{Start: hour + 600, Steps: 75, DemandMW: mean(0, 0)},
		{Start: hour + 900, Steps: 75, DemandMW: mean(-3, 14), ProrataMode: market.BucketFlag{No: 75}},
	}, columns(market.AFRR, "pdemand_mw", "prorata_mode"))
	got := rows(r.Add(steps))
	got = append(got, rows(r.AddSummaries(thinned))...)
	got = append(got, rows(r.End())...)
	// (7 + 75*1.5 - 14*3) / 90, and 76 of 152.
	want := []string{"2026-10-25T01:00:00Z 2026-10-25T02:00:00Z 0.861111 null null 77.5 90 0.1 0.5 false true 76 152 0.1689"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := resample(r, steps); len(got) != 1 || !strings.Contains(got[0], "7 7 7 7 1 0.0011") {
		t.Errorf("steps alone: %q, want their least and greatest value", got)
	}
}

func TestThinnedDatesGiveTheMeansOfTheirStepsButForRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		date := rapid.SampledFrom([]market.DeliveryDate{market.NewDeliveryDate(2026, time.March, 29), market.NewDeliveryDate(2026, time.October, 25)}).Draw(t, "date")
		all := market.AFRR.ServedColumns()
		var steps []market.AFRRStep
		var chunk market.Chunk
		chunk.Columns = make([]market.Vector, len(all))
		random := rapid.Int64Range(-1000, 1000)
		for start := date.Start().Unix(); start < date.End().Unix(); start += rapid.SampledFrom([]int64{4, 8, 400}).Draw(t, "to the next") {
			row := market.AFRRStep{Start: start}
			for _, number := range market.AFRRNumbers {
				if n := random.Draw(t, "value"); n > -900 {
					*number(&row) = market.Num(float64(n) / 100)
				}
			}
			row.PicassoConnection = market.Flag{V: start%16 == 0, Valid: start%12 > 0}
			row.ProrataMode = market.Flag{V: true, Valid: true}
			steps = append(steps, row)
			chunk.Starts, chunk.Ends = append(chunk.Starts, start), append(chunk.Ends, start+4)
			for i, v := range market.AFRR.Values(&row) {
				column := &chunk.Columns[i]
				column.Kind = all[i].Kind
				column.Valid = append(column.Valid, v.Number.Valid)
				column.Numbers, column.Flags = append(column.Numbers, v.Number.V), append(column.Flags, v.Number.V == 1)
			}
			if len(steps) == 120 {
				break
			}
		}
		length := rapid.SampledFrom(market.BucketLengths()).Draw(t, "resolution")
		r := market.NewResampler(market.AFRR, all, length, market.StatMean, market.StatCount, market.StatShare)
		want := wholeOf(r, r.Add(chunk), r.End)
		got := wholeOf(r, r.AddSummaries(market.AFRRMeans(market.AFRRBuckets(steps), all)), r.End)
		if !slices.Equal(got.Starts, want.Starts) {
			t.Fatalf("buckets at %v, want %v", got.Starts, want.Starts)
		}
		for c, column := range r.Columns() {
			for i := range want.Starts {
				a, b := want.Columns[c], got.Columns[c]
				switch {
				case a.Valid[i] != b.Valid[i],
					column.Kind == market.KindInteger && a.Integers[i] != b.Integers[i],
					column.Kind == market.KindNumber && market.MicroOf(a.Numbers[i]-b.Numbers[i]) > 5_000,
					column.Kind == market.KindNumber && market.MicroOf(b.Numbers[i]-a.Numbers[i]) > 5_000:
					t.Fatalf("%s at %s: %s, want %s", column.Name, instant(want.Starts[i]), cellOf(b, i), cellOf(a, i))
				}
			}
		}
	})
}

// wholeOf copies what two calls of a Resampler give into one chunk.
func wholeOf(r *market.Resampler, first market.Chunk, end func() market.Chunk) market.Chunk {
	whole := market.Chunk{Columns: make([]market.Vector, len(r.Columns()))}
	add := func(chunk market.Chunk) {
		whole.Starts = append(whole.Starts, chunk.Starts...)
		for c, v := range chunk.Columns {
			to := &whole.Columns[c]
			to.Kind = v.Kind
			to.Valid, to.Numbers, to.Integers = append(to.Valid, v.Valid...), append(to.Numbers, v.Numbers...), append(to.Integers, v.Integers...)
		}
	}
	add(first)
	add(end())
	return whole
}

// yearChunk is an hour of aFRR steps with two prices, as the store reads it, and how many of them a year has.
func yearChunk() (market.Chunk, int) {
	const steps = market.HourSeconds / market.AFRRSeconds
	chunk := market.Chunk{Starts: make([]int64, steps), Ends: make([]int64, steps), Columns: make([]market.Vector, 2)}
	for c := range chunk.Columns {
		v := market.Vector{Kind: market.KindNumber, Valid: make([]bool, steps), Numbers: make([]float64, steps)}
		for i := range steps {
			v.Numbers[i], v.Valid[i] = float64((i*7919)%20_000-5_000)/100, i%50 > 0
		}
		chunk.Columns[c] = v
	}
	return chunk, 365 * 24
}

// yearOfHours resamples a year of aFRR steps to hours and returns how many there are.
func yearOfHours(r *market.Resampler, chunk market.Chunk, hours int) int {
	first := second("2025-12-31T23:00:00Z")
	made := 0
	for hour := range int64(hours) {
		for i := range chunk.Starts {
			chunk.Starts[i] = first + hour*market.HourSeconds + int64(i)*market.AFRRSeconds
		}
		made += r.Add(chunk).Len()
	}
	return made + r.End().Len()
}

func TestTheMemoryOfAResamplerDoesNotGrowWithTheRange(t *testing.T) {
	chunk, _ := yearChunk()
	r := market.NewResampler(market.AFRR, columns(market.AFRR, "upward_price_eur_mwh", "downward_price_eur_mwh"), market.BucketsHour, market.Stats()...)
	yearOfHours(r, chunk, 2)
	if allocated := testing.AllocsPerRun(1, func() { yearOfHours(r, chunk, 48) }); allocated != 0 {
		t.Errorf("%v allocations for two days", allocated)
	}
}

func BenchmarkAYearOf4SecondStepsToHours(b *testing.B) {
	for name, stats := range map[string][]market.Stat{"mean": {market.StatMean}, "all": market.Stats()} {
		b.Run(name, func(b *testing.B) {
			chunk, hours := yearChunk()
			r := market.NewResampler(market.AFRR, columns(market.AFRR, "upward_price_eur_mwh", "downward_price_eur_mwh"), market.BucketsHour, stats...)
			b.ReportAllocs()
			for b.Loop() {
				if made := yearOfHours(r, chunk, hours); made != hours {
					b.Fatal(made)
				}
			}
		})
	}
}
