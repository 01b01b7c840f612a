package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"

	"courant/store/market"
)

// What a commit changed of an hour of 4 s steps is one row of afrr_energy_revision. Written as rows of revision, a value
// that changed takes 122 bytes; this way it takes a few.
//
// runs names the steps and columns that changed, in JSON that the view afrr_energy reads too: each is [second of the hour,
// steps, columns], of steps 4 s apart; columns has bit c set if column c of stepColumnNames changed. changes is unsigned LEB128
// integers: for each column that changed anywhere, first to last, its old numbers, its new ones, and since when each of the old
// ones had been current. Numbers are written as in an hour, after how many decimals they have, which is bitsForDecimals if
// they are written as the bits of each float64. Since when is the zigzag code of the difference to the one before, the first to
// when the change was seen, in ms.

// bitsForDecimals stands for the decimals of numbers that are written as bits.
const bitsForDecimals = maxDecimals + 1

// stepColumns is how many values a 4 s step has.
const stepColumns = len(market.AFRRNumbers) + 2

// stepColumnNames are the columns of a 4 s step.
var stepColumnNames = market.AFRR.ColumnNames()

// stepValues are a step's values in the order of stepColumnNames.
func stepValues(r *market.AFRRStep) (values [stepColumns]market.Number) {
	for c, number := range market.AFRRNumbers {
		values[c] = *number(r)
	}
	values[len(market.AFRRNumbers)], values[len(market.AFRRNumbers)+1] = market.NumberOf(r.PicassoConnection), market.NumberOf(r.ProrataMode)
	return values
}

// revisedStep is what changed of a 4 s step.
type revisedStep struct {
	second   int  // of the hour
	columns  uint // the bits of those that changed
	old, new [stepColumns]market.Number
	since    [stepColumns]int64 // ms
}

// revisedHour is what a commit changed of an hour, as the database holds it.
type revisedHour struct {
	id       int64
	hour     int64 // seconds UTC
	seen     int64 // ms
	steps    int
	runs     []byte // JSON
	changes  []byte
	checksum uint32 // of all but the id
}

// revisedRun is [second of the hour, steps, columns].
type revisedRun [3]int

// packRevision is the row that holds what changed of steps, which ascend.
func packRevision(hour, seen int64, steps []revisedStep) (revisedHour, error) {
	p := revisedHour{hour: hour, seen: seen, steps: len(steps)}
	var runs []revisedRun
	var changed uint
	for i := range steps {
		changed |= steps[i].columns
		if i > 0 && steps[i].second == steps[i-1].second+market.AFRRSeconds && steps[i].columns == steps[i-1].columns {
			runs[len(runs)-1][1]++
			continue
		}
		runs = append(runs, revisedRun{steps[i].second, 1, int(steps[i].columns)})
	}
	var column []market.Number
	appendNumbers := func(from func(*revisedStep) *market.Number, c int) {
		column = column[:0]
		for i := range steps {
			if steps[i].columns>>c&1 == 1 {
				column = append(column, *from(&steps[i]))
			}
		}
		at := len(p.changes)
		var decimals *int
		p.changes, decimals, _ = appendColumn(append(p.changes, bitsForDecimals), column)
		if decimals != nil {
			p.changes[at] = byte(*decimals)
		}
	}
	for c := range stepColumns {
		if changed>>c&1 == 0 {
			continue
		}
		appendNumbers(func(s *revisedStep) *market.Number { return &s.old[c] }, c)
		appendNumbers(func(s *revisedStep) *market.Number { return &s.new[c] }, c)
		p.changes = appendSince(p.changes, seen, steps, c)
	}
	var err error
	if p.runs, err = json.Marshal(runs); err != nil {
		return revisedHour{}, err
	}
	p.checksum = p.sum()
	return p, nil
}

func appendSince(to []byte, seen int64, steps []revisedStep, c int) []byte {
	last := seen
	for i := range steps {
		if steps[i].columns>>c&1 == 1 {
			to = binary.AppendUvarint(to, zigzag(steps[i].since[c]-last))
			last = steps[i].since[c]
		}
	}
	return to
}

func (p *revisedHour) sum() uint32 {
	var head [28]byte
	binary.BigEndian.PutUint64(head[0:], uint64(p.hour))
	binary.BigEndian.PutUint64(head[8:], uint64(p.seen))
	binary.BigEndian.PutUint64(head[16:], uint64(p.steps))
	binary.BigEndian.PutUint32(head[24:], uint32(len(p.runs)))
	sum := crc32.Checksum(head[:], castagnoli)
	sum = crc32.Update(sum, castagnoli, p.runs)
	return crc32.Update(sum, castagnoli, p.changes)
}

