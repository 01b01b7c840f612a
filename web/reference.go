package web

import (
	"slices"

	"courant/store/market"
)

// Route is one address of Courant, as the documentation and the OpenAPI document describe it: both are made of Routes.
type Route struct {
	Method     string // GET stands for HEAD too
	Path       string // parameters in braces
	Summary    Text
	Notes      []Text
	Access     Access
	Datasets   []market.Dataset // that a reader has to be allowed, of those behind AccessSubscription
	Parameters []Parameter
	Form       []Parameter // fields of the form that it takes
	Content    string      // media type of the answer; empty: it sends elsewhere, with status 303
	Paged      bool        // the answer's header Link names the next page
	Body       []Field     // of an answer in JSON; nil where its schema is not Courant's
}

// Access is who may call a route.
type Access string

const (
	AccessPublic        Access = "public"
	AccessAccount       Access = "account"       // any account
	AccessSubscription  Access = "subscription"  // an active subscription that covers the data
	AccessAdministrator Access = "administrator" // an administrator
)

// Parameter is what a route is asked with: a part of its path, of its query or of its form.
type Parameter struct {
	Name     string
	In       string // path, query or form
	Text     Text
	Kind     Kind
	Values   []string
	Most     int // of a number from 1 on; 0: there is no bound
	Optional bool
}

// Kind is what a field's value is, when it is not null.
type Kind string

const (
	KindNumber  Kind = "number"
	KindInteger Kind = "integer"
	KindBoolean Kind = "boolean"
	KindString  Kind = "string"
	KindInstant Kind = "date-time" // UTC, with milliseconds
	KindDate    Kind = "date"      // a delivery date in Europe/Paris
	KindValue   Kind = "value"     // a number or a boolean
	KindObject  Kind = "object"
	KindList    Kind = "array" // of objects
)

// Field is a member of an answer. All of them are always there.
type Field struct {
	Name     string
	Kind     Kind
	Nullable bool
	Unit     string
	Text     Text
	Values   []string // all that it may be
	Fields   []Field  // of an object, or of each of a list
	Of       string   // the path whose answer it is, to the byte
}

// Reference lists every route there is, those of the API first.
func Reference() []Route {
	return slices.Concat(apiRoutes(), beside(), pageRoutes(), formRoutes())
}
