import { isReason, type Reason, Refusal } from "../../../core/reasons.ts";
import { countOrganisations } from "../../roster.ts";
import { shareGraph } from "../binding.ts";
import type { PartyId } from "../graph.ts";
import { type RoundHeader, roundIdOf } from "../header.ts";
import { planPacking } from "../layout.ts";
import type { Agreed, Keys, PartyRoundMessage, Refuse, SealedShare } from "../messages.ts";
import { accepted, isRepeated, type Taken } from "./accept.ts";
import { askAgain, beginRelease, onAdvanced, onUnmasked, releaseWaits, settle, verdict } from "./release.ts";
import {
  abort,
  answers,
  awaited,
  closing,
  entered,
  expected,
  hasFault,
  type In,
  instruction,
  isOut,
  isWaiting,
  type Running,
  sorted,
  survivorList,
  type Waiting,
  withFaults,
} from "./rules.ts";
import type {
  CoordinatorContext,
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
  CoordinatorStep,
  Fault,
  ReleasePoint,
  RoundBase,
} from "./state.ts";
import { subtractMasks } from "./unmask.ts";

export type * from "./state.ts";

/**
 * Opens an attempt: says the header to its whole cohort.
 * @throws {RangeError} if the header is of another roster
 * @throws Refusal layout_overflow, cohort_too_small
 */
export function openRound(header: RoundHeader, { roster }: CoordinatorContext): CoordinatorStep {
  const round = newRound(header, { roster }, []);
  if (countOrganisations(roster, header.cohort) < header.minCohort)
    throw new Refusal("cohort_too_small", `${header.cohort.length} parties, minCohort ${header.minCohort}`);
  return entered({ phase: "advertising", round, advertised: new Map() });
}

/** Goes on at step 6 from what `persist` stored. @throws {RangeError} if the header is of another roster */
export function resumeRelease(point: ReleasePoint, context: CoordinatorContext): CoordinatorStep {
  const { header, survivors, chunks, faults } = point;
  return beginRelease(newRound(header, context, faults), survivors, chunks);
}

function newRound(header: RoundHeader, { roster }: CoordinatorContext, faults: readonly Fault[]): RoundBase {
  if (header.roster !== roster.digest || !header.cohort.every((party) => roster.byId.has(party)))
    throw new RangeError("the header is of another roster");
  const packing = planPacking(header.layout, header.cohort.length);
  return { roundId: roundIdOf(header), header, packing, faults, gone: new Set(), wait: 0 };
}

/** One step of the coordinator. What a party does wrong is a fault and never an exception. */
export function coordinatorStep(
  state: CoordinatorState,
  event: CoordinatorEvent,
  context: CoordinatorContext,
): CoordinatorStep {
  if (state.phase === "closed" || state.phase === "aborted") return ended(state, event);
  switch (event.type) {
    case "message":
      return onMessage(state, event.from, event.message, context);
    case "gone":
      return advance(withGone(state, event.party, true), context);
    case "joined":
      return onJoined(state, event.party);
    case "deadline":
      return event.wait === state.round.wait && isWaiting(state)
        ? onDeadline(state, context)
        : { state, effects: [] };
    case "folded":
    case "foldFailed":
      return state.phase === "submitting" ? onFold(state, event, context) : { state, effects: [] };
    case "unmasked":
      return state.phase === "subtracting" ? onUnmasked(state, event) : { state, effects: [] };
    case "unmaskFailed":
      return abort(withFaults(state.round, event.faults), event.reason, event.detail);
    case "advanced":
      return state.phase === "released" ? onAdvanced(state, event.state) : { state, effects: [] };
    case "abort":
      return abort(state.round, event.reason, event.detail);
  }
}

