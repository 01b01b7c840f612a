package rte

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-faster/jx"

	"courant/ingest/source"
	"courant/store"
)

// document reads one reply of RTE, once it has come whole: read as it arrives, each key and number would take an allocation.
// Keys are matched without regard to case.
type document struct {
	json    *jx.Decoder
	lost    error // that kept the rest of the reply away
	scratch []byte
	unknown func(key string)
}

func newDocument(body io.Reader, unknown func(string)) *document {
	content, err := io.ReadAll(body)
	return &document{json: jx.DecodeBytes(content), lost: err, unknown: unknown}
}

// object reads an object; field reads the value of one key, given in lower case, and says whether it knows the key.
func (d *document) object(field func(key string) (known bool, err error)) error {
	return d.json.ObjBytes(func(_ *jx.Decoder, name []byte) error {
		key := keys[string(name)]
		if key == "" {
			key = strings.ToLower(string(name))
		}
		known, err := field(key)
		if err == nil && !known {
			d.unknown(key)
			err = d.json.Skip()
		}
		return err
	})
}

// keys spares the keys that come often a string each.
var keys = func() map[string]string {
	table := map[string]string{}
	for _, key := range []string{"step", "prorata_mode", "picasso_connection", "upward_afrr_marginal_price",
		"downward_afrr_marginal_price", "pdemand", "afrr_for_france", "afrr_in_france"} {
		table[key] = key
	}
	return table
}()

// root reads the document, which has its content under one key of that name.
func (d *document) root(name string, content func() error) error {
	if d.lost != nil {
		return unreadable(d.lost)
	}
	found := false
	err := d.object(func(key string) (bool, error) {
		if key != name {
			return false, nil
		}
		found = true
		return true, content()
	})
	if err = errors.Join(err, d.endUnless(err)); err != nil {
		return unreadable(err)
	}
	if !found {
		return errors.New("the reply holds no " + name)
	}
	return nil
}

// array reads an array, or null, which stands for an empty one.
func (d *document) array(element func() error) error {
	if d.isNull() {
		return d.json.Null()
	}
	return d.json.Arr(func(*jx.Decoder) error { return element() })
}

func (d *document) isNull() bool { return d.json.Next() == jx.Null }

// endUnless makes sure that nothing follows the document, unless reading it failed.
func (d *document) endUnless(failed error) error {
	if failed != nil {
		return nil
	}
	switch err := d.json.Skip(); {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errors.New("something follows the document")
	default:
		return fmt.Errorf("after the document: %w", err)
	}
}

// unreadable says what is wrong with a document, without how deep in it the library was.
func unreadable(err error) error {
	return source.Saying("the reply cannot be read", strings.ReplaceAll(err.Error(), "callback: ", ""), nil)
}

// text reads a string; null is "". Any other value is a fault of the row, which is told in bad.
func (d *document) text(bad *string) ([]byte, error) {
	switch d.json.Next() {
	case jx.Null:
		return nil, d.json.Null()
	case jx.String:
		text, err := d.json.StrAppend(d.scratch[:0])
		d.scratch = text
		return text, err
	}
	return nil, d.misfit(bad, "text")
}

// word reads a short text that becomes part of a row.
func (d *document) word(bad *string) (string, error) {
	const longest = 40
	text, err := d.text(bad)
	if len(text) > longest {
		*bad = fmt.Sprintf("%.*q… is longer than %d bytes", longest, text, longest)
		return "", err
	}
	return string(text), err
}

// number reads a JSON number or a numeric string. "Invalid", "" and null are null.
func (d *document) number(into *store.Number, bad *string) error {
	switch d.json.Next() {
	case jx.Null:
		return d.json.Null()
	case jx.Number:
		digits, err := d.json.NumAppend(jx.Num(d.scratch[:0]))
		d.scratch = digits
		if err != nil {
			return err
		}
		return parseNumber(digits, into, bad)
	case jx.String:
		text, err := d.text(bad)
		text = bytes.TrimSpace(text)
		if err != nil || len(text) == 0 || bytes.EqualFold(text, []byte("Invalid")) {
			return err
		}
		return parseNumber(text, into, bad)
	}
	return d.misfit(bad, "a number")
}

func parseNumber(digits []byte, into *store.Number, bad *string) error {
	v, ok := source.ParseNumber(string(digits))
	if !ok {
		*bad = fmt.Sprintf("%.40q is not a number", digits)
		return nil
	}
	*into = store.Num(v)
	return nil
}

// flag reads a boolean, or one in a string of any case. "" and null are null.
func (d *document) flag(into *store.Flag, bad *string) error {
	switch d.json.Next() {
	case jx.Null:
		return d.json.Null()
	case jx.Bool:
		v, err := d.json.Bool()
		*into = store.Flag{V: v, Valid: err == nil}
		return err
	case jx.String:
		text, err := d.text(bad)
		switch text = bytes.TrimSpace(text); {
		case err != nil || len(text) == 0 || bytes.EqualFold(text, []byte("Invalid")):
		case bytes.EqualFold(text, []byte("true")):
			*into = store.Flag{V: true, Valid: true}
		case bytes.EqualFold(text, []byte("false")):
			*into = store.Flag{V: false, Valid: true}
		default:
			*bad = fmt.Sprintf("%.40q is neither true nor false", text)
		}
		return err
	}
	return d.misfit(bad, "true or false")
}

// instant reads a time stamp with an offset, as seconds UTC.
func (d *document) instant(into *int64, there *bool, bad *string) error {
	text, err := d.text(bad)
	if err != nil || len(text) == 0 {
		return err
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil || t.Nanosecond() != 0 {
		*bad = fmt.Sprintf("%.40q is not an instant in whole seconds with an offset", text)
		return nil
	}
	*into, *there = t.Unix(), true
	return nil
}

// misfit passes over a value of the wrong type.
func (d *document) misfit(bad *string, want string) error {
	*bad = fmt.Sprintf("%s stands where %s belongs", d.json.Next(), want)
	return d.json.Skip()
}

// errorText is what RTE says in the body of an error, in one line; "" for nothing.
func errorText(answer *source.Answer) string {
	if answer.Kind != source.KindJSON {
		return answer.Excerpt()
	}
	var parts []string
	var bad string
	const longest = 64 << 10
	d := newDocument(io.LimitReader(answer.Body, longest), func(string) {})
	err := d.object(func(key string) (bool, error) {
		if key != "error" && key != "error_description" {
			return false, nil
		}
		text, err := d.text(&bad)
		if len(text) > 0 {
			parts = append(parts, strings.Join(strings.Fields(string(text)), " "))
		}
		return true, err
	})
	if err != nil {
		return ""
	}
	return strings.Join(parts, ": ")
}
