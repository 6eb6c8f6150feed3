/**
 * The coordinator's machine of one attempt: pure, every effect for a runtime to perform. One file although it is long,
 * so that each phase is read beside the one before it; what it accepts, recovers and releases has files beside it.
 */

import { isReason, Refusal } from "../../../core/reasons.ts";
import { countOrganisations } from "../../roster.ts";
import { rerunEvidence, type WrongDeal } from "../evidence.ts";
import type { PartyId } from "../graph.ts";
import { type RoundHeader, roundIdOf } from "../header.ts";
import type { PartyRoundMessage, Refuse, Unmask } from "../messages.ts";
import { leastSurvivors, packingOf } from "../noise-terms.ts";
import { signedBy } from "../statements.ts";
import {
  acceptAgree,
  acceptInvalid,
  acceptReleased,
  acceptRenounced,
  acceptSubmit,
  acceptUnmask,
  isSameSubmission,
} from "./accept.ts";
import { canFinish, recover, unmaskersOf } from "./recover.ts";
import { beginRelease, onAdvanced, releaseDeadline, settle } from "./release.ts";
import { beginRenouncing, renounceDeadline, settleRenouncing } from "./renounce.ts";
import {
  abort,
  askedAgain,
  awaited,
  closing,
  ended,
  entered,
  expected,
  hasFault,
  type In,
  isEnded,
  isOut,
  isWaiting,
  lost,
  missed,
  openOf,
  type Running,
  sendsTo,
  signatureList,
  sorted,
  survivorList,
  type Waiting,
  withFaults,
} from "./rules.ts";
import type {
  Agreeing,
  CoordinatorContext,
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
  CoordinatorStep,
  Ended,
  Fault,
  Opening,
  RoundBase,
  RoundPoint,
} from "./state.ts";

export type * from "./state.ts";

/** Deadlines until unmasking is given up: the step is spent, its sum must not be lost to one. */
const unmaskWaits = 2;

/**
 * Opens an attempt: says the header to the whole epoch.
 * @throws {RangeError} if the header is of another roster or epoch
 * @throws Refusal layout_overflow, cohort_too_small
 */
export function openRound(
  header: RoundHeader,
  opening: Opening,
  context: CoordinatorContext,
): CoordinatorStep {
  const round = newRound(header, opening, context, []);
  if (countOrganisations(context.roster, header.cohort) < header.minCohort)
    throw new Refusal("cohort_too_small", `${header.cohort.length} parties, minCohort ${header.minCohort}`);
  return entered(
    { phase: "submitting", round, submitted: new Map(), folded: new Set(), closing: false },
    context,
  );
}

/**
 * Goes on from what `persist` stored last, as a coordinator does that comes back from a crash.
 * @param stored - the unmask messages that `store` stored since.
 * @throws {RangeError} if the header is of another roster or epoch
 */
export function resumeRound(
  point: RoundPoint,
  stored: readonly { readonly from: PartyId; readonly message: Unmask }[],
  context: CoordinatorContext,
): CoordinatorStep {
  const round = newRound(point.header, point.opening, context, point.faults);
  const submissions = new Map(point.submissions.map((submission) => [submission.party, submission]));
  const folds = point.submissions.map(
    ({ party, chunks }): CoordinatorEffect => ({ type: "fold", party, chunks }),
  );
  const unfolded = new Set(submissions.keys());
  const agreed = { round, submissions, unfolded };
  switch (point.at) {
    case "agreeing":
      return entered({ phase: "agreeing", ...agreed, signatures: new Map() }, context, folds);
    case "unmasking": {
      const signatures = new Map(point.signatures.map(({ party, signature }) => [party, signature]));
      const base: Agreeing = { ...agreed, signatures };
      const unmaskers = unmaskersOf(base, context);
      const begun = entered({ phase: "unmasking", ...base, unmaskers, revealed: new Map() }, context, folds);
      return stored.reduce<CoordinatorStep>(({ state, effects }, { from, message }) => {
        const next = coordinatorStep(state, { type: "message", from, message }, context);
        // it is stored
        const rest = next.effects.filter(({ type }) => type !== "store");
        return { state: next.state, effects: [...effects, ...rest] };
      }, begun);
    }
    case "releasing": {
      const signatures = new Map(point.signatures.map(({ party, signature }) => [party, signature]));
      const known = { round, submissions, signatures, unmasked: new Set<PartyId>() };
      return beginRelease(known, point.secrets, point.chunks, context);
    }
  }
}