// damaged names the row in which an error was found.
func (p *revisedHour) damaged(err error) error {
	return fmt.Errorf("the revision %d of the hour %s in afrr_energy_revision is damaged: %w",
		p.id, market.Period{Start: p.hour}.From().Format("2006-01-02T15:04Z"), err)
}

// unpack is what changed, ascending.
func (p *revisedHour) unpack() ([]revisedStep, error) {
	if p.checksum != p.sum() {
		return nil, p.damaged(errors.New("its checksum is not that of what it holds"))
	}
	steps, err := p.changedSteps()
	if err == nil {
		err = p.readChanges(steps)
	}
	if err != nil {
		return nil, p.damaged(err)
	}
	return steps, nil
}

// changedRuns reads which steps and columns changed.
func (p *revisedHour) changedRuns() ([]revisedRun, error) {
	var runs []revisedRun
	if err := json.Unmarshal(p.runs, &runs); err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	next, steps := 0, 0 // second of the hour from which on the next run may begin, and how many steps come before
	for i, run := range runs {
		second, n, columns := run[0], run[1], run[2]
		if second < next || second >= market.HourSeconds || n < 1 || n > market.HourSeconds || second+(n-1)*market.AFRRSeconds >= market.HourSeconds ||
			columns < 1 || columns >= 1<<stepColumns {
			return nil, fmt.Errorf("run %d is %v", i, run)
		}
		next = second + (n-1)*market.AFRRSeconds + 1
		steps += n
	}
	if steps < 1 || steps != p.steps {
		return nil, fmt.Errorf("runs of %d steps, not %d", steps, p.steps)
	}
	return runs, nil
}

// changedSteps are the steps of the runs; what their columns were and became is not known yet.
func (p *revisedHour) changedSteps() ([]revisedStep, error) {
	runs, err := p.changedRuns()
	if err != nil {
		return nil, err
	}
	steps := make([]revisedStep, 0, p.steps)
	for _, run := range runs {
		for n := range run[1] {
			steps = append(steps, revisedStep{second: run[0] + n*market.AFRRSeconds, columns: uint(run[2])})
		}
	}
	return steps, nil
}

