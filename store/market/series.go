package market

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Text is a text in French and in English.
type Text struct{ FR, EN string }

// Series describes a row type: its datasets, the keys that identify a row, and the columns with its values. It is the only
// description of them: database tables, bounds of values, revisions, answers and pages are derived from it. A Series is made
// by newSeries and is immutable.
type Series[R comparable] struct {
	Table    string // its table in the database
	Step     int64  // length of the periods that are served, in seconds
	Datasets []About
	Start    func(*R) *int64 // start of the row's period, seconds UTC

	// Lasts returns the length of a row's period in seconds, a multiple of Step; nil: Step. A longer row is served as
	// several.
	Lasts func(*R) int64
	// Dataset returns a pointer to the row's dataset; nil if there is only one in Datasets.
	Dataset func(*R) *Dataset
	Keys    []Key[R] // besides the start and the dataset
	Columns []Column[R]

	// SeriesOf returns the name of the row's series; rows of one dataset and period have different ones. nil: the keys,
	// joined by slashes.
	SeriesOf func(*R) string
	// StandIn returns the key of the row of a second source that is served until this one is published; nil: there is no
	// second source.
	StandIn func(R) R
	// Settle sets what follows from the time at which the row was fetched, such as its status; nil: nothing does.
	Settle func(r *R, readAt time.Time)

	// Remark says what is odd about a row that is served as published all the same; empty if nothing is. nil: nothing ever is.
	Remark func(*R) string

	fields  []func(*R) any
	revised []Column[R]
	updated func(*R) *int64 // when the source last wrote the row, ms UTC; nil: the source never publishes that
}

// Key is a part of the key that identifies a row; its values are texts.
type Key[R any] struct {
	Name   string // in the database
	Served string // in the API; empty: not served
	Text   Text
	Words  []Word          // its known values, in the order in which rows are served
	Any    bool            // it may have other values too
	Field  func(*R) any    // a pointer to it, for SQL
	Of     func(*R) string // its value as it is served
}

// Column is a value of a row: how it is stored, served and explained. Exactly one of Number, Flag, String and Instant is set
// and defines its kind; each returns a pointer to the value in a row.
type Column[R any] struct {
	Name   string // in the database
	Served string // in the API and in files; empty: not served
	Unit   Unit   // in which it is served
	Text   Text   // its meaning
	Label  Text   // the heading of its column on pages; empty: Text

	Factor     Micro  // from the stored to the served number; 0: served as stored
	StoredUnit string // if Factor is set
	Words      []Word // all possible values of a String; nil: any text
	// Remark marks a String that describes a fault of the row. If the source removes it, the row has become better: that is
	// a change, and not a value that was withdrawn.
	Remark bool
	// Rising is set if a String only ever changes to a later one of Words. Its changes are not recorded as revisions.
	Rising bool

	Number func(*R) *Number
	Flag   func(*R) *Flag
	String func(*R) *String
	// Instant is when the source last wrote the row, ms UTC; 0: unknown. Its changes are not recorded as revisions. A series
	// has at most one such column.
	Instant func(*R) *int64

	bounds unit // of a Number
}

// Unit is the unit of a number, as the API names it; empty if it has none.
type Unit string

// The units in which numbers are served.
const (
	EURPerMWh Unit = "EUR/MWh"
	EURPerMW  Unit = "EUR/MW/h" // per MW of reserve and hour
	MW        Unit = "MW"
	MWh       Unit = "MWh"
)

// unit is the properties of a Unit.
type unit struct {
	noun        string
	symbol      string
	decimals    int     // the least number of decimals on pages
	least, most float64 // values beyond these are refused; they are far outside the limits of the market
}

var units = map[Unit]unit{
	EURPerMWh: {"a price", "€/MWh", 2, -100_000, 100_000},
	EURPerMW:  {"a price", "€/MW/h", 2, 0, 100_000},
	MW:        {"a power", "MW", 0, -200_000, 200_000},
	MWh:       {"an energy", "MWh", 2, -200_000, 200_000},
}

