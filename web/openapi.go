package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object. Its keys are marshalled in alphabetical order, so the document is always the same.
type object = map[string]any

// Site is what the documentation states about this installation.
type Site struct {
	PublicURL string // as users type it; empty: the address of the page
	Contact   string // may be empty
	// SessionCookie is the name of the cookie of a session.
	SessionCookie string
}

// schemas makes the schemas of one language. It collects those that have a name.
type schemas struct {
	language Language
	named    object
}

// OpenAPI returns the OpenAPI 3.1 document of the routes in one language.
func OpenAPI(l Language, site Site, routes []Route) ([]byte, error) {
	paths, made := object{}, schemas{l, object{}}
	made.named["Problem"] = made.problem()
	for _, route := range routes {
		if route.Body != nil {
			made.named[route.schemaName()] = made.body(route.Body)
		}
		at, is := paths[route.Path].(object)
		if !is {
			at = object{}
			paths[route.Path] = at
		}
		at[strings.ToLower(route.Method)] = made.operation(route)
	}
	info := object{
		"title": "Courant", "version": apiChanges[0].Version,
		"license":     object{"name": "MIT", "identifier": "MIT"},
		"description": strings.Join(append([]string{apiSummary.In(l)}, textsIn(l, dataRules)...), " "),
	}
	if site.Contact != "" {
		info["contact"] = object{"name": site.Contact}
	}
	server := site.PublicURL
	if server == "" {
		server = "/"
	}
	return json.MarshalIndent(object{
		"openapi": "3.1.0", "info": info, "servers": []object{{"url": server}}, "paths": paths,
		"components": object{
			"schemas": made.named,
			"securitySchemes": object{
				"token": object{"type": "http", "scheme": "bearer", "description": Text{"Un jeton crt_…", "A token crt_…"}.In(l)},
				"session": object{
					"type": "apiKey", "in": "cookie", "name": site.SessionCookie,
					"description": Text{"Une session du tableau de bord", "A session of the dashboard"}.In(l),
				},
			},
			"responses": object{
				"Problem": object{
					"description": Text{"Une erreur (RFC 9457)", "An error (RFC 9457)"}.In(l),
					"content":     object{"application/problem+json": object{"schema": reference("Problem")}},
				},
				"Acknowledgement": object{
					"description": Text{
						"Une erreur : Acknowledgement_MarketDocument, dont Reason/text commence par le code", "An error: Acknowledgement_MarketDocument, whose Reason/text begins with the code",
					}.In(l),
					"content": object{ContentXML: object{"schema": contentSchema(ContentXML)}},
				},
			},
		},
	}, "", " ")
}

// reference refers to a schema, or to the component of that name of another kind.
func reference(name string, kind ...string) object {
	if len(kind) == 0 {
		kind = []string{"schemas"}
	}
	return object{"$ref": "#/components/" + kind[0] + "/" + name}
}

// contentSchema returns the schema of content that is not one JSON document that is described: a text or a file.
func contentSchema(mediaType string) object {
	switch {
	case mediaType == "application/json":
		return object{"type": "object", "additionalProperties": true}
	case strings.HasPrefix(mediaType, "text/"), mediaType == "application/x-ndjson", mediaType == ContentXML:
		return object{"type": "string"}
	}
	return object{"type": "string", "format": "binary"}
}

// refusals returns the statuses from 400 to 499 that the route's own rules answer. A body that is too large is the only one
// of a public route without parameters.
func (r Route) refusals() []int {
	statuses := slices.Clone(r.Refused)
	isAPI, isOpen := r.Content != "text/html" && r.Method == "GET" || r.Request != "" || strings.HasPrefix(r.Path, PathAPI), r.Access == AccessPublic
	takes := func(in string) bool {
		return slices.ContainsFunc(r.Parameters, func(p Parameter) bool { return p.In == in })
	}
	if takes("query") || r.Form != nil {
		statuses = append(statuses, http.StatusBadRequest)
	}
	if isAPI && !isOpen {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusTooManyRequests)
	}
	if len(r.Datasets) > 0 || r.Access == AccessSubscription || r.Access == AccessAdministrator || r.Method != "GET" {
		statuses = append(statuses, http.StatusForbidden)
	}
	if takes("path") || strings.HasSuffix(r.Path, "/rows") {
		statuses = append(statuses, http.StatusNotFound)
	}
	if statuses == nil || r.Method == "POST" {
		statuses = append(statuses, http.StatusRequestEntityTooLarge)
	}
	return statuses
}

// schemaName returns the name of the schema of the route's answer.
func (r Route) schemaName() string {
	if r.Method == "GET" {
		return schemaName(r.Path)
	}
	return strings.ToLower(r.Method) + "-" + schemaName(r.Path)
}

