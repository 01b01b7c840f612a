package web

import (
	"courant/store/market"
)

const (
	unitPrice    = "EUR/MWh"
	unitReserved = "EUR/MW/h"
	unitMegawatt = "MW"
)

var (
	textStart     = Text{"Début de la période, inclus", "Start of the period, included"}
	textEnd       = Text{"Fin de la période, exclue", "End of the period, excluded"}
	textRead      = Text{"Fin de la dernière lecture réussie à la source, même si elle n’a rien apporté", "End of the last successful reading at the source, even if it brought nothing"}
	textDirection = Text{"Sens", "Direction"}
	textUp        = Text{"Prix à la hausse", "Upward price"}
	textDown      = Text{"Prix à la baisse", "Downward price"}
	textOffered   = Text{"Volume offert", "Volume offered"}
	textProcured  = Text{"Volume contracté", "Volume procured"}
	textHorizon   = Text{"Horizon tel que publié : DAILY ou PERIODIC", "Horizon as published: DAILY or PERIODIC"}
)

func instant(name string, text Text) Field {
	return Field{Name: name, Kind: KindInstant, Text: text}
}

func number(name, unit string, text Text) Field {
	return Field{Name: name, Kind: KindNumber, Nullable: true, Unit: unit, Text: text}
}

func word(name string, text Text, values ...string) Field {
	return Field{Name: name, Kind: KindString, Text: text, Values: values}
}

func list(name string, text Text, fields ...Field) Field {
	return Field{Name: name, Kind: KindList, Text: text, Fields: fields}
}

// nullable is the field, which may be null.
func nullable(f Field) Field {
	f.Nullable = true
	return f
}

