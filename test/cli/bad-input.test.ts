/**
 * Bad input, as a person at the command line meets it: one line with the reason, one with a hint, exit code 1 or 2,
 * nothing half done. Where else an entry is tested:
 *
 *   missing or malformed CSV, label, party without rows or of one class   client-node/rows.test.ts
 *   constant or collinear column                                          models/logistic.test.ts
 *   port taken                                                            here, coordinator/cli.test.ts
 *   database gone in the middle of a study                                coordinator/recovery.test.ts
 *   database of a later version                                           coordinator/store/store.test.ts
 *   disk full: blobs, ledger                                              coordinator/store/blobs.test.ts, client-node/egress.test.ts
 *   expired or foreign certificate, at the server                         coordinator/membership.test.ts
 *   manifest changed after consent                                        here, client-node/studies.test.ts
 *   clock, protocol version                                               here, client-node/transport.test.ts
 */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { stringify } from "yaml";
import {
  type NodeCredentials,
  type NodeSecrets,
  secretFiles,
  writePins,
} from "../../client-node/federation/credentials.ts";
import { createSecrets } from "../../client-node/federation/enrol.ts";
import { writeNewFiles } from "../../core/files.ts";
import { secureRandom } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { manifestSchema } from "../../models/study.ts";
import { newSignerKey } from "../../privacy/log/note.ts";
import { Health, protocolVersion } from "../../proto/wire.ts";
import { consortiumName, LocalBank, policyFor, temporaryDirectory } from "../../simulate/consortium.ts";
import { beginLedger } from "../support/enrolled.ts";
import { leftOut } from "../support/left-out.ts";
import { serve, testConsortium } from "../support/wire-server.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const execute = promisify(execFile);

interface Run {
  readonly args: readonly string[];
  /** How far this process's clock is ahead, milliseconds. */
  readonly skewMillis?: number;
}

async function fedcredit({ args, skewMillis = 0 }: Run) {
  const clock = `const now = Date.now; Date.now = () => now() + ${skewMillis};`;
  const skewed = skewMillis === 0 ? [] : ["--import", `data:text/javascript,${encodeURIComponent(clock)}`];
  const options = ["--no-warnings", ...skewed, cli, ...args];
  try {
    return { code: 0, ...(await execute(process.execPath, options, { env: { PATH: process.env.PATH } })) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

/** Runs a command that has to be refused. */
async function refused(t: ExecutionContext, reason: Reason, run: Run, says = ""): Promise<void> {
  const { code, stdout, stderr } = await fedcredit(run);
  const what = `${run.args.join(" ")}\n${stderr}`;
  t.is(code, reason === "usage" ? 2 : 1, what);
  t.is(stdout, "", what);
  const [line, hint] = stderr.trimEnd().split("\n").slice(-2) as [string, string];
  t.regex(line, new RegExp(`^fedcredit: error: \\S.* \\(${reason}\\)$`), what);
  t.regex(hint, /^hint: \S/, what);
  t.true(line.includes(says), what);
  t.false(/\n\s+at /.test(stderr), what);
}

/** Two at a time. */
async function refusals(
  t: ExecutionContext,
  cases: readonly (readonly [Reason, string, readonly string[]])[],
): Promise<void> {
  const queue = [...cases];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift())
      await refused(t, next[0], { args: next[2] }, next[1]);
  };
  await Promise.all([worker(), worker()]);
}

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const header = "x,income,region,bad";
const row = (i: number): string =>
  `${(i * 7) % 11},${1000 + ((i * 13) % 17)},${"abc"[i % 3]},${(i * 5) % 7 < 3 ? 1 : 0}`;
const rows = Array.from({ length: 60 }, (_, i) => row(i));

test.serial("simulate: files, columns and flags", async (t) => {
  const folder = await folderOf(t);
  const file = async (name: string, lines: readonly string[]): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `${lines.join("\n")}\n`);
    return path;
  };
  const good = await file("good.csv", [header, ...rows]);
  const on = (data: string, ...more: string[]): string[] => [
    ...["simulate", "--transport", "plain", "--label", "bad", "--data", data, ...more],
  ];
  const constant = [`${header},k`, ...rows.map((cells) => `${cells},7`)];
  const twice = [`${header},x2`, ...rows.map((cells) => `${cells},${2 * Number(cells.split(",")[0])}`)];
  const relabelled = (label: (i: number) => string | number): string[] => [
    header,
    ...rows.map((cells, i) => cells.replace(/[01]$/, String(label(i)))),
  ];
  await refusals(t, [
    ["file_missing", "nowhere.csv", on(join(folder, "nowhere.csv"))],
    ["file_malformed", ":3: 2 cells", on(await file("short.csv", [header, rows[0]!, "1,2", rows[1]!]))],
    ["rows_missing", "no rows", on(await file("empty.csv", [header]))],
    [
      "label_not_binary",
      "5 values",
      on(
        await file(
          "five.csv",
          relabelled((i) => i % 5),
        ),
      ),
    ],
    [
      "single_class",
      "holds 0",
      on(
        await file(
          "one.csv",
          relabelled(() => 0),
        ),
      ),
    ],
    ["cell_malformed", '"k" is constant', on(await file("constant.csv", constant), "--features", "x,k")],
    ["column_collinear", "x2 follows from x", on(await file("twice.csv", twice), "--param", "penalty=1e-14")],
    ["column_unknown", '"nope"', on(good, "--features", "x,nope")],
    ["usage", "Give a whole number", on(good, "--parties", "many")],
    ["usage", "--partys", on(good, "--partys", "3")],
    ["usage", "not a partition", on(good, "--partition", "dirichlet:Infinity")],
    ["usage", "party 61 of 80", on(good, "--parties", "80")],
    ["usage", "3 of 4", on(good, "--drop", "3@submit")],
    ["usage", "needs a command", ["coordinator"]],
  ]);
});

