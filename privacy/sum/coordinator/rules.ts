/** What holds in every phase of the coordinator: who is expected to say what, and how an attempt ends. */
import type { Reason } from "../../../core/reasons.ts";
import type { PartyId } from "../graph.ts";
import { encodeHeader } from "../header.ts";
import type {
  Agreed,
  CoordinatorRoundMessage,
  Open,
  PartySignature,
  Survivor,
  Survivors,
} from "../messages.ts";
import type {
  Agreeing,
  CoordinatorContext,
  CoordinatorEffect,
  CoordinatorState,
  CoordinatorStep,
  Ended,
  Fault,
  RoundBase,
} from "./state.ts";

export type In<Phase> = Extract<CoordinatorState, { readonly phase: Phase }>;
/** The phases that wait for one message of each of some parties. */
export type Waiting = In<"submitting" | "agreeing" | "unmasking" | "releasing" | "renouncing">;
export type Running = Waiting | In<"subtracting" | "released">;

export function isEnded(state: CoordinatorState): state is Ended {
  switch (state.phase) {
    case "closed":
    case "aborted":
    case "rerun":
    case "split":
    case "lost":
      return true;
    case "submitting":
    case "agreeing":
    case "unmasking":
    case "subtracting":
    case "releasing":
    case "released":
    case "renouncing":
      return false;
  }
}

export function isWaiting(state: Running): state is Waiting {
  switch (state.phase) {
    case "submitting":
    case "agreeing":
    case "unmasking":
    case "releasing":
    case "renouncing":
      return true;
    case "subtracting":
    case "released":
      return false;
  }
}

export const withFaults = (round: RoundBase, faults: readonly Fault[]): RoundBase => ({
  ...round,
  faults: [...round.faults, ...faults],
});

export const hasFault = ({ faults }: RoundBase, party: PartyId): boolean =>
  faults.some((f) => f.party === party);

/** Not to be waited for, and welcome all the same: whoever was late or away in a step may answer in the next. */
const excusable: readonly Reason[] = ["party_late", "party_gone"];

/** Whether nobody listens to a party any more: it lied or refused. */
export const isOut = ({ faults }: RoundBase, party: PartyId): boolean =>
  faults.some((fault) => fault.party === party && !excusable.includes(fault.reason));

/** Whether a party's answer would count: who refused to agree may renounce all the same. */
export const listensTo = (state: Running, party: PartyId): boolean =>
  state.phase === "renouncing" ? !state.unwilling.has(party) : !isOut(state.round, party);

/** @returns whose message this phase takes, sorted. */
export function expected(state: Waiting): readonly PartyId[] {
  switch (state.phase) {
    case "submitting":
      return state.round.header.cohort;
    case "unmasking":
      return state.unmaskers;
    case "releasing":
      return [...state.submissions.keys()];
    case "agreeing":
    case "renouncing":
      return state.round.members;
  }
}

/** @returns whether a party has said what this phase is about. */
export function hasAnswered(state: Waiting, party: PartyId): boolean {
  switch (state.phase) {
    case "submitting":
      return state.submitted.has(party);
    case "agreeing":
      return state.signatures.has(party);
    case "unmasking":
      return state.revealed.has(party);
    case "releasing":
      return state.released.has(party) || state.invalid.has(party);
    case "renouncing":
      return state.renounced.has(party);
  }
}

/** Parties whose answer is out, and would be welcome when they are back. */
export const missed = (state: Waiting): readonly PartyId[] =>
  expected(state).filter((party) => !hasAnswered(state, party) && listensTo(state, party));

/** Of these, who is here and was in time so far. */
export const awaited = (state: Waiting): readonly PartyId[] =>
  missed(state).filter(
    (party) =>
      !state.round.gone.has(party) && (state.phase === "renouncing" || !hasFault(state.round, party)),
  );

export const openOf = ({ header, opening }: RoundBase): Open => ({
  type: "open",
  header: encodeHeader(header),
  ...opening,
});

const survivorsOf = (state: Agreeing): Survivors => ({
  type: "survivors",
  roundId: state.round.roundId,
  survivors: survivorList(state),
});

function agreedOf({ round, signatures }: Agreeing, to: PartyId, { epoch }: CoordinatorContext): Agreed {
  const around = new Set([to, ...(epoch.neighbours.get(to) ?? [])]);
  const signed = signatureList(signatures).filter(({ party }) => around.has(party));
  return { type: "agreed", roundId: round.roundId, signatures: signed };
}

/** @returns what a phase says to a party. */
export function instruction(
  state: Waiting,
  to: PartyId,
  context: CoordinatorContext,
): CoordinatorRoundMessage {
  const { roundId } = state.round;
  switch (state.phase) {
    case "submitting":
      return openOf(state.round);
    case "agreeing":
      return survivorsOf(state);
    case "unmasking":
      return agreedOf(state, to, context);
    case "releasing": {
      const { chunks, secrets, submissions, first } = state;
      const submitted = [...submissions.values()].map(({ party, chunks: of, signature }) => ({
        party,
        chunks: of,
        signature,
      }));
      return { type: "aggregate", roundId, chunks, submissions: submitted, ...secrets, first: to === first };
    }
    case "renouncing":
      return { type: "renounce", roundId };
  }
}

