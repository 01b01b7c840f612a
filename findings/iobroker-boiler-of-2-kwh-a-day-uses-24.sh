#!/usr/bin/env bash
# ioBroker: a boiler that uses 2 kWh a day has used 24, if one asks by calendar days.
#
# One expects: the integral of a power over a day is its energy, whether the days are
# given as a fixed step of 24 hours or as calendar ("smart") intervals, and that a value
# holds until the next one, as the manual says (ioBroker stores a value when it changes).
# What happens: @iobroker/aggregate, the calculation of ioBroker's history adapters, holds
# the value only for a fixed step. For calendar intervals it draws a straight line from
# each value to the next: a boiler at 2 kW from 12:00 to 13:00 rises slowly from 13:00 to
# the next noon, and a day has 24 kWh, not 2. After the last value stored all intervals
# are 0: a pump that has run at 1 kW for days without a change used nothing.
# For whom: adapters and scripts that make energy by day or month with this package, to
# price it or compare it with a bill: by a fixed step the clock-change days are wrong, by
# the calendar all days.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts @iobroker/aggregate@1.0.1 >/dev/null
cat > run.cjs <<'JS'
const { getSmartIntervals, initAggregate, aggregation, finishAggregation } = require('@iobroker/aggregate');
const march = (date) => ({ year: 2027, month: 3, date, timeZone: 1 });
const at = (date, hour) => new Date(2027, 2, date, hour).getTime();
const days = getSmartIntervals(march(9), 'day', march(12));
const start = days[0].start, end = days.at(-1).end;
function kWh(values, intervals) {
  const options = { start, end, step: 24 * 3600e3, limit: 2000, aggregate: 'integral', integralUnit: 3600, removeBorderValues: true };
  const state = initAggregate(options, 'power', intervals);
  aggregation(state, values.map((value) => ({ ...value })));
  finishAggregation(state);
  return state.result.filter(({ ts }) => ts > start && ts < end).map(({ val }) => (val / 1000).toFixed(1)).join(' ');
}
const boiler = [8, 9, 10, 11, 12].flatMap((date) => [{ ts: at(date, 12), val: 2000 }, { ts: at(date, 13), val: 0 }]);
const pump = [{ ts: at(8, 12), val: 1000 }];
console.log(`${days.length} days of ${[...new Set(days.map((day) => (day.end - day.start) / 3600e3))]} hours`);
for (const [name, values] of Object.entries({ boiler, pump })) {
  console.log(`${name}: fixed step ${kWh(values)} kWh, calendar days ${kWh(values, days)} kWh`);
}
JS
got=$(TZ=Europe/Paris node run.cjs)
printf '@iobroker/aggregate 1.0.1\n%s\n' "$got"
want='3 days of 24 hours
boiler: fixed step 2.0 2.0 2.0 kWh, calendar days 24.0 24.0 24.0 kWh
pump: fixed step 24.0 24.0 24.0 kWh, calendar days 0.0 0.0 0.0 kWh'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
