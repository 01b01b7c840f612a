package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"courant/server/api/format"
	"courant/store/market"
	"courant/web"
)

const (
	// mostPageRows is how many rows a page may have at most.
	mostPageRows = 100_000
	// longestNull is how many characters the text for null may have.
	longestNull = 8
	// longestKeyValue is how many bytes a value of a key may have.
	longestKeyValue = 64
)

// rowsQuery is what a request asks of the rows of a dataset.
type rowsQuery struct {
	dataset market.Dataset
	// period is the range of the starts of rows, cut to whole seconds. Its years are 1900 to 9999, so it may be far longer
	// than what is stored. Resampled rows are made from all rows of resolution.Whole(period).
	period market.Period
	// columns are those that are given, in this order; of resampled rows those from which they are made.
	columns    []market.ServedColumn
	keys       [][]string          // the values that are asked for of each of the series' ServedKeys; nil: all
	resolution market.BucketLength // empty: the native step
	stats      []market.Stat       // empty: native rows
	inParis    bool                // times are given in Europe/Paris, not in UTC
	descending bool
	limit      int          // rows of a page; 0: all rows
	asOf       time.Time    // whole ms; zero: the newest
	since      changedSince // zero: all rows
	format     format.Form
	doubles    bool      // numbers in Parquet are DOUBLE
	nulls      string    // what stands for null in a CSV
	page       *rowsPage // nil: the first page, of the newest position

	repeated url.Values // the parameters that the address of the next page repeats: all but the cursor
}

// changedSince is from when on the rows that are asked for have changed: an instant, or else after a position.
type changedSince struct {
	given    bool
	instant  time.Time // whole ms, inclusive; zero: position counts
	position int64     // exclusive
}

// rowsParameters lists the parameters of the rows of a dataset, in the order in which they are read.
func rowsParameters(dataset market.Dataset) []queryParameter {
	series := dataset.Series()
	parameters := []queryParameter{
		{name: "from", accepts: acceptedInstants},
		{name: "to", accepts: acceptedInstants},
		{name: "date", accepts: acceptedDates},
		choices("columns", columnNames(rowsColumns(dataset)), web.Text{
			FR: "une ou plusieurs colonnes, séparées par des virgules, chacune une fois, en plus de la période et des clés, toujours là :",
			EN: "one or more columns, separated by commas and each once, beside the period and the keys, which are always there:",
		}),
	}
	for _, key := range series.ServedKeys() {
		parameter := choices(key.Name, key.Values, acceptedList)
		if key.Values == nil {
			parameter.accepts = web.Text{
				FR: fmt.Sprintf("jusqu’à %d valeurs d’au plus %d caractères, séparées par des virgules et chacune une fois",
					mostListed, longestKeyValue),
				EN: fmt.Sprintf("up to %d values of at most %d characters, separated by commas and each once",
					mostListed, longestKeyValue),
			}
		}
		parameters = append(parameters, parameter)
	}
	return append(parameters,
		choice("resolution", resolutions(series)),
		choices("stat", words(market.Stats()), acceptedList),
		choice("tz", rowsZones),
		choice("order", rowsOrders),
		queryParameter{name: limitParameter, accepts: web.Text{
			FR: fmt.Sprintf("un nombre entier de 1 à %d", mostPageRows), EN: fmt.Sprintf("a whole number from 1 to %d", mostPageRows),
		}},
		queryParameter{name: "as_of", accepts: acceptedInstants},
		queryParameter{name: "updated_since", accepts: web.Text{
			FR: acceptedInstants.FR + " ; ou une position, telle que dans X-Courant-Position (jusqu’à 8 chiffres)",
			EN: acceptedInstants.EN + "; or a position, as in X-Courant-Position (up to 8 digits)",
		}},
		choice("format", words(format.All())),
		choice("numbers", rowsNumbers),
		queryParameter{name: "nulls", accepts: web.Text{
			FR: fmt.Sprintf("un texte de 1 à %d caractères visibles, sans guillemet, virgule ni point-virgule, "+
				"qui ne commence pas par =, + ou @", longestNull),
			EN: fmt.Sprintf("a text of 1 to %d visible characters, without quote, comma or semicolon, "+
				"that does not begin with =, + or @", longestNull),
		}},
		queryParameter{name: "cursor", accepts: web.Text{
			FR: "le curseur d’une réponse aux mêmes autres paramètres : suivez « next », ou recommencez sans « cursor »",
			EN: "the cursor of an answer to the same other parameters: follow “next”, or begin again without “cursor”",
		}},
	)
}

