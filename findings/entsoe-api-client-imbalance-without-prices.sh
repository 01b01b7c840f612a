#!/usr/bin/env bash
# entsoe-api-client: imbalance prices come without a price.
#
# One expects: the reader, which knows A85 as "Imbalance prices" and reads the
# Balancing_MarketDocument it comes in, gives each price and its category: A04 for a
# party in surplus, A05 for one in deficit.
# What happens: the points have a position, a start and an end, and neither the price
# nor the category. No error says so: only quantity and price.amount are read, and
# in these documents the element is imbalance_Price.amount.
# For whom: programs that settle imbalances or put them beside day-ahead prices.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts entsoe-api-client@1.0.3 >/dev/null
cat > run.mjs <<'JS'
import { ParseDocument } from 'entsoe-api-client';
const interval = '<start>2026-06-07T10:00Z</start><end>2026-06-07T10:45Z</end>';
const prices = [[48.1, 42.7, -31.2], [53.3, 47.4, -28.2]]; // surplus, deficit
const document = `<?xml version="1.0" encoding="UTF-8"?>
<Balancing_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:balancingdocument:4:1">
<mRID>example</mRID><revisionNumber>1</revisionNumber><type>A85</type><process.processType>A16</process.processType>
<createdDateTime>2026-06-08T11:00:00Z</createdDateTime>
<area_Domain.mRID codingScheme="A01">10YFR-RTE------C</area_Domain.mRID><period.timeInterval>${interval}</period.timeInterval>
${['A04', 'A05'].map((category, of) => `<TimeSeries><mRID>${of + 1}</mRID><businessType>A19</businessType>
<currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A01</curveType>
<Period><timeInterval>${interval}</timeInterval><resolution>PT15M</resolution>
${prices[of].map((price, i) => `<Point><position>${i + 1}</position><imbalance_Price.amount>${price}</imbalance_Price.amount>
<imbalance_Price.category>${category}</imbalance_Price.category></Point>`).join('')}
</Period></TimeSeries>`).join('')}</Balancing_MarketDocument>`;
const read = ParseDocument(document);
console.log(read.documentTypeDescription);
for (const series of read.timeseries)
  for (const { startDate, endDate, ...rest } of series.periods[0].points)
    console.log(`${startDate.toISOString().slice(11, 16)} to ${endDate.toISOString().slice(11, 16)} ${JSON.stringify(rest)}`);
JS
got=$(node run.mjs)
printf 'entsoe-api-client 1.0.3, three quarter hours with two prices each\n%s\n' "$got"
want='Imbalance prices
10:00 to 10:15 {"position":1}
10:15 to 10:30 {"position":2}
10:30 to 10:45 {"position":3}
10:00 to 10:15 {"position":1}
10:15 to 10:30 {"position":2}
10:30 to 10:45 {"position":3}'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
