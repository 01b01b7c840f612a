package market

import "time"

// ImbalancePrices is imbalance settlement prices by quarter hour, from RTE Balancing Energy, imbalance_data.
const ImbalancePrices Dataset = "imbalance-prices"

// FeedImbalance names the feed of imbalance prices.
const FeedImbalance FeedName = "imbalance"

// imbalanceFeed asks three minutes after each quarter hour: RTE publishes it less than 3 minutes after its end, and it is
// late 10 minutes after it.
var imbalanceFeed = Feed{
	Name: FeedImbalance, Source: SourceRTE, Datasets: []Dataset{ImbalancePrices},
	WindowDays: 7, UndocumentedKeys: true, Rereads: append(rereadsAt(-1, -1, 12*60), energyRereads...),
	Timetable: Timetable{
		Every: 15 * time.Minute, From: 3, To: 24 * 60, Fixed: true,
		LookbackDays: defaultLookbackDays, LateAt: 6 * 60, LagAt: 25 * time.Minute,
	},
}

// ImbalanceStep is the imbalance settlement of a quarter hour, as RTE publishes it (imbalance_data).
type ImbalanceStep struct {
	Start         int64  // seconds UTC
	PositivePrice Number // EUR/MWh, paid to a party in surplus
	NegativePrice Number // EUR/MWh, paid by a party in deficit
	ImbalanceMWh  Number // of the French system over the quarter hour; below 0 the system is short
	SystemTrend   String // UPWARD or DOWNWARD: the direction of the balancing energy that was needed
	Status        String // provisional, validated or settled
	MissingData   String // which of its inputs RTE does not have yet; null once it has all of them
	Updated       int64  // when RTE last wrote the row (updated_date), ms UTC; 0 if it does not say
}

// How final a row is. RTE does not publish that; it follows from the time at which the row was fetched.
const (
	statusProvisional = "provisional"
	statusValidated   = "validated" // read after RTE has written it anew on the second day after delivery
	statusSettled     = "settled"   // read from the 20th of the second month after delivery on
)

// firstImbalanceQuarters is the first delivery date that RTE settles by the quarter hour. Steps before it are half hours.
var firstImbalanceQuarters = NewDeliveryDate(2025, time.January, 1)

// Imbalance is the series of the imbalance prices dataset.
var Imbalance = newSeries(Series[ImbalanceStep]{
	Table: "imbalance_price",
	Step:  QuarterSeconds,
	Datasets: []About{{
		ID:      ImbalancePrices,
		Title:   Text{"Prix de règlement des écarts", "Imbalance prices"},
		Summary: Text{"Prix de règlement des écarts, par quart d’heure", "Imbalance settlement prices, by quarter hour"},
		Group:   GroupEnergy, Source: SourceRTE, Product: "RTE Balancing Energy v5, imbalance_data",
		First: firstImbalanceQuarters, Earliest: firstImbalanceQuarters, Due: []Due{{}}, YearBytes: 2_800_000,
	}},
	Start: func(r *ImbalanceStep) *int64 { return &r.Start },
	Columns: []Column[ImbalanceStep]{{
		Name: "positive_price", Served: "positive_price_eur_mwh", Unit: EURPerMWh,
		Text:   Text{"Prix payé à une partie en excédent (écart positif)", "Price paid to a party in surplus (positive imbalance)"},
		Label:  Text{"Écart positif", "Positive imbalance"},
		Number: func(r *ImbalanceStep) *Number { return &r.PositivePrice },
	}, {
		Name: "negative_price", Served: "negative_price_eur_mwh", Unit: EURPerMWh,
		Text:   Text{"Prix payé par une partie en déficit (écart négatif)", "Price paid by a party in deficit (negative imbalance)"},
		Label:  Text{"Écart négatif", "Negative imbalance"},
		Number: func(r *ImbalanceStep) *Number { return &r.NegativePrice },
	}, {
		Name: "imbalance_mwh", Served: "imbalance_mwh", Unit: MWh,
		Text: Text{"Écart du système français sur le quart d’heure ; négatif : le système manque d’énergie",
			"Imbalance of the French system over the quarter hour; negative: the system is short"},
		Label:  Text{"Écart du système", "System imbalance"},
		Number: func(r *ImbalanceStep) *Number { return &r.ImbalanceMWh },
	}, {
		Name: "system_trend", Served: "system_trend", Words: []Word{wordUpward, wordDownward},
		Text: Text{"Tendance du système : UPWARD quand il a fallu de l’énergie à la hausse, DOWNWARD à la baisse",
			"System trend: UPWARD where upward energy was needed, DOWNWARD where downward energy was"},
		Label:  Text{"Tendance", "Trend"},
		String: func(r *ImbalanceStep) *String { return &r.SystemTrend },
	}, {
		Name: "status", Served: "status", Rising: true, Words: []Word{
			{statusProvisional, Text{"provisoire", "provisional"}},
			{statusValidated, Text{"validé", "validated"}},
			{statusSettled, Text{"définitif", "settled"}},
		},
		Text: Text{"Provisoire jusqu’à la relecture du deuxième jour après la livraison, validé ensuite, définitif après la relecture du 20 du deuxième mois",
			"Provisional until read again on the second day after delivery, validated from then on, settled once read again from the 20th of the second month on"},
		Label:  Text{"Statut", "Status"},
		String: func(r *ImbalanceStep) *String { return &r.Status },
	}, {
		Name: "updated_ms", Served: "source_updated_at",
		Text:    Text{"Dernière écriture de la ligne par RTE, même sans changement", "When RTE last wrote the row, also without a change"},
		Instant: func(r *ImbalanceStep) *int64 { return &r.Updated },
	}, {
		Name: "missing_data", Served: "missing_data", Remark: true,
		Text:   Text{"Données dont RTE ne dispose pas encore pour la ligne", "Data that RTE does not have yet for the row"},
		Label:  Text{"Données manquantes", "Missing data"},
		String: func(r *ImbalanceStep) *String { return &r.MissingData },
	}},
	Remark: func(r *ImbalanceStep) string {
		if r.PositivePrice.Valid && r.NegativePrice.Valid && r.NegativePrice.V < r.PositivePrice.V {
			return "the negative price is below the positive one"
		}
		return ""
	},
	Settle: func(r *ImbalanceStep, readAt time.Time) { r.Status = Str(imbalanceStatus(r, readAt)) },
})

// imbalanceStatus returns how final a row is that was read at a time. One for which RTE still waits for inputs is not settled.
func imbalanceStatus(r *ImbalanceStep, readAt time.Time) string {
	date := DeliveryDateOf(time.Unix(r.Start, 0))
	switch {
	case !readAt.Before(date.Settlement()) && !r.MissingData.Valid:
		return statusSettled
	case !readAt.Before(date.Add(2).At(0, 5)):
		return statusValidated
	}
	return statusProvisional
}
