package web

// APIChange is a version of the API and what is different from the one before it.
type APIChange struct {
	Version string
	Texts   []Text
}

// apiChanges are the versions of the API, the newest first. Its number is that of the description.
var apiChanges = []APIChange{
	{"1.1", []Text{
		{"/api/datasets décrit les jeux de données ; /api/datasets/{dataset}/rows donne leurs lignes pour toute plage, à tout pas et en sept formes.",
			"/api/datasets describes the datasets; /api/datasets/{dataset}/rows has their rows for any range, at any step, in seven forms."},
		{"/api/datasets/{dataset}/archive donne un fichier Parquet par mois ; « gone », « precondition_failed » et « range_not_satisfiable » sont trois nouveaux codes d’erreur.",
			"/api/datasets/{dataset}/archive has a Parquet file for each month; “gone”, “precondition_failed” and “range_not_satisfiable” are three new error codes."},
		{"« type », dans une erreur, est l’adresse d’une page qui explique le code ; « code » ne change pas.",
			"“type”, in an error, is the address of a page that explains the code; “code” does not change."},
		{"La description OpenAPI nomme les erreurs de chaque adresse, et les nombres y sont en double précision.",
			"The OpenAPI description names the errors of each address, and numbers in it have double precision."},
		{"Des flux de prix pour evcc, Home Assistant, EMHASS et les programmes d’ENTSO-E et d’Energy-Charts, et un jeton qui n’ouvre qu’eux.",
			"Price feeds for evcc, Home Assistant, EMHASS and programs of ENTSO-E and Energy-Charts, and a token that opens nothing else."},
		{"/api/usage donne l’utilisation du jeton par jour et ce qui reste de sa limite.", "/api/usage has the usage of the token by day and what is left of its limit."},
		{"/mcp répond au Model Context Protocol, avec quatre outils qui lisent les données.",
			"/mcp answers the Model Context Protocol, with four tools that read the data."},
		{"/api/stream envoie les changements dès qu’ils sont stockés (server-sent events).",
			"/api/stream sends changes as soon as they are stored (server-sent events)."},
		{"/api/webhooks signale un prix, une date complète, des valeurs corrigées ou un flux en retard, signé selon Standard Webhooks.",
			"/api/webhooks notifies of a price, a complete date, revised values or a late feed, signed as Standard Webhooks describes."},
		{"/llms.txt présente l’API en texte.", "/llms.txt presents the API as text."},
	}},
	{"1", []Text{{
		"Les huit premières adresses, l’état des flux, les révisions et les pages en CSV.",
		"The first eight addresses, the state of the feeds, the revisions and the pages as CSV.",
	}}},
}
