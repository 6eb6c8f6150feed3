import { z } from "zod";
import type { Random } from "../core/random.ts";
import { Refusal, refuseAll } from "../core/reasons.ts";
import type { PrivacyEvent } from "../privacy/noise/event.ts";
import { type VectorLayout, vectorLength } from "../privacy/sum/layout.ts";
import type { NoiseTerms } from "../privacy/sum/noise-terms.ts";
import type {
  Algorithm,
  Json,
  Model,
  Outcome,
  PriorResults,
  Running,
  SealedSum,
  Transform,
} from "./algorithm.ts";
import { checkGate } from "./gate.ts";
import { type GroupSum, type Groups, groupFaults, scaledToAll } from "./groups.ts";
import type { MemoKey, PartyRows, StudyMemory } from "./memory.ts";
import { type NoiseDemand, unitRate } from "./noise.ts";
import { roundTo } from "./numerics/rounding.ts";
import { parsePublic } from "./parameters.ts";
import {
  type Entry,
  entriesOf,
  entryOf,
  finishedOf,
  modelsOf,
  transformed,
  transformsAmong,
} from "./results.ts";
import { holdsOut, type StudyManifest } from "./study.ts";
import type { StudySchema, Table } from "./table.ts";

/**
 * Where a study stands: all that the manifest and the sums so far lead to, and nothing else, so that whoever knows them
 * computes it. A JSON value: hashed, stored and resumed as such; a round trip through canonical JSON changes nothing.
 */
export type StudyState = {
  /** Position in the manifest's list of algorithms; its length when finished. */
  readonly index: number;
  /** Name of the algorithm at `index`; null when finished. */
  readonly algorithm: string | null;
  /** Sums that this algorithm has seen. */
  readonly step: number;
  readonly algorithmState: Json;
  /** Results of the algorithms before `index`, by the manifest's `as:` names. */
  readonly results: PriorResults;
  /** Sums of this step so far, where it takes one of each group; absent before the first. */
  readonly groupSums?: readonly GroupSum[];
};

/** @param transforms - of the algorithms before. @returns the columns as an algorithm sees them. */
const schemaOf = (
  { features, label, maxRowsPerParty }: StudyManifest,
  transforms: readonly Transform[],
): StudySchema => ({
  features: transforms.at(-1)?.features ?? features,
  outcomes: [
    ...label.good.map((value) => ({ value, bad: false })),
    ...label.bad.map((value) => ({ value, bad: true })),
  ],
  maxRowsPerParty,
});

/**
 * Checks what the schema alone does not, before anyone consents to it.
 * @throws Refusal algorithm_unknown | parameters_invalid, naming everything that is wrong
 */
export function checkAlgorithms(manifest: StudyManifest): void {
  refuseAll(manifestFaults(manifest));
}

/** @returns what is wrong with a manifest that has the schema's form. */
export function manifestFaults(manifest: StudyManifest): Refusal[] {
  return [
    ...algorithmFaults(manifest),
    ...noiseFaults(manifest),
    ...columnFaults(manifest),
    ...gateFaults(manifest),
    ...groupFaults(manifest),
  ];
}

