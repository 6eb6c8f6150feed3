import { isDeepStrictEqual } from "node:util";
import { isReason, type Reason, Refusal } from "../../proto/reasons.ts";
import { type Digest, digestOf } from "../canonical.ts";
import { countOrganisations } from "../roster.ts";
import { chunkCount } from "./bfv-format.ts";
import {
  decodeSum,
  type Statement,
  selfMaskCommitment,
  shareGraph,
  signedBy,
  submissionDigest,
} from "./binding.ts";
import type {
  Circle,
  CoordinatorContext,
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
  CoordinatorStep,
  Fault,
  Rebuild,
  ReleasePoint,
  RoundBase,
} from "./coordinator-state.ts";
import type { PartyId } from "./graph.ts";
import { encodeHeader, type RoundHeader, roundIdOf } from "./header.ts";
import { dequantizeSum, planPacking } from "./layout.ts";
import type {
  Advertise,
  Advertised,
  Agreed,
  CoordinatorRoundMessage,
  Keys,
  PartyRoundMessage,
  Refuse,
  Released,
  SealedShare,
  Share,
  Submit,
  Survivor,
  Unmask,
} from "./messages.ts";
import { shareBytes } from "./shares.ts";

export type * from "./coordinator-state.ts";

type In<Phase> = Extract<CoordinatorState, { readonly phase: Phase }>;
/** The phases that wait for one message of each of some parties. */
type Waiting = In<"advertising" | "sharing" | "submitting" | "agreeing" | "unmasking" | "releasing">;

/** Deadlines a release is asked for again before the attempt is given up: the sum must not be lost. */
const releaseWaits = 3;

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
  if (party === undefined || (event.type === "message" && event.message.type === "refuse"))
    return { state, effects: [] };
  return { state, effects: [{ type: "send", to: party, message: closing(state) }] };
}

