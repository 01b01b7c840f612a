package server

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// imports are the packages of Courant that each one may import directly.
var imports = map[string][]string{
	"courant":                       {"courant/server/command"},
	"courant/server/command":        {"courant/auth", "courant/ingest", "courant/ingest/report", "courant/ingest/simulator", "courant/ingest/source", "courant/server", "courant/server/api", "courant/server/api/format", "courant/server/config", "courant/server/entrance", "courant/server/lake", "courant/store", "courant/store/backup", "courant/store/backup/s3", "courant/store/disk", "courant/store/market"},
	"courant/server":                {"courant/auth", "courant/ingest", "courant/ingest/entsoe", "courant/ingest/report", "courant/ingest/rte", "courant/ingest/source", "courant/server/api", "courant/server/api/format", "courant/server/config", "courant/server/entrance", "courant/server/hooks", "courant/server/lake", "courant/store", "courant/store/backup", "courant/store/backup/s3", "courant/store/disk", "courant/store/market", "courant/web"},
	"courant/server/api":            {"courant/auth", "courant/ingest/report", "courant/server/api/format", "courant/server/events", "courant/server/hooks", "courant/server/lake", "courant/store", "courant/store/market", "courant/store/market/analysis", "courant/web"},
	"courant/server/api/format":     {"courant/store/market"},
	"courant/server/config":         {"courant/store/market"},
	"courant/server/entrance":       {},
	"courant/server/events":         {"courant/ingest/report", "courant/store", "courant/store/market"},
	"courant/server/hooks":          {"courant/auth", "courant/ingest/report", "courant/server/events", "courant/store", "courant/store/market", "courant/web"},
	"courant/server/lake":           {"courant/server/api/format", "courant/store", "courant/store/backup/s3", "courant/store/disk", "courant/store/market"},
	"courant/web":                   {"courant/auth", "courant/ingest/report", "courant/store/market", "courant/store/market/analysis"},
	"courant/ingest":                {"courant/ingest/report", "courant/ingest/source", "courant/store", "courant/store/market"},
	"courant/ingest/rte":            {"courant/ingest/source", "courant/store/market"},
	"courant/ingest/entsoe":         {"courant/ingest/source", "courant/store/market"},
	"courant/ingest/source":         {"courant/store/market"},
	"courant/ingest/report":         {"courant/store/market"},
	"courant/ingest/simulator":      {},
	"courant/auth":                  {"courant/store", "courant/store/market"},
	"courant/store":                 {"courant/store/market"},
	"courant/store/backup":          {"courant/store", "courant/store/backup/s3", "courant/store/disk", "courant/store/market"},
	"courant/store/backup/s3":       {},
	"courant/store/disk":            {},
	"courant/store/market":          {},
	"courant/store/market/analysis": {"courant/store/market"},
	"courant/store/storetest":       {"courant/store", "courant/store/disk"},
	"courant/store/storetest/await": {},
}

// homes are the packages in which a library may be used, so that it can be replaced there.
var homes = map[string][]string{
	"database/sql":                               {"courant/store"},
	"modernc.org/sqlite":                         {"courant/store"},
	"github.com/labstack/echo/v4":                {"courant/server/api"},
	"github.com/go-co-op/gocron/v2":              {"courant/ingest"},
	"github.com/alexedwards/scs/v2":              {"courant/auth"},
	"github.com/spf13/viper":                     {"courant/server/config"},
	"github.com/spf13/cobra":                     {"courant/server/command"},
	"github.com/minio/minio-go/v7":               {"courant/store/backup/s3"},
	"github.com/parquet-go/parquet-go":           {"courant/server/api/format"},
	"github.com/modelcontextprotocol/go-sdk/mcp": {"courant/server/api"},
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

// configKeys are the keys of the example of a configuration that have a dot, and its sections that have one.
func configKeys(t *testing.T) []string {
	t.Helper()
	example, err := os.ReadFile("../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(example, &tree); err != nil {
		t.Fatal(err)
	}
	var keys []string
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for name, value := range tree {
			if prefix != "" {
				keys = append(keys, prefix+name)
			}
			if inner, is := value.(map[string]any); is {
				walk(prefix+name+".", inner)
			}
		}
	}
	walk("", tree)
	return keys
}

func TestConfigKeysAreNamedByCommandsConfigurationAndPagesAlone(t *testing.T) {
	keys := configKeys(t)
	if !slices.Contains(keys, "backup.s3.endpoint") || !slices.Contains(keys, "rte.client_id") {
		t.Fatalf("keys %v", keys)
	}
	for i, key := range keys {
		keys[i] = regexp.QuoteMeta(key)
	}
	slices.SortFunc(keys, func(a, b string) int { return len(b) - len(a) })
	named := regexp.MustCompile(`\b(` + strings.Join(keys, "|") + `)\b`)
	at := map[string]bool{"command": true, "config": true, "../web": true, "../docs": true}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch path, _ := filepath.Rel("../server", path); {
		case err != nil:
			return err
		case entry.IsDir() && at[filepath.ToSlash(path)]:
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		var scan scanner.Scanner
		scan.Init(files.AddFile(path, -1, len(text)), text, nil, scanner.ScanComments)
		for {
			pos, kind, literal := scan.Scan()
			switch kind {
			case token.EOF:
				return nil
			case token.STRING, token.COMMENT:
				if key := named.FindString(literal); key != "" {
					t.Errorf("%s names %s", files.Position(pos), key)
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
