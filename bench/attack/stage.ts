/** Where an attack is played: a bank that lies, honest nodes, and friends of the bank among the enterprises. */
import { setTimeout as delay } from "node:timers/promises";
import type { NodeCredentials } from "../../client-node/federation/credentials.ts";
import { DirectStatistics } from "../../client-node/federation/statistics.ts";
import { type RunningNode, startNode } from "../../client-node/node.ts";
import type { Policy } from "../../client-node/policy.ts";
import { stateDigest } from "../../coordinator/studies/state-chain.ts";
import type { Digest } from "../../core/canonical.ts";
import { secureRandom, seededRandom, uniform } from "../../core/random.ts";
import type { Reason } from "../../core/reasons.ts";
import { StudyMemory } from "../../models/memory.ts";
import { algorithmNames } from "../../models/registry.ts";
import { manifestSchema, type StudyManifest } from "../../models/study.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyNext,
} from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import { vectorLength } from "../../privacy/sum/layout.ts";
import { simulatedHeader } from "../../privacy/sum/simulation.ts";
import { policyFor } from "../../simulate/consortium.ts";
import { consortiumName, EvilBank } from "./bank.ts";
import { LocalParty, type Weakness } from "./local-party.ts";
import { Round } from "./round.ts";

const rowsPerParty = 60;
const featureNames = Array.from({ length: 12 }, (_, i) => `x${i + 1}`);

/** Numbers of all magnitudes, so that no two enterprises count the same. */
export function tableOf(seed: string): Table {
  const random = seededRandom(`attack ${seed}`);
  const column = () =>
    Float64Array.from({ length: rowsPerParty }, () => (uniform(random) - 0.5) * 2 ** (30 * uniform(random)));
  const label = Uint8Array.from({ length: rowsPerParty }, () => (uniform(random) < 0.4 ? 1 : 0));
  return {
    rows: rowsPerParty,
    columns: new Map(featureNames.map((name) => [name, { kind: "numeric", values: column() }])),
    label,
    outcome: label,
    subject: Int32Array.from({ length: rowsPerParty }, (_, row) => row),
    holdout: new Uint8Array(rowsPerParty),
  };
}

export interface Setting {
  /** Honest enterprises; the first is the victim. */
  readonly honest: number;
  /** Of the bank, among the enterprises. */
  readonly friends?: number;
  readonly maxColluding?: number;
  readonly policy?: Partial<Policy>;
  /** By enterprise; rows of its own by default. */
  readonly rows?: (id: PartyId, manifest: StudyManifest | undefined) => Table;
  /** The control: honest enterprises run in this process, without the defence. */
  readonly weakness?: Weakness | undefined;
}

export class Stage implements AsyncDisposable {
  readonly bank: EvilBank;
  readonly bfv: Bfv;
  readonly honest: readonly PartyId[];
  readonly friends: readonly LocalParty[];
  readonly nodes = new Map<PartyId, RunningNode>();
  /** What a node told its operator. */
  readonly ended = new Map<PartyId, string>();
  readonly #setting: Setting;
  /** The states that studies have come to. */
  readonly #walked = new Map<Digest, StudyState>();
  #studies = 0;

  private constructor(bank: EvilBank, bfv: Bfv, setting: Setting, ids: readonly PartyId[]) {
    this.bank = bank;
    this.bfv = bfv;
    this.#setting = setting;
    this.honest = ids.slice(0, setting.honest);
    const local = (id: PartyId, accomplice: boolean): LocalParty => {
      const { weakness } = setting;
      const party = new LocalParty({
        context: bank.consortium.parties.get(id)!,
        bank,
        bfv,
        // What it adds to a step that the bank did not walk to is of no interest.
        contribute: async (header) =>
          header.round === 1 || this.#walked.has(header.study)
            ? this.contributionOf(id, header)
            : new Float64Array(vectorLength(header.layout)),
        accomplice,
        ...(weakness === undefined ? {} : { weakness }),
      });
      bank.adopt(id, party);
      return party;
    };
    this.friends = ids.slice(setting.honest).map((id) => local(id, true));
    if (setting.weakness !== undefined) for (const id of this.honest) local(id, false);
  }

