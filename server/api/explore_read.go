package api

import (
	"context"
	"slices"

	"courant/auth"
	"courant/store/market"
	"courant/store/market/analysis"
)

// exploreStats are the statistics from which the page for exploring computes all that it shows.
var exploreStats = []market.Stat{market.StatSum, market.StatCount, market.StatMin, market.StatMax}

// The most points of a line, by the length of their periods, and of all lines of a view together: a view stays below 200 kB
// compressed, and a line has several points for each px at least.
const (
	mostShortPoints = 3_000 // shorter than an hour
	mostHours       = 10_000
	mostPoints      = 40_000
	// mostQuarterDates is the most dates whose figures are made of quarter hours; of more dates they are made of hours.
	mostQuarterDates = 400
)

// drawnLength returns the length of the periods that lines of a dataset have, which are so many in a view of so many dates.
func drawnLength(dataset market.Dataset, dates, lines int) market.BucketLength {
	const daySeconds = 24 * market.HourSeconds
	for _, length := range market.BucketLengths() {
		seconds := length.Seconds()
		if seconds == 0 || length.IsFinerThan(dataset.Series().StepSeconds()) {
			continue
		}
		points := dates * int(daySeconds/seconds)
		most := mostShortPoints
		if seconds >= market.HourSeconds {
			most = mostHours
		}
		if points <= most && points*lines <= mostPoints {
			return length
		}
	}
	return market.BucketsDay
}

// readLength returns the length of the steps that figures are made of: not longer than the drawn ones, nor than an hour.
func readLength(dataset market.Dataset, dates int, drawn market.BucketLength) market.BucketLength {
	switch {
	case dataset.Series().StepSeconds() == market.QuarterSeconds && dates <= mostQuarterDates:
		return market.Buckets15Minutes
	case drawn.Seconds() == 0:
		return market.BucketsHour
	}
	return drawn
}

// readSteps reads series of one dataset, each as steps of a length.
func (s *Server) readSteps(
	ctx context.Context, identity auth.Identity, all []exploredSeries, period market.Period, length market.BucketLength,
) (map[string][]analysis.Step, error) {
	dataset := all[0].dataset
	keys := dataset.Series().ServedKeys()
	q := rowsQuery{
		dataset: dataset, period: period, keys: make([][]string, len(keys)), resolution: length, stats: exploreStats,
	}
	if length.Seconds() == dataset.Series().StepSeconds() {
		q.resolution, q.stats = "", nil // the published values, which need no folding
	}
	place := map[string]int{} // of each column in q.columns
	for _, series := range all {
		if _, is := place[series.column.Name]; !is {
			place[series.column.Name] = len(q.columns)
			q.columns = append(q.columns, series.column)
		}
		for k, key := range series.keys {
			if !slices.Contains(q.keys[k], key) {
				q.keys[k] = append(q.keys[k], key)
			}
		}
	}
	answer, err := s.beginRows(ctx, q)
	if err != nil {
		return nil, err
	}
	isLong, err := answer.isLong(ctx)
	if err != nil {
		return nil, err
	}
	release, err := s.admitLong(identity, isLong)
	if err != nil {
		return nil, err
	}
	defer release()
	steps := map[string][]analysis.Step{}
	for chunk, err := range answer.source.rows(ctx, 0) {
		if err != nil {
			return nil, q.explain(err)
		}
		for _, series := range all {
			list, at := steps[series.id], place[series.column.Name]
			for row := range chunk.Len() {
				if !hasKeys(chunk, row, series.keys) {
					continue
				}
				if q.resolution == "" {
					list = append(list, analysis.StepOf(chunk.Period(row), chunk.Columns[at].Number(row)))
					continue
				}
				of := chunk.Columns[len(exploreStats)*at:]
				list = append(list, analysis.Step{
					Period: chunk.Period(row), Sum: market.MicroOf(of[0].Numbers[row]), Count: of[1].Integers[row],
					Least: of[2].Number(row), Most: of[3].Number(row),
				})
			}
			steps[series.id] = list
		}
	}
	return steps, nil
}

func hasKeys(chunk market.Chunk, row int, keys []string) bool {
	for k, key := range keys {
		if chunk.Keys[k][row] != key {
			return false
		}
	}
	return true
}
