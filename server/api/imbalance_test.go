package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
)

// imbalanceOn are two quarter hours of a date, one of them without prices.
func imbalanceOn(date market.DeliveryDate) []market.ImbalanceStep {
	start := date.Start().Unix()
	return []market.ImbalanceStep{{
		Start: start, PositivePrice: market.Num(48.08), NegativePrice: market.Num(53.28), ImbalanceMWh: market.Num(-100.98),
		SystemTrend: market.Str("UPWARD"), Status: market.Str("provisional"), Updated: 1000*start + 1_061_250,
	}, {
		Start: start + 900, ImbalanceMWh: market.Num(12), SystemTrend: market.Str("DOWNWARD"), Status: market.Str("provisional"),
		MissingData: market.Str(`afrr "<&>"`),
	}}
}

func TestImbalancePricesAreServedToTheLetter(t *testing.T) {
	f := open(t)
	first, last := market.NewDeliveryDate(2026, time.June, 17), market.NewDeliveryDate(2026, time.July, 15)
	rows := append(imbalanceOn(first.Add(-1)), imbalanceOn(first)[0]) // the window has 29 dates
	f.commit(t, market.Imbalance.Batch(append(rows, imbalanceOn(last)...)))
	f.refresh(t)
	served := func(status, updated string) string {
		row := func(start, end, status, updated string) string {
			return `{"period_start_utc":"` + start + `:00.000Z","period_end_utc":"` + end + `:00.000Z","positive_price_eur_mwh":48.08,` +
				`"negative_price_eur_mwh":53.28,"imbalance_mwh":-100.98,"system_trend":"UPWARD","status":"` + status + `",` +
				`"source_updated_at":"` + updated + `Z","missing_data":null}`
		}
		return `{"rows":[` + row("2026-06-16T22:00", "2026-06-16T22:15", "provisional", "2026-06-16T22:17:41.250") + `,` +
			row("2026-07-14T22:00", "2026-07-14T22:15", status, updated) + `,` +
			`{"period_start_utc":"2026-07-14T22:15:00.000Z","period_end_utc":"2026-07-14T22:30:00.000Z","positive_price_eur_mwh":null,` +
			`"negative_price_eur_mwh":null,"imbalance_mwh":12,"system_trend":"DOWNWARD","status":"provisional","source_updated_at":null,` +
			`"missing_data":"afrr \"<&>\""}],"latestDeliveryDateParis":"2026-07-15","latestFetchedAtUtc":"2026-07-15T12:00:00.000Z",` +
			`"latestPeriodEndUtc":"2026-07-14T22:30:00.000Z","resolutionSeconds":900,"rowCount":3}`
	}
	same(t, f.body(t, "imbalance-prices"), []byte(served("provisional", "2026-07-14T22:17:41.250")))

	// What a row says of itself is served at once, although no value has changed.
	again := imbalanceOn(last)[0]
	again.Status = market.Str("validated")
	f.commit(t, market.Imbalance.Batch([]market.ImbalanceStep{again}))
	f.refresh(t)
	same(t, f.body(t, "imbalance-prices"), []byte(served("validated", "2026-07-14T22:17:41.250")))
	again.Updated += 3_600_000
	f.commit(t, market.Imbalance.Batch([]market.ImbalanceStep{again}))
	f.refresh(t)
	same(t, f.body(t, "imbalance-prices"), []byte(served("validated", "2026-07-14T23:17:41.250")))
}

func TestImbalancePricesNeedASubscription(t *testing.T) {
	f, _ := withMarket(t)
	for _, test := range []struct {
		offer string
		want  int
	}{{"", 401}, {"afrr", 401}, {"everything", 200}} {
		email := "member-" + test.offer + "@example.org"
		member := f.account(t, email, store.Member)
		if test.offer != "" {
			must(t, f.store.SetSubscription(t.Context(), store.Note{}, email, store.Subscription{Offer: test.offer, Start: noon}))
			must(t, f.auth.Refresh(t.Context()))
		}
		w := f.ask(t, "GET", "/api/imbalance-prices", bearer(f.token(t, member, nil)))
		if w.Code != test.want || test.want == 401 && problemOf(t, w).Code != "subscription_required" {
			t.Errorf("with the offer %q it answers %d: %.200s", test.offer, w.Code, w.Body)
		}
	}
}