  /** Founds the consortium, starts the nodes, opens a key epoch of everybody. */
  static async open(bfv: Bfv, setting: Setting): Promise<Stage> {
    const count = setting.honest + (setting.friends ?? 0);
    const ids = Array.from({ length: count }, (_, i) => `${i < setting.honest ? "party" : "quisling"}-${i}`);
    const bank = await EvilBank.found(ids);
    const stage = new Stage(bank, bfv, setting, ids);
    if (setting.weakness === undefined) await Promise.all(stage.honest.map((id) => stage.start(id)));
    await stage.renew();
    return stage;
  }

  async renew(): Promise<void> {
    const failed = await this.bank.openEpoch(this.everyone, this.#setting.maxColluding ?? 1);
    if (failed !== undefined) throw new Error(`no key epoch: ${failed}`);
  }

  get victim(): PartyId {
    return this.honest[0]!;
  }

  get everyone(): readonly PartyId[] {
    return [...this.bank.credentials.keys()];
  }

  /** The key that a friend gives away. */
  get friendKey(): Uint8Array {
    return this.friends[0]!.secrets!.bfvKey;
  }

  tableOf(id: PartyId, manifest?: StudyManifest): Table {
    return this.#setting.rows?.(id, manifest) ?? tableOf(id);
  }

  async start(
    id: PartyId,
    ledger = ":memory:",
    credentials: Partial<NodeCredentials> = {},
  ): Promise<RunningNode> {
    const { bank, bfv } = this;
    const node = await startNode({
      credentials: { ...bank.credentials.get(id)!, ...credentials },
      coordinator: bank.address,
      policy: () => ({ ...policyFor(everything), ...this.#setting.policy }),
      rows: async (manifest) => this.tableOf(id, manifest),
      statistics: new DirectStatistics(secureRandom),
      ledger,
      bfv,
      random: secureRandom,
      now: Date.now,
    });
    node.finished.then(
      () => this.ended.set(id, "stopped"),
      (error: { reason?: string }) => this.ended.set(id, error.reason ?? String(error)),
    );
    this.nodes.set(id, node);
    return node;
  }

  /** Proposes a study that every node consents to. */
  async study(change: Partial<StudyManifest> = {}): Promise<{ study: Digest; manifest: StudyManifest }> {
    const manifest = { ...manifestOf(`study-${++this.#studies}`), ...change };
    const study = this.bank.propose(manifest);
    await Promise.all([...this.nodes.values()].map((node) => node.consent(study)));
    return { study, manifest };
  }

  /** @returns a header for a study's first step, or for what `change` says. */
  async header(
    { study, manifest }: { study: Digest; manifest: StudyManifest },
    cohort: readonly PartyId[] = this.everyone,
    change: Partial<RoundHeader> = {},
    state: StudyState = startStudy(manifest),
  ): Promise<RoundHeader> {
    const { index, step } = state;
    const { layout, noise } = studyNext(manifest, state);
    const algorithm = { index, name: state.algorithm ?? manifest.algorithms.at(-1)!.name, step };
    const header = simulatedHeader(
      this.bank.consortium,
      {
        layout,
        ...(noise === undefined ? {} : { noise }),
        minCohort: manifest.privacy.minCohort,
        round: 1,
        study,
        algorithm,
        state: stateDigest(state),
      },
      cohort,
    );
    return { ...header, checkpoint: await this.bank.log.checkpoint(), stepSeconds: 10, ...change };
  }

  round(header: RoundHeader): Round {
    return new Round(this.bank, header);
  }

  /** Sums a study's steps, as an honest bank would, up to an algorithm's first. @returns the header of that one. */
  async walkTo(algorithm: string, study: Awaited<ReturnType<Stage["study"]>>): Promise<RoundHeader> {
    const { manifest } = study;
    let state = startStudy(manifest);
    for (let round = 1; ; round++) {
      this.#walked.set(study.study, state);
      const header = await this.header(study, this.everyone, { round }, state);
      if (state.algorithm === algorithm) return header;
      const sum = this.round(header);
      const values = await (await sum.sum()).release(this.bfv);
      if (values === undefined) throw new Error(`no sum of round ${round}`);
      state = await advanceStudy(manifest, state, { values, parties: sum.survivors.length });
    }
  }

  /** Where the bank walked to, or at the first step. */
  stateOf({ study }: Pick<RoundHeader, "study">): StudyState {
    return this.#walked.get(study) ?? startStudy(this.bank.manifests.get(study)!);
  }

  /** The truth: what an enterprise adds to the sum of a study's step. */
  async contributionOf(id: PartyId, header: Pick<RoundHeader, "study">): Promise<Float64Array> {
    const manifest = this.bank.manifests.get(header.study)!;
    const means = { random: seededRandom(id), memory: new StudyMemory() };
    return studyContribute(manifest, this.stateOf(header), this.tableOf(id, manifest), means);
  }

  /**
   * An attack is met by its defence and by no other: nodes refused a round for this reason, or for want of the
   * agreement of those who did.
   * @throws where not
   */
  metBy(reason: Reason, { refusals }: Round): void {
    if (this.nodes.size === 0) return;
    const said = [...this.nodes.keys()].flatMap((id) => refusals.get(id) ?? []);
    if (!said.includes(reason) || said.some((one) => one !== reason && one !== "agreement_missing"))
      throw new Error(`not met by ${reason} but by ${said.join(", ") || "nothing"}`);
  }

  /** Waits until every node has ended for this reason. @throws where one ended for another */
  async allEnded(reason: string): Promise<void> {
    await Promise.allSettled([...this.nodes.values()].map((node) => node.finished));
    for (const [id, how] of this.ended)
      if (how !== reason) throw new Error(`${id} ended for ${how}, not for ${reason}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes.values()) node.drop();
    await Promise.race([
      Promise.allSettled([...this.nodes.values()].map((node) => node.finished)),
      delay(2000, undefined, { ref: false }),
    ]);
    await this.bank[Symbol.asyncDispose]();
  }
}

/** Counts of magnitudes of twelve columns: 1,728 numbers in one sum. */
export const manifestOf = (name: string): StudyManifest =>
  manifestSchema.parse({
    consortium: consortiumName,
    name,
    purpose: "credit risk",
    legalBasis: "contract",
    impactAssessment: "PIA-1",
    retentionDays: 1,
    label: { column: "bad", bad: ["1"], good: ["0"] },
    features: featureNames.map((feature) => ({ name: feature, kind: "numeric" })),
    maxRowsPerParty: rowsPerParty,
    holdout: { fraction: 0 },
    algorithms: [{ name: "range" }],
    privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
    unprotected: ["noise"],
    deadlines: { stepSeconds: 10 },
  });

/** What the enterprises' policies allow. */
const everything: StudyManifest = {
  ...manifestOf("policy"),
  features: [...manifestOf("policy").features, { name: "sector", kind: "categorical", levels: ["a"] }],
  algorithms: algorithmNames.map((name) => ({ name })),
};

/** @returns the correlation of a guess with the truth, in 0…1; 0 where there is no guess. */
export function gainOf(guess: ArrayLike<number> | undefined, truth: Float64Array): number {
  if (guess === undefined) return 0;
  const n = truth.length;
  let [meanX, meanY] = [0, 0];
  for (let i = 0; i < n; i++) {
    meanX += guess[i]! / n;
    meanY += truth[i]! / n;
  }
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [dx, dy] = [guess[i]! - meanX, truth[i]! - meanY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? 0 : Math.abs(xy / Math.sqrt(xx * yy));
}

export const minus = (a: Float64Array | undefined, b: Float64Array | undefined): Float64Array | undefined =>
  a === undefined || b === undefined ? undefined : a.map((x, i) => x - b[i]!);
