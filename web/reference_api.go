package web

import (
	"slices"
	"strconv"

	"courant/store/market"
)

var (
	textStart = Text{"Début de la période, inclus", "Start of the period, included"}
	textEnd   = Text{"Fin de la période, exclue", "End of the period, excluded"}
	textRead  = Text{
		"Fin de la dernière collecte réussie, même si elle n’a rien apporté",
		"End of the last successful reading at the source, even if it brought nothing",
	}
	textUp   = Text{"Prix à la hausse", "Upward price"}
	textDown = Text{"Prix à la baisse", "Downward price"}
)

func instant(name string, text Text) Field {
	return Field{Name: name, Kind: KindInstant, Text: text}
}

func number(name string, unit market.Unit, text Text) Field {
	return Field{Name: name, Kind: KindNumber, Nullable: true, Unit: string(unit), Text: text}
}

func word(name string, text Text, values ...string) Field {
	return Field{Name: name, Kind: KindString, Text: text, Values: values}
}

func list(name string, text Text, fields ...Field) Field {
	return Field{Name: name, Kind: KindList, Text: text, Fields: fields}
}

// nullable returns the field as one that may be null.
func nullable(f Field) Field {
	f.Nullable = true
	return f
}

// columnKinds are the kinds of fields by the kind of the column that they hold.
var columnKinds = map[market.Kind]Kind{
	market.KindNumber: KindNumber, market.KindBoolean: KindBoolean, market.KindString: KindString, market.KindInstant: KindInstant,
	market.KindInteger: KindInteger,
}

func columnField(c market.ServedColumn) Field {
	return Field{
		Name: c.Name, Kind: columnKinds[c.Kind], Nullable: c.Nullable, Unit: string(c.Unit), Text: Text(c.Text), Values: c.Values,
	}
}

// columnFields returns the fields of the columns of a dataset that have these names, in the order of the names.
func columnFields(dataset market.Dataset, names ...string) []Field {
	var fields []Field
	columns := dataset.Series().ServedColumns()
	for _, name := range names {
		at := slices.IndexFunc(columns, func(c market.ServedColumn) bool { return c.Name == name })
		fields = append(fields, columnField(columns[at]))
	}
	return fields
}

// keyField returns the field of the key of a dataset with that name.
func keyField(dataset market.Dataset, name string) Field {
	keys := dataset.Series().ServedKeys()
	key := keys[slices.IndexFunc(keys, func(k market.ServedKey) bool { return k.Name == name })]
	return word(key.Name, Text(key.Text), key.Values...)
}

// rowFields returns the fields of a row that is served as it is stored: its period, its keys and its columns.
func rowFields(dataset market.Dataset) []Field {
	fields := []Field{instant("period_start_utc", textStart), instant("period_end_utc", textEnd)}
	for _, key := range dataset.Series().ServedKeys() {
		fields = append(fields, word(key.Name, Text(key.Text), key.Values...))
	}
	for _, column := range dataset.Series().ServedColumns() {
		fields = append(fields, columnField(column))
	}
	return fields
}

// bodyOf returns the notes and fields of an answer, for the series that are not served row by row as stored.
var bodyOf = map[market.AnySeries]func(market.Dataset) ([]Text, []Field){
	market.Prices: pricesBody, market.Capacity: capacityBody, market.AFRR: afrrBody, market.MFRR: mfrrBody,
}

// apiRoutes returns one route for each dataset and for each aggregate.
func apiRoutes() []Route {
	var routes []Route
	for _, dataset := range market.Datasets() {
		about := dataset.About()
		describe, found := bodyOf[dataset.Series()]
		if !found {
			describe = rowsBody
		}
		notes, fields := describe(dataset)
		route := endpoint([]market.Dataset{dataset}, string(dataset), Text(about.Summary), notes, fields...)
		if about.Open {
			route.Access = AccessAccount
		}
		routes = append(routes, route)
	}
	for _, aggregate := range market.Aggregates() {
		var datasets []market.Dataset
		fields := []Field{nullable(instant("latestFetchedAtUtc", textRead))}
		for _, part := range aggregate.Parts {
			datasets = append(datasets, part.Dataset)
			path := PathAPI + string(part.Dataset)
			fields = append(fields, Field{
				Name: part.Key, Kind: KindObject, Of: path, Text: Text{"La réponse de " + path, "What " + path + " answers"},
			})
		}
		routes = append(routes, endpoint(datasets, aggregate.Name, Text(aggregate.Title), []Text{{
			"Chaque partie est, à l’octet près, la réponse de sa propre adresse.",
			"Each part is, to the byte, what its own endpoint answers.",
		}}, fields...))
	}
	return routes
}

