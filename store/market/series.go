package market

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Text is a text in both languages of Courant.
type Text struct{ FR, EN string }

// Series describes the rows of one type: the datasets that are made of them, what tells one row from another, and what
// values a row has. It is the one description of them: tables of the database, bounds, revisions, answers and pages follow
// from it. A Series is made by newSeries and never changes.
type Series[R comparable] struct {
	Table    string // of the database
	Step     int64  // seconds that a row lasts; of prices the step at which they are served
	Datasets []About
	Start    func(*R) *int64 // of the row's period, seconds UTC

	// Dataset points at the row's dataset; nil where Datasets has one only.
	Dataset func(*R) *Dataset
	Keys    []Key[R] // beside the start and the dataset
	Columns []Column[R]

	// SeriesOf names the row's series, which tells the rows of one period apart; nil: its keys, joined by a slash.
	SeriesOf func(*R) string
	// StandIn is the row that is served until this one is published; nil: there is none.
	StandIn func(R) R
	// Settle notes in the row that it was read from its source at a time; nil: nothing follows from it.
	Settle func(r *R, readAt time.Time)

	fields  []func(*R) any
	revised []Column[R]
	updated func(*R) *int64 // nil: the source never dates its rows
}

// Key is a part of what tells rows apart, always a text.
type Key[R any] struct {
	Name   string // in the database
	Served string // in the API; empty: it is not served
	Text   Text
	Words  []Word          // that it is known to be, in the order in which they are served
	Any    bool            // it may be others too
	Field  func(*R) any    // points at it, for the database
	Of     func(*R) string // the key as it is served
}

// Column is one value of a row: how it is stored, served and explained. Exactly one of Number, Flag, String and Instant is
// set, and says of what kind it is.
type Column[R any] struct {
	Name   string // in the database
	Served string // in the API and in files; empty: it is not served
	Unit   Unit   // as it is served
	Text   Text   // what it is
	Label  Text   // the head of a page's column; empty: Text

	Factor     Micro  // by which a stored number is multiplied to be served; 0: it is served as it is stored
	StoredUnit string // where Factor is set
	Words      []Word // all that a String may be; nil: any
	// Remark marks a String that tells what is wrong with the row. Where the source takes it back, the row has become
	// better: that is a change, and not a value that was withdrawn.
	Remark bool
	// Rising marks a String that only moves on in Words. Its changes are no revisions.
	Rising bool

	Number func(*R) *Number
	Flag   func(*R) *Flag
	String func(*R) *String
	// Instant is when the source last wrote the row, ms UTC, 0 if it does not say. Its changes are no revisions, and a
	// series has at most one.
	Instant func(*R) *int64

	bounds unit // of a Number
}

// Unit is the unit of a number, as the API names it; empty for what has none.
type Unit string

// The units of what is served.
const (
	EURPerMWh Unit = "EUR/MWh"
	EURPerMW  Unit = "EUR/MW/h" // of reserve, for an hour
	MW        Unit = "MW"
	MWh       Unit = "MWh"
)

// unit is what follows from a unit.
type unit struct {
	noun        string
	symbol      string
	decimals    int     // that a page shows at least
	least, most float64 // beyond these a value is not believed: far outside what the market's own limits allow
}

var units = map[Unit]unit{
	EURPerMWh: {"a price", "€/MWh", 2, -100_000, 100_000},
	EURPerMW:  {"a price", "€/MW/h", 2, 0, 100_000},
	MW:        {"a power", "MW", 0, -200_000, 200_000},
	MWh:       {"an energy", "MWh", 2, -200_000, 200_000},
}

// Symbol is the unit as pages show it.
func (u Unit) Symbol() string { return units[u].symbol }

// Decimals is how many decimals of a value pages show at least.
func (u Unit) Decimals() int { return units[u].decimals }

// newSeries finishes a description, and panics where it contradicts itself.
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
		panic("market: " + s.Table + " does not tell its datasets apart")
	}
	return &s
}

// KeyNames are the columns of the database that tell rows apart; the first is the start.
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

// ColumnNames are the other columns of the database, in the order of Columns.
func (s *Series[R]) ColumnNames() []string {
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = c.Name
	}
	return names
}

// Fields points at the row's fields in the order of KeyNames and ColumnNames, as database/sql reads and writes them.
func (s *Series[R]) Fields(r *R) []any {
	fields := make([]any, len(s.fields))
	for i, field := range s.fields {
		fields[i] = field(r)
	}
	return fields
}

// Revised are the columns whose changes are revisions.
func (s *Series[R]) Revised() []Column[R] { return s.revised }

