package market

// Chunk is consecutive rows of one dataset as they are served, column by column: each slice has one entry for each row. Rows
// ascend by start; those of one period are in the order in which the dataset is served.
type Chunk struct {
	Starts, Ends []int64    // of the periods, seconds UTC
	Keys         [][]string // one slice for each of the series' ServedKeys
	Columns      []Vector   // one for each of the requested columns
}

// Len returns the number of rows.
func (c Chunk) Len() int { return len(c.Starts) }

// Period returns the period of a row.
func (c Chunk) Period(row int) Period { return Period{c.Starts[row], c.Ends[row]} }

// Slice is the rows from one to another; it shares their memory.
func (c Chunk) Slice(from, to int) Chunk {
	cut := Chunk{Starts: c.Starts[from:to], Ends: c.Ends[from:to], Keys: make([][]string, len(c.Keys)), Columns: make([]Vector, len(c.Columns))}
	for k, key := range c.Keys {
		cut.Keys[k] = key[from:to]
	}
	for i := range c.Columns {
		cut.Columns[i] = c.Columns[i].Slice(from, to)
	}
	return cut
}

// Vector is the values of one column. Besides Valid, only the slice of its kind is set.
type Vector struct {
	Kind     Kind
	Valid    []bool    // false: null
	Numbers  []float64 // KindNumber, as served
	Integers []int64   // KindInteger
	Flags    []bool    // KindBoolean
	Texts    []string  // KindString
	Instants []int64   // KindInstant, ms UTC
}

// Slice returns the values from one row to before another; it shares their memory.
func (v Vector) Slice(from, to int) Vector {
	cut := Vector{Kind: v.Kind, Valid: v.Valid[from:to]}
	switch v.Kind {
	case KindNumber:
		cut.Numbers = v.Numbers[from:to]
	case KindInteger:
		cut.Integers = v.Integers[from:to]
	case KindBoolean:
		cut.Flags = v.Flags[from:to]
	case KindString:
		cut.Texts = v.Texts[from:to]
	case KindInstant:
		cut.Instants = v.Instants[from:to]
	}
	return cut
}

// Number returns the value of a row in a column of KindNumber.
func (v Vector) Number(row int) Number { return Number{V: v.Numbers[row], Valid: v.Valid[row]} }

// Serve returns rows as they are served, with all served columns. The rows are of one dataset and ascend by start, and each
// lasts one step: a series with longer rows, such as hourly prices, cannot be served this way.
func (s *Series[R]) Serve(rows []R) Chunk {
	chunk := Chunk{Starts: make([]int64, len(rows)), Ends: make([]int64, len(rows))}
	for i := range rows {
		chunk.Starts[i] = *s.Start(&rows[i])
		chunk.Ends[i] = chunk.Starts[i] + s.Step
	}
	for k := range s.Keys {
		if s.Keys[k].Served == "" {
			continue
		}
		words := make([]string, len(rows))
		for i := range rows {
			words[i] = s.Keys[k].Of(&rows[i])
		}
		chunk.Keys = append(chunk.Keys, words)
	}
	for c := range s.Columns {
		if s.Columns[c].Served != "" {
			chunk.Columns = append(chunk.Columns, s.Columns[c].serve(rows))
		}
	}
	return chunk
}

// Append appends copies of the rows of another chunk, which has the same keys and columns; any, if c is empty.
func (c *Chunk) Append(more Chunk) {
	if len(c.Keys) == 0 && len(c.Columns) == 0 {
		c.Keys, c.Columns = make([][]string, len(more.Keys)), make([]Vector, len(more.Columns))
	}
	c.Starts, c.Ends = append(c.Starts, more.Starts...), append(c.Ends, more.Ends...)
	for k := range more.Keys {
		c.Keys[k] = append(c.Keys[k], more.Keys[k]...)
	}
	for i := range more.Columns {
		into, from := &c.Columns[i], &more.Columns[i]
		into.Kind = from.Kind
		into.Valid, into.Numbers, into.Integers = append(into.Valid, from.Valid...), append(into.Numbers, from.Numbers...), append(into.Integers, from.Integers...)
		into.Flags, into.Texts, into.Instants = append(into.Flags, from.Flags...), append(into.Texts, from.Texts...), append(into.Instants, from.Instants...)
	}
}

// serve returns the rows' values in the column, as they are served.
func (c *Column[R]) serve(rows []R) Vector {
	v := Vector{Kind: c.kind(), Valid: make([]bool, len(rows))}
	switch {
	case c.Number != nil:
		v.Numbers = make([]float64, len(rows))
		for i := range rows {
			n := c.Scale(*c.Number(&rows[i]))
			v.Numbers[i], v.Valid[i] = n.V, n.Valid
		}
	case c.Flag != nil:
		v.Flags = make([]bool, len(rows))
		for i := range rows {
			flag := c.Flag(&rows[i])
			v.Flags[i], v.Valid[i] = flag.V, flag.Valid
		}
	case c.String != nil:
		v.Texts = make([]string, len(rows))
		for i := range rows {
			text := c.String(&rows[i])
			v.Texts[i], v.Valid[i] = text.V, text.Valid
		}
	default:
		v.Instants = make([]int64, len(rows))
		for i := range rows {
			v.Instants[i] = *c.Instant(&rows[i])
			v.Valid[i] = v.Instants[i] != 0
		}
	}
	return v
}
