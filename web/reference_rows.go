package web

import (
	"slices"

	"courant/store/market"
)

// rowsTexts are what the parameters of the rows of a dataset are for. A key of the dataset has its own text.
var rowsTexts = map[string]Text{
	"from": {"Début de la plage, inclus ; donné seul : jusqu’à la fin des données.",
		"Start of the range, included; alone: to the end of the data."},
	"to":      {"Fin de la plage, exclue ; nécessite « from ».", "End of the range, excluded; needs “from”."},
	"date":    {"Une date de livraison, au lieu de « from » et « to ».", "One delivery date, instead of “from” and “to”."},
	"columns": {"Colonnes de la réponse.", "Columns of the answer."},
	"resolution": {"Pas de la réponse ; les jours et les mois sont ceux de Paris.",
		"Step of the answer; days and months are those of Paris."},
	"stat": {"Statistiques d’une « resolution » autre que native ; sans lui, la moyenne.",
		"Statistics of a “resolution” other than native; without it, the mean."},
	"tz":    {"Fuseau horaire des instants.", "Time zone of instants."},
	"order": {"Ordre du temps.", "Order of time."},
	"limit": {"Lignes par page ; sans lui, toute la plage.", "Rows on a page; without it, the whole range."},
	"as_of": {
		"Les données telles qu’elles étaient connues à cet instant. Un statut est alors le plus avancé qu’il pouvait avoir.",
		"The data as known at that instant. A status is then the most final one that it can have had."},
	"updated_since": {"Seulement les lignes dont une valeur a été stockée ou changée depuis : un instant inclus ou une position exclue.",
		"Only rows with a value that was stored or changed since: an instant, included, or a position, excluded."},
	"format": {"Format de la réponse ; sans lui, l’en-tête Accept décide, sinon json.",
		"Format of the answer; without it the Accept header decides, else json."},
	"numbers": {"Type des nombres en Parquet ; sans lui, des décimaux exacts.", "Type of numbers in Parquet; without it, exact decimals."},
	"nulls":   {"En CSV, le texte qui remplace null ; sans lui, une cellule vide.", "In CSV, the text that stands for null; without it, an empty cell."},
	"cursor":  {"Suite de la page précédente.", "The next page."},
}

// rowsParameter returns the parameter with what it is for before what it accepts.
func rowsParameter(dataset market.Dataset, p Parameter) Parameter {
	about, known := rowsTexts[p.Name]
	if !known {
		key := keyField(dataset, p.Name)
		about = Text{key.Text.FR + ".", key.Text.EN + "."}
	}
	p.Text = Text{about.FR + " Accepte : " + p.Text.FR + ".", about.EN + " Accepts: " + p.Text.EN + "."}
	return p
}

// RowsRoute describes the rows of a dataset. The texts of the parameters are what each accepts; the media types are those of
// the forms besides JSON. Each dataset has a path of its own in the description, so that clients made from it have typed
// rows and the values that its parameters accept.
func RowsRoute(dataset market.Dataset, parameters []Parameter, mediaTypes []string) Route {
	about := dataset.About()
	route := Route{
		Method: "GET", Path: RowsPath(dataset), Access: AccessSubscription, Datasets: []market.Dataset{dataset},
		Summary: Text{"Lignes : " + about.Title.FR, "Rows: " + about.Title.EN},
		Notes: []Text{{
			"Les lignes d’une plage quelconque, au pas publié ou à un pas plus grand ; sans plage, la dernière date de livraison. " +
				"Une réponse reflète un seul instant. Sans données, « rows » est vide.",
			"The rows of any range, at the published step or a longer one; without a range, the latest delivery date. " +
				"An answer reflects one moment. Without data, “rows” is empty.",
		}},
		Content: "application/json", OtherContent: mediaTypes, Cached: true, Paged: true,
		Headers: []Field{
			{Name: "X-Courant-Position", Kind: KindInteger, Text: textPosition},
			word("X-Courant-Attribution", textAttribution),
			{Name: "Content-Disposition", Kind: KindString, Absent: true, Text: Text{
				"Nom du fichier, pour les formes qui en sont un", "Name of the file, for forms that are files",
			}},
		},
		Body: rowsAnswerFields(dataset),
	}
	if about.Open {
		route.Access = AccessAccount
	}
	for _, p := range parameters {
		route.Parameters = append(route.Parameters, rowsParameter(dataset, p))
	}
	return route
}

