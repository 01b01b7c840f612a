#!/usr/bin/env bash
# gocsv: a missing price is 0, also through a pointer, and 1,234 MW is 1.234.
#
# One expects: an empty cell read into a *float64 leaves nil (the way to tell
# "not published" from 0 in Go), and into a float64 is an error; so is a text
# that Go does not take for a number.
# What happens: gocsv sets 0 for an empty float64 and a pointer to 0 for an empty
# *float64. Commas in numbers are turned into points: the French "128,48" is read right without being asked for, and
# the English "1,234" silently is 1.234. csvutil, given the same file and types,
# leaves nil for the pointer, and refuses the empty float64 and both commas.
# For whom: readers of price, imbalance and volume files: 0 EUR/MWh is a real
# price, so the invented ones are not seen.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/gocarina/gocsv"
	"github.com/jszwec/csvutil"
)

type value struct {
	V float64 `csv:"v"`
}

type pointer struct {
	V *float64 `csv:"v"`
}

func main() {
	for _, cell := range []string{"0", "", "128,48", "1,234"} {
		text := fmt.Sprintf("hour,v\n12h,\"%s\"\n", cell)
		fmt.Printf("cell %q\n", cell)
		var v []value
		err := gocsv.UnmarshalString(text, &v)
		fmt.Println("  gocsv   float64 ", v, err)
		var p []pointer
		err = gocsv.UnmarshalString(text, &p)
		fmt.Println("  gocsv   *float64", shown(p), err)
		var v2 []value
		err = csvutil.Unmarshal([]byte(text), &v2)
		fmt.Println("  csvutil float64 ", v2, err != nil)
		var p2 []pointer
		err = csvutil.Unmarshal([]byte(text), &p2)
		fmt.Println("  csvutil *float64", shown(p2), err != nil)
	}
}

func shown(rows []pointer) string {
	if len(rows) == 0 {
		return "no row"
	}
	if rows[0].V == nil {
		return "nil"
	}
	return fmt.Sprint("pointer to ", *rows[0].V)
}
GO
{ go mod init example.org/finding && go get github.com/gocarina/gocsv@v0.0.0-20240520201108-78e41c74b4b1 github.com/jszwec/csvutil@v1.10.0; } >/dev/null 2>&1
got=$(go run .)
printf 'gocsv v0.0.0-20240520201108-78e41c74b4b1 (newest), csvutil v1.10.0; true: an error\n%s\n' "$got"
want='cell "0"
  gocsv   float64  [{0}] <nil>
  gocsv   *float64 pointer to 0 <nil>
  csvutil float64  [{0}] false
  csvutil *float64 pointer to 0 false
cell ""
  gocsv   float64  [{0}] <nil>
  gocsv   *float64 pointer to 0 <nil>
  csvutil float64  [] true
  csvutil *float64 nil false
cell "128,48"
  gocsv   float64  [{128.48}] <nil>
  gocsv   *float64 pointer to 128.48 <nil>
  csvutil float64  [] true
  csvutil *float64 no row true
cell "1,234"
  gocsv   float64  [{1.234}] <nil>
  gocsv   *float64 pointer to 1.234 <nil>
  csvutil float64  [] true
  csvutil *float64 no row true'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
