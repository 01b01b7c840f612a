package rte

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-faster/jx"

	"courant/ingest/source"
	"courant/store/market"
)

// document reads one reply of RTE, after all of it has arrived: otherwise each key and number would take an allocation. Keys
// are matched without regard to case.
type document struct {
	json    *jx.Decoder
	lost    error // why the reply could not be read to its end; nil: it could
	scratch []byte
	unknown func(key string)
	note    func(format string, args ...any)

	oddUpdates bool // an odd date of an update has been noted
}

func newDocument(body io.Reader, unknown func(string), note func(string, ...any)) *document {
	content, err := io.ReadAll(body)
	if err == nil {
		content, err = source.UTF8(content)
	}
	return &document{json: jx.DecodeBytes(content), lost: err, unknown: unknown, note: note}
}

// object reads an object; field reads the value of one key, given in lower case, and reports whether it knows the key.
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

// keys saves an allocation for each of the frequent keys.
var keys = func() map[string]string {
	table := map[string]string{}
	for _, key := range []string{"step", "prorata_mode", "picasso_connection", "upward_afrr_marginal_price",
		"downward_afrr_marginal_price", "pdemand", "afrr_for_france", "afrr_in_france"} {
		table[key] = key
	}
	return table
}()

// root reads the document, whose content is under one key of that name.
func (d *document) root(name string, content func() error) error {
	if errors.Is(d.lost, source.ErrUTF16) {
		return d.lost
	}
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

// array reads an array. null is an empty one.
func (d *document) array(element func() error) error {
	if d.isNull() {
		return d.json.Null()
	}
	return d.json.Arr(func(*jx.Decoder) error { return element() })
}

func (d *document) isNull() bool { return d.json.Next() == jx.Null }

// endUnless checks that nothing follows the document, unless reading it failed.
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

// unreadable describes what is wrong with a document, without the library's position in it.
func unreadable(err error) error {
	return source.Saying("the reply cannot be read", strings.ReplaceAll(err.Error(), "callback: ", ""), nil)
}

// text reads a string; null is "". Any other value is a fault of the row, described in bad.
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

// upperWord is word in capitals, as RTE writes the names of products, so that each has one spelling.
func (d *document) upperWord(bad *string) (string, error) {
	text, err := d.word(bad)
	return strings.ToUpper(strings.TrimSpace(text)), err
}

// number reads a JSON number or a numeric string. "Invalid", "" and null are a null that withdraws a value.
func (d *document) number(into *market.Number, bad *string) error {
	switch d.json.Next() {
	case jx.Null:
		*into = market.Number{Withdrawn: true}
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
		if err != nil {
			return err
		}
		if text = bytes.TrimSpace(text); isInvalid(text) {
			*into = market.Number{Withdrawn: true}
			return nil
		}
		return parseNumber(text, into, bad)
	}
	return d.misfit(bad, "a number")
}

// isInvalid reports whether a text means null.
func isInvalid(text []byte) bool { return len(text) == 0 || bytes.EqualFold(text, []byte("Invalid")) }

func parseNumber(digits []byte, into *market.Number, bad *string) error {
	v, ok := source.ParseNumber(string(digits))
	if !ok {
		*bad = fmt.Sprintf("%.40q is not a number", digits)
		return nil
	}
	*into = market.Num(v)
	return nil
}

// flag reads a boolean, or one in a string of any case. "Invalid", "" and null are a null that withdraws a value. Anything
// else is null with a remark: because of a flag, the prices of its row are not refused.
func (d *document) flag(into *market.Flag, key string) error {
	*into = market.Flag{}
	switch d.json.Next() {
	case jx.Null:
		into.Withdrawn = true
		return d.json.Null()
	case jx.Bool:
		v, err := d.json.Bool()
		*into = market.Flag{V: v, Valid: err == nil}
		return err
	case jx.String:
		var bad string
		text, err := d.text(&bad)
		switch text = bytes.TrimSpace(text); {
		case err != nil:
		case isInvalid(text):
			into.Withdrawn = true
		case bytes.EqualFold(text, []byte("true")):
			*into = market.Flag{V: true, Valid: true}
		case bytes.EqualFold(text, []byte("false")):
			*into = market.Flag{V: false, Valid: true}
		default:
			d.note("%s %.40q is neither true nor false and was taken as null", key, text)
		}
		return err
	}
	var bad string
	err := d.misfit(&bad, "true or false")
	d.note("%s: %s; it was taken as null", key, bad)
	return err
}

// stamp reads a time stamp with an offset. The caller has to check whether it is good.
func (d *document) stamp(into *source.Stamp) error {
	var bad string
	text, err := d.text(&bad)
	*into = source.ReadStamp(text)
	if bad != "" {
		into.Fault = bad
	}
	return err
}

// update reads when a row was last written, in ms UTC; 0 if that is not given. For times that cannot be read there is one
// remark, and no row is refused.
func (d *document) update(into *int64) error {
	var bad string
	text, err := d.text(&bad)
	t, ok := source.ParseInstant(bytes.TrimSpace(text))
	switch {
	case err != nil:
	case ok:
		*into = t.UnixMilli()
	case (bad != "" || len(text) > 0) && !d.oddUpdates:
		d.oddUpdates = true
		d.note("the date of an update is not an instant and was passed over: %s", cmp.Or(bad, fmt.Sprintf("%.40q", text)))
	}
	return err
}

// misfit skips a value of the wrong type.
func (d *document) misfit(bad *string, want string) error {
	*bad = fmt.Sprintf("%s stands where %s belongs", d.json.Next(), want)
	return d.json.Skip()
}

// errorText returns the text in the body of an error of RTE, in one line; "" if there is none.
func errorText(answer *source.Answer) string {
	if answer.Kind != source.KindJSON {
		return answer.Excerpt()
	}
	var parts []string
	var bad string
	const longest = 64 << 10
	d := newDocument(io.LimitReader(answer.Body, longest), func(string) {}, func(string, ...any) {})
	err := d.object(func(key string) (bool, error) {
		if key != "error" && key != "error_description" {
			return false, nil
		}
		text, err := d.text(&bad)
		if len(text) > 0 {
			parts = append(parts, source.OneLine(string(text)))
		}
		return true, err
	})
	if err != nil {
		return ""
	}
	return strings.Join(parts, ": ")
}
