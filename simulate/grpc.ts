import { join } from "node:path";
import type { NodeEvent } from "../client-node/events.ts";
import type { NodeCredentials } from "../client-node/federation/credentials.ts";
import { DirectStatistics } from "../client-node/federation/statistics.ts";
import { type RunningNode, startNode } from "../client-node/node.ts";
import type { Operator } from "../coordinator/operator.ts";
import type { Digest } from "../core/canonical.ts";
import { secureRandom, seededRandom } from "../core/random.ts";
import { isReason, Refusal } from "../core/reasons.ts";
import type { PriorResults } from "../models/algorithm.ts";
import { partyName } from "../models/plain.ts";
import { studyArithmetic } from "../models/recompute.ts";
import type { Table } from "../models/table.ts";
import { parseCheckpoint } from "../privacy/log/tree-head.ts";
import { allHold, verifyExport } from "../privacy/log/verify.ts";
import { type Bfv, openBfv } from "../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor } from "./consortium.ts";
import type { Problem } from "./data.ts";
import { DropOuts } from "./drop-outs.ts";
import { interruptible } from "./interruption.ts";
import { modelOf, type Outcome, type Step, type Transport, type TransportOptions } from "./transport.ts";

/** Where a party's state machine stands right before it sends the message that ends a step. */
const phaseBefore: Readonly<Record<Step, string>> = {
  submit: "contributing",
  agree: "agreed",
  unmask: "unmasked",
  released: "released",
};

/** A real coordinator with its database, and one real node per party, over mutual TLS on loopback. */
export const grpc: Transport = (problem, options) =>
  interruptible(async (interruption) => {
    await using federation = await Federation.open(problem, options);
    const whole = federation.train().then((model) => federation.outcome(model));
    return await Promise.race([whole, interruption]);
  });

/** A consortium of simulated enterprises, ready to run one study. */
export class Federation implements AsyncDisposable {
  readonly #bank: LocalBank;
  readonly #bfv: Bfv;
  readonly #held = new AsyncDisposableStack();
  readonly #problem: Problem;
  readonly #options: TransportOptions;
  readonly #drops: DropOuts;
  readonly #credentials: ReadonlyMap<string, NodeCredentials>;
  readonly #nodes = new Map<string, RunningNode>();
  readonly #bytes = { up: 0, down: 0 };
  /** The step at which a party leaves the attempt under way, and the attempts this was decided for. */
  readonly #leaving = new Map<string, Step>();
  readonly #decided = new Set<string>();
  /** A ledger on disk is what a party that left comes back with. Many on one disk would wait for each other. */
  readonly #comeBack: boolean;
  #study: Digest = "";

  private constructor(
    problem: Problem,
    options: TransportOptions,
    bank: LocalBank,
    bfv: Bfv,
    credentials: ReadonlyMap<string, NodeCredentials>,
  ) {
    this.#problem = problem;
    this.#options = options;
    this.#bank = bank;
    this.#bfv = bfv;
    this.#credentials = credentials;
    this.#comeBack = options.drop.kind === "chance" && options.drop.probability > 0;
    this.#drops = new DropOuts(options.drop, seededRandom(`drop ${options.seed}`), modelOf(problem.manifest));
  }

