#!/usr/bin/env bash
# sosodev/duration: 744 hours go out as "a month and 14 hours".
#
# One expects: a span of exactly 31 days, made into ISO 8601 text, still is
# 31 days for whoever reads it (P31D or PT744H).
# What happens: FromTimeDuration folds hours into months of 730 h and years of
# 8760 h: 31 days are P1MT14H, 30 days P4W2D, 365 days P1Y. The package reads
# its own text back right, since its month is 730 h, but for every other reader
# (luxon here) P1M is a calendar month: from 1 February 2027 the span ends 14 h
# after 1 March, 58 hours early; in January it ends 14 hours late, and P1Y over
# 29 February 2028 is a day longer than the 365 days that were meant.
# For whom: programs that write the length of a delivery period, of a tender or
# of a lock into JSON or XML from Go. Write days or hours yourself.
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

	"github.com/sosodev/duration"
)

func main() {
	for _, days := range []time.Duration{1, 30, 31, 365} {
		d := days * 24 * time.Hour
		text := duration.FromTimeDuration(d).String()
		back, err := duration.Parse(text)
		fmt.Println(d.Hours(), text, err == nil && back.ToTimeDuration() == d)
	}
}
GO
{ go mod init example.org/finding && go get github.com/sosodev/duration@v1.4.0; } >/dev/null 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts luxon@3.7.2 >/dev/null
cat > read.cjs <<'JS'
const { Duration, DateTime } = require('luxon');
for (const line of require('node:fs').readFileSync(0, 'utf8').trim().split('\n')) {
  const [hours, text, same] = line.split(' ');
  const from = (day) => {
    const start = DateTime.fromISO(day, { zone: 'utc' });
    return start.plus(Duration.fromISO(text)).diff(start, 'hours').hours;
  };
  console.log(`${hours} h -> ${text}; read by itself: ${same === 'true' ? 'same' : 'other'}; by luxon: ` +
    `${from('2027-01-01')} h from 1 January 2027, ${from('2027-02-01')} h from 1 February 2027, ${from('2028-01-01')} h from 1 January 2028`);
}
JS
got=$(go run . | node read.cjs)
printf 'sosodev/duration v1.4.0, luxon 3.7.2\n%s\n' "$got"
want='24 h -> P1D; read by itself: same; by luxon: 24 h from 1 January 2027, 24 h from 1 February 2027, 24 h from 1 January 2028
720 h -> P4W2D; read by itself: same; by luxon: 720 h from 1 January 2027, 720 h from 1 February 2027, 720 h from 1 January 2028
744 h -> P1MT14H; read by itself: same; by luxon: 758 h from 1 January 2027, 686 h from 1 February 2027, 758 h from 1 January 2028
8760 h -> P1Y; read by itself: same; by luxon: 8760 h from 1 January 2027, 8760 h from 1 February 2027, 8784 h from 1 January 2028'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
