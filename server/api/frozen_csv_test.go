package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"courant/store"
	"courant/store/market"
)

// oddMarket invents what is published of a delivery date with all that is rare: nulls in every column, missing rows, hours of
// capacity that do not merge, texts that look like formulas, and 4 s values of six decimals around halves of a cent.
func oddMarket(m randomMarket, date market.DeliveryDate) market.Batch {
	var prices []market.Price
	var capacity []market.CapacityStep
	var mfrr []market.MFRRStep
	var imbalance []market.ImbalanceStep
	var afrr []market.AFRRStep
	number := func(decimals int) market.Number { return m.between(-900, 900, decimals, 7).number() }
	period := date.Period()
	for start := period.Start; start < period.End; start += market.QuarterSeconds {
		if m.IntN(40) == 0 {
			continue
		}
		prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: m.between(-90, 900, 6, 0).number()})
		hour := market.HourOf(start)
		for _, sold := range []struct {
			dataset   market.Dataset
			direction market.Direction
			horizon   string
			product   string
		}{
			{market.FCRCapacity, market.Symmetric, "DAILY", "STD"}, {market.AFRRCapacity, market.Downward, "DAILY", ""},
			{market.AFRRCapacity, market.Upward, "DAILY", ""}, {market.MFRRCapacity, market.Upward, "PERIODIC", "SPE0"},
			{market.MFRRCapacity, market.Upward, "DAILY", "STD"}, {market.MFRRCapacity, market.Upward, "DAILY", "SPE"},
			{market.MFRRCapacity, market.Downward, "DAILY", "STD"}, {market.MFRRCapacity, market.Downward, "=1+1", "A/B"},
		} {
			step := market.CapacityStep{
				Dataset: sold.dataset, Start: start, Direction: sold.direction, TimeHorizon: sold.horizon, Product: sold.product,
				OfferedMW: market.Num(float64(hour%7000) / 8), ContractedMW: market.Num(float64(hour % 900)), Price: m.between(0, 30, 6, 0).number(),
			}
			switch m.IntN(25) {
			case 0:
				continue
			case 1:
				step.Price = market.Number{}
			case 2:
				step.OfferedMW = market.Number{}
			case 3:
				step.ContractedMW.V++
			}
			capacity = append(capacity, step)
		}
		for _, direction := range []market.Direction{market.Upward, market.Downward} {
			if m.IntN(20) > 0 {
				mfrr = append(mfrr, market.MFRRStep{
					Start: start, Direction: direction, ClearingPrice: number(2), SettlementPriceCurrent: number(2),
					ActivatedVolumeSAMW: number(1), ActivatedVolumeDAMW: number(3), SubmittedOffersMW: number(0),
				})
			}
		}
		step := market.ImbalanceStep{Start: start, PositivePrice: number(2), NegativePrice: number(2), ImbalanceMWh: number(3)}
		if m.IntN(3) > 0 {
			step.SystemTrend, step.Status, step.MissingData = market.Str("DOWNWARD"), market.Str("validated"), market.Str(`@"a;b,c"`)
		}
		imbalance = append(imbalance, step)
	}
	for start := period.Start; start < period.End; start += 5 * market.AFRRSeconds {
		bucket := market.FiveMinutesOf(start)
		step := market.AFRRStep{Start: start, UpwardPrice: m.between(-900, 900, 5, 7).number(), DemandMW: m.between(-9, 9, 6, 2).number()}
		if bucket%4200 == 0 { // its mean is just below half a cent, and half a cent when rounded to six decimals
			step.UpwardPrice = market.Num(0.005)
			if start == bucket {
				step.UpwardPrice = market.Num(0.004999)
			}
		}
		if bucket%1500 != 0 {
			step.DownwardPrice = number(2)
		}
		if m.IntN(30) > 0 && bucket%3900 != 0 {
			afrr = append(afrr, step)
		}
	}
	return joined(market.Prices.Batch(prices), market.Capacity.Batch(capacity), market.MFRR.Batch(mfrr), market.Imbalance.Batch(imbalance), market.AFRR.Batch(afrr))
}

