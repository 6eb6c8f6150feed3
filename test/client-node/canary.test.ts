import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import test from "ava";
import fc from "fast-check";
import { pino } from "pino";
import type { NodeEvent } from "../../client-node/events.ts";
import { DirectStatistics } from "../../client-node/federation/statistics.ts";
import { Transport } from "../../client-node/federation/transport.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { type NodeOptions, startNode } from "../../client-node/node.ts";
import { type Policy, policySchema } from "../../client-node/policy.ts";
import { desensitizedRows } from "../../client-node/rows/row-source.ts";
import { fileRecords } from "../../client-node/rows/sources.ts";
import { secureRandom, seededRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseYaml } from "../../core/yaml.ts";
import { selectRows } from "../../models/rows.ts";
import type { FeatureSchema, Table } from "../../models/table.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../simulate/consortium.ts";
import { type Canary, CanaryScanner, formsOf, type Hit } from "../support/canary.ts";
import { studyOf, tableOf } from "../support/rows.ts";
import { tapWire, type WireTap } from "../support/wire-tap.ts";

const rows = 48;
const random = seededRandom("canary");
const digits = (count: number): string =>
  Array.from({ length: count }, () => Math.floor(uniform(random) * 10)).join("");
/** A number with enough digits that nothing else writes it. */
const number = (low: number, high: number): number =>
  Number((low + (high - low) * uniform(random)).toFixed(6));

/** Every field of the enterprise's rows: each cell is a canary, but for the label's two public values. */
const records = Array.from({ length: rows }, (_, i) => ({
  name: `Aurelia Quist-${digits(6)}`,
  id_number: `11010${digits(13)}`,
  plate: `YB${digits(6)}X`,
  phone: `139${digits(8)}`,
  password: `hunter-${digits(8)}`,
  revenue: number(20_000, 90_000),
  energy: number(100, 900),
  age: number(18, 70),
  latitude: number(30, 31),
  longitude: number(120, 121),
  visited: `2026-03-${String(1 + (i % 28)).padStart(2, "0")}T${digits(0)}08:${String(10 + i)}:17Z`,
  free_text: `silver heron ${digits(7)}`,
  status: i % 7 === 6 ? `dispute ${digits(8)}` : i % 3 === 0 ? "late" : "paid",
}));
const canaries = records.flatMap((record): Canary[] =>
  Object.values(record).filter((cell) => cell !== "late" && cell !== "paid"),
);
const header = Object.keys(records[0]!);
const csv = `${header.join(",")}\n${records.map((record) => Object.values(record).join(",")).join("\n")}\n`;

const policy: Policy = parseYaml(
  `
minCohort: 2
minRows: 2
exactSums: { perTable: 1000, cohortChange: accept }
allow: { algorithms: [range, summary], purposes: [credit risk] }
unprotected: [noise]
maxEpsilon: { lifetime: 1 }
consentDays: 1
anonymity: { k: 3, l: 1, t: 1, maxSuppressionRate: 0.1 }
fields:
  - { name: name, class: direct, level: C2, operator: drop }
  - { name: id_number, class: direct, level: C2, operator: pseudonym, rotationDays: 30 }
  - { name: plate, class: direct, level: C2, operator: format-preserving, alphabet: 0123456789BXY, rotationDays: 30 }
  - { name: phone, class: direct, level: C2, operator: mask, keepFirst: 3, keepLast: 0 }
  - { name: password, class: direct, level: C3, operator: drop }
  - { name: revenue, class: operational, level: C1, operator: keep }
  - { name: energy, class: sensitive, level: C2, operator: top-bottom-code, low: 200, high: 800 }
  - { name: age, class: quasi, level: C2, operator: bins, origin: 0, width: 10 }
  - { name: latitude, class: quasi, level: C2, operator: h3, axis: latitude, pair: longitude, resolution: 6 }
  - { name: longitude, class: quasi, level: C2, operator: h3, axis: longitude, pair: latitude, resolution: 6 }
  - { name: visited, class: quasi, level: C2, operator: truncate-time, unit: month }
  - { name: status, class: sensitive, level: C2, operator: aggregate-only }
`,
  "policy.yaml",
  policySchema,
);