// Symbol returns the unit as pages show it.
func (u Unit) Symbol() string { return units[u].symbol }

// Decimals returns the least number of decimals that pages show of a value.
func (u Unit) Decimals() int { return units[u].decimals }

// newSeries completes a description. It panics if the description contradicts itself.
func newSeries[R comparable](s Series[R]) *Series[R] {
	s.fields = append(s.fields, func(r *R) any { return s.Start(r) })
	if s.Dataset != nil {
		s.fields = append(s.fields, func(r *R) any { return s.Dataset(r) })
	}
	for _, key := range s.Keys {
		s.fields = append(s.fields, key.Field)
	}
	for i := range s.Columns {
		c := &s.Columns[i]
		switch {
		case c.Number != nil:
			of, known := units[c.Unit]
			if !known {
				panic(fmt.Sprintf("market: %s.%s is a number in the unknown unit %q", s.Table, c.Name, c.Unit))
			}
			c.bounds = of
			s.fields = append(s.fields, func(r *R) any { return c.Number(r) })
		case c.Flag != nil:
			s.fields = append(s.fields, func(r *R) any { return c.Flag(r) })
		case c.String != nil:
			s.fields = append(s.fields, func(r *R) any { return c.String(r) })
		case c.Instant != nil && s.updated == nil:
			s.fields = append(s.fields, func(r *R) any { return (*updatedMs)(c.Instant(r)) })
			s.updated = c.Instant
		default:
			panic(fmt.Sprintf("market: %s.%s has no kind", s.Table, c.Name))
		}
	}
	s.revised = slices.DeleteFunc(slices.Clone(s.Columns), func(c Column[R]) bool { return !c.isRevised() })
	if (s.Dataset == nil) != (len(s.Datasets) == 1) {
		panic("market: " + s.Table + " needs Dataset if it has several datasets, and only then")
	}
	return &s
}

// KeyNames returns the names of the key columns in the database; the first is the start.
func (s *Series[R]) KeyNames() []string {
	names := []string{"start"}
	if s.Dataset != nil {
		names = append(names, "dataset")
	}
	for _, key := range s.Keys {
		names = append(names, key.Name)
	}
	return names
}

// ColumnNames returns the names of the other columns in the database, in the order of Columns.
func (s *Series[R]) ColumnNames() []string {
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = c.Name
	}
	return names
}

// Fields returns pointers to the row's fields for database/sql, in the order of KeyNames and ColumnNames.
func (s *Series[R]) Fields(r *R) []any {
	fields := make([]any, len(s.fields))
	for i, field := range s.fields {
		fields[i] = field(r)
	}
	return fields
}

// Revised returns the columns whose changes are recorded as revisions.
func (s *Series[R]) Revised() []Column[R] { return s.revised }

func (c *Column[R]) isRevised() bool { return c.Instant == nil && !c.Rising }

// DatasetOf returns the row's dataset.
func (s *Series[R]) DatasetOf(r *R) Dataset {
	if s.Dataset == nil {
		return s.Datasets[0].ID
	}
	return *s.Dataset(r)
}

// NameOf returns the name of the row's series; rows of one dataset and period have different ones.
func (s *Series[R]) NameOf(r *R) string {
	switch {
	case s.SeriesOf != nil:
		return s.SeriesOf(r)
	case len(s.Keys) == 1:
		return s.Keys[0].Of(r)
	}
	words := make([]string, len(s.Keys))
	for i, key := range s.Keys {
		words[i] = key.Of(r)
	}
	return strings.Join(words, "/")
}

// Updated returns when the source last wrote the row, ms UTC; 0: unknown.
func (s *Series[R]) Updated(r *R) int64 {
	if s.updated == nil {
		return 0
	}
	return *s.updated(r)
}

// IsDated reports whether the source publishes when it last wrote a row.
func (s *Series[R]) IsDated() bool { return s.updated != nil }

