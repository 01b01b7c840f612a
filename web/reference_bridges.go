package web

import "courant/store/market"

// bridgeTexts are what the parameters of the price feeds are for.
var bridgeTexts = map[string]Text{
	"token":                         {"Jeton dans l’adresse.", "Token in the address."},
	"securityToken":                 {"Jeton dans l’adresse.", "Token in the address."},
	"resolution":                    {"Pas des prix ; sans lui, PT15M.", "Step of the prices; without it, PT15M."},
	"bzn":                           {"Zone, obligatoire.", "Zone, required."},
	"start":                         {"Début, inclus ; sans lui, aujourd’hui.", "Start, included; without it, today."},
	"end":                           {"Fin, incluse (une date compte en entier) ; sans elle, tout ce qui suit.", "End, included (a date counts as a whole); without it, everything that follows."},
	"documentType":                  {"Document, obligatoire.", "Document, required."},
	"in_Domain":                     {"Zone, obligatoire.", "Zone, required."},
	"out_Domain":                    {"Zone, obligatoire.", "Zone, required."},
	"periodStart":                   {"Début.", "Start."},
	"periodEnd":                     {"Fin, exclue.", "End, excluded."},
	"timeInterval":                  {"Début et fin.", "Start and end."},
	"contract_MarketAgreement.type": {"Contrat : le marché day-ahead.", "Contract: the day-ahead market."},
	"classificationSequence_AttributeInstanceComponent.position": {"Enchère.", "Auction."},
	"offset": {"Dates à sauter, pour la suite d’une réponse de 100 dates.", "Dates to skip, for what follows an answer of 100 dates."},
}

// feedPrice returns the fields of a period and its price in a feed.
func feedPrice(zone Text) []Field {
	return []Field{
		word("start", Text{textStart.FR + zone.FR, textStart.EN + zone.EN}), word("end", Text{textEnd.FR + zone.FR, textEnd.EN + zone.EN}),
		{Name: "value", Kind: KindNumber, Unit: "EUR/kWh", Text: Text{"Prix day-ahead", "Day-ahead price"}},
	}
}

// BridgeRoute describes an address that answers as another service does. The texts of the parameters are what each accepts.
func BridgeRoute(path string, parameters []Parameter) Route {
	route := bridgeRoutes()[path]
	route.Method, route.Path, route.Access, route.Cached = "GET", path, AccessAccount, true
	route.Datasets = []market.Dataset{market.Bridged}
	route.Notes = append(route.Notes, Text{
		"Un quart d’heure dont le prix n’est pas connu est absent. Un jeton pour les flux de prix ouvre cette adresse, en paramètre ou dans l’en-tête Authorization.",
		"A quarter hour whose price is not known is absent. A token for the price feeds opens this address, in its parameter or in the Authorization header.",
	})
	route.Headers = []Field{
		{Name: "X-Courant-Position", Kind: KindInteger, Text: textPosition}, word("X-Courant-Attribution", textAttribution),
	}
	for _, p := range parameters {
		about := bridgeTexts[p.Name]
		p.Text = Text{about.FR + " Accepte : " + p.Text.FR, about.EN + " Accepts: " + p.Text.EN}
		route.Parameters = append(route.Parameters, p)
	}
	return route
}

// bridgeRoutes returns what differs between the price feeds, by path.
func bridgeRoutes() map[string]Route {
	utc, paris := Text{", en UTC", ", in UTC"}, Text{", à l’heure de Paris avec son décalage", ", in Paris time with its offset"}
	json := "application/json"
	return map[string]Route{
		PathEVCC: {
			Summary: Text{"Prix pour evcc", "Prices for evcc"}, Content: json,
			Notes: []Text{{"Les prix d’aujourd’hui et de demain.", "The prices of today and tomorrow."}},
			Body:  []Field{list("", Text{"Les quarts d’heure, du plus ancien au plus récent", "The quarter hours, oldest first"}, feedPrice(utc)...)},
		},
		PathHomeAssistant: {
			Summary: Text{"Prix pour Home Assistant et Node-RED", "Prices for Home Assistant and Node-RED"}, Content: json,
			Notes: []Text{{
				"Les jours sont ceux de Paris. Un pas plus long est la moyenne de ses quarts d’heure, s’ils sont tous connus.",
				"Days are those of Paris. A longer step is the mean of its quarter hours, if all are known.",
			}},
			Body: []Field{
				{Name: "state", Kind: KindNumber, Absent: true, Unit: "EUR/kWh", Text: Text{"Prix actuel, s’il est connu", "Current price, if it is known"}},
				word("unit", Text{"Unité", "Unit"}, "EUR/kWh"),
				list("today", Text{"Aujourd’hui", "Today"}, feedPrice(paris)...), list("tomorrow", Text{"Demain", "Tomorrow"}, feedPrice(paris)...),
				{Name: "tomorrow_valid", Kind: KindBoolean, Text: Text{"Tous les prix de demain sont connus", "All prices of tomorrow are known"}},
				list("raw_today", Text{"Comme today", "As today"}, feedPrice(paris)...),
				list("raw_tomorrow", Text{"Comme tomorrow", "As tomorrow"}, feedPrice(paris)...),
			},
		},
		PathEMHASS: {
			Summary: Text{"Prix pour EMHASS", "Prices for EMHASS"}, Content: json,
			Notes: []Text{{"Du quart d’heure en cours à la fin de demain.", "From the current quarter hour to the end of tomorrow."}},
			Body: []Field{{Kind: KindMap, Unit: "EUR/kWh", Text: Text{
				"Le prix de chaque quart d’heure, par son début en UTC : 2026-11-28 00:00:00+00:00",
				"The price of each quarter hour, by its start in UTC: 2026-11-28 00:00:00+00:00",
			}, Fields: []Field{{Kind: KindNumber}}}},
		},
		PathEnergyCharts: {
			Summary: Text{"Prix, comme Energy-Charts", "Prices, as Energy-Charts has them"}, Content: json,
			Body: []Field{
				word("license_info", textAttribution),
				{Name: "unix_seconds", Kind: KindValues, Text: Text{"Débuts des quarts d’heure", "Starts of the quarter hours"}, Fields: []Field{{Kind: KindInteger}}},
				{Name: "price", Kind: KindValues, Unit: string(market.EURPerMWh), Text: Text{"Leurs prix", "Their prices"}, Fields: []Field{{Kind: KindNumber}}},
				word("unit", Text{"Unité", "Unit"}, "EUR / MWh"),
				{Name: "deprecated", Kind: KindBoolean, Text: Text{"Toujours false", "Always false"}},
			},
		},
		PathENTSOE: {
			Summary: Text{"Prix, comme l’API d’ENTSO-E (A44)", "Prices, as ENTSO-E’s API has them (A44)"}, Content: ContentXML,
			Notes: []Text{{
				"Un TimeSeries par date de livraison que la période touche, en EUR/MWh, curveType A03, PT15M, 100 au plus ; « offset » donne la suite. " +
					"Les noms des paramètres s’écrivent dans n’importe quelle casse. Sans données, et en cas d’erreur, un Acknowledgement_MarketDocument de code 999.",
				"One TimeSeries for each delivery date that the period touches, in EUR/MWh, curveType A03, PT15M, at most 100; “offset” gives what follows. " +
					"Names of parameters are read in any case. Without data, and on errors, an Acknowledgement_MarketDocument with code 999.",
			}},
		},
	}
}
