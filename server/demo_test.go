package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"courant/ingest/simulator"
	"courant/server/command"
	"courant/store/market"
)

func TestDemoWithFaultsLogsThemAndEndsWhileASourceHangs(t *testing.T) {
	temporary := t.TempDir()
	p := start(t, []string{"TMPDIR=" + temporary}, false, "demo", "--faults")
	switches := p.await(`^  RTE +(http://127\.0\.0\.1:\d+/switches)$`)[1]
	p.await(`^  ENTSO-E +http://127\.0\.0\.1:\d+/switches$`)
	p.await(`^  curl -d resource=\w+ -d fault=[\w-]+ .*/switches$`)
	status := p.await(`^  curl -H 'Authorization: Bearer (crt_\w+)' (http://127\.0\.0\.1:\d+/api/status)$`)
	token, url := status[1], status[2]
	set(t, switches, simulator.StandardMFRR, "html-page")
	set(t, switches, simulator.MarginalPrice, "hang-in-body")
	get(t, url, token, func(_ *http.Response, body []byte) bool {
		type dataset struct {
			Dataset   market.Dataset
			LastError string `json:"last_error"`
		}
		var report struct{ Datasets []dataset }
		return json.Unmarshal(body, &report) == nil && slices.ContainsFunc(report.Datasets, func(d dataset) bool {
			return d.Dataset == market.MFRREnergy && strings.Contains(d.LastError, "the reply is an HTML page, not JSON")
		})
	})
	get(t, switches, "", func(_ *http.Response, body []byte) bool {
		return strings.Contains(string(body), "hang-in-body, answers so far: 1")
	})
	if code := p.end(os.Interrupt); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// set posts to the switches.
func set(t *testing.T, switches, resource, fault string) {
	t.Helper()
	response, err := http.PostForm(switches, url.Values{"resource": {resource}, "fault": {fault}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s, error %v", response.StatusCode, body, err)
	}
}
