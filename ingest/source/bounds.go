package source

import (
	"fmt"
	"io"
)

// Bounds limits the answer to a call. A larger one does not come from the source, however well it is formed, and is refused
// before a decoder reads it: 64 MiB of empty objects are 65 kB on the wire and would take gigabytes of memory. The zero value
// is the widest.
type Bounds struct {
	Bytes int64 // once unpacked
	Parts int   // objects and arrays of JSON, elements of XML
}

const (
	mostBytes = 64 << 20
	mostParts = 250_000

	// largerThanReal is how many times larger than the largest real answer an answer may be.
	largerThanReal = 10
	// baseBytes and baseParts may be read of any answer, also where a real one has a few bytes.
	baseBytes = 2 << 20
	baseParts = 1_000

	// A real answer of JSON has up to 14 values in an object, and four levels; one of XML has six levels and its only
	// attributes in the first element.
	valuesEachPart      = 32
	mostDepth           = 32
	mostAttributes      = 16 // of an element
	mostAttributesInAll = 1_000
	longestText         = 16 << 10 // bytes of one text, number, name, tag or comment
	// whiteSpace is the share of the bytes that only white space between the values of JSON may use: an indented document is
	// a third larger. The decoder needs the rest in one piece.
	whiteSpace = 0.5
)

// TenTimes returns bounds of ten times a real answer with that many rows, each of that many bytes, with white space, and
// that many parts.
func TenTimes(rows, bytesEach, partsEach int) Bounds {
	return Bounds{
		Bytes: min(baseBytes+largerThanReal*int64(rows)*int64(bytesEach), mostBytes),
		Parts: min(baseParts+largerThanReal*rows*partsEach, mostParts),
	}
}

// orWidest returns the bounds, or the widest ones for the zero value.
func (b Bounds) orWidest() Bounds {
	if b == (Bounds{}) {
		return Bounds{mostBytes, mostParts}
	}
	return b
}

// reader reads a document of the kind until a bound is exceeded; the error is then an *outOfBounds.
func (b Bounds) reader(kind Kind, from io.Reader) *boundedReader {
	r := &boundedReader{from: from}
	switch kind {
	case KindJSON:
		r.scan = (&jsonScan{Bounds: b}).scan
	case KindXML:
		r.scan = (&xmlScan{Bounds: b}).scan
	}
	return r
}

// boundedReader checks each byte before the decoder reads it.
type boundedReader struct {
	from   io.Reader
	scan   func([]byte) (kept int, passed *outOfBounds) // may move what is kept to the front; nil: all is kept
	passed *outOfBounds
}

