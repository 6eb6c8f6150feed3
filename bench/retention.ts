import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectStatistics } from "../client-node/federation/statistics.ts";
import { startNode } from "../client-node/node.ts";
import { systemClock } from "../coordinator/bank.ts";
import { secureRandom, seededRandom, uniform } from "../core/random.ts";
import { manifestSchema, type StudyManifest } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import { openBfv } from "../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor } from "../simulate/consortium.ts";
import { atMost, type Bench, type BenchOptions, type Figure, noted, option } from "./bench.ts";

const parties = 3;
const rowsPerParty = 50;
const sumsOfStudy = 100;
const dayMillis = 86_400_000;

export const options: BenchOptions = {
  "--rounds <n>": "of all studies together (10000)",
};

/**
 * Disk and memory of a consortium over many rounds, its retention running: studies of the smallest sums, each pruned a
 * day after its end. Bank and nodes share this process, so that its memory is all of theirs.
 */
export const bench: Bench = async (args, progress) => {
  const rounds = Number(option(args, "--rounds", "10000"));
  await using cleanUp = new AsyncDisposableStack();
  let ahead = 0;
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  const bank = await LocalBank.start({ witnesses: { quorum: 1 } }, { clock });
  cleanUp.defer(() => bank.stop());
  const home = await mkdtemp(join(tmpdir(), "fedcredit-retention-"));
  cleanUp.defer(() => rm(home, { recursive: true, force: true }));
  const names = Array.from({ length: parties }, (_, i) => `mill-${i + 1}`);
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  cleanUp.defer(() => bfv.close());
  const random = seededRandom("bench retention");
  const nodes = await Promise.all(
    names.map((name) => {
      const table = tableOf(random);
      return startNode({
        credentials: credentials.get(name)!,
        coordinator: bank.coordinator.address,
        policy: () => policyFor(studyOf(0)),
        rows: async () => table,
        ledger: join(home, `${name}.db`),
        bfv,
        statistics: new DirectStatistics(secureRandom),
        random: secureRandom,
        now: clock.now,
      });
    }),
  );
  cleanUp.defer(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  });

  const at = async () => ({
    bank: await bytesBelow(bank.dir),
    node: (await bytesBelow(home)) / parties,
    memory: process.memoryUsage.rss(),
  });
  const auditor = bank.auditor();
  cleanUp.defer(() => auditor.close());
  let seen = await auditor.witness(undefined, clock.now());
  const begun = performance.now();
  let done = 0;
  let half: (Awaited<ReturnType<typeof at>> & { readonly rounds: number }) | undefined;
  for (let number = 1; done < rounds; number++) {
    const study = await bank.operator.propose(studyOf(number));
    for (const node of nodes) await node.consent(study);
    await bank.operator.start(study);
    let last = "";
    for await (const { phase, reason } of bank.operator.follow(study)) last = `${phase} ${reason}`.trim();
    if (last !== "finished") throw new Error(`study ${number}: ${last}`);
    done += sumsOfStudy;
    ahead += dayMillis + 1000;
    // What the first pass says is seen, and the next one removes.
    await bank.operator.prune();
    seen = await auditor.witness(seen, clock.now());
    await bank.operator.prune();
    if (half === undefined && done >= rounds / 2) half = { ...(await at()), rounds: done };
    if (done % 1000 === 0) {
      const { bank: disk, node, memory } = await at();
      progress(`${done} rounds: bank ${mega(disk)} MB, a node ${mega(node)} MB, memory ${mega(memory)} MB`);
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  const end = await at();
  const { entries, kept } = await removedOf(bank);
  const grown = (what: "bank" | "node" | "memory"): number =>
    mega(((end[what] - half![what]) * 1000) / Math.max(1, done - half!.rounds));
  const figures: Figure[] = [
    noted("rounds", done, ""),
    noted("one round", Math.round((1000 * seconds) / done), "ms"),
    noted("the bank's folder", mega(end.bank), "MB"),
    noted("the bank's folder, for 1,000 rounds more", grown("bank"), "MB"),
    noted("a node's ledger", mega(end.node), "MB"),
    noted("a node's ledger, for 1,000 rounds more", grown("node"), "MB"),
    noted("entries of the log", entries, ""),
    atMost("sums that are kept after their retention", kept, "", 0),
    noted("memory of all", mega(end.memory), "MB"),
    noted("memory of all, for 1,000 rounds more", grown("memory"), "MB"),
  ];
  return { bench: "retention", runs: 1, figures };
};

/** What is left of studies that were to be pruned. */
async function removedOf(bank: LocalBank): Promise<{ entries: number; kept: number }> {
  let entries = 0;
  let kept = 0;
  let text = "";
  for await (const chunk of bank.operator.exportLog()) {
    text += Buffer.from(chunk).toString("utf8");
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith('{"entry"')) entries++;
      if (line.startsWith('{"certificate"')) kept++;
    }
  }
  return { entries, kept };
}

const mega = (bytes: number): number => Math.round(bytes / 1e5) / 10;

async function bytesBelow(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // Databases come and go with their files.
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += (found?.blocks ?? 0) * 512;
  }
  return bytes;
}

const studyOf = (number: number): StudyManifest =>
  manifestSchema.parse({
    consortium: "riverbank",
    name: `small-${number}`,
    purpose: "bench",
    legalBasis: "none",
    impactAssessment: "none",
    retentionDays: 1,
    label: { column: "bad", bad: ["1"], good: ["0"] },
    features: [{ name: "output", kind: "numeric" }],
    maxRowsPerParty: 100,
    holdout: { fraction: 0 },
    algorithms: Array.from({ length: sumsOfStudy }, (_, i) => ({ name: "range", as: `range-${i + 1}` })),
    privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
    unprotected: ["noise"],
    deadlines: { stepSeconds: 60 },
  });

function tableOf(random: Parameters<typeof uniform>[0]): Table {
  const label = Uint8Array.from({ length: rowsPerParty }, (_, row) => row % 2);
  return {
    rows: rowsPerParty,
    columns: new Map([
      [
        "output",
        { kind: "numeric", values: Float64Array.from({ length: rowsPerParty }, () => uniform(random)) },
      ],
    ]),
    label,
    outcome: label,
    subject: Int32Array.from({ length: rowsPerParty }, (_, row) => row),
    holdout: new Uint8Array(rowsPerParty),
  };
}
