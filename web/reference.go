package web

import (
	"fmt"
	"slices"
	"time"

	"courant/store/market"
)

// Route is a route as /docs and the OpenAPI document describe it. Both are made from Reference.
type Route struct {
	Method     string // GET stands for HEAD too
	Path       string // parameters in braces
	Summary    Text
	Notes      []Text
	Access     Access
	Datasets   []market.Dataset // that the caller must be allowed to read; of endpoints only
	Parameters []Parameter
	Form       []Parameter // fields of the form
	Request    string      // media type of the body of the request, if that is no form; empty: there is none
	TokenOnly  bool        // a session does not open the route
	// Sent is the members of the body of the request; nil: it has no schema.
	Sent    []Field
	Status  int    // of the answer; 0: 200, or 303 without Content
	Content string // media type of the answer; empty: it has no body
	// OtherContent are the media types of the other forms of the answer.
	OtherContent []string
	Refused      []int   // statuses of errors besides those that follow from the rest
	Headers      []Field // of the answer, besides those that every answer has
	Cached       bool    // the answer has an ETag, and is 304 if the client has it
	Paged        bool    // the answer's header Link names the next page
	// Body is the members of an answer in JSON; a field without a name is the answer itself. nil: another content, or no schema.
	Body       []Field
	Example    Text // an answer in JSON with invented values, lists cut short; empty: there is none
	Deprecated *Deprecation
}

// Deprecation announces the end of a route, in the headers of its answers too (RFC 9745, RFC 8594).
type Deprecation struct {
	Since, Sunset time.Time // from when on it is deprecated, and when it may end; UTC
	Successor     string    // path of the route to use instead, with parameters of the deprecated one
}

// Deprecations returns the deprecations of routes by their paths.
func Deprecations() map[string]Deprecation {
	all := map[string]Deprecation{}
	for _, route := range Reference() {
		if route.Deprecated != nil {
			all[route.Path] = *route.Deprecated
		}
	}
	return all
}

// note describes the deprecation.
func (d Deprecation) note() Text {
	return Text{
		fmt.Sprintf("Obsolète à partir du %s, retirée au plus tôt le %s ; utilisez %s.", d.Since.Format(time.DateOnly), d.Sunset.Format(time.DateOnly), d.Successor),
		fmt.Sprintf("Deprecated from %s, removed no earlier than %s; use %s.", d.Since.Format(time.DateOnly), d.Sunset.Format(time.DateOnly), d.Successor),
	}
}

// ContentXML is the media type of answers in XML. An error of such a route is an Acknowledgement in XML, too.
const ContentXML = "application/xml"

// Access is who may call a route.
type Access string

const (
	AccessPublic        Access = "public"
	AccessAccount       Access = "account"       // any account
	AccessSubscription  Access = "subscription"  // an active subscription that covers the data
	AccessAdministrator Access = "administrator" // an administrator
)

// Parameter is a parameter of a route, in its path, its query or its form.
type Parameter struct {
	Name     string
	In       string // path, query or form
	Text     Text
	Kind     Kind
	Values   []string
	Most     int  // of a number from 1; 0: there is no upper bound
	List     bool // several values, separated by commas
	Optional bool
}

// Kind is the type of a value that is not null.
type Kind string

const (
	KindNumber  Kind = "number"
	KindInteger Kind = "integer"
	KindBoolean Kind = "boolean"
	KindString  Kind = "string"
	KindInstant Kind = "date-time" // UTC, with milliseconds
	KindDate    Kind = "date"      // a delivery date in Europe/Paris
	KindValue   Kind = "value"     // a number, a boolean or a string
	KindZoned   Kind = "zoned"     // an instant with milliseconds, in UTC or with the offset of Europe/Paris
	// KindFlagOrMean is a boolean, or the share of booleans that are true.
	KindFlagOrMean Kind = "flag-or-mean"
	KindObject     Kind = "object"
	KindList       Kind = "array"  // of objects
	KindWords      Kind = "words"  // a list of strings
	KindMap        Kind = "map"    // values by texts, each as the only one of Fields
	KindValues     Kind = "values" // a list of values, each of which is as the only one of Fields
)

// Field is a member of a JSON object.
type Field struct {
	Name     string
	Kind     Kind
	Nullable bool
	Absent   bool // it may be absent
	Unit     string
	Text     Text
	Values   []string // all possible values
	Fields   []Field  // of an object, or of each object in a list
	Schema   string   // the name of the schema of the object, or of each object in a list, in OpenAPI; empty: none
	Of       string   // the path of the endpoint whose answer it is, byte for byte
}

// Reference returns every route: those of the endpoints first, then the given ones, whose parameters package web does not know.
func Reference(given ...Route) []Route {
	return slices.Concat(apiRoutes(), given, otherRoutes(), pageRoutes(), formRoutes())
}
