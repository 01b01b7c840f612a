package ingest

import (
	"courant/ingest/report"
	"courant/ingest/source"
)

// Public is the report as others than administrators may read it: of errors the first sentence, without what a source
// wrote.
func Public(r report.Report) report.Report {
	datasets := make([]report.Status, len(r.Datasets))
	for i, status := range r.Datasets {
		if status.LastError != nil {
			text := source.PublicText(*status.LastError)
			status.LastError = &text
		}
		datasets[i] = status
	}
	r.Datasets = datasets
	quarantine := make([]report.Waiting, len(r.Quarantine))
	for i, waiting := range r.Quarantine {
		if waiting.Detail != nil {
			text := source.PublicText(*waiting.Detail)
			waiting.Detail = &text
		}
		quarantine[i] = waiting
	}
	r.Quarantine = quarantine
	return r
}
