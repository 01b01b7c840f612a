// Measures exports. The current folder contains the program courant and its database with a year of 4 s rows; see run.sh.
import fs from 'node:fs';
import { spawn, execFileSync } from 'node:child_process';
import { DuckDBInstance } from '@duckdb/node-api';

const [months, rounds] = process.argv.slice(2).map(Number);
const first = '2025-01-01';
const [last, end] = [0, 1].map((day) => new Date(Date.UTC(2025, months, day)).toISOString().slice(0, 10));

// A served Courant, and one account with a token.
const env = {
  ...process.env, COURANT_INGEST_ENABLED: 'false', COURANT_LOG_LEVEL: 'info', COURANT_LOG_FORMAT: 'json',
  COURANT_SERVER_ADDR: '127.0.0.1:0', COURANT_API_RATE_LIMIT_PER_MINUTE: '1000000',
  COURANT_RTE_CLIENT_ID: 'none', COURANT_RTE_CLIENT_SECRET: 'none',
  COURANT_ENTSOE_SECURITY_TOKEN: '00000000-0000-4000-8000-000000000000',
};
const password = 'a phrase of four words';
const courant = (...args) => execFileSync('./courant', args, { env, input: password, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
courant('user', 'add', 'reader@courant.example', '--admin', '--password-stdin');
const token = courant('token', 'create', 'reader@courant.example', '--name', 'history').trim();
const server = spawn('./courant', ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
process.on('exit', () => server.kill());
const address = await new Promise((resolve, reject) => {
  let log = '';
  const read = (text) => {
    log += text;
    const serving = /"msg":"serving","address":"([^"]+)"/.exec(log);
    if (serving) resolve(serving[1]);
  };
  server.stdout.on('data', read);
  server.stderr.on('data', read);
  server.on('exit', () => reject(new Error(log)));
});
const get = (file, query) => execFileSync('curl', ['-sSf', '-o', file, '-H', `Authorization: Bearer ${token}`,
  `${address}/api/datasets/afrr-energy/rows?from=${first}&to=${end}&${query}`]);
for (let tries = 100; ; tries--) { // 503 until the server is ready
  try {
    get('year.csv', 'format=csv');
    break;
  } catch (fault) {
    if (tries === 0) throw fault;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

// The same rows in DuckDB, in memory, and in a plain table of SQLite.
const db = await (await DuckDBInstance.create()).connect();
const all = async (sql) => (await db.runAndReadAll(sql)).getRows();
await db.run("SET TimeZone = 'UTC'");
const number = 'DECIMAL(18,6)';
const types = {
  period_start_utc: 'TIMESTAMPTZ', period_end_utc: 'TIMESTAMPTZ', upward_price_eur_mwh: number, downward_price_eur_mwh: number,
  pdemand_mw: number, afrr_for_france_mw: number, afrr_in_france_mw: number, picasso_connection: 'BOOLEAN', prorata_mode: 'BOOLEAN',
};
const columns = Object.entries(types).map((column) => column.join(' ')).join();
const csv = (file) => `read_csv('${file}', header = true, columns = ${JSON.stringify(types).replaceAll('"', "'")})`;
await db.run(`CREATE TABLE year (${columns}); INSERT INTO year FROM ${csv('year.csv')}`);
const [[count]] = await all('SELECT count(*)::INTEGER FROM year');
const sqliteColumns = columns.replaceAll('TIMESTAMPTZ', 'TEXT').replaceAll(number, 'REAL').replaceAll('BOOLEAN', 'INTEGER');
execFileSync('sqlite3', ['plain.db', 'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF', `CREATE TABLE year (${sqliteColumns})`,
  '.mode csv', '.import --skip 1 year.csv year',
  "UPDATE year SET picasso_connection = picasso_connection = 'true', prorata_mode = prorata_mode = 'true'"]);

// hourly is DuckDB's query for what Courant gives with resolution=PT1H.
const prices = ['upward_price_eur_mwh', 'downward_price_eur_mwh'];
const hourly = (file) => `SELECT time_bucket(INTERVAL 1 HOUR, period_start_utc) AS hour, hour + INTERVAL 1 HOUR,
  ${prices.map((price) => `round(avg(${price}), 6), min(${price}), max(${price})`).join()} FROM '${file}' GROUP BY ALL ORDER BY 1`;

const answer = (file, query) => ({ by: 'Courant over HTTP', file: `courant.${file}`, run: (to) => get(to, query) });
const copy = (file, from, options, by = 'DuckDB') => (
  { by, file: `duckdb.${file}`, run: (to) => db.run(`COPY ${from} TO '${to}' (${options})`) });
const lake = {
  by: '`courant export`', file: 'lake',
  run: (to) => courant('export', 'afrr-energy', '--from', first, '--to', last, '--format', 'parquet', '--out', to),
};
const sqlite = {
  by: '`sqlite3 -csv`', file: 'sqlite3.csv',
  run: (to) => execFileSync('sqlite3', ['-csv', '-header', 'plain.db', `.output ${to}`, 'SELECT * FROM year']),
};
// The first of each task is compared with the others.
const tasks = [
  { what: 'CSV', engines: [answer('csv', 'format=csv'), sqlite, copy('csv', 'year', 'FORMAT csv')] },
  {
    what: 'Parquet',
    engines: [
      lake,
      answer('parquet', 'format=parquet'),
      copy('parquet', 'year', 'FORMAT parquet, COMPRESSION zstd'),
      copy('v2.parquet', 'year', 'FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2', 'DuckDB, `PARQUET_VERSION v2`'),
    ],
  },
  {
    what: 'hourly mean, min, max of two prices',
    engines: [
      answer('hourly.csv', `format=csv&resolution=PT1H&stat=mean,min,max&columns=${prices}`),
      copy('hourly.csv', `(${hourly('duckdb.parquet')})`, 'FORMAT csv', 'DuckDB, from its Parquet'),
      copy('hourly2.csv', `(${hourly('courant.parquet')})`, 'FORMAT csv', "DuckDB, from Courant's Parquet"),
    ],
  },
];

// bytesOf is the size of a file, or of all files in a folder.
function bytesOf(path) {
  const file = fs.statSync(path);
  return file.isDirectory() ? fs.readdirSync(path).reduce((sum, name) => sum + bytesOf(`${path}/${name}`), 0) : file.size;
}

// sameRows fails unless tables or files have the same rows in the same order.
async function sameRows(...sources) {
  const hashes = await Promise.all(sources.map((from) => all(
    `SELECT count(*)::VARCHAR, sum(hash(r, n))::VARCHAR FROM (SELECT r, row_number() OVER () AS n FROM ${from} AS r)`)));
  if (new Set(hashes.map(String)).size !== 1) throw new Error(`${sources} differ: ${hashes}`);
}

async function check() {
  await sameRows('year', csv('courant.csv'), csv('duckdb.csv'), csv('sqlite3.csv'), "'courant.parquet'", "'duckdb.parquet'",
    "read_parquet('lake/**/*.parquet', hive_partitioning = false)");
  const means = (file) => `read_csv('${file}.hourly.csv', skip = 1, header = false, columns = {
    'start': 'TIMESTAMPTZ', 'end': 'TIMESTAMPTZ', ${[...'abcdef'].map((column) => `'${column}': '${number}'`)}})`;
  await sameRows(means('courant'), means('duckdb'));
}

for (let round = 0; round < rounds; round++) {
  for (const { what, engines } of tasks) {
    for (let turn = 0; turn < engines.length; turn++) {
      const engine = engines[(turn + round) % engines.length];
      fs.rmSync(engine.file, { force: true, recursive: true });
      const begun = performance.now();
      await engine.run(engine.file);
      (engine.seconds ??= []).push((performance.now() - begun) / 1000);
      engine.bytes = bytesOf(engine.file);
      console.error(`round ${round + 1} of ${rounds}: ${what}, ${engine.by}: ${engine.seconds.at(-1).toFixed(2)} s`);
    }
  }
  if (round === 0) await check();
}
server.kill();

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const spread = (values) => `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
const load = fs.readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
const sqliteVersion = execFileSync('sqlite3', ['--version'], { encoding: 'utf8' }).split(' ')[0];
const [[duckVersion]] = await all('SELECT version()');
console.log(`${count} rows, ${rounds} rounds, sqlite3 ${sqliteVersion}, DuckDB ${duckVersion}, load at the end ${load}\n`);
console.log('| rows as | by | s | bytes a row | s, Courant : it | bytes, Courant : it |');
console.log('| --- | --- | ---: | ---: | ---: | ---: |');
for (const { what, engines: [courants, ...others] } of tasks) {
  console.log(`| ${what} | ${courants.by} | ${spread(courants.seconds)} | ${(courants.bytes / count).toFixed(2)} | | |`);
  for (const { by, seconds, bytes } of others) {
    const ratios = courants.seconds.map((time, round) => time / seconds[round]);
    const size = (courants.bytes / bytes).toFixed(2);
    console.log(`| | ${by} | ${spread(seconds)} | ${(bytes / count).toFixed(2)} | ${spread(ratios)} | ${size} |`);
  }
}
process.exit();
