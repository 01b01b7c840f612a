package entsoe_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/entsoe"
	"courant/store/market"
)

// captured reads a captured document. The documents are ENTSO-E's and no part of Courant: COURANT_SAMPLES names the
// folder that holds them, in entsoe/.
func captured(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("COURANT_SAMPLES")
	if folder == "" {
		t.Skip("COURANT_SAMPLES names no folder with captured documents")
	}
	body, err := os.ReadFile(filepath.Join(folder, "entsoe", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestCapturedPublications(t *testing.T) {
	t.Parallel()
	type total struct {
		date  string
		count int
		sum   float64 // of the prices, EUR/MWh
	}
	type price struct {
		start      string
		resolution market.Resolution
		eur        float64
	}
	for _, tt := range []struct {
		name, zone    string
		window        market.Period
		days          []total // counted and added up with Python's decimal module, which filled the gaps from the lines of the file
		prices        []price // read in the file by eye; the line of the price, or of the one that is repeated
		notes         []string
		withoutPrices bool
	}{
		{
			name: "FR_A44_2023-05-07_2d_PT60M_A01_ns70.xml", zone: "10YFR-RTE------C", window: days(market.NewDeliveryDate(2023, time.May, 7), 2),
			days: []total{{"2023-05-07", 24, 1896.95}, {"2023-05-08", 24, 2299.92}},
			prices: []price{
				{"2023-05-06T22:00Z", market.PT60M, 106.78}, // line 26
				{"2023-05-07T00:00Z", market.PT60M, 90},     // line 34, written 90.00
				{"2023-05-07T11:00Z", market.PT60M, 47.25},  // line 78, position 14
				{"2023-05-07T21:00Z", market.PT60M, 97.99},  // line 118, position 24
				{"2023-05-07T22:00Z", market.PT60M, 98.24},  // line 138
				{"2023-05-08T21:00Z", market.PT60M, 104.04}, // line 230, position 24
			},
		}, {
			name: "BE_A44_2024-10-06_mixed-PT15M-PT60M_A03_tail-omitted.xml", zone: "10YBE----------2", window: days(market.NewDeliveryDate(2024, time.October, 6), 3),
			days: []total{{"2024-10-06", 96, 3694.72}, {"2024-10-07", 96, 7066.28}, {"2024-10-08", 24, 1691.96}},
			prices: []price{
				{"2024-10-05T22:00Z", market.PT15M, 55.35}, // line 33, position 1
				{"2024-10-05T22:45Z", market.PT15M, 55.35}, // line 33, position 4 is left out
				{"2024-10-05T23:00Z", market.PT15M, 44.22}, // line 37, position 5
				{"2024-10-06T09:00Z", market.PT15M, 16.68}, // line 77, position 45
				{"2024-10-06T21:00Z", market.PT15M, 52.33}, // line 121, position 93
				{"2024-10-06T21:45Z", market.PT15M, 52.33}, // line 121, the tail is left out
				{"2024-10-07T21:45Z", market.PT15M, 77.18}, // line 224, the second Period's tail
				{"2024-10-08T21:00Z", market.PT60M, 50},    // line 327, the third Period's position 24
			},
		}, {
			name: "ES_A44_2025-09-29_4d_PT60M-to-PT15M_A03_switch.xml", zone: "10YES-REE------0", window: days(market.NewDeliveryDate(2025, time.September, 29), 4),
			days: []total{{"2025-09-29", 24, 1417.49}, {"2025-09-30", 24, 1987.24}, {"2025-10-01", 96, 8359.20}, {"2025-10-02", 96, 8273.77}},
			prices: []price{
				{"2025-09-28T22:00Z", market.PT60M, 51.6},   // line 33
				{"2025-09-30T21:00Z", market.PT60M, 101.5},  // line 239
				{"2025-09-30T22:00Z", market.PT15M, 105.1},  // line 261
				{"2025-10-01T00:30Z", market.PT15M, 100},    // line 301, position 11
				{"2025-10-01T00:45Z", market.PT15M, 100},    // line 301, position 12 is left out
				{"2025-10-01T01:00Z", market.PT15M, 97.57},  // line 305, position 13
				{"2025-10-01T18:45Z", market.PT15M, 230},    // line 581, position 84 is left out
				{"2025-10-01T19:00Z", market.PT15M, 150},    // line 585, position 85
				{"2025-10-02T21:45Z", market.PT15M, 103.27}, // line 1003, position 96
			},
		}, {
			name: "FI_A44_2025-10-12_2d_PT15M_A03_long-gaps.xml", zone: "10YFI-1--------U", window: days(market.NewDeliveryDate(2025, time.October, 12), 2),
			days: []total{{"2025-10-12", 96, 107.09}, {"2025-10-13", 96, 6131.02}},
			prices: []price{
				{"2025-10-11T22:00Z", market.PT15M, 2.67},  // line 33
				{"2025-10-12T10:30Z", market.PT15M, 0},     // line 209, position 51
				{"2025-10-12T12:45Z", market.PT15M, 0},     // line 209, position 60 is left out
				{"2025-10-12T13:00Z", market.PT15M, 1.21},  // line 213, position 61
				{"2025-10-12T22:15Z", market.PT15M, 0},     // line 371, position 2
				{"2025-10-13T01:30Z", market.PT15M, 0},     // line 371, position 15 is left out
				{"2025-10-13T01:45Z", market.PT15M, 0.01},  // line 375, position 16
				{"2025-10-13T21:45Z", market.PT15M, 76.69}, // line 695, position 96
			},
		}, {
			name: "DE-LU_A44_2026-02-02_2d_PT15M_A03_seq1-seq2.xml", zone: "10Y1001A1001A82H", window: days(market.NewDeliveryDate(2026, time.February, 2), 2),
			// Sequence 2, which stands first in the file, would begin with 102.1 and 89.1.
			days:  []total{{"2026-02-02", 96, 10343.36}, {"2026-02-03", 96, 9453.70}},
			notes: []string{`a series with classificationSequence "2" was skipped`},
			prices: []price{
				{"2026-02-01T23:00Z", market.PT15M, 100.41}, // line 437
				{"2026-02-02T11:00Z", market.PT15M, 112.69}, // line 629, position 49
				{"2026-02-02T22:45Z", market.PT15M, 85.61},  // line 817, position 96
				{"2026-02-02T23:00Z", market.PT15M, 97.41},  // line 1239
				{"2026-02-03T22:45Z", market.PT15M, 88.92},  // line 1619, position 96
			},
		}, {
			name: "ACK_999_no-matching-data_guide-example.xml", zone: entsoe.France, window: days(market.NewDeliveryDate(2016, time.March, 30), 1), withoutPrices: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply, err := entsoe.Decode(strings.NewReader(captured(t, tt.name)), tt.zone, tt.window)
			if err != nil {
				t.Fatal(err)
			}
			if len(reply.Refusals.List()) != 0 || !cmp.Equal(tt.notes, reply.Notes) {
				t.Errorf("refusals %q, notes %q", refusalsOf(reply), reply.Notes)
			}
			if tt.withoutPrices && len(reply.Rows) != 0 {
				t.Errorf("%d rows", len(reply.Rows))
			}
			var got []total
			prices := map[string]price{}
			for _, row := range reply.Rows {
				if date := market.DeliveryDateOf(time.Unix(row.Start, 0)).String(); len(got) == 0 || got[len(got)-1].date != date {
					got = append(got, total{date: date})
				}
				got[len(got)-1].count++
				got[len(got)-1].sum += row.Price.V
				prices[minute(row.Start)] = price{minute(row.Start), row.Resolution, row.Price.V}
			}
			for i := range got {
				got[i].sum = math.Round(got[i].sum*1e6) / 1e6
			}
			if diff := cmp.Diff(tt.days, got, cmp.AllowUnexported(total{})); diff != "" {
				t.Errorf("days (-want +got):\n%s", diff)
			}
			for _, want := range tt.prices {
				if prices[want.start] != want {
					t.Errorf("got %+v, want %+v", prices[want.start], want)
				}
			}
			// To France the prices of another zone are nothing.
			if tt.zone != entsoe.France {
				if reply, err := entsoe.Decode(strings.NewReader(captured(t, tt.name)), entsoe.France, tt.window); err != nil || len(reply.Rows) != 0 || len(reply.Notes) != 1 {
					t.Errorf("France is given %d rows, notes %q, error %v", len(reply.Rows), reply.Notes, err)
				}
			}
		})
	}
}
