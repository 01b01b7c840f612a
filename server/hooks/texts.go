package hooks

import (
	"cmp"
	"slices"
	"strings"

	"courant/store/market"
	"courant/web"
)

// typeTexts are what events of each type are about.
var typeTexts = map[Type]web.Text{
	DateComplete:  {FR: "Date complète", EN: "Complete date"},
	PriceBelow:    {FR: "Prix inférieur à", EN: "Price below"},
	PriceAbove:    {FR: "Prix supérieur à", EN: "Price above"},
	PriceNegative: {FR: "Prix négatif", EN: "Negative price"},
	RowsRevised:   {FR: "Valeurs corrigées", EN: "Revised values"},
	FeedLate:      {FR: "Flux en retard", EN: "Late feed"},
	FeedRecovered: {FR: "Flux rétabli", EN: "Feed recovered"},
	Test:          {FR: "Test", EN: "Test"},
}

// Text returns what events of the type are about.
func (t Type) Text() web.Text { return typeTexts[t] }

// Text describes an event, such as: Price below 10 €/MWh: Day-ahead prices.
func (e Event) Text() web.Text {
	text := e.Type.Text()
	if e.Threshold != nil {
		for _, l := range []web.Language{web.French, web.English} {
			text = with(text, l, " "+web.Decimal(l, market.Num(*e.Threshold))+" "+e.column().Unit.Symbol())
		}
	}
	series := e.seriesText()
	return web.Text{FR: text.FR + " : " + series.FR, EN: text.EN + ": " + series.EN}
}

// with returns a text with something appended in one language.
func with(text web.Text, l web.Language, more string) web.Text {
	if l == web.English {
		text.EN += more
	} else {
		text.FR += more
	}
	return text
}

// column returns the column of the event; the zero one if it has none.
func (e Event) column() market.ServedColumn {
	for _, column := range e.Dataset.Series().ServedColumns() {
		if column.Name == e.Column {
			return column
		}
	}
	return market.ServedColumn{}
}

// seriesText names the dataset, the column unless it is the only one that may be meant, and the values of keys.
func (e Event) seriesText() web.Text {
	text := web.Text(e.Dataset.About().Title)
	columns := PriceColumns(e.Dataset)
	if e.Type == RowsRevised {
		columns = e.Dataset.Series().ServedColumns()
	}
	if e.Column != "" && len(columns) > 1 {
		label := e.column().Label
		text = web.Text{FR: text.FR + ", " + label.FR, EN: text.EN + ", " + label.EN}
	}
	for _, key := range e.Dataset.Series().ServedKeys() {
		for _, value := range e.Keys[key.Name] {
			word := market.WordText(value)
			text = web.Text{FR: text.FR + ", " + word.FR, EN: text.EN + ", " + word.EN}
		}
	}
	return text
}

// Choice is a series that a person can choose for an alert.
type Choice struct {
	Value string // identifies it in a form
	Event Event  // without a type
	Text  web.Text
}

// Choices returns the price series of all datasets: of each column, and of each direction if complete dates have several.
func Choices() []Choice {
	var all []Choice
	for _, dataset := range market.Datasets() {
		for _, column := range PriceColumns(dataset) {
			add := func(keys map[string]Values, suffix string) {
				e := Event{Dataset: dataset, Column: column.Name, Keys: keys}
				all = append(all, Choice{string(dataset) + "." + column.Name + suffix, e, e.seriesText()})
			}
			directions := directionsOf(dataset)
			if len(directions) < 2 {
				add(nil, "")
			}
			for _, direction := range directions {
				if len(directions) > 1 {
					add(map[string]Values{"direction": {direction}}, "."+direction)
				}
			}
		}
	}
	return all
}

// directionsOf returns the directions that a complete delivery date of a dataset has.
func directionsOf(dataset market.Dataset) []string {
	if !slices.Contains(keyNames(dataset), "direction") {
		return nil
	}
	var directions []string
	for _, due := range dataset.About().Due {
		direction, _, _ := strings.Cut(due.Prefix, "/")
		if !slices.Contains(directions, direction) {
			directions = append(directions, direction)
		}
	}
	return directions
}

// faultTexts are the texts of faults.
var faultTexts = map[Fault]web.Text{
	FaultStatus:     {FR: "réponse d’erreur", EN: "error response"},
	FaultRedirect:   {FR: "redirection, non suivie", EN: "a redirect, which is not followed"},
	FaultGone:       {FR: "le récepteur a répondu 410 : il n’existe plus", EN: "the receiver answered 410: it is gone"},
	FaultTimeout:    {FR: "pas de réponse en 10 s", EN: "no answer within 10 s"},
	FaultAddress:    {FR: "adresse qui n’est pas sur l’Internet public", EN: "an address that is not on the public Internet"},
	FaultName:       {FR: "nom sans adresse", EN: "a name without an address"},
	FaultTLS:        {FR: "certificat non valable, ou pas de TLS", EN: "an invalid certificate, or no TLS"},
	FaultConnection: {FR: "connexion refusée ou rompue", EN: "the connection was refused or broke"},
	FaultMail:       {FR: "le serveur de messagerie l’a refusé", EN: "the mail server refused it"},
	FaultRights:     {FR: "l’abonnement ne couvre pas ces données", EN: "the subscription does not cover this data"},
	FaultGivenUp:    {FR: "échecs pendant 24 h", EN: "failures for 24 h"},
}

// Text returns what a fault means.
func (f Fault) Text() web.Text { return cmp.Or(faultTexts[f], web.Text{FR: string(f), EN: string(f)}) }
