// Package format writes rows of any dataset in the forms that the data API and the exports offer: json, columns, ndjson,
// csv, csv-fr, xlsx and parquet.
//
// A Writer takes the rows chunk by chunk and passes them on as it goes, so its memory does not grow with the number of rows.
// (The form columns keeps most of its values, compressed, to the end, and has a limit of rows.) What a form needs to know of
// a dataset comes from its entry in store/market.
package format

import (
	"errors"
	"fmt"
	"io"
	"time"

	"courant/store/market"
)

// Form is one of the forms in which rows are written; its text is the value of the parameter format.
type Form string

// The forms.
const (
	JSON      Form = "json"    // an object, with the rows as objects
	Columns   Form = "columns" // an object, with the values of each column as an array
	NDJSON    Form = "ndjson"  // one JSON object a line
	CSV       Form = "csv"     // RFC 4180
	FrenchCSV Form = "csv-fr"  // as spreadsheets in French read it: semicolons, decimal commas, time in Paris
	XLSX      Form = "xlsx"    // a workbook with the sheets data and about
	Parquet   Form = "parquet"
)

// properties are what follows from a form.
type properties struct {
	form        Form
	mediaType   string // without parameters
	contentType string
	extension   string
	mostRows    int
	compressed  bool
}

// forms are all forms, in the order in which they are named. Of two with one media type, Accept chooses the first.
var forms = []properties{
	{JSON, "application/json", "application/json", "json", 0, false},
	{Columns, "application/json", "application/json", "json", 1_000_000, false},
	{NDJSON, "application/x-ndjson", "application/x-ndjson", "ndjson", 0, false},
	{CSV, "text/csv", "text/csv; charset=utf-8", "csv", 0, false},
	{FrenchCSV, "text/csv", "text/csv; charset=utf-8", "csv", 0, false},
	{XLSX, mediaTypeXLSX, mediaTypeXLSX, "xlsx", mostSheetRows - 1, true},
	{Parquet, "application/vnd.apache.parquet", "application/vnd.apache.parquet", "parquet", 0, true},
}

const mediaTypeXLSX = openXML + ".sheet"

// All lists the forms.
func All() []Form {
	all := make([]Form, len(forms))
	for i, p := range forms {
		all[i] = p.form
	}
	return all
}

// properties returns what follows from the form, which has to be one of All.
func (f Form) properties() properties {
	for _, p := range forms {
		if p.form == f {
			return p
		}
	}
	panic("format: there is no form " + string(f))
}

// ContentType returns the form's value of the header Content-Type.
func (f Form) ContentType() string { return f.properties().contentType }

// MediaType returns the form's media type, without parameters. Of two forms with one, Accept chooses the first.
func (f Form) MediaType() string { return f.properties().mediaType }

// IsCSV reports whether a text stands for null in the form.
func (f Form) IsCSV() bool { return f == CSV || f == FrenchCSV }

// Extension returns the ending of a file's name, without the dot.
func (f Form) Extension() string { return f.properties().extension }

// MostRows returns the largest number of rows that the form can take; 0 if there is no limit.
func (f Form) MostRows() int { return f.properties().mostRows }

// IsCompressed reports whether the form is compressed in itself, so that gzip or zstd gain nothing.
func (f Form) IsCompressed() bool { return f.properties().compressed }

// IsFile reports whether the form is meant to be stored as a file: all but the three kinds of JSON.
func (f Form) IsFile() bool { return f != JSON && f != Columns && f != NDJSON }

// ErrTooManyRows is returned by Write if the form cannot take as many rows.
var ErrTooManyRows = errors.New("format: too many rows")

// Zone is the time zone in which instants are written.
type Zone string

// The time zones; an empty Zone is UTC.
const (
	UTC   Zone = "UTC"
	Paris Zone = "Europe/Paris"
)

// location returns the zone's rules.
func (z Zone) location() *time.Location {
	if z == Paris {
		return market.Paris
	}
	return time.UTC
}

// orUTC returns the zone's name.
func (z Zone) orUTC() Zone {
	if z == "" {
		return UTC
	}
	return z
}

// Head is what is known of the rows before the first of them.
type Head struct {
	Dataset     market.Dataset
	Title       market.Text // of the dataset
	Source      string      // who publishes the values
	Attribution string
	Simulated   bool // the values are invented
	Period      market.Period
	Resolution  string    // native or an ISO 8601 duration
	AsOf        time.Time // the rows are as Courant knew them then; zero: as it knows them now
	GeneratedAt time.Time // of the commit at Position
	Position    int64
	Keys        []market.ServedKey    // one for each of a chunk's Keys
	Columns     []market.ServedColumn // one for each of a chunk's Columns
}

// Native is the Resolution of rows as they are stored.
const Native = "native"