// apiRoutes are the eight endpoints.
func apiRoutes() []Route {
	return []Route{
		endpoint([]market.Dataset{market.DayAheadPrices}, "day-ahead-prices",
			Text{"Prix day-ahead de la zone France, par quart d’heure", "Day-ahead prices of the French zone, by quarter hour"},
			[]Text{
				{"Source : ENTSO-E, document A44. La réponse couvre la dernière date de livraison stockée et les 28 dates précédentes.", "Source: ENTSO-E, document A44. The answer covers the last delivery date stored and the 28 dates before it."},
				{"Avant la livraison du 1er octobre 2025, le prix était horaire : il est servi en quatre quarts égaux. Une date compte 92, 96 ou 100 quarts.", "Before delivery on 1 October 2025 prices were hourly: each is served as four equal quarters. A date has 92, 96 or 100 quarters."},
			},
			list("rows", Text{"Les quarts d’heure stockés, du plus ancien au plus récent", "The quarter hours stored, oldest first"},
				instant("hour_start_utc", textStart), instant("hour_end_utc", textEnd), number("price_eur_mwh", unitPrice, Text{"Prix", "Price"})),
			nullable(Field{Name: "latestDate", Kind: KindDate, Text: Text{"Dernière date de livraison de la réponse", "Last delivery date in the answer"}}),
			nullable(Field{Name: "earliestDate", Kind: KindDate, Text: Text{"Première date de livraison de la réponse", "First delivery date in the answer"}}),
		),
		endpoint([]market.Dataset{market.FCRCapacity}, "fcr-capacity", Text{"Capacité FCR contractée", "FCR capacity procured"}, capacityNotes,
			list("rows", textCapacityRows, append([]Field{
				instant("period_start_utc", textStart), instant("period_end_utc", textEnd),
				number("volume_mw", unitMegawatt, Text{"Volume acquis : le volume contracté", "Volume procured: the contracted volume"}),
				number("contracted_volume_mw", unitMegawatt, textProcured), number("offered_volume_mw", unitMegawatt, textOffered),
				number("price", unitReserved, Text{"Prix par MW et heure", "Price per MW and hour"}),
				word("direction", textDirection, "SYMMETRIC"), word("product_type", Text{"Réserve", "Reserve"}, "FCR"),
			}, nullable(word("time_horizon", textHorizon)))...), nullable(instant("latestFetchedAtUtc", textRead))),
		endpoint([]market.Dataset{market.AFRRCapacity}, "afrr-capacity", Text{"Capacité aFRR contractée", "aFRR capacity procured"}, capacityNotes, directedCapacity("aFRR")...),
		endpoint([]market.Dataset{market.MFRRCapacity}, "mfrr-capacity", Text{"Capacité mFRR contractée", "mFRR capacity procured"}, capacityNotes, directedCapacity("mFRR")...),
		endpoint([]market.Dataset{market.AFRREnergy}, "afrr-energy", Text{"Énergie aFRR, pas de 4 secondes", "aFRR energy, every 4 seconds"},
			[]Text{{"Source : RTE Balancing Energy v5, afrr_marginal_price. Tout sauf l’heure de lecture porte sur la dernière date de livraison stockée.", "Source: RTE Balancing Energy v5, afrr_marginal_price. Everything but the time of reading is about the last delivery date stored."}},
			energy("4",
				nullable(Field{Name: "latestRow", Kind: KindObject, Text: Text{"Le pas le plus récent", "The newest step"}, Fields: afrrRow}),
				list("recentRows", Text{"Les 50 pas les plus récents, le plus récent d’abord", "The 50 newest steps, newest first"}, afrrRow...),
				list("chartRows", Text{"La date en moyennes de 5 minutes", "The date in means of 5 minutes"}, bucket("bucket")...))...),
		endpoint([]market.Dataset{market.MFRREnergy}, "mfrr-energy", Text{"Énergie mFRR, par quart d’heure et par sens", "mFRR energy, by quarter hour and direction"},
			[]Text{
				{"Source : RTE Balancing Energy v5, standard_mfrr_data. Tout sauf l’heure de lecture porte sur la dernière date de livraison stockée.", "Source: RTE Balancing Energy v5, standard_mfrr_data. Everything but the time of reading is about the last delivery date stored."},
				{"Le prix d’un quart dans recentRows, chartRows et les moyennes est son prix marginal (clearing) ; les prix de règlement sont dans les lignes par sens. rowCount compte les lignes par sens.", "A quarter’s price in recentRows, chartRows and the means is its clearing price; settlement prices are in the rows by direction. rowCount counts rows by direction."},
			},
			energy("900",
				nullable(Field{Name: "latestUpwardRow", Kind: KindObject, Text: Text{"La ligne à la hausse la plus récente qui porte une valeur", "The newest upward row that carries a value"}, Fields: mfrrRow}),
				nullable(Field{Name: "latestDownwardRow", Kind: KindObject, Text: Text{"La ligne à la baisse la plus récente qui porte une valeur", "The newest downward row that carries a value"}, Fields: mfrrRow}),
				list("recentRows", Text{"Les 50 quarts d’heure les plus récents, le plus récent d’abord", "The 50 newest quarter hours, newest first"}, bucket("period")...),
				list("chartRows", Text{"Tous les quarts d’heure stockés de la date", "All quarter hours stored of the date"}, bucket("period")...))...),
		endpoint([]market.Dataset{market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity}, "balancing-capacity", Text{"Les trois capacités en une réponse", "The three capacities in one answer"},
			[]Text{{"Chaque partie est, à l’octet près, la réponse de son propre point d’accès.", "Each part is, to the byte, what its own endpoint answers."}},
			nullable(instant("latestFetchedAtUtc", textRead)), part("fcr", "fcr-capacity"), part("afrr", "afrr-capacity"), part("mfrr", "mfrr-capacity")),
		endpoint([]market.Dataset{market.AFRREnergy, market.MFRREnergy}, "balancing-energy", Text{"Les deux énergies en une réponse", "Both energies in one answer"},
			[]Text{{"Chaque partie est, à l’octet près, la réponse de son propre point d’accès.", "Each part is, to the byte, what its own endpoint answers."}},
			nullable(instant("latestFetchedAtUtc", textRead)), part("afrr", "afrr-energy"), part("mfrr", "mfrr-energy")),
	}
}

func endpoint(datasets []market.Dataset, name string, summary Text, notes []Text, fields ...Field) Route {
	access := AccessSubscription
	if name == string(market.DayAheadPrices) {
		access = AccessAccount
	}
	return Route{
		Method: "GET", Path: PathAPI + name, Summary: summary, Notes: notes, Access: access, Datasets: datasets,
		Content: "application/json", Body: fields,
	}
}

func part(key, endpoint string) Field {
	return Field{Name: key, Kind: KindObject, Of: PathAPI + endpoint, Text: Text{"La réponse de /api/" + endpoint, "What /api/" + endpoint + " answers"}}
}

var (
	textCapacityRows = Text{"Les périodes stockées, dans l’ordre du temps, la hausse avant la baisse", "The periods stored, in order of time, upward before downward"}
	capacityNotes    = []Text{
		{"Source : RTE Balancing Capacity v5, result_procured_reserves. La réponse couvre la dernière date de livraison stockée et les 28 dates précédentes.", "Source: RTE Balancing Capacity v5, result_procured_reserves. The answer covers the last delivery date stored and the 28 dates before it."},
		{"Le prix est en EUR par MW et heure. Une ligne est une heure quand ses quatre quarts sont là, tous avec un prix et les mêmes volumes ; sinon un quart d’heure. Un bloc FCR de 4 h paie quatre de ces heures.", "The price is EUR per MW and hour. A row is an hour when its four quarters are there, all with a price and the same volumes; otherwise a quarter hour. An FCR block of 4 h pays four such hours."},
	}
)

