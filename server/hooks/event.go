package hooks

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// Type is the type of an event, as the API names it.
type Type string

// The types of events that a hook can have.
const (
	DateComplete  Type = "date.complete"
	PriceBelow    Type = "price.below"
	PriceAbove    Type = "price.above"
	PriceNegative Type = "price.negative"
	RowsRevised   Type = "rows.revised"
	FeedLate      Type = "feed.late"
	FeedRecovered Type = "feed.recovered"
)

// Test is the type of what is sent to try a hook out.
const Test Type = "test"

// Types returns the types of events that a hook can have.
func Types() []Type {
	return []Type{DateComplete, PriceBelow, PriceAbove, PriceNegative, RowsRevised, FeedLate, FeedRecovered}
}

// isPrice reports whether events of the type are conditions on the prices of a delivery date.
func (t Type) isPrice() bool { return strings.HasPrefix(string(t), "price.") }

// HasSeries reports whether events of the type are about a column and keys of their dataset.
func (t Type) HasSeries() bool { return t.isPrice() || t == RowsRevised }

// HasThreshold reports whether events of the type have a threshold.
func (t Type) HasThreshold() bool { return t == PriceBelow || t == PriceAbove }

// Event is what a hook is notified of.
type Event struct {
	Type    Type           `json:"type"`
	Dataset market.Dataset `json:"dataset"`
	// Column is the column that a price condition is about, or whose revisions are sent; empty: all columns, of RowsRevised.
	Column string `json:"column,omitempty"`
	// Keys are the values that keys of the dataset may have, by their names; a key that is not in it may have any.
	Keys map[string]Values `json:"keys,omitempty"`
	// Threshold is in the unit of the column; nil if the type has none.
	Threshold *float64 `json:"threshold,omitempty"`
}

// Values are values of a key. In JSON a single value may be written without a list.
type Values []string

// UnmarshalJSON reads a text or a list of texts; null is no value.
func (v *Values) UnmarshalJSON(data []byte) error {
	var single *string
	if json.Unmarshal(data, &single) != nil {
		return json.Unmarshal(data, (*[]string)(v))
	}
	if single != nil {
		*v = Values{*single}
	}
	return nil
}

const (
	// MostEvents is how many events a hook may have.
	MostEvents = 20
	// mostThreshold is far outside of the limits of the market, in any unit.
	mostThreshold = 1e6
)

// InputError is a fault in what a person or a program asks for. Field is its name in JSON, such as events[0].column.
type InputError struct {
	Field   string
	Accepts web.Text
}

func (e *InputError) Error() string { return e.Field + " accepts: " + e.Accepts.EN }

// PriceColumn returns the column that a price condition on the dataset is about if none is named.
func PriceColumn(dataset market.Dataset) market.ServedColumn { return PriceColumns(dataset)[0] }

// PriceColumns returns the columns of a dataset that have prices. Each dataset has one at least.
func PriceColumns(dataset market.Dataset) []market.ServedColumn {
	return slices.DeleteFunc(dataset.Series().ServedColumns(), func(c market.ServedColumn) bool {
		return c.Unit != market.EURPerMWh && c.Unit != market.EURPerMW
	})
}

// complete checks an event and fills in the column of a price condition. The error is an *InputError whose field is within
// the event.
func (e Event) complete() (Event, error) {
	if !slices.Contains(Types(), e.Type) {
		return e, &InputError{"type", oneOf(Types())}
	}
	if _, known := market.ParseDataset(string(e.Dataset)); !known {
		return e, &InputError{"dataset", oneOf(market.Datasets())}
	}
	var columns []string
	hasKeys := false
	switch series := e.Dataset.Series(); {
	case e.Type.isPrice():
		hasKeys = true
		if e.Column == "" {
			e.Column = PriceColumn(e.Dataset).Name
		}
		for _, c := range series.ServedColumns() {
			if c.Kind == market.KindNumber {
				columns = append(columns, c.Name)
			}
		}
	case e.Type == RowsRevised:
		hasKeys = true
		for _, c := range series.ServedColumns() {
			if c.Revised {
				columns = append(columns, c.Name)
			}
		}
	}
	if e.Column != "" && !slices.Contains(columns, e.Column) {
		return e, &InputError{"column", oneOf(columns)}
	}
	if err := e.checkKeys(hasKeys); err != nil {
		return e, err
	}
	switch has, given := e.Type.HasThreshold(), e.Threshold != nil; {
	case has && (!given || !(math.Abs(*e.Threshold) <= mostThreshold)): // not a number either
		return e, &InputError{"threshold", web.Text{
			FR: "un nombre, dans l’unité de la colonne", EN: "a number, in the unit of the column",
		}}
	case given && !has:
		return e, &InputError{"threshold", nothing}
	case given:
		threshold := *e.Threshold + 0 // no -0
		e.Threshold = &threshold
	}
	return e, nil
}

var (
	nothing   = web.Text{FR: "rien, avec ce type", EN: "nothing, with this type"}
	textOfKey = web.Text{FR: "du texte, ou une liste de textes", EN: "text, or a list of texts"}
)

func (e Event) checkKeys(hasKeys bool) error {
	if len(e.Keys) > 0 && !hasKeys {
		return &InputError{"keys", nothing}
	}
	served := e.Dataset.Series().ServedKeys()
	var names []string
	for _, key := range served {
		names = append(names, key.Name)
	}
	for name, values := range e.Keys {
		i := slices.Index(names, name)
		if i < 0 {
			return &InputError{"keys", oneOf(names)}
		}
		accepts, isUnknown := textOfKey, func(value string) bool { return value == "" }
		if all := served[i].Values; all != nil {
			accepts, isUnknown = oneOf(all), func(value string) bool { return !slices.Contains(all, value) }
		}
		if len(values) == 0 || slices.ContainsFunc(values, isUnknown) {
			return &InputError{"keys." + name, accepts}
		}
	}
	return nil
}

// oneOf describes a choice.
func oneOf[T ~string](words []T) web.Text {
	if len(words) == 0 {
		return nothing
	}
	var texts []string
	for _, word := range words {
		texts = append(texts, string(word))
	}
	list := strings.Join(texts, ", ")
	return web.Text{FR: "une valeur parmi " + list, EN: "one of " + list}
}

// EventsOf returns the events of a stored hook.
func EventsOf(hook store.Hook) ([]Event, error) {
	var events []Event
	err := json.Unmarshal([]byte(hook.Events), &events)
	return events, err
}

// bound returns the number with which prices are compared.
func (e Event) bound() float64 {
	if e.Threshold == nil {
		return 0
	}
	return *e.Threshold
}

// fulfils reports whether a price fulfils the condition.
func (e Event) fulfils(price float64) bool {
	if e.Type == PriceAbove {
		return price > e.bound()
	}
	return price < e.bound()
}

// covers reports whether a row of the dataset has keys that the event asks for.
func (e Event) covers(names, values []string) bool {
	for i, name := range names {
		if wanted, isNamed := e.Keys[name]; isNamed && !slices.Contains(wanted, values[i]) {
			return false
		}
	}
	return true
}
