package api_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

type fcrRow struct {
	Start      word  `json:"period_start_utc"`
	End        word  `json:"period_end_utc"`
	Volume     value `json:"volume_mw"`
	Contracted value `json:"contracted_volume_mw"`
	Offered    value `json:"offered_volume_mw"`
	Price      value `json:"price"`
	Direction  word  `json:"direction"`
	Product    word  `json:"product_type"`
	Horizon    word  `json:"time_horizon"`
}

type capacityRow struct {
	Start      word  `json:"period_start_utc"`
	End        word  `json:"period_end_utc"`
	Direction  word  `json:"direction"`
	Price      value `json:"price"`
	Product    word  `json:"product_type"`
	Offered    value `json:"offered_volume_mw"`
	Contracted value `json:"contracted_volume_mw"`
	Horizon    word  `json:"time_horizon"`
}

type capacityAnswer struct {
	Rows    any  `json:"rows"`
	Fetched word `json:"latestFetchedAtUtc"`
}

// soldSteps are quarter hours of one series, as RTE publishes them.
type soldSteps struct {
	dataset             market.Dataset
	first               string
	direction           market.Direction
	horizon, product    string
	offered, contracted []value // one for all, or one a step
	prices              []value // one a step
}

func (s soldSteps) rows() []market.CapacityStep {
	pick := func(values []value, i int) market.Number { return values[min(i, len(values)-1)].number() }
	var rows []market.CapacityStep
	for i, price := range s.prices {
		rows = append(rows, market.CapacityStep{
			Dataset: s.dataset, Start: at(s.first) + 900*int64(i), Direction: s.direction, TimeHorizon: s.horizon, Product: s.product,
			OfferedMW: pick(s.offered, i), ContractedMW: pick(s.contracted, i), Price: price.number(),
		})
	}
	return rows
}

// upward is an hour, or a part of one, of aFRR upward that begins at 10:00Z.
func upward(offered, contracted []value, prices ...value) soldSteps {
	return soldSteps{market.AFRRCapacity, "2026-07-15T10:00:00Z", market.Upward, "DAILY", "STD", offered, contracted, prices}
}

func one(v value) []value { return []value{v} }

// row is a row of aFRR upward.
func upwardRow(start, end string, price, offered, contracted value) capacityRow {
	return capacityRow{utc(at(start)), utc(at(end)), "UPWARD", price, "aFRR", offered, contracted, "DAILY"}
}

