#!/usr/bin/env bash
# @dsnp/parquetjs: a DECIMAL price is a cent low, and short ones come back mixed with others.
#
# One expects: DECIMAL(9,2) is the type for prices to the cent: 128.48 goes in
# and comes out.
# What happens: the number is scaled in floating point and cut, not rounded:
# 128.48 is written as 128.47, 1.15 as 1.14, 19.99 as 19.98 (other readers see
# the same). And with a precision of 9 or less the package cannot read what it
# wrote: each value of 8 bytes is read as two of 4, so the column reads
# 128.47, 0, -0.5, -0.01, ... and half the rows are gone, still without an error.
# For whom: programs that save day-ahead or imbalance prices to Parquet from Node.
# (The file list of version 1.9.3 on the registry has no code, hence 1.8.9.)
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts @dsnp/parquetjs@1.8.9 hyparquet@1.33.0 >/dev/null
cat > run.cjs <<'JS'
const fs = require('node:fs');
const parquet = require('@dsnp/parquetjs');
const prices = [128.48, -0.5, 0, 2.51, 1.15, 19.99, 4.35, 0.29];
(async () => {
  const { parquetReadObjects, parquetMetadata } = await import('hyparquet');
  console.log('written            ', prices.join(' '));
  for (const precision of [9, 18]) {
    const file = `p${precision}.parquet`;
    const schema = new parquet.ParquetSchema({ price: { type: 'DECIMAL', precision, scale: 2 } });
    const writer = await parquet.ParquetWriter.openFile(schema, file);
    for (const price of prices) await writer.appendRow({ price });
    await writer.close();
    const reader = await parquet.ParquetReader.openFile(file);
    const cursor = reader.getCursor(), own = [];
    for (let row; (row = await cursor.next());) own.push(row.price);
    await reader.close();
    const bytes = fs.readFileSync(file);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const other = (await parquetReadObjects({ file: buffer })).map((row) => row.price);
    console.log(`(${precision},2) read by parquetjs`, own.join(' '));
    console.log(`(${precision},2) read by hyparquet`, other.join(' '), parquetMetadata(buffer).schema[1].type);
  }
})();
JS
got=$(node run.cjs)
printf '@dsnp/parquetjs 1.8.9, hyparquet 1.33.0\n%s\n' "$got"
want='written             128.48 -0.5 0 2.51 1.15 19.99 4.35 0.29
(9,2) read by parquetjs 128.47 0 -0.5 -0.01 0 0 2.5 0
(9,2) read by hyparquet 128.47 -0.5 0 2.5 1.14 19.98 4.34 0.28 INT64
(18,2) read by parquetjs 128.47 -0.5 0 2.5 1.14 19.98 4.34 0.28
(18,2) read by hyparquet 128.47 -0.5 0 2.5 1.14 19.98 4.34 0.28 INT64'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