function closing(state: In<"closed" | "aborted">): CoordinatorRoundMessage {
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

const withFaults = (round: RoundBase, faults: readonly Fault[]): RoundBase => ({
  ...round,
  faults: [...round.faults, ...faults],
});

type Open = Exclude<CoordinatorState, In<"closed" | "aborted">>;

function withGone<State extends Open>(state: State, party: PartyId, isGone: boolean): State {
  const gone = new Set(state.round.gone);
  if (isGone) gone.add(party);
  else gone.delete(party);
  return { ...state, round: { ...state.round, gone } };
}

const isWaiting = (state: CoordinatorState): state is Waiting =>
  state.phase !== "subtracting" &&
  state.phase !== "released" &&
  state.phase !== "closed" &&
  state.phase !== "aborted";

/** @returns whose message this phase takes, sorted. */
function expected(state: Waiting): readonly PartyId[] {
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
function answers(state: Waiting): ReadonlyMap<PartyId, unknown> {
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
function instruction(state: Waiting, to: PartyId): CoordinatorRoundMessage {
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

/** Parties that have ended their part: nobody waits for them. */
const hasFault = ({ faults }: RoundBase, party: PartyId): boolean => faults.some((f) => f.party === party);

/** Parties whose answer is still out and may come. */
const awaited = (state: Waiting): readonly PartyId[] =>
  expected(state).filter(
    (party) => !answers(state).has(party) && !state.round.gone.has(party) && !hasFault(state.round, party),
  );

const survivorList = (survivors: ReadonlyMap<PartyId, Submit>): readonly Survivor[] =>
  [...survivors].map(([party, { digest }]) => ({ party, digest }));

/** Begins a phase: says its instruction to everyone expected, and starts the timer. */
function entered<State extends Waiting>(
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

function onJoined(before: Open, party: PartyId): CoordinatorStep {
  const state = withGone(before, party, false);
  if (!isWaiting(state) || !awaited(state).includes(party)) return { state, effects: [] };
  return { state, effects: [{ type: "send", to: party, message: instruction(state, party) }] };
}

/** Records a fault, tells the log, and goes on without the party where that is possible. */
function blame(state: Open, fault: Fault, context: CoordinatorContext): CoordinatorStep {
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
  state: Open,
  from: PartyId,
  message: PartyRoundMessage,
  context: CoordinatorContext,
): CoordinatorStep {
  const ignored: CoordinatorStep = { state, effects: [] };
  const { round } = state;
  if (message.roundId !== round.roundId || !round.header.cohort.includes(from)) return ignored;
  if (message.type === "refuse") return onRefuse(state, from, message, context);
  if (state.phase === "releasing" ? isLost(round, from) : hasFault(round, from)) return ignored;
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

function isRepeated(before: unknown, from: PartyId, message: PartyRoundMessage): boolean {
  switch (message.type) {
    case "advertise":
      return isDeepStrictEqual(before, advertisedOf(from, message));
    case "share":
      return isDeepStrictEqual(before, message.sealed);
    case "agree":
      return isDeepStrictEqual(before, message.signature);
    case "submit":
    case "unmask":
    case "released":
    case "refuse":
      return isDeepStrictEqual(before, message);
  }
}

/** A party that refuses drops out; two that name the same other one get it excluded too. */
function onRefuse(state: Open, from: PartyId, message: Refuse, context: CoordinatorContext): CoordinatorStep {
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

const advertisedOf = (party: PartyId, { maskKey, shareKey, signature }: Advertise): Advertised => ({
  party,
  maskKey,
  shareKey,
  signature,
});

/** Takes one answer. @throws Refusal what is wrong with it */
function accepted(
  state: Waiting,
  from: PartyId,
  message: Exclude<PartyRoundMessage, Refuse>,
  context: CoordinatorContext,
): Taken {
  const { roundId } = state.round;
  const requireSigned = (statement: Statement, signature: Uint8Array): void => {
    if (!signedBy(context.roster, roundId, from, statement, signature))
      throw new Refusal("signature_invalid", `${message.type} is not signed by its party for this round`);
  };
  if (state.phase === "advertising" && message.type === "advertise") {
    const { maskKey, shareKey } = message;
    requireSigned({ purpose: "advertise", maskKey, shareKey }, message.signature);
    requireNewKeys(state.advertised, message);
    return { ...state, advertised: set(state.advertised, from, advertisedOf(from, message)) };
  }
  if (state.phase === "sharing" && message.type === "share") {
    requireRecipients(message, state.circle.neighbours.get(from) ?? []);
    return { ...state, shared: set(state.shared, from, message.sealed) };
  }
  if (state.phase === "submitting" && message.type === "submit") {
    const { chunks, digest, commitment } = message;
    requireSigned({ purpose: "submit", chunks, digest, commitment }, message.signature);
    if (chunks.length !== chunkCount(state.round.packing.slots) || digest !== submissionDigest(chunks))
      throw new Refusal("digest_mismatch", "the submission's digest is not of its ciphertexts");
    return {
      next: { ...state, submitted: set(state.submitted, from, message) },
      effects: [
        { type: "record", record: { kind: "submitted", roundId, party: from, digest } },
        { type: "fold", party: from, chunks },
      ],
    };
  }
  if (state.phase === "agreeing" && message.type === "agree") {
    requireSigned({ purpose: "agree", survivors: survivorList(state.survivors) }, message.signature);
    return { ...state, signatures: set(state.signatures, from, message.signature) };
  }
  if (state.phase === "unmasking" && message.type === "unmask") {
    requireOneKind(message, from, state);
    return { ...state, revealed: set(state.revealed, from, message) };
  }
  if (state.phase === "releasing" && message.type === "released") {
    requireSigned({ purpose: "release", digest: message.digest }, message.signature);
    const before = state.released.get(from);
    if (before !== undefined && before.digest !== message.digest)
      throw new Refusal("digest_mismatch", "signed two sums");
    if (message.sum.length > 0) requireSum(message, state);
    // A repeated answer without the sum does not undo the one that brought it.
    return before !== undefined && message.sum.length === 0
      ? state
      : { ...state, released: set(state.released, from, message) };
  }
  throw new TypeError("the phase does not take this message");
}

/** An accepted state, perhaps with effects that its acceptance asks for. */
type Taken = Waiting | { readonly next: Waiting; readonly effects: readonly CoordinatorEffect[] };

const set = <Value>(
  map: ReadonlyMap<PartyId, Value>,
  party: PartyId,
  value: Value,
): ReadonlyMap<PartyId, Value> => new Map(map).set(party, value);

function requireNewKeys(
  advertised: ReadonlyMap<PartyId, Advertised>,
  { maskKey, shareKey }: Advertise,
): void {
  const text = (key: Uint8Array): string => Buffer.from(key).toString("hex");
  const own = [text(maskKey), text(shareKey)];
  if (own.some((key) => key.length !== 64)) throw new Refusal("message_malformed", "a key has 32 bytes");
  const known = [...advertised.values()].flatMap((other) => [text(other.maskKey), text(other.shareKey)]);
  if (new Set([...known, ...own]).size < known.length + 2)
    throw new Refusal("key_duplicate", "a key is advertised twice");
}

/** @throws Refusal release_invalid, naming a releaser whose sum is not what it signed, or is none. */
function requireSum({ sum, digest }: Released, { round, survivors }: In<"releasing">): void {
  if (digestOf(sum) !== digest) throw new Refusal("release_invalid", "the sum is not the one signed");
  dequantizeSum(decodeSum(sum, round.packing.slots), round.packing, survivors.length);
}

function requireRecipients({ sealed }: Share, neighbours: readonly PartyId[]): void {
  const recipients = sealed.map(({ party }) => party).sort();
  if (!isDeepStrictEqual(recipients, [...neighbours]))
    throw new Refusal("message_malformed", "not one sealed share for each neighbour");
}

function requireOneKind(message: Unmask, from: PartyId, state: In<"unmasking">): void {
  const neighbours = new Set(state.circle.neighbours.get(from));
  const sharers = new Set(state.circle.sharers);
  const seen = new Set<PartyId>();
  const check = (party: PartyId, share: Uint8Array, survived: boolean): void => {
    if (
      seen.has(party) ||
      share.length !== shareBytes ||
      !neighbours.has(party) ||
      !sharers.has(party) ||
      state.survivors.has(party) !== survived
    )
      throw new Refusal("share_conflict", `a share of ${party} that was not asked for`);
    seen.add(party);
  };
  for (const { party, share } of message.selfMask) check(party, share, true);
  for (const { party, share } of message.maskKey) check(party, share, false);
}

/** Goes to the next phase when nobody is waited for any more. */
function advance(taken: Open | Taken, context: CoordinatorContext): CoordinatorStep {
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
  const missing = expected(before).filter((party) => !answers(before).has(party) && !hasFault(round, party));
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

const sorted = <Value>(map: ReadonlyMap<PartyId, Value>): [PartyId, Value][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

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

/** Step 5, what came in: seeds as they are, everything else to be rebuilt from shares. */
function subtractMasks({ round, circle, survivors, revealed }: In<"unmasking">): CoordinatorStep {
  const { roundId, packing } = round;
  const faults: Fault[] = [];
  const selfMaskSeeds: Uint8Array[] = [];
  const rebuild: Rebuild[] = [];
  for (const [party, { commitment }] of survivors) {
    const seed = revealed.get(party)?.selfMaskSeed;
    if (seed !== undefined && selfMaskCommitment(roundId, seed) === commitment) {
      selfMaskSeeds.push(seed);
      continue;
    }
    if (seed !== undefined)
      faults.push({
        party,
        reason: "share_invalid",
        detail: "its self-mask seed is not the one committed to",
      });
    rebuild.push({ kind: "selfMask", party, commitment, ...sharesOf(party, "selfMask", circle, revealed) });
  }
  for (const party of circle.sharers) {
    const partners = (circle.neighbours.get(party) ?? [])
      .filter((id) => survivors.has(id))
      .map((id) => ({ party: id, maskKey: circle.advertised.get(id)!.maskKey }));
    if (survivors.has(party) || partners.length === 0) continue;
    const { maskKey } = circle.advertised.get(party)!;
    rebuild.push({
      kind: "maskKey",
      party,
      maskKey,
      partners,
      ...sharesOf(party, "maskKey", circle, revealed),
    });
  }
  const known = withFaults(round, faults);
  // Holders that answered without a share of a party never got a good one from it: that party is to blame.
  const lacking = rebuild.filter(({ shares, threshold }) => shares.length < threshold);
  if (lacking.length > 0) {
    const withheld = lacking.filter(({ party, threshold }) => {
      const holders = circle.neighbours.get(party) ?? [];
      return holders.filter((id) => revealed.has(id)).length >= threshold;
    });
    const detail = "too few of its shares were held by those who answered";
    return abort(
      withFaults(
        known,
        withheld.map(({ party }) => ({ party, reason: "share_invalid", detail })),
      ),
      withheld.length > 0 ? "share_invalid" : "too_few_survivors",
      `secrets of ${lacking.map(({ party }) => party).join(", ")} cannot be rebuilt`,
    );
  }
  return {
    state: { phase: "subtracting", round: known, survivors: survivorList(survivors) },
    effects: [{ type: "unmask", roundId, packing, selfMaskSeeds, rebuild }],
  };
}

function sharesOf(
  party: PartyId,
  kind: "selfMask" | "maskKey",
  { neighbours, threshold }: Circle,
  revealed: ReadonlyMap<PartyId, Unmask>,
): Pick<Rebuild, "shares" | "threshold"> {
  const shares = (neighbours.get(party) ?? []).flatMap((holder) => {
    const found = revealed.get(holder)?.[kind].find((share) => share.party === party);
    return found === undefined ? [] : [{ holder, share: found.share }];
  });
  return { shares, threshold };
}

function onUnmasked(
  { round, survivors }: In<"subtracting">,
  { chunks, faults }: Extract<CoordinatorEvent, { readonly type: "unmasked" }>,
): CoordinatorStep {
  const known = withFaults(round, faults);
  const point: ReleasePoint = { header: round.header, survivors, chunks, faults: known.faults };
  const begun = beginRelease(known, survivors, chunks);
  return { state: begun.state, effects: [{ type: "persist", point }, ...begun.effects] };
}

/** Step 6. Faults so far do not matter here: every survivor may sign the sum it is part of. */
function beginRelease(
  round: RoundBase,
  survivors: readonly Survivor[],
  chunks: readonly Digest[],
): CoordinatorStep {
  const ids = survivors.map(({ party }) => party);
  const first = ids.find((id) => !round.gone.has(id) && !hasFault(round, id)) ?? ids[0]!;
  const wait = round.wait + 1;
  const state: In<"releasing"> = {
    phase: "releasing",
    round: { ...round, wait },
    survivors,
    chunks,
    first,
    released: new Map(),
    waits: 0,
  };
  return {
    state,
    effects: [
      ...ids.map((to): CoordinatorEffect => ({ type: "send", to, message: instruction(state, to) })),
      { type: "wait", wait, seconds: round.header.stepSeconds },
    ],
  };
}

type Verdict =
  /** More answers may decide it. */
  | { readonly kind: "open" }
  /** A majority agrees and whoever was asked for the sum will not give it. */
  | { readonly kind: "ask"; readonly first: PartyId }
  | {
      readonly kind: "agreed";
      readonly digest: Digest;
      readonly sum: Uint8Array;
      readonly signers: readonly PartyId[];
    }
  | { readonly kind: "disputed" };

/** Reasons after which a party's word on the sum counts no more. */
const discredits: readonly Reason[] = ["party_refused", "release_invalid", "digest_mismatch"];

const isLost = ({ faults }: RoundBase, party: PartyId): boolean =>
  faults.some((fault) => fault.party === party && discredits.includes(fault.reason));

/** @returns the digest that more than half of the survivors signed. */
function majority({
  survivors,
  released,
}: In<"releasing">): { digest: Digest; signers: PartyId[] } | undefined {
  const tally = Map.groupBy(sorted(released), ([, { digest }]) => digest);
  for (const [digest, said] of tally)
    if (said.length * 2 > survivors.length) return { digest, signers: said.map(([party]) => party) };
  return undefined;
}

function verdict(state: In<"releasing">): Verdict {
  const { round, survivors, released, first } = state;
  const agreed = majority(state);
  if (agreed !== undefined) {
    const { digest, signers } = agreed;
    const sum = signers.map((party) => released.get(party)!.sum).find(({ length }) => length > 0);
    if (sum !== undefined) return { kind: "agreed", digest, sum, signers };
    const answer = released.get(first);
    const lost =
      isLost(round, first) || round.gone.has(first) || (answer !== undefined && answer.digest !== digest);
    const next = signers.find((party) => party !== first && !isLost(round, party) && !round.gone.has(party));
    return lost && next !== undefined ? { kind: "ask", first: next } : { kind: "open" };
  }
  const open = survivors.filter(({ party }) => !released.has(party) && !isLost(round, party)).length;
  const counts = Map.groupBy(released.values(), ({ digest }) => digest).values();
  const most = Math.max(0, ...[...counts].map((said) => said.length));
  return (most + open) * 2 > survivors.length ? { kind: "open" } : { kind: "disputed" };
}

/** Acts on the verdict; an open one means that the last deadline is over. */
function settle(state: In<"releasing">): CoordinatorStep {
  const { round, survivors, chunks } = state;
  const result = verdict(state);
  switch (result.kind) {
    case "ask": {
      const message: CoordinatorRoundMessage = {
        type: "aggregate",
        roundId: round.roundId,
        chunks,
        first: true,
      };
      return {
        state: { ...state, first: result.first },
        effects: [{ type: "send", to: result.first, message }],
      };
    }
    case "agreed": {
      const { digest, sum, signers } = result;
      const faults = sorted(state.released)
        .filter(([, said]) => said.digest !== digest)
        .map(
          ([party]): Fault => ({
            party,
            reason: "digest_mismatch",
            detail: "signed another sum than the majority",
          }),
        );
      const { roundId, header, packing } = round;
      const values = dequantizeSum(decodeSum(sum, packing.slots), packing, survivors.length);
      return {
        state: { phase: "released", round: withFaults(round, faults), survivors, digest },
        effects: [
          ...faults.map(
            (fault): CoordinatorEffect => ({ type: "record", record: { kind: "fault", roundId, fault } }),
          ),
          {
            type: "advance",
            roundId,
            header,
            sum: { values, parties: survivors.length },
            digest,
            survivors: survivors.map(({ party }) => party),
            signers,
          },
        ],
      };
    }
    case "disputed":
    case "open":
      return abort(round, "release_disputed", "no majority of survivors signed one digest of the sum");
  }
}

/** A sum that was unmasked is not given up at the first deadline: the missing are asked again. */
function askAgain(state: In<"releasing">, missing: readonly PartyId[]): CoordinatorStep {
  const { roundId } = state.round;
  const agreed = majority(state);
  const late: readonly Fault[] =
    agreed === undefined
      ? []
      : [{ party: state.first, reason: "party_late", detail: "did not give the sum it was asked for" }];
  const round = withFaults({ ...state.round, wait: state.round.wait + 1 }, late);
  const first =
    agreed?.signers.find((party) => !round.gone.has(party) && !hasFault(round, party)) ?? state.first;
  const next = { ...state, round, first, waits: state.waits + 1 };
  return {
    state: next,
    effects: [
      ...late.map(
        (fault): CoordinatorEffect => ({ type: "record", record: { kind: "fault", roundId, fault } }),
      ),
      ...[...new Set([...missing, first])].map(
        (to): CoordinatorEffect => ({ type: "send", to, message: instruction(next, to) }),
      ),
      { type: "wait", wait: round.wait, seconds: round.header.stepSeconds },
    ],
  };
}

/** The sum is the bank's and its model has moved on. */
function onAdvanced({ round }: In<"released">, state: Digest): CoordinatorStep {
  const closed: In<"closed"> = { phase: "closed", roundId: round.roundId, faults: round.faults, state };
  return { state: closed, effects: farewell(closed, round) };
}

/** Ends the attempt; whoever has a fault is left out of the next. */
function abort(round: RoundBase, reason: Reason, detail: string): CoordinatorStep {
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

const farewell = (state: In<"closed" | "aborted">, { header }: RoundBase): CoordinatorEffect[] =>
  header.cohort.map((to) => ({ type: "send", to, message: closing(state) }));
