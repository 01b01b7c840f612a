package web

import (
	"net/http"
	"time"

	"courant/ingest/report"
	"courant/store/market"
)

var (
	textFrom    = Text{"Première date de livraison, AAAA-MM-JJ", "First delivery date, YYYY-MM-DD"}
	textTo      = Text{"Dernière date de livraison, incluse", "Last delivery date, included"}
	textDataset = Text{"Jeu de données", "Dataset"}
	textDate    = Text{"Date de livraison", "Delivery date"}
	textSeen    = Text{"Vu le", "Seen at"}
)

// datasetNames are the datasets as paths name them.
var datasetNames = words(market.Datasets())

var (
	datasetField = word("dataset", textDataset, datasetNames...)
	dateField    = date("date", textDate)
)

// The parameters of routes about one dataset and a range of delivery dates.
var (
	datasetParameter = Parameter{Name: "dataset", In: "path", Text: textDataset, Kind: KindString, Values: datasetNames}
	fromParameter    = Parameter{Name: "from", In: "query", Text: textFrom, Kind: KindDate}
	toParameter      = Parameter{Name: "to", In: "query", Text: textTo, Kind: KindDate}
)

func date(name string, text Text) Field { return Field{Name: name, Kind: KindDate, Text: text} }

func integer(name, unit string, text Text) Field {
	return Field{Name: name, Kind: KindInteger, Unit: unit, Text: text}
}

func optional(p Parameter) Parameter {
	p.Optional = true
	return p
}

// otherRoutes returns the routes for programs, besides the data endpoints.
func otherRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: PathStatus, Summary: Text{"État des flux", "State of the feeds"},
			Access: AccessAccount, Content: "application/json", Body: StatusFields(),
		},
		usageRoute(),
		{
			Method: "GET", Path: PathDatasets, Summary: Text{"Les jeux de données", "The datasets"},
			Access: AccessAccount, Content: "application/json",
			Body: DatasetsFields(),
		},
		{
			Method: "GET", Path: PathDataset, Summary: Text{"Un jeu de données", "A dataset"},
			Access: AccessAccount, Parameters: []Parameter{datasetParameter}, Content: "application/json", Body: descriptionFields(),
		},
		archiveRoute(),
		archiveFileRoute(),
		revisionsRoute(),
		{
			Method: "GET", Path: PathOpenAPI, Summary: Text{"Ce document", "This document"},
			Access: AccessPublic, Content: "application/json", Cached: true,
		},
		{
			Method: "GET", Path: PathLLMs, Summary: Text{"L’API, en bref et en texte", "The API, in brief and as text"},
			Access: AccessPublic, Content: "text/plain", Cached: true,
		},
		mcpRoute(),
		csvRoute(),
		{
			Method: "GET", Path: PathHealth, Summary: Text{"Le processus sert", "The process serves"},
			Access: AccessPublic, Content: "text/plain",
		},
		{
			Method: "GET", Path: PathReady,
			Summary: Text{"Toutes les réponses sont prêtes et la base répond", "All answers are built and the database answers"},
			Access:  AccessPublic, Content: "text/plain",
		},
		{
			Method: "GET", Path: PathMetrics, Summary: Text{"Mesures pour Prometheus", "Metrics for Prometheus"},
			Access: AccessAdministrator, Content: "text/plain",
		},
	}
}

func usageRoute() Route {
	return Route{
		Method: "GET", Path: PathUsage, Summary: Text{"Usage du jeton", "Usage of the token"},
		Access: AccessAccount, TokenOnly: true, Content: "application/json",
		Notes: []Text{{
			"Par jour de Paris, pendant 400 jours : les requêtes, les lignes des réponses et leurs octets tels qu’envoyés, sans les en-têtes. " +
				"Les réponses préparées d’avance comptent leurs lignes. Une réponse compte pour le jour où sa requête a commencé.",
			"By day of Paris, for 400 days: requests, rows of the answers, and their bytes as sent, without headers. " +
				"Answers that are ready beforehand count the rows from which they are made. An answer counts for the day on which its request began.",
		}},
		Body: []Field{
			list("days", Text{"Les jours avec au moins une requête, du plus ancien au plus récent", "The days with at least one request, oldest first"},
				date("date", Text{"Jour de Paris", "Day of Paris"}), integer("requests", "", Text{"Requêtes, refusées ou non", "Requests, refused or not"}),
				integer("rows", "", Text{"Lignes", "Rows"}), integer("bytes", "", Text{"Octets", "Bytes"})),
			{Name: "limits", Kind: KindObject, Text: Text{"La limite de fréquence du jeton", "The rate limit of the token"}, Fields: []Field{
				integer("per_minute", "", Text{"Requêtes par minute", "Requests a minute"}),
				integer("left", "", Text{"Requêtes permises maintenant", "Requests that are allowed now"}),
				instant("resets_at", Text{"Quand toutes seront de nouveau permises", "When all are allowed again"}),
			}},
		},
	}
}

