package market

// Chunk is a run of rows of one dataset as they are served, column by column: each slice has one entry for each row. Rows
// ascend by their start; those of one period are in the order in which the dataset is served.
type Chunk struct {
	Starts, Ends []int64    // of the periods, seconds UTC
	Keys         [][]string // one for each of the series' ServedKeys
	Columns      []Vector   // one for each of the columns that were asked for
}

// Len is how many rows the chunk has.
func (c Chunk) Len() int { return len(c.Starts) }

// Vector is the values of one column; of the last five slices, the one of its kind is filled.
type Vector struct {
	Kind     Kind
	Valid    []bool    // false: null
	Numbers  []float64 // KindNumber, as served
	Integers []int64   // KindInteger
	Flags    []bool    // KindBoolean
	Texts    []string  // KindString
	Instants []int64   // KindInstant, ms UTC
}
