package web

// Docs is the page that explains the API.
type Docs struct {
	Site      Site
	Endpoints []Documented
}

// Documented is a route with an example of its answer.
type Documented struct {
	Route
	Example string // JSON, shortened
	Live    bool   // the example is of what is served now, and the visitor may open the answer
}

// Name is the last part of the route's path.
func (d Documented) Name() string { return schemaName(d.Path) }

// FlatField is a field with where it stands in the answer, such as rows[].price.
type FlatField struct {
	Field
	Path string
}

// Flat lists all fields of the answer, down to the last.
func (d Documented) Flat() []FlatField { return flatten("", d.Body) }

func flatten(prefix string, fields []Field) []FlatField {
	var all []FlatField
	for _, field := range fields {
		path := prefix + field.Name
		all = append(all, FlatField{field, path})
		switch field.Kind {
		case KindList:
			all = append(all, flatten(path+"[].", field.Fields)...)
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

// Docs renders the page that explains the API.
func (p *Pages) Docs(visit Visit, view Docs) ([]byte, error) {
	return p.render("docs", visit, view)
}

// kinds are what a field's value is called.
var kinds = map[string]Text{
	string(KindNumber):  {"nombre", "number"},
	string(KindInteger): {"entier", "integer"},
	string(KindBoolean): {"booléen", "boolean"},
	string(KindString):  {"texte", "text"},
	string(KindInstant): {"instant UTC", "UTC instant"},
	string(KindDate):    {"date", "date"},
	string(KindObject):  {"objet", "object"},
	string(KindList):    {"liste", "list"},
	string(KindValue):   {"valeur", "value"},
}
