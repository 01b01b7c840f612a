#!/usr/bin/env bash
# csvkit: an afternoon of zero prices becomes false, false, false.
#
# One expects: a column "price" of numbers stays numbers, whatever the numbers.
# What happens: csvkit (agate) looks at the values of each column and tries
# true/false first: a column with only 0, 1 and empty cells is Boolean. French
# hours priced 0 (no rare thing on a spring Sunday) come out of csvjson as
# false, of csvsort as False, and csvstat gives no mean. With one 0.01 or -1 in
# the column, or 0.00 in place of 0, the whole column is numbers again.
# For whom: scripts that cut hours out of a price file and hand them on: the
# type of the column changes with the market. csvjson -I leaves all as text.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends csvkit=1.0.7-1; } >/dev/null 2>&1
file() { printf 'hour,price\n'; local hour=12; for price in "$@"; do printf '%sh,%s\n' "$hour" "$price"; hour=$((hour + 1)); done; }
got=$(
  for prices in '0 0 1' '0 0 -1' '0.00 0.00 1.00' '0 0 0.01'; do
    # shellcheck disable=SC2086 # three words
    file $prices > day.csv
    printf '%s: csvjson %s, csvsort %s, csvstat --type %s\n' "$prices" \
      "$(csvjson day.csv | grep -o '"price": [^}]*' | cut -d' ' -f2 | paste -sd' ')" \
      "$(csvsort -c hour day.csv | tail -n +2 | cut -d, -f2 | paste -sd' ')" \
      "$(csvstat --type -c price day.csv)"
  done
  file 0 0 1 > day.csv
  printf 'mean of 0 0 1: %s\n' "$(csvstat --mean -c price day.csv)"
)
printf 'csvkit 1.0.7\n%s\n' "$got"
want='0 0 1: csvjson false false true, csvsort False False True, csvstat --type Boolean
0 0 -1: csvjson 0.0 0.0 -1.0, csvsort 0 0 -1, csvstat --type Number
0.00 0.00 1.00: csvjson 0.0 0.0 1.0, csvsort 0.00 0.00 1.00, csvstat --type Number
0 0 0.01: csvjson 0.0 0.0 0.01, csvsort 0 0 0.01, csvstat --type Number
mean of 0 0 1: None'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
