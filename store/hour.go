package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"

	"courant/store/market"
)

// An hour of 4 s steps is one row of afrr_energy_hour. Written as rows, a step takes 64 bytes; this way it takes
// about 12, and plain SQL can still read it: the view afrr_energy does.
//
// Its numbers are unsigned LEB128 integers, column after column, each column as long as the hour has steps. 0 is a null;
// any other is one more than the zigzag code of the difference to the last number of the column that was there, counted in
// units of its last decimal. A column that holds a number which is no decimal of at most maxDecimals has null for its
// decimals, and one more than the bits of each float64.
//
// When a row was first seen, and its flags, are told once for each run of rows that follow one another.

const (
	maxDecimals = 15
	// maxUnits is up to where a float64 holds every integer.
	maxUnits = 1 << 53
)

// heldStep is a 4 s step and when it was first seen.
type heldStep = storedRow[market.AFRRStep]

// packedHour is an hour as the database holds it.
type packedHour struct {
	start    int64 // seconds UTC
	rows     int
	runs     []byte // JSON: hourRuns
	decimals []byte // JSON: hourDecimals
	numbers  []byte
	checksum uint32 // of all that comes before
}

// hourRun begins at a row; up to the next run, each row is 4 s after the one before and alike.
type hourRun struct {
	Row       int   `json:"row"`    // how many rows come before
	Second    int   `json:"second"` // of the hour
	Picasso   *bool `json:"picasso_connection"`
	Prorata   *bool `json:"prorata_mode"`
	FirstSeen int64 `json:"first_seen_ms"`
}

// hourDecimals is how many decimals each number column has; nil: it holds the bits of each float64.
type hourDecimals [len(market.AFRRNumbers)]*int

// pack returns the packed hour of steps, which ascend, and their summary.
func pack(start int64, steps []heldStep) (packedHour, hourSummary, error) {
	summary := hourSummary{start: start, steps: len(steps), fits: true}
	p := packedHour{start: start, rows: len(steps), numbers: make([]byte, 0, len(steps)*len(market.AFRRNumbers)*3)}
	var runs []hourRun
	for i := range steps {
		step := &steps[i]
		if i > 0 && step.row.Start == steps[i-1].row.Start+market.AFRRSeconds && step.firstSeen == steps[i-1].firstSeen &&
			sameFlag(step.row.PicassoConnection, steps[i-1].row.PicassoConnection) && sameFlag(step.row.ProrataMode, steps[i-1].row.ProrataMode) {
			continue
		}
		runs = append(runs, hourRun{Row: i, Second: int(step.row.Start - start), Picasso: optional(step.row.PicassoConnection),
			Prorata: optional(step.row.ProrataMode), FirstSeen: step.firstSeen})
	}
	var decimals hourDecimals
	var buffer [market.HourSeconds / market.AFRRSeconds]market.Number
	column := append(buffer[:0], make([]market.Number, len(steps))...)
	for c, number := range market.AFRRNumbers {
		for i := range steps {
			column[i] = *number(&steps[i].row)
		}
		var inUnits columnSummary
		p.numbers, decimals[c], inUnits = appendColumn(p.numbers, column)
		summary.addNumbers(c, column, decimals[c], inUnits)
	}
	summary.addFlags(runs)
	var err error
	if p.runs, err = json.Marshal(runs); err != nil {
		return packedHour{}, hourSummary{}, err
	}
	if p.decimals, err = json.Marshal(decimals); err != nil {
		return packedHour{}, hourSummary{}, err
	}
	p.checksum = p.sum()
	return p, summary, nil
}

func sameFlag(a, b market.Flag) bool { return a.Valid == b.Valid && (!a.Valid || a.V == b.V) }

func optional(f market.Flag) *bool {
	if !f.Valid {
		return nil
	}
	return &f.V
}

func flagOf(v *bool) market.Flag {
	if v == nil {
		return market.Flag{}
	}
	return market.Flag{V: *v, Valid: true}
}

var powersOfTen = func() (powers [maxDecimals + 1]float64) {
	powers[0] = 1
	for i := 1; i < len(powers); i++ {
		powers[i] = powers[i-1] * 10
	}
	return powers
}()

// units is v counted in units of its last decimal; false if that is not v to the last bit. Division by a power of
// ten is rounded correctly, so it gives what reading the decimal gives.
func units(v float64, decimals int) (int64, bool) {
	u := math.RoundToEven(v * powersOfTen[decimals])
	if !(math.Abs(u) <= maxUnits) || u/powersOfTen[decimals] != v {
		return 0, false
	}
	return int64(u), true
}