export const sendTo = (state: Waiting, to: PartyId, context: CoordinatorContext): CoordinatorEffect => ({
  type: "send",
  to,
  message: instruction(state, to, context),
});

/** What a phase says to a party, after all it has to hear before: a survivor that was away may release the sum all the same. */
export function sendsTo(state: Waiting, to: PartyId, context: CoordinatorContext): CoordinatorEffect[] {
  const effects = [sendTo(state, to, context)];
  if (state.phase !== "releasing" || state.unmasked.has(to)) return effects;
  const agreed = agreedOf(state, to, context);
  if (agreed.signatures.length < state.round.header.threshold) return effects;
  const before = [survivorsOf(state), agreed];
  return [...before.map((message): CoordinatorEffect => ({ type: "send", to, message })), ...effects];
}

/** @param submissions - sorted by party. */
export const survivorList = ({ submissions }: Pick<Agreeing, "submissions">): readonly Survivor[] =>
  [...submissions].map(([party, { digest, commitment, noiseCommitment }]) => ({
    party,
    digest,
    commitment,
    noiseCommitment,
  }));

export const sorted = <Value>(map: ReadonlyMap<PartyId, Value>): [PartyId, Value][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

export const signatureList = (signatures: ReadonlyMap<PartyId, Uint8Array>): readonly PartySignature[] =>
  sorted(signatures).map(([party, signature]) => ({ party, signature }));

/** Who hears of a phase as it begins: an attempt is opened to the whole epoch. */
const audience = (state: Waiting): readonly PartyId[] =>
  state.phase === "submitting" ? state.round.members : expected(state);

/** Begins a phase: says its instruction to everyone it concerns, and starts the timer. */
export function entered(
  state: Waiting,
  context: CoordinatorContext,
  before: readonly CoordinatorEffect[] = [],
): CoordinatorStep {
  const wait = state.round.wait + 1;
  const next: Waiting = { ...state, round: { ...state.round, wait, waits: 0 } };
  return {
    state: next,
    effects: [
      ...before,
      ...audience(next)
        .filter((to) => listensTo(next, to) && !hasAnswered(next, to))
        .flatMap((to) => sendsTo(next, to, context)),
      { type: "wait", wait, seconds: next.round.header.stepSeconds },
    ],
  };
}

/** One more deadline for those who have not answered. */
export function askedAgain(state: Waiting, context: CoordinatorContext): CoordinatorStep {
  const { round } = state;
  const wait = round.wait + 1;
  const next: Waiting = { ...state, round: { ...round, wait, waits: round.waits + 1 } };
  return {
    state: next,
    effects: [
      ...missed(next).flatMap((to) => sendsTo(next, to, context)),
      { type: "wait", wait, seconds: round.header.stepSeconds },
    ],
  };
}

/** Who the next attempt leaves out: members of the cohort that did something wrong, or nothing. */
export const excludedIn = ({ faults, header }: RoundBase): PartyId[] => {
  const parties = new Set(faults.map(({ party }) => party));
  return header.cohort.filter((party) => parties.has(party));
};

/** Ends an attempt without a sum. */
export function ended(
  state: Exclude<Ended, { readonly phase: "closed" }>,
  round: RoundBase,
  reason: Reason,
  detail: string,
  signatures: readonly PartySignature[] = [],
): CoordinatorStep {
  const { roundId, faults, phase: outcome } = state;
  return {
    state,
    effects: [
      { type: "record", record: { kind: "ended", roundId, outcome, reason, detail, faults, signatures } },
      ...farewell(state, round),
    ],
  };
}

export const lost = (
  round: RoundBase,
  reason: Reason,
  detail: string,
  signatures?: readonly PartySignature[],
): CoordinatorStep => {
  const { roundId, faults } = round;
  return ended({ phase: "lost", roundId, reason, detail, faults }, round, reason, detail, signatures);
};

/** Before anybody was asked to agree: the step is as it was. */
export const abort = (round: RoundBase, reason: Reason, detail: string): CoordinatorStep => {
  const { roundId, faults } = round;
  const excluded = excludedIn(round);
  const state = { phase: "aborted", roundId, reason, detail, faults, excluded, lift: undefined } as const;
  return ended(state, round, reason, detail);
};

export const farewell = (state: Ended, { members }: RoundBase): CoordinatorEffect[] =>
  members.map((to) => ({ type: "send", to, message: closing(state) }));

export function closing(state: Ended): CoordinatorRoundMessage {
  const { roundId, faults } = state;
  const party = faults[0]?.party ?? "";
  const said = { type: "closed", roundId } as const;
  switch (state.phase) {
    case "closed":
      return { ...said, outcome: "released", reason: "", party: "", certificate: state.certificate };
    case "aborted":
    case "lost":
      return { ...said, outcome: state.phase, reason: state.reason, party, certificate: "" };
    case "rerun":
      return {
        ...said,
        outcome: "rerun",
        reason: "share_invalid",
        party: state.without[0]!,
        certificate: "",
      };
    case "split":
      return { ...said, outcome: "split", reason: "sum_invalid", party: "", certificate: "" };
  }
}
