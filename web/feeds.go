package web

import (
	"strings"
	"time"

	"courant/ingest/report"
	"courant/store/market"
)

// Feeds is the state of all datasets.
type Feeds struct {
	At          time.Time
	All         []Feed
	Differences []report.Difference
	Corrections []report.Correction
	Clock       *report.Clock // nil while the clock of this machine agrees with the sources
}

// Feed is the state of one dataset. Zero times and dates mean never and none.
type Feed struct {
	Dataset           market.Dataset
	Source            string
	State             report.State
	First, Last       market.DeliveryDate
	NewestEnd         time.Time // of the newest period
	ReadAt, ChangedAt time.Time
	Error             string // of the last run that failed, if none succeeded since
	NextRunAt         time.Time
	Gaps              []report.Missing // ascending by date
}

// Of returns the feed of a dataset; the zero Feed if there is none.
func (f Feeds) Of(dataset market.Dataset) Feed {
	for _, feed := range f.All {
		if feed.Dataset == dataset {
			return feed
		}
	}
	return Feed{}
}

// states are the names of the states.
var states = map[report.State]Text{
	report.StateOK:    {"à jour", "up to date"},
	report.StateLate:  {"en retard", "late"},
	report.StateError: {"en erreur", "in error"},
	report.StateStale: {"sans nouveauté depuis plus d’un jour", "nothing new for more than a day"},
	report.StateDown:  {"source injoignable", "source not reached"},
	report.StateOff:   {"arrêté", "off"},
}

// stateNotices are the notices above data that are old, by the state of their feed.
var stateNotices = map[report.State]Text{
	report.StateOff: {"Ce flux est arrêté : rien de nouveau n’arrivera.", "This feed is off: nothing new will come."},
	report.StateDown: {
		"La source ne répond pas : ce qui suit est ce qu’elle avait donné.",
		"The source does not answer: below is what it had given.",
	},
	report.StateError: {
		"La dernière lecture a été refusée ou a échoué : ce qui suit peut être incomplet.",
		"The newest reading was refused or failed: what follows may be incomplete.",
	},
	report.StateLate:  {"La dernière date attendue n’est pas encore entière.", "The last date due is not whole yet."},
	report.StateStale: {"Rien de neuf depuis plus d’un jour.", "Nothing new for more than a day."},
}

// stateNotice returns the notice of a state; that of a late feed if the state has none.
func stateNotice(state report.State) Text {
	if notice, is := stateNotices[state]; is {
		return notice
	}
	return stateNotices[report.StateLate]
}

// stateMeanings explain states in the reference. A state without one needs no explanation.
var stateMeanings = map[report.State]Text{
	report.StateOff:  {FR: "arrêté"},
	report.StateDown: {"source injoignable", "source not reached"},
	report.StateError: {
		"la dernière lecture d’une date due a été refusée ou a échoué, ou l’horloge est fausse",
		"the newest reading of a date that is due was refused or failed, or the clock is wrong",
	},
	report.StateLate:  {FR: "en retard"},
	report.StateStale: {"sans nouveauté depuis un jour", "nothing new for a day"},
}

// textStates explains the states, the worst first.
func textStates() Text {
	var french, english []string
	for _, state := range report.States() {
		meaning := stateMeanings[state]
		french = append(french, explained(string(state), " : ", meaning.FR))
		english = append(english, explained(string(state), ": ", meaning.EN))
	}
	return Text{
		"Le pire qui s’applique, dans cet ordre. " + strings.Join(french, ", "),
		"The worst that holds, in this order. " + strings.Join(english, ", "),
	}
}

func explained(word, colon, meaning string) string {
	if meaning == "" {
		return word
	}
	return word + colon + meaning
}

// words returns constants of one kind as the strings that they are in JSON.
func words[W ~string](all []W) []string {
	var texts []string
	for _, word := range all {
		texts = append(texts, string(word))
	}
	return texts
}

// reasons are the texts of why a delivery date is not whole.
var reasons = map[report.Reason]Text{
	report.ReasonNotAsked:     {"pas encore demandé à la source", "not asked for yet"},
	report.ReasonNotPublished: {"pas encore publié", "not published yet"},
	report.ReasonSourceError:  {"la source a répondu par une erreur", "the source answered with an error"},
	report.ReasonSourceGap:    {"la source ne l’a pas", "the source does not have it"},
	report.ReasonRejected:     {"refusé par Courant ou par vous", "refused by Courant or by you"},
	report.ReasonPartial:      {"publié en partie", "published in part"},
	report.ReasonThinned:      {"pas de 4 s retirés, moyennes de 5 min gardées", "4 s steps removed, 5 min means kept"},
}

// waits are the texts of why a delivery date waits for a decision.
var waits = map[market.WaitKind]Text{
	market.WaitsFlat: {"un seul prix pour toute la date", "one price for the whole date"},
	market.WaitsChanged: {
		"plus d’un cinquième des prix d’une date passée changeraient",
		"more than a fifth of the prices of a past date would change",
	},
	market.WaitsWithdrawn: {
		"plus d’un cinquième des valeurs d’une colonne d’une date passée seraient retirées",
		"more than a fifth of the values of a column of a past date would be withdrawn",
	},
	market.WaitsRefused: {"date refusée : voici ce qui a pu en être lu", "date refused: this is what could be read of it"},
}

// textOf returns the text of a word; the word itself if it has none.
func textOf[W ~string](texts map[W]Text, word W) Text {
	if text, is := texts[word]; is {
		return text
	}
	return Text{string(word), string(word)}
}