test.serial(
  "simulate over gRPC: what the bank refuses ends the run, and nothing stays running",
  async (t) => {
    const folder = await folderOf(t);
    const data = join(folder, "good.csv");
    await writeFile(data, [header, ...rows].join("\n"));
    const args = [
      "simulate",
      "--data",
      data,
      "--label",
      "bad",
      "--transport",
      "grpc",
      "--algorithm",
      "oracle",
    ];
    await refused(t, "algorithm_unknown", { args });
  },
);

const manifest = manifestSchema.parse({
  consortium: consortiumName,
  name: "sme",
  purpose: "credit risk",
  legalBasis: "contract",
  impactAssessment: "PIA-1",
  retentionDays: 30,
  label: { column: "bad", bad: ["1"], good: ["0"] },
  features: [{ name: "x", kind: "numeric" }],
  maxRowsPerParty: 100,
  holdout: { fraction: 0 },
  algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 5 },
});

/** A node's folder as `node init` and `node enrol` leave it. */
async function nodeFolder(
  dir: string,
  coordinator: string,
  enrolment: string,
  secrets: NodeSecrets,
  pins?: NodeCredentials,
): Promise<string> {
  const dataDir = join(dir, "data");
  await mkdir(dataDir, { recursive: true });
  writeNewFiles(secretFiles(dataDir, secrets));
  if (pins !== undefined) {
    const { enterprise, consortium, certificate, ca, bankKey, auditorKey } = pins;
    writePins(dataDir, { enterprise, consortium, certificate, ca, bankKey, auditorKey });
    beginLedger(dataDir);
  }
  const data = join(dir, "rows.csv");
  await writeFile(data, [header, ...rows].join("\n"));
  const config = { enterprise: "mill", consortium: consortiumName, coordinator, enrolment, dataDir: "data" };
  await writeFile(join(dir, "node.yaml"), stringify({ ...config, rows: { files: [data] } }));
  await writeFile(join(dir, "policy.yaml"), stringify(policyFor(manifest)));
  return dir;
}

const day = 86_400_000;

