package market

import "math"

// Summary is what is known of the values of a column in several steps together. Nulls do not count.
type Summary struct {
	Sum         Micro // of a boolean: how many values are true
	Count       int64
	Least, Most float64 // +Inf and -Inf if there is no value; of a boolean they are not used
	OnlyMeans   bool    // some of the values are known by their mean only: Sum is rounded, and Least and Most are not known
}

func (s *Summary) reset() { *s = Summary{Least: math.Inf(1), Most: math.Inf(-1)} }

func (s *Summary) add(more Summary) {
	s.Sum += more.Sum
	s.Count += more.Count
	s.Least, s.Most = min(s.Least, more.Least), max(s.Most, more.Most)
	s.OnlyMeans = s.OnlyMeans || more.OnlyMeans
}

// SummaryOf returns the summary of numbers that are not null. The least and the greatest are given in millionths.
func SummaryOf(sum Micro, count int64, least, most Micro) Summary {
	var s Summary
	s.reset()
	if count > 0 {
		s = Summary{Sum: sum, Count: count, Least: least.Number().V, Most: most.Number().V}
	}
	return s
}

// Summaries is rows that stand for several steps each, ascending, of a series without keys.
type Summaries struct {
	Starts  []int64     // seconds UTC
	Columns [][]Summary // for each requested column one of each row
}

// Len returns the number of rows.
func (s Summaries) Len() int { return len(s.Starts) }

// Slice is the rows from one to another; it shares their memory.
func (s Summaries) Slice(from, to int) Summaries {
	cut := Summaries{Starts: s.Starts[from:to], Columns: make([][]Summary, len(s.Columns))}
	for c, column := range s.Columns {
		cut.Columns[c] = column[from:to]
	}
	return cut
}
