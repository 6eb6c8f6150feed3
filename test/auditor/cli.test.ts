import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { readAuditorKey } from "../../auditor/keys.ts";
import type { EntryOf } from "../../privacy/log/entry.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { auditor, enterprises, LogBuilder, policyText, sampleLedger, sampleLog } from "../support/log.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

const fedcredit = (...args: string[]): Promise<Run> =>
  new Promise((resolve) => {
    execFile(process.execPath, ["--no-warnings", cli, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

let directory = "";
const file = (name: string): string => join(directory, name);

const roundIds = sampleLog().leaves.flatMap((leaf) => {
  const entry = JSON.parse(Buffer.from(leaf).toString()) as EntryOf<"round.opened">;
  return entry.type === "round.opened" ? [entry.roundId] : [];
});

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), "fedcredit-audit-"));
  await writeFile(file("policy.txt"), policyText);
  await writeFile(file("good.fcexport"), await sampleLog().export());
  const forged = sampleLog({
    entry: (entry) => (entry.type === "privacy.spent" ? [{ ...entry, unit: "subject" }] : [entry]),
  });
  await writeFile(file("forged.fcexport"), await forged.export());
  await writeFile(file("ledger.fcexport"), await sampleLedger("cold-chain", roundIds).export([], "ledger"));
});

test.after.always(() => rm(directory, { recursive: true, force: true }));

test("verify: an honest export prints a line a check and exits 0", async (t) => {
  const { code, stdout, stderr } = await fedcredit(
    "audit",
    "verify",
    file("good.fcexport"),
    "--policy",
    file("policy.txt"),
  );
  t.is(code, 0, stderr);
  t.is(stderr, "");
  const lines = stdout.trimEnd().split("\n");
  t.true(lines.length > 25);
  t.true(lines.every((line) => line.startsWith("ok  ")));
});

test("verify: a forged export exits 1, names the entry and gives a hint", async (t) => {
  const { code, stdout, stderr } = await fedcredit(
    ...["audit", "verify", file("forged.fcexport"), "--policy", file("policy.txt")],
  );
  t.is(code, 1);
  t.regex(
    stdout,
    /^FAIL {2}privacy spend adds up, entry 14: privacy\.spent: the unit is not the manifest's/m,
  );
  t.regex(
    stderr,
    /^fedcredit: error: 1 of \d+ checks fail: privacy spend adds up, entry 14 \(log_invalid\)\nhint: /,
  );
});

test("verify --json: one object, the same exit", async (t) => {
  const { code, stdout } = await fedcredit(
    ...["audit", "verify", file("forged.fcexport"), "--policy", file("policy.txt"), "--json"],
  );
  t.is(code, 1);
  const report = JSON.parse(stdout) as {
    verified: boolean;
    checks: { check: string; ok: boolean; entry?: number }[];
  };
  t.false(report.verified);
  t.deepEqual(
    report.checks.filter(({ ok }) => !ok).map(({ check, entry }) => [check, entry]),
    [["privacy spend adds up", 14]],
  );
});

test("verify: bad files get a reason and a hint, wrong usage exits 2", async (t) => {
  await writeFile(file("notes.txt"), "hello\n");
  await writeFile(file("bad-policy.txt"), "log nonsense\nquorum none\n");
  const bad: [string[], number, RegExp][] = [
    [["verify", file("none"), "--policy", file("policy.txt")], 1, /no such file \(file_missing\)\nhint: /],
    [["verify", directory, "--policy", file("policy.txt")], 1, /not a file \(file_missing\)\nhint: /],
    [["verify", file("good.fcexport"), "--policy", file("none")], 1, /no such file \(file_missing\)\nhint: /],
    [
      ["verify", file("good.fcexport"), "--policy", file("bad-policy.txt")],
      1,
      /policy, line 1.*\(file_malformed\)\nhint: /,
    ],
    [
      ["verify", file("notes.txt"), "--policy", file("policy.txt")],
      1,
      /file complete.*\(log_invalid\)\nhint: /,
    ],
    [["verify", file("good.fcexport")], 2, /--policy.*\nhint: /],
    [["init", "--out", file("k"), "--name", "a b"], 2, /\(usage\)\nhint: /],
  ];
  for (const [args, code, message] of bad) {
    const run = await fedcredit("audit", ...args);
    t.is(run.code, code, args.join(" "));
    t.regex(run.stderr, message, args.join(" "));
  }
});

