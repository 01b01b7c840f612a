package web

import (
	"strings"

	"courant/store/market"
)

// Docs is the documentation of the API.
type Docs struct {
	Site      Site
	Endpoints []Documented
	Rows      Documented // the rows of one dataset: those of the others differ in keys and columns only
	// Described are routes that are described without an example.
	Described []Documented
}

// RowsOf is where the rows of a dataset are, and its keys and columns.
type RowsOf struct {
	Path          string
	Keys, Columns []string
}

// RowsOf returns the keys and columns of the rows of each dataset.
func (Docs) RowsOf() []RowsOf {
	var all []RowsOf
	for _, dataset := range market.Datasets() {
		of := RowsOf{Path: RowsPath(dataset)}
		for _, key := range dataset.Series().ServedKeys() {
			of.Keys = append(of.Keys, key.Name)
		}
		for _, column := range dataset.Series().ServedColumns() {
			of.Columns = append(of.Columns, column.Name)
		}
		all = append(all, of)
	}
	return all
}

// Changes returns the versions of the API, the newest first.
func (Docs) Changes() []APIChange { return apiChanges }

// LLMs returns the address of the description as text.
func (Docs) LLMs() string { return PathLLMs }

// Rules returns how the API gives times and values.
func (Docs) Rules() []Text { return dataRules }

// Documented is a route with an example of its answer.
type Documented struct {
	Route
	Example string // JSON, shortened, in the visitor's language
	Live    bool   // the example is the answer that is served now, which the visitor may read
	Address string // where the live answer is
}

// Name returns the name of the endpoint in the route's path.
func (d Documented) Name() string { return schemaName(d.Path) }

// FlatField is a field with its path in the answer, such as rows[].price.
type FlatField struct {
	Field
	Path string
}

// Flat returns all fields of the answer, nested ones included.
func (d Documented) Flat() []FlatField { return flatten("", d.Body) }

// FlatSent returns all fields of the body of the request, nested ones included.
func (d Documented) FlatSent() []FlatField { return flatten("", d.Sent) }

func flatten(prefix string, fields []Field) []FlatField {
	var all []FlatField
	for _, field := range fields {
		path := prefix + field.Name
		switch { // the answer itself
		case path == "" && field.Kind == KindList:
			path = "[]"
		case path == "" && field.Kind == KindMap:
			path = "{}"
		}
		all = append(all, FlatField{field, path})
		switch field.Kind {
		case KindList:
			all = append(all, flatten(strings.TrimSuffix(path, "[]")+"[].", field.Fields)...)
		case KindObject:
			all = append(all, flatten(path+".", field.Fields)...)
		}
	}
	return all
}

// Problems returns every kind of error that the API answers with.
func (Docs) Problems() []Problem { return Problems() }

// OpenAPI returns the address of the machine-readable description.
func (Docs) OpenAPI() string { return PathOpenAPI }

// Docs renders the documentation of the API.
func (p *Pages) Docs(visit Visit, view Docs) ([]byte, error) {
	return p.render("docs", visit, view)
}

// Problem renders the page that explains a kind of error.
func (p *Pages) Problem(visit Visit, view Problem) ([]byte, error) {
	return p.render("problem", visit, view)
}

// Failure is the answer to a browser whose request failed.
type Failure struct {
	Problem
	RequestID string // of an internal error, to find it in the log; else empty
}

// Failure renders the page of a request that failed.
func (p *Pages) Failure(visit Visit, view Failure) ([]byte, error) {
	return p.render("failure", visit, view)
}

// accesses are the texts of who may call a route.
var accesses = map[Access]Text{
	AccessPublic:  same("Public."),
	AccessAccount: {"Nécessite un compte, sans abonnement.", "Requires an account, no subscription."},
	AccessSubscription: {
		"Nécessite un abonnement actif qui couvre ces données.",
		"Requires an active subscription that covers this data.",
	},
	AccessAdministrator: {"Réservé aux administrateurs.", "For administrators."},
}

// kinds are the names of the kinds of values.
var kinds = map[Kind]Text{
	KindNumber:     {"nombre", "number"},
	KindInteger:    {"entier", "integer"},
	KindBoolean:    {"booléen", "boolean"},
	KindString:     {"texte", "text"},
	KindInstant:    {"instant UTC", "UTC instant"},
	KindDate:       {"date", "date"},
	KindObject:     {"objet", "object"},
	KindList:       {"liste", "list"},
	KindWords:      {"liste de textes", "list of strings"},
	KindMap:        {"objet", "object"},
	KindValue:      {"valeur", "value"},
	KindValues:     {"liste de valeurs", "list of values"},
	KindZoned:      {"instant", "instant"},
	KindFlagOrMean: {"booléen ou nombre", "boolean or number"},
}
