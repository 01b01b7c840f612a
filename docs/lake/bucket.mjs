// Compares the Parquet files of folders, read by DuckDB, with what Courant's API answers. See bucket.sh.
import fs from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [url, last, ...folders] = process.argv.slice(2);
const db = await (await DuckDBInstance.create()).connect();
await db.run("SET TimeZone = 'UTC'");
const all = async (sql) => (await db.runAndReadAll(sql)).getRowsJson();
let differences = 0;

for (const dataset of ['afrr-energy', 'day-ahead-prices', 'afrr-capacity']) {
  const headers = { Authorization: `Bearer ${process.env.API_TOKEN}` };
  const { keys, columns } = await (await fetch(`${url}/api/datasets/${dataset}`, { headers })).json();
  const numbers = columns.filter(({ type }) => type === 'number').map(({ name }) => name);
  const query = new URLSearchParams({
    from: '2026-01-01', to: new Date(Date.parse(last) + 86_400_000).toISOString().slice(0, 10), columns: numbers,
    resolution: 'PT1H', stat: 'sum,count', format: 'csv',
  });
  const answer = await fetch(`${url}/api/datasets/${dataset}/rows?${query}`, { headers });
  if (!answer.ok) throw new Error(`${dataset}: ${answer.status} ${await answer.text()}`);
  fs.writeFileSync('hours.csv', await answer.text());
  const stats = numbers.flatMap((name) => [`${name}_sum::DECIMAL(38, 6)`, `${name}_count::BIGINT`]);
  const courant = `SELECT ${['period_start_utc::TIMESTAMPTZ', ...keys, ...stats]} FROM read_csv('hours.csv', all_varchar = true)`;
  for (const folder of folders) {
    const rows = `read_parquet('${folder}/dataset=${dataset}/**/*.parquet', hive_partitioning = true, hive_types = {'year': INTEGER, 'month': INTEGER})`;
    const sums = numbers.flatMap((name) => [`sum(${name})::DECIMAL(38, 6)`, `count(${name})`]);
    const duckdb = `SELECT ${["time_bucket(INTERVAL 1 HOUR, period_start_utc)", ...keys, ...sums]} FROM ${rows} GROUP BY ALL`;
    const [[differ]] = await all(`SELECT count(*) FROM ((${courant} EXCEPT ${duckdb}) UNION ALL (${duckdb} EXCEPT ${courant}))`);
    const [[count]] = await all(`SELECT count(*) FROM ${rows}`);
    const days = await all(`SELECT day, count(DISTINCT hour) AS hours FROM (
      SELECT time_bucket(INTERVAL 1 HOUR, period_start_utc) AS hour, (timezone('Europe/Paris', period_start_utc))::DATE AS day FROM ${rows})
      GROUP BY day HAVING hours <> 24 ORDER BY day`);
    console.log(`${folder}, ${dataset}: ${count} rows, ${differ} hours differ, ${days.map(([day, hours]) => `${day} has ${hours} hours`)}`);
    differences += Number(differ);
  }
}
process.exit(differences > 0 ? 1 : 0);
