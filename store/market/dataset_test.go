package market_test

import (
	"courant/store/market"
	"slices"
	"testing"
)

func TestADatasetIsItsID(t *testing.T) {
	t.Parallel()
	want := []market.Dataset{"day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity", "afrr-energy", "mfrr-energy", "imbalance-prices"}
	got := market.Datasets()
	if !slices.Equal(got, want) {
		t.Errorf("Datasets = %v, want %v", got, want)
	}
	got[0] = "changed"
	if !slices.Equal(market.Datasets(), want) {
		t.Error("whoever has the list can change it for all")
	}
	for _, dataset := range want {
		if parsed, ok := market.ParseDataset(string(dataset)); !ok || parsed != dataset {
			t.Errorf("%s reads as %s, %t", dataset, parsed, ok)
		}
	}
	for _, text := range []string{"", "capacity", "all", "AFRR-ENERGY", "afrr-energy ", "afrr_energy"} {
		if _, ok := market.ParseDataset(text); ok {
			t.Errorf("%q is a dataset", text)
		}
	}
}
