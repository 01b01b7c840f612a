package web

import "strings"

// pageRoutes returns the routes of all pages, each at its path in both languages, and of the files that they load.
func pageRoutes() []Route {
	var routes []Route
	for _, page := range sitePages {
		routes = append(routes, pageRoute(page, page.Path.FR))
		if page.Path.EN != page.Path.FR {
			routes = append(routes, pageRoute(page, page.Path.EN))
		}
	}
	return append(routes, Route{
		Method: "GET", Path: PathStatic + "{file}", Summary: Text{"Ce que les pages chargent", "What pages load"},
		Access: AccessPublic, Content: "*/*",
		Parameters: []Parameter{{Name: "file", In: "path", Text: Text{"Nom du fichier", "Name of the file"}, Kind: KindString}},
	})
}

func pageRoute(page Page, path string) Route {
	return Route{Method: "GET", Path: path, Summary: page.Summary, Access: page.Access, Content: "text/html", Parameters: parameterIn(path)}
}

// formRoutes returns the routes of all forms.
func formRoutes() []Route {
	var routes []Route
	for _, form := range forms {
		routes = append(routes, Route{
			Method: "POST", Path: form.Path, Summary: form.Summary, Access: form.Access, Parameters: parameterIn(form.Path), Form: form.Fields,
		})
	}
	return routes
}

// parameterIn returns the parameter of a page's or form's path, if it has one.
func parameterIn(path string) []Parameter {
	if path == PageProblem.Path.FR {
		return []Parameter{{
			Name: "code", In: "path", Kind: KindString, Values: problemCodes(), Text: Text{"Code de l’erreur", "Code of the error"},
		}}
	}
	if !strings.Contains(path, "{id}") {
		return nil
	}
	text := Text{"Numéro du compte", "Number of the account"}
	switch {
	case path == FormQuarantine.Path:
		text = Text{"Numéro", "Number"}
	case strings.HasPrefix(path, PageAlerts.Path.FR+"/"), strings.HasPrefix(path, PageAlerts.Path.EN+"/"):
		text = Text{"Numéro de l’alerte", "Number of the alert"}
	}
	return []Parameter{{Name: "id", In: "path", Text: text, Kind: KindInteger}}
}
