/**
 * The party's machine of one attempt: pure, every effect for a runtime to perform. One file although it is long, so
 * that each step of the protocol is read beside the one before it; what a step checks is in `checks.ts`.
 */

import { isDeepStrictEqual } from "node:util";
import { type Digest, digestOf } from "../../../core/canonical.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { forgetSecret } from "../../identity.ts";
import { parseHeader, type RoundHeader } from "../header.ts";
import { dequantizeSum } from "../layout.ts";
import type { MaskTerm } from "../mask.ts";
import type {
  Aggregate,
  Agreed,
  CoordinatorRoundMessage,
  Open,
  PartyRoundMessage,
  Refuse,
  Released,
  Renounce,
  Survivors,
} from "../messages.ts";
import { drawNoise, type PartyNoise, revealedParts, splitNoise } from "../noise.ts";
import { packingOf } from "../noise-terms.ts";
import { maskKeyOf, missingPartners, pairMask, partnersOf, selfMask } from "../round-masks.ts";
import { honestCheckers, spotCheck } from "../spot-check.ts";
import {
  revealedDigest,
  selfMaskCommitment,
  signStatement,
  submissionDigest,
  submitStatement,
  sumDigest,
  sumSalt,
  survivorsDigest,
  unmaskingDigest,
} from "../statements.ts";
import { encodeSum } from "../sum-encoding.ts";
import {
  checkAggregate,
  checkAgreement,
  checkFollowingCohort,
  checkFollows,
  checkOpen,
  checkSurvivors,
} from "./checks.ts";
import type {
  Answer,
  Attempt,
  HeldSlot,
  LocalFacts,
  PartyContext,
  PartyEffect,
  PartyEvent,
  PartyState,
  PartyStep,
  SpentAttempt,
} from "./state.ts";

export type * from "./state.ts";

export const idleParty: PartyState = { phase: "idle" };

type In<Phase> = Extract<PartyState, { readonly phase: Phase }>;
type Event<Type> = Extract<PartyEvent, { readonly type: Type }>;
type Instruction = Exclude<Event<"message">["message"], { readonly type: "closed" }>;

