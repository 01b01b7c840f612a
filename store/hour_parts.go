package store

import (
	"context"
	"database/sql"

	"courant/store/market"
)

// hourParts reads the 4 s steps, an hour at once, from the packed hours straight into columns.
type hourParts struct {
	*plan
	source   string
	dates    bool // when each step was stored or last changed is needed
	period   market.Period
	hours    []packedHour
	bytes    []byte                    // of the hours
	undone   map[int64][][]revisedStep // by hour: what commits after the moment changed, the newest first
	changed  map[int64][]revisedSteps  // by hour: when steps changed until the moment, the oldest first
	nextHour int

	full    market.Chunk // with room for the whole hour
	updated []int64      // of each row, ms; where dates
	keep    []bool
	at      [market.HourSeconds]int16 // which row begins at a second, from 1 on
}

// revisedSteps is which steps of an hour a commit changed.
type revisedSteps struct {
	seen int64 // ms
	runs []revisedRun
}

func (t hourTable) partReader(p *plan) (partReader, int) {
	return &hourParts{plan: p, source: p.dataset.About().Source, dates: p.sifts || p.reads(market.ColumnUpdatedAt), full: newChunk(p)}, 1
}

func (p *hourParts) load(ctx context.Context, tx *sql.Tx, period market.Period) error {
	p.period, p.hours, p.bytes, p.nextHour = period, p.hours[:0], p.bytes[:0], 0
	p.undone, p.changed = nil, nil
	from := market.HourOf(period.Start)
	order := " ORDER BY start"
	if p.descending {
		order += " DESC"
	}
	if err := p.loadHours(ctx, tx, selectHours+" WHERE start >= ? AND start < ?"+order, from, period.End); err != nil || len(p.hours) == 0 {
		return err
	}
	found, err := tx.QueryContext(ctx, selectRevisedHours+" WHERE hour >= ? AND hour < ? AND seen_ms >= ? ORDER BY id DESC", from, period.End, p.plan.at.earliest)
	if err != nil {
		return err
	}
	err = scanRevisedHours(found, func(r *revisedHour, steps []revisedStep) {
		if p.plan.at.isAfter(r.seen) {
			if p.undone == nil {
				p.undone = map[int64][][]revisedStep{}
			}
			p.undone[r.hour] = append(p.undone[r.hour], steps)
		}
	})
	if err != nil || !p.dates {
		return err
	}
	return p.loadChanged(ctx, tx, from, period.End)
}

// loadHours copies the packed hours of a query, which ends with the transaction.
func (p *hourParts) loadHours(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	found, err := tx.QueryContext(ctx, query, args...)
	var row packedHour
	var runs, decimals, numbers sql.RawBytes
	var lengths [][3]int
	err = eachRow(found, err, []any{&row.start, &row.rows, &runs, &decimals, &numbers, &row.checksum}, func() error {
		p.hours = append(p.hours, packedHour{start: row.start, rows: row.rows, checksum: row.checksum})
		lengths = append(lengths, [3]int{len(runs), len(decimals), len(numbers)})
		p.bytes = append(append(append(p.bytes, runs...), decimals...), numbers...)
		return nil
	})
	if err != nil {
		return err
	}
	rest := p.bytes
	for i, n := range lengths {
		for part, into := range []*[]byte{&p.hours[i].runs, &p.hours[i].decimals, &p.hours[i].numbers} {
			*into, rest = rest[:n[part]], rest[n[part]:]
		}
	}
	return nil
}

// loadChanged reads when steps of the hours changed until the moment.
func (p *hourParts) loadChanged(ctx context.Context, tx *sql.Tx, from, to int64) error {
	p.changed = map[int64][]revisedSteps{}
	found, err := tx.QueryContext(ctx, "SELECT id, hour, seen_ms, steps, runs FROM afrr_energy_revision WHERE hour >= ? AND hour < ? ORDER BY id", from, to)
	var r revisedHour
	return eachRow(found, err, []any{&r.id, &r.hour, &r.seen, &r.steps, (*sql.RawBytes)(&r.runs)}, func() error {
		if p.plan.at.isAfter(r.seen) {
			return nil
		}
		runs, err := r.changedRuns()
		if err != nil {
			return r.damaged(err)
		}
		p.changed[r.hour] = append(p.changed[r.hour], revisedSteps{r.seen, runs})
		return nil
	})
}

func (p *hourParts) next() (market.Chunk, bool, error) {
	for p.nextHour < len(p.hours) {
		hour := &p.hours[p.nextHour]
		p.nextHour++
		chunk, err := p.decode(hour)
		if err != nil {
			return market.Chunk{}, false, hour.damaged(err)
		}
		if chunk.Len() > 0 {
			return chunk, true, nil
		}
	}
	return market.Chunk{}, false, nil
}

