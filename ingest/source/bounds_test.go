package source_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"courant/ingest/source"
)

// narrow are bounds that small documents pass.
var narrow = source.Bounds{Bytes: 1 << 20, Parts: 100}

// answering calls a source that gives the body, within the bounds, and returns what a reader was given of it.
func answering(t *testing.T, bounds source.Bounds, body io.Reader) (string, error) {
	t.Helper()
	caller := newCaller(t, newHastyClock())
	caller.Bounds = bounds
	caller.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(body), Request: r}, nil
	})}
	var read string
	traffic, err := caller.Call(t.Context(), "A44", get("http://source.invalid"), readAll(&read))
	if traffic.Tries != 1 {
		t.Errorf("%d tries", traffic.Tries)
	}
	return read, err
}

func TestADocumentIsReadUpToItsBounds(t *testing.T) {
	t.Parallel()
	many := strings.Repeat
	levels := func(open, end string, n int) string { return many(open, n) + many(end, n) }
	const real = ", far more than a real one"
	for _, tt := range []struct {
		name, good, bad, says string
	}{
		{"objects", "[" + many("{},", 98) + "{}]", "[" + many("{},", 99) + "{}]", "more than 100 objects and arrays" + real},
		{"arrays", "[" + many("[],", 98) + "[]]", "[" + many("[],", 99) + "[]]", "more than 100 objects and arrays" + real},
		{"numbers", "[" + many("0,", 3199) + "0]", "[" + many("0,", 3200) + "0]", "more than 3200 values" + real},
		{"levels of arrays", levels("[", "]", 32), levels("[", "]", 33), "more than 32 levels deep" + real},
		{"levels of objects", levels(`{"a":`, "}", 32), levels(`{"a":`, "}", 33), "more than 32 levels deep" + real},
		{"levels without an end", many("[", 32), many("[", 33), "more than 32 levels deep" + real},
		{"brackets and commas in a text", `{"a":"` + many("[{,", 5000) + `"}`, "", ""},
		{"brackets behind a quote in a text", `{"a":"\"` + many("[{,", 5000) + `"}`, "", ""},
		{"brackets behind a text that ends in a backslash", `{"a":"\\",` + many("[", 31), `{"a":"\\",` + many("[", 32), "more than 32 levels deep" + real},
		{"a text", `{"a":"` + many("x", 16383) + `"}`, `{"a":"` + many("x", 16385) + `"}`, "a text of more than 16384 bytes" + real},
		{"a name", `{"` + many("x", 16383) + `":1}`, `{"` + many("x", 16385) + `":1}`, "a text of more than 16384 bytes" + real},
		{"a number", "[" + many("1", 16384) + "]", "[" + many("1", 16385) + "]", "a value of more than 16384 bytes" + real},
		{"white space", "[" + many("\n", 1<<20-2) + "]", "[" + many("\n", 1<<20) + "]", "larger than 1 MiB, far larger than a real one"},

		{"elements", "<a>" + many("<b/>", 99) + "</a>", "<a>" + many("<b/>", 100) + "</a>", "more than 100 elements" + real},
		{"levels of elements", levels("<a>", "</a>", 32), levels("<a>", "</a>", 33), "more than 32 levels deep" + real},
		{"elements that end at once are no level", "<a>" + many("<b c='/'/>", 90) + "</a>", "", ""},
		{"attributes", "<a" + many(" b=''", 16) + "/>", "<a" + many(" b=''", 17) + "/>", "more than 16 attributes in an element" + real},
		{"attributes in all", "<a>" + many("<b"+many(" c=''", 10)+"/>", 99) + "</a>", "<a>" + many("<b"+many(" c=''", 16)+"/>", 99) + "</a>", "more than 1000 attributes" + real},
		{"signs in the value of an attribute", `<a b="` + many("=>'", 5000) + `"/>`, "", ""},
		{"the value of an attribute", `<a b="` + many("x", 16000) + `"/>`, `<a b="` + many("x", 16400) + `"/>`, "a text or tag of more than 16384 bytes" + real},
		{"the name of an element", "<" + many("x", 16000) + "/>", "<" + many("x", 16400) + "/>", "a text or tag of more than 16384 bytes" + real},
		{"characters", "<a>" + many("x", 16000) + "</a>", "<a>" + many("x", 16400) + "</a>", "a text or tag of more than 16384 bytes" + real},
		{"a comment", "<!--" + many("<", 16000) + "--><a/>", "<!--" + many("x", 16400) + "--><a/>", "a text or tag of more than 16384 bytes" + real},
		{"a comment that seems to end", "<!-->" + many("<x>", 5000) + "--><a/>", "<!-->" + many("x", 16400) + "--><a/>", "a text or tag of more than 16384 bytes" + real},
		{"CDATA", "<a><![CDATA[" + many("<", 16000) + "]]></a>", "<a><![CDATA[" + many("x", 16400) + "]]></a>", "a text or tag of more than 16384 bytes" + real},
		{"elements behind CDATA", "<a><![CDATA[]]]>" + many("<b/>", 99) + "</a>", "<a><![CDATA[]]]>" + many("<b/>", 100) + "</a>", "more than 100 elements" + real},
		{"an instruction", "<?x " + many("<", 16000) + "?><a/>", "<?x " + many("y", 16400) + "?><a/>", "a text or tag of more than 16384 bytes" + real},
		{"a document type", "", "<!DOCTYPE a><a/>", "declares a document type or entities, which no real one does"},
		{"a document type in small letters", "", "<!doctype a><a/>", "declares a document type or entities, which no real one does"},
		{"an entity", "", `<a><!ENTITY b "c"></a>`, "declares a document type or entities, which no real one does"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, slowly := range []bool{false, true} {
				body := func(text string) io.Reader {
					if slowly {
						return iotest.OneByteReader(strings.NewReader(text))
					}
					return strings.NewReader(text)
				}
				if tt.good != "" {
					if _, err := answering(t, narrow, body(tt.good)); err != nil {
						t.Errorf("as much as may be is refused: %v", err)
					}
				}
				if tt.bad == "" {
					continue
				}
				_, err := answering(t, narrow, body(tt.bad))
				fault := faultOf(t, err)
				if !strings.HasSuffix(fault.Message, tt.says) || !fault.Unreadable || fault.Retryable || fault.Connection {
					t.Errorf("%+v, want one that says %q", fault, tt.says)
				}
			}
		})
	}
}

