package server

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// metricNames are those that the program gives to Prometheus.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		newMetrics("", nil, slog.New(slog.DiscardHandler)).registry.Describe(descriptions)
	}()
	names := map[string]bool{}
	for description := range descriptions {
		if name := regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(description.String()); name != nil {
			names[name[1]] = true
		}
	}
	return names
}

func TestAlertsAndDashboardsUseExistingMetrics(t *testing.T) {
	t.Parallel()
	known := metricNames(t)
	used := regexp.MustCompile(`\b(courant|process|go)_\w+`)
	for _, path := range []string{"../docs/monitoring/alerts.yaml", "../docs/monitoring/alerts_test.yaml", "../docs/monitoring/dashboard.json", "../docs/operations.md"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		names := used.FindAllString(string(text), -1)
		if len(names) == 0 {
			t.Errorf("%s names no metric", path)
		}
		for _, name := range names {
			if !known[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("%s names %s, which is none", path, name)
			}
		}
		if strings.HasSuffix(path, ".json") && !json.Valid(text) {
			t.Errorf("%s is not JSON", path)
		}
	}
}

func TestPromtoolTakesTheAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("NOT TESTED: no promtool on PATH")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = filepath.Join("..", "docs", "monitoring")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
}