// joined is batches of different series as one.
func joined(batches ...market.Batch) market.Batch {
	var all market.Batch
	for _, batch := range batches {
		market.Prices.Put(&all, append(market.Prices.In(all), market.Prices.In(batch)...))
		market.Capacity.Put(&all, append(market.Capacity.In(all), market.Capacity.In(batch)...))
		market.MFRR.Put(&all, append(market.MFRR.In(all), market.MFRR.In(batch)...))
		market.Imbalance.Put(&all, append(market.Imbalance.In(all), market.Imbalance.In(batch)...))
		market.AFRR.Put(&all, append(market.AFRR.In(all), market.AFRR.In(batch)...))
	}
	return all
}

// mixedPrices are prices of an hour, of half an hour and of RTE in the place of quarter hours of ENTSO-E.
func mixedPrices(m randomMarket, date market.DeliveryDate) market.Batch {
	var prices []market.Price
	period := date.Period()
	add := func(start int64, resolution market.Resolution, source market.PriceSource) {
		prices = append(prices, market.Price{Start: start, Resolution: resolution, Source: source, Price: m.between(-90, 900, 2, 0).number()})
	}
	for hour := period.Start; hour < period.End; hour += market.HourSeconds {
		switch m.IntN(5) {
		case 0:
			add(hour, market.PT60M, market.FromENTSOE)
		case 1:
			add(hour, market.PT60M, market.FromENTSOE)
			add(hour+1800, market.PT30M, market.FromENTSOE)
			add(hour+2700, market.PT15M, market.FromENTSOE)
		case 2:
			add(hour, market.PT60M, market.FromRTE)
			add(hour+900, market.PT15M, market.FromENTSOE)
		case 3:
			add(hour, market.PT15M, market.FromRTE)
		}
	}
	return market.Prices.Batch(prices)
}

// frozenStore is a fixture that holds rare data of an ordinary delivery date and of both dates of clock changes, prices of
// mixed lengths and sources, a date that is thinned, and one that is thinned with some of its steps read again.
func frozenStore(t testing.TB) *fixture {
	t.Helper()
	f, m := open(t), newMarket()
	f.clock.Advance(market.NewDeliveryDate(2026, 11, 1).Start().Sub(noon))
	for _, date := range []market.DeliveryDate{
		market.NewDeliveryDate(2026, 2, 1), market.NewDeliveryDate(2026, 2, 2), market.NewDeliveryDate(2026, 3, 29), market.NewDeliveryDate(2026, 7, 14), turnBack,
	} {
		f.commit(t, oddMarket(m, date))
	}
	for n := range 2 {
		f.commit(t, mixedPrices(m, market.NewDeliveryDate(2025, 9, 29+n)))
	}
	whole := oddMarket(newMarket(), market.NewDeliveryDate(2026, 2, 2))
	if thinned, err := f.store.ThinAFRR(t.Context(), market.NewDeliveryDate(2026, 3, 1), f.clock.Now()); err != nil || thinned != 2 {
		t.Fatalf("%d dates thinned, %v", thinned, err)
	}
	f.commit(t, market.AFRR.Batch(market.AFRR.In(whole)[1000:1800]))
	f.refresh(t)
	return f
}

