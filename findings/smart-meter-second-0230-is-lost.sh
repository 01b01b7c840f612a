#!/usr/bin/env bash
# P1 smart meters: two npm readers drop the letter that tells summer from winter.
#
# One expects: a Belgian, Dutch or Luxembourg meter sends its times as
# YYMMDDhhmmssX, with X = S in summer time and W in winter time, so a reader can
# tell the two 02:30 of the 25-hour day apart, wherever it runs.
# What happens: dsmr-parser checks that the letter is there and forgets it: in a
# process in Brussels both 02:30 are the same instant, and in a container in UTC
# each reading of the year is one or two hours late. p1-reader takes the clock
# time of the meter and marks it Z, so 00:30Z is given as 02:30Z, S or W alike.
# For whom: whoever joins quarter-hour meter readings with quarter-hour prices:
# without a word the price of another hour, and on the 25-hour day two readings
# on one time.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts dsmr-parser@2.1.1 p1-reader@2.0.6 >/dev/null
cat > run.cjs <<'JS'
const dsmr = require('dsmr-parser');
const p1 = require('p1-reader/lib/parsePacket');
// CRC-16 of P1 telegrams: polynomial 0xA001, start 0, over all up to and with the "!".
function crc(text) {
  let sum = 0;
  for (const byte of Buffer.from(text, 'latin1')) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = sum & 1 ? (sum >> 1) ^ 0xa001 : sum >> 1;
  }
  return sum.toString(16).toUpperCase().padStart(4, '0');
}
function telegram(time) {
  const body = `/ABC5\\EXAMPLE\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(${time})\r\n1-0:1.8.1(000123.456*kWh)\r\n!`;
  return `${body}${crc(body)}\r\n`;
}
for (const [time, right] of [['261025023000S', '00:30Z'], ['261025023000W', '01:30Z'], ['260714120000S', '10:00Z']]) {
  console.log(`TZ=${process.env.TZ} ${time} (is ${right}): dsmr-parser ${dsmr.parse(telegram(time)).objects.timestamp.toISOString()}, ` +
    `p1-reader ${p1(telegram(time)).timestamp}`);
}
JS
# p1-reader notes on stderr that it does not read the line of the checksum.
got=$(TZ=Europe/Brussels node run.cjs 2>/dev/null; TZ=UTC node run.cjs 2>/dev/null)
printf 'dsmr-parser 2.1.1, p1-reader 2.0.6\n%s\n' "$got"
want='TZ=Europe/Brussels 261025023000S (is 00:30Z): dsmr-parser 2026-10-25T00:30:00.000Z, p1-reader 2026-10-25T02:30:00.000Z
TZ=Europe/Brussels 261025023000W (is 01:30Z): dsmr-parser 2026-10-25T00:30:00.000Z, p1-reader 2026-10-25T02:30:00.000Z
TZ=Europe/Brussels 260714120000S (is 10:00Z): dsmr-parser 2026-07-14T10:00:00.000Z, p1-reader 2026-07-14T12:00:00.000Z
TZ=UTC 261025023000S (is 00:30Z): dsmr-parser 2026-10-25T02:30:00.000Z, p1-reader 2026-10-25T02:30:00.000Z
TZ=UTC 261025023000W (is 01:30Z): dsmr-parser 2026-10-25T02:30:00.000Z, p1-reader 2026-10-25T02:30:00.000Z
TZ=UTC 260714120000S (is 10:00Z): dsmr-parser 2026-07-14T12:00:00.000Z, p1-reader 2026-07-14T12:00:00.000Z'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
