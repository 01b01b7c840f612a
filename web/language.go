package web

import (
	"strings"

	"golang.org/x/text/language"
)

// Language is one of the two languages of pages and problems.
type Language string

const (
	French  Language = "fr"
	English Language = "en"
)

// French comes first: it is the default.
var matcher = language.NewMatcher([]language.Tag{language.French, language.English})

// LanguageOf returns the language that Accept-Language prefers; French if it names neither.
func LanguageOf(acceptLanguage string) Language {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return French
	}
	if _, index, _ := matcher.Match(tags...); index == 1 {
		return English
	}
	return French
}

// ParseLanguage parses a language, such as "fr"; false if there is no such language.
func ParseLanguage(text string) (Language, bool) {
	l := Language(text)
	return l, l == French || l == English
}

// Text is a text in both languages.
type Text struct {
	FR, EN string
}

// In returns the text in one language.
func (t Text) In(l Language) string {
	if l == English {
		return t.EN
	}
	return t.FR
}

// noBreaks replaces the spaces of French punctuation with ones at which no line breaks.
var noBreaks = strings.NewReplacer(
	" :", "\u00a0:", " »", "\u00a0»", "« ", "«\u00a0", " ;", "\u202f;", " !", "\u202f!", " ?", "\u202f?", " €", "\u00a0€",
)

// typeset returns the text in a language as pages show it. Texts in the source code have ordinary spaces.
func (t Text) typeset(l Language) string {
	if l == English {
		return t.EN
	}
	return noBreaks.Replace(t.FR)
}