// schemaName returns the name of the schema of a path's answer, such as day-ahead-prices.
func schemaName(path string) string {
	switch path {
	case PathDataset:
		return "dataset"
	case PathArchive:
		return "archive"
	}
	if rows, is := strings.CutPrefix(path, PathDatasets+"/"); is {
		path = strings.Replace(rows, "/", "-", 1)
	}
	path = strings.Trim(strings.Replace(strings.TrimPrefix(path, PathAPI), "/{dataset}", "", 1), "/")
	return strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}

func (s schemas) operation(route Route) object {
	l := s.language
	notes := textsIn(l, route.Notes)
	if route.Deprecated != nil {
		notes = append(notes, route.Deprecated.note().In(l))
	}
	made := object{"summary": route.Summary.In(l), "operationId": operationID(route), "security": security(route)}
	if len(notes) > 0 {
		made["description"] = strings.Join(notes, "\n\n")
	}
	if len(route.Datasets) > 0 {
		made["x-datasets"] = route.Datasets
	}
	answer := object{"description": Text{"La réponse", "The answer"}.In(l)}
	status := "200"
	if route.Status != 0 {
		status = strconv.Itoa(route.Status)
	}
	switch {
	case route.Content == "" && route.Status != 0:
	case route.Content == "":
		status = "303"
		answer["description"] = Text{"La page suivante est à l’adresse Location", "The next page is at Location"}.In(l)
	case route.Body != nil:
		described := object{"schema": reference(route.schemaName())}
		if example := route.Example.In(l); example != "" {
			described["example"] = json.RawMessage(example)
		}
		content := object{route.Content: described}
		for _, mediaType := range route.OtherContent {
			content[mediaType] = object{"schema": contentSchema(mediaType)}
		}
		answer["content"] = content
	default:
		answer["content"] = object{route.Content: object{"schema": contentSchema(route.Content)}}
	}
	headers := route.Headers
	if strings.HasPrefix(route.Path, PathAPI) || len(route.Datasets) > 0 || route.Path == PathCSV {
		headers = append(headers, word("X-Courant-Data", Text{
			"« simulated » si les données sont simulées", "“simulated” if the data are simulated",
		}))
	}
	if route.Deprecated != nil {
		made["deprecated"] = true
		headers = append(headers,
			word("Deprecation", Text{"Depuis quand l’adresse est obsolète (RFC 9745)", "From when on the address is deprecated (RFC 9745)"}),
			word("Sunset", Text{"Quand l’adresse peut être retirée (RFC 8594)", "When the address may be removed (RFC 8594)"}),
			word("Link", Text{"L’adresse qui la remplace, « rel=successor-version »", "The address that replaces it, “rel=successor-version”"}))
	}
	if route.Paged {
		headers = append(headers, word("Link", Text{
			"La page suivante, « rel=next », s’il y en a une (RFC 8288)", "The next page, “rel=next”, if there is one (RFC 8288)",
		}))
	}
	refusal := "Problem"
	if route.Content == ContentXML {
		refusal = "Acknowledgement"
	}
	responses := object{"default": reference(refusal, "responses")}
	if route.Cached {
		headers = append(headers, word("ETag", Text{
			"À renvoyer dans If-None-Match", "To send back in If-None-Match",
		}))
		responses["304"] = object{"description": Text{"Le client a déjà cette réponse", "The client has this answer already"}.In(l)}
	}
	if len(headers) > 0 {
		described := object{}
		for _, header := range headers {
			described[header.Name] = object{"description": header.Text.In(l), "schema": valueSchema(header.Kind, header.Values)}
		}
		answer["headers"] = described
	}
	responses[status] = answer
	for _, refused := range route.refusals() {
		responses[strconv.Itoa(refused)] = reference(refusal, "responses")
	}
	if route.Access != AccessPublic && route.Content == "text/html" {
		responses["303"] = object{
			"description": Text{"Sans session : vers " + PageLogin.Path.FR, "Without a session: to " + PageLogin.Path.EN}.In(l),
		}
	}
	made["responses"] = responses
	var parameters []object
	for _, p := range route.Parameters {
		schema := valueSchema(p.Kind, p.Values)
		if p.List {
			schema = listedSchema(p.Values)
		}
		if p.Most > 0 {
			schema["minimum"], schema["maximum"] = 1, p.Most
		}
		parameters = append(parameters, object{
			"name": p.Name, "in": p.In, "required": !p.Optional, "description": p.Text.In(l), "schema": schema,
		})
	}
	if parameters != nil {
		made["parameters"] = parameters
	}
	if route.Request != "" {
		schema := contentSchema(route.Request)
		if route.Sent != nil {
			schema = s.object(route.Sent)
		}
		made["requestBody"] = object{"required": true, "content": object{route.Request: object{"schema": schema}}}
	}
	if route.Form != nil {
		properties := object{}
		for _, field := range route.Form {
			properties[field.Name] = valueSchema(field.Kind, field.Values)
		}
		made["requestBody"] = object{"content": object{
			"application/x-www-form-urlencoded": object{"schema": object{"type": "object", "properties": properties}},
		}}
	}
	return made
}

