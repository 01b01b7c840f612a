#!/usr/bin/env bash
# Node-RED bar-chart-data: the highest price of a negative hour is 0, and a counter that
# starts at 0 loses its first energy.
#
# One expects: the node, set to the maximum of each hour, gives the highest price fed in;
# set to meter readings, it gives the differences between readings, and their sum is the
# last reading less the first.
# What happens: the first value of each hour is compared with null, which JavaScript
# counts as 0, so an hour at -42.10, -3.20 and -12 has the maximum 0 (the minimum is
# right). And a reading of 0 is taken for no reading at all: after 0, 1.2, 2 and 2.5 kWh
# the sum is 1.3, not 2.5. Inverters that count the day's yield begin at 0 each
# morning, so each day lacks what came between the 0 and the next reading.
# For whom: dashboards of spot prices, and of a household's use and solar yield, in
# Node-RED. (The node runs here on a stand-in for Node-RED.)
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts node-red-contrib-dashboard-bar-chart-data@0.9.94 >/dev/null
cat > run.cjs <<'JS'
function feed(config, payloads) {
  const store = new Map(), node = {
    on(_, handler) { this.input = handler; },
    context: () => ({ get: (key) => store.get(key), set: (key, value) => store.set(key, value) }),
    send(message) { this.sent = message; },
    warn: console.error,
  };
  require('node-red-contrib-dashboard-bar-chart-data/bar-chart-data.js')({
    nodes: {
      createNode() {},
      registerType: (_, constructor) => constructor.call(node, { x_interval: 'hours', x_size: 2, ...config }),
    },
  });
  payloads.forEach((payload, i) => node.input({ topic: 'value', payload, ts: Date.UTC(2027, 3, 11, 12, 15 * i) }));
  return node.sent.payload[0].data[0].at(-1);
}
for (const prices of [[3.2, 42.1, 12], [-42.1, -3.2, -12]]) {
  const by = (agg_by) => feed({ agg_by }, prices);
  console.log(`prices ${prices.join(', ')}: minimum ${by('min')}, maximum ${by('max')}, mean ${by('avg')}`);
}
for (const readings of [[10, 11.2, 12, 12.5], [0, 1.2, 2, 2.5]])
  console.log(`readings ${readings.join(', ')} kWh: sum ${feed({ is_meter_reading: 'True' }, readings)}`);
JS
got=$(node run.cjs)
printf 'node-red-contrib-dashboard-bar-chart-data 0.9.94\n%s\n' "$got"
want='prices 3.2, 42.1, 12: minimum 3.2, maximum 42.1, mean 19.1
prices -42.1, -3.2, -12: minimum -42.1, maximum 0, mean -19.1
readings 10, 11.2, 12, 12.5 kWh: sum 2.5
readings 0, 1.2, 2, 2.5 kWh: sum 1.3'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
