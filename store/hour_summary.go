package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"strings"

	"courant/store/market"
)

// The summary of an hour of 4 s steps is a row of afrr_energy_summary. It is exact: rows resampled from summaries are those resampled
// from the steps.

// mostSummarised is the greatest number that is summarised, in millionths of its unit and regardless of sign. Sums of an hour
// of such numbers fit an int64, and float64 stores each without loss. Published values are far smaller.
const mostSummarised = 1 << 50

// hourSummary is the summary of an hour of 4 s steps.
type hourSummary struct {
	start   int64 // seconds UTC
	steps   int
	columns [stepColumns]columnSummary
	fits    bool // it is exact
}

// columnSummary is the summary of one column of an hour, numbers in millionths.
type columnSummary struct {
	sum, values int64 // of a flag: at how many steps it is true, and at how many it has a value
	least, most int64 // 0 if there are no values, and of a flag
}

func (s *columnSummary) add(n int64) {
	s.sum += n
	s.values++
	s.least, s.most = min(s.least, n), max(s.most, n)
}

// addNumbers summarises a number column, by its place. The summary in units of its last decimal is known if it has decimals.
func (s *hourSummary) addNumbers(c int, column []market.Number, decimals *int, inUnits columnSummary) {
	const microDecimals = 6
	scale := int64(1)
	if decimals != nil && *decimals <= microDecimals {
		scale = int64(powersOfTen[microDecimals-*decimals])
	} else {
		inUnits = columnSummary{least: math.MaxInt64, most: math.MinInt64}
		for _, n := range column {
			switch {
			case !n.Valid || math.IsNaN(n.V): // which is stored as null
			case math.Abs(n.V) > mostSummarised/market.MicrosPerUnit:
				s.fits = false
			default:
				inUnits.add(int64(market.MicroOf(n.V)))
			}
		}
	}
	if inUnits.values == 0 {
		return
	}
	if inUnits.least < -mostSummarised/scale || inUnits.most > mostSummarised/scale {
		s.fits = false
	}
	s.columns[c] = columnSummary{inUnits.sum * scale, inUnits.values, inUnits.least * scale, inUnits.most * scale}
}

// addFlags summarises the flags.
func (s *hourSummary) addFlags(runs []hourRun) {
	for i, run := range runs {
		rows := int64(runEnd(runs, i, s.steps) - run.Row)
		for flag, is := range []*bool{run.Picasso, run.Prorata} {
			column := &s.columns[len(market.AFRRNumbers)+flag]
			if is != nil {
				column.values += rows
			}
			if is != nil && *is {
				column.sum += rows
			}
		}
	}
}

// isNumber reports whether a column of a 4 s step, by its place, is a number and not a flag.
func isNumber(column int) bool { return column < len(market.AFRRNumbers) }

// summaryColumns returns the columns of afrr_energy_summary that summarise a column of the steps.
func summaryColumns(column int) []string {
	suffixes := []string{"_yes", "_values"}
	if isNumber(column) {
		suffixes = []string{"_sum", "_values", "_min", "_max"}
	}
	for i := range suffixes {
		suffixes[i] = stepColumnNames[column] + suffixes[i]
	}
	return suffixes
}

// allSummaryColumns are all columns of afrr_energy_summary, in the order of hourSummary.row.
var allSummaryColumns = func() string {
	names := []string{"start", "steps", "changed_ms"}
	for c := range stepColumns {
		names = append(names, summaryColumns(c)...)
	}
	return strings.Join(names, ",")
}()

// row returns the values of a row of afrr_energy_summary; changed is the stamp of the last commit that changed the hour.
func (s *hourSummary) row(changed int64) []any {
	row := []any{s.start, s.steps, changed}
	for c, column := range s.columns {
		row = append(row, column.sum, column.values)
		switch {
		case isNumber(c) && column.values > 0:
			row = append(row, column.least, column.most)
		case isNumber(c):
			row = append(row, nil, nil)
		}
	}
	return row
}

// fields are the pointers for the columns of summaryColumns.
func (s *columnSummary) fields(column int) []any {
	if isNumber(column) {
		return []any{&s.sum, &s.values, nullable[int64]{&s.least}, nullable[int64]{&s.most}}
	}
	return []any{&s.sum, &s.values}
}

// summaryWriter writes summaries of hours.
type summaryWriter struct {
	tx     *sql.Tx
	insert *sql.Stmt
}

func newSummaryWriter(ctx context.Context, tx *sql.Tx) (summaryWriter, error) {
	columns := strings.Count(allSummaryColumns, ",")
	insert, err := tx.PrepareContext(ctx, "INSERT OR REPLACE INTO afrr_energy_summary ("+allSummaryColumns+") VALUES (?"+strings.Repeat(",?", columns)+")")
	return summaryWriter{tx, insert}, err
}

