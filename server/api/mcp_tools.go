package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"courant/server/api/format"
	"courant/store/market"
	"courant/web"
)

const (
	// usualToolRows and mostToolRows are how many rows an answer of a tool has, without a limit and at most.
	usualToolRows = 500
	mostToolRows  = 5000
)

// toolInstructions is what models have to know of all tools, besides the rules for the data.
const toolInstructions = "Units are in the descriptions of the columns: EUR/MWh, EUR/MW/h, MW, MWh. " +
	"Words such as today and tomorrow are delivery dates in Europe/Paris. Give tz=Europe/Paris to read times of day in France. " +
	"Begin with list_datasets. Use summarise for means, minima, maxima, sums and counts, and read_rows for single values: " +
	"aFRR energy has 21600 rows a day. Name the attribution of an answer when you publish its values."

// tool is a tool of the Model Context Protocol.
type tool struct {
	name, title, description string
	parameters               []toolParameter
	output                   []web.Field
	answer                   func(s *Server, request *toolRequest, given url.Values) ([]byte, error) // JSON
}

// toolParameter is an argument of a tool.
type toolParameter struct {
	name        string
	kind        string // string, integer or array, of strings
	description string
	values      []string // all that it accepts; nil: others
	isRequired  bool
}

// tools returns all tools.
func tools() []tool {
	rows := []toolParameter{
		{name: "dataset", kind: "string", values: words(market.Datasets()), isRequired: true, description: "The dataset."},
		{name: "from", kind: "string", description: "Start of the range, included: " + acceptedInstants.EN + ". Alone: to the end of what is stored."},
		{name: "to", kind: "string", description: "End of the range, excluded; needs from. Accepts the same as from."},
		{name: "date", kind: "string", description: "Instead of from and to: " + acceptedDates.EN + ". Without any of the three: the latest delivery date."},
		{name: "columns", kind: "array", description: "Names of columns, as list_datasets gives them, or updated_at, source, period_start_unix; without it, " +
			"all of the dataset's own. The period and the keys are always there."},
	}
	for _, key := range allKeys() {
		rows = append(rows, toolParameter{
			name: key.Name, kind: "array", values: key.Values, description: "Values of the key " + key.Name + ", for the datasets that have it; without it, all.",
		})
	}
	zone := toolParameter{name: "tz", kind: "string", values: rowsZones, description: "Time zone in which instants are written; without it, UTC."}
	page := []toolParameter{
		zone,
		{name: "order", kind: "string", values: rowsOrders, description: "Order of time; without it, asc."},
		{name: limitParameter, kind: "integer", description: fmt.Sprintf("Rows of the answer, 1 to %d; without it, %d.", mostToolRows, usualToolRows)},
		{name: "as_of", kind: "string", description: "The data as known at that instant, in the forms of from; without it, the data as known now."},
		{name: "cursor", kind: "string", description: "next of the answer before, with the same other arguments."},
	}
	resampled := []toolParameter{
		{name: "resolution", kind: "string", values: words(market.BucketLengths()), isRequired: true, description: "Length of the periods of the answer, " +
			"an ISO 8601 duration not shorter than the step of the dataset. Days and months are those of Paris: a day has 23, 24 or 25 hours."},
		{name: "stat", kind: "array", values: words(market.Stats()), description: "Statistics; without it: " + strings.Join(usualStats, ", ") +
			". share is the share of the expected steps that have a value, 0 to 1."},
	}
	since := toolParameter{
		name: "updated_since", kind: "string",
		description: "Only rows with a value that was stored or changed since: an instant, included, or a position, excluded.",
	}
	return []tool{
		{
			name: "list_datasets", title: "List the datasets", output: web.DatasetsFields(), answer: (*Server).listDatasets,
			description: "Lists all datasets of the French electricity market: what each has, its step, its columns with their units, the columns " +
				"that tell rows of one period apart (keys), the stored delivery dates, and which of them are not whole.",
		},
		{
			name: "read_rows", title: "Read rows", parameters: slices.Concat(rows, page, []toolParameter{since}), output: web.ToolRowsFields(),
			answer: (*Server).readRows,
			description: "Reads rows of a dataset as they were published, one for each step. A value that the source does not give is null, never 0. " +
				"missing lists the delivery dates of the range that are not whole. No data in the range: no rows.",
		},
		{
			name: "summarise", title: "Summarise rows", parameters: slices.Concat(rows, resampled, page), output: web.ToolRowsFields(),
			answer: (*Server).summarise,
			description: "Summarises the numbers of a dataset over periods of a length: mean, min, max, sum, count, share. Exact, to 6 decimals. " +
				"mean has the name of the column, others append _min, _max, _sum, _count, _share. A boolean's mean is the share of the steps that are " +
				"true. A period without a row is left out; with rows but without a value it is null and its count 0.",
		},
		{
			name: "feed_status", title: "State of the feeds", output: web.StatusFields(), answer: (*Server).feedStatus,
			description: "Tells whether the data are up to date: the state of each dataset (ok, late, error, …), its newest period, " +
				"the delivery dates that are missing and why, and what is odd in what was published.",
		},
	}
}

