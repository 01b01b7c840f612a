// Package source is how Courant calls RTE and ENTSO-E over HTTP, and what it returns: a Reply of rows, or a Fault.
//
// A call is tried again after a connection fault, 408, 429 and 5xx, at most five times in all, with growing and
// jittered pauses; Retry-After is obeyed. Any other fault is final. Calls to a host wait in a Line for their turn: a source
// bans a client that is too fast. A reply is read with limits on size and time, and its first bytes are checked before it
// is parsed, because maintenance pages and archives come with status 200.
package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"courant/store/market"
)

// Reply is the answer of a source to a call for one window.
type Reply[R any] struct {
	Rows     []R
	Refusals Refusals
	// Refused are the readable rows of refused delivery dates. A person may accept a date whose refusal is not final.
	Refused []R
	// Omissions are the parts of delivery dates that were left out while the rest of the date was taken.
	Omissions []market.Omission
	// Notes are remarks for the log, such as a series that was skipped or a step listed twice; no two are the same.
	Notes []string
	// UnknownKeys are names in the reply that Courant does not know.
	UnknownKeys []string
}

// Traffic is what a call cost.
type Traffic struct {
	Bytes int64 // read from the source
	Tries int   // requests made of the resource
	// Clock compares this machine's clock with the Date header of the newest answer; its Host is empty without one.
	Clock market.ClockReading
}

// Add adds the traffic of another call.
func (t *Traffic) Add(other Traffic) {
	t.Bytes += other.Bytes
	t.Tries += other.Tries
	if other.Clock.Host != "" {
		t.Clock = other.Clock
	}
}

// mostRemarks bounds the notes, and the unknown keys, that are kept of a reply.
const mostRemarks = 100

// Note adds a remark, unless it is there already.
func (r *Reply[R]) Note(format string, args ...any) {
	r.Notes = AddOnce(r.Notes, fmt.Sprintf(format, args...))
}

// UnknownKey adds a name that Courant does not know, unless it is there already.
func (r *Reply[R]) UnknownKey(name string) { r.UnknownKeys = AddOnce(r.UnknownKeys, name) }

// AddOnce appends the items that are not in the list yet, up to a bound.
func AddOnce(list []string, items ...string) []string {
	for _, item := range items {
		if len(list) < mostRemarks && !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

// ParseNumber parses a decimal number, -0 as 0. It refuses what only Go accepts as a number, such as NaN, Inf and 0x10.
func ParseNumber(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) || strings.ContainsAny(text, "xX_") {
		return 0, false
	}
	return v + 0, true
}

// Refusals are the delivery dates that are refused as a whole. The zero value is ready.
type Refusals struct {
	list []market.Refusal
}

// Refuse notes that nothing of the dataset's delivery date is taken unless a person accepts it. The first reason stands.
func (r *Refusals) Refuse(dataset market.Dataset, date market.DeliveryDate, format string, args ...any) {
	r.note(market.Refusal{Dataset: dataset, Date: date, Reason: fmt.Sprintf(format, args...)})
}

// RefuseFinally notes that nothing of the dataset's delivery date can be taken, not even by a person. Its reason stands
// before one that a person may overrule.
func (r *Refusals) RefuseFinally(dataset market.Dataset, date market.DeliveryDate, format string, args ...any) {
	r.note(market.Refusal{Dataset: dataset, Date: date, Reason: fmt.Sprintf(format, args...), Final: true})
}

func (r *Refusals) note(refusal market.Refusal) {
	for i, noted := range r.list {
		if noted.Dataset == refusal.Dataset && noted.Date == refusal.Date {
			if refusal.Final && !noted.Final {
				r.list[i] = refusal
			}
			return
		}
	}
	r.list = append(r.list, refusal)
}

// Has reports whether the dataset's delivery date is refused.
func (r *Refusals) Has(dataset market.Dataset, date market.DeliveryDate) bool {
	for _, refusal := range r.list {
		if refusal.Dataset == dataset && refusal.Date == date {
			return true
		}
	}
	return false
}

// Drop removes the refusal of the dataset's delivery date.
func (r *Refusals) Drop(dataset market.Dataset, date market.DeliveryDate) {
	r.list = slices.DeleteFunc(r.list, func(refusal market.Refusal) bool { return refusal.Dataset == dataset && refusal.Date == date })
}

// Add adds the refusals of another reply.
func (r *Refusals) Add(other Refusals) {
	for _, refusal := range other.list {
		r.note(refusal)
	}
}

// List returns the refusals in the order in which they were added.
func (r *Refusals) List() []market.Refusal { return r.list }

// TooManyOddSteps reports whether that many odd 4 s steps refuse their delivery date: a hundredth of its steps or more. Fewer
// are only left out. A date that is not over counts with all its steps.
func TooManyOddSteps(steps int, date market.DeliveryDate) bool {
	return steps*100 >= date.Steps(market.AFRRSeconds)
}

// ErrTooWide means that the window is wider than the source accepts.
var ErrTooWide = errors.New("the window is too wide for the source")

// ErrCredentials means that the source does not accept the credentials.
var ErrCredentials = errors.New("the credentials are refused")

// Fault is a call that failed.
type Fault struct {
	Source     string // RTE or ENTSO-E
	Call       string // the resource that was called
	Status     int    // of HTTP; 0 if there was no answer
	Message    string // one line in Courant's words; parts of the source's reply are quoted in it
	Said       string // what the source wrote, one line; "" for nothing
	Connection bool   // the source was not reached, or the connection was lost during its answer
	Unreadable bool   // the reply arrived but could not be parsed; false for the error page of a proxy
	Retryable  bool
	RetryAfter time.Duration // the pause that the source asked for, a day at most; 0 if it asked for none
	Cause      error         // nil, ErrTooWide, ErrCredentials, or what the connection said
}

func (f *Fault) Error() string {
	words := withSaid(f.Message, f.Said)
	if f.Status != 0 {
		return fmt.Sprintf("%s: %s: status %d: %s", f.Source, f.Call, f.Status, words)
	}
	return fmt.Sprintf("%s: %s: %s", f.Source, f.Call, words)
}

func (f *Fault) Unwrap() error { return f.Cause }

// Kind is what the first bytes of a reply look like.
type Kind string

const (
	KindEmpty Kind = "empty"
	KindJSON  Kind = "JSON"
	KindXML   Kind = "XML"
	KindHTML  Kind = "an HTML page"
	KindZIP   Kind = "a ZIP archive"
	KindText  Kind = "plain text"
	KindUTF16 Kind = "text in UTF-16"
)

// sniffBytes is how much of a reply is read to find its kind.
const sniffBytes = 512

func sniff(head []byte) Kind {
	if isUTF16(head) {
		return KindUTF16
	}
	text := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(string(head), byteOrderMark)))
	switch {
	case text == "":
		return KindEmpty
	case strings.HasPrefix(text, "pk\x03\x04"):
		return KindZIP
	case text[0] == '{' || text[0] == '[':
		return KindJSON
	case strings.HasPrefix(text, "<!doctype html") || strings.Contains(text, "<html"):
		return KindHTML
	case text[0] == '<':
		return KindXML
	}
	return KindText
}

