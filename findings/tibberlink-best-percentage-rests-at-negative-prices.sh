#!/usr/bin/env bash
# ioBroker.tibberlink: "within 10 % of the cheapest" chooses nothing on the cheapest days.
#
# One expects: the calculator "best percentage" switches on in the quarters that
# cost at most so many percent more than the cheapest one, and the cheapest
# quarter is always among them.
# What happens: the limit is the cheapest price times 1.1. Where the cheapest is
# negative (-5 ct) the limit lies below it (-5.5 ct), so no quarter is chosen,
# not even the cheapest: the channel stays off all day. With a cheapest price of
# exactly 0 only quarters at 0 are chosen, whatever the percentage.
# For whom: hot water, cars and batteries driven by this adapter, and every rule
# of the kind "x % above the lowest price": it works all year and fails on the
# Sundays one would be paid to consume. Use a share of the day's spread.
# (The adapter's own calculator runs here on a stand-in for ioBroker's states.)
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps iobroker.tibberlink@7.3.0 date-fns@4.4.0 >/dev/null
cat > run.cjs <<'JS'
const { TibberCalculator } = require('iobroker.tibberlink/build/lib/tibberCalculator.js');
const { enCalcType } = require('iobroker.tibberlink/build/lib/projectUtils.js');
async function chosen(prices) {
  const day = prices.map((total, i) => ({ total, startsAt: new Date(Date.UTC(2027, 3, 11, 10, 15 * i)).toISOString() }));
  const states = { 'Homes.h.PricesToday.json': JSON.stringify(day), 'Homes.h.PricesTomorrow.json': '[]' };
  const adapter = {
    log: { debug() {}, warn: console.error, error: console.error },
    config: { CalculatorList: [{ chHomeID: 'h', chType: enCalcType.BestPercentage, chActive: true, chPercentage: 10, chValueOn: 'true', chValueOff: 'false' }] },
    getObjectAsync: async (name) => (name in states ? {} : null),
    getStateAsync: async (name) => ({ val: states[name] }),
    setState: async (name, value) => { states[name] = value; },
  };
  await new TibberCalculator(adapter).executeCalculatorBestPercentage(0);
  const output = JSON.parse(states['Homes.h.Calculations.0.OutputJSON']);
  return output.filter((quarter) => quarter.output).map((quarter) => quarter.total);
}
(async () => {
  for (const prices of [[0.05, 0.054, 0.06, 0.2], [-0.05, -0.048, 0.01, 0.2], [0, 0.0001, 0.01, 0.2]])
    console.log(`prices ${prices.join(' ')}, 10 %: chosen ${(await chosen(prices)).join(' ') || 'none'}`);
})();
JS
got=$(node run.cjs)
printf 'iobroker.tibberlink 7.3.0\n%s\n' "$got"
want='prices 0.05 0.054 0.06 0.2, 10 %: chosen 0.05 0.054
prices -0.05 -0.048 0.01 0.2, 10 %: chosen none
prices 0 0.0001 0.01 0.2, 10 %: chosen 0'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
