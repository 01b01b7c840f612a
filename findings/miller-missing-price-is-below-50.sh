#!/usr/bin/env bash
# Miller: a missing price is below 50 EUR/MWh, and above all others.
#
# One expects: mlr, whose manual says that operators with an empty argument give an empty
# result, leaves an hour without a price out of filter '$price < 50', as it does for
# sums, means and products.
# What happens: an empty cell is compared as text, and the empty text is less than any
# number: missing hours are among the cheap ones ('<' and '<=', not '>'), also below a
# negative limit. In sort -nr, and in the verb top, they stand first: the dearest hours of
# the day begin with hours that have no price.
# For whom: whoever picks hours from a CSV file in which an empty cell means "not
# published", Courant's among them. Put filter 'is_not_empty($price)' first.
# shellcheck disable=SC1010,SC2016 # then and $price are Miller's
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends miller=6.6.0-2+b3; } >/dev/null 2>&1
printf 'hour,price\n12h,128.48\n13h,\n14h,-0.50\n15h,40\n' > day.csv
hours() { mlr --icsv --onidx "$@" then cut -f hour day.csv | paste -sd' '; }
got=$(
  for condition in '$price < 50' '$price <= -20' '$price > 50' '$price * 1 < 50' 'is_not_empty($price) && $price < 50'; do
    printf '%s: %s\n' "$condition" "$(hours filter "$condition")"
  done
  printf 'the two dearest: sort -nr %s; top %s\n' "$(hours sort -nr price then head -n 2)" "$(hours top -n 2 -f price -a)"
  printf 'mean %s\n' "$(mlr --icsv --onidx stats1 -a mean -f price day.csv)"
)
printf 'Miller 6.6.0\n%s\n' "$got"
want='$price < 50: 13h 14h 15h
$price <= -20: 13h
$price > 50: 12h
$price * 1 < 50: 13h 14h 15h
is_not_empty($price) && $price < 50: 14h 15h
the two dearest: sort -nr 13h 12h; top 13h 12h
mean 55.99333333333333'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
