import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import type { FeatureRowsConfig } from "../../../client-node/config.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import type { FeatureRow } from "../../../client-node/operations/features/features.ts";
import { Findings, findingsFile } from "../../../client-node/operations/findings-store.ts";
import { premisesSchema } from "../../../client-node/operations/sites.ts";
import { csvRecords } from "../../../client-node/rows/cells.ts";
import { joinLedger, rowFiles } from "../../../client-node/rows/feature-rows.ts";
import { unchanged } from "../../../client-node/rows/rows.ts";
import { readRows } from "../../../client-node/rows/sources.ts";
import { Refusal } from "../../../core/reasons.ts";
import { day, hour, monday } from "../../support/readings.ts";
import { studyOf } from "../../support/rows.ts";

const catalogue = readCatalogue();
const sites = [
  { id: "north", utcOffsetHours: 8 },
  { id: "south", utcOffsetHours: 0 },
];
const config: Omit<FeatureRowsConfig, "ledger"> = { site: "site", date: "on", window: "week" };

/** A local week of a site, `weeks` after the first Monday. */
const week = (site: string, weeks: number, rate: number): FeatureRow => {
  const offset = site === "north" ? 8 * hour : 0;
  const from = monday + weeks * 7 * day - offset;
  const values = new Map([["operating_rate", rate]]);
  return { site, window: "week", from, until: from + 7 * day, values };
};
const windows = [week("north", 0, 0.7), week("south", 0, 0.2), week("north", 1, 0.9)];
const ledger = (...lines: string[]) => [
  csvRecords(["loan,site,on,status", ...lines].join("\n"), "loans.csv"),
];

/** @returns loan → operating rate, of the rows that were kept. */
function rates(text: string): Record<string, string> {
  const [header, ...lines] = text.trimEnd().split("\n");
  const at = header!.split(",").indexOf("operating_rate");
  return Object.fromEntries(lines.map((line) => [line.split(",")[0]!, line.split(",")[at]!]));
}

test("a loan gets the last window that had ended by its date, at its own site, by its site's clock", (t) => {
  const text = joinLedger(
    ledger(
      "before,north,2026-03-08,0",
      "first,north,2026-03-09,0",
      "same,north,2026-03-15T23:59,0",
      "second,north,2026-03-16,1",
      "other,south,2026-03-09,1",
      "early,south,2026-03-08T23:59,1",
      "utc,north,2026-03-08T16:00Z,0",
      "stale,south,2026-03-16,1",
    ),
    windows,
    sites,
    config,
    catalogue,
  );
  t.deepEqual(rates(text), { first: "0.7", same: "0.7", second: "0.9", other: "0.2", utc: "0.7" });
});

test("the day that is still running is no window yet", (t) => {
  const whole: FeatureRow = { ...week("south", 0, 0.5), window: "day", until: monday + day };
  const running: FeatureRow = { ...whole, from: monday + day, until: monday + 1.4 * day };
  const text = joinLedger(
    ledger("a,south,2026-03-03T11:00,0"),
    [whole, { ...running, values: new Map([["operating_rate", 0.1]]) }],
    sites,
    { ...config, window: "day" },
    catalogue,
  );
  t.deepEqual(rates(text), { a: "0.5" });
});

const refusals: [string, string, RegExp, () => unknown][] = [
  [
    "no window",
    "rows_missing",
    /ended before/,
    () => joinLedger(ledger("a,north,2020-01-01,0"), windows, sites, config, catalogue),
  ],
  [
    "foreign site",
    "cell_malformed",
    /^loans\.csv:2: column "site": no such site$/,
    () => joinLedger(ledger("a,west,2026-03-09,0"), windows, sites, config, catalogue),
  ],
  [
    "no date",
    "cell_malformed",
    /^loans\.csv:2: column "on": not a date$/,
    () => joinLedger(ledger("a,north,soon,0"), windows, sites, config, catalogue),
  ],
  [
    "a column named as a feature",
    "config_invalid",
    /"operating_rate"/,
    () =>
      joinLedger(
        [csvRecords("site,on,operating_rate\nnorth,2026-03-09,1", "l")],
        windows,
        sites,
        config,
        catalogue,
      ),
  ],
  [
    "no such column",
    "column_unknown",
    /"day"/,
    () => joinLedger(ledger("a,north,2026-03-09,0"), windows, sites, { ...config, date: "day" }, catalogue),
  ],
  [
    "several sites and none named",
    "config_invalid",
    /several sites/,
    () =>
      joinLedger(ledger("a,north,2026-03-09,0"), windows, sites, { date: "on", window: "week" }, catalogue),
  ],
];
for (const [name, reason, message, act] of refusals)
  test(`${name}: ${reason}`, (t) => {
    const error = t.throws(act, { instanceOf: Refusal });
    t.is(error?.reason, reason as never);
    t.regex(error!.message, message);
  });

test("features that the node found and the ledger's outcome become a study's table", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "fedcredit-rows-"));
  t.teardown(() => rm(dataDir, { recursive: true }));
  const findings = new Findings(findingsFile(dataDir));
  const quality = { counts: [], faults: [], verifications: [], unknownMetrics: [] };
  findings.recordRefresh({ from: 0, until: monday + 30 * day }, { features: windows, quality }, monday);
  findings.close();
  const file = join(dataDir, "loans.csv");
  await writeFile(file, 'loan,site,on,status\n"a,1",north,2026-03-09,0\nb,north,2026-03-16,1\n');
  const premises = premisesSchema.parse({
    sites: sites.map((site) => ({ ...site, industry: "machining" })),
  });
  const files = await rowFiles({ dataDir, premises, rows: { features: { ...config, ledger: [file] } } });
  t.is((await stat(files[0]!)).mode & 0o777, 0o600);
  t.regex(await readFile(files[0]!, "utf8"), /^"a,1",/m);
  const schema = { ...studyOf([{ name: "operating_rate", kind: "numeric" }], []), subject: "loan" };
  const table = await readRows(files, schema, unchanged);
  t.deepEqual([...table.label], [0, 1]);
  t.deepEqual(table.columns.get("operating_rate"), { kind: "numeric", values: Float64Array.of(0.7, 0.9) });
  t.deepEqual(await rowFiles({ dataDir, rows: { files: ["x.csv"] } }), ["x.csv"]);
});
