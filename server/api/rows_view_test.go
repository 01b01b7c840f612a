package api

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store/market"
	"courant/web"
)

func TestEachSeriesOfADatasetThatIsShownAsStoredHasALineOfItsOwn(t *testing.T) {
	t.Parallel()
	type line struct {
		key, label string
		values     int
	}
	for _, test := range []struct {
		dataset market.Dataset
		keys    [][]string
		want    []line
	}{
		{market.ImbalancePrices, nil, []line{
			{"positive_price_eur_mwh", "Positive imbalance", 2}, {"negative_price_eur_mwh", "Negative imbalance", 2},
			{"imbalance_mwh", "System imbalance", 2},
		}},
		{market.FCRCapacity, [][]string{{"SYMMETRIC", "SYMMETRIC"}, {"DAILY", "PERIODIC"}, {"STD", "STD"}}, []line{
			{"symmetric-daily-std-offered_volume_mw", "Offered, symmetric, daily, STD", 1},
			{"symmetric-periodic-std-offered_volume_mw", "Offered, symmetric, periodic, STD", 1},
			{"symmetric-daily-std-contracted_volume_mw", "Procured, symmetric, daily, STD", 1},
			{"symmetric-periodic-std-contracted_volume_mw", "Procured, symmetric, periodic, STD", 1},
			{"symmetric-daily-std-price", "Price, symmetric, daily, STD", 1},
			{"symmetric-periodic-std-price", "Price, symmetric, periodic, STD", 1},
		}},
	} {
		table := web.Table{Period: exampleDate.Period()}
		rows := sampleRows(test.dataset, exampleDate)
		rows.Keys = test.keys
		fillRows(&table, test.dataset, rows)
		var got []line
		for _, drawing := range drawingsByUnit(test.dataset, table) {
			for _, s := range drawing.series {
				got = append(got, line{s.Key, s.Label.EN, s.Figures.Values})
			}
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(line{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.dataset, diff)
		}
	}
	var empty web.Table
	fillRows(&empty, market.FCRCapacity, market.Chunk{})
	without := drawingsByUnit(market.FCRCapacity, empty)
	if len(without) == 0 || slices.ContainsFunc(without, func(d drawing) bool { return len(d.series) == 0 }) {
		t.Errorf("without rows the charts are %+v", without)
	}
}
