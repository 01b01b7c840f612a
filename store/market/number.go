package market

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// Number is a published value, or null.
type Number = Optional[float64]

// Flag is a published yes or no, or null.
type Flag = Optional[bool]

// String is a published text, or null; it is never an empty text that was published.
type String = Optional[string]

// Optional is a value as a source gave it. The zero Optional is a null about which the source said nothing.
type Optional[T float64 | bool | string] struct {
	V     T
	Valid bool // V was published
	// Withdrawn marks a null that the source wrote itself: null, "" or "Invalid". A null that is merely left out
	// never replaces a value that is stored; one that is written withdraws it. Rows that are read from the store
	// never bear it.
	Withdrawn bool
}

// Num is a number that was published.
func Num(v float64) Number { return Number{V: v, Valid: true} }

// Str is a text that was published.
func Str(v string) String { return String{V: v, Valid: true} }

// Over is what is stored when the value arrives where stored is: a value takes its place, a null that the source wrote
// itself withdraws it, and a null that was left out changes nothing.
func (o Optional[T]) Over(stored Optional[T]) Optional[T] {
	switch {
	case o.Valid:
		return Optional[T]{V: o.V, Valid: true}
	case o.Withdrawn:
		return Optional[T]{}
	}
	return stored
}

// join takes in another value that the same reply or batch gives for the same key, dated in ms (0: not dated): of two
// values the one of the newer date stands, else the later one. A null never stands against a value.
func (o *Optional[T]) join(dated *int64, other Optional[T], otherDated int64) {
	switch {
	case other.Valid && !(o.Valid && isOlder(otherDated, *dated)):
		*o, *dated = other, max(*dated, otherDated)
	case !o.Valid && other.Withdrawn:
		o.Withdrawn = true
	}
}

// isOlder says whether a row of that date (ms, 0: not dated) is older than one of the other date. Without both dates it
// is not.
func isOlder(dated, than int64) bool { return dated != 0 && than != 0 && dated < than }

// Scan reads a column of SQLite.
func (o *Optional[T]) Scan(src any) error {
	*o = Optional[T]{}
	switch v := any(&o.V).(type) {
	case *float64:
		switch src := src.(type) {
		case nil:
			return nil
		case float64:
			*v, o.Valid = src, true
			return nil
		case int64:
			*v, o.Valid = float64(src), true
			return nil
		}
	case *bool:
		if src == nil {
			return nil
		}
		if flag, err := driver.Bool.ConvertValue(src); err == nil {
			*v, o.Valid = flag.(bool), true
			return nil
		}
	case *string:
		switch src := src.(type) {
		case nil:
			return nil
		case string:
			*v, o.Valid = src, true
			return nil
		}
	}
	return fmt.Errorf("store: a %T cannot be read from %T %v", o.V, src, src)
}

// Value is the value, or NULL.
func (o Optional[T]) Value() (driver.Value, error) {
	if !o.Valid {
		return nil, nil
	}
	return o.V, nil
}

// MarshalJSON writes the value, null where the source left it out, and "" where it withdrew it.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	switch {
	case o.Valid:
		return json.Marshal(o.V)
	case o.Withdrawn:
		return []byte(`""`), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "null":
		*o = Optional[T]{}
		return nil
	case `""`:
		*o = Optional[T]{Withdrawn: true}
		return nil
	}
	o.Valid = true
	return json.Unmarshal(data, &o.V)
}