const features: FeatureSchema[] = [
  ...["revenue", "energy", "age", "latitude", "longitude"].map(
    (name) => ({ name, kind: "numeric" }) as const,
  ),
  { name: "visited", kind: "categorical", levels: ["2026-02", "2026-03"] },
];
const manifest = {
  ...studyOf(features, [{ name: "range" }, { name: "summary" }], 100),
  subject: "id_number",
  label: { column: "status", bad: ["late"], good: ["paid"] },
};

/** Another enterprise's rows, without canaries. */
function otherRows(seed: string): Table {
  const source = seededRandom(seed);
  const column = (low: number, high: number): number[] =>
    Array.from({ length: rows }, () => low + (high - low) * uniform(source));
  return tableOf(
    {
      revenue: column(1000, 90_000),
      energy: column(100, 900),
      age: column(18, 70),
      latitude: column(30, 31),
      longitude: column(120, 121),
      visited: { codes: Array.from({ length: rows }, (_, i) => i % 2), levels: ["2026-02", "2026-03"] },
    },
    Array.from({ length: rows }, (_, i) => i % 2),
  );
}

// One may be away: minCohort of the others is enough.
const names = ["alder", "birch", "cedar", "dogwood"];
const logged: Buffer[] = [];
const log = pino(
  { level: "trace" },
  new Writable({
    write(chunk: Buffer, _, done) {
      logged.push(chunk);
      done();
    },
  }),
);
const tap: WireTap = tapWire();
const bank = await LocalBank.start({}, { log });
const credentials = await bank.enrolAll(names);
const bfv = await openBfv();
const folder = await temporaryDirectory();
const file = join(folder, "rows.csv");
await writeFile(file, csv);
const spoiled = join(folder, "spoiled.csv");
await writeFile(spoiled, csv.replace(String(records[0]!.energy), `${records[0]!.energy}kWh`));
test.after.always(async () => {
  tap.stop();
  await bfv.close();
  await bank.stop();
});

const scanner = new CanaryScanner(canaries);

function optionsFor(name: string, rowFile: string, onEvent: (event: NodeEvent) => void): NodeOptions {
  const { now } = Date;
  const own = name === "alder";
  return {
    credentials: credentials.get(name)!,
    coordinator: bank.coordinator.address,
    policy: () => (own ? policy : policyFor(manifest)),
    rows: own
      ? desensitizedRows({ read: fileRecords([rowFile]), key: secureRandom.bytes(32), now })
      : async () => selectRows(otherRows(name), () => true),
    ledger: join(folder, `${name}.db`),
    statistics: new DirectStatistics(secureRandom),
    bfv,
    now,
    onEvent,
    random: secureRandom,
  };
}

async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

const linesSeen = new Set<string>();

/** Of a log that only grows, what no session before has seen: what was there by chance once is there for good. */
function newLines(log: Buffer): Buffer {
  const lines = log.toString("latin1").split("\n");
  const added = lines.filter((line) => !linesSeen.has(line));
  for (const line of added) linesSeen.add(line);
  return Buffer.from(added.join("\n"), "latin1");
}

interface Session {
  readonly phase: string;
  /** Why the enterprise's node would not take part. */
  readonly refusals: readonly string[];
  readonly hits: readonly Hit[];
  /** Message bytes that the enterprise's node counted, and all that were seen to leave the process. */
  readonly counted: number;
  readonly seen: number;
}

