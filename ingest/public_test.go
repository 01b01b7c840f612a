package ingest_test

import (
	"testing"

	"courant/ingest"
	"courant/ingest/report"
	"courant/store/market"
)

func TestThePublicReportHasOnlyTheFirstSentenceOfErrors(t *testing.T) {
	t.Parallel()
	full := "RTE: afrr_marginal_price: status 503: Service Unavailable: “back soon”; another"
	report := report.Report{
		Datasets:   []report.Status{{Dataset: market.AFRREnergy, LastError: &full}, {Dataset: market.MFRREnergy}},
		Quarantine: []report.Waiting{{Reason: "refused", Detail: &full}, {Reason: "all prices are 0 EUR/MWh"}},
	}
	public := ingest.Public(report)
	if got := *public.Datasets[0].LastError; got != "RTE: afrr_marginal_price: status 503: Service Unavailable" {
		t.Errorf("%q", got)
	}
	if got := *public.Quarantine[0].Detail; got != *public.Datasets[0].LastError || *report.Quarantine[0].Detail != full || public.Quarantine[1].Detail != nil {
		t.Errorf("what waits was refused for %q", got)
	}
	if public.Datasets[1].LastError != nil || *report.Datasets[0].LastError != full {
		t.Errorf("%+v of %+v", public, report)
	}
}
