package server

import (
	"testing"

	"courant/store"
	"courant/web"
)

func TestOfEqualExtremesTheFirstIsNamed(t *testing.T) {
	table := web.Table{Columns: []web.Column{{Name: "price_eur_mwh"}}}
	for i, price := range []float64{3, 9, 1, 9, 1, 3} {
		start := int64(i) * store.QuarterSeconds
		table.Rows = append(table.Rows, web.Row{Period: store.Period{Start: start, End: start + store.QuarterSeconds}, Numbers: []store.Number{store.Num(price)}})
	}
	got := seriesOf(table, "", "price_eur_mwh", web.Text{}).Figures
	if got.Most != store.Num(9) || got.MostAt != table.Rows[1].Period || got.Least != store.Num(1) || got.LeastAt != table.Rows[2].Period {
		t.Errorf("%+v", got)
	}
}
