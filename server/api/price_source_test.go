package api_test

import (
	"strings"
	"testing"

	"courant/store"
	"courant/store/market"
)

func TestPagesNameTheSourcesOfPrices(t *testing.T) {
	day := market.DeliveryDateOf(noon)
	quarters := func(source market.PriceSource, first, last int, price float64) (prices []market.Price) {
		for q := first; q < last; q++ {
			prices = append(prices, market.Price{Start: day.Period().Start + int64(q)*market.QuarterSeconds, Resolution: market.PT15M, Source: source, Price: market.Num(price)})
		}
		return prices
	}
	for _, row := range []struct {
		name       string
		entsoe     int // quarters that ENTSO-E has given, at 50 EUR/MWh
		rte        int // quarters that RTE has given
		price      float64
		want       string
		wantFrench string
	}{
		{"ENTSO-E alone", 96, 0, 0, "ENTSO-E, fetched", "ENTSO-E, collecté"},
		{"RTE alone", 0, 96, 50, "RTE, until ENTSO-E publishes them, fetched", "RTE, en attendant ENTSO-E, collecté"},
		{"a part of each", 40, 96, 50, "ENTSO-E and, until it publishes the rest, RTE, fetched", "ENTSO-E et, en attendant, RTE, collecté"},
		{"both, a cent apart", 96, 96, 50.01, "ENTSO-E, confirmed by RTE, fetched", "ENTSO-E, confirmé par RTE, collecté"},
		{"both, more apart", 96, 96, 50.02, "ENTSO-E, fetched", "ENTSO-E, collecté"},
		{"a part confirmed", 96, 40, 50, "ENTSO-E, fetched", "ENTSO-E, collecté"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := open(t)
			f.commit(t, market.Prices.Batch(append(quarters(market.FromENTSOE, 0, row.entsoe, 50), quarters(market.FromRTE, 0, row.rte, row.price)...)))
			f.refresh(t)
			session := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
			for language, want := range map[string]string{"en": row.want, "fr": row.wantFrench} {
				for _, path := range []string{"/", "/prix"} {
					page := f.ask(t, "GET", path, session, header("Accept-Language", language)).Body.String()
					if !strings.Contains(page, `<p class="source">`+want) {
						t.Errorf("%s in %s does not say %q", path, language, want)
					}
				}
			}
		})
	}
}
