#!/usr/bin/env bash
# Exports a year of 4 s rows with Courant, sqlite3 and DuckDB, by turns, and prints a table. See ../../benchmarks.md.
# Needs Go, Node.js 20, curl, sqlite3 and the npm registry. ROUNDS=5 and MONTHS=12 can be changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export CGO_ENABLED=0
cd "$here/../../.."
go build -trimpath -ldflags='-s -w' -o "$tmp/courant" .
go test ./server -run TestYearForBenchmarks -count=1 -year "$tmp" >/dev/null
cd "$tmp"
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.6-r.1 >/dev/null
cp "$here/measure.mjs" .
node measure.mjs "${MONTHS:-12}" "${ROUNDS:-5}"
