package store

import (
	"slices"

	"courant/store/market"
)

// newChunk returns a chunk with room for the columns of a plan.
func newChunk(p *plan) market.Chunk {
	chunk := market.Chunk{Keys: make([][]string, len(p.keys)), Columns: make([]market.Vector, len(p.columns))}
	for i, column := range p.columns {
		chunk.Columns[i].Kind = column.kind
	}
	return chunk
}

// resizeChunk gives a chunk so many rows. What they hold has to be set.
func resizeChunk(chunk *market.Chunk, rows int) {
	chunk.Starts, chunk.Ends = resized(chunk.Starts, rows), resized(chunk.Ends, rows)
	for k := range chunk.Keys {
		chunk.Keys[k] = resized(chunk.Keys[k], rows)
	}
	for i := range chunk.Columns {
		v := &chunk.Columns[i]
		v.Valid = resized(v.Valid, rows)
		switch v.Kind {
		case market.KindNumber:
			v.Numbers = resized(v.Numbers, rows)
		case market.KindInteger:
			v.Integers = resized(v.Integers, rows)
		case market.KindBoolean:
			v.Flags = resized(v.Flags, rows)
		case market.KindString:
			v.Texts = resized(v.Texts, rows)
		case market.KindInstant:
			v.Instants = resized(v.Instants, rows)
		}
	}
}

func resized[T any](values []T, n int) []T { return slices.Grow(values[:0], n)[:n] }

// eachSlice changes every slice of a chunk in the same way.
func eachSlice(chunk *market.Chunk, change sliceChange) {
	chunk.Starts, chunk.Ends = change.integers(chunk.Starts), change.integers(chunk.Ends)
	for k := range chunk.Keys {
		chunk.Keys[k] = change.texts(chunk.Keys[k])
	}
	for i := range chunk.Columns {
		v := &chunk.Columns[i]
		v.Valid, v.Numbers, v.Integers = change.flags(v.Valid), change.numbers(v.Numbers), change.integers(v.Integers)
		v.Flags, v.Texts, v.Instants = change.flags(v.Flags), change.texts(v.Texts), change.integers(v.Instants)
	}
}

// sliceChange is the same change of slices of each type.
type sliceChange struct {
	integers func([]int64) []int64
	numbers  func([]float64) []float64
	flags    func([]bool) []bool
	texts    func([]string) []string
}

// cutChunk leaves the rows from one to before another in a chunk; the slices of the original stay as they are.
func cutChunk(chunk *market.Chunk, from, to int) {
	if from == 0 && to == chunk.Len() {
		return
	}
	chunk.Keys, chunk.Columns = slices.Clone(chunk.Keys), slices.Clone(chunk.Columns)
	eachSlice(chunk, sliceChange{cut[int64](from, to), cut[float64](from, to), cut[bool](from, to), cut[string](from, to)})
}

// Of the slices of a Vector, those of other kinds than its own are nil.
func cut[T any](from, to int) func([]T) []T {
	return func(values []T) []T {
		if values == nil {
			return nil
		}
		return values[from:to]
	}
}

// reverseChunk puts the last row of a chunk first.
func reverseChunk(chunk *market.Chunk) {
	eachSlice(chunk, sliceChange{reversed[int64], reversed[float64], reversed[bool], reversed[string]})
}

func reversed[T any](values []T) []T {
	slices.Reverse(values)
	return values
}

// keepRows removes the rows of a chunk that are not to be kept.
func keepRows(chunk *market.Chunk, keep []bool) {
	eachSlice(chunk, sliceChange{kept[int64](keep), kept[float64](keep), kept[bool](keep), kept[string](keep)})
}

func kept[T any](keep []bool) func([]T) []T {
	return func(values []T) []T {
		left := values[:0]
		for i := range values {
			if keep[i] {
				left = append(left, values[i])
			}
		}
		return left
	}
}
