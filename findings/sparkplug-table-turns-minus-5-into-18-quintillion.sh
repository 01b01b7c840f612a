#!/usr/bin/env bash
# Sparkplug B: -5 W in a table is read as 18 446 744 073 709 551 611 W.
#
# One expects: sparkplug-payload reads a table (DataSet) that it has written, with the
# values a plain metric would have.
# What happens: as a plain metric an Int64 of -5 comes back as -5, in a table as the
# unsigned number. Columns of Int8, Int16, Int32, UInt8, UInt16, UInt64 and DateTime are
# written and cannot be read: the whole message, with all its other metrics, is an error.
# Of the types tried, UInt32, Float, Double, Boolean and String come through: a power plan
# needs Double for its values, and UInt32 (seconds) or String for its times.
# For whom: prices, set points or charging plans sent over MQTT as one table to battery
# and plant controllers that run Node.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts sparkplug-payload@1.0.3 >/dev/null
cat > run.cjs <<'JS'
const sparkplug = require('sparkplug-payload').get('spBv1.0');
const send = (...metrics) => sparkplug.decodePayload(sparkplug.encodePayload({ timestamp: 1792886400000, metrics })).metrics;
const table = (type, value) => ({ name: 'plan', type: 'DataSet', value: { numOfColumns: 1, columns: ['power'], types: [type], rows: [[value]] } });
for (const [type, value] of [
  ['Int64', -5], ['Double', -0.5], ['Float', 0], ['Boolean', false], ['String', '2026-10-25T00:00:00Z'], ['UInt32', 1792886400],
  ['Int8', 5], ['Int16', 5], ['Int32', 5], ['UInt8', 5], ['UInt16', 5], ['UInt64', 5], ['DateTime', 1792886400000],
]) {
  let read;
  try {
    read = String(send(table(type, value))[0].value.rows[0][0]);
  } catch (error) {
    read = `error: ${error.message.split(':')[0]}`;
  }
  console.log(`${type} ${value}: metric ${send({ name: 'power', type, value })[0].value}, table ${read}`);
}
JS
got=$(node run.cjs)
printf 'sparkplug-payload 1.0.3\n%s\n' "$got"
want='Int64 -5: metric -5, table 18446744073709551611
Double -0.5: metric -0.5, table -0.5
Float 0: metric 0, table 0
Boolean false: metric false, table false
String 2026-10-25T00:00:00Z: metric 2026-10-25T00:00:00Z, table 2026-10-25T00:00:00Z
UInt32 1792886400: metric 1792886400, table 1792886400
Int8 5: metric 5, table error: Invalid DataSetValue
Int16 5: metric 5, table error: Invalid DataSetValue
Int32 5: metric 5, table error: Invalid DataSetValue
UInt8 5: metric 5, table error: Invalid DataSetValue
UInt16 5: metric 5, table error: Invalid DataSetValue
UInt64 5: metric 5, table error: Invalid DataSetValue
DateTime 1792886400000: metric 1792886400000, table error: Invalid DataSetValue'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
