/** Updates that spoil a model, of one and of two of eight members, as far as an entry's bounds let them go. */
import { seededRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { StudyMemory } from "../../models/memory.ts";
import { type PlainOptions, runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import { concatRows, selectRows } from "../../models/rows.ts";
import { checkManifest, type StudyManifest } from "../../models/study.ts";
import { type StudyState, studyContribute, studyNext } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { exactAuc } from "../credit/split.ts";
import type { Attack } from "./attack.ts";

const parties = 8;
/** T of eight: with fewer that are willing there is no sum. */
const threshold = 6;
const rows = 1200;
const names = ["x1", "x2", "x3"];

function tableOf(party: number): Table {
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

const tables = Array.from({ length: parties }, (_, party) => tableOf(party));

const study: StudyManifest = checkManifest({
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
  algorithms: [
    { name: "range" },
    { name: "bins", cells: 64 },
    { name: "additive", maxSteps: 4 },
    { name: "evaluate" },
  ],
  privacy: { minCohort: 3, maxColluding: 2, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 10 },
});

/** @returns the state in which the model is there, and nobody has evaluated it. */
async function trained(onContribution?: NonNullable<PlainOptions["onContribution"]>): Promise<StudyState> {
  let found: StudyState | undefined;
  const stop = new Error("enough");
  await runPlain(study, tables, {
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

function aucOf({ results }: StudyState): number {
  const heldOut = selectRows(concatRows(tables), (row) => row % 2 === 1);
  const model = modelsOf({ algorithms: study.algorithms, results }).get("additive")!;
  return exactAuc(model.score(heldOut), heldOut.label);
}

/** @returns by how much the AUC of what is published is below the clean model's: 0 where nothing is. */
async function moved(poisoners: number, poison: Poison, isGated: boolean): Promise<number> {
  const clean = await trained();
  const spoiled = await trained((party, values, state) => {
    if (party >= poisoners || state.algorithm !== "additive") return values;
    const [gradient] = studyNext(study, state).layout.blocks;
    return values.map((x, i) => {
      if (i >= gradient!.length) return x;
      return Math.max(-gradient!.bound, Math.min(gradient!.bound, poison(x, i)));
    });
  });
  const champion = { algorithm: "additive", result: clean.results.additive };
  const gated = isGated ? { ...study, gate: { model: "additive", champion, within: 0.002 } } : study;
  let willing = poisoners;
  for (const table of tables.slice(poisoners))
    await studyContribute(gated, spoiled, table, {
      random: seededRandom("gate"),
      memory: new StudyMemory(),
    }).then(
      () => willing++,
      (error: unknown) => {
        if (!(error instanceof Refusal) || error.reason !== "model_rejected") throw error;
      },
    );
  return willing < threshold ? 0 : aucOf(clean) - aucOf(spoiled);
}

/** @param i - of the entry among the gradients. @returns what is sent in place of x. */
type Poison = (x: number, i: number) => number;

/** The same small push in every step: bins change places. */
const drift =
  (push: number): Poison =>
  (x, i) =>
    x + (i % 2 === 0 ? push : -push);

/** Each in the strengths that it is tried in: what counts is the worst. */
const poisons: readonly (readonly [string, readonly Poison[]])[] = [
  ["a thousand times its update, the other way", [(x) => -1000 * x]],
  ["its update's sign flipped, tenfold", [(x) => -10 * x]],
  ["a drift, as subtle as it likes", [2, 5, 10, 15, 20, 25, 30, 40, 60].map(drift)],
];

/** The control is the same study without a gate. */
export const poisonAttacks: readonly Attack[] = [1, 2].flatMap((poisoners) =>
  poisons.map(
    ([name, strengths]): Attack => ({
      name: `${name}, by ${poisoners} of ${parties}: how far a published model moves`,
      unit: "AUC",
      guessing: 0.01,
      success: 0.01,
      quick: false,
      async play(_, control) {
        let most = 0;
        for (const poison of strengths) most = Math.max(most, await moved(poisoners, poison, !control));
        return most;
      },
    }),
  ),
);
