#!/usr/bin/env bash
# screenshot.sh [COURANT]: makes docs/overview.png, the overview page in English with the data of courant demo. It needs Chromium;
# COURANT is the program, courant beside this folder if it is not given.
set -euo pipefail
docs=$(cd "$(dirname "$0")" && pwd)
courant=${1:-$docs/../courant}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
folder=$(mktemp -d)
"$courant" demo >"$folder/out" 2>"$folder/err" &
demo=$!
trap 'kill "$demo" 2>/dev/null; wait "$demo" || true; rm -rf "$folder"' EXIT
for _ in $(seq 300); do
  grep -q '^All datasets are collected' "$folder/err" && break
  sleep 0.2
done
link=$(awk '$1 == "open" { print $2 }' "$folder/out")
sandbox=
[ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox
"$browser" --headless $sandbox --user-data-dir="$folder/profile" --accept-lang=en --lang=en --hide-scrollbars --force-color-profile=srgb \
  --window-size=1440,1000 --virtual-time-budget=5000 --screenshot="$docs/overview.png" "$link" 2>"$folder/browser" ||
  { cat "$folder/browser" >&2; exit 1; }
