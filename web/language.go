package web

import "golang.org/x/text/language"

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

// words are the texts of the pages.
type words struct {
	Tagline, Simulated                              string
	SignIn, SignOut, Email, Password, Refused       string
	Home, Dataset, LastDate, ReadAt, Nothing, Never string
	NoSubscription, Aggregates, ParisTime           string
}

var dictionary = map[Language]words{
	French: {
		Tagline:        "Le marché français de l’électricité",
		Simulated:      "Données simulées : aucune valeur de cette page n’a été publiée.",
		SignIn:         "Se connecter",
		SignOut:        "Se déconnecter",
		Email:          "Adresse e-mail",
		Password:       "Mot de passe",
		Refused:        "L’adresse ou le mot de passe ne convient pas.",
		Home:           "Jeux de données",
		Dataset:        "Jeu de données",
		LastDate:       "Dernière date de livraison",
		ReadAt:         "Lu à la source le",
		Nothing:        "rien encore",
		Never:          "jamais",
		NoSubscription: "abonnement requis",
		Aggregates:     "Réunis :",
		ParisTime:      "Heures de Paris.",
	},
	English: {
		Tagline:        "The French electricity market",
		Simulated:      "Simulated data: no value on this page was ever published.",
		SignIn:         "Sign in",
		SignOut:        "Sign out",
		Email:          "E-mail address",
		Password:       "Password",
		Refused:        "The address or the password is not right.",
		Home:           "Datasets",
		Dataset:        "Dataset",
		LastDate:       "Last delivery date",
		ReadAt:         "Read from the source at",
		Nothing:        "nothing yet",
		Never:          "never",
		NoSubscription: "subscription required",
		Aggregates:     "Together:",
		ParisTime:      "Times are those of Paris.",
	},
}
