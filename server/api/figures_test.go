package api

import (
	"testing"

	"courant/store/market"
	"courant/web"
)

func TestOfEqualExtremesTheFirstIsNamed(t *testing.T) {
	t.Parallel()
	table := web.Table{Columns: []web.Column{{Name: "price_eur_mwh"}}}
	for i, price := range []float64{3, 9, 1, 9, 1, 3} {
		start := int64(i) * market.QuarterSeconds
		table.Rows = append(table.Rows, web.Row{Period: market.Period{Start: start, End: start + market.QuarterSeconds}, Numbers: []market.Number{market.Num(price)}})
	}
	got := seriesOf(table, "", "price_eur_mwh", web.Text{}).Figures
	if got.Most != market.Num(9) || got.MostAt != table.Rows[1].Period || got.Least != market.Num(1) || got.LeastAt != table.Rows[2].Period {
		t.Errorf("%+v", got)
	}
}