func TestFourQuartersOfAClockHourBecomeOneRow(t *testing.T) {
	t.Parallel()
	hour := func(price, offered, contracted value) []capacityRow {
		return []capacityRow{upwardRow("2026-07-15T10:00:00Z", "2026-07-15T11:00:00Z", price, offered, contracted)}
	}
	for name, test := range map[string]struct {
		steps []soldSteps
		want  []capacityRow
	}{
		"the sum has no float noise":          {[]soldSteps{upward(one("900"), one("450.5"), "0.208333", "0.208333", "0.208333", "0.208333")}, hour("0.833332", "900", "450.5")},
		"nor this one":                        {[]soldSteps{upward(one("1"), one("1"), "0.228438", "0.228438", "0.228438", "0.228438")}, hour("0.913752", "1", "1")},
		"nor a tenth":                         {[]soldSteps{upward(one("1"), one("1"), "0.1", "0.2", "0.3", "0.1")}, hour("0.7", "1", "1")},
		"prices that differ are summed":       {[]soldSteps{upward(one("1"), one("1"), "1.25", "2.5", "3.75", "0.000001")}, hour("7.500001", "1", "1")},
		"a price of nothing is a price":       {[]soldSteps{upward(one("1"), one("0"), "0", "0", "0", "0")}, hour("0", "1", "0")},
		"the largest price":                   {[]soldSteps{upward(one("1"), one("1"), "25000", "24999.999999", "25000", "25000")}, hour("99999.999999", "1", "1")},
		"a volume that no step gives is null": {[]soldSteps{upward(one(""), one("3"), "1", "1", "1", "1")}, hour("4", "", "3")},
		"three steps stay quarters": {[]soldSteps{upward(one("5"), one("4"), "0.208333", "1.5", "2")}, []capacityRow{
			upwardRow("2026-07-15T10:00:00Z", "2026-07-15T10:15:00Z", "0.833332", "5", "4"),
			upwardRow("2026-07-15T10:15:00Z", "2026-07-15T10:30:00Z", "6", "5", "4"),
			upwardRow("2026-07-15T10:30:00Z", "2026-07-15T10:45:00Z", "8", "5", "4"),
		}},
		"a missing price leaves quarters, its own null": {[]soldSteps{upward(one("5"), one("4"), "1", "", "0", "0.1")}, []capacityRow{
			upwardRow("2026-07-15T10:00:00Z", "2026-07-15T10:15:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T10:15:00Z", "2026-07-15T10:30:00Z", "", "5", "4"),
			upwardRow("2026-07-15T10:30:00Z", "2026-07-15T10:45:00Z", "0", "5", "4"),
			upwardRow("2026-07-15T10:45:00Z", "2026-07-15T11:00:00Z", "0.4", "5", "4"),
		}},
		"two volumes offered leave quarters": {[]soldSteps{upward([]value{"5", "5", "5", "6"}, one("4"), "1", "1", "1", "1")}, []capacityRow{
			upwardRow("2026-07-15T10:00:00Z", "2026-07-15T10:15:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T10:15:00Z", "2026-07-15T10:30:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T10:30:00Z", "2026-07-15T10:45:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T10:45:00Z", "2026-07-15T11:00:00Z", "4", "6", "4"),
		}},
		"a volume contracted that is null beside 0 leaves quarters": {[]soldSteps{upward(one("5"), []value{"0", "", "0", "0"}, "1", "1", "1", "1")}, []capacityRow{
			upwardRow("2026-07-15T10:00:00Z", "2026-07-15T10:15:00Z", "4", "5", "0"),
			upwardRow("2026-07-15T10:15:00Z", "2026-07-15T10:30:00Z", "4", "5", ""),
			upwardRow("2026-07-15T10:30:00Z", "2026-07-15T10:45:00Z", "4", "5", "0"),
			upwardRow("2026-07-15T10:45:00Z", "2026-07-15T11:00:00Z", "4", "5", "0"),
		}},
		"four steps across two clock hours are no hour": {[]soldSteps{{market.AFRRCapacity, "2026-07-15T10:30:00Z", market.Upward, "DAILY", "STD", one("5"), one("4"), []value{"1", "1", "1", "1"}}}, []capacityRow{
			upwardRow("2026-07-15T10:30:00Z", "2026-07-15T10:45:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T10:45:00Z", "2026-07-15T11:00:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T11:00:00Z", "2026-07-15T11:15:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T11:15:00Z", "2026-07-15T11:30:00Z", "4", "5", "4"),
		}},
		"a hole in an hour is not filled": {[]soldSteps{upward(one("5"), one("4"), "1"), {market.AFRRCapacity, "2026-07-15T10:30:00Z", market.Upward, "DAILY", "STD", one("5"), one("4"), []value{"1", "1"}}}, []capacityRow{
			upwardRow("2026-07-15T10:00:00Z", "2026-07-15T10:15:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T10:30:00Z", "2026-07-15T10:45:00Z", "4", "5", "4"),
			upwardRow("2026-07-15T10:45:00Z", "2026-07-15T11:00:00Z", "4", "5", "4"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			var batch market.Batch
			for _, steps := range test.steps {
				market.Capacity.Put(&batch, append(market.Capacity.In(batch), steps.rows()...))
			}
			slices.Reverse(market.Capacity.In(batch)) // the order in which rows come in does not matter
			f.commit(t, batch)
			same(t, f.body(t, "afrr-capacity"), capacityAnswer{test.want, fetched})
		})
	}
}

func TestFCRVolumeIsTheContractedOne(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, market.Capacity.Batch(slices.Concat(
		soldSteps{market.FCRCapacity, "2026-07-15T10:00:00Z", market.Symmetric, "DAILY", "STD", one("700.5"), one("512"), []value{"3", "3", "3", "3"}}.rows(),
		soldSteps{market.FCRCapacity, "2026-07-15T11:00:00Z", market.Symmetric, "", "STD", one(""), one(""), []value{"2.25"}}.rows(),
	)))
	same(t, f.body(t, "fcr-capacity"), capacityAnswer{[]fcrRow{
		{"2026-07-15T10:00:00.000Z", "2026-07-15T11:00:00.000Z", "512", "512", "700.5", "12", "SYMMETRIC", "FCR", "DAILY"},
		{"2026-07-15T11:00:00.000Z", "2026-07-15T11:15:00.000Z", "", "", "", "9", "SYMMETRIC", "FCR", ""},
	}, fetched})
}

