package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"courant/store/market"
)

const selectHours = "SELECT start, rows, runs, decimals, numbers, checksum FROM afrr_energy_hour"

// scanHours unpacks each hour of a query made by selectHours; the steps are each's until it returns.
func scanHours(found *sql.Rows, each func([]heldStep)) error {
	defer found.Close()
	var steps []heldStep
	var p packedHour
	for found.Next() {
		err := found.Scan(&p.start, &p.rows, (*sql.RawBytes)(&p.runs), (*sql.RawBytes)(&p.decimals), (*sql.RawBytes)(&p.numbers), &p.checksum)
		if err != nil {
			return err
		}
		if steps, err = p.unpack(steps[:0]); err != nil {
			return err
		}
		each(steps)
	}
	return found.Err()
}

// longestDate is how many 4 s steps a delivery date has at most.
const longestDate = 25 * market.HourSeconds / market.AFRRSeconds

// hourTable reads and writes the 4 s steps, packed by the hour.
type hourTable struct{ layout[market.AFRRStep] }

// stepsDataset is the dataset of 4 s steps.
var stepsDataset = market.AFRR.Datasets[0].ID

func (t hourTable) selectPeriod(ctx context.Context, tx *sql.Tx, _ market.Dataset, period market.Period) ([]market.AFRRStep, error) {
	return selectSteps(ctx, tx, period)
}

// selectSteps reads the 4 s steps that begin in the period, ascending.
func selectSteps(ctx context.Context, tx *sql.Tx, period market.Period) ([]market.AFRRStep, error) {
	found, err := tx.QueryContext(ctx, selectHours+" WHERE start >= ? AND start < ? ORDER BY start", market.HourOf(period.Start), period.End)
	if err != nil {
		return nil, err
	}
	var rows []market.AFRRStep
	err = scanHours(found, func(steps []heldStep) {
		if rows == nil {
			rows = make([]market.AFRRStep, 0, min(period.Seconds(), longestDate))
		}
		for i := range steps {
			if period.Holds(steps[i].row.Start) {
				rows = append(rows, steps[i].row)
			}
		}
	})
	return rows, err
}

// checkHours reads every packed hour, and compares it with its summary if it has one.
func checkHours(ctx context.Context, tx *sql.Tx, has func(table string) bool) error {
	if has("afrr_energy_summary") {
		return checkSummaries(ctx, tx)
	}
	found, err := tx.QueryContext(ctx, selectHours)
	if err != nil {
		return err
	}
	return scanHours(found, func([]heldStep) {})
}

// insertHours is a statement that writes an hour, in the place of the same one if it is there.
func insertHours(ctx context.Context, tx *sql.Tx) (*sql.Stmt, error) {
	return tx.PrepareContext(ctx, "INSERT OR REPLACE INTO afrr_energy_hour (start, rows, runs, decimals, numbers, checksum) VALUES (?, ?, ?, ?, ?, ?)")
}

// insertHour packs steps, which ascend, writes them with a statement of insertHours, and returns their summary.
func insertHour(ctx context.Context, insert *sql.Stmt, start int64, steps []heldStep) (hourSummary, error) {
	p, summary, err := pack(start, steps)
	if err != nil {
		return hourSummary{}, err
	}
	_, err = insert.ExecContext(ctx, p.start, p.rows, string(p.runs), string(p.decimals), p.numbers, p.checksum)
	return summary, err
}

// upsert writes each hour anew in which a row is new or differs from what is stored.
func (t hourTable) upsert(w *writing, batch market.Batch) error {
	rows := t.In(batch)
	if len(rows) == 0 {
		return nil
	}
	tally, err := w.tally(stepsDataset)
	if err != nil {
		return err
	}
	tally.Seen += len(rows)
	arrived := byHour(rows)
	read, err := w.tx.PrepareContext(w.ctx, selectHours+" WHERE start = ?")
	if err != nil {
		return err
	}
	insert, err := insertHours(w.ctx, w.tx)
	if err != nil {
		return err
	}
	summaries, err := newSummaryWriter(w.ctx, w.tx)
	if err != nil {
		return err
	}
	revised, err := newRevisedHours(w.ctx, w.tx)
	if err != nil {
		return err
	}
	hours := slices.Sorted(maps.Keys(arrived))
	thinned, err := readThinned(w.ctx, w.tx, market.Period{Start: hours[0], End: hours[len(hours)-1] + market.HourSeconds})
	if err != nil {
		return err
	}
	var h hour
	var calendar market.Calendar
	cover := coverage{}
	for _, start := range hours {
		date := datedKey{stepsDataset, calendar.DateOf(start)}
		admitted, replaced := thinned.admit(start, arrived[start])
		if err := dropBuckets(w, date, replaced, cover); err != nil {
			return err
		}
		if err := h.meet(w.ctx, read, start, admitted, w.now); err != nil {
			return err
		}
		changed, withdrawn, err := h.revise(w, revised)
		if err != nil {
			return err
		}
		tally.Withdrawn += withdrawn
		added, newest := h.added()
		if changed+added == 0 {
			continue
		}
		tally.Changed += changed + added
		w.changed[date] = true
		first, last := h.changedStarts()
		w.noteChange(date, first, last, changed+added)
		if added > 0 {
			cover.add(coverKey{date, ""}, added, newest)
		}
		summary, err := insertHour(w.ctx, insert, start, h.ascending())
		if err != nil {
			return err
		}
		if len(replaced) < len(thinned.byHour[start]) { // means remain of a part of the hour
			summary.fits = false
		}
		if err := summaries.write(w.ctx, summary, w.now); err != nil {
			return err
		}
	}
	return cover.write(w)
}

