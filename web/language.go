package web

import (
	"strings"

	"golang.org/x/text/language"
)

// Language is one of the two in which Courant speaks.
type Language string

const (
	French  Language = "fr"
	English Language = "en"
)

// French comes first: it is what a reader of neither language gets.
var matcher = language.NewMatcher([]language.Tag{language.French, language.English})

// LanguageOf chooses by a request's Accept-Language; French if it names neither.
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

// ParseLanguage reads a language's text, as the switch in the footer sends it; false if there is no such language.
func ParseLanguage(text string) (Language, bool) {
	l := Language(text)
	return l, l == French || l == English
}

// Text is a text in both languages.
type Text struct {
	FR, EN string
}

// In is the text in one language.
func (t Text) In(l Language) string {
	if l == English {
		return t.EN
	}
	return t.FR
}

// noBreaks are the spaces of French punctuation at which no line may break.
var noBreaks = strings.NewReplacer(
	" :", "\u00a0:", " »", "\u00a0»", "« ", "«\u00a0", " ;", "\u202f;", " !", "\u202f!", " ?", "\u202f?", " €", "\u00a0€",
)

// typeset is the text as a page shows it in the language. Sources of Courant are written with ordinary spaces.
func (t Text) typeset(l Language) string {
	if l == English {
		return t.EN
	}
	return noBreaks.Replace(t.FR)
}