// readChanges fills in what the columns were and became, and since when they had been what they were.
func (p *revisedHour) readChanges(steps []revisedStep) error {
	rest := p.changes
	var changed []*revisedStep
	var values []float64
	var valid []bool
	read := func(into func(*revisedStep) *market.Number) error {
		if len(rest) == 0 {
			return errNumber
		}
		var decimals *int
		if rest[0] != bitsForDecimals {
			n := int(rest[0])
			decimals = &n
		}
		var err error
		if rest, err = readColumn(rest[1:], values, valid, decimals); err != nil {
			return err
		}
		for i, step := range changed {
			*into(step) = market.Number{V: values[i], Valid: valid[i]}
		}
		return nil
	}
	for c := range stepColumns {
		changed = changed[:0]
		for i := range steps {
			if steps[i].columns>>c&1 == 1 {
				changed = append(changed, &steps[i])
			}
		}
		if len(changed) == 0 {
			continue
		}
		values, valid = make([]float64, len(changed)), make([]bool, len(changed))
		if err := firstError(
			func() error { return read(func(s *revisedStep) *market.Number { return &s.old[c] }) },
			func() error { return read(func(s *revisedStep) *market.Number { return &s.new[c] }) },
			func() (err error) { rest, err = readSince(rest, p.seen, changed, c); return err },
		); err != nil {
			return err
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the last change", len(rest))
	}
	return nil
}

func readSince(from []byte, seen int64, changed []*revisedStep, c int) ([]byte, error) {
	since := seen
	for _, step := range changed {
		difference, n := binary.Uvarint(from)
		if n <= 0 {
			return nil, errNumber
		}
		from = from[n:]
		since += unzigzag(difference)
		step.since[c] = since
	}
	return from, nil
}

const selectRevisedHours = "SELECT id, hour, seen_ms, steps, checksum, runs, changes FROM afrr_energy_revision"

// scanRevisedHours unpacks each row of a query made by selectRevisedHours.
func scanRevisedHours(found *sql.Rows, each func(*revisedHour, []revisedStep)) error {
	defer found.Close()
	for found.Next() {
		var p revisedHour
		err := found.Scan(&p.id, &p.hour, &p.seen, &p.steps, &p.checksum, (*sql.RawBytes)(&p.runs), (*sql.RawBytes)(&p.changes))
		if err != nil {
			return err
		}
		steps, err := p.unpack()
		if err != nil {
			return err
		}
		each(&p, steps)
	}
	return found.Err()
}

// checkRevisedHours reads every change of 4 s steps there is.
func checkRevisedHours(ctx context.Context, tx *sql.Tx, _ func(string) bool) error {
	found, err := tx.QueryContext(ctx, selectRevisedHours)
	if err != nil {
		return err
	}
	return scanRevisedHours(found, func(*revisedHour, []revisedStep) {})
}

// revisedHours writes and looks up what changed of the hours that a commit writes to.
type revisedHours struct {
	insert, before *sql.Stmt
}

func newRevisedHours(ctx context.Context, tx *sql.Tx) (*revisedHours, error) {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO afrr_energy_revision (hour, seen_ms, steps, checksum, runs, changes) VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	before, err := tx.PrepareContext(ctx, "SELECT id, hour, seen_ms, steps, runs FROM afrr_energy_revision WHERE hour = ? ORDER BY id")
	if err != nil {
		return nil, err
	}
	return &revisedHours{insert, before}, nil
}

// write packs what changed of steps, which ascend, and writes it.
func (r *revisedHours) write(ctx context.Context, hour, seen int64, steps []revisedStep) error {
	p, err := packRevision(hour, seen, steps)
	if err != nil {
		return err
	}
	_, err = r.insert.ExecContext(ctx, p.hour, p.seen, p.steps, p.checksum, string(p.runs), p.changes)
	return err
}

// changedSince is since when the values of an hour are what they are, by second and column, ms; 0: they have never changed.
type changedSince [market.HourSeconds][stepColumns]int64

// lastSeen reads since when the values of an hour that have changed before are what they are, into one that is all 0.
func (r *revisedHours) lastSeen(ctx context.Context, hour int64, since *changedSince) error {
	found, err := r.before.QueryContext(ctx, hour)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var p revisedHour
		if err := found.Scan(&p.id, &p.hour, &p.seen, &p.steps, (*sql.RawBytes)(&p.runs)); err != nil {
			return err
		}
		runs, err := p.changedRuns()
		if err != nil {
			return p.damaged(err)
		}
		for _, run := range runs {
			for n := range run[1] {
				for columns := uint(run[2]); columns != 0; columns &= columns - 1 {
					since[run[0]+n*market.AFRRSeconds][bits.TrailingZeros(columns)] = p.seen
				}
			}
		}
	}
	return found.Err()
}

// columnRanks are the places of the columns of a 4 s step in the order of their names, in which revisions are listed.
var columnRanks = func() (ranks [stepColumns]int) {
	names := slices.Sorted(slices.Values(stepColumnNames))
	for c, name := range stepColumnNames {
		ranks[c] = slices.Index(names, name)
	}
	return ranks
}()

// nextRevisions lists the changes of the next hour of the period that has any after the place, in the order of Revisions.
func (t hourTable) nextRevisions(ctx context.Context, tx *sql.Tx, _ market.Dataset, period market.Period, after RevisionAt) ([]Revision, error) {
	from := period.Start
	if after.ID != 0 {
		from = market.HourOf(after.Start)
		var hour int64
		err := tx.QueryRowContext(ctx, "SELECT hour FROM afrr_energy_revision WHERE id = ?", after.ID).Scan(&hour)
		if errors.Is(err, sql.ErrNoRows) || err == nil && hour != from {
			return nil, errNoSuchRevision
		}
		if err != nil {
			return nil, err
		}
	}
	for ; ; from += market.HourSeconds {
		var next sql.Null[int64]
		err := tx.QueryRowContext(ctx, "SELECT min(hour) FROM afrr_energy_revision WHERE hour >= ? AND hour < ?", from, period.End).Scan(&next)
		if err != nil || !next.Valid {
			return nil, err
		}
		from = next.V
		found, err := tx.QueryContext(ctx, selectRevisedHours+" WHERE hour = ?", from)
		if err != nil {
			return nil, err
		}
		var revisions []Revision
		err = scanRevisedHours(found, func(p *revisedHour, steps []revisedStep) {
			p.eachRevision(steps, func(r Revision) {
				if compareRevisedAt(r.At(), after) > 0 {
					revisions = append(revisions, r)
				}
			})
		})
		if err != nil || len(revisions) > 0 {
			sortRevised(revisions)
			return revisions, err
		}
	}
}