test.serial("node: tokens, certificates, clocks, rows and manifests", async (t) => {
  const folder = await folderOf(t);
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const { address, enrolmentAddress } = bank.coordinator;
  const secrets = await createSecrets(consortiumName, "mill", secureRandom);
  const dir = await nodeFolder(join(folder, "mill"), address, enrolmentAddress, secrets);
  const token = await bank.operator.createToken("mill", "Mill Ltd");
  const enrol = ["node", "enrol", "--dir", dir, "--token", token];
  t.is((await fedcredit({ args: enrol })).code, 0);
  const pins = await readFile(join(dir, "data", "pins.json"), "utf8");
  await refused(t, "token_invalid", { args: enrol }, "unknown, used or expired");
  t.is(await readFile(join(dir, "data", "pins.json"), "utf8"), pins, "the pins stay");

  // A ledger of nothing would be one of nothing spent.
  const ledger = join(dir, "data", "ledger.db");
  const whole = await readFile(ledger);
  const anew = await bank.operator.createToken("mill", "Mill Ltd");
  const emptied = (...args: string[]) =>
    refused(t, "file_missing", { args: ["node", ...args, "--dir", dir] }, "its ledger holds nothing");
  await truncate(ledger);
  await Promise.all([emptied("start"), emptied("enrol", "--token", anew)]);
  await rm(ledger);
  await emptied("studies");
  await writeFile(ledger, whole);

  const studies = ["node", "studies", "--dir", dir];
  await Promise.all([
    refused(t, "clock_skew", { args: studies, skewMillis: day }, "86400 s ahead"),
    refused(t, "clock_skew", { args: studies, skewMillis: -day }),
  ]);
  await refused(t, "certificate_invalid", { args: studies, skewMillis: 500 * day }, "expired");
  const other = await testConsortium();
  const foreign = join(folder, "foreign");
  await nodeFolder(foreign, address, enrolmentAddress, other.credentials, other.credentials);
  await refused(t, "certificate_invalid", { args: ["node", "studies", "--dir", foreign] });

  await bank.operator.admit();
  await bank.countersign();
  const auditor = bank.auditor();
  const fromTomorrow = auditor.witness(undefined, Date.now() + day).finally(() => auditor.close());
  t.is((await t.throwsAsync(fromTomorrow, { instanceOf: Refusal }))?.reason, "clock_skew");
  await bank.operator.propose(manifest);
  const consent = ["node", "consent", "sme", "--dir", dir];
  const oneClass = rows.filter((cells) => cells.endsWith("0"));
  for (const [reason, lines] of [
    ["rows_missing", [header]],
    ["single_class", [header, ...oneClass]],
    ["cell_malformed", [header, ...rows.with(3, "abc,1,a,0")]],
    ["column_unknown", ["x1,income,region,bad", ...rows]],
    ["label_not_binary", [header, ...rows.map((cells) => cells.replace(/[01]$/, "maybe"))]],
  ] as const) {
    await writeFile(join(dir, "rows.csv"), lines.join("\n"));
    await refused(t, reason, { args: consent });
  }
  await writeFile(join(dir, "rows.csv"), [header, ...rows].join("\n"));
  t.deepEqual((await bank.operator.studies())[0]?.consented, [], "nobody consented");
  t.is((await fedcredit({ args: consent })).code, 0);
  await t.throwsAsync(bank.operator.propose({ ...manifest, retentionDays: 31 }), { message: /called sme/ });

  const bankDir = join(folder, "bank");
  await fedcredit({
    args: [
      ...["coordinator", "init", "--dir", bankDir, "--consortium", "other", "--quorum", "0"],
      ...["--auditor-key", newSignerKey("auditor", secureRandom).send, "--listen", address],
    ],
  });
  const config = join(bankDir, "coordinator.yaml");
  await refused(t, "port_taken", {
    args: ["coordinator", "start", "--config", config, "--log-level", "error"],
  });

  const oldServer = await oldDatabase();
  t.teardown(() => void oldServer.close());
  const { port } = oldServer.address() as { port: number };
  const text = await readFile(config, "utf8");
  for (const [reason, database] of [
    ["database_version", `postgres://bank@127.0.0.1:${port}/bank`],
    ["database_unavailable", "postgres://bank@127.0.0.1:1/bank"],
  ] as const) {
    await writeFile(config, text.replace(/^database: .*$/m, `database: ${database}`));
    await refused(t, reason, { args: ["coordinator", "start", "--config", config] });
  }
});

