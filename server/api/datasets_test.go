package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"courant/ingest/report"
)

func TestDatasetsAreDescribedInTheLanguageThatIsAskedFor(t *testing.T) {
	t.Parallel()
	f := open(t, reporting(inState(report.StateOK)))
	admin := f.admin(t)
	for language, want := range map[string]string{"fr": "Prix de règlement des écarts", "en": "Imbalance prices"} {
		w := f.ask(t, "GET", "/api/datasets/imbalance-prices", admin, header("Accept-Language", language))
		var described struct{ ID, Title string }
		must(t, json.Unmarshal(w.Body.Bytes(), &described))
		if w.Code != 200 || described.ID != "imbalance-prices" || described.Title != want {
			t.Errorf("%s: status %d, %+v, want %s", language, w.Code, described, want)
		}
		if vary := strings.Join(w.Header().Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") {
			t.Errorf("Vary is %q: a cache would mix the languages", vary)
		}
	}
	if w := f.ask(t, "GET", "/api/datasets/weather", admin); w.Code != 404 {
		t.Errorf("an unknown dataset: status %d", w.Code)
	}
	if w := f.ask(t, "GET", "/api/datasets/weather"); w.Code != 401 {
		t.Errorf("an unknown dataset without a token: status %d", w.Code)
	}
}
