import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { parse, stringify } from "yaml";
import type { FeatureRowsConfig } from "../../../client-node/config.ts";
import { readNodeConfig } from "../../../client-node/config.ts";
import { configFile, initNode, policyFile } from "../../../client-node/init.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import type { FeatureRow } from "../../../client-node/operations/features/features.ts";
import { FindingsStore, findingsFile } from "../../../client-node/operations/findings-store.ts";
import { joinLoans } from "../../../client-node/rows/feature-rows.ts";
import { ownRecords } from "../../../client-node/rows/own-records.ts";
import { desensitizedRows } from "../../../client-node/rows/row-source.ts";
import type { Cell } from "../../../core/cell.ts";
import { csvRecords, type Records } from "../../../core/csv.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { policyFor } from "../../../simulate/consortium.ts";
import { day, hour, monday } from "../../support/readings.ts";
import { studyOf } from "../../support/rows.ts";

const catalogue = readCatalogue();
const sites = [
  { id: "north", utcOffsetHours: 8 },
  { id: "south", utcOffsetHours: 0 },
];
const config: Omit<FeatureRowsConfig, "loans"> = { site: "site", date: "on", window: "week" };

/** A local week of a site, `weeks` after the first Monday. */
const week = (site: string, weeks: number, rate: number): FeatureRow => {
  const offset = site === "north" ? 8 * hour : 0;
  const from = monday + weeks * 7 * day - offset;
  const values = new Map([["operating_rate", rate]]);
  return { site, window: "week", from, until: from + 7 * day, values };
};
const windows = [week("north", 0, 0.7), week("south", 0, 0.2), week("north", 1, 0.9)];
const loans = (...lines: string[]) => [csvRecords(["loan,site,on,status", ...lines].join("\n"), "loans.csv")];

/** @returns loan → operating rate, of the rows that were kept. */
function rates(sources: readonly Records[]): Record<string, Cell> {
  const found: Record<string, Cell> = {};
  for (const { header, each } of sources)
    each((cells) => {
      found[String(cells[0])] = cells[header.indexOf("operating_rate")];
    });
  return found;
}

test("a loan gets the last window that had ended by its date, at its own site, by its site's clock", (t) => {
  const joined = joinLoans(
    loans(
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
  t.deepEqual(rates(joined), { first: 0.7, same: 0.7, second: 0.9, other: 0.2, utc: 0.7 });
});

test("the day that is still running is no window yet", (t) => {
  const whole: FeatureRow = { ...week("south", 0, 0.5), window: "day", until: monday + day };
  const running: FeatureRow = { ...whole, from: monday + day, until: monday + 1.4 * day };
  const joined = joinLoans(
    loans("a,south,2026-03-03T11:00,0"),
    [whole, { ...running, values: new Map([["operating_rate", 0.1]]) }],
    sites,
    { ...config, window: "day" },
    catalogue,
  );
  t.deepEqual(rates(joined), { a: 0.5 });
});

const refusals: [string, string, RegExp, () => unknown][] = [
  [
    "no window",
    "rows_missing",
    /ended before/,
    () => joinLoans(loans("a,north,2020-01-01,0"), windows, sites, config, catalogue),
  ],
  [
    "foreign site",
    "cell_malformed",
    /^loans\.csv:2: column "site": no such site$/,
    () => joinLoans(loans("a,west,2026-03-09,0"), windows, sites, config, catalogue),
  ],
  [
    "no date",
    "cell_malformed",
    /^loans\.csv:2: column "on": not a date$/,
    () => joinLoans(loans("a,north,soon,0"), windows, sites, config, catalogue),
  ],
  [
    "a column named as a feature",
    "config_invalid",
    /"operating_rate"/,
    () =>
      joinLoans(
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
    () => joinLoans(loans("a,north,2026-03-09,0"), windows, sites, { ...config, date: "day" }, catalogue),
  ],
  [
    "several sites and none named",
    "config_invalid",
    /several sites/,
    () => joinLoans(loans("a,north,2026-03-09,0"), windows, sites, { date: "on", window: "week" }, catalogue),
  ],
];
for (const [name, reason, message, act] of refusals)
  test(`${name}: ${reason}`, (t) => {
    const error = t.throws(act, { instanceOf: Refusal });
    t.is(error?.reason, reason as never);
    t.regex(error!.message, message);
  });

test("a row is named by its line in the file of loans", (t) => {
  const files = [
    ...loans("first,north,2026-03-09,0"),
    csvRecords("loan,site,on,status\nearly,north,2020-01-01,0\nlast,south,2026-03-09,1", "more.csv"),
  ];
  const named: string[] = [];
  for (const { name, each } of joinLoans(files, windows, sites, config, catalogue))
    each((cells, line) => named.push(`${cells[0]} ${name}:${line}`));
  t.deepEqual(named, ["first loans.csv:2", "last more.csv:3"]);
});

test("features that the node found and the loans' outcome become a study's table, and no joined row is on disk", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "fedcredit-rows-"));
  t.teardown(() => rm(dir, { recursive: true }));
  const lend = join(dir, "loans.csv");
  const planted = ["borrower-4711", "borrower,0815"];
  await writeFile(
    lend,
    `loan,site,on,status\n${planted[0]},north,2026-03-09,0\n"${planted[1]}",north,2026-03-16,1\n`,
  );
  const node = join(dir, "node");
  await initNode(
    node,
    {
      enterprise: "mill",
      consortium: "riverbank",
      coordinator: "bank.example:8443",
      enrolment: "bank.example:8444",
    },
    secureRandom,
  );
  const written = await readFile(configFile(node), "utf8");
  const own = { features: { ...config, loans: [lend] } };
  await writeFile(
    configFile(node),
    stringify({
      ...parse(written),
      rows: own,
      sites: sites.map((site) => ({ ...site, industry: "machining" })),
    }),
  );
  const study = {
    ...studyOf([{ name: "operating_rate", kind: "numeric" }], [{ name: "range" }]),
    subject: "loan",
  };
  const policy = policyFor(study);
  await writeFile(policyFile(node), stringify(policy));
  const nodeConfig = readNodeConfig(configFile(node));
  const store = new FindingsStore(findingsFile(nodeConfig.dataDir));
  const quality = { counts: [], faults: [], verifications: [], unknownMetrics: [] };
  store.recordRefresh({ from: 0, until: monday + 30 * day }, { features: windows, quality }, monday);
  store.close();

  const rows = desensitizedRows({
    read: ownRecords(nodeConfig),
    key: new Uint8Array(32),
    now: () => 0,
  });
  const table = await rows(study, { policy, salt: new Uint8Array(32), onRun: () => {} });
  t.deepEqual([...table.label], [0, 1]);
  t.deepEqual(table.columns.get("operating_rate"), { kind: "numeric", values: Float64Array.of(0.7, 0.9) });
  const file = join(dir, "study.json");
  await writeFile(file, JSON.stringify(study));
  const cli = fileURLToPath(new URL("../../../cli.ts", import.meta.url));
  const args = ["--no-warnings", cli, "node", "preview", study.name, "--manifest", file, "--dir", node];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  t.regex(stdout, /0\.7 → 0\.7/);

  const kept = await readdir(node, { recursive: true, withFileTypes: true });
  for (const entry of kept) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const value of planted) t.false(bytes.includes(value), entry.name);
  }
  t.true(kept.some(({ name }) => name === "findings.db"));
});
