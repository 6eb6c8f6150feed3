/** What comes next in a step, from what is stored of its attempts. Nothing else is remembered of them. */
import type { Digest } from "../../core/canonical.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import type { Ended } from "../../privacy/sum/coordinator/state.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { Lift } from "../../privacy/sum/messages.ts";

/** How an attempt without a sum ended. */
export type Outcome = Exclude<Ended, { readonly phase: "closed" }>;

export type AttemptPhase =
  /** Nothing of it is kept: a killed coordinator gives it up. */
  | "open"
  /** Finished from its stored point. */
  | "agreeing"
  | "unmasking"
  | "releasing"
  | "released"
  | Outcome["phase"];

export interface StoredAttempt {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  readonly phase: AttemptPhase;
  /** Where it ended without a sum. */
  readonly outcome: Outcome | undefined;
}

export type NextAttempt =
  /** A process ended in it, before anybody was asked to agree. */
  | { readonly kind: "giveUp"; readonly roundId: Digest }
  /** A process ended in it: it goes on from its point. */
  | { readonly kind: "resume"; readonly attempt: StoredAttempt }
  | {
      readonly kind: "open";
      readonly lifts: readonly Lift[];
      /** Members that have spent the step in an attempt that was given up: they cannot take part again. */
      readonly spentBy: readonly PartyId[];
    }
  /** The same vectors again, over exactly this cohort. */
  | {
      readonly kind: "follow";
      readonly follows: NonNullable<RoundHeader["follows"]>;
      readonly minCohort: number;
      readonly cohort: readonly PartyId[];
      readonly evidence: Uint8Array;
      readonly lifts: readonly Lift[];
    }
  /** The step is spent and has no sum. */
  | { readonly kind: "over"; readonly reason: Reason; readonly detail: string };

const isRestart = ({ outcome }: StoredAttempt): boolean =>
  outcome?.phase === "aborted" && outcome.reason === "coordinator_restarted" && outcome.lift === undefined;

/** @param attempts - of one step, in their order. */
export function nextAttempt(attempts: readonly StoredAttempt[]): NextAttempt {
  const last = attempts.at(-1);
  const lifts = attempts.flatMap(({ outcome }) =>
    outcome?.phase === "aborted" && outcome.lift !== undefined ? [outcome.lift] : [],
  );
  if (last === undefined) return { kind: "open", lifts, spentBy: [] };
  switch (last.phase) {
    case "open":
      return { kind: "giveUp", roundId: last.roundId };
    case "agreeing":
    case "unmasking":
    case "releasing":
      return { kind: "resume", attempt: last };
    case "released":
      throw new RangeError(`round ${last.header.round} has its sum`);
    case "aborted":
    case "rerun":
    case "split":
    case "lost":
      return after(last, attempts, lifts);
  }
}

function after(last: StoredAttempt, attempts: readonly StoredAttempt[], lifts: readonly Lift[]): NextAttempt {
  const { follows } = last.header;
  if (follows?.kind === "half") return afterHalf(last, follows.of, attempts, lifts);
  const outcome = last.outcome!;
  const same = { lifts, minCohort: last.header.minCohort };
  switch (outcome.phase) {
    case "rerun":
      return {
        kind: "follow",
        follows: { kind: "rerun", of: last.roundId },
        cohort: outcome.cohort,
        evidence: outcome.evidence,
        ...same,
      };
    case "split":
      return {
        kind: "follow",
        follows: { kind: "half", of: last.roundId },
        cohort: outcome.halves[0],
        evidence: outcome.evidence,
        ...same,
      };
    case "lost":
      return { kind: "over", reason: outcome.reason, detail: outcome.detail };
    case "aborted":
      if (follows === null) return { kind: "open", lifts, spentBy: spentBy(attempts) };
      return isRestart(last)
        ? again(last, follows, attempts, lifts)
        : { kind: "over", reason: "round_lost", detail: `the re-run ended: ${outcome.detail}` };
  }
}

const spentBy = (attempts: readonly StoredAttempt[]): PartyId[] =>
  attempts.flatMap(({ outcome }) =>
    (outcome?.faults ?? []).filter(({ reason }) => reason === "step_spent").map(({ party }) => party),
  );

/** One half was summed, and has no sum: the other is, once. */
function afterHalf(
  last: StoredAttempt,
  of: Digest,
  attempts: readonly StoredAttempt[],
  lifts: readonly Lift[],
): NextAttempt {
  if (isRestart(last)) return again(last, last.header.follows!, attempts, lifts);
  const split = attempts.find(({ roundId }) => roundId === of)?.outcome;
  if (split?.phase !== "split") throw new RangeError(`${of} was not split`);
  const [, second] = split.halves;
  if (last.header.cohort[0] === second[0])
    return { kind: "over", reason: "sum_invalid", detail: "neither half of the survivors has a sum" };
  return {
    kind: "follow",
    follows: { kind: "half", of },
    minCohort: last.header.minCohort,
    cohort: second,
    evidence: split.evidence,
    lifts,
  };
}

/** The process ended while vectors were submitted again: nobody has agreed to anything yet. */
function again(
  { header }: StoredAttempt,
  follows: NonNullable<RoundHeader["follows"]>,
  attempts: readonly StoredAttempt[],
  lifts: readonly Lift[],
): NextAttempt {
  const of = attempts.find(({ roundId }) => roundId === follows.of)?.outcome;
  if (of?.phase !== "rerun" && of?.phase !== "split") throw new RangeError(`${follows.of} is not followed`);
  const { cohort, minCohort } = header;
  return { kind: "follow", follows, minCohort, cohort, evidence: of.evidence, lifts };
}

/** @returns who sits the study out, now that a half of `split` has a sum. */
export function otherHalf(split: Outcome | undefined, cohort: readonly PartyId[]): readonly PartyId[] {
  if (split?.phase !== "split") throw new Refusal("internal", "a half of what was not split");
  const [first, second] = split.halves;
  return first[0] === cohort[0] ? second : first;
}