function algorithmFaults({ algorithms }: StudyManifest): Refusal[] {
  const faults: Refusal[] = [];
  const before = new Map<string, Algorithm>();
  for (const listed of algorithms)
    try {
      const { as, algorithm, params } = entryOf(listed);
      if (before.has(as))
        faults.push(
          new Refusal("parameters_invalid", `algorithms makes a result called ${as} twice`, {
            hint: "give one of them another name with `as`",
          }),
        );
      const known = new Map(before);
      before.set(as, algorithm);
      // One that reads results only chooses among the columns that they are about.
      const chooses = algorithm.configure(params).needs.length > 0;
      const earlier = [...known].find(([, one]) => (chooses ? one.isModel : !one.isTransform));
      if (algorithm.isTransform && earlier !== undefined)
        faults.push(
          new Refusal("parameters_invalid", `${as} stands after ${earlier[0]}`, {
            hint: "list what transforms columns first: all others see what it makes of them",
          }),
        );
      for (const need of algorithm.configure(params).needs) {
        const missing = need.missing(known);
        if (missing === undefined) continue;
        const { entry } = need;
        const hint = entry === undefined ? missing : `{ ${entryText(entry)} }`;
        faults.push(
          new Refusal("parameters_invalid", `${algorithm.name} needs ${missing}`, {
            hint: `list ${hint} before ${algorithm.name} under algorithms`,
          }),
        );
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      faults.push(error);
    }
  return faults;
}

/** Either every sum has noise, or the manifest says that none has: never both, and nothing silently. */
function noiseFaults({ algorithms, holdout, privacy, subject, unprotected }: StudyManifest): Refusal[] {
  const faults: Refusal[] = [];
  if (privacy.unit === "subject" && subject === undefined)
    faults.push(
      new Refusal("parameters_invalid", "privacy.unit is subject, and nothing says whose a row is", {
        hint: "name the column under `subject`, or count by record",
      }),
    );
  // Of a subject with a row held out by its month, all earlier ones are left out: that row changes more than itself.
  if (
    privacy.noise !== undefined &&
    privacy.unit === "record" &&
    subject !== undefined &&
    holdout.outOfTime !== undefined
  )
    faults.push(
      new Refusal(
        "parameters_invalid",
        "holdout.outOfTime leaves out rows of a subject for another one, and privacy.unit is record",
        { hint: "set privacy.unit to subject, with privacy.noise.rowsPerSubject" },
      ),
    );
  if ((privacy.noise === undefined) !== unprotected.includes("noise"))
    faults.push(
      privacy.noise === undefined
        ? new Refusal("unprotected", "no noise is under the sums, and the manifest does not say so", {
            hint: 'set privacy.noise, or write unprotected: ["noise"]',
          })
        : new Refusal("parameters_invalid", "unprotected lists noise, and privacy.noise adds it", {
            hint: "remove one of the two",
          }),
    );
  for (const listed of algorithms) {
    const name = listed.as ?? listed.name;
    if (privacy.noise === undefined && listed.noise !== undefined)
      faults.push(
        new Refusal("parameters_invalid", `${name} states its noise, and privacy.noise is not set`, {
          hint: "set privacy.noise: it says with which δ and how many drop-outs",
        }),
      );
    if (privacy.noise !== undefined && algorithmOf(listed.name)?.takesNoise === false)
      faults.push(
        new Refusal("parameters_invalid", `${name} cannot do with noise`, {
          hint: "take one that can, or run it in a study of its own without noise",
        }),
      );
  }
  return faults;
}

/** @returns undefined where there is none: another fault says so. */
function algorithmOf(name: string): Algorithm | undefined {
  try {
    return entryOf({ name }).algorithm;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return undefined;
  }
}

function columnFaults({ features, label, subject, holdout }: StudyManifest): Refusal[] {
  const faults: Refusal[] = [];
  const wrong = (message: string, hint: string): unknown =>
    faults.push(new Refusal("parameters_invalid", message, { hint }));
  const names = features.map((feature) => feature.name);
  for (const name of twiceIn(names)) wrong(`features lists ${name} twice`, "list it once");
  for (const feature of features)
    if (feature.kind === "categorical")
      for (const level of twiceIn(feature.levels))
        wrong(`feature ${feature.name} lists the level "${level}" twice`, "list it once");
  if (names.includes(label.column))
    wrong(`the label ${label.column} is among the features`, "a model may not see what it predicts");
  if (subject !== undefined && names.includes(subject))
    wrong(`the subject ${subject} is among the features`, "what names somebody predicts nothing");
  if (holdout.outOfTime?.column === label.column)
    wrong(`holdout.outOfTime: ${label.column} is the label`, "name a column of dates");
  for (const value of twiceIn([...label.good, ...label.bad, ...(label.indeterminate ?? [])]))
    wrong(`label: "${value}" is named twice among bad, good and indeterminate`, "name it once");
  if (label.good.length + label.bad.length > 256) wrong("label: more than 256 values", "group them");
  return faults;
}

/** A gate stands between a model and a sum after it, and compares on rows that are held out. */
function gateFaults({ algorithms, features, gate, holdout }: StudyManifest): Refusal[] {
  if (gate === undefined || gate === "none") return [];
  const faults: Refusal[] = [];
  const wrong = (message: string, hint: string): unknown =>
    faults.push(new Refusal("parameters_invalid", message, { hint }));
  const at = algorithms.findIndex(({ name, as = name }) => as === gate.model);
  if (at < 0 || algorithmOf(algorithms[at]!.name)?.isModel !== true)
    wrong(`gate.model: no model of the study is called ${gate.model}`, "name one of its results");
  else if (!algorithms.slice(at + 1).some((entry) => takesSums(entry)))
    wrong(`gate: no sum comes after ${gate.model}`, "list evaluate after it");
  if (!holdsOut(holdout)) wrong("gate: no rows are held out", "set holdout.fraction, or holdout.outOfTime");
  try {
    const known = new Set(features.map(({ name }) => name));
    const missing = championOf(gate).features.find(({ name }) => !known.has(name));
    if (missing !== undefined)
      wrong(
        `gate.champion reads ${missing.name}, which is no feature of the study`,
        "list it among features",
      );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    faults.push(error);
  }
  return faults;
}

/** @returns whether an entry sums anything; false for one that another fault names. */
function takesSums(listed: StudyManifest["algorithms"][number]): boolean {
  if (algorithmOf(listed.name) === undefined) return false;
  try {
    return maxStepsOf(entryOf(listed)) > 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return false;
  }
}

/** @throws Refusal algorithm_unknown, state_invalid, parameters_invalid */
function championOf({ champion }: Exclude<StudyManifest["gate"], "none" | undefined>): Model {
  const model = entryOf({ name: champion.algorithm }).algorithm.model(champion.result);
  if (model !== undefined) return model;
  throw new Refusal("parameters_invalid", `gate.champion: ${champion.algorithm} makes no models`, {
    hint: "take the result of one that does",
  });
}

const twiceIn = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, i) => names.indexOf(name) !== i)),
];

