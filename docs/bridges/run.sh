#!/usr/bin/env bash
# Reads the price feeds with other programs. See README.md.
#   docs/bridges/run.sh
# It needs go, node 20, npm, python3 and the npm registry, and writes to a temporary folder only.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
demo=
trap '[ -z "$demo" ] || kill -INT "$demo" 2>/dev/null || true; wait; rm -rf "$tmp"' EXIT
cd "$here/../.."
mkdir "$tmp/documents"
go test ./server/api -run 'TestDocumentsForOtherPrograms$' -count=1 -documents "$tmp/documents"
go build -o "$tmp/courant" .
"$tmp/courant" demo >"$tmp/demo.txt" 2>"$tmp/log.txt" &
demo=$!
cp "$here/check.mjs" "$here/node-red-flow.json" "$tmp"
cd "$tmp"
npm install --silent --no-audit --no-fund entsoe-api-client@1.0.3 node-red@4.1.15 >/dev/null
status=0
python3 "$here/check.py" documents || status=1
node check.mjs documents demo.txt || status=1
exit "$status"