// frozenAnswers are the first digits of the SHA-256 of what is answered for the delivery dates: of a dataset, the CSV in French
// and in English; of a page, the rows of its tables and the summaries of its charts. /csv answers as it did before the data API
// for as long as it is there.
var frozenAnswers = map[string]string{
	"/capacite?from=2025-09-29&to=2025-10-29":                "4f53cda1",
	"/capacite?from=2026-01-01":                              "4f53cda1",
	"/capacite?from=2026-02-01":                              "6b0945bb",
	"/capacite?from=2026-02-02":                              "c80a7d80",
	"/capacite?from=2026-03-29":                              "8c4e5258",
	"/capacite?from=2026-07-14":                              "343796c6",
	"/capacite?from=2026-10-20&to=2026-10-28":                "05b559c7",
	"/capacite?from=2026-10-25":                              "2b3a9282",
	"/csv/en/afrr-capacity?from=2025-09-29&to=2025-10-29":    "9efe803e",
	"/csv/en/afrr-capacity?from=2026-01-01":                  "9efe803e",
	"/csv/en/afrr-capacity?from=2026-02-01":                  "4b615f30",
	"/csv/en/afrr-capacity?from=2026-02-02":                  "217bcd82",
	"/csv/en/afrr-capacity?from=2026-03-29":                  "2a3bd11c",
	"/csv/en/afrr-capacity?from=2026-07-14":                  "ed8a00c1",
	"/csv/en/afrr-capacity?from=2026-10-20&to=2026-10-28":    "7dc2b39a",
	"/csv/en/afrr-capacity?from=2026-10-25":                  "7dc2b39a",
	"/csv/en/afrr-energy?from=2026-01-01":                    "f443bf18",
	"/csv/en/afrr-energy?from=2026-02-01":                    "45b4e902",
	"/csv/en/afrr-energy?from=2026-02-02":                    "01dae897",
	"/csv/en/afrr-energy?from=2026-03-29":                    "265c7421",
	"/csv/en/afrr-energy?from=2026-07-14":                    "f5a30e71",
	"/csv/en/afrr-energy?from=2026-10-25":                    "9809939b",
	"/csv/en/day-ahead-prices?from=2025-09-29&to=2025-10-29": "24719391",
	"/csv/en/day-ahead-prices?from=2026-01-01":               "752bda83",
	"/csv/en/day-ahead-prices?from=2026-02-01":               "5616d118",
	"/csv/en/day-ahead-prices?from=2026-02-02":               "2bd032c0",
	"/csv/en/day-ahead-prices?from=2026-03-29":               "b67989da",
	"/csv/en/day-ahead-prices?from=2026-07-14":               "36b81961",
	"/csv/en/day-ahead-prices?from=2026-10-20&to=2026-10-28": "7d0d395a",
	"/csv/en/day-ahead-prices?from=2026-10-25":               "7d0d395a",
	"/csv/en/fcr-capacity?from=2025-09-29&to=2025-10-29":     "9efe803e",
	"/csv/en/fcr-capacity?from=2026-01-01":                   "9efe803e",
	"/csv/en/fcr-capacity?from=2026-02-01":                   "84e0a17f",
	"/csv/en/fcr-capacity?from=2026-02-02":                   "2a77a4d3",
	"/csv/en/fcr-capacity?from=2026-03-29":                   "5873af1b",
	"/csv/en/fcr-capacity?from=2026-07-14":                   "85c03152",
	"/csv/en/fcr-capacity?from=2026-10-20&to=2026-10-28":     "344a8afd",
	"/csv/en/fcr-capacity?from=2026-10-25":                   "344a8afd",
	"/csv/en/imbalance-prices?from=2025-09-29&to=2025-10-29": "3226221c",
	"/csv/en/imbalance-prices?from=2026-01-01":               "3226221c",
	"/csv/en/imbalance-prices?from=2026-02-01":               "deb9971f",
	"/csv/en/imbalance-prices?from=2026-02-02":               "ef97bf14",
	"/csv/en/imbalance-prices?from=2026-03-29":               "b74b8e21",
	"/csv/en/imbalance-prices?from=2026-07-14":               "25942e6b",
	"/csv/en/imbalance-prices?from=2026-10-20&to=2026-10-28": "c9b5e7ee",
	"/csv/en/imbalance-prices?from=2026-10-25":               "c9b5e7ee",
	"/csv/en/mfrr-capacity?from=2025-09-29&to=2025-10-29":    "9efe803e",
	"/csv/en/mfrr-capacity?from=2026-01-01":                  "9efe803e",
	"/csv/en/mfrr-capacity?from=2026-02-01":                  "ccdd0d84",
	"/csv/en/mfrr-capacity?from=2026-02-02":                  "9ed54900",
	"/csv/en/mfrr-capacity?from=2026-03-29":                  "112b9618",
	"/csv/en/mfrr-capacity?from=2026-07-14":                  "9f409a9e",
	"/csv/en/mfrr-capacity?from=2026-10-20&to=2026-10-28":    "94c19569",
	"/csv/en/mfrr-capacity?from=2026-10-25":                  "94c19569",
	"/csv/en/mfrr-energy?from=2025-09-29&to=2025-10-29":      "2b20c808",
	"/csv/en/mfrr-energy?from=2026-01-01":                    "2b20c808",
	"/csv/en/mfrr-energy?from=2026-02-01":                    "bb1b1284",
	"/csv/en/mfrr-energy?from=2026-02-02":                    "c8938342",
	"/csv/en/mfrr-energy?from=2026-03-29":                    "09b09f30",
	"/csv/en/mfrr-energy?from=2026-07-14":                    "86d23d7c",
	"/csv/en/mfrr-energy?from=2026-10-20&to=2026-10-28":      "dc3af2fd",
	"/csv/en/mfrr-energy?from=2026-10-25":                    "dc3af2fd",
	"/csv/fr/afrr-capacity?from=2025-09-29&to=2025-10-29":    "c1d4804d",
	"/csv/fr/afrr-capacity?from=2026-01-01":                  "c1d4804d",
	"/csv/fr/afrr-capacity?from=2026-02-01":                  "30de4df1",
	"/csv/fr/afrr-capacity?from=2026-02-02":                  "4aff7592",
	"/csv/fr/afrr-capacity?from=2026-03-29":                  "60783719",
	"/csv/fr/afrr-capacity?from=2026-07-14":                  "2d6830ff",
	"/csv/fr/afrr-capacity?from=2026-10-20&to=2026-10-28":    "bf9a04e0",
	"/csv/fr/afrr-capacity?from=2026-10-25":                  "bf9a04e0",
	"/csv/fr/afrr-energy?from=2026-01-01":                    "01c91c24",
	"/csv/fr/afrr-energy?from=2026-02-01":                    "f3406885",
	"/csv/fr/afrr-energy?from=2026-02-02":                    "7d06f52b",
	"/csv/fr/afrr-energy?from=2026-03-29":                    "6332b9d1",
	"/csv/fr/afrr-energy?from=2026-07-14":                    "acd117e8",
	"/csv/fr/afrr-energy?from=2026-10-25":                    "60656c6f",
	"/csv/fr/day-ahead-prices?from=2025-09-29&to=2025-10-29": "d8e8c1e3",
	"/csv/fr/day-ahead-prices?from=2026-01-01":               "34091b3e",
	"/csv/fr/day-ahead-prices?from=2026-02-01":               "07eb24c1",
	"/csv/fr/day-ahead-prices?from=2026-02-02":               "47612200",
	"/csv/fr/day-ahead-prices?from=2026-03-29":               "18b711ea",
	"/csv/fr/day-ahead-prices?from=2026-07-14":               "320e1ec6",
	"/csv/fr/day-ahead-prices?from=2026-10-20&to=2026-10-28": "3a37ee0b",
	"/csv/fr/day-ahead-prices?from=2026-10-25":               "3a37ee0b",
	"/csv/fr/fcr-capacity?from=2025-09-29&to=2025-10-29":     "c1d4804d",
	"/csv/fr/fcr-capacity?from=2026-01-01":                   "c1d4804d",
	"/csv/fr/fcr-capacity?from=2026-02-01":                   "e4ffe539",
	"/csv/fr/fcr-capacity?from=2026-02-02":                   "6c8dda53",
	"/csv/fr/fcr-capacity?from=2026-03-29":                   "c1be9eee",
	"/csv/fr/fcr-capacity?from=2026-07-14":                   "28882f09",
	"/csv/fr/fcr-capacity?from=2026-10-20&to=2026-10-28":     "e3e11617",
	"/csv/fr/fcr-capacity?from=2026-10-25":                   "e3e11617",
	"/csv/fr/imbalance-prices?from=2025-09-29&to=2025-10-29": "9774e63e",
	"/csv/fr/imbalance-prices?from=2026-01-01":               "9774e63e",
	"/csv/fr/imbalance-prices?from=2026-02-01":               "f8ff9739",
	"/csv/fr/imbalance-prices?from=2026-02-02":               "ce06d628",
	"/csv/fr/imbalance-prices?from=2026-03-29":               "a3a3b5a6",
	"/csv/fr/imbalance-prices?from=2026-07-14":               "fe263789",
	"/csv/fr/imbalance-prices?from=2026-10-20&to=2026-10-28": "fd7bcc3e",
	"/csv/fr/imbalance-prices?from=2026-10-25":               "fd7bcc3e",
	"/csv/fr/mfrr-capacity?from=2025-09-29&to=2025-10-29":    "c1d4804d",
	"/csv/fr/mfrr-capacity?from=2026-01-01":                  "c1d4804d",
	"/csv/fr/mfrr-capacity?from=2026-02-01":                  "db75ac88",
	"/csv/fr/mfrr-capacity?from=2026-02-02":                  "d420714f",
	"/csv/fr/mfrr-capacity?from=2026-03-29":                  "8258bf2b",
	"/csv/fr/mfrr-capacity?from=2026-07-14":                  "08b7fc3a",
	"/csv/fr/mfrr-capacity?from=2026-10-20&to=2026-10-28":    "54b7d00a",
	"/csv/fr/mfrr-capacity?from=2026-10-25":                  "54b7d00a",
	"/csv/fr/mfrr-energy?from=2025-09-29&to=2025-10-29":      "57b361ea",
	"/csv/fr/mfrr-energy?from=2026-01-01":                    "57b361ea",
	"/csv/fr/mfrr-energy?from=2026-02-01":                    "4caa2468",
	"/csv/fr/mfrr-energy?from=2026-02-02":                    "906efa4f",
	"/csv/fr/mfrr-energy?from=2026-03-29":                    "249068b1",
	"/csv/fr/mfrr-energy?from=2026-07-14":                    "3e28a70a",
	"/csv/fr/mfrr-energy?from=2026-10-20&to=2026-10-28":      "8d34faf4",
	"/csv/fr/mfrr-energy?from=2026-10-25":                    "8d34faf4",
	"/energie?from=2025-09-29&to=2025-10-29":                 "4f53cda1",
	"/energie?from=2026-01-01":                               "4f53cda1",
	"/energie?from=2026-02-01":                               "b49e417d",
	"/energie?from=2026-02-02":                               "3ed07d55",
	"/energie?from=2026-03-29":                               "038711f4",
	"/energie?from=2026-07-14":                               "bd208784",
	"/energie?from=2026-10-20&to=2026-10-28":                 "e0c97287",
	"/energie?from=2026-10-25":                               "20416c6a",
	"/prix?from=2025-09-29&to=2025-10-29":                    "06e277f5",
	"/prix?from=2026-01-01":                                  "4f53cda1",
	"/prix?from=2026-02-01":                                  "cdc82e9b",
	"/prix?from=2026-02-02":                                  "302fd481",
	"/prix?from=2026-03-29":                                  "7b9fa524",
	"/prix?from=2026-07-14":                                  "4dfb03f8",
	"/prix?from=2026-10-20&to=2026-10-28":                    "bd2d8efa",
	"/prix?from=2026-10-25":                                  "eea720d9",
}