const entryText = (entry: object): string =>
  Object.entries(entry)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ");

/** @returns a public bound on the sums that the study takes. @throws Refusal algorithm_unknown | parameters_invalid */
export const studySteps = (manifest: StudyManifest): number =>
  entriesOf(manifest.algorithms).reduce((sums, entry) => sums + mostSums(manifest, entry), 0);

/** @returns a public bound on the sums that an entry takes. */
export const mostSums = (manifest: StudyManifest, entry: Entry): number =>
  maxStepsOf(entry) * (groupsFor(manifest, entry)?.length ?? 1);

/** @returns the groups of whose sums an entry takes the median; undefined where it takes one sum of everybody. */
const groupsFor = ({ groups }: StudyManifest, { algorithm }: Entry): Groups | undefined =>
  algorithm.takesMedians ? groups : undefined;

/** @returns who may be in the next sum, where the study deals its members to groups. @throws RangeError when it is finished */
export function studyCohort(manifest: StudyManifest, state: StudyState): readonly string[] | undefined {
  const entry = entriesOf(manifest.algorithms)[state.index];
  if (entry === undefined) throw new RangeError("the study is finished");
  return groupsFor(manifest, entry)?.[state.groupSums?.length ?? 0] ?? manifest.groups?.flat();
}

const maxStepsOf = ({ algorithm, params }: Entry): number => algorithm.configure(params).maxSteps;

/** @throws Refusal algorithm_unknown | parameters_invalid */
export function startStudy(manifest: StudyManifest): StudyState {
  checkAlgorithms(manifest);
  return enter(manifest, 0, {});
}

