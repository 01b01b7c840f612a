package format

import (
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"courant/store/market"
)

// rowGroup is after how many rows a row group ends. A group waits in memory, compressed; readers take them in parallel.
const rowGroup = 122_880

// batch is how many values are passed to the library at once.
const batch = 1024

// DECIMAL(18,6): millionths in an int64. Published values have at most six decimals; a longer one would be rounded.
const (
	decimalScale     = 6
	decimalPrecision = 18
	mostDecimal      = 1e12 // what does not fit any more
)

// parquetFile writes row groups of a bounded size. The types of its columns follow from the registry, never from the values.
type parquetFile struct {
	begun   bool
	target  io.Writer
	file    *parquet.GenericWriter[any]
	head    Head
	doubles bool
	columns []market.ServedColumn
	kinds   []kind
	texts   []map[string][]byte // of each column of texts, as the library takes them
	batch   []parquet.Value
	rows    int // of the present row group
}

// magic are the first bytes of a file. The library writes them with the first row group.
const magic = "PAR1"

func newParquet(w io.Writer, head Head, options Options) Writer {
	p := &parquetFile{
		target: w, head: head, doubles: options.Doubles, columns: head.columns(periodColumns(options.Zone)),
		batch: make([]parquet.Value, batch),
	}
	p.texts = make([]map[string][]byte, len(p.columns))
	fields := ordered{Group: parquet.Group{}}
	optional := 2 + len(head.Keys)
	for i, column := range p.columns {
		node := p.node(column.Kind)
		if i >= optional {
			node = parquet.Optional(node)
		}
		fields.Group[column.Name] = node
		fields.names = append(fields.names, column.Name)
		p.kinds = append(p.kinds, kinds[column.Kind])
		p.texts[i] = map[string][]byte{}
	}
	settings := []parquet.WriterOption{
		parquet.NewSchema("rows", fields),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
		parquet.KeyValueMetadata("time_zone", string(options.Zone.orUTC())),
	}
	for _, fact := range head.facts(options) {
		settings = append(settings, parquet.KeyValueMetadata(fact.name, fact.value))
	}
	for _, column := range p.columns {
		if column.Unit != "" {
			settings = append(settings, parquet.KeyValueMetadata("unit."+column.Name, string(column.Unit)))
		}
		settings = append(settings, parquet.KeyValueMetadata("description."+column.Name, options.text(column.Text)))
	}
	p.file = parquet.NewGenericWriter[any](&afterMagic{w: w, left: len(magic)}, settings...)
	return p
}

// node returns the type of a column.
func (p *parquetFile) node(kind market.Kind) parquet.Node {
	switch kind {
	case market.KindNumber:
		if p.doubles {
			return parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain)
		}
		return parquet.Encoded(parquet.Decimal(decimalScale, decimalPrecision, parquet.Int64Type), &parquet.DeltaBinaryPacked)
	case market.KindInteger:
		return parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	case market.KindBoolean:
		return parquet.Leaf(parquet.BooleanType)
	case market.KindString:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case market.KindInstant:
		return parquet.Encoded(parquet.Timestamp(parquet.Microsecond), &parquet.DeltaBinaryPacked)
	}
	panic("format: there is no kind " + string(kind))
}

// ordered is a group whose fields have the order of names; those of a parquet.Group are sorted.
type ordered struct {
	parquet.Group
	names []string
}

func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name())
	})
	return fields
}

// afterMagic leaves out the first bytes, which were written before.
type afterMagic struct {
	w    io.Writer
	left int
}

func (a *afterMagic) Write(b []byte) (int, error) {
	skip := min(a.left, len(b))
	a.left -= skip
	n, err := a.w.Write(b[skip:])
	return skip + n, err
}

// begin writes the first bytes of the file, so that a client sees the answer begin before a row group is complete.
func (p *parquetFile) begin() error {
	if p.begun {
		return nil
	}
	p.begun = true
	_, err := io.WriteString(p.target, magic)
	return err
}

