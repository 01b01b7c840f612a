package server

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports are the packages of Courant that each one may import directly.
var imports = map[string][]string{
	"courant":                  {"courant/server/command"},
	"courant/server/command":   {"courant/auth", "courant/ingest", "courant/ingest/report", "courant/ingest/simulator", "courant/ingest/source", "courant/server", "courant/server/api", "courant/server/config", "courant/server/entrance", "courant/store", "courant/store/backup", "courant/store/disk", "courant/store/market"},
	"courant/server":           {"courant/auth", "courant/ingest", "courant/ingest/entsoe", "courant/ingest/report", "courant/ingest/rte", "courant/ingest/source", "courant/server/api", "courant/server/config", "courant/server/entrance", "courant/store", "courant/store/backup", "courant/store/backup/s3", "courant/store/disk", "courant/store/market", "courant/web"},
	"courant/server/api":       {"courant/auth", "courant/ingest/report", "courant/store", "courant/store/market", "courant/web"},
	"courant/server/config":    {"courant/store/market"},
	"courant/server/entrance":  {},
	"courant/web":              {"courant/auth", "courant/ingest/report", "courant/store", "courant/store/market"},
	"courant/ingest":           {"courant/ingest/report", "courant/ingest/source", "courant/store", "courant/store/market"},
	"courant/ingest/rte":       {"courant/ingest/source", "courant/store/market"},
	"courant/ingest/entsoe":    {"courant/ingest/source", "courant/store/market"},
	"courant/ingest/source":    {"courant/store/market"},
	"courant/ingest/report":    {"courant/store/market"},
	"courant/ingest/simulator": {},
	"courant/auth":             {"courant/store", "courant/store/market"},
	"courant/store":            {"courant/store/market"},
	"courant/store/backup":     {"courant/store", "courant/store/backup/s3", "courant/store/disk", "courant/store/market"},
	"courant/store/backup/s3":  {},
	"courant/store/disk":       {},
	"courant/store/market":     {},
	"courant/store/storetest":  {"courant/store"},
	"courant/internal/await":   {},
}

// homes are the packages in which a library may be used, so that it can be replaced there.
var homes = map[string][]string{
	"database/sql":                  {"courant/store"},
	"modernc.org/sqlite":            {"courant/store"},
	"github.com/labstack/echo/v4":   {"courant/server/api", "courant/web"},
	"github.com/go-co-op/gocron/v2": {"courant/ingest"},
	"github.com/alexedwards/scs/v2": {"courant/auth", "courant/server/api"},
	"github.com/spf13/viper":        {"courant/server/config"},
	"github.com/spf13/cobra":        {"courant/server/command"},
	"github.com/minio/minio-go/v7":  {"courant/store/backup/s3"},
}

func TestImportsFormATree(t *testing.T) {
	list, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "courant/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		allowed, known := imports[words[0]]
		if !known {
			t.Errorf("package %s has no place in the tree", words[0])
		}
		seen++
		for _, imported := range words[1:] {
			if strings.HasPrefix(imported, "courant") && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s", words[0], imported)
			}
			if home, bound := homes[imported]; bound && !slices.Contains(home, words[0]) {
				t.Errorf("%s uses %s, which belongs in %v", words[0], imported, home)
			}
		}
	}
	if seen != len(imports) {
		t.Errorf("%d packages, and %d places in the tree", seen, len(imports))
	}
}

func TestDecodersLinkNoDatabase(t *testing.T) {
	list, err := exec.Command("go", "list", "-deps", "courant/ingest/rte", "courant/ingest/entsoe", "courant/ingest/source", "courant/store/market").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, linked := range strings.Fields(string(list)) {
		if linked == "database/sql" || linked == "courant/store" || strings.HasPrefix(linked, "modernc.org/") {
			t.Errorf("decoders link %s", linked)
		}
	}
}
