/** What holds in every phase of the coordinator: who is expected to say what, and how an attempt ends. */
import type { Reason } from "../../../core/reasons.ts";
import type { PartyId } from "../graph.ts";
import { encodeHeader } from "../header.ts";
import type { CoordinatorRoundMessage, Submit, Survivor } from "../messages.ts";
import type { CoordinatorEffect, CoordinatorState, CoordinatorStep, Fault, RoundBase } from "./state.ts";

export type In<Phase> = Extract<CoordinatorState, { readonly phase: Phase }>;
/** The phases that wait for one message of each of some parties. */
export type Waiting = In<"advertising" | "sharing" | "submitting" | "agreeing" | "unmasking" | "releasing">;

export type Running = Exclude<CoordinatorState, In<"closed" | "aborted">>;

export const isWaiting = (state: CoordinatorState): state is Waiting =>
  state.phase !== "subtracting" &&
  state.phase !== "released" &&
  state.phase !== "closed" &&
  state.phase !== "aborted";

export const withFaults = (round: RoundBase, faults: readonly Fault[]): RoundBase => ({
  ...round,
  faults: [...round.faults, ...faults],
});

export const hasFault = ({ faults }: RoundBase, party: PartyId): boolean =>
  faults.some((f) => f.party === party);

export const isLost = ({ faults }: RoundBase, party: PartyId): boolean =>
  faults.some((fault) => fault.party === party && discredits.includes(fault.reason));

/** Reasons after which a party's word on the sum counts no more. */
const discredits: readonly Reason[] = ["party_refused", "release_invalid", "digest_mismatch"];

/**
 * Whether nobody listens to a party any more. At the release that takes a lie: whoever was merely late or gone
 * before may still sign the sum it is part of.
 */
export const isOut = ({ phase, round }: Running, party: PartyId): boolean =>
  phase === "releasing" ? isLost(round, party) : hasFault(round, party);

/** @returns whose message this phase takes, sorted. */
export function expected(state: Waiting): readonly PartyId[] {
  switch (state.phase) {
    case "advertising":
      return state.round.header.cohort;
    case "sharing":
      return state.keys.advertised.map(({ party }) => party);
    case "submitting":
      return state.circle.sharers;
    case "agreeing":
      return [...state.survivors.keys()];
    case "unmasking":
      return state.agreed.signatures.map(({ party }) => party);
    case "releasing":
      return state.survivors.map(({ party }) => party);
  }
}

/** @returns what has been said in this phase, by whom. */
export function answers(state: Waiting): ReadonlyMap<PartyId, unknown> {
  switch (state.phase) {
    case "advertising":
      return state.advertised;
    case "sharing":
      return state.shared;
    case "submitting":
      return state.submitted;
    case "agreeing":
      return state.signatures;
    case "unmasking":
      return state.revealed;
    case "releasing":
      return state.released;
  }
}

/** @returns what a party is told at the beginning of this phase. */
export function instruction(state: Waiting, to: PartyId): CoordinatorRoundMessage {
  const { roundId, header } = state.round;
  switch (state.phase) {
    case "advertising":
      return { type: "open", header: encodeHeader(header) };
    case "sharing":
      return state.keys;
    case "submitting":
      return { type: "shares", roundId, sharers: state.circle.sharers, sealed: state.inboxes.get(to) ?? [] };
    case "agreeing":
      return { type: "survivors", roundId, survivors: survivorList(state.survivors) };
    case "unmasking":
      return state.agreed;
    case "releasing":
      return { type: "aggregate", roundId, chunks: state.chunks, first: to === state.first };
  }
}

/** Parties whose answer is still out and may come. */
export const awaited = (state: Waiting): readonly PartyId[] =>
  expected(state).filter(
    (party) => !answers(state).has(party) && !state.round.gone.has(party) && !isOut(state, party),
  );

export const survivorList = (survivors: ReadonlyMap<PartyId, Submit>): readonly Survivor[] =>
  [...survivors].map(([party, { digest }]) => ({ party, digest }));

export const sorted = <Value>(map: ReadonlyMap<PartyId, Value>): [PartyId, Value][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Begins a phase: says its instruction to everyone expected, and starts the timer. */
export function entered<State extends Waiting>(
  state: State,
  before: readonly CoordinatorEffect[] = [],
): CoordinatorStep {
  const wait = state.round.wait + 1;
  const next: Waiting = { ...state, round: { ...state.round, wait } };
  return {
    state: next,
    effects: [
      ...before,
      ...expected(next)
        .filter((to) => !hasFault(next.round, to))
        .map((to): CoordinatorEffect => ({ type: "send", to, message: instruction(next, to) })),
      { type: "wait", wait, seconds: next.round.header.stepSeconds },
    ],
  };
}

/** Ends the attempt; whoever has a fault is left out of the next. */
export function abort(round: RoundBase, reason: Reason, detail: string): CoordinatorStep {
  const { roundId, faults } = round;
  const excluded = [...new Set(faults.map(({ party }) => party))].sort();
  const aborted: In<"aborted"> = { phase: "aborted", roundId, reason, detail, faults, excluded };
  return {
    state: aborted,
    effects: [
      { type: "record", record: { kind: "aborted", roundId, reason, detail, faults } },
      ...farewell(aborted, round),
    ],
  };
}

export const farewell = (state: In<"closed" | "aborted">, { header }: RoundBase): CoordinatorEffect[] =>
  header.cohort.map((to) => ({ type: "send", to, message: closing(state) }));

export function closing(state: In<"closed" | "aborted">): CoordinatorRoundMessage {
  const { roundId } = state;
  const [fault] = state.faults;
  return state.phase === "closed"
    ? { type: "closed", roundId, outcome: "released", reason: "", party: "", state: state.state }
    : {
        type: "closed",
        roundId,
        outcome: "aborted",
        reason: state.reason,
        party: fault?.party ?? "",
        state: "",
      };
}