/** Who comes too late is told how it ended. */
function ended(state: In<"closed" | "aborted">, event: CoordinatorEvent): CoordinatorStep {
  const party = event.type === "joined" ? event.party : event.type === "message" ? event.from : undefined;
  const isForeign =
    event.type === "message" && (event.message.type === "refuse" || event.message.roundId !== state.roundId);
  if (party === undefined || isForeign) return { state, effects: [] };
  return { state, effects: [{ type: "send", to: party, message: closing(state) }] };
}

function withGone<State extends Running>(state: State, party: PartyId, isGone: boolean): State {
  const gone = new Set(state.round.gone);
  if (isGone) gone.add(party);
  else gone.delete(party);
  return { ...state, round: { ...state.round, gone } };
}

function onJoined(before: Running, party: PartyId): CoordinatorStep {
  const state = withGone(before, party, false);
  if (!isWaiting(state) || !awaited(state).includes(party)) return { state, effects: [] };
  return { state, effects: [{ type: "send", to: party, message: instruction(state, party) }] };
}

/** Records a fault, tells the log, and goes on without the party where that is possible. */
function blame(state: Running, fault: Fault, context: CoordinatorContext): CoordinatorStep {
  if (state.round.faults.some((f) => f.party === fault.party && f.reason === fault.reason))
    return { state, effects: [] };
  const { roundId } = state.round;
  const next = advance({ ...state, round: withFaults(state.round, [fault]) }, context);
  return {
    state: next.state,
    effects: [{ type: "record", record: { kind: "fault", roundId, fault } }, ...next.effects],
  };
}

/** Which message each phase takes. */
const takes: Record<Waiting["phase"], PartyRoundMessage["type"]> = {
  advertising: "advertise",
  sharing: "share",
  submitting: "submit",
  agreeing: "agree",
  unmasking: "unmask",
  releasing: "released",
};
const order = Object.values(takes);

