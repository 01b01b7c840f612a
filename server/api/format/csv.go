package format

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"courant/store/market"
)

// csvRows writes rows as RFC 4180 describes them.
type csvRows struct {
	output
	names   []string
	comma   byte   // between fields
	point   byte   // of decimals
	empty   string // the text that stands for null, and its field
	null    []byte
	utc     *clock // of the first column; nil: there is none
	start   *clock
	end     *clock
	keys    int // their number
	columns []cell
	begun   bool
}

func newCSV(w io.Writer, head Head, options Options) Writer {
	zone := options.Zone.location()
	c := newFields(w, head, options, periodColumns(options.Zone))
	c.comma, c.point = ',', '.'
	c.start, c.end = &clock{zone: zone}, &clock{zone: zone}
	return c
}

func newFrenchCSV(w io.Writer, head Head, options Options) Writer {
	options.Zone = UTC // of the columns that are instants
	c := newFields(w, head, options, spreadsheetColumns)
	c.comma, c.point = ';', ','
	c.utc, c.start, c.end = utcClock(), parisClock(), parisClock()
	return c
}

func newFields(w io.Writer, head Head, options Options, period []market.ServedColumn) *csvRows {
	c := &csvRows{
		output: newOutput(w), empty: options.Null, keys: len(head.Keys),
		columns: cells(head.Columns, options.Zone, func(int) string { return "" }),
	}
	for _, column := range head.columns(period) {
		c.names = append(c.names, column.Name)
	}
	return c
}

func (c *csvRows) begin() {
	if c.begun {
		return
	}
	c.begun = true
	if c.utc != nil {
		c.bytes = append(c.bytes, "\ufeff"...) // without it Excel does not read UTF-8
	}
	c.null = c.appendField(nil, c.empty)
	c.bytes = append(append(c.bytes, strings.Join(c.names, string(c.comma))...), "\r\n"...)
}

func (c *csvRows) Write(chunk market.Chunk) error {
	c.begin()
	b, comma := c.bytes, c.comma
	for row := range chunk.Len() {
		from, to := chunk.Starts[row]*1000, chunk.Ends[row]*1000
		if c.utc != nil {
			b = append(c.utc.append(b, from), comma)
		}
		b = append(c.start.append(b, from), comma)
		b = c.end.append(b, to)
		if c.utc != nil {
			b = c.start.appendOffset(append(b, comma), from)
		}
		for i := range c.keys {
			b = c.appendText(append(b, comma), chunk.Keys[i][row])
		}
		for i := range c.columns {
			b = append(b, comma)
			values := &chunk.Columns[i]
			if !values.Valid[row] {
				b = append(b, c.null...)
				continue
			}
			switch cell := &c.columns[i]; cell.kind {
			case numberKind:
				b = cell.appendNumber(b, values.Numbers[row], c.point)
			case integerKind:
				b = strconv.AppendInt(b, values.Integers[row], 10)
			case booleanKind:
				b = strconv.AppendBool(b, values.Flags[row])
			case textKind:
				b = c.appendText(b, values.Texts[row])
			case instantKind:
				b = cell.clock.append(b, values.Instants[row])
			}
		}
		b = append(b, '\r', '\n')
		if len(b) >= enough {
			c.bytes = b
			if err := c.flush(); err != nil {
				return err
			}
			b = c.bytes
		}
	}
	c.bytes = b
	return c.flush()
}

func (c *csvRows) Close(Tail) error {
	c.begin()
	return c.flush()
}

// appendText appends a text of a source. One that a spreadsheet would take for a formula is preceded by an apostrophe; one
// that could be taken for null is quoted.
func (c *csvRows) appendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	switch {
	case isFormula(s):
		return c.appendField(b, "'"+s)
	case s == c.empty:
		return c.appendQuotedField(b, s)
	}
	return c.appendField(b, s)
}

// appendField appends a field, quoted where it must be.
func (c *csvRows) appendField(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] == c.comma || s[i] == '"' || s[i] == '\r' || s[i] == '\n' {
			return c.appendQuotedField(b, s)
		}
	}
	return append(b, s...)
}

func (c *csvRows) appendQuotedField(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
