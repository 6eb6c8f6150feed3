import type { z } from "zod";
import type { Random } from "../core/random.ts";
import type { VectorLayout } from "../privacy/sum/layout.ts";
import type { NoiseTerms } from "../privacy/sum/noise-terms.ts";
import type { Blocks, Contribution, Sums } from "./blocks.ts";
import type { Memo, PartyRows } from "./memory.ts";
import type { NoiseDemand } from "./noise.ts";
import type { Portable } from "./portable.ts";
import type { FeatureSchema, StudySchema, Table } from "./table.ts";

/** A value with a JSON form. Bulk weights travel inside it as base64 of little-endian float32. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What the bank learns from one round: the exact sum over the survivors. */
export interface SealedSum {
  /** Entries in layout order, shape [vectorLength(layout)]. */
  readonly values: Float64Array;
  /** How many parties are in the sum. */
  readonly parties: number;
}

/** Results of the algorithms that ran earlier in the same study, by the manifest's `as:` names. */
export type PriorResults = Readonly<Record<string, Json>>;

/** The types of one algorithm, filled in by its file. */
export interface AlgorithmTypes {
  /** What the manifest says beside `name` and `as`, parsed. */
  readonly params: object;
  /** Earlier results that it reads, by the role they play in it. */
  readonly prior: object;
  /** What moves from sum to sum, and nothing else. JSON. */
  readonly state: unknown;
  /** JSON. */
  readonly result: unknown;
  readonly blocks: Blocks;
}

/** What does not change while an algorithm runs: the same for everyone who knows the manifest and the sums so far. */
export interface Study<T extends Pick<AlgorithmTypes, "params" | "prior">> {
  readonly schema: StudySchema;
  readonly params: T["params"];
  readonly prior: T["prior"];
  /** Standard deviation of a sum's noise over the most that one row changes in it; undefined where there is none. */
  readonly noise?: number | undefined;
}

/** Deterministic, as `advance` is; what fewer than half of the groups say decides nothing. */
export type ByGroups<T extends AlgorithmTypes> = (
  state: T["state"],
  groups: readonly Sums<T["blocks"]>[],
  study: Study<T>,
) => Outcome<T["state"], T["result"]>;

export type Outcome<State, Result> = { readonly next: State } | { readonly done: Result };

/** One party's side of a round. */
export interface Party extends PartyRows {
  readonly memo: Memo;
  /** Repeatable in a simulation, the operating system's generator otherwise. */
  readonly random: Random;
}

/** A result that an algorithm reads, found under the name that the manifest gave it. */
export interface Need<T> {
  /** What to list in the manifest for it; undefined where several algorithms would do. */
  readonly entry: { readonly name: string; readonly as?: string } | undefined;
  /** @returns what is missing among the algorithms that run before, by result name. */
  missing(before: ReadonlyMap<string, Algorithm>): string | undefined;
  read(before: ReadonlyMap<string, Finished>): T;
}

export type Needs<Prior> = { readonly [Role in keyof Prior]: Need<Prior[Role]> };

/** What an algorithm says of its result; having `score` makes it a model, which evaluation, export and pages find. */
export interface Scoring<Result> {
  /**
   * Needs no label.
   * @returns the probability of bad, shape [rows.rows].
   * @throws Refusal value_not_finite | column_unknown, naming the column
   */
  score?(result: Result, rows: Table): Float64Array;
  /** The columns that `score` reads: what has a score has them. */
  features?(result: Result): readonly FeatureSchema[];
  /** What analysts read instead of a probability; the more, the better. */
  points?(result: Result, rows: Table): Int32Array;
  /** @returns for each row the features that moved its score, in the schema's order. */
  explain?(result: Result, rows: Table): readonly (readonly Factor[])[];
  /** What ONNX and PMML are made of. */
  portable?(result: Result): Portable;
  /** Formats beside JSON, and those that follow from `portable`, by name. */
  readonly exports?: Readonly<Record<string, (result: Result) => Promise<readonly ExportedFile[]>>>;
}

/** What all later algorithms, and whoever scores, see of the rows. */
export interface Transform {
  /** Columns that it is applied to. */
  readonly reads: readonly FeatureSchema[];
  /** Columns from then on, in their order. */
  readonly features: readonly FeatureSchema[];
  /** The feature that each of them was made of, by name. */
  readonly origins: ReadonlyMap<string, string>;
  /** The same for people and other programs: JSON. */
  readonly described: unknown;
  /** @throws Refusal value_not_finite | column_unknown, naming the column */
  apply(rows: Table): Table;
}

/** What one feature does to one score. */
export interface Factor {
  readonly feature: string;
  /**
   * What it adds to the log-odds of bad, against a baseline that is the same for all rows: that of a row of which only
   * the training rows' means are known.
   */
  readonly effect: number;
}

export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What every algorithm has. */
export interface Computation<T extends AlgorithmTypes> extends Scoring<T["result"]> {
  /** Having it, the algorithm stands before all that have not, which then see its columns in place of the study's. */
  transform?(result: T["result"]): Transform;
  readonly name: string;
  /** Of what the manifest says beside `name` and `as`; a strict object. */
  readonly parameters: z.ZodType<T["params"]>;
  /** Also of a result that was published, stored or fetched. */
  readonly result: z.ZodType<T["result"]>;
  needs(params: T["params"]): Needs<T["prior"]>;
  /** Deterministic, of nothing but its argument. @throws Refusal where no result can exist. */
  start(study: Study<T>): Outcome<T["state"], T["result"]>;
}