var chartSummary = regexp.MustCompile(`<span class="hidden">([^<]*)</span></figcaption>`)

func TestTheCSVAndTheTablesAnswerAsBefore(t *testing.T) {
	t.Parallel()
	f := frozenStore(t)
	admin := carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
	compared := 0
	compare := func(name, answer string) {
		t.Helper()
		compared++
		sum := sha256.Sum256([]byte(answer))
		if got := hex.EncodeToString(sum[:4]); got != frozenAnswers[name] {
			t.Errorf("changed: %q: %q,", name, got)
		}
	}
	pages := map[market.Group]string{market.GroupPrices: "/prix", market.GroupCapacity: "/capacite", market.GroupEnergy: "/energie"}
	for _, span := range []string{
		"2026-07-14", "2026-03-29", "2026-10-25", "2026-02-01", "2026-02-02", "2026-01-01", "2026-10-20&to=2026-10-28", "2025-09-29&to=2025-10-29",
	} {
		for _, dataset := range market.Datasets() {
			for _, language := range []string{"fr", "en"} {
				path := "/csv/" + language + "/" + string(dataset) + "?from=" + span
				if w := f.ask(t, "GET", path, admin); w.Code == http.StatusOK {
					compare(path, w.Body.String())
				}
			}
		}
		for group, path := range pages {
			page := f.ask(t, "GET", path+"?from="+span, admin).Body.String()
			shown := fmt.Sprint(chartSummary.FindAllString(page, -1))
			for _, dataset := range group.Datasets() {
				if strings.Contains(page, `<table id="`+string(dataset)+`">`) {
					shown += fmt.Sprint(shownRows(t, page, string(dataset)))
				}
			}
			compare(path+"?from="+span, shown)
		}
	}
	if compared != len(frozenAnswers) {
		t.Errorf("%d answers are compared, %d are known", compared, len(frozenAnswers))
	}
}