/** What the next sum is of: its layout, and the noise under it. */
export interface NextSum {
  readonly layout: VectorLayout;
  /** Undefined where there is none. */
  readonly noise: NoiseTerms | undefined;
  /** Who may be in it; undefined where everybody may who consented. */
  readonly among: readonly string[] | undefined;
}

/** @throws RangeError when the study is finished */
export const studyNext = (manifest: StudyManifest, state: StudyState): NextSum => ({
  ...runningIn(manifest, state).next(state.algorithmState),
  among: studyCohort(manifest, state),
});

/** Numbers in one vector: a member seals, sends and keeps each of them, and the step works on all of them. */
export const mostEntries = 2 ** 21;

/** @param as - whose sum it is. @throws Refusal layout_overflow where a vector would be too long to be sealed */
export function requireSealable(as: string, layout: VectorLayout): void {
  const length = vectorLength(layout);
  if (length > mostEntries)
    throw new Refusal(
      "layout_overflow",
      `${as} would sum ${length} numbers a step, and ${mostEntries} are the most`,
      { hint: "take fewer features, or features with fewer levels" },
    );
}

/**
 * @throws RangeError when the study is finished
 * @internal for tests and measurements without noise
 */
export const studyLayout = (manifest: StudyManifest, state: StudyState): VectorLayout =>
  studyNext(manifest, state).layout;

/** @returns what the manifest asks of the sums of one entry; undefined where it asks for no noise. */
function demandOf({ privacy }: StudyManifest, { noise: own }: Entry): NoiseDemand | undefined {
  const { noise, maxColluding } = privacy;
  if (noise === undefined) return undefined;
  const { multiplier, dropOuts, rowsPerSubject = 1 } = noise;
  return { multiplier: own ?? multiplier, rowsPerUnit: rowsPerSubject, colluding: maxColluding, dropOuts };
}

/**
 * @returns the most that a study can cost a unit, whatever its sums turn out to be: who is in a group is in no other's sums.
 * @throws Refusal algorithm_unknown | parameters_invalid
 */
export const studyEvents = (manifest: StudyManifest): PrivacyEvent[] =>
  entriesOf(manifest.algorithms).flatMap((entry): PrivacyEvent[] => {
    const count = maxStepsOf(entry);
    if (count === 0) return [];
    const { unit } = manifest.privacy;
    const demand = demandOf(manifest, entry);
    const { samplingRate } = entry.algorithm.configure(entry.params);
    const of = { unit, samplingRate: unitRate(samplingRate, demand?.rowsPerUnit ?? 1), count };
    return demand === undefined
      ? [{ mechanism: "none", sensitivity: 1, sigma: 0, ...of }]
      : [{ mechanism: "gaussian", sensitivity: 1, sigma: demand.multiplier, ...of }];
  });

/**
 * @returns by block of the state's layout, the L2 norm of the most that one record changes; undefined where nothing
 *   bounds it.
 * @throws RangeError when the study is finished
 * @internal for tests, until noise reads it
 */
export const studySensitivity = (
  manifest: StudyManifest,
  state: StudyState,
): Readonly<Record<string, number>> | undefined =>
  runningIn(manifest, state).sensitivity(state.algorithmState);

/** What an enterprise brings to its part of a sum, beside its rows. */
export interface PartyMeans {
  /** Repeatable in a simulation, the operating system's generator otherwise. */
  readonly random: Random;
  /** One for each study and party, kept between rounds. */
  readonly memory: StudyMemory;
}

const passedKey: MemoKey<true> = { name: "gate" };

const seenRows: MemoKey<PartyRows> = { name: "rows through the transforms" };

function through(transforms: readonly Transform[], { training, heldOut }: PartyRows): PartyRows {
  const seen = transformed(transforms, training);
  return { training: seen, heldOut: heldOut === training ? seen : transformed(transforms, heldOut) };
}

/**
 * What one party adds to the sum.
 * @returns shape [vectorLength(studyLayout(manifest, state))].
 * @throws Refusal naming the column
 */
