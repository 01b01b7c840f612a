package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"courant/store/market"
)

// datasetHomes are the folders and files in which single datasets may be named: where they are described, decoded, simulated and
// called, and the bodies that are not served as they are stored.
var datasetHomes = []string{
	"store/market/", "ingest/rte/", "ingest/entsoe/", "ingest/simulator/", "server/parts.go",
	"server/api/prices.go", "server/api/capacity.go", "server/api/afrr.go", "server/api/mfrr.go", "server/api/rows_view.go",
}

// mostNamingFiles is how many other files may name a single dataset, so that a new one needs no change in them.
const mostNamingFiles = 6

func TestFewFilesNameASingleDataset(t *testing.T) {
	constants := datasetConstants(t)
	if len(constants) != len(market.Datasets()) {
		t.Fatalf("%d constants %v of %d datasets", len(constants), constants, len(market.Datasets()))
	}
	var naming []string
	for path, file := range goFiles(t, "..") {
		if slices.ContainsFunc(datasetHomes, func(home string) bool { return strings.HasPrefix(path, home) }) {
			continue
		}
		names := false
		ast.Inspect(file, func(node ast.Node) bool {
			names = names || namesDataset(node, constants)
			clause, is := node.(*ast.CaseClause)
			if !is {
				return true
			}
			for _, expression := range clause.List {
				ast.Inspect(expression, func(node ast.Node) bool {
					if namesDataset(node, constants) {
						t.Errorf("%s has a switch over datasets", path)
					}
					return true
				})
			}
			return true
		})
		if names {
			naming = append(naming, path)
		}
	}
	slices.Sort(naming)
	if t.Logf("%d files name a single dataset: %v", len(naming), naming); len(naming) > mostNamingFiles {
		t.Errorf("%d files name a single dataset, may be %d: %v", len(naming), mostNamingFiles, naming)
	}
}

func TestADatasetTakesSixFiles(t *testing.T) {
	want := []string{
		"ingest/rte/imbalance.go", "server/parts.go", "store/layout.go", "store/market/dataset.go", "store/market/feed.go",
		"store/market/imbalance.go",
	}
	var got []string
	for path, file := range goFiles(t, "..") {
		if strings.HasPrefix(path, "ingest/simulator/") {
			continue
		}
		speaksOf := false
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.Ident:
				speaksOf = speaksOf || strings.Contains(strings.ToLower(node.Name), "imbalance")
			case *ast.BasicLit:
				speaksOf = speaksOf || strings.Contains(strings.ToLower(node.Value), "imbalance")
			}
			return true
		})
		if speaksOf {
			got = append(got, path)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("imbalance prices are in %v, want %v, as docs/adding-a-dataset.md says", got, want)
	}
}

// namesDataset reports whether a node is a constant of a dataset, or its text.
func namesDataset(node ast.Node, constants map[string]bool) bool {
	switch node := node.(type) {
	case *ast.SelectorExpr:
		from, is := node.X.(*ast.Ident)
		return is && from.Name == "market" && constants[node.Sel.Name]
	case *ast.BasicLit:
		text, err := strconv.Unquote(node.Value)
		_, is := market.ParseDataset(text)
		return err == nil && node.Kind == token.STRING && is
	}
	return false
}

// goFiles parses the Go files below a folder that are not tests, by their paths with slashes.
func goFiles(t *testing.T, folder string) map[string]*ast.File {
	t.Helper()
	parsed := map[string]*ast.File{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		parsed[filepath.ToSlash(name)], err = parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// datasetConstants are the names of the constants of type Dataset in package market.
func datasetConstants(t *testing.T) map[string]bool {
	t.Helper()
	constants := map[string]bool{}
	for _, file := range goFiles(t, "../store/market") {
		for _, declaration := range file.Decls {
			group, is := declaration.(*ast.GenDecl)
			if !is || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				values := spec.(*ast.ValueSpec)
				if kind, is := values.Type.(*ast.Ident); is && kind.Name == "Dataset" {
					for _, name := range values.Names {
						constants[name.Name] = true
					}
				}
			}
		}
	}
	return constants
}
