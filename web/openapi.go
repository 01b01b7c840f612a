package web

import (
	"encoding/json"
	"fmt"
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

// OpenAPI returns the OpenAPI 3.1 document of all routes in one language.
func OpenAPI(l Language, site Site) ([]byte, error) {
	paths, schemas := object{}, object{"Problem": problemSchema(l)}
	for _, route := range Reference() {
		if route.Body != nil {
			schemas[schemaName(route.Path)] = objectSchema(l, route.Body)
		}
		at, is := paths[route.Path].(object)
		if !is {
			at = object{}
			paths[route.Path] = at
		}
		at[strings.ToLower(route.Method)] = operation(l, route)
	}
	info := object{
		"title": "Courant", "version": "1",
		"description": Text{
			"Le marché français de l’électricité : prix day-ahead, capacité et énergie d’équilibrage. " +
				"Les instants sont en UTC, les dates sont des dates de livraison en Europe/Paris ; " +
				"une valeur que la source ne donne pas est null, jamais 0.",
			"The French electricity market: day-ahead prices, balancing capacity and energy. " +
				"Instants are UTC, dates are delivery dates in Europe/Paris; " +
				"a value that the source does not give is null, never 0.",
		}.In(l),
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
			"schemas": schemas,
			"securitySchemes": object{
				"token": object{"type": "http", "scheme": "bearer", "description": Text{"Un jeton crt_…", "A token crt_…"}.In(l)},
				"session": object{
					"type": "apiKey", "in": "cookie", "name": site.SessionCookie,
					"description": Text{"Une session du tableau de bord", "A session of the dashboard"}.In(l),
				},
			},
			"responses": object{"Problem": object{
				"description": Text{"Une erreur (RFC 9457)", "An error (RFC 9457)"}.In(l),
				"content":     object{"application/problem+json": object{"schema": reference("Problem")}},
			}},
		},
	}, "", " ")
}

func reference(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// schemaName returns the name of the schema of a path's answer, such as day-ahead-prices.
func schemaName(path string) string {
	if path == PathDataset {
		return "dataset"
	}
	return strings.Trim(strings.NewReplacer(PathAPI, "", "/{dataset}", "").Replace(path), "/")
}

func operation(l Language, route Route) object {
	var notes []string
	for _, note := range route.Notes {
		notes = append(notes, note.In(l))
	}
	if route.Deprecated != nil {
		notes = append(notes, route.Deprecated.note().In(l))
	}
	made := object{"summary": route.Summary.In(l), "operationId": operationID(route), "security": security(route.Access)}
	if len(notes) > 0 {
		made["description"] = strings.Join(notes, "\n\n")
	}
	if len(route.Datasets) > 0 {
		made["x-datasets"] = route.Datasets
	}
	answer := object{"description": Text{"La réponse", "The answer"}.In(l)}
	status := "200"
	switch {
	case route.Content == "":
		status = "303"
		answer["description"] = Text{"La page suivante est à l’adresse Location", "The next page is at Location"}.In(l)
	case route.Body != nil:
		answer["content"] = object{route.Content: object{"schema": reference(schemaName(route.Path))}}
	default:
		answer["content"] = object{route.Content: object{}}
	}
	if strings.HasPrefix(route.Path, PathAPI) || route.Path == PathCSV {
		answer["headers"] = object{"X-Courant-Data": object{
			"description": Text{"« simulated » si les données sont simulées", "“simulated” if the data are simulated"}.In(l),
			"schema":      object{"type": "string"},
		}}
	}
	if route.Deprecated != nil {
		made["deprecated"] = true
		for name, text := range map[string]Text{
			"Deprecation": {"Depuis quand l’adresse est obsolète (RFC 9745)", "From when on the address is deprecated (RFC 9745)"},
			"Sunset":      {"Quand l’adresse peut être retirée (RFC 8594)", "When the address may be removed (RFC 8594)"},
			"Link":        {"L’adresse qui la remplace, « rel=successor-version »", "The address that replaces it, “rel=successor-version”"},
		} {
			answer["headers"].(object)[name] = object{"description": text.In(l), "schema": object{"type": "string"}}
		}
	}
	if route.Paged {
		answer["headers"].(object)["Link"] = object{
			"description": Text{
				"La page suivante, « rel=next », s’il y en a une (RFC 8288)", "The next page, “rel=next”, if there is one (RFC 8288)",
			}.In(l),
			"schema": object{"type": "string"},
		}
	}
	responses := object{status: answer, "default": object{"$ref": "#/components/responses/Problem"}}
	if route.Access != AccessPublic && route.Content == "text/html" {
		responses["303"] = object{
			"description": Text{"Sans session : vers " + PageLogin.Path.FR, "Without a session: to " + PageLogin.Path.EN}.In(l),
		}
	}
	made["responses"] = responses
	var parameters []object
	for _, p := range route.Parameters {
		schema := valueSchema(p.Kind, p.Values)
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

func operationID(route Route) string {
	id := strings.Trim(strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(route.Path), "-")
	if id == "" {
		id = "overview"
	}
	return strings.ToLower(route.Method) + "-" + id
}

func security(access Access) []object {
	if access == AccessPublic {
		return []object{}
	}
	return []object{{"token": []string{}}, {"session": []string{}}}
}

func objectSchema(l Language, fields []Field) object {
	properties, required := object{}, []string{}
	for _, field := range fields {
		properties[field.Name] = fieldSchema(l, field)
		required = append(required, field.Name)
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func fieldSchema(l Language, field Field) object {
	if field.Of != "" {
		return reference(schemaName(field.Of))
	}
	var schema object
	switch field.Kind {
	case KindObject:
		schema = objectSchema(l, field.Fields)
	case KindList:
		schema = object{"type": "array", "items": objectSchema(l, field.Fields)}
	case KindWords:
		schema = object{"type": "array", "items": object{"type": "string"}}
	default:
		schema = valueSchema(field.Kind, field.Values)
	}
	schema["description"] = field.Text.In(l)
	if field.Unit != "" {
		schema["description"] = fmt.Sprintf("%s (%s)", field.Text.In(l), field.Unit)
		schema["x-unit"] = field.Unit
	}
	if field.Nullable {
		if one, single := schema["type"].(string); single {
			schema["type"] = []string{one, "null"}
		} else {
			schema["type"] = append(schema["type"].([]string), "null")
		}
	}
	return schema
}

func valueSchema(kind Kind, values []string) object {
	schema := object{"type": string(kind)}
	switch kind {
	case KindInstant:
		schema = object{"type": "string", "format": "date-time", "pattern": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`}
	case KindDate:
		schema = object{"type": "string", "format": "date", "pattern": `^\d{4}-\d\d-\d\d$`}
	case KindValue:
		schema = object{"type": []string{"number", "boolean", "string"}}
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

func problemSchema(l Language) object {
	var codes []string
	for _, p := range problems {
		codes = append(codes, string(p.Code))
	}
	return objectSchema(l, []Field{
		word("type", Text{"urn:courant:problem: et le code", "urn:courant:problem: and the code"}),
		word("title", Text{"Titre, dans la langue demandée", "Title, in the language asked for"}),
		integer("status", "", Text{"Statut HTTP", "HTTP status"}),
		word("detail", Text{"Ce qu’il faut faire", "What to do"}),
		word("code", Text{"Ce qui ne change jamais", "What never changes"}, codes...),
	})
}