const (
	zoneUTC         = "UTC"
	zoneParis       = "Europe/Paris"
	orderAscending  = "asc"
	orderDescending = "desc"
	numbersDouble   = "double"
	limitParameter  = "limit"
)

var (
	rowsZones   = []string{zoneUTC, zoneParis}
	rowsOrders  = []string{orderAscending, orderDescending}
	rowsNumbers = []string{numbersDouble}
)

// words are texts of any type as plain ones.
func words[T ~string](texts []T) []string {
	plain := make([]string, len(texts))
	for i, text := range texts {
		plain[i] = string(text)
	}
	return plain
}

// resolutions are the values of the parameter resolution: none is finer than the step of the series.
func resolutions(series market.AnySeries) []string {
	accepted := []string{format.Native}
	for _, length := range market.BucketLengths() {
		if !length.IsFinerThan(series.StepSeconds()) {
			accepted = append(accepted, string(length))
		}
	}
	return accepted
}

// rowsColumns are the columns that may be asked for: the dataset's own, and those that every dataset has.
func rowsColumns(dataset market.Dataset) []market.ServedColumn {
	return append(dataset.Series().ServedColumns(), market.ExtraColumns()...)
}

func columnNames(columns []market.ServedColumn) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// parseRowsQuery reads the query of an address and the values of Accept. Words such as yesterday are counted from now, and
// latest is the newest stored delivery date; zero if nothing is stored. Every error is a problem with the code
// invalid_parameter that names the parameter and what it accepts.
func parseRowsQuery(dataset market.Dataset, raw string, accept []string, now time.Time, latest market.DeliveryDate) (rowsQuery, error) {
	p := rowsParser{
		rowsQuery:   rowsQuery{dataset: dataset},
		queryParser: queryParser{parameters: rowsParameters(dataset), now: now},
		series:      dataset.Series(), accept: accept, latest: latest,
	}
	if p.latest.IsZero() {
		p.latest = market.DeliveryDateOf(now)
	}
	if err := p.split(raw); err != nil {
		return rowsQuery{}, err
	}
	p.cursor = p.given.Get("cursor")
	p.given.Del("cursor")
	p.repeated = p.given
	for _, read := range []func() error{
		p.readPeriod, p.readResolution, p.readColumns, p.readKeys, p.readPresentation, p.readVersion, p.readFormat, p.readPage,
	} {
		if err := read(); err != nil {
			return rowsQuery{}, err
		}
	}
	return p.rowsQuery, nil
}

// rowsParser reads a rowsQuery.
type rowsParser struct {
	rowsQuery
	queryParser
	series market.AnySeries
	accept []string
	latest market.DeliveryDate
	cursor string // empty: there is none
}

func (p *rowsParser) readPeriod() error {
	has := p.given.Has
	switch {
	case has("date") && (has("from") || has("to")):
		return problemInvalidParameter.withDetail(
			"Donnez « date », ou bien « from » et « to » : « date » est une date de livraison complète.",
			"Give either “date” or “from” and “to”: “date” is a complete delivery date.")
	case has("to") && !has("from"):
		return p.refuse("to", "est donné sans « from »", "is given without “from”")
	case has("date"):
		date, valid := parseDate(p.given.Get("date"), p.now)
		if !valid {
			return p.refuseValue("date", p.given.Get("date"))
		}
		p.period = date.Period()
		return nil
	case !has("from"):
		p.period = p.latest.Period()
		return nil
	}
	// Rows start at whole seconds, so a bound rounded up to the next one includes and excludes the same rows.
	from, err := p.instant("from", time.Second)
	if err != nil {
		return err
	}
	to, err := p.instant("to", time.Second)
	if err != nil {
		return err
	}
	p.period = market.Period{Start: from.Unix(), End: to.Unix()}
	if !has("to") {
		p.period.End = max(p.period.Start, p.latest.End().Unix())
	}
	if p.period.End < p.period.Start {
		return p.refuse("from", "est après « to »", "is after “to”")
	}
	return nil
}