// HeadOf returns the head of native rows of a dataset with all its columns; what is known of the rows themselves is not set.
func HeadOf(dataset market.Dataset) Head {
	about, series := dataset.About(), dataset.Series()
	return Head{
		Dataset: dataset, Title: about.Title, Source: about.Source, Attribution: market.Attribution(about.Source),
		Resolution: Native, Keys: series.ServedKeys(), Columns: series.ServedColumns(),
	}
}

// Options are what a caller chooses about a form.
type Options struct {
	// Zone is that of the instants in the JSON forms and csv; csv-fr and xlsx always give both, and Parquet's instants are UTC,
	// but the period's columns are named after it.
	Zone    Zone
	Null    string // stands for null in csv and csv-fr
	Doubles bool   // Parquet: numbers are DOUBLE and not DECIMAL
	French  bool   // descriptions are in French, else in English
}

// text returns the text in the chosen language.
func (o Options) text(t market.Text) string {
	if o.French {
		return t.FR
	}
	return t.EN
}

// Tail is what is known after the last row.
type Tail struct {
	Missing []Missing
	Next    string // URL of the next page; empty: there is none
}

// Missing is a delivery date of the range that is not whole.
type Missing struct {
	Date               market.DeliveryDate
	Expected, Received int // steps
	Reason             string
}

// Writer writes rows in one form. After an error it must not be used any more, and what was written is not whole.
type Writer interface {
	// Write writes the rows of a chunk that has the head's keys and columns. It keeps no part of the chunk.
	Write(market.Chunk) error
	// Close writes the end. It does not close the underlying writer.
	Close(Tail) error
}

// New returns a writer of the form, which has to be one of All. Nothing is written before the first Write or Close.
func New(form Form, w io.Writer, head Head, options Options) Writer {
	c := &checked{head: head, most: form.MostRows()}
	switch form {
	case JSON:
		c.Writer = newJSON(w, head, options)
	case Columns:
		c.Writer = newColumns(w, head, options)
	case NDJSON:
		c.Writer = newNDJSON(w, head, options)
	case CSV:
		c.Writer = newCSV(w, head, options)
	case FrenchCSV:
		c.Writer = newFrenchCSV(w, head, options)
	case XLSX:
		c.Writer = newXLSX(w, head, options)
	case Parquet:
		c.Writer = newParquet(w, head, options)
	}
	return c
}

// checked refuses chunks that the form cannot take or that are not what the head says.
type checked struct {
	Writer
	head Head
	most int // rows; 0: no limit
	rows int
}

func (c *checked) Write(chunk market.Chunk) error {
	if err := c.check(chunk); err != nil {
		return err
	}
	c.rows += chunk.Len()
	if c.most != 0 && c.rows > c.most {
		return fmt.Errorf("%w: more than %d", ErrTooManyRows, c.most)
	}
	return c.Writer.Write(chunk)
}

func (c *checked) check(chunk market.Chunk) error {
	rows := chunk.Len()
	if len(chunk.Ends) != rows || len(chunk.Keys) != len(c.head.Keys) || len(chunk.Columns) != len(c.head.Columns) {
		return fmt.Errorf("format: a chunk of %s has not the shape of its head", c.head.Dataset)
	}
	for i, key := range chunk.Keys {
		if len(key) != rows {
			return fmt.Errorf("format: %s has %d rows, its %s %d", c.head.Dataset, rows, c.head.Keys[i].Name, len(key))
		}
	}
	for i := range chunk.Columns {
		column, values := &c.head.Columns[i], &chunk.Columns[i]
		if values.Kind != column.Kind || len(values.Valid) != rows || length(values) != rows {
			return fmt.Errorf("format: %s has %d rows with a %s as %s, the chunk %d with a %s",
				c.head.Dataset, rows, column.Kind, column.Name, length(values), values.Kind)
		}
		for row, v := range values.Numbers {
			// No form has NaN or an infinity as a value that all readers take alike.
			if v-v != 0 && values.Valid[row] {
				return fmt.Errorf("format: the %s of %s at %s is %v", column.Name, c.head.Dataset,
					time.Unix(chunk.Starts[row], 0).UTC().Format(time.RFC3339), v)
			}
		}
	}
	return nil
}

// length returns how many values the vector has.
func length(v *market.Vector) int {
	switch v.Kind {
	case market.KindNumber:
		return len(v.Numbers)
	case market.KindInteger:
		return len(v.Integers)
	case market.KindBoolean:
		return len(v.Flags)
	case market.KindString:
		return len(v.Texts)
	case market.KindInstant:
		return len(v.Instants)
	}
	return -1
}

// output collects bytes and passes them on to w.
type output struct {
	w     io.Writer
	bytes []byte
}

// enough is how many bytes are collected before they are passed on within a chunk.
const enough = 64 << 10

func newOutput(w io.Writer) output { return output{w: w, bytes: make([]byte, 0, enough+4096)} }

// flush passes on what was collected.
func (o *output) flush() error {
	_, err := o.w.Write(o.bytes)
	o.bytes = o.bytes[:0]
	return err
}
