import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { readAuditorKey } from "../../auditor/keys.ts";
import type { EntryOf } from "../../privacy/log/entry.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import {
  placeOf as at,
  auditor,
  enterprises,
  LogBuilder,
  policyText,
  sampleLedger,
  sampleLog,
} from "../support/log.ts";

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

const openedIn = ({ leaves }: LogBuilder): string[] =>
  leaves.flatMap((leaf) => {
    const entry = JSON.parse(Buffer.from(leaf).toString()) as EntryOf<"round.opened">;
    return entry.type === "round.opened" ? [entry.roundId] : [];
  });
const roundIds = openedIn(sampleLog());

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
  t.true(lines.length > 40);
  t.true(lines.every((line) => line.startsWith("ok  ")));
});

test("verify: a forged export exits 1, names the entry and gives a hint", async (t) => {
  const { code, stdout, stderr } = await fedcredit(
    ...["audit", "verify", file("forged.fcexport"), "--policy", file("policy.txt")],
  );
  t.is(code, 1);
  t.regex(
    stdout,
    new RegExp(
      `^FAIL {2}privacy spend adds up, entry ${at("privacy.spent")}: privacy\\.spent: the unit is not the manifest's`,
      "m",
    ),
  );
  t.regex(
    stderr,
    /^fedcredit: error: 1 of \d+ checks fail: privacy spend adds up, entry \d+ \(log_invalid\)\nhint: /,
  );
});

