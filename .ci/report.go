//go:build ignore

// Report reads the output of go test -json. It prints the output of tests that fail and a line for each package, and adds each test that is
// skipped, with its reason, to the file that SKIPPED names.
//
//	go test -json ./... | SKIPPED=skipped.txt go run .ci/report.go
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
}

// where is the place in a test from which a line of output comes.
var where = regexp.MustCompile(`^\s*\w+_test\.go:\d+: `)

// frame is output that says how the tests go on, not what they say.
var frame = regexp.MustCompile(`^(=== (RUN|PAUSE|CONT|NAME) |PASS\s*$|\?)`)

func main() {
	skipped, err := read(os.Stdin)
	if err == nil {
		err = note(skipped)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

// read prints what matters of the events and returns a line for each skipped test.
func read(out io.Reader) (skipped []string, err error) {
	type test struct{ pkg, name string }
	said := map[test][]string{}
	for decoder := json.NewDecoder(out); ; {
		var e event
		if err := decoder.Decode(&e); err == io.EOF {
			return skipped, nil
		} else if err != nil {
			return nil, err
		}
		of := test{e.Package, e.Test}
		switch {
		case e.Action == "build-output":
			fmt.Print(e.Output)
		case e.Action == "output" && frame.MatchString(e.Output):
		case e.Action == "output" && e.Test == "":
			fmt.Print(e.Output)
		case e.Action == "output":
			said[of] = append(said[of], e.Output)
		case e.Test == "" && e.Action == "fail": // of a panic or a timeout, what the tests under way have said
			for _, of := range slices.SortedFunc(maps.Keys(said), func(a, b test) int { return cmp.Compare(a.name, b.name) }) {
				if of.pkg == e.Package {
					fmt.Print(strings.Join(said[of], ""))
					delete(said, of)
				}
			}
		case e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
			if e.Action == "fail" {
				fmt.Print(strings.Join(said[of], ""))
			}
			if e.Action == "skip" {
				skipped = append(skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(said[of])))
			}
			delete(said, of)
		}
	}
}

// reason is what a skipped test has said last.
func reason(said []string) string {
	for _, line := range slices.Backward(said) {
		if where.MatchString(line) {
			return strings.TrimSpace(where.ReplaceAllString(line, ""))
		}
	}
	return "no reason is given"
}

func note(skipped []string) error {
	name := os.Getenv("SKIPPED")
	if name == "" || len(skipped) == 0 {
		return nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, strings.Join(skipped, "\n"))
	return errors.Join(err, file.Close())
}