test.serial("node: a coordinator of a later protocol version", async (t) => {
  const folder = await folderOf(t);
  const { authority, credentials } = await testConsortium();
  const reply = { protocolVersion: protocolVersion + 1, softwareVersion: "9.0.0", timeMillis: Date.now() };
  const server = await serve(authority, [
    [Health.service, { Check: (_: unknown, answer: (e: null, r: object) => void) => answer(null, reply) }],
  ]);
  t.teardown(() => server.stop());
  const dir = await nodeFolder(
    join(folder, "mill"),
    server.address,
    server.address,
    credentials,
    credentials,
  );
  await refused(t, "protocol_version", { args: ["node", "studies", "--dir", dir] }, "speaks version");
});

/** Speaks just enough of the protocol to say that it is PostgreSQL 14. @see PostgreSQL 17 documentation, 53.7 */
function oldDatabase(): Promise<Server> {
  const message = (type: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length + 4);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  const integers = (...values: number[]): Buffer =>
    Buffer.concat(values.map((value) => Buffer.from([value >> 24, value >> 16, value >> 8, value])));
  const ready = message("Z", Buffer.from("I"));
  const column = [
    Buffer.from("number\0"),
    integers(0),
    Buffer.from([0, 0]),
    integers(23),
    Buffer.from([0, 4]),
  ];
  const described = [Buffer.from([0, 1]), ...column, integers(-1), Buffer.from([0, 0])];
  const value = Buffer.from("140011");
  const data = message("D", Buffer.concat([Buffer.from([0, 1]), integers(value.length), value]));
  // By the type of the driver's message: Parse, Describe, Bind, Execute, Sync.
  const answers: Readonly<Record<string, Buffer>> = {
    P: message("1", Buffer.alloc(0)),
    D: Buffer.concat([message("t", Buffer.from([0, 0])), message("T", Buffer.concat(described))]),
    B: message("2", Buffer.alloc(0)),
    E: Buffer.concat([data, message("C", Buffer.from("SELECT 1\0"))]),
    S: ready,
  };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(Buffer.concat([message("R", integers(0)), ready]));
      socket.on("data", (frames) => {
        for (let at = 0; at < frames.length; at += 1 + frames.readInt32BE(at + 1)) {
          const reply = answers[String.fromCharCode(frames[at]!)];
          if (reply !== undefined) socket.write(reply);
        }
      });
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

test.serial("a full disk: keys, configuration and exports are there whole or not at all", async (t) => {
  const disk = await folderOf(t);
  const mounted = await execute("mount", ["-t", "tmpfs", "-o", "size=100k", "tmpfs", disk]).catch(
    () => undefined,
  );
  if (mounted === undefined) {
    leftOut("right to mount a small disk: full-disk test of the command line");
    return t.pass();
  }
  try {
    await writeFile(join(disk, "fill"), Buffer.alloc(200_000)).catch(() => {});
    const key = newSignerKey("auditor", secureRandom).send;
    const bank = ["coordinator", "init", "--dir", join(disk, "bank"), "--consortium", "riverbank"];
    const node = [
      "node",
      "init",
      "--dir",
      join(disk, "mill"),
      "--enterprise",
      "mill",
      "--consortium",
      "riverbank",
    ];
    const commands = [
      [...bank, "--quorum", "0", "--auditor-key", key],
      [...node, "--coordinator", "bank.example:1", "--enrolment", "bank.example:2"],
      ["audit", "init", "--out", join(disk, "auditor")],
    ];
    for (const args of commands) await refused(t, "disk_full", { args });
    const entries = await readdir(disk, { recursive: true, withFileTypes: true });
    t.deepEqual(
      entries.filter((entry) => entry.isFile()).map(({ name }) => name),
      ["fill"],
    );
    await rm(join(disk, "fill"));
    for (const args of commands) t.is((await fedcredit({ args })).code, 0, args.join(" "));
  } finally {
    await execute("umount", [disk]);
  }
});