// StatusFields returns the members of a report.Report.
func StatusFields() []Field {
	return []Field{
		instant("generated_at", Text{"Heure de la réponse", "Time of the answer"}),
		list("datasets", Text{"Les jeux de données", "The datasets"}, datasetFields()...),
		list("quarantine",
			Text{
				"Les dates de livraison qui attendent la décision d’un administrateur",
				"The delivery dates that await an administrator’s decision",
			},
			integer("id", "", Text{"Numéro", "Number"}), datasetField, dateField,
			word("reason", Text{
				"L’anomalie, ou refused : ce qui a pu être lu d’une date refusée",
				"What is odd about it, or refused: what could be read of a refused date",
			}),
			instant("seen_at", textSeen),
			nullable(word("detail", Text{
				"Pourquoi la date a été refusée ; sans le texte de la source, sauf pour les administrateurs",
				"Why the date was refused; without the source’s text, except for administrators",
			}))),
		list("price_differences",
			Text{
				"Les dates où deux publications de prix diffèrent de plus d’un centime",
				"The dates on which two publications of prices differ by more than a cent",
			},
			dateField,
			word("between", Text{
				"Les deux publications, la première étant servie : ENTSO-E/RTE, ou deux résolutions d’ENTSO-E " +
					"telles que PT15M/PT60M, dont la moyenne est comparée",
				"The two publications, the one that is served first: ENTSO-E/RTE, or two resolutions of ENTSO-E " +
					"such as PT15M/PT60M, whose mean is compared",
			}),
			integer("quarters", "", Text{"Quarts d’heure qui diffèrent", "Quarter hours that differ"}),
			Field{
				Name: "largest_eur_mwh", Kind: KindNumber, Unit: "EUR/MWh",
				Text: Text{"La plus grande différence, en valeur absolue", "The largest difference, as an absolute value"},
			},
			instant("seen_at", textSeen)),
		list("corrections",
			Text{
				"Les corrections des sources pour aujourd’hui et demain (prix et capacité)",
				"The corrections of the sources for today and tomorrow (prices and capacity)",
			},
			datasetField, dateField,
			integer("values", "", Text{
				"Valeurs changées ou retirées ; /api/revisions les donne", "Values changed or withdrawn; /api/revisions has them",
			}),
			instant("seen_at", Text{"Dernière correction détectée le", "Latest correction detected at"})),
		nullable(Field{
			Name: "clock", Kind: KindObject,
			Text: Text{
				"L’écart de l’horloge du serveur avec celle d’une source, à partir de 2 minutes",
				"The difference of the server’s clock from a source’s, from 2 minutes on",
			},
			Fields: []Field{
				integer("ahead_seconds", "s", Text{"Avance ; négatif : retard", "Ahead; negative: behind"}),
				word("host", Text{"Hôte de la source", "Host of the source"}),
				{Name: "wrong", Kind: KindBoolean, Text: Text{
					"Deux hôtes ou trois collectes confirment un écart de 10 minutes ou plus : tous les flux sont en « error »",
					"Two hosts or three runs agree on 10 minutes or more: everything is error",
				}},
				instant("read_at", Text{"Lu le", "Read at"}),
			},
		}),
	}
}

// DatasetsFields returns the members of the description of all datasets.
func DatasetsFields() []Field {
	return []Field{list("datasets", Text{"Les jeux de données", "The datasets"}, descriptionFields()...)}
}

// datasetFields returns the members of a report.Status.
func datasetFields() []Field {
	return []Field{
		datasetField, word("source", Text{"Source", "Source"}),
		word("state", textStates(), words(report.States())...),
		nullable(date("first_date", Text{"Première date stockée", "First date stored"})),
		nullable(date("last_date", Text{"Dernière date stockée", "Last date stored"})),
		nullable(instant("newest_period_end", Text{"Fin de la période la plus récente", "End of the newest period"})),
		nullable(integer("lag_seconds", "s", Text{
			"De cette fin à maintenant ; 0 si elle est à venir", "From that end to now; 0 if it is in the future",
		})),
		nullable(instant("last_success_at", textRead)),
		nullable(instant("last_change_at", Text{"Dernier changement d’une valeur", "Last change of a value"})),
		nullable(word("last_error", Text{
			"Erreur de la date la plus récente qui n’a pas été collectée avec succès depuis ;  " +
				"sans le texte de la source, sauf pour les administrateurs",
			"Error of the newest date that was not fetched successfully since;  without the source’s text, except for administrators",
		})),
		nullable(instant("next_run_at", Text{"Prochain passage", "Next run"})),
		list("missing", Text{"Les dates attendues qui sont incomplètes", "The dates that are due and incomplete"},
			missingFields()...),
		list("remarks", Text{
			"Les anomalies des 7 dernières dates stockées, servies telles que publiées",
			"What is odd in the last 7 dates stored, and served as published",
		},
			dateField, integer("rows", "", Text{"Lignes", "Rows"}), word("text", Text{"En anglais", "In English"})),
	}
}