function newRound(
  header: RoundHeader,
  opening: Opening,
  { roster, epoch }: CoordinatorContext,
  faults: readonly Fault[],
): RoundBase {
  if (header.roster !== roster.digest || header.epoch !== epoch.digest)
    throw new RangeError("the header is of another roster or epoch");
  const packing = packingOf(header);
  const { members } = epoch.header;
  const roundId = roundIdOf(header);
  return { roundId, header, members, opening, packing, faults, gone: new Set(), wait: 0, waits: 0 };
}

/** One step of the coordinator. What a party does wrong is a fault and never an exception. */
export function coordinatorStep(
  state: CoordinatorState,
  event: CoordinatorEvent,
  context: CoordinatorContext,
): CoordinatorStep {
  if (isEnded(state)) return afterEnd(state, event);
  switch (event.type) {
    case "message":
      return onMessage(state, event.from, event.message, context);
    case "gone":
      return progress(withGone(state, event.party, true), context);
    case "joined":
      return onJoined(state, event.party, context);
    case "deadline":
      return event.wait === state.round.wait && isWaiting(state) ? onDeadline(state, context) : same(state);
    case "folded":
      return onFolded(state, event.party, context);
    case "foldFailed":
      return onFoldFailed(state, event, context);
    case "unmasked":
      return state.phase === "subtracting" ? onUnmasked(state, event, context) : same(state);
    case "dealtWrong":
      return state.phase === "subtracting" ? onDealtWrong(state, event.sharers, context) : same(state);
    case "advanced":
      return state.phase === "released" ? onAdvanced(state, event.certificate) : same(state);
    case "abort":
      return onAbort(state, event, context);
  }
}

const same = (state: CoordinatorState): CoordinatorStep => ({ state, effects: [] });

/** Effects that come before those of a step. */
const after = (
  before: readonly CoordinatorEffect[],
  { state, effects }: CoordinatorStep,
): CoordinatorStep => ({
  state,
  effects: [...before, ...effects],
});

/** Who comes too late is told how it ended. */
function afterEnd(state: Ended, event: CoordinatorEvent): CoordinatorStep {
  const party = event.type === "joined" ? event.party : event.type === "message" ? event.from : undefined;
  const isForeign =
    event.type === "message" &&
    (event.message.type === "refuse" ||
      event.message.type === "renounced" ||
      event.message.roundId !== state.roundId);
  if (party === undefined || isForeign) return same(state);
  return { state, effects: [{ type: "send", to: party, message: closing(state) }] };
}

function withGone<State extends Running>(state: State, party: PartyId, isGone: boolean): State {
  const gone = new Set(state.round.gone);
  if (isGone) gone.add(party);
  else gone.delete(party);
  return { ...state, round: { ...state.round, gone } };
}

/** Who is back may not have heard of the attempt yet. */
function onJoined(before: Running, party: PartyId, context: CoordinatorContext): CoordinatorStep {
  const state = withGone(before, party, false);
  if (!isWaiting(state) || !missed(state).includes(party)) return same(state);
  const open: readonly CoordinatorEffect[] =
    state.phase === "agreeing" ? [{ type: "send", to: party, message: openOf(state.round) }] : [];
  return { state, effects: [...open, ...sendsTo(state, party, context)] };
}

const faultRecords = ({ roundId }: RoundBase, faults: readonly Fault[]): CoordinatorEffect[] =>
  faults.map((fault) => ({ type: "record", record: { kind: "fault", roundId, fault } }));

