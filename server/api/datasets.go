package api

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"courant/ingest/report"
	"courant/store/market"
	"courant/web"
)

// datasetDescription is a dataset as /api/datasets describes it.
type datasetDescription struct {
	ID              market.Dataset        `json:"id"`
	Title           string                `json:"title"`
	Description     string                `json:"description"`
	Step            string                `json:"step"` // ISO 8601
	TimeZone        string                `json:"time_zone"`
	Keys            []string              `json:"keys"`
	Columns         []columnDescription   `json:"columns"`
	Sources         []sourceDescription   `json:"sources"`
	FirstDate       *market.DeliveryDate  `json:"first_date"`
	LastDate        *market.DeliveryDate  `json:"last_date"`
	NewestPeriodEnd *report.Instant       `json:"newest_period_end"`
	State           report.State          `json:"state"`
	MissingDates    []market.DeliveryDate `json:"missing_dates"`
	Links           map[string]string     `json:"links"`
}

type columnDescription struct {
	Name        string      `json:"name"`
	Type        market.Kind `json:"type"`
	Unit        *string     `json:"unit"`
	Description string      `json:"description"`
}

// sourceDescription is a source of a dataset. The licences are null until a person has read the sources' terms.
type sourceDescription struct {
	Name        string  `json:"name"`
	Attribution string  `json:"attribution"`
	Licence     *string `json:"licence"`
	LicenceURL  *string `json:"licence_url"`
}

// parisName is the time zone of delivery dates in the API.
const parisName = "Europe/Paris"

func describeDataset(dataset market.Dataset, status report.Status, l web.Language) datasetDescription {
	about, series := dataset.About(), dataset.Series()
	described := datasetDescription{
		ID: dataset, Title: web.Text(about.Title).In(l), Description: web.Text(about.Summary).In(l),
		Step: market.StepText(series.StepSeconds()), TimeZone: parisName, Keys: []string{}, MissingDates: []market.DeliveryDate{},
		FirstDate: status.FirstDate, LastDate: status.LastDate, NewestPeriodEnd: status.NewestPeriodEnd, State: status.State,
		Links: map[string]string{
			"self": web.DatasetPath(dataset), "rows": web.RowsPath(dataset), "latest": web.PathAPI + string(dataset),
			"revisions": web.RevisionsPath(dataset), "archive": web.ArchivePath(dataset),
		},
	}
	for _, key := range series.ServedKeys() {
		described.Keys = append(described.Keys, key.Name)
		described.Columns = append(described.Columns, columnDescription{key.Name, market.KindString, nil, web.Text(key.Text).In(l)})
	}
	for _, column := range series.ServedColumns() {
		of := columnDescription{Name: column.Name, Type: column.Kind, Description: web.Text(column.Text).In(l)}
		if unit := string(column.Unit); unit != "" {
			of.Unit = &unit
		}
		described.Columns = append(described.Columns, of)
	}
	for _, source := range market.SourcesOf(dataset) {
		described.Sources = append(described.Sources, sourceDescription{Name: source, Attribution: market.Attribution(source)})
	}
	for _, missing := range status.Missing {
		described.MissingDates = append(described.MissingDates, missing.Date)
	}
	return described
}

// datasets describes all datasets.
func (s *Server) datasets(c echo.Context) error {
	described, err := s.describeDatasets(c)
	if err != nil {
		return err
	}
	return s.sendDescription(c, described)
}

// dataset describes one dataset.
func (s *Server) dataset(c echo.Context) error {
	dataset, known := market.ParseDataset(c.Param("dataset"))
	described, err := s.describeDatasets(c)
	if err != nil {
		return err
	}
	if !known {
		return problemNotFound
	}
	all := described["datasets"]
	return s.sendDescription(c, all[slices.IndexFunc(all, func(d datasetDescription) bool { return d.ID == dataset })])
}

// describeDatasets describes all datasets to any account.
func (s *Server) describeDatasets(c echo.Context) (map[string][]datasetDescription, error) {
	identity, err := s.reader(c)
	if err != nil {
		return nil, err
	}
	found, err := s.report(c.Request().Context(), identity.Admin)
	if err != nil {
		return nil, err
	}
	return describeDatasets(found, language(c)), nil
}

// describeDatasets returns the answer of /api/datasets.
func describeDatasets(found report.Report, l web.Language) map[string][]datasetDescription {
	var all []datasetDescription
	for _, status := range found.Datasets {
		all = append(all, describeDataset(status.Dataset, status, l))
	}
	return map[string][]datasetDescription{"datasets": all}
}

func (s *Server) sendDescription(c echo.Context, description any) error {
	body, err := json.Marshal(description)
	if err != nil {
		return err
	}
	setDataHeaders(c)
	c.Response().Header().Set("Vary", "Authorization, Cookie, Accept-Language")
	return s.send(c, http.StatusOK, "application/json", body)
}
