package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// exampleRows is the number of members to which lists in an example are cut.
const exampleRows = 2

// exampleDate is the delivery date of invented values.
var exampleDate = market.NewDeliveryDate(2026, 4, 17)

// exampleOf returns the answer of a route with invented values, in each language and with its lists cut short. The code of the
// real answers writes it. It is empty if the route has no example.
func exampleOf(route web.Route) (web.Text, error) {
	var texts [2]string
	for i, l := range []web.Language{web.French, web.English} {
		body, err := exampleBody(route, l)
		if err != nil || body == nil {
			return web.Text{}, err
		}
		if texts[i], err = shorten(body, exampleRows); err != nil {
			return web.Text{}, err
		}
	}
	return web.Text{FR: texts[0], EN: texts[1]}, nil
}

func exampleBody(route web.Route, l web.Language) ([]byte, error) {
	switch route.Path {
	case web.PathStatus:
		return json.Marshal(exampleReport())
	case web.PathUsage:
		return json.Marshal(exampleUsage())
	case web.PathDatasets:
		return json.Marshal(describeDatasets(exampleReport(), l))
	case web.PathDataset:
		return json.Marshal(describeDatasets(exampleReport(), l)["datasets"][0])
	case web.PathArchive:
		return json.Marshal(map[string][]archivedFile{"files": {exampleFile()}})
	case web.PathRevisions:
		return exampleRevisions(), nil
	case web.PathDeliveries:
		return json.Marshal(deliveriesAnswer{Deliveries: []deliveryAnswer{exampleDelivery()}})
	}
	switch route.Method + route.Path {
	case "GET" + web.PathWebhooks:
		return json.Marshal(map[string]any{"webhooks": []webhookAnswer{exampleWebhook()}})
	case "GET" + web.PathWebhook:
		return json.Marshal(exampleWebhook())
	}
	if name, isAPI := strings.CutPrefix(route.Path, web.PathAPI); isAPI && exampleAnswers()[name] != nil {
		return exampleAnswers()[name].plain.bytes, nil
	}
	if len(route.Datasets) == 1 && route.Path == web.RowsPath(route.Datasets[0]) {
		return exampleOfRows(route.Datasets[0], l)
	}
	return nil, nil
}

// exampleAnswers returns the answer of each endpoint.
var exampleAnswers = sync.OnceValue(func() map[string]*document {
	parts := map[market.Dataset]body{}
	for _, dataset := range market.Datasets() {
		view := viewOf(dataset)
		parts[dataset] = view.answer(store.Window{Rows: view.sample(exampleDate), Last: exampleDate, FetchedAt: exampleDate.Start().Add(-time.Hour)})
	}
	made := map[string]*document{}
	for _, e := range endpoints {
		made[e.name] = e.answer(parts, nil)
	}
	return made
})

func exampleOfRows(dataset market.Dataset, l web.Language) ([]byte, error) {
	query, err := parseRowsQuery(dataset, "date="+exampleDate.String(), nil, exampleDate.Start(), exampleDate)
	if err != nil {
		return nil, err
	}
	answer := &rowsAnswer{query: query, columns: query.columns, reading: &store.Reading{ChangedAt: exampleDate.Start().Add(-time.Hour), Changed: 1}}
	chunks := func(yield func(market.Chunk, error) bool) { yield(viewOf(dataset).sample(exampleDate), nil) }
	var out bytes.Buffer
	err = answer.write(l, false, "", chunks, &out, func() error { return nil })
	return out.Bytes(), err
}

func exampleReport() report.Report {
	first, at := exampleDate.Add(-365), report.Instant(exampleDate.Start().Add(13*time.Hour))
	previous, next, lag := exampleDate.Add(-1), report.Instant(at.Time().Add(15*time.Minute)), int64(0)
	found := report.Report{
		GeneratedAt: at, Quarantine: []report.Waiting{},
		PriceDifferences: []report.Difference{{Date: exampleDate, Between: "ENTSO-E/RTE", Quarters: 1, LargestEURMWh: 0.31, SeenAt: at}},
		Corrections:      []report.Correction{},
	}
	for _, dataset := range market.Datasets() {
		found.Datasets = append(found.Datasets, report.Status{
			Dataset: dataset, Source: dataset.About().Source, State: report.StateOK, FirstDate: &first, LastDate: &exampleDate,
			NewestPeriodEnd: report.InstantOf(exampleDate.End()), LagSeconds: &lag, LastSuccessAt: &at, LastChangeAt: &at, NextRunAt: &next,
			Missing: []report.Missing{}, Remarks: []report.Remark{},
		})
	}
	late := &found.Datasets[0]
	late.State, late.Missing = report.StateLate, []report.Missing{{Date: previous, Expected: 96, Received: 92, Reason: report.ReasonPartial}}
	return found
}

func exampleFile() archivedFile {
	sum := strings.Repeat("3f9c07", 11)[:64]
	month := exampleDate.Start().In(market.Paris).Format("2006-01")
	return archivedFile{
		Month: month, Rows: 2880, Bytes: 11_480, SHA256: sum, ETag: `"` + sum[:32] + `"`, Closed: true,
		Href: strings.NewReplacer("{dataset}", string(market.Datasets()[0]), "{month}", month).Replace(web.PathArchiveFile),
	}
}

func exampleRevisions() []byte {
	dataset := market.Datasets()[0]
	column := dataset.Series().ServedColumns()[0]
	var w jsonWriter
	w.open('{')
	w.key("revisions").open('[')
	w.revision(servedColumns(dataset), store.Revision{
		Start: exampleDate.Start().Unix(), Series: market.PriceSeries(market.PT15M, market.FromENTSOE), Column: column.Stored,
		Old: market.Value{Number: market.Num(84.12)}, New: market.Value{Number: market.Num(81.5)}, Seen: exampleDate.Start().Add(-time.Hour),
	})
	w.close(']')
	w.key("next").null()
	w.close('}')
	return w.bytes
}