// appendColumn appends the numbers of a column, and returns how many decimals it has and its summary in units of the last one; nil:
// it holds the bits of each float64.
func appendColumn(to []byte, column []market.Number) (_ []byte, decimals *int, inUnits columnSummary) {
	before := len(to)
	if least, all := leastDecimals(column); all {
		if to, inUnits, all = appendDecimals(to, column, least); all {
			return to, &least, inUnits
		}
	}
	return appendBits(to[:before], column), nil, columnSummary{}
}

// leastDecimals is how few decimals hold each number of the column; false if there is one that maxDecimals do not.
func leastDecimals(column []market.Number) (int, bool) {
	least := 0
	for _, n := range column {
		for n.Valid {
			if _, is := units(n.V, least); is {
				break
			}
			if least++; least > maxDecimals {
				return 0, false
			}
		}
	}
	return least, true
}

// appendDecimals appends a column and returns its summary in units; false if a number is too large to be counted in units of so many
// decimals.
func appendDecimals(to []byte, column []market.Number, decimals int) (_ []byte, inUnits columnSummary, all bool) {
	last := int64(0)
	inUnits.least, inUnits.most = math.MaxInt64, math.MinInt64
	for _, n := range column {
		if !n.Valid {
			to = append(to, 0)
			continue
		}
		u, is := units(n.V, decimals)
		if !is {
			return to, columnSummary{}, false
		}
		to = binary.AppendUvarint(to, zigzag(u-last)+1)
		last = u
		inUnits.add(u)
	}
	return to, inUnits, true
}

// appendBits appends a column that is not made of decimals. As in a column of SQLite's own, what is no number is kept as
// a null, and -0 as 0.
func appendBits(to []byte, column []market.Number) []byte {
	for _, n := range column {
		if !n.Valid || math.IsNaN(n.V) {
			to = append(to, 0)
			continue
		}
		to = binary.AppendUvarint(to, math.Float64bits(n.V+0)+1)
	}
	return to
}

func zigzag(n int64) uint64 { return uint64(n<<1 ^ n>>63) }