function onMessage(
  state: Running,
  from: PartyId,
  message: PartyRoundMessage,
  context: CoordinatorContext,
): CoordinatorStep {
  const ignored: CoordinatorStep = { state, effects: [] };
  const { round } = state;
  if (message.roundId !== round.roundId || !round.header.cohort.includes(from)) return ignored;
  if (message.type === "refuse") return onRefuse(state, from, message, context);
  if (isOut(state, from)) return ignored;
  const fault = (reason: Reason, detail: string): CoordinatorStep =>
    blame(state, { party: from, reason, detail }, context);
  if (!isWaiting(state)) {
    if (state.phase === "released" && message.type === "released" && message.digest !== state.digest)
      return fault("digest_mismatch", "signed another sum than the majority");
    return ignored;
  }
  const { phase } = state;
  if (message.type !== takes[phase])
    // A repeated answer to an earlier step is harmless; one from the future was not asked for.
    return order.indexOf(message.type) < order.indexOf(takes[phase])
      ? ignored
      : fault("message_unexpected", `${message.type} while ${phase}`);
  if (!expected(state).includes(from))
    return fault("message_unexpected", `${message.type} was not asked for`);
  const before = answers(state).get(from);
  if (before !== undefined && phase !== "releasing")
    return isRepeated(before, from, message)
      ? ignored
      : fault("message_unexpected", `a second, different ${message.type}`);
  try {
    return advance(accepted(state, from, message, context), context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return fault(error.reason, error.message);
  }
}

/** A party that refuses drops out; two that name the same other one get it excluded too. */
function onRefuse(
  state: Running,
  from: PartyId,
  message: Refuse,
  context: CoordinatorContext,
): CoordinatorStep {
  const said = isReason(message.reason) ? message.reason : "party_refused";
  const accused = message.party === "" || message.party === from ? "" : ` by ${message.party}`;
  const detail = `${said}${accused}`;
  const { faults, header } = state.round;
  const earlier = faults.find((fault) => fault.party !== from && fault.detail === detail && accused !== "");
  const first = blame(state, { party: from, reason: "party_refused", detail }, context);
  if (earlier === undefined || !header.cohort.includes(message.party)) return first;
  const named: Fault = { party: message.party, reason: said, detail: "named by two parties" };
  if (first.state.phase === "closed") return first;
  if (first.state.phase === "aborted")
    return {
      state: {
        ...first.state,
        faults: [...first.state.faults, named],
        excluded: [...new Set([...first.state.excluded, named.party])],
      },
      effects: first.effects,
    };
  const second = blame(first.state, named, context);
  return { state: second.state, effects: [...first.effects, ...second.effects] };
}

/** Goes to the next phase when nobody is waited for any more. */
function advance(taken: Running | Taken, context: CoordinatorContext): CoordinatorStep {
  const { next: state, effects } = "next" in taken ? taken : { next: taken, effects: [] };
  const step = isWaiting(state) && isComplete(state) ? proceed(state, context) : { state, effects: [] };
  return { state: step.state, effects: [...effects, ...step.effects] };
}

const isFolding = ({ submitted, folded, round }: In<"submitting">): boolean =>
  [...submitted.keys()].some((party) => !folded.has(party) && !hasFault(round, party));

function isComplete(state: Waiting): boolean {
  switch (state.phase) {
    case "submitting":
      return (state.closing || awaited(state).length === 0) && !isFolding(state);
    case "releasing":
      return verdict(state).kind !== "open";
    case "advertising":
    case "sharing":
    case "agreeing":
    case "unmasking":
      return awaited(state).length === 0;
  }
}

/** The step's time is over: go on with whoever is there. */
function onDeadline(before: Waiting, context: CoordinatorContext): CoordinatorStep {
  const { round } = before;
  const missing = expected(before).filter((party) => !answers(before).has(party) && !isOut(before, party));
  if (before.phase === "releasing" && before.waits + 1 < releaseWaits) return askAgain(before, missing);
  const faults = missing.map((party): Fault => {
    const reason = round.gone.has(party) ? "party_gone" : "party_late";
    return { party, reason, detail: `while ${before.phase}` };
  });
  const late: Waiting = { ...before, round: withFaults(round, faults) };
  const records = faults.map(
    (fault): CoordinatorEffect => ({
      type: "record",
      record: { kind: "fault", roundId: round.roundId, fault },
    }),
  );
  const state: Waiting = late.phase === "submitting" ? { ...late, closing: true } : late;
  const step =
    state.phase === "submitting" && isFolding(state) ? { state, effects: [] } : proceed(state, context);
  return { state: step.state, effects: [...records, ...step.effects] };
}

/** Those who are gone when a phase ends have dropped out of it. */
function withDropOuts<State extends Waiting>(state: State): { state: State; effects: CoordinatorEffect[] } {
  const { roundId } = state.round;
  const faults = expected(state)
    .filter((party) => !answers(state).has(party) && !hasFault(state.round, party))
    .map((party): Fault => ({ party, reason: "party_gone", detail: `while ${state.phase}` }));
  return {
    state: { ...state, round: withFaults(state.round, faults) },
    effects: faults.map((fault) => ({ type: "record", record: { kind: "fault", roundId, fault } })),
  };
}

/** Ends a phase with those who answered. */
function proceed(waiting: Waiting, context: CoordinatorContext): CoordinatorStep {
  if (waiting.phase === "releasing") return settle(waiting);
  const { state, effects } = withDropOuts(waiting);
  const step = ((): CoordinatorStep => {
    switch (state.phase) {
      case "advertising":
        return relayKeys(state, context);
      case "sharing":
        return relayShares(state, context);
      case "submitting":
        return proposeSurvivors(state, context);
      case "agreeing":
        return relayAgreement(state);
      case "unmasking":
        return subtractMasks(state);
    }
  })();
  return { state: step.state, effects: [...effects, ...step.effects] };
}

/** @returns why too few are left, if they are: organisations for the cohort, parties for the threshold. */
function tooFew(
  { header }: RoundBase,
  ids: readonly PartyId[],
  threshold: number,
  { roster }: CoordinatorContext,
): string | undefined {
  const organisations = countOrganisations(roster, ids);
  if (organisations < header.minCohort)
    return `${organisations} organisations of at least ${header.minCohort}`;
  return ids.length < threshold ? `${ids.length} parties of at least ${threshold}` : undefined;
}

/** Step 1 → 2. */
function relayKeys({ round, advertised }: In<"advertising">, context: CoordinatorContext): CoordinatorStep {
  const active = new Map(sorted(advertised).filter(([party]) => !hasFault(round, party)));
  const few = tooFew(round, [...active.keys()], round.header.threshold, context);
  if (few !== undefined) return abort(round, "too_few_survivors", few);
  const list = [...active.values()];
  const graph = shareGraph(round.header, round.roundId, list);
  if (graph instanceof Refusal) return abort(round, graph.reason, graph.message);
  const { neighbours, threshold } = graph;
  const keys: Keys = { type: "keys", roundId: round.roundId, advertised: list };
  return entered({
    phase: "sharing",
    round,
    keys,
    circle: { advertised: active, neighbours, threshold },
    shared: new Map(),
  });
}

/** Step 2 → 3: sorts the sealed shares by recipient. */
function relayShares({ round, circle, shared }: In<"sharing">, context: CoordinatorContext): CoordinatorStep {
  const active = sorted(shared).filter(([party]) => !hasFault(round, party));
  const sharers = active.map(([party]) => party);
  const few = tooFew(round, sharers, circle.threshold, context);
  if (few !== undefined) return abort(round, "too_few_survivors", few);
  const inboxes = new Map<PartyId, SealedShare[]>(sharers.map((party) => [party, []]));
  for (const [from, sealed] of active)
    for (const { party: to, ciphertext } of sealed) inboxes.get(to)?.push({ party: from, ciphertext });
  return entered({
    phase: "submitting",
    round,
    circle: { ...circle, sharers },
    inboxes,
    submitted: new Map(),
    folded: new Set(),
    closing: false,
  });
}

function onFold(
  state: In<"submitting">,
  event: Extract<CoordinatorEvent, { readonly type: "folded" | "foldFailed" }>,
  context: CoordinatorContext,
): CoordinatorStep {
  if (event.type === "folded")
    return advance({ ...state, folded: new Set([...state.folded, event.party]) }, context);
  const { party, reason, detail, spoiled } = event;
  const fault = { party, reason, detail };
  return spoiled ? abort(withFaults(state.round, [fault]), reason, detail) : blame(state, fault, context);
}

/** Step 3 → 4. Who is in the running sum is a survivor, whatever it did since. */
function proposeSurvivors(
  { round, circle, submitted, folded }: In<"submitting">,
  context: CoordinatorContext,
): CoordinatorStep {
  const survivors = new Map(sorted(submitted).filter(([party]) => folded.has(party)));
  const few = tooFew(round, [...survivors.keys()], circle.threshold, context);
  if (few !== undefined) return abort(round, "too_few_survivors", few);
  const { roundId } = round;
  return entered({ phase: "agreeing", round, circle, survivors, signatures: new Map() }, [
    { type: "record", record: { kind: "survivors", roundId, survivors: survivorList(survivors) } },
  ]);
}

/** Step 4 → 5. */
function relayAgreement({ round, circle, survivors, signatures }: In<"agreeing">): CoordinatorStep {
  if (signatures.size < circle.threshold)
    return abort(round, "agreement_missing", `${signatures.size} of at least ${circle.threshold} signatures`);
  const agreed: Agreed = {
    type: "agreed",
    roundId: round.roundId,
    signatures: sorted(signatures).map(([party, signature]) => ({ party, signature })),
  };
  return entered({ phase: "unmasking", round, circle, survivors, agreed, revealed: new Map() });
}
