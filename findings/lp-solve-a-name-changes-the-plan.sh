#!/usr/bin/env bash
# lp_solve: giving a limit a name changes the battery's plan.
#
# One expects: in a model text, "lowest: p >= -5;" is "p >= -5;" with a name for
# the report.
# What happens: without a name a relation of one variable is a bound of it and
# replaces the unwritten p >= 0, so the power p may go down to -5 (sell). With a
# name it is a constraint beside the bounds: p >= 0 stays, and p is 0. The same
# holds for an order to sell at least 2, "p <= -2;": optimum -5 without a name,
# "This problem is infeasible" with one. No warning either way.
# For whom: whoever writes a battery's limits into an LP text and adds names
# later, to read shadow prices: from then on it never sells. Keep bounds unnamed.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends lp-solve=5.5.2.5-2; } >/dev/null 2>&1
solve() { printf '%-50s %s\n' "$1" "$(lp_solve -S3 <<< "$1" | awk '$1 == "p" { print "p = " $2 } /infeasible/')"; }
got=$(
  solve 'min: p; p >= -5;'
  solve 'min: p; lowest: p >= -5;'
  solve 'min: p; p >= -5; p <= -2;'
  solve 'min: p; lowest: p >= -5; order: p <= -2;'
)
printf 'lp_solve 5.5.2.5\n%s\n' "$got"
want='min: p; p >= -5;                                   p = -5
min: p; lowest: p >= -5;                           p = 0
min: p; p >= -5; p <= -2;                          p = -5
min: p; lowest: p >= -5; order: p <= -2;           This problem is infeasible'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