func TestWhiteSpaceBetweenValuesIsNotKept(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"{\n\t\"a b\" : [ 1,\r\n  2 ]\n}": "{\n\"a b\" : [ 1,\r2 ]\n}",
		`["two  blanks", "a \" quote  "]`: `["two  blanks", "a \" quote  "]`,
		"[1   2]":                         "[1 2]", // two numbers do not become one
	} {
		if got, err := answering(t, narrow, strings.NewReader(body)); err != nil || got != want {
			t.Errorf("%q is read as %q, error %v; want %q", body, got, err, want)
		}
	}
}

// Whatever a decoder makes of a document, it makes it of no longer tokens and no more elements than were counted.
func FuzzADecoderOfXMLFindsNoMoreThanIsCounted(f *testing.F) {
	for _, seed := range []string{
		"<a b='>'><!-- <c> --><![CDATA[<d>]]]]><e/></a>", "<?x <y> ?><a><b></b></a>", "<!--><a>--><b/>", "<a><![CDATA[<b>]]><c/></a>", `<a b="'" c='"'><d/></a>`, "<??><a/>", "<!-<a/>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		passes := func(parts int) bool {
			bounded := source.Bounded(source.Bounds{Bytes: 1 << 20, Parts: parts}, source.KindXML, bytes.NewReader(document))
			_, err := io.Copy(io.Discard, bounded)
			return err == nil
		}
		if !passes(250_000) {
			return
		}
		elements := 0
		for decoder := xml.NewDecoder(bytes.NewReader(document)); ; {
			token, err := decoder.Token()
			if err != nil {
				if errors.Is(err, io.EOF) && elements > 0 && passes(elements-1) {
					t.Errorf("%d elements are not counted", elements)
				}
				return
			}
			if _, is := token.(xml.StartElement); is {
				elements++
			}
		}
	})
}
