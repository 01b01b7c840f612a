package market

// AFRREnergy is aFRR energy in steps of 4 s, from RTE Balancing Energy, afrr_marginal_price.
const AFRREnergy Dataset = "afrr-energy"

// AFRRStep is a 4 s step of aFRR energy, as RTE publishes it.
type AFRRStep struct {
	Start             int64  // seconds UTC
	UpwardPrice       Number // EUR/MWh
	DownwardPrice     Number // EUR/MWh
	DemandMW          Number
	ForFranceMW       Number
	InFranceMW        Number
	PicassoConnection Flag
	ProrataMode       Flag
}

// AFRR is the series of the aFRR energy dataset.
var AFRR = newSeries(Series[AFRRStep]{
	Table: "afrr_energy",
	Step:  AFRRSeconds,
	Datasets: []About{{
		ID: AFRREnergy, Title: Text{"Énergie aFRR", "aFRR energy"},
		Summary: Text{"Énergie aFRR, pas de 4 secondes", "aFRR energy, every 4 seconds"},
		Group:   GroupEnergy, Source: SourceRTE, Product: "RTE Balancing Energy v5, afrr_marginal_price",
		Due: []Due{{}}, DropsOutliers: true, YearBytes: 108_800_000,
	}},
	Start: func(r *AFRRStep) *int64 { return &r.Start },
	Columns: []Column[AFRRStep]{{
		Name: "upward_price", Served: "upward_price_eur_mwh", Unit: EURPerMWh,
		Text: Text{"Prix à la hausse", "Upward price"}, Label: Text{"Hausse", "Upward"},
		Number: func(r *AFRRStep) *Number { return &r.UpwardPrice },
	}, {
		Name: "downward_price", Served: "downward_price_eur_mwh", Unit: EURPerMWh,
		Text: Text{"Prix à la baisse", "Downward price"}, Label: Text{"Baisse", "Downward"},
		Number: func(r *AFRRStep) *Number { return &r.DownwardPrice },
	}, {
		Name: "demand_mw", Served: "pdemand_mw", Unit: MW,
		Text: Text{"Besoin du système", "Demand of the system"}, Label: Text{"Besoin du système", "System demand"},
		Number: func(r *AFRRStep) *Number { return &r.DemandMW },
	}, {
		Name: "for_france_mw", Served: "afrr_for_france_mw", Unit: MW, Text: Text{"aFRR activée pour la France", "aFRR activated for France"},
		Number: func(r *AFRRStep) *Number { return &r.ForFranceMW },
	}, {
		Name: "in_france_mw", Served: "afrr_in_france_mw", Unit: MW, Text: Text{"aFRR activée en France", "aFRR activated in France"},
		Number: func(r *AFRRStep) *Number { return &r.InFranceMW },
	}, {
		Name: "picasso_connection", Served: "picasso_connection", Text: Text{"Connecté à PICASSO", "Connected to PICASSO"},
		Flag: func(r *AFRRStep) *Flag { return &r.PicassoConnection },
	}, {
		Name: "prorata_mode", Served: "prorata_mode", Text: Text{"Activation au prorata", "Activation pro rata"},
		Flag: func(r *AFRRStep) *Flag { return &r.ProrataMode },
	}},
})
