#!/usr/bin/env bash
# glpk.js: an upper limit on what a charger buys lets it sell.
#
# One expects: a variable is 0 or more unless something else is said, and a bound
# { type: GLP_UP, lb: 0, ub: 3 }, as in the README's examples, is 0 to 3.
# What happens: GLP_UP takes the lower bound away, and the lb: 0 that the package's type
# asks for is not read. Without the bound the least is 0, with it minus infinity. In the
# plan below a charger buys at most 3 MWh an hour, and 1 to 4 MWh in all; the optimal
# plan buys 6 at -10 and 5 EUR/MWh and sells 5 of them at 60, which it cannot. GLP_DB
# reads both numbers and gives the right plan.
# For whom: charging planned by price in the browser or in Node. While prices differ
# little from hour to hour the limits hide it; the first high price shows it.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts glpk.js@5.0.0 >/dev/null
cat > plan.mjs <<'JS'
import GLPK from 'glpk.js/node';
const glpk = await GLPK();
const prices = [-10, 60, 5];
const bought = prices.map((price, hour) => ({ name: `hour${hour}`, coef: price }));
function plan(name, type) {
  const { result } = glpk.solve({
    name: 'plan',
    objective: { direction: glpk.GLP_MIN, name: 'cost', vars: bought },
    subjectTo: [{ name: 'all', vars: bought.map((hour) => ({ ...hour, coef: 1 })), bnds: { type: glpk.GLP_DB, lb: 1, ub: 4 } }],
    bounds: type && bought.map((hour) => ({ name: hour.name, type, lb: 0, ub: 3 })),
  }, { msglev: glpk.GLP_MSG_OFF });
  const status = result.status === glpk.GLP_OPT ? 'optimal' : `status ${result.status}`;
  console.log(`${name}: ${status}, cost ${result.z}, bought ${Object.values(result.vars).join(' ')}`);
}
console.log(`prices ${prices.join(' ')}`);
plan('no bounds', undefined);
plan('GLP_UP, lb 0, ub 3', glpk.GLP_UP);
plan('GLP_DB, lb 0, ub 3', glpk.GLP_DB);
JS
got=$(node plan.mjs)
printf 'glpk.js 5.0.0\n%s\n' "$got"
want='prices -10 60 5
no bounds: optimal, cost -40, bought 4 0 0
GLP_UP, lb 0, ub 3: optimal, cost -315, bought 3 -5 3
GLP_DB, lb 0, ub 3: optimal, cost -30, bought 3 0 0'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
