package web

import (
	"fmt"
	"slices"
	"strings"

	"courant/store/market"
)

// LLMs returns the description of the API as text in Markdown, in the form of llms.txt, for programs that read texts.
func LLMs(l Language, site Site, routes []Route) []byte {
	var b strings.Builder
	line := func(format string, arguments ...any) { fmt.Fprintf(&b, format+"\n", arguments...) }
	heading := func(text Text) { line("\n## %s\n", text.In(l)) }
	line("# Courant\n\n> %s", apiSummary.In(l))
	heading(Text{"Authentification", "Authentication"})
	line("%s", Text{
		"Chaque requête porte l’en-tête `Authorization: Bearer crt_…`. Un jeton se crée sur " + site.PublicURL + PageTokens.Path.FR + ".",
		"Each request has the header `Authorization: Bearer crt_…`. Tokens are made at " + site.PublicURL + PageTokens.Path.EN + ".",
	}.In(l))
	line("%s", Text{
		"Un jeton pour les flux de prix n’ouvre que les adresses qui ont le paramètre token ou securityToken, et va aussi dans celui-ci.",
		"A token for the price feeds opens only the addresses that have the parameter token or securityToken, and may be in it.",
	}.In(l))
	heading(Text{"Temps et valeurs", "Time and values"})
	for _, rule := range dataRules {
		line("- %s", rule.In(l))
	}
	heading(Text{"Jeux de données", "Datasets"})
	for _, dataset := range market.Datasets() {
		about, series := dataset.About(), dataset.Series()
		line("- [%s](%s): %s. %s. %s", dataset, site.PublicURL+DatasetPath(dataset), Text(about.Title).In(l),
			strings.TrimSuffix(Text(about.Summary).In(l), "."), market.StepText(series.StepSeconds()))
		for _, key := range series.ServedKeys() {
			line("  - `%s` (%s): %s%s", key.Name, Text{"clé", "key"}.In(l), Text(key.Text).In(l), accepted(key.Values))
		}
		for _, column := range series.ServedColumns() {
			kind := string(column.Kind)
			if column.Unit != "" {
				kind += ", " + string(column.Unit)
			}
			line("  - `%s` (%s): %s%s", column.Name, kind, Text(column.Text).In(l), accepted(column.Values))
		}
	}
	heading(Text{"Adresses", "Addresses"})
	described := map[string]bool{}
	for _, route := range routes {
		if route.Method != "GET" && route.Request == "" || route.Content == "text/html" || strings.HasPrefix(route.Path, PathStatic) {
			continue
		}
		line("- [%s %s](%s): %s. %s", route.Method, route.Path, site.PublicURL+route.Path, route.Summary.In(l), accesses[route.Access].In(l))
		if len(route.Datasets) == 1 && route.Path == RowsPath(route.Datasets[0]) {
			route.Parameters = slices.DeleteFunc(slices.Clone(route.Parameters), func(p Parameter) bool { return described[p.Name] })
		}
		for _, p := range route.Parameters {
			if len(route.OtherContent) > 0 {
				described[p.Name] = true // of all datasets' rows, where it is described first
			}
			line("  - `%s`: %s", p.Name, p.Text.In(l))
		}
	}
	heading(Text{"Erreurs (application/problem+json, « code »)", "Errors (application/problem+json, “code”)"})
	for _, p := range problems {
		line("- [%s](%s): %d. %s", p.Code, site.PublicURL+p.Path(), p.Status, p.Text.In(l))
	}
	heading(Text{"Documentation", "Documentation"})
	line("- [OpenAPI 3.1](%s)\n- [/docs](%s)", site.PublicURL+PathOpenAPI, site.PublicURL+PageDocs.In(l))
	return []byte(b.String())
}

// accepted lists the values of a key or a column, if they are known.
func accepted(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return ": " + strings.Join(values, ", ")
}

var (
	apiSummary = Text{
		"Le marché français de l’électricité : prix day-ahead, capacité et énergie d’équilibrage.",
		"The French electricity market: day-ahead prices, balancing capacity and energy.",
	}
	dataRules = []Text{
		{"Les instants sont en UTC, les dates sont des dates de livraison en Europe/Paris : un jour de changement d’heure a 23 ou 25 heures.",
			"Instants are UTC, dates are delivery dates in Europe/Paris: a day at a clock change has 23 or 25 hours."},
		{"Une période commence à son début, inclus, et finit à sa fin, exclue.", "A period begins at its start, included, and ends at its end, excluded."},
		{"Une valeur que la source ne donne pas est null, jamais 0.", "A value that the source does not give is null, never 0."},
	}
)
