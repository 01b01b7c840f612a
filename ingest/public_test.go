package ingest_test

import (
	"testing"

	"courant/ingest"
	"courant/store"
)

func TestThePublicReportTellsOfErrorsTheFirstSentence(t *testing.T) {
	full := "RTE: afrr_marginal_price: status 503: Service Unavailable: “back soon”; another"
	report := ingest.Report{Datasets: []ingest.Status{{Dataset: store.AFRREnergy, LastError: &full}, {Dataset: store.MFRREnergy}}}
	public := report.Public()
	if got := *public.Datasets[0].LastError; got != "RTE: afrr_marginal_price: status 503: Service Unavailable" {
		t.Errorf("%q", got)
	}
	if public.Datasets[1].LastError != nil || *report.Datasets[0].LastError != full {
		t.Errorf("%+v of %+v", public, report)
	}
}