func endpoint(datasets []market.Dataset, name string, summary Text, notes []Text, fields ...Field) Route {
	return Route{
		Method: "GET", Path: PathAPI + name, Summary: summary, Notes: notes, Access: AccessSubscription, Datasets: datasets,
		Content: "application/json", Cached: true, Body: fields,
	}
}

// windowNote names the source of a dataset whose answer covers the last delivery dates.
func windowNote(dataset market.Dataset) Text {
	product := dataset.About().Product
	return Text{
		"Source : " + product + ". La réponse couvre la dernière date de livraison stockée et les 28 dates précédentes.",
		"Source: " + product + ". The answer covers the last delivery date stored and the 28 dates before it.",
	}
}

// lastDateNote names the source of a dataset whose answer is about the last delivery date.
func lastDateNote(dataset market.Dataset) Text {
	product := dataset.About().Product
	return Text{
		"Source : " + product + ". Tout, sauf l’heure de collecte, porte sur la dernière date de livraison stockée.",
		"Source: " + product + ". Everything but the time of reading is about the last delivery date stored.",
	}
}

func rowsBody(dataset market.Dataset) ([]Text, []Field) {
	seconds := strconv.FormatInt(dataset.Series().StepSeconds(), 10)
	return []Text{windowNote(dataset)}, []Field{
		list("rows", Text{"Les lignes stockées, de la plus ancienne à la plus récente", "The stored rows, oldest first"}, rowFields(dataset)...),
		lastDateField, nullable(instant("latestFetchedAtUtc", textRead)), lastEndField, stepField(seconds),
		{Name: "rowCount", Kind: KindInteger, Text: Text{"Lignes de la réponse", "Rows in the answer"}},
	}
}

func pricesBody(dataset market.Dataset) ([]Text, []Field) {
	row := append([]Field{instant("hour_start_utc", textStart), instant("hour_end_utc", textEnd)}, columnFields(dataset, "price_eur_mwh")...)
	return []Text{windowNote(dataset), {
			"Avant la livraison du 1er octobre 2025, le prix était horaire : il est servi en quatre quarts égaux. Une date compte 92, 96 ou 100 quarts.",
			"Before delivery on 1 October 2025 prices were hourly: each is served as four equal quarters. A date has 92, 96 or 100 quarters.",
		}}, []Field{
			list("rows", Text{"Les quarts d’heure stockés, du plus ancien au plus récent", "The stored quarter hours, oldest first"}, row...),
			nullable(Field{Name: "latestDate", Kind: KindDate, Text: Text{"Dernière date de livraison de la réponse", "Last delivery date in the answer"}}),
			nullable(Field{Name: "earliestDate", Kind: KindDate, Text: Text{"Première date de livraison de la réponse", "First delivery date in the answer"}}),
		}
}

var capacityNote = Text{
	"Le prix est en EUR par MW et heure. Une ligne couvre une heure si ses quatre quarts sont présents, tous avec un prix et les mêmes volumes ; " +
		"sinon un quart d’heure. Un bloc FCR de 4 h est payé comme quatre de ces heures.",
	"The price is EUR per MW and hour. A row is an hour when its four quarters are there, all with a price and the same volumes; " +
		"otherwise a quarter hour. An FCR block of 4 h pays four such hours.",
}

// capacityBody describes the answer of a reserve. If the reserve is symmetric, its volume is served under a second name too.
func capacityBody(dataset market.Dataset) ([]Text, []Field) {
	about := dataset.About()
	row := []Field{instant("period_start_utc", textStart), instant("period_end_utc", textEnd)}
	direction, reserve := keyField(dataset, "direction"), word("product_type", Text{"Réserve", "Reserve"}, about.Reserve)
	if len(about.Due) == 1 {
		direction.Values = []string{string(market.Symmetric)}
		row = append(row, number("volume_mw", market.MW, Text{"Volume acquis : le volume contracté", "Volume procured: the contracted volume"}))
		row = append(append(row, columnFields(dataset, "contracted_volume_mw", "offered_volume_mw", "price")...), direction, reserve)
	} else {
		direction.Values = []string{string(market.Upward), string(market.Downward)}
		row = append(append(append(row, direction), columnFields(dataset, "price")...), reserve)
		row = append(row, columnFields(dataset, "offered_volume_mw", "contracted_volume_mw")...)
	}
	row = append(row, nullable(keyField(dataset, "time_horizon")))
	return []Text{windowNote(dataset), capacityNote}, []Field{
		list("rows", Text{
			"Les périodes stockées, dans l’ordre du temps, la hausse avant la baisse", "The stored periods in order of time, upward before downward",
		}, row...), nullable(instant("latestFetchedAtUtc", textRead)),
	}
}

