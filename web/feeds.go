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

// NameOf returns the name of the delivery date of the instant of the state, and of the next one.
func (f Feeds) NameOf(date market.DeliveryDate) Text {
	if date == market.DeliveryDateOf(f.At) {
		return Text{"Aujourd’hui", "Today"}
	}
	return Text{"Demain", "Tomorrow"}
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
	Trouble           report.Trouble
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
	report.StateStale: {"sans nouvelles données depuis plus d’un jour", "no new data for more than a day"},
	report.StateDown:  {"source injoignable", "source unreachable"},
	report.StateOff:   {"désactivé", "off"},
}

// stateNotices are the notices above data that are old, by the state of their feed.
var stateNotices = map[report.State]Text{
	report.StateOff: {"Ce flux est désactivé : aucune nouvelle donnée n’arrivera.", "This feed is off: no new data will arrive."},
	report.StateDown: {
		"La source ne répond pas ; Courant réessaie.",
		"The source does not answer; Courant keeps trying.",
	},
	report.StateError: {
		"La dernière collecte a échoué ou ses données ont été refusées.",
		"The latest fetch failed, or its data was refused.",
	},
	report.StateLate:  {"Des données attendues manquent encore.", "Data that is due is still missing."},
	report.StateOK:    {"Ces données sont incomplètes.", "This data is incomplete."},
	report.StateStale: {"Aucune nouvelle donnée depuis plus d’un jour.", "No new data for more than a day."},
}

// stateNotice returns the notice of a state; that of a late feed if the state has none.
func stateNotice(state report.State) Text {
	if notice, is := stateNotices[state]; is {
		return notice
	}
	return stateNotices[report.StateLate]
}

// troubleStates and troubleNotices replace the texts of the state while a feed has a trouble.
var (
	troubleStates = map[report.Trouble]Text{
		report.TroubleCredentials: {"identifiants refusés", "credentials refused"},
		report.TroubleConnection:  {"source injoignable", "source unreachable"},
	}
	troubleNotices = map[report.Trouble]Text{
		report.TroubleCredentials: {
			"La source refuse les identifiants de Courant : un administrateur doit les corriger dans la configuration, puis redémarrer Courant.",
			"The source refuses Courant’s credentials: an administrator must correct them in the configuration and restart Courant.",
		},
		report.TroubleConnection: {
			"Courant ne parvient pas à joindre la source et réessaie. Vérifiez le réseau et le pare-feu du serveur.",
			"Courant cannot reach the source and keeps trying. Check the network and the firewall of the server.",
		},
	}
)

// StateText returns the state of the feed in words.
func (f Feed) StateText() Text {
	if text, is := troubleStates[f.Trouble]; is {
		return text
	}
	return textOf(states, f.State)
}

// Failing reports whether the newest attempts to read the source failed, or their answers were refused.
func (f Feed) Failing() bool {
	return f.Trouble != "" || f.State == report.StateError || f.State == report.StateDown
}

// Notice returns why the feed brings no newer data.
func (f Feed) Notice() Text {
	if notice, is := troubleNotices[f.Trouble]; is {
		return notice
	}
	return stateNotice(f.State)
}

// stateMeanings explain states in the reference. A state without one needs no explanation.
var stateMeanings = map[report.State]Text{
	report.StateOff:  {FR: "désactivé"},
	report.StateDown: {"source injoignable", "source unreachable"},
	report.StateError: {
		"la dernière collecte d’une date attendue a échoué ou a été refusée, ou l’horloge est fausse",
		"the latest fetch of a date that is due failed or was refused, or the clock is wrong",
	},
	report.StateLate:  {FR: "en retard"},
	report.StateStale: {"sans nouvelles données depuis un jour", "no new data for a day"},
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
		"Le pire état qui s’applique, dans cet ordre : " + strings.Join(french, ", "),
		"The worst state that applies, in this order: " + strings.Join(english, ", "),
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
	report.ReasonNotAsked:     {"pas encore demandé à la source", "not requested yet"},
	report.ReasonNotPublished: {"pas encore publié", "not published yet"},
	report.ReasonSourceError:  {"la requête à la source a échoué", "the request to the source failed"},
	report.ReasonSourceGap:    {"la source ne publie pas ces données", "the source does not have this data"},
	report.ReasonRejected:     {"refusé par Courant ou par un administrateur", "refused by Courant or an administrator"},
	report.ReasonPartial:      {"publié en partie", "partly published"},
	report.ReasonThinned:      {"pas de 4 s supprimés, moyennes de 5 min conservées", "4 s steps removed, 5 min means kept"},
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
	market.WaitsRefused: {"date refusée ; seule une partie a pu être lue", "date refused; only a part could be read"},
}

// textOf returns the text of a word; the word itself if it has none.
func textOf[W ~string](texts map[W]Text, word W) Text {
	if text, is := texts[word]; is {
		return text
	}
	return Text{string(word), string(word)}
}
