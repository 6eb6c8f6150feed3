/** Studies about any algorithm of the registry, none known by name. */
import { type Random, seededRandom } from "../../core/random.ts";
import { decodeSums } from "../../models/blocks.ts";
import { StudyMemory } from "../../models/memory.ts";
import { runPlain } from "../../models/plain.ts";
import { withNeeds } from "../../models/plan.ts";
import { algorithmNamed, algorithmNames } from "../../models/registry.ts";
import type { StudyManifest } from "../../models/study.ts";
import { runningIn, type StudyState, studyContribute, studyLayout } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { dequantizeSum, planPacking, quantize, T } from "../../privacy/sum/layout.ts";
import { borrowerFeatures, studyOf } from "./rows.ts";

export const modelNames = algorithmNames.filter((name) => algorithmNamed(name).isModel);

/** @returns a list of algorithms with everyone in it who takes at most so many sums, as their defaults have it. */
export function everyAlgorithm(mostSums: number): StudyManifest["algorithms"] {
  const short = algorithmNames.filter((name) => algorithmNamed(name).configure({}).maxSteps <= mostSums);
  // Who reads any model comes after all of them.
  const readsAll = (name: string) =>
    algorithmNamed(name)
      .configure({})
      .needs.some((need) => need.entry === undefined);
  const ordered = short.toSorted((a, b) => Number(readsAll(a)) - Number(readsAll(b)));
  return [
    ...new Map(ordered.flatMap((name) => withNeeds({ name })).map((entry) => [entry.name, entry])).values(),
  ];
}

/** @returns a study that ends with the algorithm, as its defaults have it. */
export function studyAbout(name: string): StudyManifest {
  const { needs } = algorithmNamed(name).configure({});
  const anyModel = needs.some((need) => need.entry === undefined);
  const before = anyModel ? modelNames.flatMap((model) => withNeeds({ name: model })) : [];
  const plan = new Map([...before, ...withNeeds({ name })].map((entry) => [entry.name, entry]));
  return studyOf(borrowerFeatures, [...plan.values()] as never);
}

/** @returns the study with noise under every sum, which one party alone reaches; without algorithms that cannot do with it. */
export const withNoise = (study: StudyManifest, multiplier: number): StudyManifest => ({
  ...study,
  algorithms: study.algorithms.filter(({ name }) => algorithmNamed(name).takesNoise),
  privacy: { ...study.privacy, maxColluding: 0, noise: { multiplier, delta: 1e-6, dropOuts: 0 } },
  unprotected: [],
});

/** @returns the study's states while its last algorithm runs, the first `most` of them. */
export async function statesOf(study: StudyManifest, table: Table, most: number): Promise<StudyState[]> {
  const states: StudyState[] = [];
  const last = study.algorithms.length - 1;
  const enough = new Error("enough");
  const onRound = (state: StudyState) => {
    if (state.index !== last) return;
    states.push(state);
    if (states.length === most) throw enough;
  };
  await runPlain(study, [table], { onRound }).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
  return states;
}

export const contributionOf = (
  study: StudyManifest,
  state: StudyState,
  table: Table,
  random: Random = seededRandom("party"),
): Promise<Float64Array> => studyContribute(study, state, table, { random, memory: new StudyMemory() });

/** @returns what the bank learns from the parties. */
export async function sumOf(
  study: StudyManifest,
  state: StudyState,
  parties: readonly Table[],
): Promise<Float64Array> {
  const packing = planPacking(studyLayout(study, state), 16);
  const total = new Float64Array(packing.slots);
  for (const table of parties) {
    const slots = quantize(await contributionOf(study, state, table), packing);
    for (let s = 0; s < total.length; s++) total[s] = (total[s]! + slots[s]!) % T;
  }
  return dequantizeSum(total, packing, parties.length);
}

/** @returns a vector's entries by block; of an exact sum, the numbers it stands for. */
export function byBlock(study: StudyManifest, state: StudyState, vector: Float64Array) {
  const blocks = runningIn(study, state).blocks(state.algorithmState);
  return Object.entries(decodeSums(blocks, vector)).map(([name, values]) => ({
    name,
    block: blocks[name]!,
    values: Array.from(values as ArrayLike<number | { units: bigint; exponent: number }>, (value) =>
      typeof value === "number" ? value : Number(value.units) * 2 ** value.exponent,
    ),
  }));
}