// missingFields returns the members of a delivery date that is not whole.
func missingFields() []Field {
	return []Field{
		dateField,
		integer("expected", "", Text{"Périodes attendues", "Periods expected"}),
		integer("received", "", Text{"Périodes reçues", "Periods received"}),
		word("reason", Text{"Raison", "Reason"}, words(report.Reasons())...),
	}
}

// columnDescriptionFields returns the members of a column's description.
func columnDescriptionFields() []Field {
	return []Field{
		word("name", Text{"Nom, qui ne change jamais", "Name, which never changes"}),
		word("type", Text{"Type des valeurs", "Type of the values"}, words([]market.Kind{
			market.KindNumber, market.KindBoolean, market.KindString, market.KindInstant, market.KindInteger,
		})...),
		nullable(word("unit", Text{"Unité", "Unit"})), word("description", Text{"Contenu", "What it contains"}),
	}
}

// descriptionFields returns the members of a dataset's description.
func descriptionFields() []Field {
	return []Field{
		word("id", textDataset, datasetNames...),
		word("title", Text{"Nom", "Name"}), word("description", Text{"Contenu", "What it contains"}),
		word("step", Text{"Pas, durée ISO 8601", "Step, ISO 8601 duration"}),
		word("time_zone", Text{"Fuseau des dates de livraison", "Time zone of delivery dates"}),
		{Name: "keys", Kind: KindWords, Text: Text{
			"Les colonnes qui distinguent les lignes d’une période", "The columns that distinguish the rows of one period",
		}},
		list("columns", Text{"Les colonnes", "The columns"}, columnDescriptionFields()...),
		list("sources", Text{"Les sources, la principale d’abord", "The sources, the main one first"},
			word("name", Text{"Nom", "Name"}), word("attribution", Text{"Mention de la source", "Attribution"}),
			nullable(word("licence", Text{"Licence ; null : inconnue", "Licence; null: not known"})),
			nullable(word("licence_url", Text{"Adresse de la licence", "Address of the licence"}))),
		nullable(date("first_date", Text{"Première date stockée", "First date stored"})),
		nullable(date("last_date", Text{"Dernière date stockée", "Last date stored"})),
		nullable(instant("newest_period_end", Text{"Fin de la période la plus récente", "End of the newest period"})),
		word("state", textStates(), words(report.States())...),
		{Name: "missing_dates", Kind: KindWords, Text: Text{"Les dates attendues qui sont incomplètes", "The dates that are due and incomplete"}},
		{Name: "links", Kind: KindObject, Text: Text{"Adresses", "Addresses"}, Fields: []Field{
			word("self", Text{"Cette description", "This description"}), word("rows", Text{"Les lignes", "The rows"}),
			word("archive", Text{"Les fichiers de mois entiers", "The files of whole months"}),
			word("latest", Text{"Les dernières dates", "The latest dates"}), word("revisions", Text{"Les valeurs modifiées", "The values that changed"}),
		}},
	}
}

func archiveRoute() Route {
	return Route{
		Method: "GET", Path: PathArchive,
		Summary: Text{"Les mois d’un jeu de données en fichiers Parquet", "The months of a dataset as Parquet files"},
		Notes: []Text{{
			"Un fichier par mois de dates de livraison. Un mois dont des pas de 4 secondes ont été supprimés n’y figure pas. " +
				"La première requête lance leur préparation : elle peut recevoir un 503, à répéter après Retry-After.",
			"A file for each month of delivery dates. A month whose 4 second steps were removed is left out. " +
				"The first request prepares the files: it may be answered 503; repeat it after Retry-After.",
		}},
		Access: AccessSubscription, Parameters: []Parameter{datasetParameter}, Content: "application/json",
		Refused: []int{http.StatusBadRequest},
		Body: []Field{list("files", Text{"Les fichiers, du plus ancien au plus récent", "The files, oldest first"},
			word("month", Text{"Mois, AAAA-MM", "Month, YYYY-MM"}),
			integer("rows", "", Text{"Lignes", "Rows"}),
			integer("bytes", "", Text{"Octets", "Bytes"}),
			word("sha256", Text{"SHA-256 du fichier, en hexadécimal", "SHA-256 of the file, in hexadecimal"}),
			word("etag", Text{"Son en-tête ETag", "Its header ETag"}),
			Field{Name: "closed", Kind: KindBoolean, Text: Text{
				"Le mois est complet et définitif : le fichier ne change plus, sauf correction tardive de la source",
				"The month is complete and final: the file no longer changes, unless the source corrects a value later",
			}},
			word("href", Text{"Adresse du fichier", "Address of the file"}))},
	}
}