/** One step of a party. Whatever a peer did wrong ends in the state `refused` and a Refuse message. */
export function partyStep(state: PartyState, event: PartyEvent, context: PartyContext): PartyStep {
  try {
    switch (event.type) {
      case "open":
        return onOpen(state, event.message, event.local, context);
      case "renounce":
        return onRenounce(state, event.message, event.spent, context);
      case "message":
        return onMessage(state, event.message, context);
      case "judged":
        return isCurrent(state, event, "judging") ? onJudged(state, event, context) : ignore(state);
      case "contributed":
        return isCurrent(state, event, "contributing") ? onContributed(state, event, context) : ignore(state);
      case "sealed":
        return isCurrent(state, event, "sealing") ? onSealed(state, event, context) : ignore(state);
      case "verified":
        return isCurrent(state, event, "verifying") ? onVerified(state, event, context) : ignore(state);
      case "decrypted":
        return isCurrent(state, event, "decrypting") ? onDecrypted(state, event, context) : ignore(state);
      case "failed":
        return roundOf(state) === event.roundId ? onFailed(state, event, context) : ignore(state);
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const roundId = event.type === "open" ? digestOf(event.message.header) : roundOf(state);
    if (roundId === undefined) throw error;
    return refuse(state, roundId, error, error.message, context);
  }
}

const ignore = (state: PartyState): PartyStep => ({ state, effects: [] });

const send = (message: PartyRoundMessage): PartyEffect => ({ type: "send", message });

const again = (reply: PartyRoundMessage | undefined): readonly PartyEffect[] =>
  reply === undefined ? [] : [send(reply)];

/** @returns the attempt a state belongs to. */
export function roundOf(state: PartyState): Digest | undefined {
  switch (state.phase) {
    case "idle":
      return undefined;
    case "judging":
    case "closed":
    case "renounced":
    case "refused":
      return state.roundId;
    case "contributing":
    case "sealing":
    case "ready":
    case "agreed":
    case "unmasked":
    case "verifying":
    case "decrypting":
    case "released":
    case "invalid":
      return state.attempt.roundId;
  }
}

/** @returns the attempts of the step under way that this process unmasked, in their order. */
export function spentIn(state: PartyState): readonly SpentAttempt[] {
  switch (state.phase) {
    case "idle":
      return [];
    case "judging":
    case "closed":
    case "renounced":
    case "refused":
      return state.spent;
    case "contributing":
    case "sealing":
    case "ready":
    case "agreed":
      return state.attempt.earlier;
    case "unmasked":
    case "verifying":
    case "decrypting":
    case "released":
    case "invalid":
      return [...state.attempt.earlier, state.spent];
  }
}

const hasSpent = (state: PartyState, roundId: Digest): boolean =>
  spentIn(state).some((attempt) => attempt.roundId === roundId);

function isCurrent<Phase extends PartyState["phase"]>(
  state: PartyState,
  event: { readonly roundId: Digest },
  phase: Phase,
): state is In<Phase> {
  return state.phase === phase && roundOf(state) === event.roundId;
}

function refusalOf(
  roundId: Digest,
  { reason, party = "" }: { readonly reason: Reason; readonly party?: string | undefined },
  detail: string,
  { id, identity }: PartyContext,
): Refuse {
  const statement = { purpose: "refuse", reason, accused: party, detail } as const;
  const signature = signStatement(roundId, id, statement, identity);
  return { type: "refuse", roundId, reason, party, detail, signature };
}

function refuse(
  state: PartyState,
  roundId: Digest,
  cause: { readonly reason: Reason; readonly party?: string | undefined },
  detail: string,
  context: PartyContext,
  said = detail,
): PartyStep {
  const refusal = refusalOf(roundId, cause, said, context);
  const { reason } = cause;
  const refused = { phase: "refused", roundId, reason, detail, refusal, spent: spentIn(state) } as const;
  return { state: refused, effects: [send(refusal)] };
}

/** A coordinator that is away for a moment, and back. */
const passing: readonly Reason[] = ["unavailable", "deadline"];

/** The text of a local failure may speak of private rows: it stays here, the reason alone leaves. */
function onFailed(state: PartyState, event: Event<"failed">, context: PartyContext): PartyStep {
  switch (state.phase) {
    case "refused":
    case "closed":
    case "renounced":
      return ignore(state);
    case "verifying":
    case "decrypting":
      if (passing.includes(event.reason)) return { state: { ...state, isInterrupted: true }, effects: [] };
  }
  return refuse(state, event.roundId, event, event.detail, context, "");
}

/** An instruction of another attempt: refused without touching this one. */
const foreign = (
  state: PartyState,
  { roundId, type }: { readonly roundId: Digest; readonly type: string },
  context: PartyContext,
): PartyStep => ({
  state,
  effects: [send(refusalOf(roundId, { reason: "message_unexpected" }, `${type} out of place`, context))],
});

const withAnswer = (
  attempt: Attempt,
  instruction: Answer["instruction"],
  reply?: PartyRoundMessage,
): Attempt => ({
  ...attempt,
  answers: [
    ...attempt.answers.filter((a) => a.instruction.type !== instruction.type),
    { instruction, reply },
  ],
});

const answerTo = (attempt: Attempt, type: Answer["instruction"]["type"]): Answer | undefined =>
  attempt.answers.find(({ instruction }) => instruction.type === type);

/** Step 0. */
function onOpen(state: PartyState, open: Open, local: LocalFacts, context: PartyContext): PartyStep {
  const roundId = digestOf(open.header);
  if (roundOf(state) === roundId) {
    if (state.phase === "refused") return { state, effects: [send(state.refusal)] };
    if (state.phase === "renounced") return { state, effects: [send(state.reply)] };
    if ("attempt" in state) return { state, effects: again(answerTo(state.attempt, "open")?.reply) };
    if (state.phase === "judging") return ignore(state);
  }
  const header = parseHeader(open.header);
  checkOpen(header, open.lifts, local, context);
  const { follows } = header;
  if (follows === null) return begin(header, open, local, [], undefined, context);
  const spent = spentIn(state);
  const of = checkFollows(header, follows, spent, local.step.spent);
  return {
    state: { phase: "judging", roundId, open, local, spent },
    effects: [{ type: "judge", roundId, kind: follows.kind, of, evidence: open.evidence }],
  };
}

/** Step 0, where vectors are summed again. */
function onJudged(
  { open, local, spent }: In<"judging">,
  { cohorts }: Event<"judged">,
  context: PartyContext,
): PartyStep {
  const header = parseHeader(open.header);
  checkFollowingCohort(header, cohorts);
  const of = spent.find(({ roundId }) => roundId === header.follows?.of);
  return begin(header, open, local, spent, of, context);
}

/**
 * Takes the slot. Who is of the cohort makes its masks, in which the mask secret is used for the last time, and
 * contributes: what it contributed before, where it is summed again.
 */
function begin(
  header: RoundHeader,
  open: Open,
  local: LocalFacts,
  earlier: readonly SpentAttempt[],
  of: SpentAttempt | undefined,
  { id, random }: PartyContext,
): PartyStep {
  const roundId = digestOf(open.header);
  const packing = packingOf(header);
  const { cohortChange } = local.policy;
  const { groups } = local.consent?.manifest ?? {};
  const limits = { cohortChange, survivors: local.exactSums.survivors, groups };
  const { epoch } = local.epoch!;
  const { maskSecret, ...slot } = local.epoch!.take(header.slot, roundId);
  const attempt = withAnswer({ roundId, header, packing, epoch, earlier, limits, answers: [] }, open);
  const contributes = header.cohort.includes(id);
  const record: PartyEffect = { type: "record", record: { kind: "open", roundId, header, contributes } };
  if (!contributes) {
    forgetSecret(maskSecret);
    return { state: { phase: "ready", attempt, slot, submission: undefined }, effects: [record] };
  }
  const masks = [
    selfMask(roundId, slot.selfMaskSeed),
    ...partnersOf(epoch, header, id).map((party) =>
      pairMask(roundId, { party: id, maskSecret }, { party, maskKey: maskKeyOf(epoch, header, party) }),
    ),
  ];
  forgetSecret(maskSecret);
  if (header.follows === null)
    return {
      state: { phase: "contributing", attempt, slot, masks },
      effects: [record, { type: "contribute", roundId, header }],
    };
  if (of?.values === undefined)
    throw new Refusal("evidence_invalid", "this party contributed nothing to the attempt to follow");
  const noise = drawNoise(roundId, header, of.noise, random);
  const sealing = seal(attempt, slot, of.values, noise, masks);
  return { state: sealing.state, effects: [record, ...sealing.effects] };
}

function seal(
  attempt: Attempt,
  slot: HeldSlot,
  values: Float64Array,
  noise: PartyNoise,
  masks: readonly MaskTerm[],
): PartyStep {
  const { roundId, header, packing } = attempt;
  return {
    state: { phase: "sealing", attempt, slot, values, noise },
    effects: [{ type: "seal", roundId, epoch: header.epoch, values, packing, noise: noise.parts, masks }],
  };
}

/** What a second, different instruction of a kind tries. */
const conflicts: Record<"open" | "survivors" | "agreed" | "aggregate", Reason> = {
  open: "header_mismatch",
  survivors: "share_conflict",
  agreed: "share_conflict",
  aggregate: "aggregate_invalid",
};

function onMessage(
  state: PartyState,
  message: Event<"message">["message"],
  context: PartyContext,
): PartyStep {
  const roundId = roundOf(state);
  if (message.type === "closed") return onClosed(state, message);
  if (roundId !== message.roundId) return foreign(state, message, context);
  switch (state.phase) {
    case "refused":
      return { state, effects: [send(state.refusal)] };
    case "renounced":
      return { state, effects: [send(state.reply)] };
    case "idle":
    case "judging":
    case "closed":
      return foreign(state, message, context);
    case "contributing":
    case "sealing":
    case "ready":
    case "agreed":
    case "unmasked":
    case "verifying":
    case "decrypting":
    case "released":
    case "invalid":
      return onInstruction(state, message, context);
  }
}

type Active = Extract<PartyState, { readonly attempt: Attempt }>;

function onInstruction(state: Active, message: Instruction, context: PartyContext): PartyStep {
  switch (message.type) {
    case "survivors":
      switch (state.phase) {
        case "contributing":
        case "sealing":
          // too late to be in the sum, and of the epoch all the same
          return onSurvivors({ ...state, phase: "ready", submission: undefined }, message, context);
        case "ready":
          return onSurvivors(state, message, context);
        case "agreed":
        case "unmasked":
        case "verifying":
        case "decrypting":
        case "released":
        case "invalid":
          return sameAgain(state, message);
      }
      break;
    case "agreed":
      switch (state.phase) {
        case "agreed":
          return onAgreed(state, message, context);
        case "contributing":
        case "sealing":
        case "ready":
          break;
        case "unmasked":
        case "verifying":
        case "decrypting":
        case "released":
        case "invalid":
          // others' signatures over the same list, perhaps: what was revealed is the same
          return { state, effects: again(answerTo(state.attempt, "agreed")?.reply) };
      }
      break;
    case "aggregate":
      switch (state.phase) {
        case "unmasked":
          return onAggregate(state, message, context);
        case "verifying":
        case "decrypting":
          requireSame(state.aggregate, message);
          return {
            state: {
              ...state,
              aggregate: { ...message, first: state.aggregate.first || message.first },
              isInterrupted: false,
            },
            effects: state.isInterrupted ? [state.work] : [],
          };
        case "released":
          requireSame(state.aggregate, message);
          return { state, effects: [send(released(state, message.first))] };
        case "invalid":
          requireSame(state.aggregate, message);
          return { state, effects: [send(state.reply)] };
        case "contributing":
        case "sealing":
        case "ready":
        case "agreed":
          break;
      }
  }
  throw new Refusal("message_unexpected", `${message.type} while ${state.phase}`);
}

/** The same instruction again gets the same answer; another is refused. */
function sameAgain(state: Active, message: Survivors): PartyStep {
  const before = answerTo(state.attempt, message.type);
  if (!isDeepStrictEqual(before?.instruction, message))
    throw new Refusal(conflicts[message.type], `a second, different ${message.type}`);
  return { state, effects: again(before?.reply) };
}

/** The same aggregate may be asked for again, also with its sum; another never. */
function requireSame(before: Aggregate, now: Aggregate): void {
  if (!isDeepStrictEqual({ ...now, first: false }, { ...before, first: false }))
    throw new Refusal(conflicts.aggregate, "a second, different aggregate");
}

function onClosed(
  state: PartyState,
  closed: Extract<CoordinatorRoundMessage, { readonly type: "closed" }>,
): PartyStep {
  const { roundId } = closed;
  if (roundOf(state) !== roundId || state.phase === "refused" || state.phase === "renounced")
    return ignore(state);
  return { state: { phase: "closed", roundId, closed, spent: spentIn(state) }, effects: [] };
}

/** Step 1: quantize, add noise, mask, encrypt. */
const onContributed = (
  { attempt, slot, masks }: In<"contributing">,
  { values }: Event<"contributed">,
  { random }: PartyContext,
): PartyStep => seal(attempt, slot, values, drawNoise(attempt.roundId, attempt.header, [], random), masks);

/** Step 1: the ledger entry is written before the first byte leaves. */
function onSealed(
  { attempt, slot, values, noise }: In<"sealing">,
  { ciphertexts }: Event<"sealed">,
  { id, identity }: PartyContext,
): PartyStep {
  const { roundId, header } = attempt;
  const chunks = ciphertexts.map((ciphertext) => digestOf(ciphertext));
  const digest = submissionDigest(chunks);
  const commitment = selfMaskCommitment(roundId, slot.selfMaskSeed);
  const said = { digest, commitment, noiseCommitment: noise.commitment };
  const signature = signStatement(roundId, id, submitStatement(said), identity);
  const reply: PartyRoundMessage = { type: "submit", roundId, chunks, ...said, signature };
  const { instruction } = answerTo(attempt, "open")!;
  const bytes = ciphertexts.reduce((sum, ciphertext) => sum + ciphertext.length, 0);
  const submission = { digest, commitment, noise, values };
  return {
    state: { phase: "ready", attempt: withAnswer(attempt, instruction, reply), slot, submission },
    effects: [
      { type: "record", record: { kind: "submission", roundId, header, digest, chunks, bytes } },
      { type: "send", message: reply, blobs: ciphertexts },
    ],
  };
}

/** Step 2: signs one survivor list, once; the step is locked to it before the signature leaves. */
function onSurvivors(
  { attempt, slot, submission }: In<"ready">,
  message: Survivors,
  context: PartyContext,
): PartyStep {
  checkSurvivors(message, submission, attempt, context);
  const { survivors: list } = message;
  const { roundId, header, epoch } = attempt;
  const { id, identity } = context;
  const survivors = survivorsDigest(list);
  const signature = signStatement(roundId, id, { purpose: "agree", survivors }, identity);
  const reply: PartyRoundMessage = { type: "agree", roundId, signature };
  const among = [id, ...epoch.neighbours.get(id)!];
  const step = { roundId, among, threshold: header.threshold };
  return {
    state: {
      phase: "agreed",
      attempt: withAnswer(attempt, message, reply),
      slot,
      submission,
      survivors: list,
    },
    effects: [{ type: "lock", header, step, survivors }, send(reply)],
  };
}

/**
 * Step 3: for each peer either the self-mask share (it survived) or the mask-secret share (it is missing), as the
 * one signed survivor list says, and what of its own noise so many survivors do not need; the step is spent before anything leaves. What was not revealed is forgotten
 * with this state.
 */
function onAgreed(
  { attempt, slot, submission, survivors }: In<"agreed">,
  message: Agreed,
  context: PartyContext,
): PartyStep {
  const agreed = checkAgreement(message, survivors, attempt, context);
  const { roundId, header, epoch } = attempt;
  const survived = new Set(survivors.map(({ party }) => party));
  const missing = missingPartners(epoch, header, survived);
  const own = survived.has(context.id) && submission !== undefined;
  const noise = own ? splitNoise(header, submission.noise, survived.size) : nothingRevealed;
  const reveal = {
    noise: noise.revealed,
    selfMaskSeed: survived.has(context.id) ? slot.selfMaskSeed : new Uint8Array(),
    selfMask: [...slot.held]
      .filter(([party]) => survived.has(party))
      .map(([party, { selfMask: share }]) => ({ party, share })),
    maskSecret: [...slot.held]
      .filter(([party]) => missing.has(party))
      .map(([party, { maskSecret: share }]) => ({ party, share })),
  };
  const revealed = revealedDigest(reveal);
  const signature = signStatement(roundId, context.id, { purpose: "unmask", revealed }, context.identity);
  const reply: PartyRoundMessage = { type: "unmask", roundId, ...reveal, signature };
  const spent: SpentAttempt = {
    roundId,
    header,
    epoch,
    survivors,
    values: submission?.values,
    noise: noise.kept,
    released: false,
  };
  return {
    state: { phase: "unmasked", attempt: withAnswer(attempt, message, reply), spent, agreed },
    effects: [{ type: "spend", header, roundId, revealed }, send(reply)],
  };
}

const nothingRevealed = { kept: [], revealed: new Uint8Array() } as const;

/** Every chunk of a sum up to so many ciphertexts is recomputed. */
const cheapCiphertexts = 64;

/** Step 4, before decrypting: the aggregate must be the sum of what was submitted. */
function onAggregate(
  { attempt, spent, agreed }: In<"unmasked">,
  aggregate: Aggregate,
  context: PartyContext,
): PartyStep {
  const { survivors } = spent;
  if (!survivors.some(({ party }) => party === context.id))
    throw new Refusal("message_unexpected", "an aggregate that this party is no survivor of");
  checkAggregate(aggregate, survivors, agreed, attempt, context);
  const { roundId, packing, header, epoch } = attempt;
  const { chunks, submissions, seeds, secrets, noise } = aggregate;
  const honest = honestCheckers(survivors.length, epoch.header.maxColluding);
  const cheap = Math.floor(cheapCiphertexts / survivors.length);
  const picked = spotCheck(chunks.length, cheap, honest, context.random).map((index) => ({
    index,
    aggregate: chunks[index]!,
    submitted: submissions.map((submission) => submission.chunks[index]!),
  }));
  const missing = missingPartners(epoch, header, new Set(survivors.map(({ party }) => party)));
  const unmasking = {
    seeds: seeds.map(({ seed }) => seed),
    leftOver: secrets.map(({ party, maskSecret }) => ({
      party,
      maskSecret,
      partners: missing.get(party)!,
    })),
    excess: noise.flatMap(({ seed }) => revealedParts(roundId, header, survivors.length, seed)),
  };
  const work = { type: "verify", roundId, chunks, packing, picked, unmasking } as const;
  return {
    state: { phase: "verifying", attempt, spent, aggregate, work, isInterrupted: false },
    effects: [work],
  };
}

function onVerified(
  state: In<"verifying">,
  { altered }: Event<"verified">,
  context: PartyContext,
): PartyStep {
  const { attempt, spent, aggregate } = state;
  const { roundId, packing, header } = attempt;
  if (altered.length > 0) {
    const refused = refuse(
      state,
      roundId,
      { reason: "aggregate_invalid" },
      `not the sum of what was submitted: chunk ${altered.join(", ")}`,
      context,
    );
    const record: PartyEffect = {
      type: "record",
      record: {
        kind: "altered",
        roundId,
        header,
        survivors: spent.survivors,
        aggregate: aggregate.chunks,
        unmasking: unmaskingDigest(aggregate),
        altered,
      },
    };
    return { state: refused.state, effects: [record, ...refused.effects] };
  }
  const { chunks } = aggregate;
  const work = { type: "decrypt", roundId, epoch: header.epoch, chunks, slots: packing.slots } as const;
  return {
    state: { phase: "decrypting", attempt, spent, aggregate, work, isInterrupted: false },
    effects: [work],
  };
}

/** Step 4: the count is right and every digit in range before anything of the sum leaves. */
function onDecrypted(
  { attempt, spent, aggregate }: In<"decrypting">,
  { slots }: Event<"decrypted">,
  { id, identity }: PartyContext,
): PartyStep {
  const { roundId, header, packing } = attempt;
  const survivors = survivorsDigest(spent.survivors);
  const unmasking = unmaskingDigest(aggregate);
  const sumOf = submissionDigest(aggregate.chunks);
  let values: Float64Array;
  try {
    values = dequantizeSum(slots, packing, spent.survivors.length);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const statement = { purpose: "invalid", survivors, unmasking, aggregate: sumOf } as const;
    const signature = signStatement(roundId, id, statement, identity);
    const reply: PartyRoundMessage = { type: "invalid", roundId, aggregate: sumOf, signature };
    return {
      state: { phase: "invalid", attempt, spent, aggregate, reply },
      effects: [
        { type: "record", record: { kind: "invalid", roundId, header, aggregate: sumOf } },
        send(reply),
      ],
    };
  }
  const sum = encodeSum(slots);
  const digest = sumDigest(sumSalt(roundId, aggregate), sum);
  const statement = { purpose: "release", survivors, unmasking, aggregate: sumOf, digest } as const;
  const signature = signStatement(roundId, id, statement, identity);
  const state: In<"released"> = {
    phase: "released",
    attempt,
    spent: { ...spent, released: true },
    aggregate,
    sum,
    values,
    digest,
    signature,
  };
  const parties = spent.survivors.map(({ party }) => party);
  return {
    state,
    effects: [
      {
        type: "record",
        record: { kind: "release", roundId, header, digest, aggregate: sumOf, survivors: parties },
      },
      send(released(state, aggregate.first)),
    ],
  };
}

const released = (
  { attempt: { roundId }, aggregate, sum, digest, signature }: In<"released">,
  first: boolean,
): Released => ({
  type: "released",
  roundId,
  sum: first ? sum : new Uint8Array(),
  aggregate: submissionDigest(aggregate.chunks),
  digest,
  signature,
});

/** After a lock: whoever has not unmasked says that it never will, and keeps to it durably. */
function onRenounce(
  state: PartyState,
  { roundId }: Renounce,
  spent: boolean,
  context: PartyContext,
): PartyStep {
  if (spent || hasSpent(state, roundId)) {
    const refusal = refusalOf(roundId, { reason: "step_spent" }, "unmasked already", context);
    return { state, effects: [send(refusal)] };
  }
  if (state.phase === "renounced" && state.roundId === roundId)
    return { state, effects: [send(state.reply)] };
  const signature = signStatement(roundId, context.id, { purpose: "renounce" }, context.identity);
  const reply: PartyRoundMessage = { type: "renounced", roundId, signature };
  return {
    state: roundOf(state) === roundId ? { phase: "renounced", roundId, reply, spent: spentIn(state) } : state,
    effects: [{ type: "renounce", roundId }, send(reply)],
  };
}
