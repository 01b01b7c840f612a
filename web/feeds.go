package web

import (
	"time"

	"courant/ingest/report"
	"courant/store/market"
)

// Feeds is how the datasets are doing.
type Feeds struct {
	At          time.Time
	All         []Feed
	Differences []report.Difference
	Corrections []report.Correction
	Clock       *report.Clock // nil while this machine's clock agrees with the sources'
}

// Feed is how one dataset is doing. Zero times and dates are "never" and "none".
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

// Of is the dataset's feed; the zero Feed if none is known.
func (f Feeds) Of(dataset market.Dataset) Feed {
	for _, feed := range f.All {
		if feed.Dataset == dataset {
			return feed
		}
	}
	return Feed{}
}

// names are the datasets as people call them.
var names = map[string]Text{
	string(market.DayAheadPrices): {"Prix day-ahead", "Day-ahead prices"},
	string(market.FCRCapacity):    {"Capacité FCR", "FCR capacity"},
	string(market.AFRRCapacity):   {"Capacité aFRR", "aFRR capacity"},
	string(market.MFRRCapacity):   {"Capacité mFRR", "mFRR capacity"},
	string(market.AFRREnergy):     {"Énergie aFRR", "aFRR energy"},
	string(market.MFRREnergy):     {"Énergie mFRR", "mFRR energy"},
}

// states are what a feed's state is called.
var states = map[report.State]Text{
	report.StateOK:    {"à jour", "up to date"},
	report.StateLate:  {"en retard", "late"},
	report.StateError: {"en erreur", "in error"},
	report.StateStale: {"sans nouveauté depuis plus d’un jour", "nothing new for more than a day"},
	report.StateDown:  {"source injoignable", "source not reached"},
	report.StateOff:   {"arrêté", "off"},
}

// reasons are why a delivery date is not whole.
var reasons = map[report.Reason]Text{
	report.ReasonNotAsked:     {"pas encore demandé à la source", "not asked for yet"},
	report.ReasonNotPublished: {"pas encore publié", "not published yet"},
	report.ReasonSourceError:  {"la source a répondu par une erreur", "the source answered with an error"},
	report.ReasonSourceGap:    {"la source ne l’a pas", "the source does not have it"},
	report.ReasonRejected:     {"refusé par Courant ou par vous", "refused by Courant or by you"},
	report.ReasonPartial:      {"publié en partie", "published in part"},
}

// waits are why a delivery date waits for a decision.
var waits = map[string]Text{
	string(market.WaitsFlat):      {"un seul prix pour toute la date", "one price for the whole date"},
	string(market.WaitsChanged):   {"plus d’un cinquième des prix d’une date passée changeraient", "more than a fifth of the prices of a past date would change"},
	string(market.WaitsWithdrawn): {"plus d’un cinquième des valeurs d’une colonne d’une date passée seraient retirées", "more than a fifth of the values of a column of a past date would be withdrawn"},
	string(market.WaitsRefused):   {"date refusée : voici ce qui a pu en être lu", "date refused: this is what could be read of it"},
}

// known is the text of a word; the word itself if it is a new one.
func known[W ~string](texts map[W]Text, word W) Text {
	if text, is := texts[word]; is {
		return text
	}
	return Text{string(word), string(word)}
}
