#!/usr/bin/env bash
# BACnet: node-bacnet sets the clocks of meters and controllers back by a month.
#
# One expects: timeSync(25 October 2026, 14:30) sets a device to that time, and the time
# that a device sends is read as it was sent. timeSyncUTC sends the time in UTC.
# What happens, where two meet: BACnet counts months from 1, JavaScript from 0, and
# node-bacnet puts the one into the other, both ways. The other side, @bacnet-js/client
# here, receives 25 September; 31 October becomes 31 September, and January month 0, no
# dates at all. What a device sends is read a month late: 31 October as 1 December. Two
# programs with node-bacnet understand each other, so tests pass. And timeSyncUTC of both
# libraries sends the local clock: from Paris, a device is put one or two hours ahead.
# For whom: energy meters, trend logs and tariff schedules in buildings, set or read from
# Node: a meter whose clock is off puts each quarter hour at the price of another.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts node-bacnet@0.2.4 @bacnet-js/client@3.3.2 >/dev/null
cat > run.cjs <<'JS'
const { createSocket } = require('node:dgram');
const NodeBacnet = require('node-bacnet'), BacnetJs = require('@bacnet-js/client').default;
const settings = (port) => ({ port, interface: '127.0.0.1', broadcastAddress: '127.0.0.1' });
const first = new NodeBacnet(settings(47911)), second = new BacnetJs(settings(47912)), wire = createSocket('udp4');
const text = (time) => time.toLocaleString('sv-SE').slice(0, 16);
const received = (client) => new Promise((done) => client.once('timeSync', ({ payload }) => done(text(payload.dateTime ?? payload.value))));
const bytes = () => new Promise((done) => wire.once('message', (message) => 
  done(`${[...message.subarray(-9, -5)].join(' ')}, ${[...message.subarray(-4)].join(' ')}`)));
const listening = (client) => new Promise((done) => client.once('listening', done));
(async () => {
  const ready = [listening(first), listening(second)];
  await new Promise((done) => wire.bind(47913, '127.0.0.1', done));
  await Promise.all(ready);
  const clients = { 'node-bacnet': [first, second, 47912], '@bacnet-js/client': [second, first, 47911] };
  for (const [name, [from, to, port]] of Object.entries(clients)) {
    for (const time of [new Date(2026, 9, 25, 14, 30), new Date(2026, 9, 31, 14, 30)]) {
      const answer = received(to);
      from.timeSync({ address: `127.0.0.1:${port}` }, time);
      console.log(`${name} sends ${text(time)}: the other reads ${await answer}`);
    }
  }
  for (const [name, [from]] of Object.entries(clients)) {
    let answer = bytes();
    from.timeSync({ address: '127.0.0.1:47913' }, new Date(2027, 0, 15, 14, 30));
    console.log(`${name} 15 January 2027 14:30, year month day weekday, hour minute second: ${await answer}`);
    answer = bytes();
    from.timeSyncUTC({ address: '127.0.0.1:47913' }, new Date(2027, 0, 15, 14, 30));
    console.log(`${name} the same by timeSyncUTC: ${await answer}`);
  }
  first.close();
  second.close();
  wire.close();
})();
JS
got=$(TZ=Europe/Paris timeout 50 node run.cjs)
printf 'node-bacnet 0.2.4, @bacnet-js/client 3.3.2\n%s\n' "$got"
want='node-bacnet sends 2026-10-25 14:30: the other reads 2026-09-25 14:30
node-bacnet sends 2026-10-31 14:30: the other reads 1900-01-01 14:30
@bacnet-js/client sends 2026-10-25 14:30: the other reads 2026-11-25 14:30
@bacnet-js/client sends 2026-10-31 14:30: the other reads 2026-12-01 14:30
node-bacnet 15 January 2027 14:30, year month day weekday, hour minute second: 127 0 15 5, 14 30 0 0
node-bacnet the same by timeSyncUTC: 127 0 15 5, 14 30 0 0
@bacnet-js/client 15 January 2027 14:30, year month day weekday, hour minute second: 127 1 15 5, 14 30 0 0
@bacnet-js/client the same by timeSyncUTC: 127 1 15 5, 14 30 0 0'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
