#!/usr/bin/env bash
# typed-ocpp: a charging limit for one connector deletes the limits of all others.
#
# One expects: SetChargingProfile of OCPP 1.6 replaces the profile of the same connector,
# purpose and stack level and leaves the others, so limits of two connectors, or of two
# stack levels, stand side by side.
# What happens: typed-ocpp's ChargingManager deletes every profile of the same purpose
# first. After 3 000 W for connector 1 and 4 000 W for connector 2 only the second is
# left, and connector 1 is given the manager's own 6 000 W. The profile that the manager
# makes of its schedule, to send on to a charger, has the same instant as start and end
# of validity (validFrom and validTo), so it never applies.
# For whom: operators of several sockets behind one fuse, and cars charged by price: the
# last limit set is the only one. The manual calls this class experimental.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts typed-ocpp@1.6.2 >/dev/null
cat > run.mjs <<'JS'
import { OCPP16, Models } from 'typed-ocpp';
const manager = new OCPP16.ChargingManager(), model = new Models.ACChargingStation(230);
const from = new Date('2026-10-26T10:00:00Z'), to = new Date('2026-10-26T11:00:00Z');
const most = (connector) => manager.getConnectorLimitsAtDate(from, connector, 'W', model, 3).charging.max;
const limits = () => `connector 1 ${most(1)} W, connector 2 ${most(2)} W`;
const limit = (connectorId, watts) => {
  const csChargingProfiles = {
    chargingProfileId: connectorId, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
    chargingSchedule: {
      startSchedule: '2026-10-26T00:00:00Z', duration: 86400, chargingRateUnit: 'W',
      chargingSchedulePeriod: [{ startPeriod: 0, limit: watts }],
    },
  };
  const call = [2, 'id', 'SetChargingProfile', { connectorId, csChargingProfiles }];
  if (!OCPP16.validateCall(call)) throw new Error(OCPP16.validateCall.errors.join());
  manager.setChargingProfile(call[3]);
};
console.log(`no limit: ${limits()}`);
limit(1, 3000);
console.log(`connector 1 to 3000 W: ${limits()}`);
limit(2, 4000);
console.log(`connector 2 to 4000 W: ${limits()}`);
const { validFrom, validTo } = manager.getConnectorCompositeProfile(from, to, 2, model, 3, false, {}).csChargingProfiles;
console.log(`profile for 10:00 to 11:00, valid ${validFrom.slice(11, 16)} to ${validTo.slice(11, 16)}`);
JS
got=$(node run.mjs)
printf 'typed-ocpp 1.6.2\n%s\n' "$got"
want='no limit: connector 1 6000 W, connector 2 6000 W
connector 1 to 3000 W: connector 1 3000 W, connector 2 6000 W
connector 2 to 4000 W: connector 1 6000 W, connector 2 4000 W
profile for 10:00 to 11:00, valid 10:00 to 10:00'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
