package source

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const hidden = "[hidden]"

const (
	// shortestLikeness is how many letters and digits a secret must have to be found in other spellings: of a shorter one
	// only the exact text is hidden.
	shortestLikeness = 6
	// shortestWithin is how many bytes a secret must have to be hidden within a longer word: a shorter one would be found in
	// half of all words.
	shortestWithin = 4
	// shortestPart is how many first letters and digits of a secret are hidden where the rest is missing: messages are
	// cut short.
	shortestPart = 8
	// mostLooked is how many bytes of a text are searched, ten times what a message shows of it.
	mostLooked = 4096
	// mostUndone is how many times an escape of an escape is undone.
	mostUndone = 4
)

// Hide removes the secrets from a text, also where a source repeats them in another case or width, with escapes of JSON,
// HTML, addresses or programs, with tags, blanks, line breaks or punctuation between their letters, in base64 or
// hexadecimal, or cut short. A long text is cut to its beginning: a message is short, and a source may send megabytes.
func Hide(text string, secrets []string) string {
	if len(text) > mostLooked {
		text = strings.ToValidUTF8(text[:mostLooked], "") + "…"
	}
	var marks []mark
	letters := lettersOf(text)
	views := [][]letter{letters, withoutTags(letters)}
	for range mostUndone {
		undone := undoEscapes(letters)
		if len(undone) == len(letters) {
			break
		}
		letters = undone
		views = append(views, letters, withoutTags(letters))
	}
	for i, view := range views {
		views[i] = likeness(view)
	}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		like := likeness(lettersOf(secret))
		if len(like) < shortestLikeness {
			marks = append(marks, placesOf(text, secret)...)
			continue
		}
		for _, form := range append(encodings(secret), like) {
			for _, view := range views {
				marks = append(marks, traces(view, form)...)
			}
		}
	}
	return cover(text, marks)
}

// encodings are the spellings of a secret in hexadecimal and in base64, at any offset in a longer text.
func encodings(secret string) [][]letter {
	forms := [][]letter{likeness(lettersOf(hex.EncodeToString([]byte(secret))))}
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		encoded = encoded[(before*8+5)/6:] // without the characters that depend on the bytes before
		if form := likeness(lettersOf(encoded)); len(form) >= shortestPart {
			forms = append(forms, form)
		}
	}
	return forms
}

// placesOf finds a text in another one; a very short text is found only as a word of its own.
func placesOf(text, sought string) (places []mark) {
	for at := 0; ; {
		i := strings.Index(text[at:], sought)
		if i < 0 {
			return places
		}
		place := mark{at + i, at + i + len(sought)}
		at = place.to
		before, _ := utf8.DecodeLastRuneInString(text[:place.from])
		after, _ := utf8.DecodeRuneInString(text[place.to:])
		if len(sought) >= shortestWithin || !isWordPart(before) && !isWordPart(after) {
			places = append(places, place)
		}
	}
}

func isWordPart(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// mark is a part of a text, as offsets in bytes.
type mark struct{ from, to int }

// letter is a character and the part of the text that encodes it.
type letter struct {
	r rune
	mark
}

func lettersOf(text string) []letter {
	letters := make([]letter, 0, len(text))
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		letters = append(letters, letter{r, mark{i, i + size}})
	}
	return letters
}

// withoutTags leaves out what is between "<" and ">".
func withoutTags(letters []letter) []letter {
	kept := make([]letter, 0, len(letters))
	last := len(letters) - 1
	for last >= 0 && letters[last].r != '>' {
		last--
	}
	for i := 0; i < len(letters); i++ {
		if letters[i].r == '<' && i < last {
			i += slices.IndexFunc(letters[i:], func(l letter) bool { return l.r == '>' })
			continue
		}
		kept = append(kept, letters[i])
	}
	return kept
}

// likeness returns the letters and digits, in lower case and normal width.
func likeness(letters []letter) []letter {
	kept := make([]letter, 0, len(letters))
	for _, l := range letters {
		if unicode.IsLetter(l.r) || unicode.IsDigit(l.r) {
			r := l.r
			if wide := width.LookupRune(r).Narrow(); wide != 0 {
				r = wide
			}
			kept = append(kept, letter{unicode.ToLower(r), l.mark})
		}
	}
	return kept
}

// longestEscape is how many characters an escape may have: &CounterClockwiseContourIntegral; is the longest entity.
const longestEscape = 33

// undoEscapes replaces each escape of JSON, HTML and addresses by its character.
func undoEscapes(letters []letter) []letter {
	kept := make([]letter, 0, len(letters))
	for i := 0; i < len(letters); {
		r, length := escaped(letters[i:min(len(letters), i+longestEscape)])
		kept = append(kept, letter{r, mark{letters[i].from, letters[i+length-1].to}})
		i += length
	}
	return kept
}

