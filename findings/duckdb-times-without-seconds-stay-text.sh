#!/usr/bin/env bash
# DuckDB: times in ENTSO-E's own form stay text, and sort wrongly in October.
#
# One expects: a CSV column of 2026-10-24T22:00Z, as ENTSO-E writes the start and
# end of each period, becomes a time, since DuckDB reads 2026-10-24 22:00 and
# 2026-10-24T22:00:00Z.
# What happens: with T or an offset DuckDB wants seconds. Casting the ENTSO-E
# form is an error; read_csv finds no time in the column and leaves it text
# without a word. Text with offsets then sorts by its digits: the second 02:00
# (+01:00) comes before the first (+02:00), so a join "price before" or a chart
# by row has these hours exchanged. With seconds all is right.
# For whom: whoever loads ENTSO-E or home-made exports with minutes only.
# strptime(t, '%Y-%m-%dT%H:%M%z') reads offsets (but no Z: there the letter itself
# has to stand in the format).
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.6-r.1 >/dev/null
cat > run.mjs <<'JS'
import fs from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
const db = await (await DuckDBInstance.create()).connect();
await db.run("SET TimeZone = 'UTC'");
const read = async (name, times, what = 't') => {
  fs.writeFileSync('file.csv', `t,quarter\n${times.map((t, i) => `${t},${i + 1}`).join('\n')}\n`);
  const answer = await db.runAndReadAll(`SELECT ${what} AS t, quarter FROM read_csv('file.csv') ORDER BY t`);
  console.log(`${name}: ${answer.columnTypes()[0]}, quarters in order ${answer.getRowsJson().map((row) => row[1]).join(' ')}`);
};
for (const text of ['2026-10-24 22:00', '2026-10-24T22:00:00Z', '2026-10-24T22:00Z']) {
  try {
    const answer = await db.runAndReadAll(`SELECT CAST('${text}' AS TIMESTAMPTZ)::VARCHAR`);
    console.log(`${text}: ${answer.getRowsJson()[0][0]}`);
  } catch (error) {
    console.log(`${text}: ${error.message.split(',')[0]}`);
  }
}
const night = ['2026-10-25T02:30:00+02:00', '2026-10-25T02:45:00+02:00', '2026-10-25T02:00:00+01:00', '2026-10-25T02:15:00+01:00'];
const minutes = night.map((t) => t.replace(':00+', '+'));
await read('with seconds', night);
await read('minutes only', minutes);
await read('minutes only, strptime', minutes, "strptime(t, '%Y-%m-%dT%H:%M%z')");
await read('minutes only, Z', ['2026-10-25T00:30Z', '2026-10-25T00:45Z']);
JS
got=$(node run.mjs)
printf 'DuckDB 1.5.6\n%s\n' "$got"
want='2026-10-24 22:00: 2026-10-24 22:00:00+00
2026-10-24T22:00:00Z: 2026-10-24 22:00:00+00
2026-10-24T22:00Z: Conversion Error: invalid timestamp field format: "2026-10-24T22:00Z"
with seconds: TIMESTAMP WITH TIME ZONE, quarters in order 1 2 3 4
minutes only: VARCHAR, quarters in order 3 4 1 2
minutes only, strptime: TIMESTAMP WITH TIME ZONE, quarters in order 1 2 3 4
minutes only, Z: VARCHAR, quarters in order 1 2'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
