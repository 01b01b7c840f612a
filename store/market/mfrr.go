package market

// MFRREnergy is mFRR energy by quarter hour and direction, from RTE Balancing Energy, standard_mfrr_data.
const MFRREnergy Dataset = "mfrr-energy"

// MFRRStep is a quarter hour of mFRR energy in one direction, as RTE publishes it. SA is scheduled activation, DA direct
// activation; prices are EUR/MWh.
type MFRRStep struct {
	Start                   int64 // seconds UTC
	Direction               Direction
	ClearingPrice           Number
	SettlementPriceCurrent  Number
	SettlementPricePrevious Number
	RequestedVolumeSAMW     Number
	RequestedVolumeDAMW     Number
	SatisfiedNeedSAMW       Number
	SatisfiedNeedDAMW       Number
	ActivatedVolumeSAMW     Number
	ActivatedVolumeDAMW     Number
	SubmittedOffersMW       Number
	FilteredOffersMW        Number
	Updated                 int64 // when RTE last wrote the row, ms UTC; 0: unknown
}

// MFRR is the series of the mFRR energy dataset.
var MFRR = newSeries(Series[MFRRStep]{
	Table: "mfrr_energy",
	Step:  QuarterSeconds,
	Datasets: []About{{
		ID: MFRREnergy, Title: Text{"Énergie mFRR", "mFRR energy"},
		Summary: Text{"Énergie mFRR, par quart d’heure et par sens", "mFRR energy, by quarter hour and direction"},
		Group:   GroupEnergy, Source: SourceRTE, Product: "RTE Balancing Energy v5, standard_mfrr_data",
		Due: []Due{{Prefix: string(Upward)}, {Prefix: string(Downward)}}, YearBytes: 3_700_000,
	}},
	Start: func(r *MFRRStep) *int64 { return &r.Start },
	Keys: []Key[MFRRStep]{{
		Name: "direction", Served: "direction", Text: textDirection, Words: []Word{wordUpward, wordDownward},
		Field: func(r *MFRRStep) any { return &r.Direction }, Of: func(r *MFRRStep) string { return string(r.Direction) },
	}},
	Columns: []Column[MFRRStep]{{
		Name: "clearing_price", Served: "clearing_price_eur_mwh", Unit: EURPerMWh,
		Text:   Text{"Prix marginal (clearing)", "Clearing price"},
		Number: func(r *MFRRStep) *Number { return &r.ClearingPrice },
	}, {
		Name: "settlement_price_current", Served: "settlement_price_current_eur_mwh", Unit: EURPerMWh,
		Text:   Text{"Prix de règlement, quart courant", "Settlement price, current quarter"},
		Number: func(r *MFRRStep) *Number { return &r.SettlementPriceCurrent },
	}, {
		Name: "settlement_price_previous", Served: "settlement_price_previous_eur_mwh", Unit: EURPerMWh,
		Text:   Text{"Prix de règlement, quart précédent", "Settlement price, previous quarter"},
		Number: func(r *MFRRStep) *Number { return &r.SettlementPricePrevious },
	}, {
		Name: "requested_volume_sa_mw", Served: "total_requested_volume_sa_mw", Unit: MW,
		Text:   Text{"Volume demandé, activation programmée", "Volume requested, scheduled activation"},
		Number: func(r *MFRRStep) *Number { return &r.RequestedVolumeSAMW },
	}, {
		Name: "requested_volume_da_mw", Served: "total_requested_volume_da_mw", Unit: MW,
		Text:   Text{"Volume demandé, activation directe", "Volume requested, direct activation"},
		Number: func(r *MFRRStep) *Number { return &r.RequestedVolumeDAMW },
	}, {
		Name: "satisfied_need_sa_mw", Served: "total_satisfied_need_sa_mw", Unit: MW,
		Text:   Text{"Besoin satisfait, activation programmée", "Need satisfied, scheduled activation"},
		Number: func(r *MFRRStep) *Number { return &r.SatisfiedNeedSAMW },
	}, {
		Name: "satisfied_need_da_mw", Served: "total_satisfied_need_da_mw", Unit: MW,
		Text:   Text{"Besoin satisfait, activation directe", "Need satisfied, direct activation"},
		Number: func(r *MFRRStep) *Number { return &r.SatisfiedNeedDAMW },
	}, {
		Name: "activated_volume_sa_mw", Served: "total_activated_volume_sa_mw", Unit: MW,
		Text:   Text{"Volume activé, activation programmée", "Volume activated, scheduled activation"},
		Number: func(r *MFRRStep) *Number { return &r.ActivatedVolumeSAMW },
	}, {
		Name: "activated_volume_da_mw", Served: "total_activated_volume_da_mw", Unit: MW,
		Text:   Text{"Volume activé, activation directe", "Volume activated, direct activation"},
		Number: func(r *MFRRStep) *Number { return &r.ActivatedVolumeDAMW },
	}, {
		Name: "submitted_offers_mw", Served: "total_volume_submitted_offers_mw", Unit: MW,
		Text:   Text{"Offres soumises", "Offers submitted"},
		Number: func(r *MFRRStep) *Number { return &r.SubmittedOffersMW },
	}, {
		Name: "filtered_offers_mw", Served: "total_volume_filtered_offers_mw", Unit: MW,
		Text:   Text{"Offres filtrées", "Offers filtered"},
		Number: func(r *MFRRStep) *Number { return &r.FilteredOffersMW },
	}, {
		Name: "updated_ms", Instant: func(r *MFRRStep) *int64 { return &r.Updated },
	}},
})