func (p *rowsParser) readResolution() error {
	resolution, err := p.choice("resolution", resolutions(p.series), format.Native)
	if err != nil {
		return err
	}
	stats, err := p.list("stat", isOneOf(words(market.Stats())))
	if err != nil {
		return err
	}
	switch {
	case resolution != format.Native && p.given.Has("updated_since"):
		return problemInvalidParameter.withDetail(
			"« updated_since » accepte seulement « resolution=native » : il choisit des lignes telles que publiées.",
			"“updated_since” accepts only “resolution=native”: it chooses rows as they were published.")
	case resolution == format.Native && stats != nil:
		return p.refuse("stat", "est donné sans « resolution » autre que native", "is given without a “resolution” other than native")
	case resolution == format.Native:
		return nil
	case stats == nil:
		stats = []string{string(market.StatMean)}
	}
	p.resolution = market.BucketLength(resolution)
	for _, stat := range stats {
		p.stats = append(p.stats, market.Stat(stat))
	}
	return nil
}

func (p *rowsParser) readColumns() error {
	all := rowsColumns(p.dataset)
	names, err := p.list("columns", isOneOf(columnNames(all)))
	if err != nil {
		return err
	}
	if names == nil {
		names = columnNames(p.series.ServedColumns())
	}
	for _, name := range names {
		column := all[slices.IndexFunc(all, func(c market.ServedColumn) bool { return c.Name == name })]
		switch {
		case p.resolution == "" || column.IsResampled():
			p.columns = append(p.columns, column)
		case p.given.Has("columns"):
			return problemInvalidParameter.withDetail(
				"« columns » n’accepte « "+name+" » qu’avec « resolution=native » : sinon, il accepte les nombres et les booléens.",
				"“columns” accepts “"+name+"” only with “resolution=native”: else it accepts numbers and booleans.")
		}
	}
	return nil
}

func (p *rowsParser) readKeys() error {
	for _, key := range p.series.ServedKeys() {
		isAccepted := isOneOf(key.Values)
		if key.Values == nil {
			isAccepted = func(value string) bool {
				return value != "" && len(value) <= longestKeyValue && strings.IndexFunc(value, unicode.IsControl) < 0
			}
		}
		values, err := p.list(key.Name, isAccepted)
		if err != nil {
			return err
		}
		p.keys = append(p.keys, values)
	}
	return nil
}

func (p *rowsParser) readPresentation() error {
	zone, err := p.choice("tz", rowsZones, zoneUTC)
	if err != nil {
		return err
	}
	order, err := p.choice("order", rowsOrders, orderAscending)
	if err != nil {
		return err
	}
	p.inParis, p.descending = zone == zoneParis, order == orderDescending
	limit, err := p.count(limitParameter, 0, mostPageRows)
	if err != nil {
		return err
	}
	p.limit = int(limit)
	return nil
}

// readVersion reads which versions of the rows are asked for. Commits have times in whole milliseconds.
func (p *rowsParser) readVersion() (err error) {
	if p.asOf, err = p.instant("as_of", 1); err != nil {
		return err
	}
	p.asOf = p.asOf.Truncate(time.Millisecond)
	since := p.given.Get("updated_since")
	p.since.given = since != ""
	if isDigits(since) && len(since) <= 8 {
		p.since.position, err = strconv.ParseInt(since, 10, 64)
		return err
	}
	p.since.instant, err = p.instant("updated_since", time.Millisecond)
	return err
}

func (p *rowsParser) readFormat() error {
	name, err := p.choice("format", words(format.All()), string(acceptedFormat(p.accept)))
	if err != nil {
		return err
	}
	p.format = format.Form(name)
	numbers, err := p.choice("numbers", rowsNumbers, "")
	if err != nil {
		return err
	}
	p.doubles = numbers == numbersDouble
	if p.doubles && p.format != format.Parquet {
		return p.refuse("numbers", "est donné sans « format=parquet »", "is given without “format=parquet”")
	}
	p.nulls = p.given.Get("nulls")
	switch {
	case p.nulls == "":
		return nil
	case !isNullText(p.nulls):
		return p.refuseValue("nulls", p.nulls)
	case !p.format.IsCSV():
		return p.refuse("nulls", "est donné sans « format=csv » ou « format=csv-fr »", "is given without “format=csv” or “format=csv-fr”")
	}
	return nil
}

