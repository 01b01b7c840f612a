#!/usr/bin/env bash
# RRDtool: the mean of an hour takes three of its quarters and one of the next.
#
# One expects: a price stored at 10:00, the start of the quarter hour it is for, counts
# from 10:00 on, and the mean of the hour that begins at 10:00 is that of its four
# quarters.
# What happens: an RRD takes a value for the step that ends at its time, as fits a meter
# that is read afterwards. The price of 10:00 counts from 09:45 to 10:00. Each quarter
# hour still reads back at the time it was stored, so the finest view looks right, but
# the coarser ones are shifted: the hour that ends at 11:00 is made of 10:15, 10:30,
# 10:45 and 11:00. With 100, 200 and 300 in three hours it shows 125 and 225.
# For whom: Munin, Cacti, collectd, LibreNMS and home-made graphs of prices or forecasts
# beside meter values: each hour is a quarter late against the meter, and a negative
# hour is no longer wholly negative. Store each price at the end of its period.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends rrdtool=1.7.2-4+b8; } >/dev/null 2>&1
start=1792915200 # 2026-10-25T08:00:00Z, 09:00 in Paris
# stored OFFSET: three hours of four quarters, at 100, 200 and 300, each stored OFFSET seconds after its start.
stored() {
  rrdtool create prices.rrd --start $((start - 900)) --step 900 DS:price:GAUGE:900:U:U RRA:AVERAGE:0.5:1:96 RRA:AVERAGE:0.5:4:24
  for quarter in {0..11}; do
    rrdtool update prices.rrd $((start + quarter * 900 + $1)):$(((quarter / 4 + 1) * 100))
  done
  rrdtool fetch prices.rrd AVERAGE -r 3600 -s $start -e $((start + 7200)) |
    awk -v start=$start 'NF == 2 && $2 !~ /nan/ { printf " hour %d %.0f", (substr($1, 1, length($1) - 1) - start) / 3600, $2 } END { print "" }'
}
got=$(
  printf 'stored at the start:%s\n' "$(stored 0)"
  rm prices.rrd
  printf 'stored at the end:%s\n' "$(stored 900)"
)
printf 'RRDtool 1.7.2\n%s\n' "$got"
want='stored at the start: hour 1 125 hour 2 225
stored at the end: hour 1 100 hour 2 200 hour 3 300'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
