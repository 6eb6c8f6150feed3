/** A bank and enterprises over gRPC, none in another's process, for benches that time a study. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { PriorResults } from "../models/algorithm.ts";
import { partyName } from "../models/plain.ts";
import { LocalBank } from "../simulate/consortium.ts";
import type { Problem } from "../simulate/data.ts";
import { type TrainedModel, trainStudy } from "../simulate/grpc.ts";
import type { NodesOrder } from "../simulate/nodes-child.ts";
import { plain } from "../simulate/plain.ts";
import { sealed } from "../simulate/sealed.ts";
import type { TransportOptions } from "../simulate/transport.ts";

/** Processes that the nodes are spread over. */
const hostCount = 2;

export const startHosts = (): ChildProcess[] =>
  Array.from({ length: hostCount }, () =>
    fork(new URL("../simulate/nodes-child.ts", import.meta.url), { serialization: "advanced" }),
  );

/** A bank in this process and nodes in others, which have consented to one study. */
export class Consortium implements AsyncDisposable {
  readonly #bank: LocalBank;
  readonly #study: string;
  readonly #hosts: readonly ChildProcess[];

  private constructor(bank: LocalBank, study: string, hosts: readonly ChildProcess[]) {
    this.#bank = bank;
    this.#study = study;
    this.#hosts = hosts;
  }

  static async found(hosts: readonly ChildProcess[], { manifest, tables }: Problem): Promise<Consortium> {
    const bank = await LocalBank.start();
    const consented = { ...manifest, consortium: bank.config.consortium };
    const credentials = [...(await bank.enrolAll(tables.map((_, i) => partyName(i)))).values()];
    const study = await bank.operator.propose(consented);
    const nodes = tables.map((table, i): NodesOrder["nodes"][number] => ({
      credentials: credentials[i]!,
      table,
    }));
    const order = { coordinator: bank.coordinator.address, study, manifest: consented };
    await Promise.all(
      hosts.map((host, at) =>
        answerOf(host, { ...order, nodes: nodes.filter((_, i) => i % hosts.length === at) }),
      ),
    );
    return new Consortium(bank, study, hosts);
  }

  train(onRound: TransportOptions["onRound"]): Promise<TrainedModel> {
    return trainStudy(this.#bank.operator, this.#study, onRound);
  }

  /** @returns what all nodes have sent so far. */
  async bytesUp(): Promise<number> {
    const sent = await Promise.all(this.#hosts.map((host) => answerOf(host, "bytesUp")));
    return sent.reduce((sum, bytes) => sum + bytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bank.stop();
  }
}

async function answerOf(host: ChildProcess, asked: NodesOrder | "bytesUp"): Promise<number> {
  const settled = new AbortController();
  const { signal } = settled;
  host.send(asked);
  const ended = once(host, "exit", { signal }).then(() => {
    throw new Error("a process of nodes ended before it answered");
  });
  ended.catch(() => {});
  const answered = once(host, "message", { signal });
  const [answer] = await Promise.race([answered, ended]).finally(() => settled.abort());
  return answer as number;
}

/** What a study came to, and what it took. */
interface Trained {
  readonly results: PriorResults;
  readonly rounds: number;
  /** All parties' together. */
  readonly bytesUp: number;
  /** From the first sum's beginning to the model. */
  readonly seconds: number;
}

/** Trains a problem's study. @param transport - `grpc` over processes, `plain` or `sealed` in this one. */
export async function trainOver(
  transport: string,
  problem: Problem,
  onRound: (algorithm: string) => void = () => {},
): Promise<Trained> {
  let first = performance.now();
  const told: TransportOptions["onRound"] = (algorithm, round) => {
    if (round <= 1) first = performance.now();
    onRound(algorithm);
  };
  const seconds = (): number => (performance.now() - first) / 1000;
  if (transport !== "grpc") {
    const options = { drop: { kind: "chance", probability: 0 }, seed: "0", onRound: told } as const;
    const { results, rounds, bytes } = await (transport === "plain" ? plain : sealed)(problem, options);
    return { results, rounds, bytesUp: bytes.up, seconds: seconds() };
  }
  const hosts = startHosts();
  try {
    await using consortium = await Consortium.found(hosts, problem);
    const { results, lineage } = await consortium.train(told);
    const trained = { results, rounds: lineage.rounds.length, seconds: seconds() };
    return { ...trained, bytesUp: await consortium.bytesUp() };
  } finally {
    for (const host of hosts) host.disconnect();
  }
}
