package command

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest"
	"courant/ingest/report"
	"courant/store/market"
)

func TestTheReportOfFeeds(t *testing.T) {
	date := func(day int) market.DeliveryDate { return market.NewDeliveryDate(2026, time.November, day) }
	instant := report.Instant(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	lag, fault := int64(5400), "RTE: afrr_marginal_price: no answer in time"
	first, last, refused := date(1), date(19), "a price of 200000 EUR/MWh is out of bounds"
	report := report.Report{
		Datasets: []report.Status{
			{Dataset: market.AFRREnergy, Source: "RTE", State: report.StateDown, FirstDate: &first, LastDate: &last, LagSeconds: &lag, LastSuccessAt: &instant,
				LastChangeAt: &instant, LastError: &fault, NextRunAt: &instant, Missing: []report.Missing{
					{Date: date(3), Expected: 21_600, Received: 0, Reason: report.ReasonSourceGap},
					{Date: date(4), Expected: 21_600, Received: 600, Reason: report.ReasonSourceGap},
					{Date: date(6), Expected: 21_600, Received: 0, Reason: report.ReasonSourceGap},
					{Date: date(7), Expected: 21_600, Received: 5, Reason: report.ReasonPartial},
				}},
			{Dataset: market.MFRREnergy, Source: "RTE", State: report.StateOff},
		},
		Quarantine: []report.Waiting{
			{ID: 7, Dataset: market.DayAheadPrices, Date: date(21), Reason: "all prices are 0 EUR/MWh", SeenAt: instant},
			{ID: 9, Dataset: market.MFRREnergy, Date: date(18), Reason: "refused", Detail: &refused, SeenAt: instant},
		},
		PriceDifferences: []report.Difference{{Date: date(20), Between: "ENTSO-E/RTE", Quarters: 3, LargestEURMWh: 0.02, SeenAt: instant}},
	}
	var out bytes.Buffer
	p := &Program{Stdout: &out}
	if err := p.printReport(report); err != nil {
		t.Fatal(err)
	}
	want := `DATASET      SOURCE  STATE  FIRST DATE  LAST DATE   MISSING DATES  LAG    LAST SUCCESS          LAST CHANGE           NEXT RUN              LAST ERROR
afrr-energy  RTE     down   2026-11-01  2026-11-19  4              1h30m  2026-11-20T12:00:00Z  2026-11-20T12:00:00Z  2026-11-20T12:00:00Z  RTE: afrr_marginal_price: no answer in time
mfrr-energy  RTE     off    -           -           0              -      -                     -                     -                     -

MISSING OF   FROM        TO          EXPECTED  RECEIVED  REASON
afrr-energy  2026-11-03  2026-11-04  43200     600       source_gap
afrr-energy  2026-11-06  2026-11-06  21600     0         source_gap
afrr-energy  2026-11-07  2026-11-07  21600     5         partial

ID  DATASET           DATE        WAITS BECAUSE                                        SEEN
7   day-ahead-prices  2026-11-21  all prices are 0 EUR/MWh                             2026-11-20T12:00:00Z
9   mfrr-energy       2026-11-18  refused: a price of 200000 EUR/MWh is out of bounds  2026-11-20T12:00:00Z

PRICES DIFFER ON  BETWEEN      QUARTERS  BY UP TO EUR/MWh  SEEN
2026-11-20        ENTSO-E/RTE  3         0.02              2026-11-20T12:00:00Z
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhereAFetchIs(t *testing.T) {
	for _, row := range []struct {
		now  ingest.Progress
		want string
	}{
		{ingest.Progress{Total: 3}, "afrr_energy"},
		{ingest.Progress{Done: 2, Total: 3, Date: market.NewDeliveryDate(2026, time.October, 25), Rows: 44_100}, "afrr_energy 2026-10-25, 44100 rows"},
	} {
		if got := progressText(market.FeedAFRREnergy, row.now); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}
