// Reads the price feeds of a running demo, and documents of clock-change days, with npm's entsoe-api-client and Node-RED.
//   node check.mjs DOCUMENTS DEMO.TXT
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { ParseDocument, QueryPublication } from "entsoe-api-client";

let failed = false;
function report(what, good, more = "") {
  failed ||= !good;
  console.log(`${good ? "ok    " : "FAILED"} ${what}${more ? `: ${more}` : ""}`);
}
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(what, look) {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look();
    if (found) return found;
    await pause(200);
  }
  throw new Error(`${what} did not come`);
}

// entsoe-api-client leaves out a price of exactly 0; every other price has to be there.
function same(timeseries, expected) {
  const found = new Map();
  for (const { periods } of timeseries) {
    for (const { points } of periods) for (const p of points) found.set(p.startDate.getTime() / 1000, p.price ?? 0);
  }
  const wrong = Object.entries(expected).filter(([start, price]) => found.get(Number(start)) !== Number(price));
  return found.size === Object.keys(expected).length && wrong.length === 0;
}

const [documents, demo] = process.argv.slice(2);
for (const name of readdirSync(documents).filter((n) => n.endsWith(".xml"))) {
  const expected = JSON.parse(readFileSync(`${documents}/${name.replace(".xml", ".json")}`, "utf8"));
  const read = ParseDocument(readFileSync(`${documents}/${name}`, "utf8"));
  report(`entsoe-api-client, ${name}`, same(read.timeseries, expected), `${Object.keys(expected).length} quarter hours`);
}

const [, address, email, password] = await until("the demo", () =>
  readFileSync(demo, "utf8").match(/address +(\S+)\s+login +(\S+)\s+password +(\S+)/));
const form = (path, fields, cookie = "") => fetch(address + path, {
  method: "POST", redirect: "manual", body: new URLSearchParams(fields), headers: { cookie },
});
const cookie = (await form("/login", { email, password })).headers.get("set-cookie").split(";")[0];
await form("/docs/tokens", { name: "other programs", feeds: "1" }, cookie);
const page = await (await fetch(`${address}/docs/tokens`, { headers: { cookie } })).text();
const token = page.match(/token=(crt_\w{40,})/)[1];
const ask = async (path) => (await fetch(`${address}${path}${path.includes("?") ? "&" : "?"}token=${token}`)).json();

const rates = await until("prices", async () => {
  const list = await ask("/api/feeds/evcc");
  return list.length > 0 && list;
});
report("evcc's feed", rates.every((r) => Date.parse(r.end) - Date.parse(r.start) === 900_000 && typeof r.value === "number"), `${rates.length} rates`);
const emhass = await ask("/api/feeds/emhass");
report("EMHASS's feed", Object.entries(emhass).every(([start, v]) => /^\d{4}-\d\d-\d\d \d\d:\d\d:00\+00:00$/.test(start) && typeof v === "number"));
const charts = await ask("/price?bzn=FR");
report("Energy-Charts' shape", charts.unix_seconds.length === charts.price.length && charts.price.every(Number.isFinite));

// The client's address is fixed, so its requests are sent elsewhere here.
const send = globalThis.fetch;
globalThis.fetch = (url, ...rest) => send(String(url).replace("https://web-api.tp.entsoe.eu/api", `${address}/entsoe/api`), ...rest);
const query = (more) => QueryPublication(token, {
  documentType: "A44", inDomain: "10YFR-RTE------C", outDomain: "10YFR-RTE------C", contractMarketAgreementType: "A01",
  startDateTime: new Date(charts.unix_seconds[0] * 1000), endDateTime: new Date((charts.unix_seconds.at(-1) + 900) * 1000), ...more,
});
const [published] = await query({});
const expected = Object.fromEntries(charts.unix_seconds.map((start, i) => [start, charts.price[i]]));
report("entsoe-api-client, over HTTP", same(published.timeseries, expected), `${charts.price.length} quarter hours`);
const refusal = await query({ offset: 100 }).then(() => "", (error) => error.message);
report("entsoe-api-client, offset beyond the end", refusal.includes("No matching data found"), refusal);
globalThis.fetch = send;

mkdirSync("node-red");
const flow = JSON.parse(readFileSync("node-red-flow.json", "utf8").replace("COURANT_URL", address).replace("COURANT_TOKEN", token));
flow.find((node) => node.id === "courant-prices").wires = [["result"]];
flow.push({ id: "result", type: "file", z: "courant-tab", filename: `${process.cwd()}/node-red/result.json`, filenameType: "str", overwriteFile: "true", wires: [[]] });
writeFileSync("node-red/flows.json", JSON.stringify(flow));
writeFileSync("node-red/settings.js", "module.exports = {flowFile: 'flows.json', uiPort: 0, uiHost: '127.0.0.1', httpAdminRoot: false, credentialSecret: false, logging: {console: {level: 'error'}}};");
const runtime = spawn(process.execPath, ["node_modules/node-red/red.js", "--userDir", "node-red", "--settings", "node-red/settings.js"], {
  stdio: "inherit", env: { ...process.env, TZ: "Europe/Paris" },
});
try {
  const result = await until("Node-RED's result", () => {
    try { return JSON.parse(readFileSync("node-red/result.json", "utf8")); } catch { return undefined; }
  });
  const home = await ask("/api/feeds/home-assistant");
  report("Node-RED", JSON.stringify(result) === JSON.stringify({ today: home.today, tomorrow: home.tomorrow }),
    `${result.today.length} and ${result.tomorrow.length} quarter hours`);
} finally {
  runtime.kill();
}
process.exit(failed ? 1 : 0);