// isNullText reports whether a cell with the text stays one cell in both kinds of CSV, without quotes, and is no formula.
func isNullText(text string) bool {
	isHidden := func(r rune) bool { return !unicode.IsGraphic(r) || r == '\uFFFD' }
	return utf8.RuneCountInString(text) <= longestNull && strings.TrimSpace(text) == text && !strings.ContainsAny(text, `",;`) &&
		!strings.ContainsAny(text[:1], "=+@") && strings.IndexFunc(text, isHidden) < 0
}

func (p *rowsParser) readPage() error {
	if p.cursor == "" {
		return nil
	}
	if p.limit == 0 {
		return problemInvalidParameter.withDetail(
			"« cursor » est donné sans « limit » ; répétez les paramètres de la page précédente.",
			"“cursor” is given without “limit”; repeat the parameters of the previous page.")
	}
	if !p.readCursor(p.cursor) {
		return p.refuse("cursor", "ne vient pas d’une réponse aux mêmes autres paramètres",
			"does not come from an answer to the same other parameters")
	}
	return nil
}

// canonical is the query in one form, which queries that ask for the same share: defaults are written out, and words such as
// now are replaced by what they stand for.
func (q *rowsQuery) canonical() string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	values := url.Values{
		"from": {number(q.period.Start)}, "to": {number(q.period.End)}, "columns": columnNames(q.columns),
		"resolution": {string(q.resolution)}, "stat": words(q.stats), "paris": {strconv.FormatBool(q.inParis)},
		"descending": {strconv.FormatBool(q.descending)}, "limit": {strconv.Itoa(q.limit)}, "format": {string(q.format)},
		"doubles": {strconv.FormatBool(q.doubles)}, "nulls": {q.nulls},
	}
	for i, key := range q.dataset.Series().ServedKeys() {
		values[key.Name] = slices.Sorted(slices.Values(q.keys[i]))
	}
	if !q.asOf.IsZero() {
		values.Set("as_of", number(q.asOf.UnixMilli()))
	}
	switch {
	case !q.since.instant.IsZero():
		values.Set("since", number(q.since.instant.UnixMilli()))
	case q.since.given:
		values.Set("after", number(q.since.position))
	}
	if q.page != nil {
		values["page"] = []string{number(q.page.position), number(q.page.place.start), strconv.Itoa(q.page.place.row)}
	}
	return string(q.dataset) + "?" + values.Encode()
}

// contentDisposition is the header that names the file after the dataset, the range and the resolution; empty if the answer
// is not a file. The range is a delivery date, or from and to, where to is not included.
func (q *rowsQuery) contentDisposition(isSimulated bool) string {
	if !q.format.IsFile() {
		return ""
	}
	bounds := fileTime(q.period.Start) + "_to_" + fileTime(q.period.End)
	if date := market.DeliveryDateOf(q.period.From()); date.Period() == q.period {
		bounds = date.String()
	}
	resolution := format.Native
	if q.resolution != "" {
		resolution = string(q.resolution)
	}
	return attachment(q.dataset, bounds+"_"+resolution+"."+q.format.Extension(), isSimulated)
}

// attachment is the header that names a file of a dataset. The name of simulated data begins with that word, because a CSV has no other
// place for it.
func attachment(dataset market.Dataset, rest string, isSimulated bool) string {
	mark := ""
	if isSimulated {
		mark = simulated[0] + "_"
	}
	return `attachment; filename="` + mark + string(dataset) + "_" + rest + `"`
}

// fileTime is an instant as file names have it: a date if it is midnight in Paris, else UTC.
func fileTime(second int64) string {
	t := time.Unix(second, 0).UTC()
	if date := market.DeliveryDateOf(t); date.Start().Equal(t) {
		return date.String()
	}
	return t.Format("20060102T150405Z")
}
