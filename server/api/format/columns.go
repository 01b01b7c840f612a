package format

import (
	"io"

	"github.com/klauspost/compress/zstd"

	"courant/store/market"
)

// jsonColumns writes the values of each column as an array. The first column is passed on at once; those after it wait until
// the rows are complete, as compressed JSON.
type jsonColumns struct {
	output
	head    Head
	options Options
	cells   []cell
	waiting []waiting // one for each cell but the first
	packer  *zstd.Encoder
	begun   bool
	rows    int
}

// waiting is the values of a column, separated by commas, in compressed blocks and the bytes that are not yet compressed.
type waiting struct {
	blocks [][]byte
	bytes  []byte
}

// blockSize is how many bytes of a column are compressed at once.
const blockSize = 32 << 10

func newColumns(w io.Writer, head Head, options Options) Writer {
	columns := head.columns(periodColumns(options.Zone))
	c := &jsonColumns{
		output: newOutput(w), head: head, options: options, waiting: make([]waiting, len(columns)-1),
		cells: cells(columns, options.Zone, func(i int) string { return string(appendQuoted(nil, columns[i].Name)) + ":[" }),
	}
	return c
}

func (c *jsonColumns) begin() {
	if !c.begun {
		c.bytes = append(c.head.appendJSON(c.bytes, c.options), `"data":{`...)
		c.bytes = append(c.bytes, c.cells[0].before...)
	}
	c.begun = true
}

func (c *jsonColumns) Write(chunk market.Chunk) error {
	c.begin()
	first := c.rows
	c.rows += chunk.Len()
	for row, second := range chunk.Starts {
		if first+row > 0 {
			c.bytes = append(c.bytes, ',')
		}
		c.bytes = appendInstant(c.bytes, c.cells[0].clock, second*1000)
		if len(c.bytes) >= enough {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	at := 0
	column := func(appendValue func(b []byte, cell *cell, row int) []byte) error {
		cell, waiting := &c.cells[at+1], &c.waiting[at]
		at++
		for row := range chunk.Len() {
			if first+row > 0 {
				waiting.bytes = append(waiting.bytes, ',')
			}
			waiting.bytes = appendValue(waiting.bytes, cell, row)
			if len(waiting.bytes) >= blockSize {
				if err := c.pack(waiting); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := column(func(b []byte, cell *cell, row int) []byte { return appendInstant(b, cell.clock, chunk.Ends[row]*1000) })
	for i := 0; i < len(chunk.Keys) && err == nil; i++ {
		err = column(func(b []byte, _ *cell, row int) []byte { return appendQuoted(b, chunk.Keys[i][row]) })
	}
	for i := 0; i < len(chunk.Columns) && err == nil; i++ {
		err = column(func(b []byte, cell *cell, row int) []byte { return cell.appendJSON(b, &chunk.Columns[i], row) })
	}
	if err != nil {
		return err
	}
	return c.flush()
}

// pack compresses the bytes of a column.
func (c *jsonColumns) pack(w *waiting) error {
	if c.packer == nil {
		packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(2*blockSize), zstd.WithEncoderCRC(false))
		if err != nil {
			return err
		}
		c.packer = packer
	}
	w.blocks = append(w.blocks, c.packer.EncodeAll(w.bytes, make([]byte, 0, len(w.bytes)/4)))
	w.bytes = w.bytes[:0]
	return nil
}

func (c *jsonColumns) Close(tail Tail) error {
	c.begin()
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer unpacker.Close()
	for i := range c.waiting {
		w := &c.waiting[i]
		c.bytes = append(append(c.bytes, "],"...), c.cells[i+1].before...)
		for _, block := range w.blocks {
			if c.bytes, err = unpacker.DecodeAll(block, c.bytes); err != nil {
				return err
			}
			if err := c.flush(); err != nil {
				return err
			}
		}
		c.bytes = append(c.bytes, w.bytes...)
		*w = waiting{}
	}
	c.bytes = tail.appendJSON(append(c.bytes, "]}"...))
	return c.flush()
}