/**
 * A federated algorithm: a loop of local statistic → sealed sum → step. Pure; the same code runs at every enterprise
 * and at the bank, and whoever knows the manifest and the sums comes to the same states.
 */
export interface FederatedAlgorithm<T extends AlgorithmTypes> extends Computation<T> {
  /** Public bound on the sums it can take. */
  maxSteps(params: T["params"]): number;
  /** Of this study's states: bounds everything that costs time or memory. */
  state(study: Study<T>): z.ZodType<T["state"]>;
  blocks(state: T["state"], study: Study<T>): T["blocks"];
  /**
   * Runs at the enterprise.
   * @throws Refusal naming the column, when a value is not finite or out of bounds.
   */
  contribute(
    state: T["state"],
    party: Party,
    study: Study<T>,
  ): Contribution<T["blocks"]> | Promise<Contribution<T["blocks"]>>;
  /**
   * Deterministic, of nothing but its arguments.
   * @throws Refusal when the sum shows that no result exists (separation, …)
   */
  advance(state: T["state"], sums: Sums<T["blocks"]>, study: Study<T>): Outcome<T["state"], T["result"]>;
  /** L2 norm, per block, of the most that one record changes by being there or not. */
  sensitivity?(state: T["state"], study: Study<T>): { readonly [Name in keyof T["blocks"]]: number };
  /**
   * L2 norm of what one record changes in all blocks at once, each in units of its sensitivity; without it the square
   * root of their number, as if a record could change each of them by as much as it can.
   */
  joint?(state: T["state"], study: Study<T>): number;
  /**
   * Whether it can do with sums that noise was added to: negative counts lead it nowhere, and no value that lies outside
   * what it was told is refused.
   */
  readonly takesNoise?: true;
  /**
   * How a step is taken from the sums of groups, each as if all members were like its own: from the median of the sums,
   * entry by entry, or as it says itself. Without it, there is one sum of everybody.
   */
  readonly medians?: "of sums" | ByGroups<T>;
  /** Probability with which each record is in a sum, on its own and secretly; 1 without it. */
  samplingRate?(params: T["params"]): number;
}

/** An algorithm as the study loop runs it: whatever comes from outside is parsed by the algorithm's own schemas. */
export interface Algorithm<Result = unknown> {
  readonly name: string;
  readonly parameters: z.ZodType;
  readonly result: z.ZodType<Result>;
  readonly isModel: boolean;
  readonly isTransform: boolean;
  /** Whether noise can be added to its sums; true where it takes none. */
  readonly takesNoise: boolean;
  /** Whether a step can be taken from the median of groups' sums. */
  readonly takesMedians: boolean;
  /** @throws Refusal parameters_invalid, naming the parameter */
  configure(params: unknown): Configured;
  /** @returns undefined unless the algorithm's results are models. @throws Refusal state_invalid */
  model(result: unknown): Model | undefined;
  /** @returns undefined unless the algorithm's results are transforms. @throws Refusal state_invalid */
  transform(result: unknown): Transform | undefined;
}

/** An algorithm with its parameters. */
export interface Configured {
  readonly needs: readonly Need<unknown>[];
  /** 0 where the result follows from earlier ones. */
  readonly maxSteps: number;
  /** Probability with which each record is in a sum; 1 where all are. */
  readonly samplingRate: number;
  /** @throws Refusal parameters_invalid where an earlier result is missing, state_invalid where it is another's */
  within(schema: StudySchema, before: ReadonlyMap<string, Finished>, noise?: NoiseDemand): Running;
}

/** An algorithm within a study. States are those of {@link Running.start} and {@link Running.advance}, or foreign. */
export interface Running {
  start(): Outcome<unknown, unknown>;
  /** @throws Refusal state_invalid */
  parseState(state: unknown): unknown;
  blocks(state: unknown): Blocks;
  /** @returns the layout of the next sum, and the noise under it. */
  next(state: unknown): { readonly layout: VectorLayout; readonly noise: NoiseTerms | undefined };
  /** @returns shape [vectorLength(layout)]. */
  contribute(state: unknown, party: Party): Promise<Float64Array>;
  /** @param values - of the sum, in the layout's order. */
  advance(state: unknown, values: Float64Array): Outcome<unknown, unknown>;
  /** @param groups - of each group's sum the values, scaled to all members. */
  advanceByGroups(state: unknown, groups: readonly Float64Array[]): Outcome<unknown, unknown>;
  /** By block; undefined where nothing bounds what a record does. */
  sensitivity(state: unknown): Readonly<Record<string, number>> | undefined;
}

/** An algorithm that has run, with its result. */
export interface Finished {
  readonly algorithm: Algorithm;
  readonly result: unknown;
}

/** A finished result that scores rows. */
export interface Model {
  readonly features: readonly FeatureSchema[];
  score(rows: Table): Float64Array;
  readonly points: ((rows: Table) => Int32Array) | undefined;
  readonly explain: ((rows: Table) => readonly (readonly Factor[])[]) | undefined;
  readonly exports: ReadonlyMap<string, () => Promise<readonly ExportedFile[]>>;
}
