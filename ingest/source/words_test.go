package source_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"courant/ingest/source"
)

func TestOthersThanAdministratorsReadTheFirstSentenceWithoutTheSourcesText(t *testing.T) {
	t.Parallel()
	fault := func(message, said string) string {
		return (&source.Fault{Source: "RTE", Call: "x", Status: 503, Message: message, Said: said}).Error()
	}
	for _, tt := range []struct{ name, full, want string }{
		{"nothing", "", ""},
		{"our words", "RTE: x: no answer in time", "RTE: x: no answer in time"},
		{"two sentences", "RTE: x: status 429: closed; it wants to be left alone until 2026-07-15T14:00:00Z", "RTE: x: status 429: closed"},
		{"two refusals", "fcr-capacity 2026-07-15 refused: a; afrr-capacity 2026-07-15 refused: b", "fcr-capacity 2026-07-15 refused: a"},
		{"what the source wrote", fault("Service Unavailable", "come back; later"), "RTE: x: status 503: Service Unavailable"},
		{"what the source wrote, and more", fault("refused", "no") + "; another fault", "RTE: x: status 503: refused"},
		{"quotes that the source wrote", fault("refused", "a” secret “b"), "RTE: x: status 503: refused"},
		{"what the source wrote, cut short", "RTE: x: refused: “come back la…", "RTE: x: refused"},
		{"a value of the source", `afrr-energy 2026-07-15 refused: 2026-07-15T10:00:00Z: "abc; \"def" is not a number`, "afrr-energy 2026-07-15 refused: 2026-07-15T10:00:00Z: … is not a number"},
		{"a value of the source, cut short", `refused: "abc`, "refused: …"},
		{"a long value of the source", `refused: "abc"… is longer than 40 bytes`, "refused: … is longer than 40 bytes"},
		{"dates in front", "2026-07-15 to 2026-07-16: " + fault("refused", "no"), "2026-07-15 to 2026-07-16: RTE: x: status 503: refused"},
	} {
		if got := source.PublicText(tt.full); got != tt.want {
			t.Errorf("%s: %q of %q, want %q", tt.name, got, tt.full, tt.want)
		}
	}
}

func FuzzNothingThatTheSourceWroteIsPublic(f *testing.F) {
	for _, seed := range []string{"", "XY", "”XY", "“”XY", `"XY"`, "a”; XY", `\"XY`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		text := (&source.Fault{Source: "RTE", Call: "x", Message: "refused", Said: said}).Error()
		if got := source.PublicText(text); got != "RTE: x: refused" {
			t.Errorf("%q of %q", got, text)
		}
	})
}

func TestAnErrorSeparatesTheTextOfTheSource(t *testing.T) {
	t.Parallel()
	err := source.Saying("the window was refused", "F02", io.EOF)
	message, said := source.Words(err)
	if err.Error() != "the window was refused: F02" || message != "the window was refused" || said != "F02" || !errors.Is(err, io.EOF) {
		t.Errorf("%v: %q and %q", err, message, said)
	}
	if message, said := source.Words(io.EOF); message != "EOF" || said != "" {
		t.Errorf("%q and %q", message, said)
	}
}

