#!/usr/bin/env bash
# A negative price drawn by d3-format is read as a positive one by Numeral.
#
# One expects: the text of a price made by one library for the page is read
# back by another with its sign, or refused.
# What happens, where two meet: d3-format writes the typographic minus U+2212,
# also in its fr-FR locale. Numeral, taught the French comma, drops the sign it
# does not know: "−12,50" is 12.5. numbro gives undefined and Number() NaN;
# only the sign is lost by Numeral, which otherwise understands spaces and commas.
# For whom: pages whose table cells, tooltips or copied cells are read again
# (sorting, totals, tests): the hours of negative prices, and they alone, count
# with the wrong sign. Give formatLocale a `minus: "-"`.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts d3-format@3.1.0 numeral@2.0.6 numbro@2.5.0 >/dev/null
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { formatLocale } from 'd3-format';
const require = createRequire(import.meta.url);
const french = JSON.parse(readFileSync('node_modules/d3-format/locale/fr-FR.json', 'utf8'));
const numeral = require('numeral'), numbro = require('numbro');
numeral.register('locale', 'fr', { delimiters: { thousands: ' ', decimal: ',' }, abbreviations: {}, ordinal: () => '', currency: { symbol: '€' } });
numeral.locale('fr');
numbro.registerLanguage(require('numbro/dist/languages.min.js')['fr-FR']);
numbro.setLanguage('fr-FR');
for (const [name, locale] of [['fr-FR', french], ['fr-FR with minus "-"', { ...french, minus: '-' }]]) {
  const format = formatLocale(locale).format('.2f');
  for (const price of [12.5, -12.5, -0.01, 0]) {
    const text = format(price);
    console.log(`${name}: ${price} drawn with U+${text.codePointAt(0).toString(16).padStart(4, '0')} first: ` +
      `Numeral ${numeral(text).value()}, numbro ${numbro.unformat(text)}`);
  }
}
JS
got=$(node run.mjs)
printf 'd3-format 3.1.0, numeral 2.0.6, numbro 2.5.0\n%s\n' "$got"
want='fr-FR: 12.5 drawn with U+0031 first: Numeral 12.5, numbro 12.5
fr-FR: -12.5 drawn with U+2212 first: Numeral 12.5, numbro undefined
fr-FR: -0.01 drawn with U+2212 first: Numeral 0.01, numbro undefined
fr-FR: 0 drawn with U+0030 first: Numeral 0, numbro 0
fr-FR with minus "-": 12.5 drawn with U+0031 first: Numeral 12.5, numbro 12.5
fr-FR with minus "-": -12.5 drawn with U+002d first: Numeral -12.5, numbro -12.5
fr-FR with minus "-": -0.01 drawn with U+002d first: Numeral -0.01, numbro -0.01
fr-FR with minus "-": 0 drawn with U+0030 first: Numeral 0, numbro 0'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
