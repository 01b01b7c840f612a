#!/usr/bin/env bash
# Linky (French meter, historical mode): a current of 9 A is never seen.
#
# One expects: a line of the customer port, "IINST 009 X", is label, value and
# a checksum of one character from 0x20 to 0x5F, and is read whenever the
# checksum is right.
# What happens: npm teleinfo splits the line at spaces and wants three parts.
# The checksum 0x20 is itself a space: such a line has four parts and is
# dropped without an error, and the frame comes without the field. That hits
# every value whose digits have a certain sum: a current of 9, 18, 27, ... A;
# an index BASE with the digit sum 21 (348 of the 10 000 values below); HCHC
# with 26, HCHP with 13. The same value is missing in each frame, until it changes.
# For whom: whoever logs a French household's use beside the prices: holes that
# look like a bad cable and are in the parser. Take the last character as the
# checksum first, then split.
# (The serial port is replaced by an object that hands over frames.)
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts teleinfo@0.1.0 >/dev/null
cat > run.cjs <<'JS'
const { EventEmitter } = require('node:events');
const Module = require('node:module');
const load = Module._load;
let port;
class SerialPort extends EventEmitter { constructor() { super(); port = this; } }
Module._load = function (name, ...rest) {
  return name === 'serialport' ? { SerialPort, parsers: { readline: () => null } } : load.call(this, name, ...rest);
};
const frames = require('teleinfo').teleinfo('/dev/null');
const line = (label, value) => {
  const text = `${label} ${value}`;
  const sum = [...text].reduce((s, c) => s + c.charCodeAt(0), 0);
  return `${text} ${String.fromCharCode((sum & 63) + 32)}`;
};
let seen;
frames.on('tramedecodee', (frame) => { seen = frame; });
function lost(label, digits, from, to) {
  const missing = [];
  let spaces = 0;
  for (let value = from; value <= to; value++) {
    const text = line(label, String(value).padStart(digits, '0'));
    if (text.endsWith('  ')) spaces++;
    seen = undefined;
    port.emit('data', [line('ADCO', '000000000000'), text].join('\r\n'));
    if (seen[label] !== value) missing.push(value);
  }
  console.log(`${label} ${from} to ${to}: ${missing.length} of ${to - from + 1} missing (${missing.slice(0, 6).join(' ')}), ` +
    `${spaces} lines have a space for checksum`);
}
lost('IINST', 3, 0, 60);
lost('PAPP', 5, 0, 9999);
lost('BASE', 9, 12340000, 12349999);
lost('HCHC', 9, 12340000, 12349999);
lost('HCHP', 9, 12340000, 12349999);
JS
got=$(node run.cjs)
printf 'teleinfo 0.1.0\n%s\n' "$got"
want='IINST 0 to 60: 6 of 61 missing (9 18 27 36 45 54), 6 lines have a space for checksum
PAPP 0 to 9999: 0 of 10000 missing (), 0 lines have a space for checksum
BASE 12340000 to 12349999: 348 of 10000 missing (12340029 12340038 12340047 12340056 12340065 12340074), 348 lines have a space for checksum
HCHC 12340000 to 12349999: 633 of 10000 missing (12340079 12340088 12340097 12340169 12340178 12340187), 633 lines have a space for checksum
HCHP 12340000 to 12349999: 20 of 10000 missing (12340003 12340012 12340021 12340030 12340102 12340111), 20 lines have a space for checksum'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
