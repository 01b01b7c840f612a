package ingest

import "courant/ingest/source"

// Public is the report as others than administrators may read it: of errors the first sentence, without what a source
// wrote.
func (r Report) Public() Report {
	datasets := make([]Status, len(r.Datasets))
	for i, status := range r.Datasets {
		if status.LastError != nil {
			text := source.PublicText(*status.LastError)
			status.LastError = &text
		}
		datasets[i] = status
	}
	r.Datasets = datasets
	quarantine := make([]Waiting, len(r.Quarantine))
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
