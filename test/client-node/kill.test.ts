import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import test from "ava";
import { stringify } from "yaml";
import type { NodeEvent } from "../../client-node/events.ts";
import { readSecrets, writePins } from "../../client-node/federation/credentials.ts";
import { enrol } from "../../client-node/federation/enrol.ts";
import { initNode, policyFile } from "../../client-node/init.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { ledgerFile } from "../../client-node/node.ts";
import { secureRandom } from "../../core/random.ts";
import { selectRows } from "../../models/rows.ts";
import { publicIdentity } from "../../privacy/identity.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { verifyExport } from "../../privacy/log/verify.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import {
  consortiumName,
  LocalBank,
  policyFor,
  startEnterprise,
  temporaryDirectory,
} from "../../simulate/consortium.ts";
import { beginLedger } from "../support/enrolled.ts";
import { borrowers, scatter, studyOf } from "../support/rows.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const manifest = {
  ...studyOf([{ name: "income", kind: "numeric" }], [{ name: "range" }, { name: "summary" }]),
  privacy: { minCohort: 4, maxColluding: 0, unit: "record" as const },
};
const tables = scatter(240, 4, "kill").map((rows) => {
  const mine = new Set(rows);
  return selectRows(borrowers(), (row) => mine.has(row));
});

type Child = ChildProcessByStdio<null, Readable, null>;

/** `fedcredit node start --json` as a process of its own, and its events. */
function startProcess(dir: string): { child: Child; events: AsyncGenerator<NodeEvent> } {
  const child = spawn(process.execPath, ["--no-warnings", cli, "node", "start", "--dir", dir, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  async function* events(): AsyncGenerator<NodeEvent> {
    for await (const line of createInterface(child.stdout)) yield JSON.parse(line) as NodeEvent;
  }
  return { child, events: events() };
}

async function runCommand(...args: string[]): Promise<number | null> {
  const child = spawn(process.execPath, ["--no-warnings", cli, "node", ...args], { stdio: "ignore" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

async function makeFolder(bank: LocalBank, dir: string): Promise<string> {
  const rows = join(dir, "..", "loans.csv");
  const { columns, label } = tables[3]!;
  const income = columns.get("income");
  if (income?.kind !== "numeric") throw new TypeError("income is numeric");
  const lines = [...income.values].map((value, row) => `${value},${label[row]}`);
  await writeFile(rows, ["income,status", ...lines, ""].join("\n"));
  const { address, enrolmentAddress } = bank.coordinator;
  const consortium = consortiumName;
  const { dataDir } = await initNode(
    dir,
    {
      enterprise: "dogwood",
      consortium,
      coordinator: address,
      enrolment: enrolmentAddress,
      rows: { files: [rows] },
    },
    secureRandom,
  );
  await writeFile(policyFile(dir), stringify(policyFor(manifest)));
  const token = await bank.operator.createToken("dogwood", "Dogwood Ltd");
  const secrets = readSecrets(dataDir);
  const now = Date.now();
  writePins(
    dataDir,
    await enrol({
      consortium,
      enterprise: "dogwood",
      address: enrolmentAddress,
      token,
      secrets,
      now,
      beforeSend: () => beginLedger(dataDir),
    }),
  );
  return dataDir;
}

test("a killed node is a drop-out; it comes back and joins the next attempt", async (t) => {
  const bank = await LocalBank.start();
  const folder = await temporaryDirectory();
  const dir = join(folder, "dogwood");
  const dataDir = await makeFolder(bank, dir);
  const names = ["alder", "birch", "cedar"];
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  const nodes = await Promise.all(
    names.map((name, i) => startEnterprise(bank, credentials.get(name)!, manifest, tables[i]!, bfv)),
  );
  t.teardown(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await bfv.close();
    await bank.stop();
    await rm(folder, { recursive: true });
  });

  const study = await bank.operator.propose(manifest);
  for (const node of nodes) await node.consent(study);
  t.is(await runCommand("consent", "--dir", dir, manifest.name), 0);

  const first = startProcess(dir);
  let killed: { round: number; attempt: number } | undefined;
  for await (const event of first.events) {
    if (event.type === "connected") await bank.operator.start(study);
    if (event.type === "round" && event.phase === "contributing") {
      killed = event;
      first.child.kill("SIGKILL");
    }
  }
  t.truthy(killed);

  const second = startProcess(dir);
  const seen: NodeEvent[] = [];
  const ended = (async () => {
    for await (const event of second.events) seen.push(event);
  })();
  let last = "";
  for await (const { phase, reason } of bank.operator.follow(study)) last = `${phase} ${reason}`.trim();
  t.is(last, "finished");

  const out = join(folder, "model.json");
  t.is(await runCommand("model", "--dir", dir, manifest.name, "--out", out), 0);
  t.true("results" in (JSON.parse(await readFile(out, "utf8")) as object));
  second.child.kill("SIGTERM");
  const [code] = (await once(second.child, "exit")) as [number | null];
  await ended;
  t.is(code, 0);

  const joined = seen.filter((event) => event.type === "round");
  const next = joined[0]!;
  t.true(
    next.round > killed!.round || (next.round === killed!.round && next.attempt > killed!.attempt),
    `${next.round}.${next.attempt} after ${killed!.round}.${killed!.attempt}`,
  );
  t.true(joined.some(({ phase }) => phase === "released"));

  const db = openStore(ledgerFile(dataDir));
  const { identity } = readSecrets(dataDir);
  const log = parseVerifierKey(publicIdentity(identity).verifierKey);
  const ledger = new EgressLedger(db, { identity });
  const checks = await verifyExport(ledger.export(), { log, witnesses: [], quorum: { kind: "none" } });
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  db.close();
});
