package lake

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"runtime"
	"slices"

	"courant/server/api/format"
	"courant/store"
	"courant/store/market"
)

// written is a file that was stored.
type written struct {
	stored
	sha256 string
}

// write stores a file under its name once it is whole.
func (l *Lake) write(ctx context.Context, path string, content func(*fileWriter) error) (written, error) {
	unfinished, err := l.place.newFile()
	if err != nil {
		return written{}, err
	}
	defer unfinished.Remove()
	file, err := os.OpenFile(unfinished.Name(), os.O_WRONLY, 0)
	if err != nil {
		return written{}, err
	}
	w := &fileWriter{room: l.place.room, file: file, sum: sha256.New()}
	w.buffer = bufio.NewWriterSize(writerFunc(w.flush), flushBytes)
	err = content(w)
	if err == nil {
		err = w.buffer.Flush()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return written{}, err
	}
	made := written{sha256: hex.EncodeToString(w.sum.Sum(nil))}
	made.stored, err = l.place.put(ctx, unfinished, path)
	return made, err
}

// flushBytes is how much is written to a file at once, and how often the room on its disk is checked.
const flushBytes = 1 << 20

// fileWriter writes an unfinished file while there is room for it.
type fileWriter struct {
	room   func() error
	file   *os.File
	buffer *bufio.Writer
	sum    hash.Hash
}

func (w *fileWriter) Write(p []byte) (int, error) { return w.buffer.Write(p) }

func (w *fileWriter) flush(p []byte) (int, error) {
	if err := w.room(); err != nil {
		return 0, NoRoomError{err}
	}
	w.sum.Write(p)
	return w.file.Write(p)
}

// NoRoomError is returned while files would use up what has to stay free on the disk of the database.
type NoRoomError struct{ error }

func (e NoRoomError) Unwrap() error { return e.error }

// writerFunc is a function as an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// readError is an error of the database, as opposed to one of the place to which files are written.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

// IsUnread reports whether an error of Update or Make means only that rows of some months could not be read: all other files are up to date.
func IsUnread(err error) bool {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		return !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !IsUnread(err) })
	}
	return errors.As(err, new(readError))
}

// wroteRows is what was written to a file.
type wroteRows struct {
	rows  int
	final bool // no column has a value that is only provisional
}

// add takes in the rows of a chunk with these columns.
func (c *wroteRows) add(columns []market.ServedColumn, chunk market.Chunk) {
	c.rows += chunk.Len()
	for i, column := range columns {
		if !column.Rising {
			continue
		}
		last, values := column.Values[len(column.Values)-1], chunk.Columns[i]
		for row, text := range values.Texts {
			c.final = c.final && values.Valid[row] && text == last
		}
	}
}

// writeRows writes the rows of a reading.
func writeRows(
	ctx context.Context, reading *store.Reading, head format.Head, form format.Form, to io.Writer, report func(at market.DeliveryDate, rows int),
) (wroteRows, error) {
	wrote := wroteRows{final: true}
	var calendar market.Calendar
	w := format.New(form, to, head, format.Options{})
	for chunk, err := range reading.Chunks(ctx) {
		if err != nil {
			return wrote, readError{err}
		}
		if err := w.Write(chunk); err != nil {
			return wrote, err
		}
		wrote.add(head.Columns, chunk)
		report(calendar.DateOf(chunk.Starts[0]), wrote.rows)
		runtime.Gosched() // so that short answers of the same process go first
	}
	return wrote, w.Close(format.Tail{})
}

// Stream writes the rows of delivery dates from first to last, both included, as one file, as they are at one moment. It returns their
// number, and the dates for which only means of 5 min are stored, which have no rows.
func Stream(
	ctx context.Context, db *store.Store, to io.Writer, dataset market.Dataset, first, last market.DeliveryDate, form format.Form,
	report func(at market.DeliveryDate, rows int),
) (rows int, thinned []market.DeliveryDate, err error) {
	head := format.HeadOf(dataset)
	head.Period = market.NewPeriod(first.Start(), last.End())
	reading, err := db.Read(ctx, store.ReadQuery{Dataset: dataset, Period: head.Period})
	if err != nil {
		return 0, nil, err
	}
	head.Position, head.GeneratedAt = int64(reading.Changed), reading.ChangedAt
	buffer := bufio.NewWriterSize(to, flushBytes)
	wrote, err := writeRows(ctx, reading, head, form, buffer, report)
	if err == nil {
		err = buffer.Flush()
	}
	return wrote.rows, reading.Thinned, err
}
