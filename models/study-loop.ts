import { canonicalJson } from "../core/canonical.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import type { VectorLayout } from "../privacy/sum/layout.ts";
import type { FederatedAlgorithm, Json, PriorResults, SealedSum } from "./algorithm.ts";
import { parseParameters } from "./parameters.ts";
import { algorithmNamed } from "./registry.ts";
import { selectRows } from "./rows.ts";
import type { StudyManifest } from "./study.ts";
import type { StudySchema, Table } from "./table.ts";

/**
 * Where a study stands. A JSON value: broadcast, hashed, stored and resumed as such; a round trip
 * through canonical JSON changes nothing.
 */
export type StudyState = {
  /** Position in the manifest's list of algorithms; its length when finished. */
  readonly index: number;
  /** Name of the algorithm at `index`; null when finished. */
  readonly algorithm: string | null;
  /** Sums that this algorithm has seen. */
  readonly step: number;
  readonly algorithmState: Json;
  /** Results of the algorithms before `index`. */
  readonly results: PriorResults;
};

const studySchema = (manifest: StudyManifest): StudySchema => ({
  features: manifest.features,
  maxRowsPerParty: manifest.maxRowsPerParty,
});

/**
 * Checks the manifest's list of algorithms before anyone consents to it.
 * @throws Refusal algorithm_unknown | parameters_invalid
 */
export function checkAlgorithms(manifest: StudyManifest): void {
  const before = new Set<string>();
  for (const { name, ...params } of manifest.algorithms) {
    const algorithm = algorithmNamed(name);
    parseParameters(name, algorithm.parameters, params);
    if (before.has(name))
      throw new Refusal("parameters_invalid", `algorithms lists ${name} twice`, {
        hint: "results are known by algorithm: list each once",
      });
    for (const group of algorithm.needs)
      if (!group.some((needed) => before.has(needed)))
        throw new Refusal("parameters_invalid", `${name} needs the result of ${group.join(" or ")}`, {
          hint: `list { name: ${group[0]} } before ${name} under algorithms`,
        });
    before.add(name);
  }
  const names = manifest.features.map((feature) => feature.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Refusal("parameters_invalid", `features lists ${twice} twice`, { hint: "list it once" });
}

/** @throws Refusal algorithm_unknown | parameters_invalid */
export function startStudy(manifest: StudyManifest): StudyState {
  checkAlgorithms(manifest);
  return enter(manifest, 0, {});
}

/** @throws RangeError when the study is finished */
export const studyLayout = (state: StudyState): VectorLayout => current(state).layout(state.algorithmState);

/**
 * What one party adds to the sum: training rows for what trains, held-out rows for what evaluates
 * (all rows where nothing is held out).
 * @param random - repeatable in a simulation, the operating system's generator otherwise.
 * @returns shape [vectorLength(studyLayout(state))].
 * @throws Refusal naming the column
 */
export async function studyContribute(
  manifest: StudyManifest,
  state: StudyState,
  table: Table,
  random: Random,
): Promise<Float64Array> {
  const algorithm = current(state);
  const all = manifest.holdout.fraction === 0 && algorithm.rows === "heldOut";
  const rows = all ? table : splitRows(table)[algorithm.rows];
  return algorithm.contribute(state.algorithmState, rows, random);
}

/**
 * Runs at the bank; deterministic.
 * @throws Refusal when the sum shows that no result exists
 */
export async function advanceStudy(
  manifest: StudyManifest,
  state: StudyState,
  sum: SealedSum,
): Promise<StudyState> {
  const algorithm = current(state);
  const algorithmState = await algorithm.advance(state.algorithmState, sum);
  const result = algorithm.result(algorithmState);
  if (result === undefined) return settled({ ...state, step: state.step + 1, algorithmState });
  return enter(manifest, state.index + 1, { ...state.results, [algorithm.name]: result });
}

/** @returns every algorithm's result by name, or undefined while the study is not finished. */
export const studyResult = (state: StudyState): PriorResults | undefined =>
  state.algorithm === null ? state.results : undefined;

interface SplitRows {
  readonly training: Table;
  readonly heldOut: Table;
}

/** A table is dealt once and used in every round; tables never change. */
const splits = new WeakMap<Table, SplitRows>();

function splitRows(table: Table): SplitRows {
  const known = splits.get(table);
  if (known !== undefined) return known;
  const split = {
    training: selectRows(table, (row) => table.holdout[row] === 0),
    heldOut: selectRows(table, (row) => table.holdout[row] === 1),
  };
  splits.set(table, split);
  return split;
}

function enter(manifest: StudyManifest, index: number, results: PriorResults): StudyState {
  const entry = manifest.algorithms[index];
  if (entry === undefined) return settled({ index, algorithm: null, step: 0, algorithmState: null, results });
  const { name, ...params } = entry;
  const algorithm = algorithmNamed(name);
  const algorithmState = algorithm.start(studySchema(manifest), params as Json, results);
  const result = algorithm.result(algorithmState);
  if (result !== undefined) return enter(manifest, index + 1, { ...results, [name]: result });
  return settled({ index, algorithm: name, step: 0, algorithmState, results });
}

function current(state: StudyState): FederatedAlgorithm {
  if (state.algorithm === null) throw new RangeError("the study is finished");
  return algorithmNamed(state.algorithm);
}

/** A negative zero has no JSON form: both sides compute with what the JSON says. */
const settled = (state: StudyState): StudyState => JSON.parse(canonicalJson(state)) as StudyState;
