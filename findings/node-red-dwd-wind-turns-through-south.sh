#!/usr/bin/env bash
# Node-RED DWD forecast: a wind that stays in the north comes from the south in between.
#
# One expects: between a forecast of 350 degrees at 3:00 and of 10 degrees at 4:00 the
# wind at 3:30 comes from 0 degrees (north); and Rad1h, which the German weather service
# defines as the radiation of the past hour, is at 5:30 that of the hour that runs.
# What happens: each element is interpolated along a line, as if it were a plain value of
# the moment. The direction goes from 350 down through 265, 180 (south) and 95 to 10. And
# the hour from 5:00 to 6:00, with 720 kJ/m2, is given as 360 at its start and 540 in its
# middle; 720 is reached when it is over: the solar forecast runs half an hour late, low
# in the morning and high in the evening. Asked for as >Rad1h it is right.
# For whom: forecasts of wind and solar power beside prices, and batteries that wait for
# the sun, in Node-RED.
# (The node runs here on stand-ins for Node-RED and for the download.)
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts node-red-contrib-dwd-local-weather@1.0.5 >/dev/null
cat > run.cjs <<'JS'
const { PassThrough } = require('node:stream');
const replace = (name, exports) => { require.cache[require.resolve(name)] = { id: name, loaded: true, exports }; };
const hours = [3, 4, 5, 6].map((hour) => new Date(Date.UTC(2027, 5, 10, hour)).toISOString());
const elements = {
  TTT: [283, 284, 285, 286], Td: [280, 280, 280, 280], FF: [5, 5, 5, 5], DD: [350, 10, 10, 10],
  wwP: [0, 0, 0, 0], RR1c: [0, 0, 0, 0], Rad1h: [0, 0, 360, 720],
};
const document = `<kml:kml><kml:Placemark>${hours.map((hour) => `<dwd:TimeStep>${hour}</dwd:TimeStep>`).join('')}
${Object.entries(elements).map(([name, values]) => `<dwd:Forecast dwd:elementName="${name}">
<dwd:value>${values.join(' ')}</dwd:value></dwd:Forecast>`).join('')}
</kml:Placemark></kml:kml>`;
replace('axios', async () => ({ data: new PassThrough().end(document) }));
replace('unzipper', { ParseOne: () => new PassThrough() });
const RealDate = Date;
let clock;
globalThis.Date = class extends RealDate { constructor(...args) { if (args.length) super(...args); else super(clock); } };

const ask = (hour, minute, field) => new Promise((done) => {
  clock = RealDate.UTC(2027, 5, 10, hour, minute);
  const node = { on(name, handler) { this[name] = handler; }, status() {}, emit() {}, warn: done, send: ({ payload }) => done(payload) };
  require('node-red-contrib-dwd-local-weather/dwdweather.js')({
    _: String,
    nodes: {
      createNode() {},
      registerType: (_, constructor) => constructor.call(node, {
        mosmixStation: `${hour} ${minute} ${field}`, lookAheadHours: 0, additionalFields: field, omitMessageOnStart: true,
      }),
    },
  });
  node.input({});
});
(async () => {
  const time = (hour, minute) => `${hour}:${String(minute).padStart(2, '0')}`;
  for (const minute of [0, 15, 30, 45]) {
    console.log(`${time(3, minute)}: wind from ${(await ask(3, minute, '')).winddirection}`);
  }
  for (const minute of [0, 30, 59]) {
    const plain = await ask(5, minute, 'Rad1h'), next = await ask(5, minute, '>Rad1h');
    console.log(`${time(5, minute)}: Rad1h ${plain.Rad1h}, >Rad1h ${next.Rad1h}`);
  }
})();
JS
got=$(node run.cjs)
printf 'node-red-contrib-dwd-local-weather 1.0.5\n%s\n' "$got"
want='3:00: wind from 350
3:15: wind from 265
3:30: wind from 180
3:45: wind from 95
5:00: Rad1h 360, >Rad1h 720
5:30: Rad1h 540, >Rad1h 720
5:59: Rad1h 714, >Rad1h 720'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
