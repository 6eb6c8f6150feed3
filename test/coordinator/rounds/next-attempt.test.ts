import test from "ava";
import {
  type NextAttempt,
  nextAttempt,
  type Outcome,
  otherHalf,
  type StoredAttempt,
} from "../../../coordinator/rounds/next-attempt.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";

const ids = ["dyer", "kiln", "lathe", "mill", "truck", "weaver"];
const halves = [ids.slice(0, 3), ids.slice(3)] as const;
const evidence = Uint8Array.of(1, 2, 3);

let count = 0;
/** One attempt of the step. */
function attempt(
  phase: StoredAttempt["phase"],
  outcome?: Partial<Outcome>,
  header: Partial<RoundHeader> = {},
): StoredAttempt {
  const roundId = `round-${++count}`;
  return {
    roundId,
    header: { follows: null, cohort: ids, minCohort: 3, round: 1, ...header } as RoundHeader,
    phase,
    outcome: outcome === undefined ? undefined : ({ phase, roundId, faults: [], ...outcome } as Outcome),
  };
}

const aborted = (header: Partial<RoundHeader> = {}, more: Partial<Outcome> = {}): StoredAttempt =>
  attempt("aborted", { reason: "party_gone", detail: "mill", ...more } as Partial<Outcome>, header);
const restarted = (header: Partial<RoundHeader> = {}): StoredAttempt =>
  aborted(header, { reason: "coordinator_restarted" } as Partial<Outcome>);
const cohortOf = (next: NextAttempt): readonly string[] | undefined =>
  next.kind === "follow" ? next.cohort : undefined;

test("a first attempt opens the step; every lock of earlier ones is lifted, who has spent it is left out", (t) => {
  t.deepEqual(nextAttempt([]), { kind: "open", lifts: [], spentBy: [] });
  const lift = { roundId: "a", signatures: [] };
  const faults = [{ party: "kiln", reason: "step_spent", detail: "" }] as const;
  const next = nextAttempt([aborted({}, { lift } as Partial<Outcome>), aborted({}, { faults })]);
  t.deepEqual(next, { kind: "open", lifts: [lift], spentBy: ["kiln"] });
});

test("what a killed process left is given up before anybody agreed, finished from then on", (t) => {
  const open = attempt("open");
  t.deepEqual(nextAttempt([open]), { kind: "giveUp", roundId: open.roundId });
  for (const phase of ["agreeing", "unmasking", "releasing"] as const) {
    const stored = attempt(phase);
    t.deepEqual(nextAttempt([aborted(), stored]), { kind: "resume", attempt: stored });
  }
  t.throws(() => nextAttempt([attempt("released")]), { instanceOf: RangeError });
});

test("a bad sharer's sum is run again once, over the others; a restart in between changes nothing", (t) => {
  const wrong = attempt("rerun", { cohort: ids.slice(1), without: ["dyer"], evidence } as Partial<Outcome>);
  const follows = { kind: "rerun", of: wrong.roundId } as const;
  const next = nextAttempt([wrong]);
  t.deepEqual(next, { kind: "follow", follows, cohort: ids.slice(1), minCohort: 3, evidence, lifts: [] });
  t.deepEqual(nextAttempt([wrong, restarted({ follows, cohort: ids.slice(1) })]), next);
  t.like(nextAttempt([wrong, aborted({ follows, cohort: ids.slice(1) })]), {
    kind: "over",
    reason: "round_lost",
  });
});

test("an invalid sum: one half, then the other, then the study is over", (t) => {
  const split = attempt("split", { halves, evidence } as Partial<Outcome>);
  const follows = { kind: "half", of: split.roundId } as const;
  const [first, second] = halves.map((cohort) => ({ follows, cohort: [...cohort] }));
  t.deepEqual(cohortOf(nextAttempt([split])), halves[0]);
  t.deepEqual(cohortOf(nextAttempt([split, restarted(first)])), halves[0], "nobody had agreed to it");
  for (const failed of [
    aborted(first),
    attempt("lost", { reason: "sum_invalid" } as Partial<Outcome>, first),
  ]) {
    t.deepEqual(cohortOf(nextAttempt([split, failed])), halves[1]);
    t.like(nextAttempt([split, failed, aborted(second)]), { kind: "over", reason: "sum_invalid" });
  }
  t.deepEqual(otherHalf(split.outcome, halves[0]), halves[1]);
  t.deepEqual(otherHalf(split.outcome, halves[1]), halves[0]);
  t.throws(() => otherHalf(undefined, halves[0]), { message: /not split/ });
});

test("a lost round ends the study with its reason", (t) => {
  const lost = attempt("lost", { reason: "round_lost", detail: "too few" } as Partial<Outcome>);
  t.deepEqual(nextAttempt([lost]), { kind: "over", reason: "round_lost", detail: "too few" });
});