// usualStats are the statistics without the argument stat.
var usualStats = words([]market.Stat{market.StatMean, market.StatMin, market.StatMax, market.StatCount})

// allKeys returns the keys of all datasets, each once, with the values that it has in any of them; nil values: others too.
func allKeys() []market.ServedKey {
	var all []market.ServedKey
	for _, dataset := range market.Datasets() {
		for _, key := range dataset.Series().ServedKeys() {
			at := slices.IndexFunc(all, func(known market.ServedKey) bool { return known.Name == key.Name })
			if at < 0 {
				key.Values = slices.Clone(key.Values)
				all = append(all, key)
				continue
			}
			known := &all[at]
			if known.Values != nil && key.Values != nil {
				known.Values = slices.Compact(slices.Sorted(slices.Values(slices.Concat(known.Values, key.Values))))
			} else {
				known.Values = nil
			}
		}
	}
	return all
}

// inputSchema returns the JSON Schema of the arguments.
func (t tool) inputSchema() map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, p := range t.parameters {
		value := map[string]any{"type": p.kind}
		if p.kind == "array" {
			value = map[string]any{"type": "string"}
		}
		if p.values != nil {
			value["enum"] = p.values
		}
		if p.name == limitParameter {
			value["minimum"], value["maximum"] = 1, mostToolRows
		}
		if p.kind == "array" {
			value = map[string]any{"type": "array", "items": value}
		}
		value["description"] = p.description
		properties[p.name] = value
		if p.isRequired {
			required = append(required, p.name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (s *Server) listDatasets(request *toolRequest, _ url.Values) ([]byte, error) {
	found, err := s.report(request.ctx, request.identity.Admin)
	if err != nil {
		return nil, err
	}
	return json.Marshal(describeDatasets(found, web.English))
}

func (s *Server) feedStatus(request *toolRequest, _ url.Values) ([]byte, error) {
	found, err := s.report(request.ctx, request.identity.Admin)
	if err != nil {
		return nil, err
	}
	return json.Marshal(found)
}

func (s *Server) summarise(request *toolRequest, given url.Values) ([]byte, error) {
	if !given.Has("stat") {
		given.Set("stat", strings.Join(usualStats, ","))
	}
	return s.readRows(request, given)
}

// readRows returns a page of rows, as /api/datasets/{dataset}/rows gives it in JSON. Its next is a cursor.
func (s *Server) readRows(request *toolRequest, given url.Values) ([]byte, error) {
	dataset, known := market.ParseDataset(given.Get("dataset"))
	if !known {
		return nil, toolProblem("“dataset” does not accept “%s”; it accepts: %s.", visible(given.Get("dataset")), strings.Join(words(market.Datasets()), ", "))
	}
	if err := request.identity.May(dataset); err != nil {
		return nil, err
	}
	given.Del("dataset")
	given.Set("format", string(format.JSON))
	if !given.Has(limitParameter) {
		given.Set(limitParameter, strconv.Itoa(usualToolRows))
	}
	latest, _ := s.bodies.latest(dataset)
	query, err := parseRowsQuery(dataset, given.Encode(), nil, s.clock.Now(), latest)
	if err != nil {
		return nil, err
	}
	if query.limit > mostToolRows {
		return nil, toolProblem("“limit” accepts at most %d; give next as “cursor” for more.", mostToolRows)
	}
	answer, release, err := s.openRows(request.ctx, s.memo(), request.identity, query)
	if err != nil {
		return nil, err
	}
	defer release()
	next := ""
	if answer.nextPage != nil {
		next = query.cursorAt(int64(answer.reading.Changed), *answer.nextPage)
	}
	var out bytes.Buffer
	err = answer.write(web.English, s.simulated, next, answer.source.rows(request.ctx, query.limit), &out, func() error { return nil })
	return out.Bytes(), query.explain(err)
}
