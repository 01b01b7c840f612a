package report_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"courant/ingest/report"
)

// declared returns the values of the constants of a type in report.go.
func declared(t *testing.T, typeName string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "report.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, is := node.(*ast.ValueSpec)
		if !is {
			return true
		}
		if name, is := spec.Type.(*ast.Ident); !is || name.Name != typeName {
			return false
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
		return false
	})
	slices.Sort(values)
	return values
}

// Pages, metrics and the reference go through these lists: a word that is not in them would have no text.
func TestStatesAndReasonsListEveryConstant(t *testing.T) {
	var states, reasons []string
	for _, state := range report.States() {
		states = append(states, string(state))
	}
	for _, reason := range report.Reasons() {
		reasons = append(reasons, string(reason))
	}
	slices.Sort(states)
	slices.Sort(reasons)
	if want := declared(t, "State"); !slices.Equal(states, want) || len(want) == 0 {
		t.Errorf("the states listed are %v, the constants %v", states, want)
	}
	if want := declared(t, "Reason"); !slices.Equal(reasons, want) || len(want) == 0 {
		t.Errorf("the reasons listed are %v, the constants %v", reasons, want)
	}
}
