package web

// streamTexts are what the parameters of the stream are for.
var streamTexts = map[string]Text{
	"datasets": {"Jeux de données, séparés par des virgules ; sans lui, tous ceux que le compte peut lire.",
		"Datasets, separated by commas; without it, all that the account may read."},
	"after": {"Rejoue ce qui a changé après une position, jusqu’à 7 jours en arrière ; l’en-tête Last-Event-ID passe avant.",
		"Replays what changed after a position, up to 7 days back; the header Last-Event-ID comes first."},
}

// StreamRoute describes the stream. The texts of the parameters are what each accepts.
func StreamRoute(parameters []Parameter) Route {
	route := Route{
		Method: "GET", Path: PathStream, Access: AccessAccount, Content: "text/event-stream",
		Summary: Text{"Flux des changements (server-sent events)", "Stream of changes (server-sent events)"},
		Notes: []Text{{
			"Chaque événement a un type et des données en JSON. « rows » : {dataset, rows, position}, au plus 500 lignes nouvelles ou changées, comme en NDJSON. " +
				"« changed » : {dataset, from, to, rows, position, href}, quand il y en a plus ; lisez-les à « href ».",
			"Each event has a type and data in JSON. “rows”: {dataset, rows, position}, up to 500 rows that are new or changed, as in NDJSON. " +
				"“changed”: {dataset, from, to, rows, position, href}, if there are more; read them at “href”.",
		}, {
			"« revision » : {dataset, period_start_utc, keys, column, old, new, seen_at, position}, une valeur qui a changé. " +
				"« complete » : {dataset, date, position}, une date de livraison désormais complète. « status » : {dataset, state, reason}, un jeu de données change d’état. " +
				"« reset » : {position}, l’historique demandé n’est plus disponible : relisez les données ; la suite vient après « position ».",
			"“revision”: {dataset, period_start_utc, keys, column, old, new, seen_at, position}, a value that changed. " +
				"“complete”: {dataset, date, position}, a delivery date that is whole from now on. “status”: {dataset, state, reason}, a dataset changes its state. " +
				"“reset”: {position}, what is asked for is no longer known: read the data again, what follows comes after “position”.",
		}, {
			"« id » est la position, sur le dernier événement de chaque changement. Un commentaire est envoyé après 15 s de silence. Un client trop lent, " +
				"ou dont les droits changent, est déconnecté ; il se reconnecte avec Last-Event-ID et ne perd rien.",
			"“id” is the position, with the last event of each change. A comment comes after 15 s of silence. A client that is too slow, " +
				"or whose rights change, is disconnected; it connects again with Last-Event-ID and loses nothing.",
		}},
		Headers: []Field{{Name: "X-Courant-Position", Kind: KindInteger, Text: Text{
			"Position du changement le plus récent quand le flux commence", "Position of the newest change when the stream begins",
		}}},
	}
	for _, p := range parameters {
		about := streamTexts[p.Name]
		p.Text = Text{about.FR + " Accepte : " + p.Text.FR + ".", about.EN + " Accepts: " + p.Text.EN + "."}
		route.Parameters = append(route.Parameters, p)
	}
	return route
}