func (t hourTable) revisionsOfCommit(
	ctx context.Context, tx *sql.Tx, _ market.Dataset, period market.Period, seen int64, most int,
) (revisions []Revision, err error) {
	found, err := tx.QueryContext(ctx, selectRevisedHours+" WHERE hour >= ? AND hour < ? AND seen_ms = ? ORDER BY hour LIMIT ?",
		market.HourOf(period.Start), period.End, seen, most)
	if err != nil {
		return nil, err
	}
	err = scanRevisedHours(found, func(p *revisedHour, steps []revisedStep) {
		if len(revisions) < most {
			p.eachRevision(steps, func(r Revision) {
				if period.Holds(r.Start) {
					revisions = append(revisions, r)
				}
			})
		}
	})
	sortRevised(revisions)
	return revisions[:min(len(revisions), most)], err
}

// eachRevision calls each for every value of steps that has changed.
func (p *revisedHour) eachRevision(steps []revisedStep, each func(Revision)) {
	for i := range steps {
		for columns := steps[i].columns; columns != 0; columns &= columns - 1 {
			c := bits.TrailingZeros(columns)
			each(Revision{Start: p.hour + int64(steps[i].second), Column: stepColumnNames[c],
				Old: market.Value{Number: steps[i].old[c]}, New: market.Value{Number: steps[i].new[c]},
				Since: milliseconds(steps[i].since[c]), Seen: milliseconds(p.seen), id: p.id, rank: columnRanks[c]})
		}
	}
}

func sortRevised(revisions []Revision) {
	slices.SortFunc(revisions, func(a, b Revision) int { return compareRevisedAt(a.At(), b.At()) })
}

func compareRevisedAt(a, b RevisionAt) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID))
}

// revisionVersion is the schema between the one that has made afrr_energy_revision and the one whose view reads it.
const revisionVersion = 15

// packRevisions moves what changed of 4 s steps from rows of revision, one a value, into afrr_energy_revision. The rows of
// one hour that were seen at one instant come together, unless they hold a value twice.
func packRevisions(ctx context.Context, tx *sql.Tx) error {
	revised, err := newRevisedHours(ctx, tx)
	if err != nil {
		return err
	}
	next, err := tx.PrepareContext(ctx, "SELECT min(start) FROM revision WHERE dataset = ? AND start >= ?")
	if err != nil {
		return err
	}
	read, err := tx.PrepareContext(ctx, "SELECT start, column_name, old, new, since_ms, seen_ms FROM revision WHERE dataset = ? AND start >= ? AND start < ? ORDER BY id")
	if err != nil {
		return err
	}
	for from := int64(math.MinInt64); ; {
		var start sql.Null[int64]
		if err := next.QueryRowContext(ctx, stepsDataset, from).Scan(&start); err != nil {
			return err
		}
		if !start.Valid {
			break
		}
		hour := market.HourOf(start.V)
		from = hour + market.HourSeconds
		if err := packRevisionsOf(ctx, read, revised, hour); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM revision WHERE dataset = ?", stepsDataset)
	return err
}

func packRevisionsOf(ctx context.Context, read *sql.Stmt, revised *revisedHours, hour int64) error {
	found, err := read.QueryContext(ctx, stepsDataset, hour, hour+market.HourSeconds)
	if err != nil {
		return err
	}
	defer found.Close()
	steps := map[int]*revisedStep{} // by second
	var seen int64
	write := func() error {
		var all []revisedStep
		for _, step := range steps {
			all = append(all, *step)
		}
		clear(steps)
		if all == nil {
			return nil
		}
		slices.SortFunc(all, func(a, b revisedStep) int { return cmp.Compare(a.second, b.second) })
		return revised.write(ctx, hour, seen, all)
	}
	for found.Next() {
		var start, since, at int64
		var name string
		var old, new market.Number
		if err := found.Scan(&start, &name, &old, &new, &since, &at); err != nil {
			return err
		}
		c := slices.Index(stepColumnNames, name)
		if c < 0 {
			return fmt.Errorf("a revision of the column %s, which aFRR energy does not have", name)
		}
		second := int(start - hour)
		if step := steps[second]; at != seen || step != nil && step.columns>>c&1 == 1 {
			if err := write(); err != nil {
				return err
			}
		}
		seen = at
		step := steps[second]
		if step == nil {
			step = &revisedStep{second: second}
			steps[second] = step
		}
		step.columns |= 1 << c
		step.old[c], step.new[c], step.since[c] = old, new, since
	}
	return errors.Join(found.Err(), write())
}
