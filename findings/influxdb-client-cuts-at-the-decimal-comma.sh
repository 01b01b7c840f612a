#!/usr/bin/env bash
# InfluxDB's JavaScript client: -0,50 becomes 0 and 1 234,56 becomes 1.
#
# One expects: floatField() refuses a text that is no number, as it refuses "",
# null and NaN with an error; intField() refuses or rounds what is no integer.
# What happens: a text goes through parseFloat, which stops at the first sign it
# does not know: "128,48" is written as 128, "-0,50" as 0, "1 234,56" as 1.
# intField rounds down with floor, so -0.5 becomes -1 while 128.48 becomes 128,
# and the text "1e3" becomes 1.
# For whom: collectors that pass the cells of a French CSV (decimal comma, space
# for thousands) straight on: no error, a plausible chart, each price cut.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts @influxdata/influxdb-client@1.35.0 >/dev/null
cat > run.cjs <<'JS'
const { Point } = require('@influxdata/influxdb-client');
for (const [field, value] of [
  ['floatField', 128.48], ['floatField', '128.48'], ['floatField', '128,48'], ['floatField', '-0,50'], ['floatField', '1 234,56'],
  ['floatField', ''], ['floatField', null], ['intField', 128.48], ['intField', -0.5], ['intField', '1e3'],
]) {
  let line;
  try { line = new Point('price')[field]('value', value).timestamp(0).toLineProtocol(); } catch (error) { line = `error: ${error.message}`; }
  console.log(`${field}(${JSON.stringify(value)}): ${line}`);
}
JS
got=$(node run.cjs)
printf '@influxdata/influxdb-client 1.35.0\n%s\n' "$got"
want='floatField(128.48): price value=128.48 0
floatField("128.48"): price value=128.48 0
floatField("128,48"): price value=128 0
floatField("-0,50"): price value=0 0
floatField("1 234,56"): price value=1 0
floatField(""): error: invalid float value for field '"'value'"': 
floatField(null): error: invalid float value for field '"'value'"': null
intField(128.48): price value=128i 0
intField(-0.5): price value=-1i 0
intField("1e3"): price value=1i 0'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
