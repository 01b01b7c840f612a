#!/usr/bin/env bash
# Go date helpers: at 02:37 the hour begins in 23 minutes.
#
# One expects: the beginning of the hour (of the minute) is at or before the
# instant it is asked for; only local days have odd lengths.
# What happens: jinzhu/now and carbon take the clock fields apart and put them
# together with time.Date, which picks winter time for the doubled hour. On
# 25 October 2026, 00:37Z is 02:37 summer time in Paris; the beginning of its
# hour is given as 01:00Z, in the future; carbon's StartOfMinute is an hour late
# too (01:37Z). The second 02:37 is right, and so is adding minutes.
# time.Truncate(time.Hour) is right in Paris, where offsets are whole hours.
# For whom: programs that group prices or meter readings by local hour: the four
# quarters of the first 02:00 hour are booked on the second, which gets eight.
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

	"github.com/golang-module/carbon/v2"
	"github.com/jinzhu/now"
)

func main() {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	z := func(t time.Time) string { return t.UTC().Format("15:04Z") }
	for _, text := range []string{"2026-10-25T00:37:00Z", "2026-10-25T01:37:00Z"} {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			panic(err)
		}
		t = t.In(paris)
		c := carbon.CreateFromStdTime(t, "Europe/Paris")
		fmt.Printf("%s, %s in Paris: Truncate %s, jinzhu/now BeginningOfHour %s, carbon StartOfHour %s StartOfMinute %s AddMinutes(15) %s\n",
			z(t), t.Format("15:04-07:00"), z(t.Truncate(time.Hour)), z(now.With(t).BeginningOfHour()),
			z(c.StartOfHour().StdTime()), z(c.StartOfMinute().StdTime()), z(c.AddMinutes(15).StdTime()))
	}
	quarters := map[string]int{}
	for t := time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC); t.Hour() != 2; t = t.Add(15 * time.Minute) {
		quarters[z(now.With(t.In(paris)).BeginningOfHour())]++
	}
	fmt.Println("quarters by hour, jinzhu/now:", quarters)
}
GO
{ go mod init example.org/finding && go get github.com/golang-module/carbon/v2@v2.3.12 github.com/jinzhu/now@v1.1.5; } >/dev/null 2>&1
got=$(go run .)
printf 'carbon v2.3.12, jinzhu/now v1.1.5, %s\n%s\n' "$(go env GOVERSION)" "$got"
want='00:37Z, 02:37+02:00 in Paris: Truncate 00:00Z, jinzhu/now BeginningOfHour 01:00Z, carbon StartOfHour 01:00Z StartOfMinute 01:37Z AddMinutes(15) 00:52Z
01:37Z, 02:37+01:00 in Paris: Truncate 01:00Z, jinzhu/now BeginningOfHour 01:00Z, carbon StartOfHour 01:00Z StartOfMinute 01:37Z AddMinutes(15) 01:52Z
quarters by hour, jinzhu/now: map[01:00Z:8 23:00Z:4]'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
