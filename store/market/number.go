package market

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// Number is a published number, or null.
type Number = Optional[float64]

// Flag is a published yes or no, or null.
type Flag = Optional[bool]

// String is a published text, or null. A published text is never empty.
type String = Optional[string]

// Optional is a published value, or null. The zero Optional is a null because the source left the value out.
type Optional[T float64 | bool | string] struct {
	V     T
	Valid bool // V was published
	// Withdrawn is set if the source wrote the null itself: null, "" or "Invalid". Such a null replaces a stored value; the
	// null of a value that was left out does not. It is never set in rows that are read from the store.
	Withdrawn bool
}

// Num returns a published number.
func Num(v float64) Number { return Number{V: v, Valid: true} }

// Str returns a published text.
func Str(v string) String { return String{V: v, Valid: true} }

// Over returns what is stored after the value has arrived and stored was there before: a value replaces it, a null that the
// source wrote makes it null, a null that was left out changes nothing.
func (o Optional[T]) Over(stored Optional[T]) Optional[T] {
	switch {
	case o.Valid:
		return Optional[T]{V: o.V, Valid: true}
	case o.Withdrawn:
		return Optional[T]{}
	}
	return stored
}

// join merges in another value of the same key from the same batch. dated and otherDated are when the source last wrote the
// values, in ms, 0 if unknown. The newer value wins; without both dates the later one in the batch; a value wins over a null.
func (o *Optional[T]) join(dated *int64, other Optional[T], otherDated int64) {
	switch {
	case other.Valid && !(o.Valid && isOlder(otherDated, *dated)):
		*o, *dated = other, max(*dated, otherDated)
	case !o.Valid && other.Withdrawn:
		o.Withdrawn = true
	}
}

// isOlder reports whether dated is before than, in ms; false if one of them is 0, which means unknown.
func isOlder(dated, than int64) bool { return dated != 0 && than != 0 && dated < than }

// Scan sets the value from a column of SQLite.
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

// Value returns the value, or NULL.
func (o Optional[T]) Value() (driver.Value, error) {
	if !o.Valid {
		return nil, nil
	}
	return o.V, nil
}

// MarshalJSON returns the value, null if the source left it out, or "" if the source wrote a null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	switch {
	case o.Valid:
		return json.Marshal(o.V)
	case o.Withdrawn:
		return []byte(`""`), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON parses the output of MarshalJSON.
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
