package simulator

import "slices"

// The names for which a fault can be set: one resource, all of a source, or all.
const (
	All              = "all"
	AllOfRTE         = "rte"
	Token            = "token"
	ProcuredReserves = "result_procured_reserves"
	MarginalPrice    = "afrr_marginal_price"
	StandardMFRR     = "standard_mfrr_data"
	ImbalanceData    = "imbalance_data"
	PowerExchanges   = "france_power_exchanges"
	AllOfENTSOE      = "entsoe"
	A44              = "A44"
)

// resource is what one request asks for.
type resource struct {
	name    string
	source  string // AllOfRTE or AllOfENTSOE
	opening string // how its document begins
	ahead   bool   // it is about the day after the call
}

var resources = []resource{
	{name: Token, source: AllOfRTE, opening: `{"access_token":`},
	{name: ProcuredReserves, source: AllOfRTE, opening: `{"result_procured_reserves":[`, ahead: true},
	{name: MarginalPrice, source: AllOfRTE, opening: `{"days":[`},
	{name: StandardMFRR, source: AllOfRTE, opening: `{"mari":{"mari_mesures":[`},
	{name: ImbalanceData, source: AllOfRTE, opening: `{"imbalance_data":[`},
	{name: PowerExchanges, source: AllOfRTE, opening: `{"france_power_exchanges":[`, ahead: true},
	{name: A44, source: AllOfENTSOE, opening: `<?xml version="1.0" encoding="UTF-8"?><Publication_MarketDocument>`, ahead: true},
}

// resourcesOf returns the resources that a name covers; nil if the name is
// unknown.
func resourcesOf(name string) []resource {
	var named []resource
	for _, r := range resources {
		if name == All || name == r.source || name == r.name {
			named = append(named, r)
		}
	}
	return named
}

// resourceNamed returns the one resource of that name.
func resourceNamed(name string) resource {
	return resources[slices.IndexFunc(resources, func(r resource) bool { return r.name == name })]
}

// resourceNames returns everything that a fault may be set for.
func resourceNames() []string {
	names := []string{All, AllOfRTE, AllOfENTSOE}
	for _, r := range resources {
		names = append(names, r.name)
	}
	return names
}

// sourceOf returns the resources of a source.
func sourceOf(r resource) []resource { return resourcesOf(r.source) }
