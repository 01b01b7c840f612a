package web_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"courant/web"
)

func TestLanguageIsFrenchUnlessEnglishIsPreferred(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]web.Language{
		"": web.French, "fr": web.French, "fr-FR,fr;q=0.9,en;q=0.8": web.French, "en": web.English, "en-GB": web.English, "en-US,en;q=0.5": web.English,
		"de": web.French, "de,en;q=0.1": web.English, "*": web.French, "en;q=0": web.French, "fr;q=0.1,en;q=0.2": web.English,
		"en;q=": web.French, ";;;": web.French, "\xff\xfe": web.French, strings.Repeat("a", 10_240): web.French,
		strings.Repeat("en-GB;q=0.5,", 853): web.English,
	} {
		if got := web.LanguageOf(accept); got != want {
			t.Errorf("%.40q is answered in %s, want %s", accept, got, want)
		}
	}
}

func TestLanguageIsOneOfTwoWhateverIsAskedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		accept := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-zA-Z*]{1,9}(-[a-zA-Z0-9]{1,9}){0,3}(;q=[0-9.]{0,5})?,? ?){0,8}`)).Draw(t, "Accept-Language")
		if got := web.LanguageOf(accept); got != web.French && got != web.English {
			t.Fatalf("%q is answered in %q", accept, got)
		}
	})
}

func TestTextIsInTheLanguageOrElseFrench(t *testing.T) {
	t.Parallel()
	text := web.Text{FR: "oui", EN: "yes"}
	for language, want := range map[web.Language]string{web.French: "oui", web.English: "yes", "de": "oui"} {
		if got := text.In(language); got != want {
			t.Errorf("in %s: %s, want %s", language, got, want)
		}
	}
}
