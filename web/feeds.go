package web

import (
	"time"

	"courant/store"
)

// Feeds is how the datasets are doing.
type Feeds struct {
	At          time.Time
	All         []Feed
	Differences []PriceDifference
	Corrections []Correction
	Clock       *ClockDifference // nil while this machine's clock agrees with the sources'
}

// ClockDifference is how far this machine's clock differs from a source's.
type ClockDifference struct {
	Ahead time.Duration // negative: behind
	Host  string        // of the source
	Wrong bool          // several readings agree
}

// Minutes is the difference without sign.
func (c ClockDifference) Minutes() int { return int(c.Ahead.Abs().Round(time.Minute) / time.Minute) }

// Feed is how one dataset is doing. Zero times and dates are "never" and "none".
type Feed struct {
	Dataset           store.Dataset
	Source            string
	State             string // off, down, error, late, stale or ok
	First, Last       store.DeliveryDate
	NewestEnd         time.Time // of the newest period
	ReadAt, ChangedAt time.Time
	Error             string // of the last run that failed, if none succeeded since
	NextRunAt         time.Time
	Gaps              []Gap // ascending by date
}

// Gap is a delivery date that is not whole.
type Gap struct {
	Date               store.DeliveryDate
	Expected, Received int
	Reason             string
}

// Correction is a delivery date of which a source changed values before it was over.
type Correction struct {
	Dataset store.Dataset
	Date    store.DeliveryDate
	Values  int // that changed or were withdrawn
	SeenAt  time.Time
}

// PriceDifference is a delivery date of which two publications of prices do not agree.
type PriceDifference struct {
	Date     store.DeliveryDate
	Between  string       // the two; the first one is served
	Quarters int          // that differ
	Largest  store.Number // EUR/MWh, without sign
	SeenAt   time.Time
}

// Of is the dataset's feed; the zero Feed if none is known.
func (f Feeds) Of(dataset store.Dataset) Feed {
	for _, feed := range f.All {
		if feed.Dataset == dataset {
			return feed
		}
	}
	return Feed{}
}

// names are the datasets as people call them.
var names = map[string]Text{
	string(store.DayAheadPrices): {"Prix day-ahead", "Day-ahead prices"},
	string(store.FCRCapacity):    {"Capacité FCR", "FCR capacity"},
	string(store.AFRRCapacity):   {"Capacité aFRR", "aFRR capacity"},
	string(store.MFRRCapacity):   {"Capacité mFRR", "mFRR capacity"},
	string(store.AFRREnergy):     {"Énergie aFRR", "aFRR energy"},
	string(store.MFRREnergy):     {"Énergie mFRR", "mFRR energy"},
}

// states are what a feed's state is called.
var states = map[string]Text{
	"ok":    {"à jour", "up to date"},
	"late":  {"en retard", "late"},
	"error": {"en erreur", "in error"},
	"stale": {"sans nouveauté depuis plus d’un jour", "nothing new for more than a day"},
	"down":  {"source injoignable", "source not reached"},
	"off":   {"arrêté", "off"},
}

// reasons are why a delivery date is not whole.
var reasons = map[string]Text{
	"not_asked":     {"pas encore demandé à la source", "not asked for yet"},
	"not_published": {"pas encore publié", "not published yet"},
	"source_error":  {"la source a répondu par une erreur", "the source answered with an error"},
	"source_gap":    {"la source ne l’a pas", "the source does not have it"},
	"rejected":      {"refusé par Courant ou par vous", "refused by Courant or by you"},
	"partial":       {"publié en partie", "published in part"},
}

// waits are why a delivery date waits for a decision.
var waits = map[string]Text{
	string(store.WaitsFlat):      {"un seul prix pour toute la date", "one price for the whole date"},
	string(store.WaitsChanged):   {"plus d’un cinquième des prix d’une date passée changeraient", "more than a fifth of the prices of a past date would change"},
	string(store.WaitsWithdrawn): {"plus d’un cinquième des valeurs d’une colonne d’une date passée seraient retirées", "more than a fifth of the values of a column of a past date would be withdrawn"},
	string(store.WaitsRefused):   {"date refusée : voici ce qui a pu en être lu", "date refused: this is what could be read of it"},
}

// known is the text of a word; the word itself if it is a new one.
func known(texts map[string]Text, word string) Text {
	if text, is := texts[word]; is {
		return text
	}
	return Text{word, word}
}
