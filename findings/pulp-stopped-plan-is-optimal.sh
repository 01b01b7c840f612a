#!/usr/bin/env bash
# PuLP: a plan that the solver gave up on has the status "Optimal".
#
# One expects: LpStatus[problem.status] is "Optimal" only where the solver proved that no
# plan is cheaper; after a limit of time, nodes or solutions it says so ("Not Solved").
# What happens: as soon as CBC, PuLP's usual solver, stopped with some plan in its file,
# PuLP sets the status to "Optimal". Below CBC is told to stop at its first plan for a
# day of a heat pump in quarter hours: "Optimal" at 2292, where the optimum, under the
# same status, is 2089. Only problem.sol_status tells them apart ("Solution Found" and
# "Optimal Solution Found"), and the usual check, status == "Optimal", passes both.
# For whom: planners of batteries and heat pumps that give the solver a time limit: a
# plan 10 % dearer, or worse, is taken for the best one.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends python3-pulp=2.6.0+dfsg-1 coinor-cbc=2.10.8+ds1-1; } >/dev/null 2>&1
cat > plan.py <<'PY'
import pulp

quarters = range(96)
prices, seed = [], 1
for _ in quarters:
    seed = (seed * 1664525 + 1013904223) % 4294967296
    prices.append(int(seed / 4294967296 * 170) - 20)

day = pulp.LpProblem("day", pulp.LpMinimize)
runs = [pulp.LpVariable(f"runs{q}", cat="Binary") for q in quarters]
starts = [pulp.LpVariable(f"starts{q}", cat="Binary") for q in quarters]
power = [pulp.LpVariable(f"power{q}", 0, 7) for q in quarters]
day += pulp.lpSum(prices[q] * power[q] + 37 * starts[q] for q in quarters)
day += pulp.lpSum(power) == 137
for q in quarters:  # 3 to 7 kW while it runs, at least five quarters at a time
    day += power[q] <= 7 * runs[q]
    day += power[q] >= 3 * runs[q]
    if q > 0:
        day += starts[q] >= runs[q] - runs[q - 1]
    for later in range(q, min(q + 5, 96)):
        day += runs[later] >= starts[q]
for name, options in (("stopped at the first plan", ["maxSolutions 1"]), ("to the end", [])):
    day.solve(pulp.COIN_CMD(path="/usr/bin/cbc", msg=False, options=options))
    print(f"{name}: status {pulp.LpStatus[day.status]}, sol_status {pulp.LpSolution[day.sol_status]}, cost {pulp.value(day.objective):g}")
PY
got=$(/usr/bin/python3 plan.py)
printf 'PuLP 2.6.0, CBC 2.10.8\n%s\n' "$got"
want='stopped at the first plan: status Optimal, sol_status Solution Found, cost 2292
to the end: status Optimal, sol_status Optimal Solution Found, cost 2089'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