func afrrBody(dataset market.Dataset) ([]Text, []Field) {
	row := rowFields(dataset)
	return []Text{lastDateNote(dataset)}, energy("4",
		nullable(Field{Name: "latestRow", Kind: KindObject, Text: Text{"Le pas le plus récent", "The newest step"}, Fields: row}),
		list("recentRows", Text{"Les 50 pas les plus récents, le plus récent d’abord", "The 50 newest steps, newest first"}, row...),
		list("chartRows", Text{"La date en moyennes de 5 minutes", "The date in means of 5 minutes"}, bucket("bucket")...))
}

func mfrrBody(dataset market.Dataset) ([]Text, []Field) {
	row := rowFields(dataset)
	return []Text{lastDateNote(dataset), {
			"Le prix d’un quart dans recentRows, chartRows et les moyennes est son prix marginal (clearing) ; les prix de règlement sont dans les " +
				"lignes par sens. rowCount compte les lignes par sens.",
			"A quarter’s price in recentRows, chartRows and the means is its clearing price; settlement prices are in the rows by direction. " +
				"rowCount counts rows by direction.",
		}}, energy("900",
			nullable(Field{Name: "latestUpwardRow", Kind: KindObject, Fields: row, Text: Text{
				"La ligne à la hausse la plus récente qui a une valeur", "The newest upward row that has a value",
			}}),
			nullable(Field{Name: "latestDownwardRow", Kind: KindObject, Fields: row, Text: Text{
				"La ligne à la baisse la plus récente qui a une valeur", "The newest downward row that has a value",
			}}),
			list("recentRows", Text{
				"Les 50 quarts d’heure les plus récents, le plus récent d’abord", "The 50 newest quarter hours, newest first",
			}, bucket("period")...),
			list("chartRows", Text{"Tous les quarts d’heure stockés de la date", "All stored quarter hours of the date"}, bucket("period")...))
}

var (
	lastDateField = nullable(Field{
		Name: "latestDeliveryDateParis", Kind: KindDate, Text: Text{"La dernière date de livraison stockée", "The last stored delivery date"},
	})
	lastEndField = nullable(instant("latestPeriodEndUtc", Text{"Fin de la période la plus récente", "End of the newest period"}))
)

func stepField(seconds string) Field {
	return Field{
		Name: "resolutionSeconds", Kind: KindInteger, Unit: "s", Values: []string{seconds},
		Text: Text{"Durée d’une période : " + seconds, "Length of a period: " + seconds},
	}
}

// energy returns the fields with which the answers of aFRR and mFRR energy begin, followed by the rest.
func energy(seconds string, rest ...Field) []Field {
	return append([]Field{
		lastDateField,
		nullable(instant("latestFetchedAtUtc", textRead)),
		nullable(instant("latestPeriodStartUtc", Text{"Début de la période la plus récente", "Start of the newest period"})),
		lastEndField, stepField(seconds),
		{Name: "rowCount", Kind: KindInteger, Text: Text{"Lignes stockées de la date", "Stored rows of the date"}},
		number("averageUpwardPrice", market.EURPerMWh, Text{"Moyenne des prix à la hausse de la date", "Mean of the date’s upward prices"}),
		number("averageDownwardPrice", market.EURPerMWh, Text{"Moyenne des prix à la baisse de la date", "Mean of the date’s downward prices"}),
	}, rest...)
}

func bucket(prefix string) []Field {
	return []Field{
		instant(prefix+"_start_utc", textStart), instant(prefix+"_end_utc", textEnd),
		number("upward_price_eur_mwh", market.EURPerMWh, textUp), number("downward_price_eur_mwh", market.EURPerMWh, textDown),
	}
}
