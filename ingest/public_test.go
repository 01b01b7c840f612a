package ingest_test

import (
	"testing"

	"courant/ingest"
	"courant/store/market"
)

func TestThePublicReportTellsOfErrorsTheFirstSentence(t *testing.T) {
	full := "RTE: afrr_marginal_price: status 503: Service Unavailable: “back soon”; another"
	report := ingest.Report{
		Datasets:   []ingest.Status{{Dataset: market.AFRREnergy, LastError: &full}, {Dataset: market.MFRREnergy}},
		Quarantine: []ingest.Waiting{{Reason: "refused", Detail: &full}, {Reason: "all prices are 0 EUR/MWh"}},
	}
	public := report.Public()
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