func TestRevisionsOfTextsAreTexts(t *testing.T) {
	f := open(t)
	admin := f.admin(t)
	date := market.NewDeliveryDate(2026, time.July, 14)
	before := imbalanceOn(date)[1]
	after := before
	after.SystemTrend, after.MissingData, after.Status = market.Str("UPWARD"), market.String{Withdrawn: true}, market.Str("validated")
	after.PositivePrice, after.Updated = market.Num(7.5), 1000*after.Start
	f.commit(t, market.Imbalance.Batch([]market.ImbalanceStep{before}))
	f.clock.Advance(time.Hour)
	f.commit(t, market.Imbalance.Batch([]market.ImbalanceStep{after}))
	revision := func(column, old, new string) string {
		return `{"period_start_utc":"2026-07-13T22:15:00.000Z","series":"","column":"` + column + `","old":` + old + `,"new":` + new +
			`,"seen_at":"2026-07-15T13:00:00.000Z"}`
	}
	want := `{"revisions":[` + revision("missing_data", `"afrr \"<&>\""`, "null") + `,` + revision("positive_price_eur_mwh", "null", "7.5") + `,` +
		revision("system_trend", `"DOWNWARD"`, `"UPWARD"`) + `],"next":null}`
	const target = "/api/revisions/imbalance-prices?from=2026-07-14&to=2026-07-14"
	if w := f.ask(t, "GET", target, admin); w.Body.String() != want {
		t.Errorf("%d\n%s\nwant\n%s", w.Code, w.Body, want)
	}
	first, next := revisionsPage(t, f, target+"&limit=2", admin)
	rest, _ := revisionsPage(t, f, next, admin)
	if len(first) != 2 || len(rest) != 1 || !strings.Contains(rest[0], `"system_trend"`) {
		t.Errorf("pages of two: %v, %v", first, rest)
	}
}

func TestPagesShowImbalancePricesInBothLanguages(t *testing.T) {
	f, admin := withMarket(t)
	for language, words := range map[string][]string{
		"fr": {"Prix de règlement des écarts", "Écart positif", "Écart négatif", "Écart du système", "Tendance", "hausse", "provisoire", "€/MWh", "MWh"},
		"en": {"Imbalance prices", "Positive imbalance", "Negative imbalance", "System imbalance", "Trend", "upward", "provisional", "€/MWh", "MWh"},
	} {
		for path, want := range map[string]string{
			"/energie?from=2026-10-25": "100 rows, 1792879200 1792880100 -20 0.25 -30",
			"/":                        "48 rows, 1792926000 1792926900 84 52.25 22", // the last 12 hours
		} {
			page := f.ask(t, "GET", path, admin, header("Accept-Language", language)).Body.String()
			_, page, found := strings.Cut(page, words[0])
			if !found {
				t.Errorf("%s in %s does not name it", path, language)
			}
			for _, word := range words[1:] {
				if !strings.Contains(page, word) {
					t.Errorf("%s in %s does not show %q", path, language, word)
				}
			}
			rows := shownRows(t, page, "imbalance-prices")
			if got := fmt.Sprintf("%d rows, %s", len(rows), strings.Join(rows[0], " ")); got != want {
				t.Errorf("%s in %s shows %s, want %s", path, language, got, want)
			}
		}
	}
}

func TestTheCSVOfImbalancePricesHasTheirTexts(t *testing.T) {
	f := open(t)
	date := market.DeliveryDateOf(noon)
	f.commit(t, market.Imbalance.Batch(imbalanceOn(date)))
	f.refresh(t)
	admin := f.admin(t)
	for form, want := range map[string]string{
		"fr": "delivery_date;start_paris;period_start_utc;period_end_utc;system_trend;status;missing_data;positive_price_eur_mwh;negative_price_eur_mwh;imbalance_mwh\r\n" +
			"2026-07-15;00:00;2026-07-14T22:00:00Z;2026-07-14T22:15:00Z;UPWARD;provisional;;48,08;53,28;-100,98\r\n" +
			"2026-07-15;00:15;2026-07-14T22:15:00Z;2026-07-14T22:30:00Z;DOWNWARD;provisional;\"afrr \"\"<&>\"\"\";;;12\r\n",
		"en": "delivery_date,start_paris,period_start_utc,period_end_utc,system_trend,status,missing_data,positive_price_eur_mwh,negative_price_eur_mwh,imbalance_mwh\r\n" +
			"2026-07-15,00:00,2026-07-14T22:00:00Z,2026-07-14T22:15:00Z,UPWARD,provisional,,48.08,53.28,-100.98\r\n" +
			"2026-07-15,00:15,2026-07-14T22:15:00Z,2026-07-14T22:30:00Z,DOWNWARD,provisional,\"afrr \"\"<&>\"\"\",,,12\r\n",
	} {
		if w := f.ask(t, "GET", "/csv/"+form+"/imbalance-prices?from=2026-07-15", admin); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d\n%s\nwant\n%s", form, w.Code, w.Body, want)
		}
	}
}
