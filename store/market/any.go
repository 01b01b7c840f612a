package market

import "fmt"

// AnySeries is a Series of any rows: what is known of it without their type.
type AnySeries interface {
	// About tells what is known of each of its datasets.
	About() []About
	// StepSeconds is how long a row lasts; of prices the step at which they are served.
	StepSeconds() int64
	// ServedKeys are the keys that are served beside the period.
	ServedKeys() []ServedKey
	// ServedColumns are the columns that are served, in their order.
	ServedColumns() []ServedColumn

	// words are the texts that its keys and columns may be.
	words() []Word
}

// StepText is a step in seconds as an ISO 8601 duration, such as PT15M or PT4S.
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
	Values []string // all that it may be; nil: any
}

// Kind is what the values of a column are, when they are not null.
type Kind string

// The kinds of columns, as the API names them.
const (
	KindNumber  Kind = "number"
	KindBoolean Kind = "boolean"
	KindString  Kind = "string"
	KindInstant Kind = "instant" // UTC
	// KindInteger is for what is counted; no column of a series has it.
	KindInteger Kind = "integer"
)

// ServedColumn is a column of a series as it is served.
type ServedColumn struct {
	Stored   string // its name in the database, and in revisions
	Name     string
	Kind     Kind
	Unit     Unit
	Text     Text // what it is
	Label    Text // the head of a page's column
	Values   []string
	Nullable bool
	Revised  bool // its changes are revisions

	factor Micro
}

// Scale is a stored number as it is served.
func (c ServedColumn) Scale(n Number) Number { return scale(c.factor, n) }

// About tells what is known of each of the series' datasets.
func (s *Series[R]) About() []About { return s.Datasets }

// StepSeconds is how long a row lasts; of prices the step at which they are served.
func (s *Series[R]) StepSeconds() int64 { return s.Step }

// ServedKeys are the keys that are served beside the period.
func (s *Series[R]) ServedKeys() []ServedKey {
	var served []ServedKey
	for _, key := range s.Keys {
		if key.Served != "" {
			served = append(served, ServedKey{Name: key.Served, Text: key.Text, Values: key.values()})
		}
	}
	return served
}

// ServedColumns are the columns that are served, in their order.
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
			Nullable: !c.Rising, Revised: c.isRevised(), factor: c.Factor,
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

// values are all that the key may be; nil if it may be anything.
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
