package web

import "strings"

// mcpRoute describes the endpoint of the Model Context Protocol.
func mcpRoute() Route {
	return Route{
		Method: "POST", Path: PathMCP, Access: AccessAccount, TokenOnly: true, Request: "application/json", Content: "application/json",
		Summary: Text{"Model Context Protocol : les données pour un modèle", "Model Context Protocol: the data for a model"},
		Notes: []Text{{
			"HTTP « streamable », sans état : une requête JSON-RPC, une réponse en JSON. Quatre outils, en lecture seule : " +
				"list_datasets, read_rows, summarise et feed_status. Le jeton va dans l’en-tête Authorization et lit ce que son abonnement " +
				"permet. L’en-tête Accept nomme application/json et text/event-stream.",
			"Streamable HTTP without state: one JSON-RPC request, one answer in JSON. Four tools that only read: " +
				"list_datasets, read_rows, summarise and feed_status. The token goes into the Authorization header and reads what its subscription " +
				"allows. The Accept header names application/json and text/event-stream.",
		}},
	}
}

// Instructions returns what a model has to know of the data before it calls a tool, in English.
func Instructions() string {
	return strings.Join(append([]string{apiSummary.EN}, textsIn(English, dataRules)...), " ")
}

// Version returns the version of the API.
func Version() string { return apiChanges[0].Version }

// ToolRowsFields returns the members of the answer of a tool that gives rows of any dataset.
func ToolRowsFields() []Field {
	value := nullable(Field{Kind: KindValue})
	return rowsFields(datasetNames, same("Give it as “cursor”, with the same other arguments, for the rows that follow; null: there are none"),
		Field{Name: "rows", Kind: KindValues, Text: same("The rows: the values by the names in “columns”"),
			Fields: []Field{{Kind: KindMap, Fields: []Field{value}}}})
}

// Schema returns the JSON Schema of an object with the fields, described in English. No field may have a named schema.
func Schema(fields []Field) map[string]any { return schemas{English, object{}}.object(fields) }
