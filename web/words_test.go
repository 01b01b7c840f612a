package web_test

import (
	"strings"
	"testing"

	"courant/ingest/report"
	"courant/web"
)

// A word that had no text would be shown on a page as it is in JSON.
func TestEveryWordOfTheReportHasItsTexts(t *testing.T) {
	if missing := web.WordsWithoutText(); len(missing) > 0 {
		t.Errorf("no text, or not in both languages: %v", missing)
	}
}

func TestTheStylesheetDrawsEveryState(t *testing.T) {
	style := string(web.StaticFiles()["style.css"])
	for _, state := range report.States() {
		// Without a rule of its own the mark is that of a dataset that is up to date.
		if state != report.StateOK && !strings.Contains(style, ".state."+string(state)+"::before") {
			t.Errorf("the stylesheet does not draw the state %s", state)
		}
	}
	for _, state := range web.DayStates() {
		if !strings.Contains(style, ".cell."+string(state)+" ") {
			t.Errorf("the stylesheet does not draw dates that are %s", state)
		}
	}
}

// The reference lists the words that the report has, and no others.
func TestTheReferenceListsTheWordsOfTheReport(t *testing.T) {
	document, err := web.OpenAPI(web.English, web.Site{}, web.Reference())
	if err != nil {
		t.Fatal(err)
	}
	lists := strings.Join(strings.Fields(string(document)), " ")
	var states, reasons []string
	for _, state := range report.States() {
		states = append(states, `"`+string(state)+`"`)
	}
	for _, reason := range report.Reasons() {
		reasons = append(reasons, `"`+string(reason)+`"`)
	}
	for _, words := range [][]string{states, reasons} {
		if list := `"enum": [ ` + strings.Join(words, ", ") + " ]"; !strings.Contains(lists, list) {
			t.Errorf("the reference does not list %s", list)
		}
	}
}