/** Records a fault, tells the log, and goes on without the party where that is possible. */
function blame(state: Running, fault: Fault, context: CoordinatorContext): CoordinatorStep {
  if (state.round.faults.some((f) => f.party === fault.party && f.reason === fault.reason))
    return same(state);
  const next = progress({ ...state, round: withFaults(state.round, [fault]) }, context);
  return after(faultRecords(state.round, [fault]), next);
}

/** The steps in their order: which message of a party belongs to which. */
const stepOf: Record<Exclude<PartyRoundMessage["type"], "refuse" | "renounced">, number> = {
  submit: 1,
  agree: 2,
  unmask: 3,
  released: 4,
  invalid: 4,
};
const stepOfPhase: Record<Running["phase"], number> = {
  submitting: 1,
  agreeing: 2,
  unmasking: 3,
  subtracting: 4,
  releasing: 4,
  released: 5,
  renouncing: 5,
};

function onMessage(
  state: Running,
  from: PartyId,
  message: PartyRoundMessage,
  context: CoordinatorContext,
): CoordinatorStep {
  const { round } = state;
  if (message.roundId !== round.roundId || !round.members.includes(from)) return same(state);
  if (message.type === "refuse") return onRefuse(state, from, message, context);
  if (message.type === "renounced") {
    if (state.phase !== "renouncing")
      return blame(state, { party: from, reason: "party_refused", detail: "it renounced" }, context);
  } else {
    if (isOut(round, from)) return same(state);
    // A repeated answer to an earlier step is harmless; one from the future was not asked for.
    if (stepOf[message.type] < stepOfPhase[state.phase]) return late(state, from, message, context);
    if (stepOf[message.type] > stepOfPhase[state.phase] || !isWaiting(state))
      return unexpected(state, from, `${message.type} while ${state.phase}`, context);
    if (!expected(state).includes(from))
      return unexpected(state, from, `${message.type} was not asked for`, context);
  }
  try {
    return take(state, from, message, context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return blame(state, { party: from, reason: error.reason, detail: error.message }, context);
  }
}

const unexpected = (
  state: Running,
  from: PartyId,
  detail: string,
  context: CoordinatorContext,
): CoordinatorStep => blame(state, { party: from, reason: "message_unexpected", detail }, context);

/** After the quorum, who signs another sum is named all the same. */
function late(
  state: Running,
  from: PartyId,
  message: Exclude<PartyRoundMessage, { readonly type: "refuse" | "renounced" }>,
  context: CoordinatorContext,
): CoordinatorStep {
  if (state.phase !== "released" || message.type !== "released" || message.digest === state.digest)
    return same(state);
  const detail = "signed another sum than the quorum";
  return blame(state, { party: from, reason: "digest_mismatch", detail }, context);
}

/** Takes one answer. @throws Refusal what is wrong with it */
function take(
  state: Running,
  from: PartyId,
  message: Exclude<PartyRoundMessage, Refuse>,
  context: CoordinatorContext,
): CoordinatorStep {
  const { round } = state;
  const { roundId } = round;
  switch (message.type) {
    case "submit": {
      if (state.phase !== "submitting") break;
      const before = state.submitted.get(from);
      if (before !== undefined)
        return isSameSubmission(before, message)
          ? same(state)
          : unexpected(state, from, "a second, different submit", context);
      const submission = acceptSubmit(state, from, message, context);
      const submitted = new Map(state.submitted).set(from, submission);
      return after(
        [
          { type: "record", record: { kind: "submitted", roundId, submission } },
          { type: "fold", party: from, chunks: submission.chunks },
        ],
        progress({ ...state, submitted }, context),
      );
    }
    case "agree": {
      if (state.phase !== "agreeing") break;
      const signatures = new Map(state.signatures).set(from, acceptAgree(state, from, message, context));
      return progress({ ...state, signatures }, context);
    }
    case "unmask": {
      if (state.phase !== "unmasking") break;
      if (state.revealed.has(from)) return same(state);
      const { kept, faults } = acceptUnmask(state, from, message, context);
      const revealed = new Map(state.revealed).set(from, kept);
      return after(
        [{ type: "store", roundId, from, message }, ...faultRecords(round, faults)],
        progress({ ...state, round: withFaults(round, faults), revealed }, context),
      );
    }
    case "released": {
      if (state.phase !== "releasing") break;
      return progress({ ...state, released: acceptReleased(state, from, message, context) }, context);
    }
    case "invalid": {
      if (state.phase !== "releasing") break;
      return progress({ ...state, invalid: acceptInvalid(state, from, message, context) }, context);
    }
    case "renounced": {
      if (state.phase !== "renouncing") break;
      const renounced = new Map(state.renounced).set(from, acceptRenounced(state, from, message, context));
      return progress({ ...state, renounced }, context);
    }
  }
  return same(state);
}

/** A party that refuses drops out. Whom it accuses is not believed without evidence. */
function onRefuse(
  state: Running,
  from: PartyId,
  { reason, party, detail, signature }: Refuse,
  context: CoordinatorContext,
): CoordinatorStep {
  const said = isReason(reason) ? reason : "party_refused";
  const statement = { purpose: "refuse", reason: said, accused: party, detail } as const;
  if (!signedBy(context.roster, state.round.roundId, from, statement, signature)) return same(state);
  if (state.phase === "renouncing") {
    const isUnmasked = state.isUnmasked || said === "step_spent";
    const unwilling = new Set([...state.unwilling, from]);
    return progress({ ...state, isUnmasked, unwilling }, context);
  }
  const accused = party === from || !context.roster.byId.has(party) ? "" : ` by ${party}`;
  return blame(state, { party: from, reason: "party_refused", detail: `${said}${accused}` }, context);
}

const isFolding = ({ submitted, folded, round }: In<"submitting">): boolean =>
  [...submitted.keys()].some((party) => !folded.has(party) && !hasFault(round, party));

/** Goes to the next phase when nobody is waited for any more. */
function progress(state: Running, context: CoordinatorContext): CoordinatorStep {
  switch (state.phase) {
    case "submitting":
      return (state.closing || awaited(state).length === 0) && !isFolding(state)
        ? proposeSurvivors(state, context)
        : same(state);
    case "agreeing":
      return awaited(state).length === 0
        ? relayAgreement(state, missed(state).length === 0, context)
        : same(state);
    case "unmasking":
      return awaited(state).length === 0 ? subtract(state, missed(state).length === 0, context) : same(state);
    case "releasing":
      return settle(state, context);
    case "renouncing":
      return settleRenouncing(state, context);
    case "subtracting":
    case "released":
      return same(state);
  }
}

/** The step's time is over: go on with whoever is there. */
function onDeadline(state: Waiting, context: CoordinatorContext): CoordinatorStep {
  switch (state.phase) {
    case "submitting":
      return withLate(state, (late) => progress({ ...late, closing: true }, context));
    case "agreeing":
      return withLate(state, (late) => relayAgreement(late, true, context));
    case "unmasking":
      return withLate(state, (late) => subtract(late, late.round.waits + 1 >= unmaskWaits, context, true));
    case "releasing":
      return releaseDeadline(state, context);
    case "renouncing":
      return renounceDeadline(state, context);
  }
}

/** Who has not answered is named, and not waited for in the steps to come. */
function withLate<State extends Waiting>(
  state: State,
  go: (late: State) => CoordinatorStep,
): CoordinatorStep {
  const { round, phase } = state;
  const faults = missed(state)
    .filter((party) => !hasFault(round, party))
    .map((party): Fault => {
      const reason = round.gone.has(party) ? "party_gone" : "party_late";
      return { party, reason, detail: `while ${phase}` };
    });
  return after(faultRecords(round, faults), go({ ...state, round: withFaults(round, faults) }));
}

function onFolded(state: Running, party: PartyId, context: CoordinatorContext): CoordinatorStep {
  switch (state.phase) {
    case "submitting":
      return progress({ ...state, folded: new Set([...state.folded, party]) }, context);
    case "agreeing":
    case "unmasking": {
      const unfolded = new Set(state.unfolded);
      unfolded.delete(party);
      return progress({ ...state, unfolded }, context);
    }
    case "subtracting":
    case "releasing":
    case "released":
    case "renouncing":
      return same(state);
  }
}

function onFoldFailed(
  state: Running,
  { party, reason, detail, spoiled }: Extract<CoordinatorEvent, { readonly type: "foldFailed" }>,
  context: CoordinatorContext,
): CoordinatorStep {
  switch (state.phase) {
    case "submitting": {
      const fault = { party, reason, detail };
      return spoiled ? abort(withFaults(state.round, [fault]), reason, detail) : blame(state, fault, context);
    }
    // it was folded once: what is lost here is the coordinator's own
    case "agreeing":
      return beginRenouncing(state, false, reason, detail, context);
    case "unmasking":
      return lost(state.round, "round_lost", detail);
    case "subtracting":
    case "releasing":
    case "released":
    case "renouncing":
      return same(state);
  }
}

/** The coordinator's own end: what was agreed on is lifted, what was unmasked is lost. */
function onAbort(
  state: Running,
  { reason, detail }: Extract<CoordinatorEvent, { readonly type: "abort" }>,
  context: CoordinatorContext,
): CoordinatorStep {
  switch (state.phase) {
    case "submitting":
      return abort(state.round, reason, detail);
    case "agreeing":
      return beginRenouncing(state, false, reason, detail, context);
    case "unmasking":
      return beginRenouncing(state, state.revealed.size > 0, reason, detail, context);
    case "subtracting":
    case "releasing":
    case "released":
    case "renouncing":
      return lost(state.round, reason, detail);
  }
}

/** Step 1 → 2. Who is in the running sum is a survivor, whatever it did since. */
function proposeSurvivors(
  { round, submitted, folded }: In<"submitting">,
  context: CoordinatorContext,
): CoordinatorStep {
  const { roundId, header, opening, members } = round;
  const submissions = new Map(sorted(submitted).filter(([party]) => folded.has(party)));
  const dropped = header.cohort
    .filter((party) => !submissions.has(party) && !hasFault(round, party))
    .map((party): Fault => ({ party, reason: "party_gone", detail: "while submitting" }));
  const known = withFaults(round, dropped);
  const organisations = countOrganisations(context.roster, submissions.keys());
  const end = (detail: string): CoordinatorStep =>
    after(faultRecords(round, dropped), abort(known, "too_few_survivors", detail));
  if (organisations < header.minCohort)
    return end(`${organisations} organisations of at least ${header.minCohort}`);
  if (submissions.size < leastSurvivors(header))
    return end(`${submissions.size} parties of at least ${leastSurvivors(header)} that its noise is for`);
  if (header.follows !== null && submissions.size < header.cohort.length)
    return end("vectors are summed again without drop-outs");
  const able = members.filter((party) => !isOut(known, party));
  if (able.length < header.threshold) return end(`${able.length} parties of at least ${header.threshold}`);
  const agreeing: In<"agreeing"> = {
    phase: "agreeing",
    round: known,
    submissions,
    unfolded: new Set(),
    signatures: new Map(),
  };
  const { faults } = known;
  return entered(agreeing, context, [
    ...faultRecords(round, dropped),
    { type: "record", record: { kind: "survivors", roundId, survivors: survivorList(agreeing) } },
    {
      type: "persist",
      roundId,
      point: { at: "agreeing", header, opening, submissions: [...submissions.values()], faults },
    },
  ]);
}

/** Step 2 → 3. @param isLast - whether nobody else will sign: what does not do now never will. */
function relayAgreement(
  state: In<"agreeing">,
  isLast: boolean,
  context: CoordinatorContext,
): CoordinatorStep {
  const { round, submissions, signatures, unfolded } = state;
  const { roundId, header, opening, faults } = round;
  const unmaskers = unmaskersOf(state, context);
  if (!canFinish(state, unmaskers, context)) {
    if (!isLast) return same(state);
    const detail = `${signatures.size} signatures over the survivor list, T = ${header.threshold}`;
    return beginRenouncing(state, false, "agreement_missing", detail, context);
  }
  const list = signatureList(signatures);
  return entered(
    {
      phase: "unmasking",
      round,
      submissions,
      unfolded,
      signatures,
      unmaskers,
      revealed: new Map(),
    },
    context,
    [
      { type: "record", record: { kind: "agreed", roundId, signatures: list } },
      {
        type: "persist",
        roundId,
        point: {
          at: "unmasking",
          header,
          opening,
          submissions: [...submissions.values()],
          faults,
          signatures: list,
        },
      },
    ],
  );
}

/**
 * Step 3, what came in: once every secret is there or can be rebuilt.
 * @param isLast - whether nobody else will answer. @param isDeadline - whether those who have not are to be asked again.
 */
function subtract(
  state: In<"unmasking">,
  isLast: boolean,
  context: CoordinatorContext,
  isDeadline = false,
): CoordinatorStep {
  const { round, revealed, unfolded } = state;
  const { roundId, header, packing } = round;
  const { seeds, noise, rebuild, lacking } = recover(state, revealed, context);
  if (lacking.length > 0) {
    if (isLast) {
      const detail = `secrets of ${lacking.join(", ")} cannot be rebuilt`;
      return beginRenouncing(state, revealed.size > 0, "too_few_survivors", detail, context);
    }
    return isDeadline ? askedAgain(state, context) : same(state);
  }
  if (unfolded.size > 0) return same(state);
  return {
    state: { ...state, phase: "subtracting", rebuild },
    effects: [
      ...sorted(revealed).map(
        ([party, message]): CoordinatorEffect => ({
          type: "record",
          record: { kind: "unmasked", roundId, party, message },
        }),
      ),
      { type: "unmask", roundId, header, packing, threshold: header.threshold, seeds, noise, rebuild },
    ],
  };
}

/** Step 3 → 4. */
function onUnmasked(
  { round, submissions, signatures, revealed }: In<"subtracting">,
  { chunks, secrets }: Extract<CoordinatorEvent, { readonly type: "unmasked" }>,
  context: CoordinatorContext,
): CoordinatorStep {
  const { roundId, header, opening, faults } = round;
  const known = { round, submissions, signatures, unmasked: new Set(revealed.keys()) };
  return beginRelease(known, secrets, chunks, context, [
    {
      type: "persist",
      roundId,
      point: {
        at: "releasing",
        header,
        opening,
        submissions: [...submissions.values()],
        faults,
        signatures: signatureList(signatures),
        secrets,
        chunks,
      },
    },
  ]);
}

/** The sum cannot be unmasked, and it is known because of whom: once, the others are summed without them. */
function onDealtWrong(
  { round, submissions, rebuild }: In<"subtracting">,
  sharers: readonly PartyId[],
  context: CoordinatorContext,
): CoordinatorStep {
  const { roundId, header } = round;
  const detail = "its shares are those it signed, and combine to another secret than it committed to";
  const faults = sharers.map((party): Fault => ({ party, reason: "share_invalid", detail }));
  const known = withFaults(round, faults);
  const cohort = [...submissions.keys()].filter((party) => !sharers.includes(party));
  if (header.follows !== null || countOrganisations(context.roster, cohort) < header.minCohort)
    return after(faultRecords(round, faults), lost(known, "round_lost", detail));
  const deals = rebuild
    .filter(({ party }) => sharers.includes(party))
    .map(
      ({ party, kind, shares }): WrongDeal => ({
        party,
        kind,
        shares: shares.slice(0, header.threshold),
        submission: submissions.get(party),
      }),
    );
  const evidence = rerunEvidence(deals, context.hashes);
  const state = {
    phase: "rerun",
    roundId,
    faults: known.faults,
    without: sharers,
    cohort,
    evidence,
  } as const;
  return after(faultRecords(round, faults), ended(state, known, "share_invalid", detail));
}
