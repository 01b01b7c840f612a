#!/usr/bin/env bash
# entsoe-api-client: days of 24 hours through the clock change, no weeks or years.
#
# One expects: a reader of ENTSO-E documents knows the resolutions the platform
# uses: P1D (week-ahead load), P7D (month-ahead load), P1Y (installed capacity),
# and a P1D series starts each day at midnight local time.
# What happens: P1D is 86 400 s. In the series of 24 to 26 October 2026 the third
# day begins at 22:00Z, which is 23:00 on Sunday in Paris, and the last value
# covers 25 hours in place of Sunday's; P7D and P1Y documents raise an error.
# The next period that starts after the change is right again.
# For whom: programs that put load forecasts or capacities beside prices.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts entsoe-api-client@1.0.3 >/dev/null
cat > run.mjs <<'JS'
import { ParseDocument } from 'entsoe-api-client';
const load = (resolution, start, end, values) => `<?xml version="1.0" encoding="UTF-8"?>
<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">
<mRID>example</mRID><revisionNumber>1</revisionNumber><type>A65</type><process.processType>A31</process.processType>
<createdDateTime>2026-10-16T08:00:00Z</createdDateTime>
<time_Period.timeInterval><start>${start}</start><end>${end}</end></time_Period.timeInterval>
<TimeSeries><mRID>1</mRID><businessType>A60</businessType><objectAggregation>A01</objectAggregation>
<outBiddingZone_Domain.mRID codingScheme="A01">10YFR-RTE------C</outBiddingZone_Domain.mRID>
<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A01</curveType>
<Period><timeInterval><start>${start}</start><end>${end}</end></timeInterval><resolution>${resolution}</resolution>
${values.map((v, i) => `<Point><position>${i + 1}</position><quantity>${v}</quantity></Point>`).join('')}
</Period></TimeSeries></GL_MarketDocument>`;
for (const [resolution, start, end, values] of [
  ['P1D', '2026-10-23T22:00Z', '2026-10-26T23:00Z', [40000, 41000, 42000]],
  ['P7D', '2026-10-18T22:00Z', '2026-11-01T23:00Z', [50000, 51000]],
  ['P1Y', '2025-12-31T23:00Z', '2026-12-31T23:00Z', [60000]],
]) {
  try {
    for (const p of ParseDocument(load(resolution, start, end, values)).timeseries[0].periods[0].points)
      console.log(`${resolution} ${p.quantity}: ${p.startDate.toISOString().slice(0, 16)}Z to ${p.endDate.toISOString().slice(0, 16)}Z`);
  } catch (error) {
    console.log(`${resolution}: ${error.message}`);
  }
}
JS
got=$(node run.mjs)
printf 'entsoe-api-client 1.0.3\n%s\n' "$got"
want="P1D 40000: 2026-10-23T22:00Z to 2026-10-24T22:00Z
P1D 41000: 2026-10-24T22:00Z to 2026-10-25T22:00Z
P1D 42000: 2026-10-25T22:00Z to 2026-10-26T23:00Z
P7D: Could not parse ISO8601 duration string 'P7D'
P1Y: Could not parse ISO8601 duration string 'P1Y'"
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
