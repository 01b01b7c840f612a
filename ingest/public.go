package ingest

import (
	"slices"

	"courant/ingest/report"
	"courant/ingest/source"
)

// Public returns the report as users other than administrators may read it: errors are cut to their first sentence,
// without the words of the source.
func Public(r report.Report) report.Report {
	r.Datasets, r.Quarantine = slices.Clone(r.Datasets), slices.Clone(r.Quarantine)
	for i := range r.Datasets {
		r.Datasets[i].LastError = publicText(r.Datasets[i].LastError)
	}
	for i := range r.Quarantine {
		r.Quarantine[i].Detail = publicText(r.Quarantine[i].Detail)
	}
	return r
}

func publicText(text *string) *string {
	if text == nil {
		return nil
	}
	public := source.PublicText(*text)
	return &public
}
