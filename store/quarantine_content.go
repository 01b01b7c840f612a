package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/klauspost/compress/zstd"

	"courant/store/market"
)

// The rows of a quarantined delivery date are stored as one compressed document of columns: a date of 4 s steps takes less
// than 200 kB.

const (
	// mostContent limits the compressed size of the document of a delivery date, mostContentRead its size in memory, in bytes.
	mostContent     = 1 << 20
	mostContentRead = 64 << 20
	// mostWaitingValue is the largest absolute value that can be quarantined: beyond it sums of a date are no longer exact.
	mostWaitingValue = 1e8
)

// ErrUnfitToWait is returned for rows that cannot be quarantined until a person decides on them: there are too many, or one has
// a value beyond mostWaitingValue.
var ErrUnfitToWait = errors.New("not fit to wait for a decision")

// content is the rows of one dataset's delivery date, ascending.
type content struct {
	Columns json.RawMessage `json:"columns"`              // a packedColumn for each key and value column, by its name
	Updated []int64         `json:"updated_ms,omitempty"` // each as the difference from the one before
}

// packedColumn is the values of one column. If Decimals is set, each number is stored as an integer: its difference from the
// number before, in units of the last decimal. A null is stored as null if the source left the value out, and as "" if the
// source wrote a null.
type packedColumn struct {
	Decimals *int  `json:"decimals,omitempty"`
	Values   []any `json:"values"`
}

// unpackContent decodes a document that packRows has made.
func unpackContent(dataset market.Dataset, packed []byte) (b market.Batch, err error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostContentRead))
	if err != nil {
		return b, err
	}
	defer decoder.Close()
	text, err := decoder.DecodeAll(packed, nil)
	if err != nil {
		return b, damaged(err)
	}
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return b, damaged(err)
	}
	return tableOf(dataset).unpackRows(c)
}

// packRows returns the document of the rows of a batch, and the SHA-256 of their keys and values.
func (l layout[R]) packRows(batch market.Batch) (packed, digest []byte, err error) {
	rows := l.joined(l.In(batch))
	slices.SortFunc(rows, func(a, b R) int {
		return cmp.Or(cmp.Compare(*l.Start(&a), *l.Start(&b)), cmp.Compare(l.DatasetOf(&a), l.DatasetOf(&b)), cmp.Compare(l.NameOf(&a), l.NameOf(&b)))
	})
	columns := map[string]packedColumn{}
	for at, name := range l.packedNames() {
		if columns[name], err = packColumn(fieldsAt(l, rows, at)); err != nil {
			return nil, nil, fmt.Errorf("%w: %s: %w", ErrUnfitToWait, name, err)
		}
	}
	var c content
	if c.Columns, err = json.Marshal(columns); err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(c.Columns)
	if l.IsDated() {
		last := int64(0)
		for i := range rows {
			at := l.Updated(&rows[i])
			c.Updated = append(c.Updated, at-last)
			last = at
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return nil, nil, err
	}
	defer encoder.Close()
	if packed = encoder.EncodeAll(text, nil); len(packed) > mostContent || len(text) > mostContentRead {
		return nil, nil, fmt.Errorf("%w: %d rows", ErrUnfitToWait, len(rows))
	}
	return packed, sum[:], nil
}

// fieldsAt returns pointers to the rows' fields of one column.
func fieldsAt[R comparable](l layout[R], rows []R, column int) []any {
	fields := make([]any, len(rows))
	for i := range rows {
		fields[i] = l.Fields(&rows[i])[column]
	}
	return fields
}

func packColumn(fields []any) (packedColumn, error) {
	plain := packedColumn{Values: fields}
	decimals := 0
	for _, field := range fields {
		switch v := field.(type) {
		case *int64:
		case *market.Number:
			if v.Valid && !(math.Abs(v.V) <= mostWaitingValue) {
				return plain, fmt.Errorf("a value of %v", v.V)
			}
			for exact := !v.Valid; !exact; {
				if _, exact = units(v.V, decimals); exact {
					break
				}
				if decimals++; decimals > maxDecimals {
					return plain, nil
				}
			}
		default:
			return plain, nil
		}
	}
	differences := packedColumn{Decimals: &decimals, Values: make([]any, len(fields))}
	last := int64(0)
	for i, field := range fields {
		var now int64
		switch v := field.(type) {
		case *int64:
			now = *v
		case *market.Number:
			if !v.Valid {
				differences.Values[i] = v
				continue
			}
			counted, exact := units(v.V, decimals)
			if !exact {
				return plain, nil // too large to be an integer in units of that decimal
			}
			now = counted
		}
		differences.Values[i] = now - last
		last = now
	}
	return differences, nil
}

// packedNames returns the names of the key and value columns by their index in Fields. Other columns are left out.
func (l layout[R]) packedNames() map[int]string {
	names := map[int]string{}
	keys := l.KeyNames()
	for at, name := range keys {
		names[at] = name
	}
	for at, c := range l.Columns {
		if c.Instant == nil && !c.Rising {
			names[len(keys)+at] = c.Name
		}
	}
	return names
}

// unpackRows returns the rows of a document that packRows has made.
func (l layout[R]) unpackRows(c content) (b market.Batch, err error) {
	var columns map[string]struct {
		Decimals *int
		Values   []json.RawMessage
	}
	if err := json.Unmarshal(c.Columns, &columns); err != nil {
		return b, damaged(err)
	}
	rows := make([]R, len(columns[l.KeyNames()[0]].Values))
	for at, name := range l.packedNames() {
		column, written := columns[name]
		if !written {
			continue // an earlier version did not have the column
		}
		if len(column.Values) != len(rows) || column.Decimals != nil && (*column.Decimals < 0 || *column.Decimals > maxDecimals) {
			return b, damaged(fmt.Errorf("%d values of %s for %d rows", len(column.Values), name, len(rows)))
		}
		if err := unpackColumn(fieldsAt(l, rows, at), column.Decimals, column.Values); err != nil {
			return b, damaged(fmt.Errorf("%s: %w", name, err))
		}
	}
	last := int64(0)
	for i := range rows {
		if l.IsDated() && i < len(c.Updated) {
			last += c.Updated[i]
			l.SetUpdated(&rows[i], last)
		}
	}
	return l.Batch(rows), nil
}

func unpackColumn(fields []any, decimals *int, values []json.RawMessage) error {
	last := int64(0)
	for i, field := range fields {
		if decimals == nil || values[i][0] == 'n' || values[i][0] == '"' {
			if err := json.Unmarshal(values[i], field); err != nil {
				return err
			}
			continue
		}
		difference, err := strconv.ParseInt(string(values[i]), 10, 64)
		if err != nil {
			return err
		}
		last += difference
		switch v := field.(type) {
		case *int64:
			*v = last
		case *market.Number:
			*v = market.Num(float64(last) / powersOfTen[*decimals])
		}
	}
	return nil
}

func damaged(err error) error { return fmt.Errorf("the quarantined rows are damaged: %w", err) }
