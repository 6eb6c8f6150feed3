import type { RoundHeader } from "../sum/header.ts";
import type { VectorLayout } from "../sum/layout.ts";
import type { NoiseTerms } from "../sum/noise-terms.ts";

/** What a study computes from its manifest and its sums. The sealed sum knows of none: whoever verifies hands it in. */
export interface StudyArithmetic {
  /**
   * @param manifest - as it was attached.
   * @returns the first state, JSON.
   * @throws Refusal where it is no manifest
   */
  start(manifest: unknown): unknown;
  /** @returns what comes next from a state; undefined where the study is finished. */
  next(
    manifest: unknown,
    state: unknown,
  ):
    | {
        readonly algorithm: RoundHeader["algorithm"];
        readonly layout: VectorLayout;
        readonly noise: NoiseTerms | undefined;
        /** Who may be in the sum; undefined where the manifest deals its members to no groups. */
        readonly among: readonly string[] | undefined;
      }
    | undefined;
  /** @throws Refusal where the sum has no result */
  advance(
    manifest: unknown,
    state: unknown,
    sum: { readonly values: Float64Array; readonly parties: number },
  ): Promise<unknown>;
  /** @returns the results by name; undefined where the study is not finished. */
  results(state: unknown): unknown;
}