// byHour groups steps by the hours in which they lie.
func byHour(rows []market.AFRRStep) map[int64][]*market.AFRRStep {
	hours := map[int64][]*market.AFRRStep{}
	for i := range rows {
		start := market.HourOf(rows[i].Start)
		hours[start] = append(hours[start], &rows[i])
	}
	return hours
}

// hour is an hour of 4 s steps that is being changed.
type hour struct {
	start  int64
	at     [market.HourSeconds]int16            // which step begins at a second, counted from 1
	came   [market.HourSeconds]*market.AFRRStep // what has arrived for the second
	before []heldStep                           // as they are stored
	after  []heldStep                           // as they will be; those that are new come last
	sorted []heldStep

	revised []revisedStep
	since   *changedSince // nil until a value changes
}

// begin goes on to another hour, about which nothing is known yet.
func (h *hour) begin(start int64) {
	h.start = start
	clear(h.at[:])
	clear(h.came[:])
	h.before, h.after = h.before[:0], h.after[:0]
}

// meet reads the hour with a statement that selects one, and takes the steps that arrive for it.
func (h *hour) meet(ctx context.Context, read *sql.Stmt, start int64, arrived []*market.AFRRStep, now int64) error {
	h.begin(start)
	found, err := read.QueryContext(ctx, start)
	if err != nil {
		return err
	}
	if err := scanHours(found, h.hold); err != nil {
		return err
	}
	for _, row := range arrived {
		h.take(row, now)
	}
	return nil
}

// hold takes the steps that are stored.
func (h *hour) hold(steps []heldStep) {
	h.before, h.after = append(h.before, steps...), append(h.after, steps...)
	for i := range steps {
		h.at[steps[i].row.Start-h.start] = int16(i + 1)
	}
}

// take takes a step that arrives, as layout.upsert does a row: of steps that arrive for the same second it makes one, and that one
// meets what is stored.
func (h *hour) take(row *market.AFRRStep, now int64) {
	second := row.Start - h.start
	if twice := h.came[second]; twice != nil {
		joined := market.AFRR.Join(*twice, *row)
		row = &joined
	}
	h.came[second] = row
	if h.at[second] == 0 {
		h.after = append(h.after, heldStep{firstSeen: now})
		h.at[second] = int16(len(h.after))
	}
	i := int(h.at[second]) - 1
	into := &h.after[i].row
	if i < len(h.before) {
		*into = h.before[i].row
	} else {
		*into = market.AFRRStep{Start: row.Start}
	}
	for _, number := range market.AFRRNumbers {
		n := number(into)
		*n = number(row).Over(*n)
	}
	into.PicassoConnection = row.PicassoConnection.Over(into.PicassoConnection)
	into.ProrataMode = row.ProrataMode.Over(into.ProrataMode)
}

// revise notes what has changed of the rows that were stored, and tells how many have, and how many values were withdrawn.
func (h *hour) revise(w *writing, revised *revisedHours) (changed, withdrawn int, err error) {
	h.revised = h.revised[:0]
	for i := range h.before {
		if h.after[i].row == h.before[i].row {
			continue
		}
		if len(h.revised) == 0 {
			if h.since == nil {
				h.since = new(changedSince)
			}
			clear(h.since[:])
			if err := revised.lastSeen(w.ctx, h.start, h.since); err != nil {
				return 0, 0, err
			}
		}
		step := revisedStep{second: int(h.before[i].row.Start - h.start), old: stepValues(&h.before[i].row), new: stepValues(&h.after[i].row)}
		for c := range step.old {
			if step.old[c] == step.new[c] {
				continue
			}
			step.columns |= 1 << c
			step.since[c] = h.since[step.second][c]
			if step.since[c] == 0 {
				step.since[c] = h.before[i].firstSeen
			}
			if !step.new[c].Valid {
				withdrawn++
			}
		}
		h.revised = append(h.revised, step)
	}
	if len(h.revised) == 0 {
		return 0, 0, nil
	}
	return len(h.revised), withdrawn, revised.write(w.ctx, h.start, w.now, h.revised)
}

// added counts the rows that are new, and tells the start of the last of them in time.
func (h *hour) added() (rows int, newest int64) {
	for i := len(h.before); i < len(h.after); i++ {
		newest = max(newest, h.after[i].row.Start)
	}
	return len(h.after) - len(h.before), newest
}

// changedStarts returns the starts of the first and the last step that is new or has changed; there is one.
func (h *hour) changedStarts() (first, last int64) {
	first, last = h.start+market.HourSeconds, h.start
	for i := range h.revised {
		start := h.start + int64(h.revised[i].second)
		first, last = min(first, start), max(last, start)
	}
	for i := len(h.before); i < len(h.after); i++ {
		first, last = min(first, h.after[i].row.Start), max(last, h.after[i].row.Start)
	}
	return first, last
}

// ascending are the steps as they will be, in the order of time.
func (h *hour) ascending() []heldStep {
	h.sorted = h.sorted[:0]
	for _, at := range h.at {
		if at != 0 {
			h.sorted = append(h.sorted, h.after[at-1])
		}
	}
	return h.sorted
}