// write replaces the summary of an hour, or removes it if it is not exact. changed is the stamp of the last commit that changed
// the hour.
func (w summaryWriter) write(ctx context.Context, summary hourSummary, changed int64) error {
	if !summary.fits {
		_, err := w.tx.ExecContext(ctx, "DELETE FROM afrr_energy_summary WHERE start = ?", summary.start)
		return err
	}
	_, err := w.insert.ExecContext(ctx, summary.row(changed)...)
	return err
}

// Hours returns the summaries of the whole hours of 4 s steps that lie in the period, with the columns of the reading, as they
// were at its moment. Hours without a summary of that moment are left out: the caller has to read their rows and 5 min. Other
// datasets have none. Errors are as those of Chunks.
func (r *Reading) Hours(ctx context.Context) (market.Summaries, error) {
	within := r.within()
	if r.plan.dataset != stepsDataset || r.plan.sifts || r.Position == 0 || within.End <= within.Start {
		return market.Summaries{}, nil
	}
	made := market.Summaries{Columns: make([][]market.Summary, len(r.plan.columns))}
	at := r.plan.at
	at.late = maps.Clone(at.late)
	names := []string{"start", "changed_ms"}
	var start, changed int64
	fields := []any{&start, &changed}
	scanned := make([]columnSummary, len(r.plan.columns))
	for i, column := range r.plan.columns {
		if column.own >= 0 {
			names, fields = append(names, summaryColumns(column.own)...), append(fields, scanned[i].fields(column.own)...)
		}
	}
	err := r.store.read(ctx, func(tx *sql.Tx) error {
		if err := at.refresh(ctx, tx); err != nil {
			return err
		}
		if err := r.plan.refuseThinned(ctx, tx, within); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT "+strings.Join(names, ",")+" FROM afrr_energy_summary WHERE start >= ? AND start <= ? ORDER BY start",
			within.Start, within.End-market.HourSeconds)
		return eachRow(rows, err, fields, func() error {
			if at.isAfter(changed) {
				return nil
			}
			made.Starts = append(made.Starts, start)
			for i, s := range scanned {
				made.Columns[i] = append(made.Columns[i], market.SummaryOf(market.Micro(s.sum), s.values, market.Micro(s.least), market.Micro(s.most)))
			}
			return nil
		})
	})
	if err != nil {
		return market.Summaries{}, fmt.Errorf("store: read %s: %w", r.plan.dataset, err)
	}
	return made, nil
}

// CountHours returns about how many summaries Hours returns, without reading them.
func (r *Reading) CountHours(ctx context.Context) (hours int, err error) {
	within := r.within()
	if r.plan.dataset == stepsDataset {
		err = r.store.reader.QueryRowContext(ctx, "SELECT count(*) FROM afrr_energy_summary WHERE start >= ? AND start < ? AND changed_ms <= ?",
			within.Start, within.End, r.plan.at.latest).Scan(&hours)
	}
	return hours, wrap("count hours", r.store.explain(err))
}

// hoursPerSummary is how many hours SummariseHours summarises in one transaction.
const hoursPerSummary = 48

// notSummarised is the condition that a packed hour has no summary although it could have one.
const notSummarised = `NOT EXISTS (SELECT 1 FROM afrr_energy_summary AS s WHERE s.start = afrr_energy_hour.start)
	AND NOT EXISTS (SELECT 1 FROM afrr_energy_bucket AS b WHERE b.start >= afrr_energy_hour.start AND b.start < afrr_energy_hour.start + 3600)`

// SummariseHours stores the summaries of the hours of 4 s steps that have none because an earlier version stored them. It
// yields how many it has stored after each transaction, and the error of each hour that cannot be read, which it leaves out; any other error ends
// it.
func (s *Store) SummariseHours(ctx context.Context) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for from := int64(math.MinInt64); ; {
			// A search of all hours, so it does not take the write lock.
			err := s.reader.QueryRowContext(ctx, "SELECT start FROM afrr_energy_hour WHERE start >= ? AND "+notSummarised+" ORDER BY start LIMIT 1", from).Scan(&from)
			if errors.Is(err, sql.ErrNoRows) {
				return
			}
			var made missingHours
			if err == nil {
				err = s.write(ctx, func(tx *sql.Tx) (err error) {
					made, err = summariseMissing(ctx, tx, market.Period{Start: from, End: math.MaxInt64}, hoursPerSummary)
					return err
				})
			}
			if err != nil {
				yield(0, wrap("summarise hours", s.explain(err)))
				return
			}
			for _, fault := range made.faults {
				if !yield(0, wrap("summarise hours", fault)) {
					return
				}
			}
			if !yield(made.summarised, nil) {
				return
			}
			from = made.last + 1
		}
	}
}

// missingHours is what summariseMissing has done.
type missingHours struct {
	summarised int
	last       int64 // start of the last hour that it has read
	faults     []error
}