func directedCapacity(reserve string) []Field {
	return []Field{
		list("rows", textCapacityRows,
			instant("period_start_utc", textStart), instant("period_end_utc", textEnd), word("direction", textDirection, "UPWARD", "DOWNWARD"),
			number("price", unitReserved, Text{"Prix par MW et heure", "Price per MW and hour"}), word("product_type", Text{"Réserve", "Reserve"}, reserve),
			number("offered_volume_mw", unitMegawatt, textOffered), number("contracted_volume_mw", unitMegawatt, textProcured),
			nullable(word("time_horizon", textHorizon))),
		nullable(instant("latestFetchedAtUtc", textRead)),
	}
}

// energy is what the answers of both energies begin with, and what follows.
func energy(seconds string, rest ...Field) []Field {
	return append([]Field{
		nullable(Field{Name: "latestDeliveryDateParis", Kind: KindDate, Text: Text{"La dernière date de livraison stockée", "The last delivery date stored"}}),
		nullable(instant("latestFetchedAtUtc", textRead)),
		nullable(instant("latestPeriodStartUtc", Text{"Début de la période la plus récente", "Start of the newest period"})),
		nullable(instant("latestPeriodEndUtc", Text{"Fin de la période la plus récente", "End of the newest period"})),
		{Name: "resolutionSeconds", Kind: KindInteger, Unit: "s", Text: Text{"Durée d’une période : " + seconds, "Length of a period: " + seconds}, Values: []string{seconds}},
		{Name: "rowCount", Kind: KindInteger, Text: Text{"Lignes stockées de la date", "Rows stored of the date"}},
		number("averageUpwardPrice", unitPrice, Text{"Moyenne des prix à la hausse de la date", "Mean of the date’s upward prices"}),
		number("averageDownwardPrice", unitPrice, Text{"Moyenne des prix à la baisse de la date", "Mean of the date’s downward prices"}),
	}, rest...)
}

func bucket(prefix string) []Field {
	return []Field{
		instant(prefix+"_start_utc", textStart), instant(prefix+"_end_utc", textEnd),
		number("upward_price_eur_mwh", unitPrice, textUp), number("downward_price_eur_mwh", unitPrice, textDown),
	}
}

var afrrRow = append(bucket("period"),
	number("pdemand_mw", unitMegawatt, Text{"Besoin du système", "Demand of the system"}),
	number("afrr_for_france_mw", unitMegawatt, Text{"aFRR activée pour la France", "aFRR activated for France"}),
	number("afrr_in_france_mw", unitMegawatt, Text{"aFRR activée en France", "aFRR activated in France"}),
	nullable(Field{Name: "picasso_connection", Kind: KindBoolean, Text: Text{"Connecté à PICASSO", "Connected to PICASSO"}}),
	nullable(Field{Name: "prorata_mode", Kind: KindBoolean, Text: Text{"Activation au prorata", "Activation pro rata"}}),
)

var mfrrRow = []Field{
	instant("period_start_utc", textStart), instant("period_end_utc", textEnd), word("direction", textDirection, "UPWARD", "DOWNWARD"),
	number("clearing_price_eur_mwh", unitPrice, Text{"Prix marginal (clearing)", "Clearing price"}),
	number("settlement_price_current_eur_mwh", unitPrice, Text{"Prix de règlement, quart courant", "Settlement price, current quarter"}),
	number("settlement_price_previous_eur_mwh", unitPrice, Text{"Prix de règlement, quart précédent", "Settlement price, previous quarter"}),
	number("total_requested_volume_sa_mw", unitMegawatt, Text{"Volume demandé, activation programmée", "Volume requested, scheduled activation"}),
	number("total_requested_volume_da_mw", unitMegawatt, Text{"Volume demandé, activation directe", "Volume requested, direct activation"}),
	number("total_satisfied_need_sa_mw", unitMegawatt, Text{"Besoin satisfait, activation programmée", "Need satisfied, scheduled activation"}),
	number("total_satisfied_need_da_mw", unitMegawatt, Text{"Besoin satisfait, activation directe", "Need satisfied, direct activation"}),
	number("total_activated_volume_sa_mw", unitMegawatt, Text{"Volume activé, activation programmée", "Volume activated, scheduled activation"}),
	number("total_activated_volume_da_mw", unitMegawatt, Text{"Volume activé, activation directe", "Volume activated, direct activation"}),
	number("total_volume_submitted_offers_mw", unitMegawatt, Text{"Offres soumises", "Offers submitted"}),
	number("total_volume_filtered_offers_mw", unitMegawatt, Text{"Offres filtrées", "Offers filtered"}),
}