  /**
   * Founds the consortium, enrols everyone, starts the nodes and has them consent.
   * @throws Refusal; nothing runs then.
   */
  static async open(problem: Problem, options: TransportOptions): Promise<Federation> {
    await using held = new AsyncDisposableStack();
    const bank = held.adopt(await LocalBank.start(), (started) => started.stop());
    const bfv = held.adopt(await openBfv(), (opened) => opened.close());
    const ids = problem.tables.map((_, i) => partyName(i));
    const credentials = await bank.enrolAll(ids);
    const manifest = { ...problem.manifest, consortium: bank.config.consortium };
    const federation = new Federation({ ...problem, manifest }, options, bank, bfv, credentials);
    held.defer(() => federation.#stopNodes());
    federation.#study = await bank.operator.propose(manifest);
    await Promise.all(ids.map((id) => federation.#start(id)));
    await Promise.all([...federation.#nodes.values()].map((node) => node.consent(federation.#study)));
    federation.#held.use(held.move());
    return federation;
  }

  /** Runs the study from its start to the published model. @throws Refusal */
  train(): Promise<TrainedModel> {
    return trainStudy(this.#bank.operator, this.#study, this.#options.onRound);
  }

  /** Verifies the log, and counts what went over the wire. @throws Refusal */
  async outcome({ results, lineage, protection }: TrainedModel): Promise<Outcome> {
    const { operator } = this.#bank;
    for (const node of this.#nodes.values()) this.#count(node);
    const checks = await verifyExport(operator.exportLog(), this.#bank.logPolicy(), {
      arithmetic: studyArithmetic,
    });
    const { size, root } = parseCheckpoint((await operator.checkpoint()).split("\n\n")[0]!.concat("\n"));
    return {
      results,
      rounds: lineage.rounds.length,
      protection,
      bytes: this.#bytes,
      log: { size, root: Buffer.from(root).toString("hex"), verified: allHold(checks) },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }

  async #stopNodes(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
  }

  async #start(id: string): Promise<void> {
    const { manifest, tables } = this.#problem;
    const table: Table = tables[[...this.#credentials.keys()].indexOf(id)]!;
    const node = await startNode({
      credentials: this.#credentials.get(id)!,
      coordinator: this.#bank.coordinator.address,
      policy: () => policyFor(manifest),
      statistics: new DirectStatistics(secureRandom),
      rows: async () => table,
      ledger: this.#comeBack ? join(this.#bank.dir, `${id}.db`) : ":memory:",
      bfv: this.#bfv,
      random: secureRandom,
      now: Date.now,
      onEvent: (event) => this.#onEvent(id, event),
    });
    this.#nodes.set(id, node);
  }

  #onEvent(id: string, event: NodeEvent): void {
    if (event.type !== "round") return;
    const attempt = `${event.round}.${event.attempt}`;
    if (!this.#decided.has(attempt)) {
      this.#decided.add(attempt);
      const cohort = [...this.#nodes.keys()].sort();
      for (const [party, step] of this.#drops.inAttempt(cohort, event.algorithm))
        this.#leaving.set(party, step);
    }
    const step = this.#leaving.get(id);
    if (step === undefined || phaseBefore[step] !== event.phase) return;
    this.#leaving.delete(id);
    const node = this.#nodes.get(id)!;
    this.#nodes.delete(id);
    this.#count(node);
    node.drop();
    if (!this.#drops.gone.has(id)) void node.finished.then(() => this.#start(id));
  }

  #count(node: RunningNode): void {
    const { up, down } = node.bytes();
    this.#bytes.up += up;
    this.#bytes.down += down;
  }
}

/**
 * Starts a study that its parties consented to, and waits for its model.
 * @param onRound - called when a round begins, counted from 1.
 * @throws Refusal why it failed
 */
export async function trainStudy(
  operator: Operator,
  study: Digest,
  onRound: TransportOptions["onRound"],
): Promise<TrainedModel> {
  await operator.start(study);
  let round = 0;
  for await (const view of operator.follow(study)) {
    if (view.phase === "failed" || view.phase === "stopped")
      throw new Refusal(
        isReason(view.reason) ? view.reason : "internal",
        `the study ${view.phase}: ${view.detail}`,
      );
    if (view.phase === "running" && view.round > round) {
      round = view.round;
      onRound(view.algorithm, round);
    }
  }
  return (await operator.model(study)).model as unknown as TrainedModel;
}

/** What a harness reads of the published model. */
export interface TrainedModel {
  readonly results: PriorResults;
  readonly lineage: { readonly rounds: readonly unknown[] };
  readonly protection: Outcome["protection"];
}
