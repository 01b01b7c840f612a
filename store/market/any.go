package market

import (
	"fmt"
	"strings"
)

// AnySeries is a Series of any row type.
type AnySeries interface {
	// About returns the descriptions of its datasets.
	About() []About
	// StepSeconds returns the length of the periods that are served.
	StepSeconds() int64
	// ServedKeys returns the keys that are served, apart from the period.
	ServedKeys() []ServedKey
	// KeysOf returns the values of ServedKeys that the rows of a series have, by the name of the series.
	KeysOf(series string) []string
	// ServedColumns returns the columns that are served, in order.
	ServedColumns() []ServedColumn

	// words returns the known values of its keys and columns.
	words() []Word
}

// StepText returns a step in seconds as an ISO 8601 duration, such as PT15M or PT4S.
func StepText(seconds int64) string {
	if seconds%60 == 0 {
		return fmt.Sprintf("PT%dM", seconds/60)
	}
	return fmt.Sprintf("PT%dS", seconds)
}

// ServedKey is a key of a series as it is served.
type ServedKey struct {
	Name   string
	Text   Text
	Values []string // all possible values; nil: any text
}

// Kind is the type of the values of a column that are not null.
type Kind string

// The kinds of columns, as the API names them.
const (
	KindNumber  Kind = "number"
	KindBoolean Kind = "boolean"
	KindString  Kind = "string"
	KindInstant Kind = "instant" // UTC
	// KindInteger is the kind of counts; no column of a series has it.
	KindInteger Kind = "integer"
)

// ServedColumn is a column of a series as it is served.
type ServedColumn struct {
	Stored   string // its name in the database, and in revisions
	Name     string
	Kind     Kind
	Unit     Unit
	Text     Text // its meaning
	Label    Text // the heading of its column on pages
	Values   []string
	Nullable bool
	Revised  bool // its changes are recorded as revisions
	Rising   bool // it only changes to a later one of Values; the last one is final

	factor Micro
}

// Scale returns a stored number in the unit in which it is served.
func (c ServedColumn) Scale(n Number) Number { return scale(c.factor, n) }

// About returns the descriptions of the series' datasets.
func (s *Series[R]) About() []About { return s.Datasets }

// StepSeconds returns the length of the periods that are served.
func (s *Series[R]) StepSeconds() int64 { return s.Step }

// ServedKeys returns the keys that are served, apart from the period.
func (s *Series[R]) ServedKeys() []ServedKey {
	var served []ServedKey
	for _, key := range s.Keys {
		if key.Served != "" {
			served = append(served, ServedKey{Name: key.Served, Text: key.Text, Values: key.values()})
		}
	}
	return served
}

// KeysOf returns the values of ServedKeys that the rows of a series have, by the name of the series.
func (s *Series[R]) KeysOf(series string) []string {
	var values []string
	for _, key := range s.Keys {
		value := series
		if len(s.Keys) > 1 {
			value, series, _ = strings.Cut(series, "/")
		}
		if key.Served != "" {
			values = append(values, value)
		}
	}
	return values
}

// ServedColumns returns the columns that are served, in order.
func (s *Series[R]) ServedColumns() []ServedColumn {
	var served []ServedColumn
	for i := range s.Columns {
		c := &s.Columns[i]
		if c.Served == "" {
			continue
		}
		label := c.Label
		if label == (Text{}) {
			label = c.Text
		}
		served = append(served, ServedColumn{
			Stored: c.Name, Name: c.Served, Kind: c.kind(), Unit: c.Unit, Text: c.Text, Label: label, Values: names(c.Words),
			Nullable: !c.Rising, Revised: c.isRevised(), Rising: c.Rising, factor: c.Factor,
		})
	}
	return served
}

func (c *Column[R]) kind() Kind {
	switch {
	case c.Number != nil:
		return KindNumber
	case c.Flag != nil:
		return KindBoolean
	case c.String != nil:
		return KindString
	}
	return KindInstant
}

// values returns all possible values of the key; nil if it may have others.
func (k *Key[R]) values() []string {
	if k.Any {
		return nil
	}
	return names(k.Words)
}

func names(words []Word) []string {
	var names []string
	for _, word := range words {
		names = append(names, word.Name)
	}
	return names
}

func (s *Series[R]) words() []Word {
	var words []Word
	for _, key := range s.Keys {
		words = append(words, key.Words...)
	}
	for _, c := range s.Columns {
		words = append(words, c.Words...)
	}
	return words
}
