/**
 * Updates that spoil a model, by one and by two members, as far as an entry's bounds let them go: of eight, which the
 * evaluation gate meets, and of 24, which medians of groups do.
 */
import { seededRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Json } from "../../models/algorithm.ts";
import { StudyMemory } from "../../models/memory.ts";
import { type PlainOptions, partyName, runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import { concatRows, selectRows } from "../../models/rows.ts";
import { checkManifest, type StudyManifest } from "../../models/study.ts";
import { type StudyState, studyContribute, studyNext } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { exactAuc } from "../credit/split.ts";
import type { Attack } from "./attack.ts";

/** T of eight: with fewer that are willing there is no sum. */
const threshold = 6;
const groupCount = 8;
const names = ["x1", "x2", "x3"];

function tableOf(party: number, rows: number): Table {
  const random = seededRandom(`poison ${party}`);
  const columns = names.map(() => Float64Array.from({ length: rows }, () => 2 * uniform(random) - 1));
  const label = Uint8Array.from({ length: rows }, (_, row) => {
    const logOdds = 2.5 * columns[0]![row]! - 1.5 * columns[1]![row]! + columns[2]![row]! - 0.5;
    return Number(uniform(random) < 1 / (1 + Math.exp(-logOdds)));
  });
  return {
    rows,
    columns: new Map(names.map((name, i) => [name, { kind: "numeric", values: columns[i]! }])),
    label,
    outcome: label,
    subject: Int32Array.from(label, (_, row) => row),
    holdout: Uint8Array.from(label, (_, row) => row % 2),
  };
}

/** A study that is spoiled in one block of one algorithm's sums. */
class Target {
  readonly algorithm: string;
  readonly parties: number;
  readonly #block: string;
  readonly #tables: readonly Table[];
  readonly #study: StudyManifest;
  readonly #heldOut: Table;

  constructor(
    parties: number,
    rows: number,
    block: string,
    algorithms: readonly ({ name: string } & Record<string, Json>)[],
  ) {
    this.parties = parties;
    this.algorithm = algorithms.at(-1)!.name;
    this.#block = block;
    this.#tables = Array.from({ length: parties }, (_, party) => tableOf(party, rows));
    this.#heldOut = selectRows(concatRows(this.#tables), (row) => row % 2 === 1);
    this.#study = checkManifest({
      consortium: "attack",
      name: "poison",
      purpose: "attack",
      legalBasis: "none",
      impactAssessment: "none",
      retentionDays: 1,
      label: { column: "bad", bad: ["1"], good: ["0"] },
      features: names.map((name) => ({ name, kind: "numeric" })),
      maxRowsPerParty: rows,
      holdout: { fraction: 0.5 },
      algorithms: [...algorithms, { name: "evaluate" }],
      privacy: { minCohort: 3, maxColluding: 2, unit: "record" },
      unprotected: ["noise"],
      deadlines: { stepSeconds: 10 },
    });
  }

  /** @returns by how much the AUC of what is published is below the clean model's: 0 where nothing is. */
  async movedPastGate(poisoners: number, poison: Poison, isGated: boolean): Promise<number> {
    const clean = await this.#trained(this.#study);
    const spoiled = await this.#trained(this.#study, this.#spoilt(poisoners, poison));
    const champion = { algorithm: this.algorithm, result: clean.results[this.algorithm] };
    const gate = { model: this.algorithm, champion, within: 0.002 };
    const gated = isGated ? { ...this.#study, gate } : this.#study;
    let willing = poisoners;
    for (const table of this.#tables.slice(poisoners))
      await studyContribute(gated, spoiled, table, {
        random: seededRandom("gate"),
        memory: new StudyMemory(),
      }).then(
        () => willing++,
        (error: unknown) => {
          if (!(error instanceof Refusal) || error.reason !== "model_rejected") throw error;
        },
      );
    return willing < threshold ? 0 : this.#aucOf(clean) - this.#aucOf(spoiled);
  }

  /** @returns the same, of steps taken from the median of groups, or from one sum of everybody. */
  async movedPastMedians(poisoners: number, poison: Poison, inGroups: boolean): Promise<number> {
    // The poisoners are of different groups, where they do most.
    const groups = Array.from({ length: groupCount }, (_, g) =>
      this.#tables.flatMap((_, party) => (party % groupCount === g ? [partyName(party)] : [])),
    );
    const study = inGroups ? { ...this.#study, groups } : this.#study;
    const clean = await this.#trained(study);
    return this.#aucOf(clean) - this.#aucOf(await this.#trained(study, this.#spoilt(poisoners, poison)));
  }

  #spoilt(poisoners: number, poison: Poison): NonNullable<PlainOptions["onContribution"]> {
    return (party, values, state) => {
      if (party >= poisoners || state.algorithm !== this.algorithm) return values;
      const spoiled = values.slice();
      let at = 0;
      for (const { name, length, bound } of studyNext(this.#study, state).layout.blocks) {
        if (name === this.#block)
          for (let i = 0; i < length; i++)
            spoiled[at + i] = Math.max(-bound, Math.min(bound, poison(values[at + i]!, i, bound)));
        at += length;
      }
      return spoiled;
    };
  }

  /** @returns the state in which the model is there, and nobody has evaluated it. */
  async #trained(
    study: StudyManifest,
    onContribution?: NonNullable<PlainOptions["onContribution"]>,
  ): Promise<StudyState> {
    let found: StudyState | undefined;
    const stop = new Error("enough");
    await runPlain(study, this.#tables, {
      ...(onContribution === undefined ? {} : { onContribution }),
      onRound(state) {
        if (state.algorithm !== "evaluate") return;
        found = state;
        throw stop;
      },
    }).catch((error: unknown) => {
      if (error !== stop) throw error;
    });
    return found!;
  }

  #aucOf({ results }: StudyState): number {
    const { algorithms } = this.#study;
    const model = modelsOf({ algorithms, results }).get(this.algorithm)!;
    return exactAuc(model.score(this.#heldOut), this.#heldOut.label);
  }
}

/** @param i - of the entry in its block. @returns what is sent in place of x. */
type Poison = (x: number, i: number, bound: number) => number;

/** The same small push in every step: bins, or weights, change places. */
const drift =
  (push: number): Poison =>
  (x, i) =>
    x + (i % 2 === 0 ? push : -push);
const driftOfBound =
  (share: number): Poison =>
  (x, i, bound) =>
    drift(share * bound)(x, i, bound);

/** Each in the strengths that it is tried in: what counts is the worst. */
const poisonsWith = (drifts: readonly Poison[]): readonly (readonly [string, readonly Poison[]])[] => [
  ["a thousand times its update, the other way", [(x) => -1000 * x]],
  ["its update's sign flipped, tenfold or more", [(x) => -10 * x, (x) => -25 * x]],
  ["a drift, as subtle as it likes", drifts],
];

const onBins = [{ name: "range" }, { name: "bins", cells: 64 }];
const additive = [...onBins, { name: "additive", maxSteps: 4 }];
const boosting = [...onBins, { name: "boosting", trees: 5, rounds: 4, depth: 3 }];
const neural = [
  { name: "range" },
  { name: "summary" },
  { name: "standardize" },
  { name: "neural", rounds: 15, localEpochs: 2 },
];
const pushes = [2, 5, 10, 15, 20, 25, 30, 40, 60];

const gated = new Target(8, 1200, "gradient", additive);
const inGroups = [
  { target: new Target(24, 400, "gradient", additive), drifts: pushes.map(drift) },
  { target: new Target(24, 400, "gradient", boosting), drifts: pushes.map(drift) },
  {
    target: new Target(24, 400, "update", neural),
    drifts: [1e-4, 1e-3, 0.01, 0.1, 1].map(driftOfBound),
  },
];

const attackOn = (
  { parties, algorithm }: Target,
  poisoners: number,
  [name, strengths]: readonly [string, readonly Poison[]],
  moved: (poison: Poison, isDefended: boolean) => Promise<number>,
  defence: string,
): Attack => ({
  name: `${algorithm}: ${name}, by ${poisoners} of ${parties} (${defence}): how far a published model moves`,
  unit: "AUC",
  guessing: 0.01,
  success: 0.01,
  quick: false,
  async play(_, control) {
    let most = 0;
    for (const poison of strengths) most = Math.max(most, await moved(poison, !control));
    return most;
  },
});

/** The control is the same study without a gate, or without groups. */
export const poisonAttacks: readonly Attack[] = [1, 2].flatMap((poisoners) => [
  ...poisonsWith(pushes.map(drift)).map((poison) =>
    attackOn(gated, poisoners, poison, (one, is) => gated.movedPastGate(poisoners, one, is), "gate"),
  ),
  ...inGroups.flatMap(({ target, drifts }) =>
    poisonsWith(drifts).map((poison) =>
      attackOn(
        target,
        poisoners,
        poison,
        (one, is) => target.movedPastMedians(poisoners, one, is),
        "medians",
      ),
    ),
  ),
]);