// ErrUTF16 means that a reply is in an encoding that Courant does not read.
var ErrUTF16 = errors.New("the reply is written in UTF-16: Courant reads UTF-8 only")

// byteOrderMark may stand before a text in UTF-8.
const byteOrderMark = "\ufeff"

// isUTF16 reports whether a text begins as one in UTF-16: with a byte order mark, or with an ASCII character.
func isUTF16(head []byte) bool {
	if len(head) < 2 {
		return false
	}
	a, b := head[0], head[1]
	return a == 0xff && b == 0xfe || a == 0xfe && b == 0xff || a == 0 && b > 0 && b < 0x80 || b == 0 && a > 0 && a < 0x80
}

// UTF8 returns a text without its byte order mark. The error is ErrUTF16.
func UTF8(text []byte) ([]byte, error) {
	if isUTF16(text) {
		return nil, ErrUTF16
	}
	return bytes.TrimPrefix(text, []byte(byteOrderMark)), nil
}

// UTF8Reader is UTF8 for a text that has not been read yet.
func UTF8Reader(body io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(body)
	head, _ := buffered.Peek(len(byteOrderMark)) // the next read returns the error again
	text, err := UTF8(head)
	if err != nil {
		return nil, err
	}
	_, err = buffered.Discard(len(head) - len(text)) // of what was peeked at
	return buffered, err
}

// Answer is the reply to one HTTP request.
type Answer struct {
	Status int
	Kind   Kind
	Body   io.Reader

	hide func(string) string // removes the secrets from a text; may be nil
}

// Excerpt returns the first words of a reply that is not a document, for a message: without markup, in one line.
func (a *Answer) Excerpt() string {
	head, _ := io.ReadAll(io.LimitReader(a.Body, 4096))
	var text strings.Builder
	inside := false
	for _, r := range string(head) {
		switch {
		case r == '<':
			inside = true
			text.WriteByte(' ')
		case r == '>':
			inside = false
		case !inside:
			text.WriteRune(r)
		}
	}
	words := OneLine(text.String())
	if a.hide != nil {
		words = a.hide(words)
	}
	return shorten(words, longestExcerpt)
}

const (
	longestExcerpt = 160
	longestMessage = 400
)

// shorten cuts a text after that many characters. Secrets have to be removed before, or a part of one may be left.
func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// InstantText is how texts name an instant, given in seconds UTC: RFC 3339 in whole seconds.
func InstantText(second int64) string { return time.Unix(second, 0).UTC().Format(time.RFC3339) }

// OneLine returns the text's words with single spaces between them, without characters that cannot be printed.
func OneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }), " ")
}
