#!/usr/bin/env bash
# iso8601-duration and duration-fns: a quarter of an hour of 75 minutes, once a year.
#
# One expects: PT15M, the resolution of ENTSO-E and of the French day-ahead
# auction since October 2025, ends 900 seconds after any instant, in any zone.
# What happens: end() of iso8601-duration and apply() of duration-fns add to the
# local clock fields of the process. With TZ=Europe/Paris, 02:45 summer time plus
# PT15M is 03:00 winter time, 75 minutes later, though toSeconds() of the first
# still gives 900: the four quarters of the second 02:00 hour are jumped over.
# Walking the 25-hour day by PT15M gives 96 starts, not 100; in UTC the same
# program gives 100. duration-fns also finds 24 hours between the day's ends.
# For whom: programs that turn the position in a price document into its start
# by adding the resolution: right on a server in UTC, four quarters lost on a
# desk or a home computer in France, without an error.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts iso8601-duration@2.1.4 duration-fns@3.0.2 >/dev/null
cat > walk.cjs <<'JS'
const iso = require('iso8601-duration'), fns = require('duration-fns');
const quarter = iso.parse('PT15M');
const before = new Date('2026-10-25T00:45:00Z'); // 02:45 in Paris, summer time
const first = new Date('2026-10-24T22:00:00Z'), last = new Date('2026-10-25T23:00:00Z');
function walk(name, next) {
  let starts = 0;
  for (let t = first; t < last; t = next(t)) starts++;
  console.log(`TZ=${process.env.TZ} ${name}: 00:45Z + PT15M = ${next(before).toISOString().slice(11, 16)}Z, starts on the day ${starts}`);
}
walk('iso8601-duration', (t) => iso.end(quarter, t));
walk('duration-fns', (t) => fns.apply(t, 'PT15M'));
console.log(`TZ=${process.env.TZ} iso8601-duration toSeconds ${iso.toSeconds(quarter, before)}, ` +
  `duration-fns between the ends of the day ${fns.toHours(fns.between(first, last))} h`);
JS
got=$(TZ=UTC node walk.cjs; TZ=Europe/Paris node walk.cjs)
printf 'iso8601-duration 2.1.4, duration-fns 3.0.2\n%s\n' "$got"
want='TZ=UTC iso8601-duration: 00:45Z + PT15M = 01:00Z, starts on the day 100
TZ=UTC duration-fns: 00:45Z + PT15M = 01:00Z, starts on the day 100
TZ=UTC iso8601-duration toSeconds 900, duration-fns between the ends of the day 25 h
TZ=Europe/Paris iso8601-duration: 00:45Z + PT15M = 02:00Z, starts on the day 96
TZ=Europe/Paris duration-fns: 00:45Z + PT15M = 02:00Z, starts on the day 96
TZ=Europe/Paris iso8601-duration toSeconds 900, duration-fns between the ends of the day 24 h'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
