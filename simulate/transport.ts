import type { PriorResults } from "../models/algorithm.ts";
import type { StudyManifest } from "../models/study.ts";
import type { Problem } from "./data.ts";

/** Which parties drop out of the model's rounds: each with a probability, or the first few for good in its first. */
export type DropOut =
  | { readonly kind: "chance"; readonly probability: number }
  | { readonly kind: "at"; readonly parties: number; readonly step: Step };

/** By the message of a party that ends the step. */
export const steps = ["submit", "agree", "unmask", "released"] as const;
export type Step = (typeof steps)[number];

export interface TransportOptions {
  readonly drop: DropOut;
  readonly seed: string;
  readonly onRound: (algorithm: string, round: number) => void;
}

export interface Outcome {
  readonly results: PriorResults;
  /** Sums released. */
  readonly rounds: number;
  /** The layers that ran, as in the signed header. */
  readonly protection: {
    readonly masks: boolean;
    readonly encryption: string;
    readonly noise: string;
    readonly minCohort: number;
  };
  /** Of all parties together. */
  readonly bytes: { readonly up: number; readonly down: number };
  readonly log: { readonly size: number; readonly root: string | null; readonly verified: boolean | null };
}

/** Runs a study to its end over one kind of sum. */
export type Transport = (problem: Problem, options: TransportOptions) => Promise<Outcome>;

/** The algorithm a simulated study is about: the last one that is not the evaluation. */
export const modelOf = ({ algorithms }: StudyManifest): string =>
  algorithms.findLast(({ name }) => name !== "evaluate")!.name;