test("verify: a reader that leaves early changes nothing of the exit", async (t) => {
  for (const [name, code] of [
    ["good", 0],
    ["forged", 1],
  ] as const) {
    const args = ["--no-warnings", cli, "audit", "verify", file(`${name}.fcexport`), "--policy"];
    const verify = spawn(process.execPath, [...args, file("policy.txt")], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    verify.stdout.destroy();
    t.deepEqual(await once(verify, "close"), [code, null], name);
  }
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
    [["privacy spend adds up", at("privacy.spent")]],
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

test("reconcile: of several ledgers each is told by its enterprise, and fails alone", async (t) => {
  const other = enterprises[3]!;
  const honest = sampleLedger(other, roundIds);
  const hiding = sampleLedger("cold-chain", roundIds.slice(0, 2));
  const paths = [file("several-honest.fcexport"), file("several-hiding.fcexport")];
  for (const [i, ledger] of [honest, hiding].entries())
    await writeFile(paths[i]!, await ledger.export([], "ledger"));
  const { code, stdout } = await fedcredit(
    ...["audit", "reconcile", file("good.fcexport"), ...paths, "--policy", file("policy.txt"), "--json"],
  );
  t.is(code, 1);
  const { checks } = JSON.parse(stdout) as { checks: { check: string; ok: boolean }[] };
  const failing = new Set(checks.filter(({ ok }) => !ok).map(({ check }) => check.split(":")[0]));
  t.deepEqual([...failing], ["cold-chain"]);
  t.true(checks.some(({ check }) => check === `${other}: the ledger of ${other} verifies`));
});

/** @returns what reconciling the honest log with this ledger prints. */
async function reconciled(ledger: LogBuilder, bank = "good.fcexport"): Promise<Run> {
  const name = file(`ledger-${ledger.signer.name.replace("/", "-")}-${++ledgers}.fcexport`);
  await writeFile(name, await ledger.export([], "ledger"));
  return fedcredit(...["audit", "reconcile", file(bank), name, "--policy", file("policy.txt")]);
}
let ledgers = 0;

test("reconcile: a submission on one side only fails and names the entry", async (t) => {
  const hidden = await reconciled(sampleLedger("cold-chain", roundIds.slice(0, 2)));
  t.is(hidden.code, 1);
  const place = at("round.submitted", 7);
  t.regex(
    hidden.stdout,
    new RegExp(`^FAIL {2}every submission the bank logged is in the ledger, entry ${place}`, "m"),
  );
  t.regex(
    hidden.stdout,
    new RegExp(`^FAIL {2}everything it signed in the bank's log left by the ledger, entry ${place}`, "m"),
  );
  t.regex(
    hidden.stdout,
    /^FAIL {2}every checkpoint the bank logged is of this ledger, entry \d+: not there: this ledger ends at \d+ entries, and the log knows of \d+: ask the enterprise for it anew/m,
  );
  const more = sampleLedger("cold-chain", [...roundIds, "ab".repeat(32)]);
  const unlogged = await reconciled(more);
  t.is(unlogged.code, 1);
  t.regex(unlogged.stdout, /^FAIL {2}every submission in the ledger is in the bank's log, entry \d+/m);
  t.regex(
    unlogged.stdout,
    /^FAIL {2}every departure of a round has its outcome in the bank's log, entry \d+/m,
  );
});

test("reconcile: a submission cut off on its way is told from one the bank hides", async (t) => {
  const fourth = enterprises[3]!;
  const { code, stdout } = await reconciled(sampleLedger(fourth, roundIds));
  t.is(code, 0, stdout);
  t.regex(stdout, /in the bank's log: 4 submissions, 1 of them cut off on the way/);
});

const say = (...types: string[]): string[] => types.map((type) => `Rounds.Participate/${type}`);

test("reconcile: a release that the certificate holds and the ledger does not fails", async (t) => {
  const silent = sampleLedger("corner-shops", roundIds, (nth) =>
    nth === 1 ? say("submit", "agree", "renounced") : say("submit", "agree", "unmask"),
  );
  const { code, stdout } = await reconciled(silent);
  t.is(code, 1);
  const place = at("round.released");
  t.regex(
    stdout,
    new RegExp(`^FAIL {2}everything it signed in the bank's log left by the ledger, entry ${place}`, "m"),
  );
  t.is(stdout.match(/^FAIL/gm)?.length, 1, stdout);
});

test("reconcile: what left for an attempt that the bank's log says never came so far is found", async (t) => {
  const all = say("submit", "agree", "unmask", "released", "renounced");
  const released = await reconciled(sampleLedger("corner-shops", roundIds, () => all));
  t.is(released.code, 1);
  t.regex(
    released.stdout,
    /^FAIL {2}every departure of a round has its outcome in the bank's log, entry \d+/m,
  );
  t.is(released.stdout.match(/^FAIL/gm)?.length, 1, released.stdout);

  // The bank leaves the agreement of the attempt out of its log, and everything after it.
  let nth = 0;
  const hiding = sampleLog({
    entry: (entry) => {
      if (entry.type === "round.survivors" && nth++ === 1) return [];
      return entry.type === "round.aborted" ? [{ ...entry, renounced: [] }] : [entry];
    },
  });
  await writeFile(file("hiding.fcexport"), await hiding.export());
  const ids = openedIn(hiding);
  const ledger = sampleLedger("corner-shops", ids, (i) =>
    i === 1 ? say("submit", "agree") : say("submit", "agree", "unmask", "released"),
  );
  const { stdout } = await reconciled(ledger, "hiding.fcexport");
  t.is(stdout.match(/^FAIL/gm)?.length, 1, stdout);
  t.regex(stdout, /^FAIL {2}every departure of a round has its outcome in the bank's log, entry \d+/m);
});

test("reconcile: a checkpoint of the bank that its log does not reach is found in the ledger", async (t) => {
  const whole = sampleLog();
  const other = new LogBuilder();
  for (let i = 0; i < 5; i++) other.append({ other: i });
  const longer = new LogBuilder();
  for (const leaf of [...whole.leaves, whole.leaves[0]!]) longer.appendBytes(leaf);
  const witnessed = (checkpoint: string): LogBuilder => {
    const ledger = sampleLedger("corner-shops", roundIds);
    ledger.append({
      type: "egress.sent",
      time: 1_790_000_001_000,
      destination: "bank",
      kind: "Rounds.Participate/submit",
      bytes: 1,
      digest: "ab".repeat(32),
      roundId: roundIds[0],
      checkpoint,
    });
    return ledger;
  };
  t.is((await reconciled(witnessed(whole.checkpoint()))).code, 0);
  for (const log of [longer, other]) {
    const { code, stdout } = await reconciled(witnessed(log.checkpoint()));
    t.is(code, 1);
    t.regex(stdout, /^FAIL {2}every checkpoint in the ledger is of the bank's log, entry \d+/m);
    t.is(stdout.match(/^FAIL/gm)?.length, 1, stdout);
  }
});

test("verify --checkpoint: a log that was cut fails, one that reaches it does not", async (t) => {
  const whole = sampleLog();
  await writeFile(file("shown.note"), whole.checkpoint());
  const longer = new LogBuilder();
  for (const leaf of [...whole.leaves, whole.leaves[0]!]) longer.appendBytes(leaf);
  await writeFile(file("longer.note"), longer.checkpoint());
  const verify = (...notes: string[]): Promise<Run> =>
    fedcredit(
      ...["audit", "verify", file("good.fcexport"), "--policy", file("policy.txt")],
      ...["--checkpoint", ...notes.map(file)],
    );
  const good = await verify("shown.note");
  t.is(good.code, 0, good.stdout);
  t.regex(good.stdout, /^ok {4}every checkpoint shown is of this log/m);
  const cut = await verify("shown.note", "longer.note");
  t.is(cut.code, 1);
  t.regex(
    cut.stdout,
    /^FAIL {2}every checkpoint shown is of this log: a checkpoint of \d+ entries was shown/m,
  );
  t.regex((await verify("none.note")).stderr, /no such file \(file_missing\)/);
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
