#!/usr/bin/env bash
# ocpp-ts: a charging limit of 0.1 A steps is refused for every third value.
#
# One expects: OCPP 1.6 gives the limit of a charging profile in steps of 0.1
# ("multipleOf": 0.1 in its JSON schema), so 16.1 A and 2.3 A are as good as 16 A.
# What happens: ocpp-ts checks each call with Ajv 6, which divides in binary
# floating point and wants a whole number: 102 of the 321 limits from 0.0 to
# 32.0 A come back as FormationViolation and never reach the charger. ocpp-rpc,
# asked the same, refuses none, for it compares with a tolerance.
# For whom: whoever steers cars by price or by the surplus of solar panels:
# limits computed to a tenth of an ampere fail now and then, whole ones never,
# so tests with 6, 10, 16 and 32 A pass. Send whole amperes, or watts.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts ocpp-ts@0.3.0 ocpp-rpc@2.2.1 >/dev/null
cat > run.cjs <<'JS'
const { OcppServer, OcppClient } = require('ocpp-ts');
const { RPCServer, RPCClient } = require('ocpp-rpc');
const profile = (limit) => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
  },
});
const freePort = () => new Promise((done) => {
  const s = require('node:net').createServer().listen(0, '127.0.0.1', () => {
    const { port } = s.address();
    s.close(() => done(port));
  });
});
async function refused(call) {
  const limits = [];
  let why;
  for (let tenth = 0; tenth <= 320; tenth++) {
    try { await call(profile(tenth / 10)); } catch (e) { limits.push(tenth / 10); why ??= e.code; }
  }
  return `${limits.length} of 321 refused${limits.length ? ` (${why}): ${limits.slice(0, 12).join(' ')} ...` : ''}`;
}
(async () => {
  let port = await freePort();
  const central = new OcppServer();
  central.on('authorization', (id, req, done) => done());
  central.listen(port);
  const charger = new OcppClient('CP1');
  charger.on('error', () => {});
  charger.on('SetChargingProfile', (request, answer) => answer({ status: 'Accepted' }));
  const connection = new Promise((done) => central.on('connection', done));
  charger.connect(`ws://127.0.0.1:${port}/`);
  const peer = await connection;
  console.log('ocpp-ts  0.3.0:', await refused((p) => peer.callRequest('SetChargingProfile', p)));

  port = await freePort();
  const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });
  const peer2 = new Promise((done) => server.on('client', done));
  await server.listen(port, '127.0.0.1');
  const client = new RPCClient({ endpoint: `ws://127.0.0.1:${port}`, identity: 'CP2', protocols: ['ocpp1.6'], strictMode: true });
  client.handle('SetChargingProfile', () => ({ status: 'Accepted' }));
  await client.connect();
  const other = await peer2;
  console.log('ocpp-rpc 2.2.1:', await refused((p) => other.call('SetChargingProfile', p)));
  process.exit(0);
})();
JS
got=$(node run.cjs)
printf '%s\n' "$got"
want='ocpp-ts  0.3.0: 102 of 321 refused (FormationViolation): 0.3 0.6 0.7 1.2 1.4 1.9 2.3 2.4 2.8 2.9 3.3 3.8 ...
ocpp-rpc 2.2.1: 0 of 321 refused'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
