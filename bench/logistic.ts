import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { seededRandom, uniform } from "../core/random.ts";
import { partyName } from "../models/plain.ts";
import { manifestSchema, type StudyManifest } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import { LocalBank } from "../simulate/consortium.ts";
import { trainStudy } from "../simulate/grpc.ts";
import type { NodesOrder } from "../simulate/nodes-child.ts";
import { atMost, type Bench, median, noted } from "./bench.ts";

const features = 30;
const parties = 10;
const rowsPerParty = 10_000;
const runs = 3;
/** Processes that the nodes are spread over. */
const hostCount = 2;

/**
 * A logistic study over gRPC on loopback with every layer on: a coordinator with its database, and ten nodes in
 * two more processes. Counted from the study's start to its coefficients; founding the consortium is not.
 */
export const bench: Bench = async (_args, progress) => {
  const seconds: number[] = [];
  const roundMillis: number[] = [];
  let rounds = 0;
  const hosts = startHosts();
  for (let run = 0; run < runs; run++) {
    const random = seededRandom(`bench logistic ${run}`);
    const tables = Array.from({ length: parties }, () => syntheticTable(random));
    const times: number[] = [];
    await using consortium = await Consortium.found(hosts, tables);
    const begun = performance.now();
    rounds = await consortium.train((algorithm) => {
      if (algorithm === "logistic") times.push(performance.now());
    });
    seconds.push((performance.now() - begun) / 1000);
    for (let i = 1; i < times.length; i++) roundMillis.push(times[i]! - times[i - 1]!);
    progress(`run ${run + 1} of ${runs}: ${seconds.at(-1)!.toFixed(2)} s, ${rounds} rounds`);
  }
  for (const host of hosts) host.disconnect();
  return {
    bench: "logistic",
    runs,
    figures: [
      atMost("start to coefficients", median(seconds), "s", 1.5),
      atMost("one round", median(roundMillis), "ms", 120),
      noted("rounds", rounds, ""),
    ],
  };
};

export const startHosts = (): ChildProcess[] =>
  Array.from({ length: hostCount }, () =>
    fork(new URL("../simulate/nodes-child.ts", import.meta.url), { serialization: "advanced" }),
  );

/** A bank in this process and nodes in others, which have consented to one study. */
export class Consortium implements AsyncDisposable {
  readonly #bank: LocalBank;
  readonly #study: string;

  private constructor(bank: LocalBank, study: string) {
    this.#bank = bank;
    this.#study = study;
  }

  static async found(hosts: readonly ChildProcess[], tables: readonly Table[]): Promise<Consortium> {
    const bank = await LocalBank.start();
    const consented: StudyManifest = { ...manifest, consortium: bank.config.consortium };
    const credentials = [...(await bank.enrolAll(tables.map((_, i) => partyName(i)))).values()];
    const study = await bank.operator.propose(consented);
    const nodes = tables.map((table, i): NodesOrder["nodes"][number] => ({
      credentials: credentials[i]!,
      table,
    }));
    const order = { coordinator: bank.coordinator.address, study, manifest: consented };
    await Promise.all(
      hosts.map((host, at) =>
        consentOf(host, { ...order, nodes: nodes.filter((_, i) => i % hosts.length === at) }),
      ),
    );
    return new Consortium(bank, study);
  }

  /** @returns the rounds it took. */
  async train(onRound: (algorithm: string) => void): Promise<number> {
    return (await trainStudy(this.#bank.operator, this.#study, onRound)).lineage.rounds.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bank.stop();
  }
}

async function consentOf(host: ChildProcess, order: NodesOrder): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  host.send(order);
  const ended = once(host, "exit", { signal }).then(() => {
    throw new Error("a process of nodes ended before they consented");
  });
  ended.catch(() => {});
  await Promise.race([once(host, "message", { signal }), ended]).finally(() => settled.abort());
}

const names = Array.from({ length: features }, (_, i) => `x${i + 1}`);

export const manifest = manifestSchema.parse({
  consortium: "bench",
  name: "logistic",
  purpose: "benchmark",
  legalBasis: "none",
  impactAssessment: "none",
  retentionDays: 1,
  label: { column: "bad", bad: ["1"], good: ["0"] },
  features: names.map((name) => ({ name, kind: "numeric" })),
  maxRowsPerParty: rowsPerParty,
  holdout: { fraction: 0 },
  algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 60 },
});

/** Uniform columns; log-odds −1 + 0.2·Σ x over the first ten. */
export function syntheticTable(random: ReturnType<typeof seededRandom>): Table {
  const columns = names.map(() => Float64Array.from({ length: rowsPerParty }, () => 4 * uniform(random) - 2));
  const label = Uint8Array.from({ length: rowsPerParty }, (_, row) => {
    const logOdds = columns.slice(0, 10).reduce((sum, column) => sum + 0.2 * column[row]!, -1);
    return uniform(random) < 1 / (1 + Math.exp(-logOdds)) ? 1 : 0;
  });
  return {
    rows: rowsPerParty,
    columns: new Map(names.map((name, i) => [name, { kind: "numeric", values: columns[i]! }])),
    label,
    outcome: label,
    subject: Int32Array.from({ length: rowsPerParty }, (_, row) => row),
    holdout: new Uint8Array(rowsPerParty),
  };
}
