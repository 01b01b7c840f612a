// Reads the files that were brought down from a bucket with DuckDB: rows of each dataset, the hours of both clock-change days, and the revision.
import { DuckDBInstance } from '@duckdb/node-api'
import { readFileSync } from 'node:fs'

const folder = process.argv[2]
const expected = JSON.parse(readFileSync(`${folder}/rows.json`, 'utf8'))
const connection = await (await DuckDBInstance.create()).connect()
await connection.run("SET TimeZone = 'UTC'")
const ask = async (query) => (await connection.runAndReadAll(query)).getRowsJson()
let failed = 0
const compare = (what, got, want) => {
  const same = JSON.stringify(got) === JSON.stringify(want)
  if (!same) failed++
  console.log(same ? 'ok  ' : 'FAIL', what, JSON.stringify(got), same ? '' : `want ${JSON.stringify(want)}`)
}
for (const [dataset, rows] of Object.entries(expected)) {
  const files = `read_parquet('${folder}/dataset=${dataset}/**/*.parquet', hive_partitioning = true)`
  compare(`${dataset}: rows`, await ask(`SELECT count(*)::INT FROM ${files}`), [[rows]])
}
const prices = `read_parquet('${folder}/dataset=day-ahead-prices/**/*.parquet', hive_partitioning = true)`
compare('quarter hours of the clock-change days',
  await ask(`SELECT year::INT, month::INT, count(*)::INT, (epoch(max(period_end_utc)) - epoch(min(period_start_utc)))::INT / 3600 FROM ${prices} GROUP BY ALL ORDER BY ALL`),
  [[2026, 3, 92, 23], [2026, 10, 100, 25]])
compare('the revised month', await ask(`SELECT min(price_eur_mwh)::VARCHAR, max(price_eur_mwh)::VARCHAR FROM ${prices} WHERE month = 10`), [['3.000000', '102.000000']])
process.exit(failed ? 1 : 0)
