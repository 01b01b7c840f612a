package rte_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/rte"
	"courant/store/market"
)

// captured reads a captured document. The documents are RTE's and no part of Courant: COURANT_SAMPLES names the folder
// that holds them, in rte/.
func captured(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("COURANT_SAMPLES")
	if folder == "" {
		t.Skip("COURANT_SAMPLES names no folder with captured documents")
	}
	body, err := os.ReadFile(filepath.Join(folder, "rte", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestACapturedDayOfCapacity(t *testing.T) {
	t.Parallel()
	body := captured(t, "result_procured_reserves_v5_2026-10-11.json")
	window := market.Period{Start: at("2026-10-10T22:00:00Z"), End: at("2026-10-11T22:00:00Z")}
	reply, err := rte.DecodeProcuredReserves(strings.NewReader(body), window)
	if err != nil {
		t.Fatal(err)
	}
	if len(reply.Refusals.List()) != 0 || len(reply.Notes) != 0 || len(reply.UnknownKeys) != 0 {
		t.Errorf("refusals %q, notes %q, unknown keys %q", refusalsOf(reply), reply.Notes, reply.UnknownKeys)
	}

	// Counts and sums were taken with Python's json module over each block and direction of the file. The block of RR,
	// 96 values, is left out.
	type series struct {
		dataset       market.Dataset
		product       string
		horizon       string
		direction     market.Direction
		count         int
		offered, sold float64 // sums, MW
		price         float64 // sum, EUR/MW
	}
	for _, want := range []series{
		{market.AFRRCapacity, "STD", "DAILY", market.Upward, 96, 246_988, 63_312, 307.68},
		{market.AFRRCapacity, "STD", "DAILY", market.Downward, 96, 249_832, 64_288, 258.01},
		{market.FCRCapacity, "STD", "DAILY", market.Symmetric, 96, 167_696, 61_680, 429.17},
		{market.MFRRCapacity, "SPE0", "PERIODIC", market.Upward, 96, 141_984, 48_000, 19.999968},
	} {
		got := series{dataset: want.dataset, product: want.product, horizon: want.horizon, direction: want.direction}
		for _, r := range reply.Rows {
			if r.Dataset == want.dataset && r.Product == want.product && r.TimeHorizon == want.horizon && r.Direction == want.direction {
				got.count++
				got.offered += r.OfferedMW.V
				got.sold += r.ContractedMW.V
				got.price += r.Price.V
			}
		}
		if math.Abs(got.price-want.price) > 1e-9 {
			t.Errorf("prices add up to %v, want %v", got.price, want.price)
		}
		if got.price = want.price; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if len(reply.Rows) != 4*96 {
		t.Errorf("%d rows", len(reply.Rows))
	}

	// Read in the file by eye, at the place where the value's start_date stands in its block.
	for _, want := range []market.CapacityStep{
		capturedStep(market.AFRRCapacity, market.Upward, "2026-10-10T22:00:00Z", 2155, 578, 6.925),     // first block, first value
		capturedStep(market.AFRRCapacity, market.Downward, "2026-10-10T22:00:00Z", 2352, 621, 2.5975),  // first block, fifth value
		capturedStep(market.AFRRCapacity, market.Upward, "2026-10-11T03:15:00Z", 2683, 646, 12.615),    // first block, the dearest
		capturedStep(market.AFRRCapacity, market.Downward, "2026-10-11T03:15:00Z", 2731, 631, 2.7),     // four values on
		capturedStep(market.AFRRCapacity, market.Upward, "2026-10-11T17:30:00Z", 2679, 752, 1.8275),    // first block
		capturedStep(market.AFRRCapacity, market.Downward, "2026-10-11T17:30:00Z", 2900, 705, 0.25),    // four values on
		capturedStep(market.AFRRCapacity, market.Downward, "2026-10-11T21:45:00Z", 2603, 721, 2.4225),  // first block, last value
		capturedStep(market.FCRCapacity, market.Symmetric, "2026-10-10T22:00:00Z", 1753, 616, 1.785),   // second block, first value
		capturedStep(market.FCRCapacity, market.Symmetric, "2026-10-11T03:15:00Z", 1753, 650, 2.04375), // second block, the block of 04:00 in Paris
		capturedStep(market.FCRCapacity, market.Symmetric, "2026-10-11T10:00:00Z", 1753, 718, 8.09625), // second block, the dearest
		capturedStep(market.FCRCapacity, market.Symmetric, "2026-10-11T17:30:00Z", 1703, 631, 7.029375),
		capturedStep(market.FCRCapacity, market.Symmetric, "2026-10-11T21:45:00Z", 1766, 596, 2.71625), // second block, last value
		capturedStep(market.MFRRCapacity, market.Upward, "2026-10-10T22:00:00Z", 1479, 500, 0.208333),  // third block, first value
		capturedStep(market.MFRRCapacity, market.Upward, "2026-10-11T21:45:00Z", 1479, 500, 0.208333),  // third block, last value
	} {
		found := 0
		for _, r := range reply.Rows {
			if r.Updated == 0 {
				t.Fatalf("%+v has no date of its last change", r)
			}
			if r.Updated = 0; r == want {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%+v is there %d times", want, found)
		}
	}
}

func capturedStep(dataset market.Dataset, direction market.Direction, start string, offered, contracted, price float64) market.CapacityStep {
	step := market.CapacityStep{Dataset: dataset, Start: at(start), Direction: direction, TimeHorizon: "DAILY", Product: "STD",
		OfferedMW: num(offered), ContractedMW: num(contracted), Price: num(price)}
	if dataset == market.MFRRCapacity {
		step.TimeHorizon, step.Product = "PERIODIC", "SPE0"
	}
	return step
}

// sameValue compares numbers without whether a null was written: the captured tables do not tell.
var sameValue = cmp.Comparer(func(a, b market.Number) bool { return a.V == b.V && a.Valid == b.Valid })

// line makes sure that a captured table holds the line from which a document is made.
func line(t *testing.T, table, want string) []string {
	t.Helper()
	for got := range strings.Lines(table) {
		if strings.TrimSpace(got) == want {
			return strings.Split(want, ",")
		}
	}
	t.Fatalf("the captured table has no line %s", want)
	return nil
}

// The captured steps of aFRR energy are a table that a program wrote from RTE's JSON: date_heure_debut, prorata_mode,
// picasso_connection, upward_afrr_marginal_price, downward_afrr_marginal_price, pdemand, afrr_for_france,
// afrr_in_france. Here lines of it go back into their envelope.
func TestCapturedStepsOfAFRREnergy(t *testing.T) {
	t.Parallel()
	table := captured(t, "afrr_marginal_price_v5.captured_excerpt.csv")
	null, yes, no := market.Number{}, flag(true), flag(false)
	for _, tt := range []struct {
		line string // of the table
		want market.AFRRStep
	}{
		{"2026-06-02T02:01:00,false,true,Invalid,1.2,-266.3653,-704.0955,-694.5889", // second line of the file
			market.AFRRStep{Start: at("2026-06-02T00:01:00Z"), UpwardPrice: null, DownwardPrice: num(1.2), DemandMW: num(-266.3653), ForFranceMW: num(-704.0955), InFranceMW: num(-694.5889), PicassoConnection: yes, ProrataMode: no}},
		{"2026-06-02T02:00:12,false,true,Invalid,-800.0,-707.1718,-709.1042,-715.5247", // line 14
			market.AFRRStep{Start: at("2026-06-02T00:00:12Z"), UpwardPrice: null, DownwardPrice: num(-800), DemandMW: num(-707.1718), ForFranceMW: num(-709.1042), InFranceMW: num(-715.5247), PicassoConnection: yes, ProrataMode: no}},
		{"2026-06-03T01:59:56+02:00,False,True,Invalid,-401.5,-1398.2601,-824.9579,-824.9719", // line 18
			market.AFRRStep{Start: at("2026-06-02T23:59:56Z"), UpwardPrice: null, DownwardPrice: num(-401.5), DemandMW: num(-1398.2601), ForFranceMW: num(-824.9579), InFranceMW: num(-824.9719), PicassoConnection: yes, ProrataMode: no}},
		{"2026-06-13T02:05:32+02:00,false,true,112.56,Invalid,231.6289,-428.2109,38.7862", // line 22
			market.AFRRStep{Start: at("2026-06-13T00:05:32Z"), UpwardPrice: num(112.56), DownwardPrice: null, DemandMW: num(231.6289), ForFranceMW: num(-428.2109), InFranceMW: num(38.7862), PicassoConnection: yes, ProrataMode: no}},
		{"2026-06-13T02:05:20+02:00,false,true,109.56,Invalid,177.1484,-477.8606,-0.5953", // line 25
			market.AFRRStep{Start: at("2026-06-13T00:05:20Z"), UpwardPrice: num(109.56), DownwardPrice: null, DemandMW: num(177.1484), ForFranceMW: num(-477.8606), InFranceMW: num(-0.5953), PicassoConnection: yes, ProrataMode: no}},
		{"2026-06-13T02:01:16+02:00,false,true,65.85,65.85,-54.7759,-452.826,-379.3554", // line 29: both directions at one price
			market.AFRRStep{Start: at("2026-06-13T00:01:16Z"), UpwardPrice: num(65.85), DownwardPrice: num(65.85), DemandMW: num(-54.7759), ForFranceMW: num(-452.826), InFranceMW: num(-379.3554), PicassoConnection: yes, ProrataMode: no}},
		{"2026-06-13T02:00:00+02:00,false,true,Invalid,9.0,-470.3614,-454.5467,-449.4141", // last line
			market.AFRRStep{Start: at("2026-06-13T00:00:00Z"), UpwardPrice: null, DownwardPrice: num(9), DemandMW: num(-470.3614), ForFranceMW: num(-454.5467), InFranceMW: num(-449.4141), PicassoConnection: yes, ProrataMode: no}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			c := line(t, table, tt.line)
			price := func(text string) string {
				if text == "Invalid" {
					return `"Invalid"`
				}
				return text
			}
			body := fmt.Sprintf(`{"days":[{"start_date":%q,"datas":[{"step":%q,"prorata_mode":%q,"picasso_connection":%q,`+
				`"upward_afrr_marginal_price":%s,"downward_afrr_marginal_price":%s,"pdemand":%s,"afrr_for_france":%s,"afrr_in_france":%s}]}]}`,
				c[0][:10], c[0][11:19], c[1], c[2], price(c[3]), price(c[4]), c[5], c[6], c[7])
			window := market.Period{Start: at("2026-06-01T22:00:00Z"), End: at("2026-06-13T22:00:00Z")}
			reply, err := rte.DecodeMarginalPrice(strings.NewReader(body), window)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]market.AFRRStep{tt.want}, reply.Rows, sameValue); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// The captured quarter hours of mFRR energy are such a table too: date_heure_debut, total_requested_volume_SA and _DA,
// total_activated_volume_SA and _DA, settlement_price_previous and _current, total_volume_submitted_offers and
// total_volume_filtered_offers. The direction is not in it; here it is upward.
func TestCapturedStepsOfMFRREnergy(t *testing.T) {
	t.Parallel()
	table := captured(t, "standard_mfrr_data_v5.captured_excerpt.csv")
	columns := []string{"start_date", "total_requested_volume_SA", "total_requested_volume_DA", "total_activated_volume_SA", "total_activated_volume_DA",
		"settlement_price_previous", "settlement_price_current", "total_volume_submitted_offers", "total_volume_filtered_offers"}
	for _, tt := range []struct {
		line string
		want market.MFRRStep
	}{
		{"2026-06-02T13:00:00+02:00,,,,,,,304.0,", market.MFRRStep{Start: at("2026-06-02T11:00:00Z"), SubmittedOffersMW: num(304)}}, // second line of the file
		{"2026-06-02T13:45:00+02:00,,,,,,,,", market.MFRRStep{Start: at("2026-06-02T11:45:00Z")}},                                   // line 5
		{"2026-06-02T15:00:00+02:00,301.0,,151.01,,,,301.0,", // line 6
			market.MFRRStep{Start: at("2026-06-02T13:00:00Z"), RequestedVolumeSAMW: num(301), ActivatedVolumeSAMW: num(151.01), SubmittedOffersMW: num(301)}},
		{"2026-06-03T09:45:00+02:00,191.0,,190.99,,,,191.0,", // line 14
			market.MFRRStep{Start: at("2026-06-03T07:45:00Z"), RequestedVolumeSAMW: num(191), ActivatedVolumeSAMW: num(190.99), SubmittedOffersMW: num(191)}},
		{"2026-08-20T07:30:00+02:00,,,,,,,986,1", market.MFRRStep{Start: at("2026-08-20T05:30:00Z"), SubmittedOffersMW: num(986), FilteredOffersMW: num(1)}}, // line 17: integers from here on
		{"2026-08-28T16:00:00+02:00,462,,162.01,,,,462,",
			market.MFRRStep{Start: at("2026-08-28T14:00:00Z"), RequestedVolumeSAMW: num(462), ActivatedVolumeSAMW: num(162.01), SubmittedOffersMW: num(462)}},
		{"2026-08-30T01:30:00+02:00,,,,,,,61,", market.MFRRStep{Start: at("2026-08-29T23:30:00Z"), SubmittedOffersMW: num(61)}}, // last line
	} {
		t.Run(tt.line, func(t *testing.T) {
			c := line(t, table, tt.line)
			fields := []field{{"direction", `"UPWARD"`}, {"start_date", `"` + c[0] + `"`}}
			for i, column := range columns {
				switch {
				case i == 0:
				case c[i] == "":
					fields = append(fields, field{column, "null"})
				default:
					fields = append(fields, field{column, c[i]})
				}
			}
			tt.want.Direction = market.Upward
			window := market.Period{Start: at("2026-06-01T22:00:00Z"), End: at("2026-08-31T22:00:00Z")}
			reply, err := rte.DecodeStandardMFRR(strings.NewReader(mari(object(fields))), window)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]market.MFRRStep{tt.want}, reply.Rows, sameValue); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}
