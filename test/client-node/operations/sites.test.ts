import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { readNodeConfig } from "../../../client-node/config.ts";
import { localMicros, sitesOf, sitesSchema } from "../../../client-node/operations/sites.ts";
import { Refusal } from "../../../core/reasons.ts";
import { parseYaml } from "../../../core/yaml.ts";

const text = `
sites:
  - id: hall-1
    industry: machining
    utcOffsetHours: 8
    declared: [{ measure: revenue, from: 2026-01-01, until: 2027-01-01, amount: 18000000 }]
devices:
  - id: lathe-1
    site: hall-1
    class: lathe
    tag: 04A2
    maintenance: [{ from: 2026-03-01T08:00, until: 2026-03-01T12:00Z, reason: yearly service }]
`;

test("times are local to the site unless an offset is written; a device without a source takes the only one", (t) => {
  const known = sitesOf(parseYaml(text, "node.yaml", sitesSchema), "line");
  const utc = (iso: string): number => Date.parse(iso) * 1000;
  t.deepEqual(known.exclusions, [
    {
      device: "lathe-1",
      from: utc("2026-03-01T00:00Z"),
      until: utc("2026-03-01T12:00Z"),
      reason: "yearly service",
    },
  ]);
  t.is(known.declarations[0]?.from, utc("2025-12-31T16:00Z"));
  t.deepEqual(known.devices, [{ id: "lathe-1", site: "hall-1", class: "lathe", source: "line" }]);
  t.deepEqual([...known.tags], [["04A2", "lathe-1"]]);
  t.is(localMicros("2026-03-01T08:00-05:00", 8), utc("2026-03-01T13:00Z"));
});

test("nothing is expected of a device before it was installed", (t) => {
  const installed = text.replace("tag: 04A2", "installed: 2026-02-10");
  const [before] = sitesOf(parseYaml(installed, "node.yaml", sitesSchema)).exclusions;
  const until = Date.parse("2026-02-09T16:00Z") * 1000;
  t.deepEqual(before, { device: "lathe-1", from: 0, until, reason: "not yet installed" });
});

const bad: [string, string, RegExp][] = [
  ["unknown site", text.replace("site: hall-1", "site: hall-2"), /devices\.0\.site: no site hall-2/],
  ["end before start", text.replace("2027-01-01", "2025-01-01"), /declared\.0: until comes after from/],
  ["no such day", text.replace("2026-01-01", "2026-13-01"), /no such day/],
  ["a class that is no folder name", text.replace("class: lathe", "class: ../x"), /devices\.0\.class/],
  ["unknown key", text.replace("tag:", "label:"), /unknown key devices\.0\.label/],
];
for (const [name, yaml, message] of bad)
  test(`${name}: config_invalid`, (t) => {
    const error = t.throws(() => parseYaml(yaml, "node.yaml", sitesSchema), { instanceOf: Refusal });
    t.is(error?.reason, "config_invalid");
    t.regex(error!.message, message);
  });

test("collectors' files are beside node.yaml, and collectors need sites", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-config-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, "node.yaml");
  const names = "enterprise: a\nconsortium: b\ncoordinator: c:1\nenrolment: c:2\ndataDir: data\n";
  const collectors = `collectors:
  - file: { folder: inbox, state: seen.db, format: csv, device: till, time: { column: at }, columns: [{ column: n, metric: sales_amount, unit: "{CNY}" }] }
`;
  await writeFile(file, names + collectors);
  const error = t.throws(() => readNodeConfig(file), { instanceOf: Refusal });
  t.regex(error!.message, /collectors: needs sites/);
  await writeFile(file, `${names}${collectors}sites: [{ id: s, industry: retail, utcOffsetHours: 8 }]\n`);
  const [entry] = readNodeConfig(file).collectors!;
  t.is(entry?.file?.folder, join(folder, "inbox"));
  t.is(entry?.file?.state, join(folder, "seen.db"));
});