export async function studyContribute(
  manifest: StudyManifest,
  state: StudyState,
  table: Table,
  { random, memory }: PartyMeans,
): Promise<Float64Array> {
  const about = JSON.stringify([manifest.algorithms, state.index, state.results]);
  const { running, transforms } = current(manifest, state);
  const rows = memory.split(table, holdsOut(manifest.holdout), manifest.privacy.noise?.rowsPerSubject);
  const memo = memory.memoOf(about);
  const { gate } = manifest;
  if (gate !== undefined && gate !== "none" && Object.hasOwn(state.results, gate.model))
    memo.keep(passedKey, () => {
      // As scored rows are: before transforms, which are part of the study's models.
      const model = modelsOf({ algorithms: manifest.algorithms, results: state.results }).get(gate.model)!;
      checkGate(gate.model, model, championOf(gate), gate.within, rows);
      return true;
    });
  const seen = transforms.length === 0 ? rows : memo.keep(seenRows, () => through(transforms, rows));
  return running.contribute(state.algorithmState, { ...seen, memo, random });
}

/**
 * Runs wherever the sum is known; deterministic.
 * @throws Refusal when the sum shows that no result exists
 */
export async function advanceStudy(
  manifest: StudyManifest,
  state: StudyState,
  sum: SealedSum,
): Promise<StudyState> {
  const { groupSums = [], ...place } = state;
  const groups = groupsFor(manifest, entriesOf(manifest.algorithms)[state.index]!);
  const running = runningIn(manifest, state);
  const after = { ...place, step: place.step + 1 };
  if (groups === undefined) return follow(manifest, after, running.advance(state.algorithmState, sum.values));
  // A negative zero has no JSON form.
  const sums = [...groupSums, { values: Array.from(sum.values, (x) => x + 0), parties: sum.parties }];
  if (sums.length < groups.length) return { ...place, groupSums: sums };
  return follow(manifest, after, running.advanceByGroups(state.algorithmState, scaledToAll(sums)));
}

/** @returns every algorithm's result by name, or undefined while the study is not finished. */
export const studyResult = (state: StudyState): PriorResults | undefined =>
  state.algorithm === null ? state.results : undefined;

const foreignState = z.strictObject({
  index: z.int().min(0),
  algorithm: z.string().nullable(),
  step: z.int().min(0),
  algorithmState: z.unknown(),
  results: z.record(z.string(), z.unknown()),
  groupSums: z
    .array(z.strictObject({ values: z.array(z.number()), parties: z.int().min(1) }))
    .min(1)
    .optional(),
});

/**
 * Takes a state from elsewhere: one that this study can be in, every part of it within the algorithms' own bounds.
 * @throws Refusal state_invalid
 */
export function parseStudyState(manifest: StudyManifest, value: unknown): StudyState {
  const { index, algorithm, step, algorithmState, results, groupSums } = parsePublic(
    "state",
    foreignState,
    value,
  );
  const entries = entriesOf(manifest.algorithms);
  const entry = entries[index];
  const place = `algorithm ${index}, step ${step}`;
  if (index > entries.length || algorithm !== (entry?.algorithm.name ?? null))
    throw new Refusal("state_invalid", `the study has no ${algorithm} at ${place}`);
  if (step >= (entry === undefined ? 1 : maxStepsOf(entry)))
    throw new Refusal("state_invalid", `the study has no ${place}`);
  const before = entries.slice(0, index);
  if (Object.keys(results).length !== before.length)
    throw new Refusal("state_invalid", `the results are not those of ${index} algorithms`);
  for (const { as, algorithm } of before) parsePublic(as, algorithm.result, results[as]);
  // Each part has been parsed by a schema that adds and drops nothing.
  const state = value as StudyState;
  if (entry === undefined) parsePublic("state.algorithmState", z.null(), algorithmState);
  else runningIn(manifest, state).parseState(algorithmState);
  if (groupSums !== undefined) {
    const groups = entry && groupsFor(manifest, entry);
    const length = groups === undefined ? 0 : vectorLength(studyLayout(manifest, state));
    if (groups === undefined || groupSums.length >= groups.length)
      throw new Refusal("state_invalid", `no sums of groups are awaited at ${place}`);
    if (groupSums.some(({ values }) => values.length !== length))
      throw new Refusal("state_invalid", `a group's sum at ${place} does not have ${length} entries`);
  }
  return state;
}