// escaped returns the character with which the letters begin, and how many of them encode it.
func escaped(letters []letter) (r rune, length int) {
	plain := func() string {
		text := make([]rune, len(letters))
		for i, l := range letters {
			text[i] = l.r
		}
		return string(text)
	}
	switch letters[0].r {
	case '%':
		if r, found := hexDigits(letters, 1, 2); found {
			return r, 3
		}
		if len(letters) > 1 && letters[1].r == 'u' {
			if r, found := hexDigits(letters, 2, 4); found {
				return r, 6
			}
		}
	case '\\':
		if len(letters) < 2 {
			break
		}
		switch second := letters[1].r; second {
		case 'u':
			if r, found := hexDigits(letters, 2, 4); found {
				return r, 6
			}
			end := slices.IndexFunc(letters, func(l letter) bool { return l.r == '}' })
			if end > 3 && letters[2].r == '{' {
				if r, found := hexDigits(letters, 3, end-3); found {
					return r, end + 1
				}
			}
		case 'U':
			if r, found := hexDigits(letters, 2, 8); found {
				return r, 10
			}
		case '0', '1', '2', '3':
			if r, found := digits(letters, 1, 3, 8); found {
				return r, 4
			}
		case 'x':
			if r, found := hexDigits(letters, 2, 2); found {
				return r, 4
			}
		case 'n', 'r', 't', 'b', 'f':
			return ' ', 2
		case '\\', '/', '"', '\'':
			return second, 2
		}
	case '&':
		if len(letters) > 1 && letters[1].r == '#' { // browsers accept it without its end
			return numbered(letters)
		}
		if end := slices.IndexFunc(letters, func(l letter) bool { return l.r == ';' }); end > 0 {
			letters = letters[:end+1]
			if text := html.UnescapeString(plain()); utf8.RuneCountInString(text) == 1 {
				r, _ := utf8.DecodeRuneInString(text)
				return r, end + 1
			}
		}
	}
	return letters[0].r, 1
}

// numbered reads an escape of HTML that gives the number of a character, with or without the semicolon after it.
func numbered(letters []letter) (r rune, length int) {
	from, base := 2, 10
	if len(letters) > 2 && (letters[2].r == 'x' || letters[2].r == 'X') {
		from, base = 3, 16
	}
	end := from
	for end < len(letters) && isDigitOf(letters[end].r, base) {
		end++
	}
	r, found := digits(letters, from, end-from, base)
	if !found {
		return letters[0].r, 1
	}
	if end < len(letters) && letters[end].r == ';' {
		end++
	}
	return r, end
}

func isDigitOf(r rune, base int) bool {
	_, err := strconv.ParseUint(string(r), base, 8)
	return err == nil
}

func hexDigits(letters []letter, from, n int) (rune, bool) { return digits(letters, from, n, 16) }

// digits reads n digits of a base, starting at the letter at index from.
func digits(letters []letter, from, n, base int) (rune, bool) {
	if len(letters) < from+n {
		return 0, false
	}
	text := make([]rune, n)
	for i := range text {
		text[i] = letters[from+i].r
	}
	code, err := strconv.ParseUint(string(text), base, 31)
	return rune(code), err == nil
}

// traces finds the secret, or its beginning, in the text.
func traces(text, secret []letter) []mark {
	var marks []mark
	for i := 0; i < len(text); i++ {
		same := 0
		for same < len(secret) && i+same < len(text) && text[i+same].r == secret[same].r {
			same++
		}
		if same == len(secret) || same >= shortestPart {
			marks = append(marks, mark{text[i].from, text[i+same-1].to})
			i += same - 1
		}
	}
	return marks
}

// cover replaces each marked part by one word.
func cover(text string, marks []mark) string {
	if len(marks) == 0 {
		return text
	}
	slices.SortFunc(marks, func(a, b mark) int { return a.from - b.from })
	var covered strings.Builder
	end := 0
	for _, m := range marks {
		if m.from >= end {
			covered.WriteString(text[end:m.from])
			covered.WriteString(hidden)
		}
		end = max(end, m.to)
	}
	covered.WriteString(text[end:])
	return covered.String()
}

// HideSecrets removes the caller's secrets from the texts of a reply.
func HideSecrets[R any](c *Caller, reply *Reply[R]) {
	for i := range reply.Notes {
		reply.Notes[i] = c.scrub(reply.Notes[i])
	}
	for i := range reply.UnknownKeys {
		reply.UnknownKeys[i] = shorten(OneLine(c.scrub(reply.UnknownKeys[i])), longestExcerpt)
	}
	for i := range reply.Refusals.list {
		reply.Refusals.list[i].Reason = c.scrub(reply.Refusals.list[i].Reason)
	}
	for i := range reply.Omissions {
		reply.Omissions[i].Reason = c.scrub(reply.Omissions[i].Reason)
	}
}
