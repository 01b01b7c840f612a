#!/usr/bin/env bash
# entsoe-api-client: a price of 0 is no price, and its repeats get the price before.
#
# One expects: where an A44 document leaves a position out because its price is the
# one before (curveType A03), the reader repeats that price, 0 included.
# What happens: a price of 0 is left undefined, and the positions left out after it
# get the last price that was not 0. Sunday's two hours and a quarter at 0 EUR/MWh
# become one quarter without a price and eight at the morning's 38.4.
# For whom: whoever charges a battery or counts the hours at or below 0 EUR/MWh.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts entsoe-api-client@1.0.3 >/dev/null
cat > run.mjs <<'JS'
import { ParseDocument } from 'entsoe-api-client';
const interval = '<start>2026-06-07T10:00Z</start><end>2026-06-07T13:00Z</end>';
const points = [[1, 38.4], [2, 0], [11, 12.5]]; // 12:15 to 14:30 in Paris at 0
const document = `<?xml version="1.0" encoding="UTF-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
<mRID>example</mRID><revisionNumber>1</revisionNumber><type>A44</type><createdDateTime>2026-06-06T11:00:00Z</createdDateTime>
<period.timeInterval>${interval}</period.timeInterval>
<TimeSeries><mRID>1</mRID><auction.type>A01</auction.type><businessType>A62</businessType>
<in_Domain.mRID codingScheme="A01">10YFR-RTE------C</in_Domain.mRID><out_Domain.mRID codingScheme="A01">10YFR-RTE------C</out_Domain.mRID>
<currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A03</curveType>
<Period><timeInterval>${interval}</timeInterval><resolution>PT15M</resolution>
${points.map(([position, price]) => `<Point><position>${position}</position><price.amount>${price}</price.amount></Point>`).join('')}
</Period></TimeSeries></Publication_MarketDocument>`;
const read = ParseDocument(document).timeseries[0].periods[0].points.map((p) => p.price ?? 'none');
const published = Array.from({ length: 12 }, (_, i) => points.findLast(([position]) => position <= i + 1)[1]);
console.log(`published ${published.join(' ')}\nread      ${read.join(' ')}`);
JS
got=$(node run.mjs)
printf 'entsoe-api-client 1.0.3, twelve quarter hours, EUR/MWh\n%s\n' "$got"
want='published 38.4 0 0 0 0 0 0 0 0 0 12.5 12.5
read      38.4 none 38.4 38.4 38.4 38.4 38.4 38.4 38.4 38.4 12.5 12.5'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