func unzigzag(code uint64) int64 { return int64(code>>1) ^ -int64(code&1) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (p *packedHour) sum() uint32 {
	var head [24]byte
	binary.BigEndian.PutUint64(head[0:], uint64(p.start))
	binary.BigEndian.PutUint64(head[8:], uint64(p.rows))
	binary.BigEndian.PutUint32(head[16:], uint32(len(p.runs)))
	binary.BigEndian.PutUint32(head[20:], uint32(len(p.decimals)))
	sum := crc32.Checksum(head[:], castagnoli)
	for _, part := range [][]byte{p.runs, p.decimals, p.numbers} {
		sum = crc32.Update(sum, castagnoli, part)
	}
	return sum
}

// unpack appends the hour's steps, ascending, to those of into.
func (p *packedHour) unpack(into []heldStep) ([]heldStep, error) {
	steps, err := p.steps(into)
	if err != nil {
		return into, p.damaged(err)
	}
	return steps, nil
}

// head checks the hour and reads its runs, and how many decimals each number column has.
func (p *packedHour) head() (runs []hourRun, decimals []*int, err error) {
	if p.checksum != p.sum() {
		return nil, nil, errors.New("its checksum is not that of what it holds")
	}
	// A number takes a byte or more: this bounds what is set aside for the rows.
	if p.rows < 1 || p.rows > market.HourSeconds || len(p.numbers) < p.rows*len(market.AFRRNumbers) {
		return nil, nil, fmt.Errorf("%d bytes of numbers for %d rows", len(p.numbers), p.rows)
	}
	if err := json.Unmarshal(p.runs, &runs); err != nil {
		return nil, nil, fmt.Errorf("runs: %w", err)
	}
	if err := json.Unmarshal(p.decimals, &decimals); err != nil {
		return nil, nil, fmt.Errorf("decimals: %w", err)
	}
	if len(decimals) != len(market.AFRRNumbers) {
		return nil, nil, fmt.Errorf("decimals of %d columns", len(decimals))
	}
	return runs, decimals, checkRuns(runs, p.rows)
}

// damaged names the hour in which an error was found.
func (p *packedHour) damaged(err error) error {
	return fmt.Errorf("the hour %s of afrr_energy_hour is damaged: %w", market.Period{Start: p.start}.From().Format("2006-01-02T15:04Z"), err)
}

func (p *packedHour) steps(into []heldStep) ([]heldStep, error) {
	runs, decimals, err := p.head()
	if err != nil {
		return nil, err
	}
	known := len(into)
	steps := append(into, make([]heldStep, p.rows)...)
	rows := steps[known:]
	placeRuns(rows, runs, p.start)
	rest := p.numbers
	var buffer [market.HourSeconds / market.AFRRSeconds]float64
	var are [market.HourSeconds / market.AFRRSeconds]bool
	values, valid := append(buffer[:0], make([]float64, p.rows)...), append(are[:0], make([]bool, p.rows)...)
	for c, number := range market.AFRRNumbers {
		if rest, err = readColumn(rest, values, valid, decimals[c]); err != nil {
			return nil, err
		}
		for i := range rows {
			*number(&rows[i].row) = market.Number{V: values[i], Valid: valid[i]}
		}
	}
	if len(rest) > 0 {
		return nil, tooLong(rest)
	}
	return steps, nil
}

func tooLong(rest []byte) error { return fmt.Errorf("%d bytes follow the last number", len(rest)) }

// checkRuns returns an error unless the runs are those of so many rows, which ascend within the hour.
func checkRuns(runs []hourRun, rows int) error {
	if len(runs) == 0 || runs[0].Row != 0 {
		return errors.New("the first run does not begin at the first row")
	}
	next := 0 // second of the hour from which on the next row may begin
	for i, run := range runs {
		end := runEnd(runs, i, rows)
		if end <= run.Row || end > rows {
			return fmt.Errorf("run %d has rows %d to %d", i, run.Row, end)
		}
		last := run.Second + (end-run.Row-1)*market.AFRRSeconds
		if run.Second < next || run.Second >= market.HourSeconds || last >= market.HourSeconds {
			return fmt.Errorf("run %d lies from second %d to %d of the hour", i, run.Second, last)
		}
		next = last + 1
	}
	return nil
}

// runEnd returns how many of the rows come before the end of a run.
func runEnd(runs []hourRun, i, rows int) int {
	if i+1 < len(runs) {
		return runs[i+1].Row
	}
	return rows
}

// placeRuns gives the rows their starts, their flags and when they were first seen.
func placeRuns(rows []heldStep, runs []hourRun, start int64) {
	for i, run := range runs {
		template := heldStep{firstSeen: run.FirstSeen, row: market.AFRRStep{PicassoConnection: flagOf(run.Picasso), ProrataMode: flagOf(run.Prorata)}}
		for j := run.Row; j < runEnd(runs, i, len(rows)); j++ {
			rows[j] = template
			rows[j].row.Start = start + int64(run.Second+(j-run.Row)*market.AFRRSeconds)
		}
	}
}

var errNumber = errors.New("a number cannot be read")

// readColumn reads a column of so many decimals (nil: of bits), as long as values and valid are, from the beginning of the
// bytes, and returns what follows it. A null is 0 and not valid.
func readColumn(from []byte, values []float64, valid []bool, decimals *int) ([]byte, error) {
	if decimals == nil {
		return readBits(from, values, valid)
	}
	if *decimals < 0 || *decimals > maxDecimals {
		return nil, fmt.Errorf("a column of %d decimals", *decimals)
	}
	power := powersOfTen[*decimals]
	valid = valid[:len(values)]
	last, at := int64(0), 0
	for i := range values {
		if at >= len(from) {
			return nil, errNumber
		}
		code := uint64(from[at])
		at++
		if code >= 0x80 {
			// Most differences take one or two bytes.
			if at < len(from) && from[at] < 0x80 {
				code = code&0x7f | uint64(from[at])<<7
				at++
			} else {
				var n int
				if code, n = binary.Uvarint(from[at-1:]); n <= 0 {
					return nil, errNumber
				}
				at += n - 1
			}
		}
		if code == 0 {
			values[i], valid[i] = 0, false
			continue
		}
		last += unzigzag(code - 1)
		if last < -maxUnits || last > maxUnits {
			return nil, errNumber
		}
		values[i], valid[i] = float64(last)/power, true
	}
	return from[at:], nil
}

// readBits reads a column that is not made of decimals, as readColumn does.
func readBits(from []byte, values []float64, valid []bool) ([]byte, error) {
	for i := range values {
		code, n := binary.Uvarint(from)
		if n <= 0 {
			return nil, errNumber
		}
		from = from[n:]
		values[i], valid[i] = 0, code != 0
		if code == 0 {
			continue
		}
		if values[i] = math.Float64frombits(code - 1); math.IsNaN(values[i]) {
			return nil, errNumber
		}
	}
	return from, nil
}

// skipColumn returns what follows a column of so many numbers.
func skipColumn(from []byte, numbers int) ([]byte, error) {
	at := 0
	for ; numbers >= 8 && at+8 <= len(from); at += 8 {
		// The last byte of each number has its highest bit clear.
		numbers -= 8 - bits.OnesCount64(binary.LittleEndian.Uint64(from[at:])&0x8080808080808080)
	}
	for ; numbers > 0; at++ {
		if at >= len(from) {
			return nil, errNumber
		}
		if from[at] < 0x80 {
			numbers--
		}
	}
	return from[at:], nil
}
