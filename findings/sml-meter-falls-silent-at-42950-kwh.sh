#!/usr/bin/env bash
# SML (German meters): at 42 949.68 kWh the meter falls silent, its power included.
#
# One expects: SML lets a meter leave out the leading bytes of a number (an Unsigned64 in
# 5 bytes is as good as in 8), so a reader takes every length from 1 to 8.
# What happens: smartmeter-obis, which reads with open-sml, takes unsigned numbers of 1 to
# 4 and of 8 bytes and signed ones of 1 to 5 and of 8. At any other length it does not
# step over the number, and reads what follows as something else: the telegram is an
# error and all its values are lost. A meter that counts hundredths of a Wh and sends no
# more bytes than needed passes from 4 to 5 at 42 949.67 kWh, after ten years of 4 300 kWh;
# one that counts tenths, at 429 496.7 kWh.
# For whom: whoever reads a meter with Node-RED or ioBroker, to price the consumption of
# each quarter hour or to steer by its power. It looks like a broken meter or cable.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts smartmeter-obis@4.0.0 open-sml@1.0.4 >/dev/null
cat > read.cjs <<'JS'
const Sml = require('smartmeter-obis/lib/protocols/SmlProtocol.js');
function checksum(bytes) { // CRC-16/X-25, low byte first
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  }
  return [~crc & 0xff, (~crc >>> 8) & 0xff];
}
const hex = (text) => [...Buffer.from(text, 'hex')], none = [0x01];
const octets = (text) => [text.length / 2 + 1, ...hex(text)];
function number(type, length, value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return [(type << 4) | (length + 1), ...bytes.subarray(8 - length)];
}
const unsigned = (length, value) => number(6, length, value), signed = (length, value) => number(5, length, value);
const list = (...items) => [0x70 | items.length, ...items.flat()];
function message(id, tag, body) {
  const start = [0x76, ...octets(id), ...unsigned(1, 0), ...unsigned(1, 0), ...list(unsigned(4, tag), body)];
  return [...start, 0x63, ...checksum(start), 0x00];
}
const entry = (obis, unit, scaler, value) => list(octets(obis), none, none, unsigned(1, unit), signed(1, scaler), value, none);
function telegram(index) { // energy in 0.01 Wh, and power: 350 W fed in
  const server = octets('0a010000000000000001');
  const values = list(entry('0100010800ff', 30, -2, index), entry('0100100700ff', 27, 0, signed(2, -350)));
  const bytes = [...hex('1b1b1b1b01010101'),
    ...message('0001', 0x0101, list(none, none, octets('000000000001'), server, none, none)),
    ...message('0002', 0x0701, list(none, server, octets('0100620affff'), none, values, none, none)),
    ...message('0003', 0x0201, list(none))];
  const filler = (4 - (bytes.length % 4)) % 4;
  bytes.push(...Array(filler).fill(0), ...hex('1b1b1b1b1a'), filler);
  return Buffer.from([...bytes, ...checksum(bytes)]);
}
function read(index) {
  let text = 'nothing';
  new Sml({ debug: 0, logger() {} }, (error, values) => {
    text = error ? error.message.split(':')[0] : Object.values(values).map((value) => value.valueToString()).join(', ');
  }).handleMessage(telegram(index));
  return text;
}
for (const [length, value] of [[4, 2 ** 32 - 1], [5, 2 ** 32], [8, 2 ** 32]]) {
  console.log(`unsigned, ${length} bytes, ${value}: ${read(unsigned(length, value))}`);
}
const lengths = [1, 2, 3, 4, 5, 6, 7, 8], readable = (kind) => lengths.filter((length) => !read(kind(length, 100)).startsWith('Error')).join(' ');
console.log(`lengths read: unsigned ${readable(unsigned)}, signed ${readable(signed)}`);
JS
got=$(node read.cjs)
printf 'smartmeter-obis 4.0.0, open-sml 1.0.4\n%s\n' "$got"
want='unsigned, 4 bytes, 4294967295: 42949.67295 kWh, -350 W
unsigned, 5 bytes, 4294967296: Error while parsing SML message
unsigned, 8 bytes, 4294967296: 42949.67296 kWh, -350 W
lengths read: unsigned 1 2 3 4 8, signed 1 2 3 4 5 8'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
