// Reads the rows of every dataset, and the other routes, with the clients that openapi-typescript (through openapi-fetch) and
// hey-api make, and compares them with the answer. It has to compile with "strict": the rows are typed.
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import { client } from "./hey/client.gen";
import * as sdk from "./hey";

const baseUrl = process.env.COURANT_URL!, token = process.env.COURANT_TOKEN!, date = process.env.COURANT_DATE!;
const headers = { Authorization: `Bearer ${token}` };
const fetched = createClient<paths>({ baseUrl, headers });
client.setConfig({ baseUrl, auth: token });

let failed = false;
function report(what: string, same: boolean, note: string) {
  failed ||= !same;
  console.log(same ? "ok    " : "FAILED", what, note);
}
async function raw(path: string): Promise<string> {
  const answer = await fetch(baseUrl + path, { headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}
// What changes from one answer to the next.
const stable = (value: unknown) => JSON.stringify(value).replace(/"(generated_at|lag_seconds)":("[^"]*"|\d+)/g, "");

const hey = sdk as unknown as Record<string, (options: object) => Promise<{ data?: unknown; error?: unknown }>>;
const camel = (path: string) => "get" + path.split(/[/.-]/).map((w) => w && w[0]!.toUpperCase() + w.slice(1)).join("");
const ids = (await fetched.GET("/api/datasets")).data!.datasets.map((d) => d.id);
for (const id of ids) {
  const path = `/api/datasets/${id}/rows` as const;
  for (const query of [
    { date }, { date, format: "columns" as const }, { date, resolution: "PT1H" as const, stat: "mean,min,share" },
    { date, columns: "updated_at,source" }, { date, tz: "Europe/Paris" as const },
  ]) {
    const text = await raw(path + "?" + new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)])));
    const want = stable(JSON.parse(text)), nulls = text.split("null").length - 1;
    const a = await fetched.GET(path, { params: { query } });
    const rows = typeof a.data === "object" ? a.data.rows?.length : undefined; // CSV is a string
    report(`openapi-fetch ${path}`, stable(a.data) === want, `${JSON.stringify(query)} ${rows ?? "-"} rows, ${nulls} nulls`);
    const b = await hey[camel(path)]!({ query });
    report(`hey-api       ${path}`, stable(b.data) === want, JSON.stringify(query));
  }
  const csv = await fetched.GET(path, { params: { query: { date, format: "csv" } }, parseAs: "text" });
  report(`openapi-fetch ${path}`, String(csv.data) === await raw(`${path}?date=${date}&format=csv`), "csv");
  const sheet = await hey[camel(path)]!({ query: { date, format: "csv" }, parseAs: "text" });
  report(`hey-api       ${path}`, String(sheet.data) === await raw(`${path}?date=${date}&format=csv`), "csv");
}
for (const path of [
  "/api/day-ahead-prices", "/api/fcr-capacity", "/api/afrr-capacity", "/api/mfrr-capacity", "/api/balancing-capacity", "/api/afrr-energy",
  "/api/mfrr-energy", "/api/balancing-energy", "/api/imbalance-prices", "/api/status", "/api/datasets",
  "/api/feeds/evcc", "/api/feeds/home-assistant", "/api/feeds/emhass",
] as const) {
  const want = stable(JSON.parse(await raw(path)));
  report(`openapi-fetch ${path}`, stable((await fetched.GET(path)).data) === want, "");
  report(`hey-api       ${path}`, stable((await hey[camel(path)]!({})).data) === want, "");
}
const revisions = await fetched.GET("/api/revisions/{dataset}", { params: { path: { dataset: "afrr-energy" }, query: { from: date, to: date } } });
report("openapi-fetch /api/revisions/{dataset}", Array.isArray(revisions.data?.revisions), "");

// Types: these lines compile only if the rows are typed, with their nulls.
const prices = await fetched.GET("/api/datasets/day-ahead-prices/rows", { params: { query: { date } } });
const price: number | null | undefined = typeof prices.data === "object" ? prices.data.rows?.[0]?.price_eur_mwh : undefined;
const typed = await sdk.getApiDatasetsDayAheadPricesRows({ query: { date } });
const other: number | null | undefined =
  typeof typed.data === "object" && "rows" in typed.data ? typed.data.rows?.[0]?.price_eur_mwh : undefined;
report("typed price", price === other && price !== undefined, String(price));
const refused = await fetched.GET("/api/datasets/day-ahead-prices/rows", { params: { query: { limit: 0 } } });
report("refused", refused.error?.code === "invalid_parameter", String(refused.error?.detail));
process.exit(failed ? 1 : 0);