func TestCapacityIsOrderedByStartDirectionHorizonAndProduct(t *testing.T) {
	t.Parallel()
	f := open(t)
	var steps []market.CapacityStep
	series := func(first string, direction market.Direction, horizon, product string, prices ...value) {
		steps = append(steps, soldSteps{market.MFRRCapacity, first, direction, horizon, product, one("2"), one("1"), prices}.rows()...)
	}
	hour := []value{"1", "1", "1", "1"}
	series("2026-07-15T11:00:00Z", market.Upward, "DAILY", "STD", hour...)
	series("2026-07-15T10:00:00Z", market.Downward, "PERIODIC", "STD", hour...)
	series("2026-07-15T10:00:00Z", market.Downward, "DAILY", "STD", hour...)
	series("2026-07-15T10:00:00Z", market.Upward, "PERIODIC", "SPE", hour...)
	series("2026-07-15T10:00:00Z", market.Upward, "DAILY", "STD", "3", "3", "3") // stays quarters, among the hours
	series("2026-07-15T10:00:00Z", market.Upward, "DAILY", "SPE0", "2", "2", "2", "2")
	series("2026-07-15T10:00:00Z", market.Upward, "DAILY", "SPE", hour...)
	series("2026-07-15T10:00:00Z", market.Upward, "", "STD", hour...)
	f.commit(t, market.Capacity.Batch(steps))
	row := func(start, end string, direction word, price value, horizon word) capacityRow {
		return capacityRow{utc(at(start)), utc(at(end)), direction, price, "mFRR", "2", "1", horizon}
	}
	const ten, quarterPast, half, quarterTo, eleven = "2026-07-15T10:00:00Z", "2026-07-15T10:15:00Z", "2026-07-15T10:30:00Z", "2026-07-15T10:45:00Z", "2026-07-15T11:00:00Z"
	same(t, f.body(t, "mfrr-capacity"), capacityAnswer{[]capacityRow{
		row(ten, eleven, "UPWARD", "4", ""),
		row(ten, eleven, "UPWARD", "4", "DAILY"),        // SPE
		row(ten, eleven, "UPWARD", "8", "DAILY"),        // SPE0
		row(ten, quarterPast, "UPWARD", "12", "DAILY"),  // STD
		row(ten, eleven, "UPWARD", "4", "PERIODIC"),     // SPE
		row(ten, eleven, "DOWNWARD", "4", "DAILY"),      //
		row(ten, eleven, "DOWNWARD", "4", "PERIODIC"),   //
		row(quarterPast, half, "UPWARD", "12", "DAILY"), // STD
		row(half, quarterTo, "UPWARD", "12", "DAILY"),   // STD
		row(eleven, "2026-07-15T12:00:00Z", "UPWARD", "4", "DAILY"),
	}, fetched})
}