func archiveFileRoute() Route {
	return Route{
		Method: "GET", Path: PathArchiveFile, Summary: Text{"Un mois en Parquet", "A month as Parquet"},
		Notes: []Text{{
			"Toutes les lignes et colonnes du mois, dans l’ordre du temps. Accepte Range, If-Range et If-None-Match ; les octets ne changent qu’avec " +
				"les lignes. Un mois définitif peut rester un an en cache. 410 si des pas de 4 secondes du mois ont été supprimés.",
			"All rows and columns of the month, in order of time. Accepts Range, If-Range and If-None-Match; the bytes change only with the rows. " +
				"A settled month may be kept for a year. 410 if 4 second steps of the month were removed.",
		}},
		Access: AccessSubscription, Content: "application/vnd.apache.parquet", Cached: true,
		Parameters: []Parameter{datasetParameter, {
			Name: "month", In: "path", Kind: KindString, Text: Text{"Mois, AAAA-MM", "Month, YYYY-MM"},
		}},
		Refused: []int{http.StatusBadRequest, http.StatusGone, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable},
		Headers: []Field{
			{Name: "X-Courant-Position", Kind: KindInteger, Text: textPosition},
			word("X-Courant-Attribution", textAttribution),
			{Name: "Content-Disposition", Kind: KindString, Text: Text{"Nom du fichier", "Name of the file"}},
		},
	}
}

func revisionsRoute() Route {
	return Route{
		Method: "GET", Path: PathRevisions,
		Summary: Text{"Les valeurs qui ont changé, entre deux dates de livraison", "The values that changed, between two delivery dates"},
		Notes: []Text{{
			"Une valeur retirée par la source devient null. Sans « limit », la réponse est complète, quelle que soit sa taille ; " +
				"avec, suivez « next » jusqu’à null : l’ensemble des pages est la réponse complète. " +
				"Tout autre paramètre, ou un paramètre donné deux fois ou sans valeur, est refusé.",
			"A value that the source withdraws changes to null. Without “limit” the answer is complete, however large; " +
				"with it, follow “next” until it is null: all pages together are the complete answer. " +
				"Any other parameter, or one given twice or without a value, is an error.",
		}},
		Access: AccessSubscription, Paged: true, Content: "application/json",
		Parameters: []Parameter{
			datasetParameter, fromParameter, toParameter,
			{
				Name: "limit", In: "query", Text: Text{"Changements par page", "Changes on a page"},
				Kind: KindInteger, Most: 10_000, Optional: true,
			},
			{
				Name: "cursor", In: "query", Kind: KindString, Optional: true,
				Text: Text{
					"Page suivante, telle que « next » l’indique, avec les mêmes autres paramètres",
					"What follows a page, as “next” gives it, with the same other parameters",
				},
			},
		},
		Body: []Field{
			list("revisions", Text{"Les changements", "The changes"},
				instant("period_start_utc", textStart),
				word("series", Text{"Série : résolution, sens, horizon, produit", "Series: resolution, direction, horizon, product"}),
				word("column", Text{"Champ qui a changé", "Field that changed"}),
				nullable(Field{Name: "old", Kind: KindValue, Text: Text{"Ancienne valeur", "Old value"}}),
				nullable(Field{Name: "new", Kind: KindValue, Text: Text{"Nouvelle valeur", "New value"}}),
				instant("seen_at", textSeen)),
			nullable(word("next", Text{
				"Adresse de la page suivante, ou null s’il n’y en a pas ; aussi dans l’en-tête Link",
				"Address of the next page, null if there is none; also in the header Link",
			})),
		},
	}
}

func csvRoute() Route {
	language := Parameter{
		Name: "language", In: "path", Text: Text{"Forme", "Form"}, Kind: KindString,
		Values: []string{string(French), string(English)},
	}
	return Route{
		Method: "GET", Path: PathCSV, Summary: Text{"Les données d’une page en CSV", "The data of a page as CSV"},
		Access: AccessSubscription, Content: "text/csv",
		Notes: []Text{{
			"fr : point-virgule et virgule décimale ; en : virgule et point décimal. Sans date, la dernière stockée ; " +
				"31 dates au plus, une seule pour afrr-energy, en moyennes de 5 minutes.",
			"fr: semicolon and decimal comma; en: comma and decimal point. Without a date, the last one stored; " +
				"31 dates at most, one for afrr-energy, in means of 5 minutes.",
		}},
		Parameters: []Parameter{language, datasetParameter, optional(fromParameter), optional(toParameter)},
		Deprecated: &Deprecation{
			Since: time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC), Sunset: time.Date(2027, time.June, 1, 0, 0, 0, 0, time.UTC),
			Successor: PathRows,
		},
	}
}