/** @param runsOn - the file the node finds once it has consented. */
async function session(name: string, runsOn: string): Promise<Session> {
  const before = tap.streams().length;
  const events: NodeEvent[] = [];
  const start = (party: string, rowFile: string) =>
    startNode(optionsFor(party, rowFile, (event) => void events.push(event)));
  const study = await bank.operator.propose({ ...manifest, name });
  const consenting = await start("alder", file);
  await consenting.consent(study);
  await consenting.stop();
  const nodes = await Promise.all(names.map((party) => start(party, runsOn)));
  for (const node of nodes.slice(1)) await node.consent(study);
  await bank.operator.start(study);
  let phase = "";
  for await (const view of bank.operator.follow(study)) phase = view.phase;
  const counted = nodes[0]!.bytes().up;
  await Promise.all(nodes.map((node) => node.stop()));

  const streams = tap.streams().slice(before);
  const db = openStore(join(folder, "alder.db"));
  const ledger = new EgressLedger(db, credentials.get("alder")!);
  const exported = await gathered(ledger.export());
  db.close();
  const bankLog = await gathered(bank.operator.exportLog());
  const hits = [
    ...streams.flatMap(({ path, bytes }) => scanner.scan(bytes, path)),
    ...scanner.scan(Buffer.from(JSON.stringify(events)), "events of the nodes"),
    ...scanner.scan(newLines(Buffer.concat(logged)), "operational log of the bank"),
    ...scanner.scan(newLines(exported), "ledger"),
    ...scanner.scan(newLines(bankLog), "log of the bank"),
  ];
  const refusals = events.flatMap((event) => (event.type === "refused" ? [event.reason] : []));
  return { phase, refusals, hits, counted, seen: streams.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}

/** Four random bytes are a given float32 once in 2^32 times; a leak is one again the next time. */
async function leaks(name: string, runsOn: string, first: Session): Promise<readonly Hit[]> {
  if (first.hits.length === 0) return [];
  const again = await session(`${name}-again`, runsOn);
  const same = ({ canary, form }: Hit): string => `${canary} ${form}`;
  const twice = new Set(again.hits.map(same));
  return first.hits.filter((hit) => twice.has(same(hit)));
}

test.serial("no raw value leaves the node, in any form, while it takes part in a study", async (t) => {
  const first = await session("sealed", file);
  t.is(first.phase, "finished");
  t.true(first.seen > first.counted && first.counted > 60_000, `${first.counted} of ${first.seen} bytes`);
  t.deepEqual(first.refusals, []);
  t.true(canaries.length > 500);
  t.deepEqual(await leaks("sealed", file, first), []);
});

test.serial("a row that cannot be read makes the node refuse, and its cell stays", async (t) => {
  const first = await session("spoiled", spoiled);
  t.is(first.phase, "finished");
  t.deepEqual([...new Set(first.refusals)], ["cell_malformed"]);
  t.deepEqual(await leaks("spoiled", spoiled, first), []);
});

const planted: [string, (x: number) => Buffer][] = [
  [
    "float32 reversed",
    (x) => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatBE(x);
      return bytes;
    },
  ],
  ["decimal UTF-8", (x) => Buffer.from(String(x))],
];
for (const [form, write] of planted)
  test.serial(`a planted leak is found: ${form}, through the node's own transport`, async (t) => {
    const before = tap.streams().length;
    const { revenue } = records[17]!;
    const transport = new Transport({
      address: bank.coordinator.address,
      credentials: credentials.get("alder")!,
      beforeSend: () => {},
      now: Date.now,
      random: secureRandom,
    });
    const blob = Buffer.concat([secureRandom.bytes(20_001), write(revenue), secureRandom.bytes(20_000)]);
    // The bank refuses what is for no open attempt; it has left the node by then.
    await t.throwsAsync(transport.upload([blob], "aa".repeat(32)), { instanceOf: Refusal });
    transport.close();
    const hits = tap
      .streams()
      .slice(before)
      .flatMap(({ path, bytes }) => scanner.scan(bytes, path));
    const found = hits.filter(({ canary }) => canary === revenue);
    t.true(found.some((hit) => hit.form === form && hit.where === "/fedcredit.v1.Blobs/Upload"));
  });

test("the search finds every form of every canary anywhere in random bytes", (t) => {
  const forms = canaries.slice(0, 26).flatMap(formsOf);
  t.true(forms.length > 1000);
  fc.assert(
    fc.property(
      fc.constantFrom(...forms),
      fc.nat({ max: 5000 }),
      fc.nat({ max: 5000 }),
      ({ canary, form, bytes }, before, after) => {
        const haystack = Buffer.concat([secureRandom.bytes(before), bytes, secureRandom.bytes(after)]);
        return scanner.scan(haystack, "").some((hit) => hit.canary === canary && hit.form === form);
      },
    ),
    { numRuns: process.env.SLOW ? 20_000 : 500 },
  );
});
