package api

import (
	"strconv"
	"time"

	"courant/store/market"
)

// jsonWriter appends JSON to bytes. It writes the commas; the caller opens and closes objects and arrays.
type jsonWriter struct {
	bytes []byte
	comma bool
}

func (w *jsonWriter) open(bracket byte) {
	w.separate()
	w.bytes = append(w.bytes, bracket)
	w.comma = false
}

func (w *jsonWriter) close(bracket byte) {
	w.bytes = append(w.bytes, bracket)
	w.comma = true
}

func (w *jsonWriter) separate() {
	if w.comma {
		w.bytes = append(w.bytes, ',')
	}
	w.comma = true
}

// key begins a member of an object. Keys are constants in the source and need no escaping.
func (w *jsonWriter) key(name string) *jsonWriter {
	w.separate()
	w.bytes = append(append(append(w.bytes, '"'), name...), '"', ':')
	w.comma = false
	return w
}

func (w *jsonWriter) null() { w.raw([]byte("null")) }

func (w *jsonWriter) raw(bytes []byte) {
	w.separate()
	w.bytes = append(w.bytes, bytes...)
}

// text writes a string and escapes it: it may come from a source.
func (w *jsonWriter) text(s string) {
	w.separate()
	w.bytes = appendQuoted(w.bytes, s)
}

// textOrNull writes a string; null if it is empty.
func (w *jsonWriter) textOrNull(s string) {
	if s == "" {
		w.null()
		return
	}
	w.text(s)
}

// string writes a text of a source, or null.
func (w *jsonWriter) string(s market.String) {
	if !s.Valid {
		w.null()
		return
	}
	w.text(s.V)
}

func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s { // invalid UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

func (w *jsonWriter) integer(n int) {
	w.separate()
	w.bytes = strconv.AppendInt(w.bytes, int64(n), 10)
}

// number writes a value as published, in its shortest decimal form.
func (w *jsonWriter) number(n market.Number) {
	if !n.Valid {
		w.null()
		return
	}
	w.separate()
	w.bytes = strconv.AppendFloat(w.bytes, n.V, 'f', -1, 64)
}

func (w *jsonWriter) flag(f market.Flag) {
	if !f.Valid {
		w.null()
		return
	}
	w.separate()
	w.bytes = strconv.AppendBool(w.bytes, f.V)
}

const instantLayout = `"2006-01-02T15:04:05.000Z"`

// instant writes a Unix time in seconds as UTC with milliseconds.
func (w *jsonWriter) instant(second int64) {
	w.separate()
	w.bytes = time.Unix(second, 0).UTC().AppendFormat(w.bytes, instantLayout)
}

// timestamp writes a time as UTC with milliseconds; null if it is zero.
func (w *jsonWriter) timestamp(t time.Time) {
	if t.IsZero() {
		w.null()
		return
	}
	w.separate()
	w.bytes = t.UTC().AppendFormat(w.bytes, instantLayout)
}

// date writes a delivery date; null if it is zero.
func (w *jsonWriter) date(d market.DeliveryDate) {
	if d.IsZero() {
		w.null()
		return
	}
	w.text(d.String())
}
