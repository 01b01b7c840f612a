package api_test

import (
	"testing"

	"courant/store/market"
)

const (
	noRows = `{"rows":[],"latestFetchedAtUtc":null}`
	noAFRR = `{"latestDeliveryDateParis":null,"latestFetchedAtUtc":null,"latestPeriodStartUtc":null,"latestPeriodEndUtc":null,` +
		`"resolutionSeconds":4,"rowCount":0,"averageUpwardPrice":null,"averageDownwardPrice":null,"latestRow":null,` +
		`"recentRows":[],"chartRows":[]}`
	noMFRR = `{"latestDeliveryDateParis":null,"latestFetchedAtUtc":null,"latestPeriodStartUtc":null,"latestPeriodEndUtc":null,` +
		`"resolutionSeconds":900,"rowCount":0,"averageUpwardPrice":null,"averageDownwardPrice":null,"latestUpwardRow":null,` +
		`"latestDownwardRow":null,"recentRows":[],"chartRows":[]}`
)

func TestWithNothingStoredEveryKeyIsThere(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	admin := f.admin(t)
	for endpoint, want := range map[string]string{
		"day-ahead-prices": `{"rows":[],"latestDate":null,"earliestDate":null}`,
		"fcr-capacity":     noRows,
		"afrr-capacity":    noRows,
		"mfrr-capacity":    noRows,
		"afrr-energy":      noAFRR,
		"mfrr-energy":      noMFRR,
		"imbalance-prices": `{"rows":[],"latestDeliveryDateParis":null,"latestFetchedAtUtc":null,"latestPeriodEndUtc":null,` +
			`"resolutionSeconds":900,"rowCount":0}`,
		"balancing-capacity": `{"latestFetchedAtUtc":null,"fcr":` + noRows + `,"afrr":` + noRows + `,"mfrr":` + noRows + `}`,
		"balancing-energy":   `{"latestFetchedAtUtc":null,"afrr":` + noAFRR + `,"mfrr":` + noMFRR + `}`,
	} {
		w := f.ask(t, "GET", "/api/"+endpoint, admin)
		if w.Code != 200 {
			t.Errorf("%s answers %d", endpoint, w.Code)
		}
		same(t, w.Body.Bytes(), []byte(want))
	}
}

func TestARunThatBroughtNothingIsFetchTimeAlone(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, market.Batch{}, market.FCRCapacity, market.AFRREnergy)
	f.refresh(t)
	served := f.Snapshot()
	same(t, served["fcr-capacity"], []byte(`{"rows":[],"latestFetchedAtUtc":"2026-07-15T12:00:00.000Z"}`))
	same(t, served["afrr-capacity"], []byte(noRows))
	same(t, served["balancing-energy"], []byte(`{"latestFetchedAtUtc":"2026-07-15T12:00:00.000Z","afrr":{"latestDeliveryDateParis":null,`+
		`"latestFetchedAtUtc":"2026-07-15T12:00:00.000Z"`+noAFRR[len(`{"latestDeliveryDateParis":null,"latestFetchedAtUtc":null`):]+`,"mfrr":`+noMFRR+`}`))
}