function enter(manifest: StudyManifest, index: number, results: PriorResults): StudyState {
  const entry = manifest.algorithms[index];
  if (entry === undefined) return { index, algorithm: null, step: 0, algorithmState: null, results };
  const place = { index, algorithm: entry.name, step: 0, algorithmState: null, results };
  return follow(manifest, place, runningIn(manifest, place).start());
}

/** @param place - of the outcome; its own state is over. */
function follow(manifest: StudyManifest, place: StudyState, outcome: Outcome<unknown, unknown>): StudyState {
  const entry = entriesOf(manifest.algorithms)[place.index]!;
  if ("done" in outcome)
    return enter(manifest, place.index + 1, { ...place.results, [entry.as]: onGrid(outcome.done) });
  if (place.step >= maxStepsOf(entry))
    throw new Refusal("not_converged", `${entry.as} has come to no result in ${place.step} sums`);
  return { ...place, algorithmState: onGrid(outcome.next) };
}

interface UnderWay {
  readonly manifest: StudyManifest;
  readonly index: number;
  readonly running: Running;
  /** Of the algorithms before. */
  readonly transforms: readonly Transform[];
}

/** Algorithms under way, by the results before them: from step to step they stay the same object. */
const underWay = new WeakMap<PriorResults, UnderWay>();

/** @returns the algorithm that the study's state is of. */
export const runningIn = (manifest: StudyManifest, state: StudyState): Running =>
  current(manifest, state).running;

function current(manifest: StudyManifest, { index, results }: StudyState): UnderWay {
  const known = underWay.get(results);
  if (known?.manifest === manifest && known.index === index) return known;
  const found = { manifest, index, ...configured(manifest, index, results) };
  underWay.set(results, found);
  return found;
}

function configured(
  manifest: StudyManifest,
  index: number,
  results: PriorResults,
): Pick<UnderWay, "running" | "transforms"> {
  const entry = entriesOf(manifest.algorithms)[index];
  if (entry === undefined) throw new RangeError("the study is finished");
  const before = finishedOf({ algorithms: manifest.algorithms.slice(0, index), results });
  const transforms = transformsAmong(before);
  const running = entry.algorithm
    .configure(entry.params)
    .within(schemaOf(manifest, transforms), before, demandOf(manifest, entry));
  return { running, transforms };
}

/** Significant bits of a number in a state: coefficients keep twelve digits. */
const stateBits = 40;

/**
 * A state or a result as every side of a study computes on: JSON, its numbers on a public grid.
 *
 * Whoever knows the manifest and the sums must come to the same bytes on any machine. Between sums, algorithms use what
 * IEEE 754 fixes to the last bit (+ − × ÷ √), and round what went through an elementary function (`agreed`). The grid
 * is for what is left: a compiler that fuses a product with a sum differs in the last bits of 53, and rounding to 40
 * swallows that but for one number in thousands.
 * @throws {TypeError} where a value has no JSON form: a defect of the algorithm.
 */
function onGrid(value: unknown): Json {
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value)) throw new TypeError("a state holds NaN or infinity");
      // A negative zero has no JSON form.
      return roundTo(stateBits, value) + 0;
    case "string":
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      return Array.isArray(value) ? value.map(onGrid) : objectOnGrid(value);
    case "undefined":
    case "bigint":
    case "symbol":
    case "function":
      throw new TypeError(`a state holds a ${typeof value}`);
  }
}

/** In the order of canonical JSON: what a state has after it was stored. */
const objectOnGrid = (value: object): Json =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, onGrid(inner)]),
  );