// decode returns the rows of an hour that are read.
func (p *hourParts) decode(hour *packedHour) (market.Chunk, error) {
	runs, decimals, err := hour.head()
	if err != nil {
		return market.Chunk{}, err
	}
	resizeChunk(&p.full, hour.rows)
	kept := p.place(hour, runs)
	if kept == 0 {
		return market.Chunk{}, nil
	}
	if err := p.decodeNumbers(hour, decimals); err != nil {
		return market.Chunk{}, err
	}
	for i, column := range p.columns {
		v := &p.full.Columns[i]
		switch {
		case column.own < 0:
			p.fillExtra(v, column.extra)
		case v.Kind == market.KindBoolean:
			fillFlags(v, runs, column.own)
		}
	}
	for _, steps := range p.undone[hour.start] {
		p.undo(steps)
	}
	chunk := p.full
	if kept < hour.rows || p.descending {
		chunk.Columns = append([]market.Vector(nil), p.full.Columns...)
	}
	if kept < hour.rows {
		keepRows(&chunk, p.keep)
	}
	if p.descending {
		reverseChunk(&chunk)
	}
	return chunk, nil
}

// place sets the starts of the rows, and which of them are read. It returns how many are.
func (p *hourParts) place(hour *packedHour, runs []hourRun) (kept int) {
	p.keep, p.updated = resized(p.keep, hour.rows), resized(p.updated, hour.rows)
	isChanged := len(p.undone[hour.start])+len(p.changed[hour.start]) > 0
	if isChanged {
		clear(p.at[:])
	}
	for i, run := range runs {
		known := !p.plan.at.isAfter(run.FirstSeen)
		start := hour.start + int64(run.Second)
		for row := run.Row; row < runEnd(runs, i, hour.rows); row++ {
			p.full.Starts[row], p.full.Ends[row] = start, start+market.AFRRSeconds
			p.keep[row], p.updated[row] = known && p.period.Holds(start), run.FirstSeen
			if isChanged {
				p.at[start-hour.start] = int16(row + 1)
			}
			start += market.AFRRSeconds
		}
	}
	for _, change := range p.changed[hour.start] {
		for _, run := range change.runs {
			for n := range run[1] {
				if row := p.at[run[0]+n*market.AFRRSeconds]; row > 0 {
					p.updated[row-1] = change.seen
				}
			}
		}
	}
	for row := range p.keep {
		if p.sifts && !p.since.isAfter(p.updated[row]) {
			p.keep[row] = false
		}
		if p.keep[row] {
			kept++
		}
	}
	return kept
}

// decodeNumbers reads the number columns that are asked for, up to the last of them.
func (p *hourParts) decodeNumbers(hour *packedHour, decimals []*int) (err error) {
	rest := hour.numbers
	for c := range market.AFRRNumbers {
		into := -1
		for i, column := range p.columns {
			if column.own != c {
				continue
			}
			v := &p.full.Columns[i]
			if into >= 0 { // asked for twice
				copy(v.Numbers, p.full.Columns[into].Numbers)
				copy(v.Valid, p.full.Columns[into].Valid)
				continue
			}
			into = i
			if rest, err = readColumn(rest, v.Numbers, v.Valid, decimals[c]); err != nil {
				return err
			}
		}
		if into < 0 {
			if rest, err = skipColumn(rest, hour.rows); err != nil {
				return err
			}
		}
	}
	if len(rest) > 0 {
		return tooLong(rest)
	}
	return nil
}

// fillFlags sets the values of one of the flags, which are told run by run.
func fillFlags(v *market.Vector, runs []hourRun, column int) {
	for i, run := range runs {
		flag := flagOf(run.Picasso)
		if column == len(market.AFRRNumbers)+1 {
			flag = flagOf(run.Prorata)
		}
		for row := run.Row; row < runEnd(runs, i, len(v.Flags)); row++ {
			v.Flags[row], v.Valid[row] = flag.V, flag.Valid
		}
	}
}

func (p *hourParts) fillExtra(v *market.Vector, name string) {
	for row := range v.Valid {
		v.Valid[row] = true
	}
	switch name {
	case market.ColumnUpdatedAt:
		copy(v.Instants, p.updated)
	case market.ColumnSource:
		for row := range v.Texts {
			v.Texts[row] = p.source
		}
	case market.ColumnPeriodStartUnix:
		copy(v.Integers, p.full.Starts)
	}
}

// undo gives steps that a commit changed the values that they had before.
func (p *hourParts) undo(steps []revisedStep) {
	for i, column := range p.columns {
		if column.own < 0 {
			continue
		}
		v := &p.full.Columns[i]
		for s := range steps {
			step := &steps[s]
			row := int(p.at[step.second]) - 1
			if step.columns>>column.own&1 == 0 || row < 0 {
				continue
			}
			old := step.old[column.own]
			v.Valid[row] = old.Valid
			if v.Kind == market.KindBoolean {
				v.Flags[row] = old.V != 0
			} else {
				v.Numbers[row] = old.V
			}
		}
	}
}