// SetUpdated sets when the source last wrote the row, ms UTC. It panics unless IsDated.
func (s *Series[R]) SetUpdated(r *R, ms int64) { *s.updated(r) = ms }

// Value is the value of a row in a column: a number or a text, or null if both are null. A flag is the number 0 or 1.
type Value struct {
	Number Number
	Text   String
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return !v.Number.Valid && !v.Text.Valid }

// isWithdrawn reports whether the source withdrew the row's value of the column.
func (c *Column[R]) isWithdrawn(r *R) bool {
	switch {
	case c.Remark:
		return false
	case c.Number != nil:
		return c.Number(r).Withdrawn
	case c.Flag != nil:
		return c.Flag(r).Withdrawn
	case c.String != nil:
		return c.String(r).Withdrawn
	}
	return false
}

// value returns the row's value; null for an Instant.
func (c *Column[R]) value(r *R) Value {
	switch {
	case c.Number != nil:
		return Value{Number: *c.Number(r)}
	case c.Flag != nil:
		return Value{Number: NumberOf(*c.Flag(r))}
	case c.String != nil:
		return Value{Text: *c.String(r)}
	}
	return Value{}
}

// Set sets the row's value; it does nothing for an Instant.
func (c *Column[R]) Set(r *R, v Value) {
	switch {
	case c.Number != nil:
		*c.Number(r) = v.Number
	case c.Flag != nil:
		*c.Flag(r) = Flag{V: v.Number.V != 0, Valid: v.Number.Valid}
	case c.String != nil:
		*c.String(r) = v.Text
	}
}

// Values returns the row's values in the order of Revised.
func (s *Series[R]) Values(r *R) []Value {
	values := make([]Value, len(s.revised))
	for i := range s.revised {
		values[i] = s.revised[i].value(r)
	}
	return values
}

// NumberOf returns a flag as 0, 1 or null.
func NumberOf(flag Flag) Number {
	n := Number{Valid: flag.Valid}
	if flag.V {
		n.V = 1
	}
	return n
}

// Scale returns a stored number in the unit in which it is served.
func (c *Column[R]) Scale(n Number) Number { return scale(c.Factor, n) }

func scale(factor Micro, n Number) Number {
	if factor == 0 || !n.Valid {
		return n
	}
	return (factor * MicroOf(n.V)).Number()
}

// Merge returns what is stored after the row after has arrived and before was stored; before is the zero row if nothing was.
// Each value is merged by Optional.Over. If the source wrote after earlier than before, nothing changes and older is true.
//
// The merged row has the newer of the two times of Updated, also if after has none, so that rows which are older than that
// time are still recognised.
func (s *Series[R]) Merge(before, after R) (merged R, older bool) {
	if s.updated != nil {
		was, is := s.updated(&before), s.updated(&after)
		if isOlder(*is, *was) {
			return before, true
		}
		*is = max(*is, *was)
	}
	for i := range s.Columns {
		switch c := &s.Columns[i]; {
		case c.Number != nil:
			n := c.Number(&after)
			*n = n.Over(*c.Number(&before))
		case c.Flag != nil:
			n := c.Flag(&after)
			*n = n.Over(*c.Flag(&before))
		case c.String != nil && c.Rising:
			n, was := c.String(&after), *c.String(&before)
			if c.rank(was) > c.rank(*n) {
				*n = was
			}
		case c.String != nil:
			n := c.String(&after)
			*n = n.Over(*c.String(&before))
		}
	}
	return after, false
}

// LimitRising lowers the Rising texts of a row to what they can have been at a past time: the times at which they rose are not recorded.
func (s *Series[R]) LimitRising(r *R, at time.Time) {
	if s.Settle == nil {
		return
	}
	highest := *r
	s.Settle(&highest, at)
	for i := range s.Columns {
		if c := &s.Columns[i]; c.Rising && c.rank(*c.String(r)) > c.rank(*c.String(&highest)) {
			*c.String(r) = *c.String(&highest)
		}
	}
}