func TestCapacityOfADayHasOneRowAnHourWhateverItsLength(t *testing.T) {
	t.Parallel()
	for _, day := range civilDays {
		t.Run(string(day.date), func(t *testing.T) {
			f, m := open(t), newMarket()
			var batch market.Batch
			var fcr []fcrRow
			var afrr, mfrr []capacityRow
			for _, start := range starts(day.start, day.end, 3600) {
				begin, end := utc(start), utc(start+3600)
				first := string(begin[:19]) + "Z"
				quarters := func() []value {
					return []value{m.between(0, 50, 6, 0), m.between(0, 50, 6, 0), m.between(0, 50, 6, 0), m.between(0, 50, 6, 0)}
				}
				offered, contracted, prices := m.between(0, 900, 1, 9), m.between(0, 900, 1, 9), quarters()
				market.Capacity.Put(&batch, append(market.Capacity.In(batch), soldSteps{market.FCRCapacity, first, market.Symmetric, "DAILY", "STD", one(offered), one(contracted), prices}.rows()...))
				fcr = append(fcr, fcrRow{begin, end, contracted, contracted, offered, decimal(sumOf(prices...), 6), "SYMMETRIC", "FCR", "DAILY"})
				for _, direction := range []market.Direction{market.Upward, market.Downward} {
					prices := quarters()
					market.Capacity.Put(&batch, append(market.Capacity.In(batch), soldSteps{market.AFRRCapacity, first, direction, "DAILY", "STD", one(offered), one(contracted), prices}.rows()...))
					afrr = append(afrr, capacityRow{begin, end, word(direction), decimal(sumOf(prices...), 6), "aFRR", offered, contracted, "DAILY"})
					for _, horizon := range []string{"DAILY", "PERIODIC"} {
						prices := quarters()
						market.Capacity.Put(&batch, append(market.Capacity.In(batch), soldSteps{market.MFRRCapacity, first, direction, horizon, "STD", one(offered), one(contracted), prices}.rows()...))
						mfrr = append(mfrr, capacityRow{begin, end, word(direction), decimal(sumOf(prices...), 6), "mFRR", offered, contracted, word(horizon)})
					}
				}
			}
			f.commit(t, batch)
			f.refresh(t)
			served := f.Snapshot()
			same(t, served["fcr-capacity"], capacityAnswer{fcr, fetched})
			same(t, served["afrr-capacity"], capacityAnswer{afrr, fetched})
			same(t, served["mfrr-capacity"], capacityAnswer{mfrr, fetched})
			var got struct {
				Rows []struct {
					Start word `json:"period_start_utc"`
				}
			}
			must(t, json.Unmarshal(served["fcr-capacity"], &got))
			var begins []word
			for _, row := range got.Rows {
				begins = append(begins, row.Start)
			}
			checkSteps(t, day, 3600, begins)
		})
	}
}

func TestCapacityWindowIsThatOfItsOwnDataset(t *testing.T) {
	t.Parallel()
	f := open(t)
	var steps []market.CapacityStep
	for dataset, first := range map[market.Dataset][]string{
		market.FCRCapacity:  {lastBeforeWindow, firstMidnight, lastMidday},
		market.AFRRCapacity: {"2025-01-01T11:00:00Z"},
	} {
		for _, start := range first {
			steps = append(steps, soldSteps{dataset, start, market.Symmetric, "DAILY", "STD", one("1"), one("1"), []value{"1"}}.rows()...)
		}
	}
	f.commit(t, market.Capacity.Batch(steps))
	f.refresh(t)
	for endpoint, want := range map[string][]word{
		"fcr-capacity":  {utc(at(firstMidnight)), utc(at(lastMidday))},
		"afrr-capacity": {"2025-01-01T11:00:00.000Z"},
	} {
		var got struct {
			Rows []struct {
				Start word `json:"period_start_utc"`
			}
		}
		must(t, json.Unmarshal(f.Snapshot()[endpoint], &got))
		var begins []word
		for _, row := range got.Rows {
			begins = append(begins, row.Start)
		}
		if !slices.Equal(begins, want) {
			t.Errorf("%s has rows of %v, want %v", endpoint, begins, want)
		}
	}
}

func TestAnHoursPriceIsTheExactSumOfItsFour(t *testing.T) {
	t.Parallel()
	storetest.Check(t, func(t *rapid.T) {
		micros := rapid.SliceOfN(rapid.Int64Range(0, 25_000_000_000), 4, 4).Draw(t, "prices in millionths")
		var prices []value
		for _, n := range micros {
			prices = append(prices, millionths(n))
		}
		steps := upward(one("1"), one("1"), prices...).rows()
		body := api.BodyOf(market.AFRRCapacity, store.Window{Rows: market.Capacity.Serve(steps)})
		want := upwardRow("2026-07-15T10:00:00Z", "2026-07-15T11:00:00Z", decimal(sumOf(prices...), 6), "1", "1")
		equal(t, body, capacityAnswer{[]capacityRow{want}, ""})

		quarter := api.BodyOf(market.AFRRCapacity, store.Window{Rows: market.Capacity.Serve(steps[:1])})
		want = upwardRow("2026-07-15T10:00:00Z", "2026-07-15T10:15:00Z", decimal(new(big.Rat).Mul(prices[0].rat(), big.NewRat(4, 1)), 6), "1", "1")
		equal(t, quarter, capacityAnswer{[]capacityRow{want}, ""})
	})
}

// equal is same for a property.
func equal(t *rapid.T, got []byte, want any) {
	t.Helper()
	wanted, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(wanted) {
		t.Fatalf("%s\nwant\n%s", got, wanted)
	}
}
