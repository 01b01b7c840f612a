package format

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"

	"courant/store/market"
)

// rowGroup is after how many rows a row group ends. A group waits in memory, compressed; readers take them in parallel.
const rowGroup = 15 * batchRows

// batchRows is how many rows are encoded together, on all processors, while the next ones are read.
const batchRows = 8192

// batchValues is how many values are passed to the library at once.
const batchValues = 1024

// DECIMAL(18,6): millionths in an int64. Published values have at most six decimals; a longer one would be rounded.
const (
	decimalScale     = 6
	decimalPrecision = 18
	mostDecimal      = 1e12 // what does not fit any more
)

// parquetFile writes row groups of a bounded size. The types of its columns follow from the registry, never from the values.
//
// Rows are encoded in batches, in the background and the columns in parallel, which is safe because a ColumnWriter of the library
// shares no state with those of other columns. Batches begin at fixed rows, so the bytes of a file do not depend on how its rows
// were divided into chunks.
type parquetFile struct {
	begun   bool
	target  io.Writer
	file    *parquet.GenericWriter[any]
	head    Head
	doubles bool
	columns []market.ServedColumn
	kinds   []kind
	texts   []map[string][]byte // of each column of texts, as the library takes them

	next    market.Chunk // the batch that Write fills
	current market.Chunk // the batch that is being encoded
	encoded chan error   // receives the error of the current batch, or nil; nil if no batch is being encoded
	rows    int          // of the current row group, without those of the next batch
}

// magic are the first bytes of a file. The library writes them with the first row group.
const magic = "PAR1"

func newParquet(w io.Writer, head Head, options Options) Writer {
	p := &parquetFile{
		target: w, head: head, doubles: options.Doubles, columns: head.columns(periodColumns(options.Zone)),
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
		parquet.Compression(&parquet.Zstd),
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
		to := min(chunk.Len(), from+batchRows-p.next.Len())
		p.next.Append(chunk.Slice(from, to))
		from = to
		if p.next.Len() == batchRows {
			if err := p.startBatch(); err != nil {
				return err
			}
		}
	}
	return nil
}

// startBatch waits for the current batch and starts to encode the next one.
func (p *parquetFile) startBatch() error {
	if err := p.finishBatch(); err != nil {
		return err
	}
	p.current, p.next = p.next, p.current.Slice(0, 0)
	p.rows += p.current.Len()
	p.encoded = make(chan error, 1) // has room, so that encoding also ends if the writer is given up
	go func() { p.encoded <- p.encode() }()
	return nil
}

// finishBatch waits for the current batch, if there is one, and writes the row group if it is full. It alone writes to the
// target, so that nothing is written after the caller has given up.
func (p *parquetFile) finishBatch() error {
	if p.encoded == nil {
		return nil
	}
	err := <-p.encoded
	p.encoded = nil
	if err == nil && p.rows == rowGroup {
		p.rows = 0
		err = p.file.Flush()
	}
	return err
}

// encode passes the current batch to the library.
func (p *parquetFile) encode() error {
	writers := p.file.ColumnWriters()
	faults := make([]error, len(writers))
	var started atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(writers)) {
		workers.Go(func() {
			values := make([]parquet.Value, batchValues)
			for at := int(started.Add(1)) - 1; at < len(writers); at = int(started.Add(1)) - 1 {
				faults[at] = p.encodeColumn(at, writers[at], values)
				runtime.Gosched() // lets short answers go first
			}
		})
	}
	workers.Wait()
	return cmp.Or(faults...)
}

// encodeColumn passes the values of one column to its writer.
func (p *parquetFile) encodeColumn(at int, writer *parquet.ColumnWriter, values []parquet.Value) (err error) {
	defer func() {
		if v := recover(); v != nil { // in a goroutine of our own a panic would end the process, not only this answer
			err = fmt.Errorf("format: write %s: %v", p.columns[at].Name, v)
		}
	}()
	rows := p.current.Len()
	for from := 0; from < rows; from += len(values) {
		values = values[:min(len(values), rows-from)]
		if err := p.fill(values, at, from); err != nil {
			return err
		}
		if _, err := writer.WriteRowValues(values); err != nil {
			return err
		}
	}
	return nil
}

// fill sets values to those of a column from a row on.
func (p *parquetFile) fill(values []parquet.Value, at, from int) error {
	to := from + len(values)
	switch keys := len(p.current.Keys); {
	case at == 0:
		fillSeconds(values, p.current.Starts[from:to])
	case at == 1:
		fillSeconds(values, p.current.Ends[from:to])
	case at < 2+keys:
		for i, text := range p.current.Keys[at-2][from:to] {
			values[i] = p.text(at, text)
		}
	default:
		return p.fillColumn(values, at, p.current.Columns[at-2-keys].Slice(from, to))
	}
	return nil
}

// fillSeconds sets values to instants.
func fillSeconds(values []parquet.Value, seconds []int64) {
	for i, second := range seconds {
		values[i] = parquet.Int64Value(second * 1_000_000)
	}
}

// fillColumn sets values to those of a column that may be null.
func (p *parquetFile) fillColumn(values []parquet.Value, at int, v market.Vector) error {
	switch p.kinds[at] {
	case numberKind:
		for i, n := range v.Numbers {
			switch {
			case p.doubles:
				values[i] = parquet.DoubleValue(n)
			case v.Valid[i] && !(n > -mostDecimal && n < mostDecimal):
				return fmt.Errorf("format: %s %v of %s does not fit DECIMAL(%d,%d): ask for numbers=double",
					p.columns[at].Name, n, p.head.Dataset, decimalPrecision, decimalScale)
			default:
				values[i] = parquet.Int64Value(int64(market.MicroOf(n)))
			}
		}
	case integerKind:
		for i, n := range v.Integers {
			values[i] = parquet.Int64Value(n)
		}
	case booleanKind:
		for i, flag := range v.Flags {
			values[i] = parquet.BooleanValue(flag)
		}
	case textKind:
		for i, text := range v.Texts {
			values[i] = p.text(at, text)
		}
	case instantKind:
		for i, ms := range v.Instants {
			values[i] = parquet.Int64Value(ms * 1000)
		}
	}
	for i, valid := range v.Valid {
		if valid {
			values[i].SetDefinitionLevel(1)
		} else {
			values[i] = parquet.Value{}
		}
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
	if p.next.Len() > 0 {
		if err := p.startBatch(); err != nil {
			return err
		}
	}
	if err := p.finishBatch(); err != nil {
		return err
	}
	if len(tail.Missing) > 0 {
		p.file.SetKeyValueMetadata("missing", string(tail.appendMissing(nil)))
	}
	return p.file.Close()
}
