#!/usr/bin/env bash
# EEBUS: spine-go reads a quarter of an hour as 12 minutes.
#
# One expects: PT0.25H is a quarter of an hour (ISO 8601 lets the last part have
# a fraction), PT899.75S is a quarter less 250 ms, and a time that the library
# itself writes comes back as it was.
# What happens: spine-go keeps one decimal of each part and cuts the rest, with
# no error: PT0.25H is 12 minutes, PT0.75H 42, PT0.05H nothing; of its own
# times, 1.25 s is written as PT1.2S and 50 ms as P0D. A month is no error
# either: P1M is 730 h 29 min 6 s, a twelfth of a mean year.
# PT15M, and whole minutes and seconds in general, are right.
# For whom: heat pumps, chargers and energy managers that get a tariff or a
# load limit with a duration over EEBUS: write minutes, never parts of an hour.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/enbility/spine-go/model"
)

func main() {
	for _, text := range []string{"PT15M", "PT900S", "PT0.5H", "PT0.25H", "PT0.75H", "PT0.05H", "PT899.75S", "P1M"} {
		d := model.DurationType(text)
		read, err := d.GetTimeDuration()
		fmt.Printf("read  %-9s %v %v\n", text, read, err)
	}
	for _, d := range []time.Duration{15 * time.Minute, 1250 * time.Millisecond, 50 * time.Millisecond} {
		text := model.NewDurationType(d)
		back, err := text.GetTimeDuration()
		fmt.Printf("write %-9v %s %v %v\n", d, *text, back, err)
	}
}
GO
{ go mod init example.org/finding && go get github.com/enbility/spine-go@v0.7.0; } >/dev/null 2>&1
got=$(go run .)
printf 'spine-go v0.7.0\n%s\n' "$got"
want='read  PT15M     15m0s <nil>
read  PT900S    15m0s <nil>
read  PT0.5H    30m0s <nil>
read  PT0.25H   12m0s <nil>
read  PT0.75H   42m0s <nil>
read  PT0.05H   0s <nil>
read  PT899.75S 14m59.7s <nil>
read  P1M       730h29m6s <nil>
write 15m0s     PT15M 15m0s <nil>
write 1.25s     PT1.2S 1.2s <nil>
write 50ms      P0D 0s <nil>'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