func textsIn(l Language, texts []Text) []string {
	var all []string
	for _, text := range texts {
		all = append(all, text.In(l))
	}
	return all
}

func operationID(route Route) string {
	id := strings.Trim(strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(route.Path), "-")
	if id == "" {
		id = "overview"
	}
	return strings.ToLower(route.Method) + "-" + id
}

func security(route Route) []object {
	switch token := (object{"token": []string{}}); {
	case route.Access == AccessPublic:
		return []object{}
	case route.TokenOnly:
		return []object{token}
	default:
		return []object{token, {"session": []string{}}}
	}
}

func (s schemas) object(fields []Field) object {
	properties, required := object{}, []string{}
	for _, field := range fields {
		properties[field.Name] = s.field(field)
		if !field.Absent {
			required = append(required, field.Name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// body returns the schema of an answer.
func (s schemas) body(fields []Field) object {
	if len(fields) == 1 && fields[0].Name == "" {
		return s.field(fields[0])
	}
	return s.object(fields)
}

// fieldObject returns the schema of the field's object, or of the objects in its list.
func (s schemas) fieldObject(field Field) object {
	if field.Schema == "" {
		return s.object(field.Fields)
	}
	s.named[field.Schema] = s.object(field.Fields)
	return reference(field.Schema)
}

func (s schemas) field(field Field) object {
	if field.Of != "" {
		return reference(schemaName(field.Of))
	}
	var schema object
	switch field.Kind {
	case KindObject:
		schema = s.fieldObject(field)
	case KindList:
		schema = object{"type": "array", "items": s.fieldObject(field)}
	case KindValues:
		schema = object{"type": "array", "items": s.field(field.Fields[0])}
	case KindMap:
		schema = object{"type": "object", "additionalProperties": s.field(field.Fields[0])}
	case KindWords:
		schema = object{"type": "array", "items": object{"type": "string"}}
	default:
		schema = valueSchema(field.Kind, field.Values)
	}
	if field.Nullable {
		schema = orNull(schema)
	}
	schema["description"] = field.Text.In(s.language)
	if field.Unit != "" {
		schema["description"] = fmt.Sprintf("%s (%s)", field.Text.In(s.language), field.Unit)
		schema["x-unit"] = field.Unit
	}
	return schema
}

// orNull returns the schema of what is null or as the schema says. A list of types stays short where it says all: makers of
// clients refuse longer lists, and lose the null beside an object or an enumeration.
func orNull(schema object) object {
	null := object{"type": "null"}
	if kinds, isUnion := schema["oneOf"].([]object); isUnion {
		return object{"oneOf": append(kinds, null)}
	}
	one, isPlain := schema["type"].(string)
	if _, isEnumeration := schema["enum"]; !isPlain || isEnumeration || one == "object" || one == "array" {
		return object{"oneOf": []object{schema, null}}
	}
	schema["type"] = []string{one, "null"}
	return schema
}

func valueSchema(kind Kind, values []string) object {
	schema := object{"type": string(kind)}
	switch kind {
	case KindInstant:
		schema = object{"type": "string", "format": "date-time", "pattern": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`}
	case KindDate:
		schema = object{"type": "string", "format": "date", "pattern": `^\d{4}-\d\d-\d\d$`}
	case KindZoned:
		schema = object{
			"type": "string", "format": "date-time", "pattern": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$`,
		}
	case KindNumber:
		schema["format"] = "double"
	case KindValue:
		schema = object{"oneOf": []object{
			{"type": "number", "format": "double"}, {"type": "boolean"}, {"type": "string"},
		}}
	case KindFlagOrMean:
		schema = object{"oneOf": []object{{"type": "boolean"}, {"type": "number", "format": "double"}}}
	}
	if len(values) > 0 {
		var all []any
		for _, value := range values {
			if n, err := strconv.Atoi(value); kind == KindInteger && err == nil {
				all = append(all, n)
			} else {
				all = append(all, value)
			}
		}
		schema["enum"] = all
	}
	return schema
}

// listedSchema returns the schema of a text with some of the values, separated by commas; nil values: any. It is no array,
// because clients such as openapi-fetch send the members of an array as parameters of one name, whatever is described.
func listedSchema(values []string) object {
	if values == nil {
		return object{"type": "string"}
	}
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = regexp.QuoteMeta(value)
	}
	one := "(" + strings.Join(quoted, "|") + ")"
	return object{"type": "string", "pattern": "^" + one + "(," + one + ")*$"}
}

func (s schemas) problem() object {
	return s.object([]Field{
		word("type", Text{"Adresse de la page qui explique le code", "Address of the page that explains the code"}),
		word("title", Text{"Titre, dans la langue demandée", "Title, in the language asked for"}),
		integer("status", "", Text{"Statut HTTP", "HTTP status"}),
		word("detail", Text{"Ce qu’il faut faire", "What to do"}),
		word("code", Text{"Ce qui ne change jamais", "What never changes"}, problemCodes()...),
	})
}