// Read is for io.Reader.
func (r *boundedReader) Read(p []byte) (int, error) {
	for {
		if r.passed != nil {
			return 0, r.passed
		}
		n, err := r.from.Read(p)
		if r.scan == nil {
			return n, err
		}
		if n, r.passed = r.scan(p[:n]); n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// outOfBounds is the bound that a reply exceeds.
type outOfBounds struct{ text string }

// Error is for error.
func (e *outOfBounds) Error() string { return e.text }

func tooMany(what string, most int) *outOfBounds {
	return &outOfBounds{fmt.Sprintf("the reply holds more than %d %s, far more than a real one", most, what)}
}

func tooLong(what string, most int) *outOfBounds {
	return &outOfBounds{fmt.Sprintf("the reply holds %s of more than %d bytes, far more than a real one", what, most)}
}

func tooDeep() *outOfBounds {
	return &outOfBounds{fmt.Sprintf("the reply is more than %d levels deep, far more than a real one", mostDepth)}
}

func tooLarge(most int64) *outOfBounds {
	return &outOfBounds{fmt.Sprintf("the reply is larger than %d MiB, far larger than a real one", most>>20)}
}

// jsonScan counts the parts of a JSON document. It does not check the grammar, which is the decoder's task.
type jsonScan struct {
	Bounds
	parts, values, depth int
	kept                 int64
	length               int // of the current text or number
	inText, escaped      bool
	wasSpace             bool
}

// scan moves what is kept to the front. It keeps the first byte of white space between values.
func (s *jsonScan) scan(p []byte) (kept int, passed *outOfBounds) {
	for _, c := range p {
		if s.inText {
			s.length++
			switch {
			case s.escaped:
				s.escaped = false
			case c == '\\':
				s.escaped = true
			case c == '"':
				s.inText, s.length = false, 0
			}
			if s.length > longestText {
				return kept, tooLong("a text", longestText)
			}
			p[kept] = c
			kept++
			continue
		}
		space := false
		switch c {
		case ' ', '\t', '\r', '\n':
			if s.length = 0; s.wasSpace {
				continue
			}
			space = true
		case '"':
			s.inText, s.length = true, 0
		case '{', '[':
			s.length = 0
			s.parts++
			s.values++
			if s.depth++; s.depth > mostDepth {
				return kept, tooDeep()
			}
			if s.parts > s.Parts {
				return kept, tooMany("objects and arrays", s.Parts)
			}
		case '}', ']':
			s.length = 0
			s.depth--
		case ',':
			s.length = 0
			if s.values++; s.values > valuesEachPart*s.Parts {
				return kept, tooMany("values", valuesEachPart*s.Parts)
			}
		case ':':
			s.length = 0
		default:
			if s.length++; s.length > longestText {
				return kept, tooLong("a value", longestText)
			}
		}
		s.wasSpace = space
		p[kept] = c
		kept++
	}
	most := int64(float64(s.Bytes) * (1 - whiteSpace))
	if s.kept += int64(kept); s.kept > most {
		return kept, tooLarge(most)
	}
	return kept, nil
}

// xmlScan counts the parts of an XML document. A document type, which may declare entities, is refused.
type xmlScan struct {
	Bounds
	elements, depth      int
	attributes, ofTheTag int
	length               int // of the current text or tag
	state                xmlState
	quote                byte // that began the value of an attribute; 0 outside of one
	last                 byte // before this one
	repeats              int  // how often the byte that ends a comment or CDATA has come in a row
	opening              string
}

// xmlState is the part of the document that a byte belongs to.
type xmlState int

const (
	inChars xmlState = iota
	afterLess
	inStartTag
	inEndTag
	inInstruction
	inBang // after "<!", before it is clear what begins
	inComment
	inCData
)

const cdataOpening = "[CDATA["

func (s *xmlScan) scan(p []byte) (kept int, passed *outOfBounds) {
	for i, c := range p {
		if s.length++; s.length > longestText {
			return i, tooLong("a text or tag", longestText)
		}
		switch s.state {
		case inChars:
			if c == '<' {
				s.begin(afterLess)
			}
		case afterLess:
			switch c {
			case '/':
				s.begin(inEndTag)
			case '?':
				s.begin(inInstruction)
			case '!':
				s.begin(inBang)
			default:
				s.begin(inStartTag)
				s.elements++
				if s.depth++; s.depth > mostDepth {
					return i, tooDeep()
				}
				if s.elements > s.Parts {
					return i, tooMany("elements", s.Parts)
				}
			}
		case inStartTag:
			if passed := s.inTag(c); passed != nil {
				return i, passed
			}
		case inEndTag:
			if c == '>' {
				s.depth--
				s.begin(inChars)
			}
		case inInstruction:
			if c == '>' && s.last == '?' && s.length > 1 {
				s.begin(inChars)
			}
		case inBang:
			s.opening += string(c)
			switch {
			case s.opening == "--":
				s.begin(inComment)
			case s.opening == cdataOpening:
				s.begin(inCData)
			case s.opening != "-" && s.opening != cdataOpening[:min(len(s.opening), len(cdataOpening))]:
				return i, &outOfBounds{"the reply declares a document type or entities, which no real one does"}
			}
		case inComment:
			s.endAfterTwo('-', c)
		case inCData:
			s.endAfterTwo(']', c)
		}
		s.last = c
	}
	return len(p), nil
}

// begin enters another state.
func (s *xmlScan) begin(state xmlState) {
	s.state, s.length, s.repeats, s.ofTheTag, s.quote, s.opening = state, 0, 0, 0, 0, ""
}

// inTag reads a byte of a start tag after the first byte of its name.
func (s *xmlScan) inTag(c byte) *outOfBounds {
	switch {
	case s.quote != 0:
		if c == s.quote {
			s.quote = 0
		}
	case c == '"' || c == '\'':
		s.quote = c
	case c == '=':
		s.ofTheTag++
		if s.attributes++; s.attributes > mostAttributesInAll {
			return tooMany("attributes", mostAttributesInAll)
		}
		if s.ofTheTag > mostAttributes {
			return tooMany("attributes in an element", mostAttributes)
		}
	case c == '>':
		if s.last == '/' {
			s.depth--
		}
		s.begin(inChars)
	}
	return nil
}

// endAfterTwo ends a comment or CDATA at a ">" after two or more of the byte.
func (s *xmlScan) endAfterTwo(mark, c byte) {
	switch {
	case c == mark:
		s.repeats++
	case c == '>' && s.repeats >= 2:
		s.begin(inChars)
	default:
		s.repeats = 0
	}
}
