import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { commitDays, commitmentsFolder } from "../../client-node/commitments.ts";
import { parquetFiles } from "../../client-node/operations/segments.ts";
import { seededRandom } from "../../core/random.ts";
import { commitmentRoot, parseDisclosure } from "../../privacy/log/commitment.ts";
import type { Entry, EntryOf } from "../../privacy/log/entry.ts";
import { policyText, sampleLedger, sampleLog } from "../support/log.ts";

const fixture = fileURLToPath(new URL("../vectors/spool-1/segments", import.meta.url));
const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const date = "2026-03-02";

const audit = (...args: string[]): Promise<{ code: number; stdout: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, ["--no-warnings", cli, "audit", ...args], (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout }),
    );
  });

test("a day that is over is committed to once, again when late readings add to it; an auditor checks a segment", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "fedcredit-commit-"));
  t.teardown(() => rmSync(dataDir, { recursive: true }));
  const segments = join(dataDir, "segments");
  const [first] = parquetFiles(fixture);
  const place = join(segments, first!);
  mkdirSync(join(place, ".."), { recursive: true });
  copyFileSync(join(fixture, first!), place);
  const entries: Entry[] = [];
  let now = Date.parse("2026-03-02T23:00:00Z");
  const enterprise = "cold-chain";
  const options = {
    enterprise,
    dataDir,
    ledger: { append: (more: readonly Entry[]) => void entries.push(...more) },
    random: seededRandom("commit"),
    now: () => now,
  };
  t.deepEqual(await commitDays(options, { counts: [] }), [], "the day is not over");
  now = Date.parse("2026-03-03T01:00:00Z");
  t.deepEqual(await commitDays(options, { counts: [] }), [date]);
  t.deepEqual(await commitDays(options, { counts: [] }), []);
  const [entry] = entries as EntryOf<"data.committed">[];
  t.like(entry, { type: "data.committed", enterprise, day: date, segments: 1, readings: 12 });
  const disclosureFile = join(commitmentsFolder(dataDir), `${date}.json`);
  const disclosure = parseDisclosure(readFileSync(disclosureFile, "utf8"));
  t.is(commitmentRoot(disclosure), entry!.root);
  t.not(commitmentRoot({ ...disclosure, salt: "0".repeat(64) }), entry!.root);

  const rounds = sampleLog().leaves.flatMap((leaf) => {
    const opened = JSON.parse(Buffer.from(leaf).toString()) as EntryOf<"round.opened">;
    return opened.type === "round.opened" ? [opened.roundId] : [];
  });
  const ledger = sampleLedger(enterprise, rounds);
  ledger.append({ ...entry!, time: 1_790_000_100_000 });
  const { size, root } = ledger.state();
  const report = { size, root: Buffer.from(root).toString("hex"), checkpoint: ledger.checkpoint() };
  const logWith = (reported: Partial<typeof report>) =>
    sampleLog({ entry: (one) => [one.type === "ledger.reported" ? { ...one, ...reported } : one] }).export();
  const bank = join(dataDir, "bank.fcexport");
  const exported = join(dataDir, "ledger.fcexport");
  const policy = join(dataDir, "log.policy");
  writeFileSync(bank, await logWith(report));
  writeFileSync(exported, await ledger.export([], "ledger"));
  writeFileSync(policy, policyText);
  const check = (segment: string, log = bank) =>
    audit("check-segment", log, exported, disclosureFile, segment, "--policy", policy);
  const honest = await check(place);
  t.is(honest.code, 0, honest.stdout);
  t.regex(honest.stdout, /ok {4}commitment of 2026-03-02: 12 readings in 1 segments/);
  t.regex(honest.stdout, /ok {4}segment .*: date=2026-03-02/);
  const early = join(dataDir, "early.fcexport");
  writeFileSync(early, await logWith({}));
  t.regex(
    (await check(place, early)).stdout,
    /FAIL {2}commitment of 2026-03-02: the bank's log holds no checkpoint/,
  );

  const forged = join(dataDir, "forged.parquet");
  const bytes = readFileSync(place);
  bytes[40]! ^= 1;
  writeFileSync(forged, bytes);
  const refused = await check(forged);
  t.is(refused.code, 1);
  t.regex(refused.stdout, /FAIL {2}segment .*none of the day's segments/);
  writeFileSync(
    disclosureFile,
    JSON.stringify({ ...disclosure, segments: [{ ...disclosure.segments[0]!, digest: "0".repeat(64) }] }),
  );
  const other = await check(forged);
  t.regex(other.stdout, /FAIL {2}commitment of 2026-03-02: the ledger holds no commitment/);

  copyFileSync(place, place.replace("-0.parquet", "-1.parquet"));
  t.deepEqual(await commitDays(options, { counts: [] }), [date]);
  t.like(entries.at(-1), { day: date, segments: 2, readings: 24 });
});