func TestASecretIsHiddenInWhateverFormItIsRepeated(t *testing.T) {
	letters := strings.Split(secret, "")
	each := func(write func(string) string) string {
		var text strings.Builder
		for _, letter := range letters {
			text.WriteString(write(letter))
		}
		return text.String()
	}
	code := func(format string) func(string) string {
		return func(letter string) string {
			return strings.NewReplacer("XX", hex(letter[0]), "xx", strings.ToLower(hex(letter[0])), "DD", decimal(letter[0])).Replace(format)
		}
	}
	for name, form := range map[string]string{
		"as it is":                        secret,
		"in capitals":                     strings.ToUpper(secret),
		"with blanks":                     strings.Join(letters, " "),
		"with line breaks":                strings.Join(letters, "\r\n"),
		"with tags":                       strings.Join(letters, "</b><b>"),
		"with tags that hold a > in one":  strings.Join(letters, "<b a=1>"),
		"with a word joiner":              strings.Join(letters, "\u2060"),
		"in a tag":                        "<a href='" + secret + "'>",
		"escaped as JSON":                 each(code(`\u00XX`)),
		"escaped as JSON, small":          each(code(`\u00xx`)),
		"escaped as a program":            each(code(`\xXX`)),
		"escaped as HTML":                 each(code("&#DD;")),
		"escaped as HTML, hexadecimal":    each(code("&#xXX;")),
		"escaped as an address":           each(code("%XX")),
		"escaped as an address, small":    each(code("%xx")),
		"escaped twice":                   each(code("%25XX")),
		"escaped three times":             each(code("%2525XX")),
		"escaped as HTML without its end": each(code("&#DD")),
		"escaped as HTML, hexadecimal, without its end": each(code("&#xXX")),
		"escaped as HTML with zeros":                    each(code("&#0000DD;")),
		"escaped as an address of before":               each(code("%u00XX")),
		"escaped with braces":                           each(code(`\u{XX}`)),
		"escaped as a program, long":                    each(code(`\U000000XX`)),
		"in octal":                                      each(func(letter string) string { return fmt.Sprintf(`\%03o`, letter[0]) }),
		"in hexadecimal":                                each(code("XX")),
		"in base64":                                     base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64 within more":                         base64.StdEncoding.EncodeToString([]byte("x" + secret + "y")),
		"fullwidth":                                     each(func(letter string) string { return string(rune(letter[0]) + 0xfee0) }),
		"escaped as JSON of HTML":                       each(code(`\u0026#xXX;`)),
		"with line breaks of JSON":                      strings.Join(letters, `\n`),
		"with tags escaped as HTML":                     strings.Join(letters, "&lt;i&gt;"),
		"behind a backslash":                            `\` + secret,
		"cut short":                                     secret[:len(secret)-5],
		"with blanks, cut short":                        strings.Join(letters[:20], " "),
	} {
		for _, text := range []string{"before " + form + " after", form, "before (" + form + ")" + form} {
			message := source.Hide(text, []string{"", secret})
			if got := likeness(message); strings.Contains(got, likeness(secret)[:6]) || !strings.Contains(message, "[hidden]") || strings.HasPrefix(text, "before") && !strings.HasPrefix(message, "before ") {
				t.Errorf("%s: %q of %q", name, message, text)
			}
			if strings.Count(message, "[hidden]") > 2 {
				t.Errorf("%s: it is hidden in many parts: %q", name, message)
			}
		}
	}
}

// likeness is the letters and digits of a text, with the escapes of the test undone.
func likeness(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(text))
}

func hex(b byte) string {
	return strings.ToUpper(string("0123456789ABCDEF"[b>>4]) + string("0123456789ABCDEF"[b&15]))
}

func decimal(b byte) string {
	return string([]byte{'0' + b/100, '0' + b/10%10, '0' + b%10})
}

func TestWhatIsNoSecretIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "no such window", "5 < 6 and 7 > 6", "100 % of it", `a \ backslash \u12`, "&amp; &unknown; &", "<b>price</b> élevé €", "s3crt", secret[:7], "\xff\xfe"} {
		if got := source.Hide(text, []string{"", secret}); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	if got := source.Hide("a4711, 4 7 1 1 and 4711", []string{"4711"}); got != "a[hidden], 4 7 1 1 and [hidden]" {
		t.Errorf("a short secret: %q", got)
	}
	if got := source.Hide(`FCR has no direction "a" (a=a)`, []string{"a"}); got != `FCR has no direction "[hidden]" ([hidden]=[hidden])` {
		t.Errorf("a secret of one letter: %q", got)
	}
}

func TestOfALongTextOnlyTheBeginningIsLookedAt(t *testing.T) {
	t.Parallel()
	for _, sign := range []string{"<", "&", `\`, "%", "x", "€", "s3cr"} {
		text := source.Hide(strings.Repeat(sign, 4<<20), []string{secret})
		if len(text) > 5000 || !strings.HasPrefix(text, sign) || !strings.HasSuffix(text, "…") {
			t.Errorf("of many %q there are %d bytes: %.20s … %s", sign, len(text), text, text[len(text)-10:])
		}
	}
	text := source.Hide(strings.Repeat("x", 4000)+secret+strings.Repeat("x", 1000), []string{secret})
	if strings.Contains(text, secret[:8]) || !strings.Contains(text, "[hidden]") {
		t.Errorf("a secret near the end: %s", text[3900:])
	}
}
