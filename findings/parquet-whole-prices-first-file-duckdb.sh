#!/usr/bin/env bash
# Daily Parquet files: a day of whole prices makes the next days' prices whole.
#
# One expects: a writer given JavaScript numbers writes a column of prices as
# DOUBLE each day, and a reader of a folder of such files gives what was
# written, or an error where the files do not fit together.
# What happens, where two meet: hyparquet-writer takes the type of a column
# from its values, so a day whose prices all are whole (0, 0, -1, 5: a sunny
# Sunday) becomes INT32 and the next DOUBLE. DuckDB takes the columns' types
# from the first file of the list and casts the others to them: 128.48 is read
# as 128, -0.01 and 0.49 as 0, with no warning, and a sum is of the cut values.
# The same two files named in the other order, or with union_by_name, are right.
# For whom: archives of one file a day, written from a browser or from Node.
# Give the writer the type DOUBLE by name.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund hyparquet-writer@0.17.0 @duckdb/node-api@1.5.6-r.1 >/dev/null
cat > run.mjs <<'JS'
import fs from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DuckDBInstance } from '@duckdb/node-api';
const write = (file, data, type) =>
  fs.writeFileSync(file, Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'price', data, type }] })));
const sunny = [0, 0, -1, 5], next = [128.48, -0.01, 12.5, 0.49];
write('2027-04-11.parquet', sunny);
write('2027-04-12.parquet', next);
write('typed-1.parquet', sunny, 'DOUBLE');
write('typed-2.parquet', next, 'DOUBLE');
const db = await (await DuckDBInstance.create()).connect();
const ask = async (what, from) => {
  const answer = await db.runAndReadAll(`SELECT ${what} FROM read_parquet(${from})`);
  console.log(`${what} FROM ${from}: ${answer.columnTypes().join()} ${answer.getRowsJson().flat().join(' ')}`);
};
await ask('price', "'2027-04-*.parquet'");
await ask('sum(price)', "'2027-04-*.parquet'");
await ask('price', "['2027-04-12.parquet', '2027-04-11.parquet']");
await ask('price', "'2027-04-*.parquet', union_by_name = true");
await ask('price', "'typed-*.parquet'");
JS
got=$(node run.mjs)
printf 'hyparquet-writer 0.17.0, DuckDB 1.5.6\n%s\n' "$got"
want="price FROM '2027-04-*.parquet': INTEGER 0 0 -1 5 128 0 12 0
sum(price) FROM '2027-04-*.parquet': HUGEINT 144
price FROM ['2027-04-12.parquet', '2027-04-11.parquet']: DOUBLE 128.48 -0.01 12.5 0.49 0 0 -1 5
price FROM '2027-04-*.parquet', union_by_name = true: DOUBLE 0 0 -1 5 128.48 -0.01 12.5 0.49
price FROM 'typed-*.parquet': DOUBLE 0 0 -1 5 128.48 -0.01 12.5 0.49"
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