func (p *parquetFile) Write(chunk market.Chunk) error {
	if err := p.begin(); err != nil {
		return err
	}
	for from := 0; from < chunk.Len(); {
		to := min(chunk.Len(), from+rowGroup-p.rows)
		if err := p.write(&chunk, from, to); err != nil {
			return err
		}
		p.rows += to - from
		from = to
		if p.rows == rowGroup {
			p.rows = 0
			if err := p.file.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// write passes the rows from from to to, not included, to the library.
func (p *parquetFile) write(chunk *market.Chunk, from, to int) error {
	for i, seconds := range [][]int64{chunk.Starts, chunk.Ends} {
		err := p.put(i, from, to, func(row int, values []parquet.Value) {
			for i := range values {
				values[i] = parquet.Int64Value(seconds[row+i] * 1_000_000)
			}
		})
		if err != nil {
			return err
		}
	}
	for i, texts := range chunk.Keys {
		err := p.put(2+i, from, to, func(row int, values []parquet.Value) {
			for at := range values {
				values[at] = p.text(2+i, texts[row+at])
			}
		})
		if err != nil {
			return err
		}
	}
	for i := range chunk.Columns {
		if err := p.column(2+len(chunk.Keys)+i, &chunk.Columns[i], from, to); err != nil {
			return err
		}
	}
	return nil
}

// column passes values of one column to the library.
func (p *parquetFile) column(at int, v *market.Vector, from, to int) error {
	if v.Kind == market.KindNumber && !p.doubles {
		for row := from; row < to; row++ {
			if n := v.Numbers[row]; v.Valid[row] && !(n > -mostDecimal && n < mostDecimal) {
				return fmt.Errorf("format: %s %v of %s does not fit DECIMAL(%d,%d): ask for numbers=double",
					p.columns[at].Name, n, p.head.Dataset, decimalPrecision, decimalScale)
			}
		}
	}
	return p.put(at, from, to, func(row int, values []parquet.Value) {
		for i := range values {
			row := row + i
			if !v.Valid[row] {
				values[i] = parquet.Value{}
				continue
			}
			var value parquet.Value
			switch p.kinds[at] {
			case numberKind:
				if p.doubles {
					value = parquet.DoubleValue(v.Numbers[row])
				} else {
					value = parquet.Int64Value(int64(market.MicroOf(v.Numbers[row])))
				}
			case integerKind:
				value = parquet.Int64Value(v.Integers[row])
			case booleanKind:
				value = parquet.BooleanValue(v.Flags[row])
			case textKind:
				value = p.text(at, v.Texts[row])
			case instantKind:
				value = parquet.Int64Value(v.Instants[row] * 1000)
			}
			values[i] = value.Level(0, 1, at)
		}
	})
}

// put passes values of the column at that place to the library; fill sets those that begin with a row.
func (p *parquetFile) put(at, from, to int, fill func(row int, values []parquet.Value)) error {
	column := p.file.ColumnWriters()[at]
	for from < to {
		values := p.batch[:min(batch, to-from)]
		fill(from, values)
		if _, err := column.WriteRowValues(values); err != nil {
			return err
		}
		from += len(values)
	}
	return nil
}

// mostTexts is how many different texts of a column are kept in the form that the library takes.
const mostTexts = 4096

// text returns a text as the library takes it.
func (p *parquetFile) text(at int, s string) parquet.Value {
	texts := p.texts[at]
	bytes, known := texts[s]
	if !known {
		if len(texts) >= mostTexts {
			clear(texts)
		}
		bytes = []byte(s)
		texts[s] = bytes
	}
	return parquet.ByteArrayValue(bytes)
}

func (p *parquetFile) Close(tail Tail) error {
	if err := p.begin(); err != nil {
		return err
	}
	if len(tail.Missing) > 0 {
		p.file.SetKeyValueMetadata("missing", string(tail.appendMissing(nil)))
	}
	return p.file.Close()
}
