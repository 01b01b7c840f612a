package format

import (
	"io"
	"strconv"
	"time"

	"courant/store/market"
)

// jsonRows writes rows as objects: an array of them in an object, or one a line.
type jsonRows struct {
	output
	head    Head
	options Options
	period  [2]cell
	keys    []cell
	columns []cell
	lines   bool
	begun   bool
	rows    int
}

func newJSON(w io.Writer, head Head, options Options) Writer { return newRows(w, head, options, false) }

func newNDJSON(w io.Writer, head Head, options Options) Writer {
	return newRows(w, head, options, true)
}

func newRows(w io.Writer, head Head, options Options, lines bool) *jsonRows {
	columns := head.columns(periodColumns(options.Zone))
	all := cells(columns, options.Zone, func(i int) string {
		before := string(appendQuoted(nil, columns[i].Name)) + ":"
		if i == 0 {
			return "{" + before
		}
		return "," + before
	})
	keys := 2 + len(head.Keys)
	return &jsonRows{
		output: newOutput(w), head: head, options: options, lines: lines,
		period: [2]cell(all), keys: all[2:keys], columns: all[keys:],
	}
}

func (j *jsonRows) begin() {
	if !j.begun && !j.lines {
		j.bytes = append(j.head.appendJSON(j.bytes, j.options), `"rows":[`...)
	}
	j.begun = true
}

func (j *jsonRows) Write(chunk market.Chunk) error {
	j.begin()
	b := j.bytes
	for row := range chunk.Len() {
		if j.rows > 0 && !j.lines {
			b = append(b, ',')
		}
		j.rows++
		b = append(b, j.period[0].before...)
		b = appendInstant(b, j.period[0].clock, chunk.Starts[row]*1000)
		b = append(b, j.period[1].before...)
		b = appendInstant(b, j.period[1].clock, chunk.Ends[row]*1000)
		for i := range j.keys {
			b = append(b, j.keys[i].before...)
			b = appendQuoted(b, chunk.Keys[i][row])
		}
		for i := range j.columns {
			c := &j.columns[i]
			b = append(b, c.before...)
			b = c.appendJSON(b, &chunk.Columns[i], row)
		}
		b = append(b, '}')
		if j.lines {
			b = append(b, '\n')
		}
		if len(b) >= enough {
			j.bytes = b
			if err := j.flush(); err != nil {
				return err
			}
			b = j.bytes
		}
	}
	j.bytes = b
	return j.flush()
}

func (j *jsonRows) Close(tail Tail) error {
	j.begin()
	if !j.lines {
		j.bytes = tail.appendJSON(append(j.bytes, ']'))
	}
	return j.flush()
}

func appendInstant(b []byte, c *clock, ms int64) []byte {
	return append(c.append(append(b, '"'), ms), '"')
}

// appendJSON appends the value of a row.
func (c *cell) appendJSON(b []byte, values *market.Vector, row int) []byte {
	if !values.Valid[row] {
		return append(b, "null"...)
	}
	switch c.kind {
	case numberKind:
		return c.appendNumber(b, values.Numbers[row], '.')
	case integerKind:
		return strconv.AppendInt(b, values.Integers[row], 10)
	case booleanKind:
		return strconv.AppendBool(b, values.Flags[row])
	case textKind:
		return appendQuoted(b, values.Texts[row])
	default:
		return appendInstant(b, c.clock, values.Instants[row])
	}
}

// appendJSON appends the beginning of the object, up to the member before the rows and the comma after it.
func (h Head) appendJSON(b []byte, o Options) []byte {
	zone := &clock{zone: o.Zone.location()}
	b = appendQuoted(append(b, `{"dataset":`...), string(h.Dataset))
	b = appendInstant(append(b, `,"from":`...), zone, h.Period.Start*1000)
	b = appendInstant(append(b, `,"to":`...), zone, h.Period.End*1000)
	b = appendQuoted(append(b, `,"resolution":`...), h.Resolution)
	b = appendQuoted(append(b, `,"time_zone":`...), string(o.Zone.orUTC()))
	b = appendTime(append(b, `,"as_of":`...), zone, h.AsOf)
	b = appendTime(append(b, `,"generated_at":`...), zone, h.GeneratedAt)
	b = strconv.AppendInt(append(b, `,"position":`...), h.Position, 10)
	b = appendQuoted(append(b, `,"attribution":`...), h.Attribution)
	b = append(b, `,"columns":[`...)
	for i, column := range h.columns(periodColumns(o.Zone)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(append(b, `{"name":`...), column.Name)
		b = appendQuoted(append(b, `,"type":`...), string(column.Kind))
		b = append(b, `,"unit":`...)
		if column.Unit == "" {
			b = append(b, "null"...)
		} else {
			b = appendQuoted(b, string(column.Unit))
		}
		b = append(appendQuoted(append(b, `,"description":`...), o.text(column.Text)), '}')
	}
	return append(b, "],"...)
}

// appendTime appends an instant; null if it is zero.
func appendTime(b []byte, c *clock, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	return appendInstant(b, c, t.UnixMilli())
}

// appendJSON appends the members after the rows and the end of the object.
func (t Tail) appendJSON(b []byte) []byte {
	b = t.appendMissing(append(b, `,"missing":`...))
	b = append(b, `,"next":`...)
	if t.Next == "" {
		b = append(b, "null"...)
	} else {
		b = appendQuoted(b, t.Next)
	}
	return append(b, '}')
}

// appendMissing appends the missing dates as an array of JSON.
func (t Tail) appendMissing(b []byte) []byte {
	b = append(b, '[')
	for i, missing := range t.Missing {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(append(b, `{"date":`...), missing.Date.String())
		b = strconv.AppendInt(append(b, `,"expected":`...), int64(missing.Expected), 10)
		b = strconv.AppendInt(append(b, `,"received":`...), int64(missing.Received), 10)
		b = append(appendQuoted(append(b, `,"reason":`...), missing.Reason), '}')
	}
	return append(b, ']')
}
