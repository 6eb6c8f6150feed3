import type { z } from "zod";
import type { Random } from "../core/random.ts";
import type { VectorLayout } from "../privacy/sum/layout.ts";
import type { StudySchema, Table } from "./table.ts";

/** A value with a JSON form. Bulk weights travel inside it as base64 of little-endian float32. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What the bank learns from one round: the exact sum over the survivors. */
export interface SealedSum {
  /** Entries in layout order, shape [vectorLength(layout)]. */
  readonly values: Float64Array;
  /** How many parties are in the sum. */
  readonly parties: number;
}

/** Results of the algorithms that ran earlier in the same study, by algorithm name. */
export type PriorResults = Readonly<Record<string, Json>>;

/**
 * A federated algorithm: a loop of broadcast → local statistic → sealed sum → server step.
 * States and results are JSON values: they are broadcast, hashed, stored and resumed as such.
 */
export interface FederatedAlgorithm<State extends Json = Json, Result extends Json = Json> {
  readonly name: string;
  /** Parses what the manifest says beside `name`; a strict object. */
  readonly parameters: z.ZodType;
  /** Algorithms whose results it reads: of each group, one at least must run earlier in the study. */
  readonly needs: readonly (readonly string[])[];
  /** Which rows it is given: held-out rows are evaluated on, never trained on. */
  readonly rows: "training" | "heldOut";
  /**
   * @param params - as written in the manifest; parsed by the algorithm's own zod schema.
   * @throws Refusal parameters_invalid
   */
  start(schema: StudySchema, params: Json, prior: PriorResults): State;
  layout(state: State): VectorLayout;
  /**
   * Runs at the enterprise.
   * @returns shape [vectorLength(layout(state))].
   * @throws Refusal naming the column, when a value is not finite or out of bounds.
   */
  contribute(state: State, table: Table, random: Random): Float64Array | Promise<Float64Array>;
  /** Runs at the bank; deterministic. @throws Refusal when the sum shows that no result exists (separation, …) */
  advance(state: State, sum: SealedSum): State | Promise<State>;
  /** Defined when finished. */
  result(state: State): Result | undefined;
}