// summariseMissing stores the summaries of the first hours of a period that have none, at most so many.
func summariseMissing(ctx context.Context, tx *sql.Tx, period market.Period, most int) (made missingHours, err error) {
	made.last = period.Start
	rows, err := tx.QueryContext(ctx, selectHours+" WHERE start >= ? AND start < ? AND "+notSummarised+" ORDER BY start LIMIT ?", period.Start, period.End, most)
	hours, err := collect(rows, err, func(p *packedHour) []any {
		return []any{&p.start, &p.rows, &p.runs, &p.decimals, &p.numbers, &p.checksum}
	})
	if err != nil || len(hours) == 0 {
		return made, err
	}
	summaries, err := newSummaryWriter(ctx, tx)
	if err != nil {
		return made, err
	}
	// Where a clock went back, the latest stamp is not that of the last commit.
	lastCommit, err := tx.PrepareContext(ctx, `
		SELECT stamp FROM (
			SELECT json_extract(run.value, '$.first_seen_ms') AS stamp FROM afrr_energy_hour, json_each(runs) AS run WHERE start = ?1
			UNION SELECT seen_ms FROM afrr_energy_revision WHERE hour = ?1)
		LEFT JOIN market_commit ON stamp_ms = stamp ORDER BY position DESC, stamp DESC LIMIT 1`)
	if err != nil {
		return made, err
	}
	var steps []heldStep
	for i := range hours {
		hour := &hours[i]
		made.last = hour.start
		var fault error
		if steps, fault = hour.unpack(steps[:0]); fault != nil {
			made.faults = append(made.faults, fault)
			continue
		}
		_, summary, err := pack(hour.start, steps)
		if err != nil {
			return made, err
		}
		var changed int64
		if err := lastCommit.QueryRowContext(ctx, hour.start).Scan(&changed); err != nil {
			return made, err
		}
		if err := summaries.write(ctx, summary, changed); err != nil {
			return made, err
		}
		made.summarised++
	}
	return made, nil
}

// checkSummaries reads every packed hour and compares it with its summary. It compares the summaries of hours whose steps were thinned with
// the numbers of values in their 5 min.
func checkSummaries(ctx context.Context, tx *sql.Tx) error {
	var hour packedHour
	var stored hourSummary
	var start sql.Null[int64]
	fields := []any{&hour.start, &hour.rows, (*sql.RawBytes)(&hour.runs), (*sql.RawBytes)(&hour.decimals), (*sql.RawBytes)(&hour.numbers), &hour.checksum,
		&start, nullable[int]{&stored.steps}, nullable[int64]{new(int64)}}
	for c := range stored.columns {
		for _, field := range stored.columns[c].fields(c) {
			if plain, is := field.(*int64); is {
				field = nullable[int64]{plain}
			}
			fields = append(fields, field)
		}
	}
	var steps []heldStep
	rows, err := tx.QueryContext(ctx, `
		SELECT h.start, rows, runs, decimals, numbers, checksum, s.* FROM afrr_energy_hour AS h LEFT JOIN (SELECT `+allSummaryColumns+` FROM afrr_energy_summary) AS s USING (start)`)
	err = eachRow(rows, err, fields, func() (err error) {
		if steps, err = hour.unpack(steps[:0]); err != nil || !start.Valid {
			return err
		}
		stored.start, stored.fits = start.V, true
		_, made, err := pack(hour.start, steps)
		if err == nil && made != stored {
			return damagedSummary(hour.start, "it is not that of its steps")
		}
		return err
	})
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, `
		SELECT s.start FROM afrr_energy_summary AS s WHERE NOT EXISTS (SELECT 1 FROM afrr_energy_hour WHERE start = s.start) AND (`+summaryCounts+`)
			IS NOT (SELECT `+bucketCounts+` FROM afrr_energy_bucket WHERE start >= s.start AND start < s.start + 3600) LIMIT 1`).Scan(&start)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return damagedSummary(start.V, "it does not count the values that its 5 min have")
}

// summaryCounts are the numbers of steps and values of a summary, and bucketCounts the same of 5 min together.
const (
	summaryCounts = "steps, upward_price_values, downward_price_values, demand_mw_values, for_france_mw_values, in_france_mw_values, " +
		"picasso_connection_yes, picasso_connection_values, prorata_mode_yes, prorata_mode_values"
	bucketCounts = "sum(steps), sum(upward_price_values), sum(downward_price_values), sum(demand_values), sum(for_france_values), sum(in_france_values), " +
		"sum(picasso_yes), sum(picasso_yes + picasso_no), sum(prorata_yes), sum(prorata_yes + prorata_no)"
)

func damagedSummary(start int64, finding string) error {
	return fmt.Errorf("the summary %s of afrr_energy_summary is damaged: %s", market.Period{Start: start}.From().Format("2006-01-02T15:04Z"), finding)
}