test("init: makes a secret key once, and prints its public half", async (t) => {
  const { code, stdout } = await fedcredit(
    "audit",
    "init",
    "--out",
    file("auditor"),
    "--name",
    "riverbank-sme/auditor",
    "--json",
  );
  t.is(code, 0);
  const key = JSON.parse(stdout) as { verifierKey: string; witnessKey: string; fingerprint: string };
  const secret = await readAuditorKey(file("auditor"));
  t.deepEqual(parseVerifierKey(key.verifierKey).publicKey, secret.publicKey);
  t.is(await readFile(file("auditor/auditor.pub"), "utf8"), `${key.verifierKey}\n`);
  t.is((await stat(file("auditor/auditor.key"))).mode & 0o077, 0);
  t.regex(key.fingerprint, /^([0-9a-f]{4} ){15}[0-9a-f]{4}$/);

  const again = await fedcredit("audit", "init", "--out", file("auditor"));
  t.is(again.code, 1);
  t.regex(again.stderr, /\(already_exists\)\nhint: /);
  t.deepEqual((await readAuditorKey(file("auditor"))).seed, secret.seed);
});

test("reconcile: the bank's log and an honest ledger agree", async (t) => {
  const { code, stdout, stderr } = await fedcredit(
    ...["audit", "reconcile", file("good.fcexport"), file("ledger.fcexport"), "--policy", file("policy.txt")],
  );
  t.is(code, 0, stdout + stderr);
  t.regex(stdout, /ledger of cold-chain verifies/);
});

test("reconcile: a submission on one side only fails and names the entry", async (t) => {
  const less = sampleLedger("cold-chain", roundIds.slice(0, 2));
  const more = sampleLedger("cold-chain", [...roundIds, "ab".repeat(32)]);
  await writeFile(file("less.fcexport"), await less.export([], "ledger"));
  await writeFile(file("more.fcexport"), await more.export([], "ledger"));
  const args = ["--policy", file("policy.txt")];
  const hidden = await fedcredit("audit", "reconcile", file("good.fcexport"), file("less.fcexport"), ...args);
  t.is(hidden.code, 1);
  t.regex(hidden.stdout, /^FAIL {2}every submission the bank logged is in the ledger, entry 21/m);
  t.regex(hidden.stdout, /^FAIL {2}every checkpoint the bank logged is of this ledger, entry 28/m);
  const unlogged = await fedcredit(
    "audit",
    "reconcile",
    file("good.fcexport"),
    file("more.fcexport"),
    ...args,
  );
  t.is(unlogged.code, 1);
  t.regex(unlogged.stdout, /^FAIL {2}every submission in the ledger is in the bank's log, entry 7/m);
});

test("reconcile: a submission cut off on its way is told from one the bank hides", async (t) => {
  const third = enterprises[2]!;
  await writeFile(file("cut.fcexport"), await sampleLedger(third, roundIds).export([], "ledger"));
  const { code, stdout } = await fedcredit(
    ...["audit", "reconcile", file("good.fcexport"), file("cut.fcexport"), "--policy", file("policy.txt")],
  );
  t.is(code, 0, stdout);
  t.regex(stdout, /in the bank's log: 3 submissions, 1 of them cut off on the way/);
});

test("reconcile: a ledger of a stranger is refused", async (t) => {
  const stranger = new LogBuilder(auditor);
  stranger.append({
    type: "policy.changed",
    time: 1,
    enterprise: "mill",
    policy: "ab".repeat(32),
    version: 1,
  });
  await writeFile(file("stranger.fcexport"), await stranger.export([], "ledger"));
  const { code, stderr } = await fedcredit(
    ...[
      "audit",
      "reconcile",
      file("good.fcexport"),
      file("stranger.fcexport"),
      "--policy",
      file("policy.txt"),
    ],
  );
  t.is(code, 1);
  t.regex(stderr, /riverbank-sme\/auditor \(not_found\)\nhint: /);
});