func (c *Column[R]) isRevised() bool { return c.Instant == nil && !c.Rising }

// DatasetOf is the row's dataset.
func (s *Series[R]) DatasetOf(r *R) Dataset {
	if s.Dataset == nil {
		return s.Datasets[0].ID
	}
	return *s.Dataset(r)
}

// NameOf names the row's series; rows of one dataset and period have different ones.
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

// Updated is when the source last wrote the row, ms UTC; 0 if it does not say.
func (s *Series[R]) Updated(r *R) int64 {
	if s.updated == nil {
		return 0
	}
	return *s.updated(r)
}

// IsDated reports whether the source dates its rows.
func (s *Series[R]) IsDated() bool { return s.updated != nil }

// SetUpdated sets when the source last wrote the row, ms UTC; it may be called only where IsDated.
func (s *Series[R]) SetUpdated(r *R, ms int64) { *s.updated(r) = ms }

// Value is what a row has in a column: a number, where a flag is 0 or 1, or a text. Of both, at most one is not null.
type Value struct {
	Number Number
	Text   String
}

// IsNull reports whether there is no value.
func (v Value) IsNull() bool { return !v.Number.Valid && !v.Text.Valid }

// isWithdrawn reports whether the source took back the row's value of the column.
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

// value is the row's value; an Instant has none.
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

// Values are the row's values in the order of Revised.
func (s *Series[R]) Values(r *R) []Value {
	values := make([]Value, len(s.revised))
	for i := range s.revised {
		values[i] = s.revised[i].value(r)
	}
	return values
}

// NumberOf is a flag as 0 or 1.
func NumberOf(flag Flag) Number {
	n := Number{Valid: flag.Valid}
	if flag.V {
		n.V = 1
	}
	return n
}

// Scale is a stored number as it is served.
func (c *Column[R]) Scale(n Number) Number { return scale(c.Factor, n) }

func scale(factor Micro, n Number) Number {
	if factor == 0 || !n.Valid {
		return n
	}
	return (factor * MicroOf(n.V)).Number()
}

// Merge is what is stored when after arrives where before is stored, which is the zero row where nothing is; Optional.Over
// says what becomes of each value. A row that the source dates before the stored one changes nothing: then older is true.
//
// The newest date that the source has given stays also when a row without one takes the place of what was dated: what is
// older than that date is old news all the same.
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

// rank is how far a Rising text has moved on; -1 for null.
func (c *Column[R]) rank(v String) int {
	if !v.Valid {
		return -1
	}
	return slices.IndexFunc(c.Words, func(word Word) bool { return word.Name == v.V })
}

// Join makes one row of those of a batch that have the same key, in the order in which they came; Optional.join says which
// value stands. The row bears the newest of their dates.
func (s *Series[R]) Join(rows ...R) R {
	joined := rows[0]
	dated := make([]int64, len(s.Columns)) // of each value
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

// SameValues reports whether two rows of one key differ in nothing that is a revision.
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

// HasRisen reports whether a Rising text of the row is another one than it was.
func (s *Series[R]) HasRisen(before, after *R) bool {
	return slices.ContainsFunc(s.Columns, func(c Column[R]) bool { return c.Rising && *c.String(before) != *c.String(after) })
}

// IsServedAlike reports whether two rows of one key and the same values are served alike.
func (s *Series[R]) IsServedAlike(a, b *R) bool {
	return !s.HasRisen(a, b) && !slices.ContainsFunc(s.Columns, func(c Column[R]) bool {
		return c.Instant != nil && c.Served != "" && *c.Instant(a) != *c.Instant(b)
	})
}

// numbers are the number columns, in their order.
func (s *Series[R]) numbers() []func(*R) *Number {
	var numbers []func(*R) *Number
	for _, c := range s.Columns {
		if c.Number != nil {
			numbers = append(numbers, c.Number)
		}
	}
	return numbers
}

// Fault says what of the row is out of bounds; empty if nothing is.
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

// HasValue reports whether the row, as the store reads it, carries any value at all.
func (s *Series[R]) HasValue(r *R) bool {
	for i := range s.Columns {
		if c := &s.Columns[i]; c.isRevised() && !c.value(r).IsNull() {
			return true
		}
	}
	return false
}

// updatedMs is when a source last wrote a row, ms UTC; 0, stored as NULL, if it does not say.
type updatedMs int64

// Scan reads a column of SQLite.
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

// Value is the instant, or NULL.
func (u updatedMs) Value() (driver.Value, error) {
	if u == 0 {
		return nil, nil
	}
	return int64(u), nil
}
