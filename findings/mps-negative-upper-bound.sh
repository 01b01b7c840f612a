#!/usr/bin/env bash
# MPS files: one model, one negative upper bound, four different answers.
#
# One expects: an optimiser's model, written as MPS or LP file, means the same
# to each solver, and the same in both forms. Here: a battery's power (positive
# buys) must be -2 MW or less, an order to sell; nothing else bounds it below,
# and the lower bound is not written, so it is 0.
# What happens: the formats never settled what an upper bound below 0 does to
# the unwritten lower bound. CBC makes it minus infinity when it reads the MPS
# file and solves (cost -10), but keeps 0 for the LP file (infeasible). GLPK
# keeps 0 in both, and with -o still writes a file of zeros of status UNDEFINED.
# lp_solve reads the MPS file, then gives up with an accuracy error. HiGHS keeps 0.
# For whom: whoever plans a battery with one solver at the desk and another in
# production. Write both bounds of each variable, always.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends glpk-utils=5.0-1 coinor-cbc=2.10.8+ds1-1 lp-solve=5.5.2.5-2; } >/dev/null 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts highs@1.15.3 >/dev/null

cat > battery.mps <<'MPS'
NAME          BATTERY
ROWS
 N  COST
 G  LIMIT
COLUMNS
    POWER     COST         1.0   LIMIT        1.0
    OTHER     COST         3.0   LIMIT        1.0
RHS
    RHS       LIMIT      -10.0
BOUNDS
 UP BND       POWER       -2.0
 UP BND       OTHER        4.0
ENDATA
MPS
cat > battery.lp <<'LP'
Minimize
 cost: power + 3 other
Subject To
 limit: power + other >= -10
Bounds
 power <= -2
 other <= 4
End
LP
cat > highs.cjs <<'JS'
require('highs')().then((highs) => {
  const answer = highs.solve(require('node:fs').readFileSync('battery.lp', 'utf8'));
  console.log(answer.Status, `lower bound of power ${answer.Columns.power.Lower}`);
});
JS
cbc battery.mps solve > cbc-mps.log 2>&1 || true
cbc battery.lp solve > cbc-lp.log 2>&1 || true
glpsol --freemps battery.mps -o glpk-mps.txt > glpk-mps.log 2>&1 || true
glpsol --lp battery.lp -o glpk-lp.txt > glpk-lp.log 2>&1 || true
lp_solve -fmps battery.mps > lpsolve.log 2>&1 || true
got=$(
  printf 'CBC MPS: %s\n' "$(grep -m1 'Optimal objective' cbc-mps.log | cut -d' ' -f1-3)"
  printf 'CBC LP: %s\n' "$(grep -m1 -o 'Linear relaxation infeasible' cbc-lp.log)"
  for form in mps lp; do
    printf 'GLPK %s: %s; the file it writes: %s\n' "$form" "$(grep -o 'lb = 0, ub = -2; incorrect bounds' "glpk-$form.log")" \
      "$(grep -m1 'Status' "glpk-$form.txt" | tr -s ' ')"
  done
  printf 'lp_solve MPS: %s\n' "$(tail -n 1 lpsolve.log)"
  printf 'HiGHS LP: %s\n' "$(node highs.cjs)"
)
printf 'CBC 2.10.8, GLPK 5.0, lp_solve 5.5.2.5, HiGHS 1.15.3 (npm)\n%s\n' "$got"
want='CBC MPS: Optimal objective -10
CBC LP: Linear relaxation infeasible
GLPK mps: lb = 0, ub = -2; incorrect bounds; the file it writes: Status: UNDEFINED
GLPK lp: lb = 0, ub = -2; incorrect bounds; the file it writes: Status: UNDEFINED
lp_solve MPS: Accuracy error
HiGHS LP: Infeasible lower bound of power 0'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