var (
	textPosition    = Text{"Position du dernier changement montré", "Position of the last change that is shown"}
	textAttribution = Text{"Mention de la source", "Attribution of the source"}
)

// rowsAnswerFields returns the members of an answer with rows of a dataset.
func rowsAnswerFields(dataset market.Dataset) []Field {
	row := allRowFields(dataset)
	var values []Field
	for _, field := range row {
		value := field
		value.Absent = false
		values = append(values, Field{Name: field.Name, Kind: KindValues, Absent: true, Text: field.Text, Fields: []Field{value}})
	}
	return rowsFields([]string{string(dataset)},
		Text{
			"Adresse de la page suivante, ou null s’il n’y en a pas ; aussi dans l’en-tête Link",
			"Address of the next page, null if there is none; also in the header Link",
		},
		Field{Name: "rows", Kind: KindList, Schema: string(dataset) + "-row", Fields: row, Absent: true, Text: Text{
			"Les lignes ; absent si format=columns", "The rows; absent if format=columns",
		}},
		Field{Name: "data", Kind: KindObject, Schema: string(dataset) + "-columns", Fields: values, Absent: true, Text: Text{
			"Les valeurs de chaque colonne, si format=columns", "The values of each column, if format=columns",
		}})
}

// rowsFields returns the members of an answer with rows of one of the datasets; next is what its last member is.
func rowsFields(datasets []string, next Text, rows ...Field) []Field {
	fields := []Field{
		word("dataset", textDataset, datasets...),
		zoned("from", Text{"Début de la plage, inclus", "Start of the range, included"}),
		zoned("to", Text{"Fin de la plage, exclue", "End of the range, excluded"}),
		word("resolution", Text{"native ou une durée ISO 8601", "native or an ISO 8601 duration"}),
		word("time_zone", Text{"Fuseau horaire des instants", "Time zone of instants"}, "UTC", "Europe/Paris"),
		nullable(zoned("as_of", Text{"L’instant passé demandé", "The past moment that was requested"})),
		zoned("generated_at", Text{"Heure du changement à « position »", "Time of the change at “position”"}),
		{Name: "position", Kind: KindInteger, Text: textPosition},
		word("attribution", textAttribution),
		list("columns", Text{"Les colonnes", "The columns"}, columnDescriptionFields()...),
	}
	return append(append(fields, rows...),
		list("missing", Text{"Les dates incomplètes de la plage", "The incomplete dates of the range"},
			missingFields()...),
		nullable(word("next", next)))
}

// zoned returns the field of an instant in the time zone that was asked for.
func zoned(name string, text Text) Field { return Field{Name: name, Kind: KindZoned, Text: text} }

// allRowFields returns every field that a row of a dataset may have: of native and of resampled rows, in either time zone.
// Its keys are the only ones that every row has.
func allRowFields(dataset market.Dataset) []Field {
	series := dataset.Series()
	fields := []Field{
		instant("period_start_utc", textStart), instant("period_end_utc", textEnd),
		zoned("period_start", Text{textStart.FR + ", si tz=Europe/Paris", textStart.EN + ", if tz=Europe/Paris"}),
		zoned("period_end", Text{textEnd.FR + ", si tz=Europe/Paris", textEnd.EN + ", if tz=Europe/Paris"}),
	}
	for i := range fields {
		fields[i].Absent = true
	}
	for _, key := range series.ServedKeys() {
		fields = append(fields, word(key.Name, Text(key.Text), key.Values...))
	}
	columns := append(series.ServedColumns(), market.ExtraColumns()...)
	natives := len(fields)
	for _, column := range columns {
		field := columnField(column)
		switch column.Kind {
		case market.KindInstant:
			field.Kind = KindZoned
		case market.KindBoolean:
			field.Kind = KindFlagOrMean
		}
		field.Absent = true
		fields = append(fields, field)
	}
	for _, column := range market.NewResampler(series, columns, market.BucketLengths()[0], market.Stats()...).Columns() {
		isNamed := func(f Field) bool { return f.Name == column.Name }
		if at := slices.IndexFunc(fields[natives:], isNamed); at < 0 {
			field := columnField(column)
			field.Absent = true
			fields = append(fields, field)
		} else if column.Nullable {
			fields[natives+at].Nullable = true // a bucket may have no value
		}
	}
	return fields
}