// rank returns the index of a Rising text in Words; -1 for null.
func (c *Column[R]) rank(v String) int {
	if !v.Valid {
		return -1
	}
	return slices.IndexFunc(c.Words, func(word Word) bool { return word.Name == v.V })
}

// Join merges rows of a batch that have the same key, in the order of the batch. Each value is merged by Optional.join. The
// merged row has the newest of their times of Updated.
func (s *Series[R]) Join(rows ...R) R {
	joined := rows[0]
	dated := make([]int64, len(s.Columns)) // when the source wrote the value of each column
	for i := range rows {
		date := s.Updated(&rows[i])
		if s.updated != nil {
			*s.updated(&joined) = max(*s.updated(&joined), date)
		}
		for at := range s.Columns {
			switch c := &s.Columns[at]; {
			case c.Number != nil:
				c.Number(&joined).join(&dated[at], *c.Number(&rows[i]), date)
			case c.Flag != nil:
				c.Flag(&joined).join(&dated[at], *c.Flag(&rows[i]), date)
			case c.String != nil:
				c.String(&joined).join(&dated[at], *c.String(&rows[i]), date)
			}
		}
	}
	return joined
}

// SameValues reports whether two rows of one key have the same values in all columns of Revised.
func (s *Series[R]) SameValues(a, b R) bool {
	for i := range s.Columns {
		switch c := &s.Columns[i]; {
		case c.Instant != nil:
			*c.Instant(&a) = *c.Instant(&b)
		case c.Rising:
			*c.String(&a) = *c.String(&b)
		}
	}
	return a == b
}

// HasRisen reports whether a Rising text of the row has changed.
func (s *Series[R]) HasRisen(before, after *R) bool {
	return slices.ContainsFunc(s.Columns, func(c Column[R]) bool { return c.Rising && *c.String(before) != *c.String(after) })
}

// IsServedAlike reports whether two rows of one key and SameValues are served alike.
func (s *Series[R]) IsServedAlike(a, b *R) bool {
	return !s.HasRisen(a, b) && !slices.ContainsFunc(s.Columns, func(c Column[R]) bool {
		return c.Instant != nil && c.Served != "" && *c.Instant(a) != *c.Instant(b)
	})
}

// numbers returns the number columns, in order.
func (s *Series[R]) numbers() []func(*R) *Number {
	var numbers []func(*R) *Number
	for _, c := range s.Columns {
		if c.Number != nil {
			numbers = append(numbers, c.Number)
		}
	}
	return numbers
}

// Fault describes the first value of the row that is out of bounds; empty if there is none.
func (s *Series[R]) Fault(r *R) string {
	for i := range s.Columns {
		c := &s.Columns[i]
		if c.Number == nil {
			continue
		}
		n, of := *c.Number(r), &c.bounds
		served := n.V
		if c.Factor != 0 {
			served *= float64(c.Factor)
		}
		if n.Valid && !(served >= of.least && served <= of.most) {
			stored := c.StoredUnit
			if stored == "" {
				stored = string(c.Unit)
			}
			return fmt.Sprintf("%s of %v %s is out of bounds", of.noun, n.V, stored)
		}
	}
	return ""
}

// updatedMs is when a source last wrote a row, ms UTC; 0, stored as NULL, means unknown.
type updatedMs int64

// Scan sets the instant from a column of SQLite.
func (u *updatedMs) Scan(src any) error {
	switch ms := src.(type) {
	case nil:
		*u = 0
	case int64:
		*u = updatedMs(ms)
	default:
		return fmt.Errorf("store: an instant cannot be read from %T %v", src, src)
	}
	return nil
}

// Value returns the instant, or NULL.
func (u updatedMs) Value() (driver.Value, error) {
	if u == 0 {
		return nil, nil
	}
	return int64(u), nil
}
