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
	"go.yaml.in/yaml/v3"

	"courant/store/storetest"
)

// metricNames are those that the program gives to Prometheus.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		newMetrics("", nil, nil, nil, slog.New(slog.DiscardHandler)).registry.Describe(descriptions)
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

func TestTheTestsOfAlertsExpectTheirTexts(t *testing.T) {
	t.Parallel()
	read := func(path string, into any) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err == nil {
			err = yaml.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Annotations map[string]string
			}
		}
	}
	var tests struct {
		Tests []struct {
			Cases []struct {
				Alert    string `yaml:"alertname"`
				Expected []struct {
					Labels      map[string]string `yaml:"exp_labels"`
					Annotations map[string]string `yaml:"exp_annotations"`
				} `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	read("../docs/monitoring/alerts.yaml", &rules)
	read("../docs/monitoring/alerts_test.yaml", &tests)
	annotations := map[string]map[string]string{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			annotations[rule.Alert] = rule.Annotations
		}
	}
	tried := map[string]bool{}
	for _, test := range tests.Tests {
		for _, c := range test.Cases {
			for _, expected := range c.Expected {
				tried[c.Alert] = true
				for name, text := range annotations[c.Alert] {
					for label, value := range expected.Labels {
						text = strings.ReplaceAll(text, "{{ $labels."+label+" }}", value)
					}
					pattern := strings.ReplaceAll(regexp.QuoteMeta(text), regexp.QuoteMeta("{{ $value }}"), `\S+`)
					if got := expected.Annotations[name]; !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
						t.Errorf("%s of %s is\n%s\nand the test expects\n%s", name, c.Alert, text, got)
					}
				}
			}
		}
	}
	if len(tried) < 8 {
		t.Errorf("only these alerts are tried: %v", tried)
	}
}

func TestPromtoolTakesTheAlerts(t *testing.T) {
	storetest.Long(t)
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
