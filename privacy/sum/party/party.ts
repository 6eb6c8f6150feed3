import { isDeepStrictEqual } from "node:util";
import { type Digest, digestOf } from "../../../core/canonical.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { x25519Pair } from "../../identity.ts";
import {
  encodeSum,
  pairMask,
  sealShares,
  selfMask,
  selfMaskCommitment,
  signStatement,
  submissionDigest,
  survivorsDigest,
} from "../binding.ts";
import { chunkCount } from "../encryption/bfv-format.ts";
import { parseHeader } from "../header.ts";
import { dequantizeSum } from "../layout.ts";
import type {
  Advertise,
  Aggregate,
  Agreed,
  CoordinatorRoundMessage,
  Keys,
  Open,
  PartyRoundMessage,
  Refuse,
  Released,
  Shares,
  Survivors,
  Unmask,
} from "../messages.ts";
import { checkAgreement, checkKeys, checkLayout, checkOpen, checkShares, checkSurvivors } from "./checks.ts";
import type {
  Answer,
  Attempt,
  LocalFacts,
  PartyContext,
  PartyEffect,
  PartyEvent,
  PartyState,
  PartyStep,
} from "./state.ts";

export type * from "./state.ts";

export const idleParty: PartyState = { phase: "idle" };

type In<Phase> = Extract<PartyState, { readonly phase: Phase }>;
type Event<Type> = Extract<PartyEvent, { readonly type: Type }>;

/** One step of a party. Whatever a peer did wrong ends in the state `refused` and a Refuse message. */
export function partyStep(state: PartyState, event: PartyEvent, context: PartyContext): PartyStep {
  try {
    switch (event.type) {
      case "open":
        return onOpen(state, event.message, event.local, context);
      case "message":
        return onMessage(state, event.message, context);
      case "splitDone":
        return isCurrent(state, event, "splitting") ? onSplit(state, event, context) : ignore(state);
      case "contributed":
        return isCurrent(state, event, "contributing") ? onContributed(state, event) : ignore(state);
      case "sealed":
        return isCurrent(state, event, "sealing") ? onSealed(state, event, context) : ignore(state);
      case "decrypted":
        return isCurrent(state, event, "decrypting") ? onDecrypted(state, event, context) : ignore(state);
      case "failed":
        return roundOf(state) === event.roundId ? onFailed(state, event) : ignore(state);
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const roundId = event.type === "open" ? digestOf(event.message.header) : roundOf(state);
    if (roundId === undefined) throw error;
    return refuse(roundId, error.reason, error.message, error.party);
  }
}

const ignore = (state: PartyState): PartyStep => ({ state, effects: [] });

const send = (message: PartyRoundMessage): PartyEffect => ({ type: "send", message });

/** @returns the attempt a state belongs to. */
export function roundOf(state: PartyState): Digest | undefined {
  switch (state.phase) {
    case "idle":
      return undefined;
    case "closed":
    case "refused":
      return state.roundId;
    case "advertised":
    case "splitting":
    case "shared":
    case "contributing":
    case "sealing":
    case "submitted":
    case "agreed":
    case "unmasked":
    case "decrypting":
    case "released":
      return state.attempt.roundId;
  }
}

function isCurrent<Phase extends PartyState["phase"]>(
  state: PartyState,
  event: { readonly roundId: Digest },
  phase: Phase,
): state is In<Phase> {
  return state.phase === phase && roundOf(state) === event.roundId;
}

function refuse(roundId: Digest, reason: Reason, detail: string, party = "", said = detail): PartyStep {
  const refusal: Refuse = { type: "refuse", roundId, reason, party, detail: said };
  return { state: { phase: "refused", roundId, reason, detail, refusal }, effects: [send(refusal)] };
}

/** The text of a local failure may speak of private rows: it stays here, the reason alone leaves. */
function onFailed(state: PartyState, { roundId, reason, detail, party }: Event<"failed">): PartyStep {
  return state.phase === "refused" || state.phase === "closed"
    ? ignore(state)
    : refuse(roundId, reason, detail, party, "");
}

/** An instruction of another attempt: refused without touching this one. */
const foreign = (state: PartyState, { roundId, type }: { roundId: Digest; type: string }): PartyStep => ({
  state,
  effects: [
    send({
      type: "refuse",
      roundId,
      reason: "message_unexpected",
      party: "",
      detail: `${type} out of place`,
    }),
  ],
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

/** Fills in the reply to the instruction that was being worked on. */
function completed(attempt: Attempt, type: Answer["instruction"]["type"], reply: PartyRoundMessage): Attempt {
  const { instruction } = attempt.answers.find((answer) => answer.instruction.type === type)!;
  return withAnswer(attempt, instruction, reply);
}

const again = (reply: PartyRoundMessage | undefined): readonly PartyEffect[] =>
  reply === undefined ? [] : [send(reply)];

/** What a second, different instruction of a kind tries. */
const conflicts: Record<Answer["instruction"]["type"], Reason> = {
  open: "header_mismatch",
  keys: "header_mismatch",
  shares: "header_mismatch",
  survivors: "share_conflict",
  agreed: "share_conflict",
  aggregate: "message_unexpected",
};

/** Step 0 → 1. */
function onOpen(state: PartyState, open: Open, local: LocalFacts, context: PartyContext): PartyStep {
  const roundId = digestOf(open.header);
  if (roundOf(state) === roundId) {
    if (state.phase === "refused") return { state, effects: [send(state.refusal)] };
    if ("attempt" in state) return { state, effects: again(answerTo(state.attempt, "open")) };
  }
  const header = parseHeader(open.header);
  const packing = checkOpen(header, local, context);
  const [maskSecret, shareSecret, selfMaskSeed] = [0, 0, 0].map(
    () => new Uint8Array(context.random.bytes(32)),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  const maskKey = x25519Pair(maskSecret).publicKey;
  const shareKey = x25519Pair(shareSecret).publicKey;
  const signature = signStatement(
    roundId,
    context.id,
    { purpose: "advertise", maskKey, shareKey },
    context.identity,
  );
  const reply: Advertise = { type: "advertise", roundId, maskKey, shareKey, signature };
  const attempt = withAnswer({ roundId, header, packing, answers: [] }, open, reply);
  return {
    state: { phase: "advertised", attempt, secrets: { maskSecret, shareSecret, selfMaskSeed } },
    effects: [{ type: "record", record: { kind: "open", roundId, header } }, send(reply)],
  };
}

const answerTo = (attempt: Attempt, type: Answer["instruction"]["type"]): PartyRoundMessage | undefined =>
  attempt.answers.find(({ instruction }) => instruction.type === type)?.reply;

function onMessage(
  state: PartyState,
  message: Exclude<CoordinatorRoundMessage, Open>,
  context: PartyContext,
): PartyStep {
  const roundId = roundOf(state);
  if (message.type === "closed")
    return roundId === message.roundId && state.phase !== "refused"
      ? { state: { phase: "closed", roundId, closed: message }, effects: [] }
      : ignore(state);
  if (roundId !== message.roundId) return foreign(state, message);
  if (state.phase === "refused") return { state, effects: [send(state.refusal)] };
  if (state.phase === "idle" || state.phase === "closed") return foreign(state, message);
  if (message.type === "aggregate") return onAggregate(state, message);
  const before = state.attempt.answers.find(({ instruction }) => instruction.type === message.type);
  if (before !== undefined) {
    if (isDeepStrictEqual(before.instruction, message)) return { state, effects: again(before.reply) };
    throw new Refusal(conflicts[message.type], `a second, different ${message.type}`);
  }
  switch (message.type) {
    case "keys":
      if (state.phase === "advertised") return onKeys(state, message, context);
      break;
    case "shares":
      if (state.phase === "shared") return onShares(state, message, context);
      break;
    case "survivors":
      if (state.phase === "submitted") return onSurvivors(state, message, context);
      break;
    case "agreed":
      if (state.phase === "agreed") return onAgreed(state, message, context);
      break;
  }
  throw new Refusal("message_unexpected", `${message.type} while ${state.phase}`);
}

/** Step 2, before the secrets are split. */
function onKeys({ attempt, secrets }: In<"advertised">, keys: Keys, context: PartyContext): PartyStep {
  const own = answerTo(attempt, "open") as Advertise;
  const { graph, around } = checkKeys(keys, own, attempt, context);
  const { roundId } = attempt;
  const { maskSecret, selfMaskSeed } = secrets;
  const { holders, threshold } = graph;
  return {
    state: { phase: "splitting", attempt: withAnswer(attempt, keys), secrets, around },
    effects: [{ type: "split", roundId, maskSecret, selfMaskSeed, holders, threshold }],
  };
}

/** Step 2: one share of each secret for each neighbour; this party's own share is dropped. */
function onSplit(
  { attempt, secrets, around }: In<"splitting">,
  { maskKeyShares, selfMaskShares }: Event<"splitDone">,
  { id }: PartyContext,
): PartyStep {
  const { roundId } = attempt;
  const sealed = [...around.neighbours].map(([to, { shareKey }], i) => ({
    party: to,
    ciphertext: sealShares(
      { roundId, from: id, to, shareSecret: secrets.shareSecret, peerKey: shareKey },
      { maskKeyShare: maskKeyShares[i]!, selfMaskShare: selfMaskShares[i]! },
    ),
  }));
  const reply: PartyRoundMessage = { type: "share", roundId, sealed };
  return {
    state: { phase: "shared", attempt: completed(attempt, "keys", reply), secrets, around },
    effects: [send(reply)],
  };
}

/** Step 3, before the local statistic. The mask secret is used here for the last time. */
function onShares(
  { attempt, secrets, around }: In<"shared">,
  shares: Shares,
  context: PartyContext,
): PartyStep {
  const held = checkShares(shares, attempt, secrets, around, context);
  const { roundId, header } = attempt;
  const { maskSecret, selfMaskSeed } = secrets;
  const partners = [...around.neighbours].filter(([party]) => shares.sharers.includes(party));
  const masks = [
    selfMask(roundId, selfMaskSeed),
    ...partners.map(([party, { maskKey }]) =>
      pairMask(roundId, { party: context.id, maskSecret }, { party, maskKey }),
    ),
  ];
  const { sharers } = shares;
  return {
    state: {
      phase: "contributing",
      attempt: withAnswer(attempt, shares),
      around,
      selfMaskSeed,
      sharers,
      held,
      masks,
    },
    effects: [{ type: "contribute", roundId, header }],
  };
}

/** Step 3: quantize, mask, encrypt. */
function onContributed(
  { attempt, masks, ...kept }: In<"contributing">,
  { values, layout }: Event<"contributed">,
): PartyStep {
  checkLayout(layout, attempt);
  const { roundId, packing, header } = attempt;
  return {
    state: { ...kept, phase: "sealing", attempt },
    effects: [{ type: "seal", roundId, epoch: header.keyEpoch.epoch, values, packing, masks }],
  };
}

/** Step 3: the ledger entry is written before the first byte leaves. */
function onSealed(
  { attempt, ...kept }: In<"sealing">,
  { ciphertexts }: Event<"sealed">,
  { id, identity }: PartyContext,
): PartyStep {
  const { roundId, header } = attempt;
  const chunks = ciphertexts.map((ciphertext) => digestOf(ciphertext));
  const digest = submissionDigest(chunks);
  const commitment = selfMaskCommitment(roundId, kept.selfMaskSeed);
  const signature = signStatement(roundId, id, { purpose: "submit", chunks, digest, commitment }, identity);
  const reply: PartyRoundMessage = { type: "submit", roundId, chunks, digest, commitment, signature };
  const bytes = ciphertexts.reduce((sum, ciphertext) => sum + ciphertext.length, 0);
  return {
    state: { ...kept, phase: "submitted", attempt: completed(attempt, "shares", reply), digest },
    effects: [
      { type: "record", record: { kind: "submission", roundId, header, digest, chunks, bytes } },
      { type: "send", message: reply, blobs: ciphertexts },
    ],
  };
}

/** Step 4: signs one survivor list, once. */
function onSurvivors(
  { attempt, digest, ...kept }: In<"submitted">,
  message: Survivors,
  context: PartyContext,
): PartyStep {
  checkSurvivors(message, digest, kept.sharers, attempt, context);
  const { survivors } = message;
  const { roundId } = attempt;
  const statement = { purpose: "agree", survivors: survivorsDigest(survivors) } as const;
  const signature = signStatement(roundId, context.id, statement, context.identity);
  const reply: PartyRoundMessage = { type: "agree", roundId, signature };
  return {
    state: { ...kept, phase: "agreed", attempt: withAnswer(attempt, message, reply), survivors },
    effects: [send(reply)],
  };
}

/**
 * Step 5: for each peer either the self-mask share (it survived) or the mask-key share (it is missing), as the
 * one signed survivor list says. What was not revealed is forgotten with this state.
 */
function onAgreed(
  { attempt, around, selfMaskSeed, sharers, held, survivors }: In<"agreed">,
  message: Agreed,
  context: PartyContext,
): PartyStep {
  checkAgreement(message, survivors, around, attempt, context);
  const survived = new Set(survivors.map(({ party }) => party));
  const shared = new Set(sharers);
  const peers = [...held].filter(([party]) => shared.has(party));
  const reply: Unmask = {
    type: "unmask",
    roundId: attempt.roundId,
    selfMaskSeed,
    selfMask: peers
      .filter(([party]) => survived.has(party))
      .map(([party, { selfMaskShare }]) => ({ party, share: selfMaskShare })),
    maskKey: peers
      .filter(([party]) => !survived.has(party))
      .map(([party, { maskKeyShare }]) => ({ party, share: maskKeyShare })),
  };
  return {
    state: { phase: "unmasked", attempt: withAnswer(attempt, message, reply), survivors: [...survived] },
    effects: [send(reply)],
  };
}

/** Step 6, before decrypting. The same aggregate may be asked for again, also with its sum; another never. */
function onAggregate(
  state: Exclude<PartyState, In<"idle" | "closed" | "refused">>,
  aggregate: Aggregate,
): PartyStep {
  const { chunks, first } = aggregate;
  if (state.phase === "unmasked") {
    const { attempt, survivors } = state;
    const { roundId, packing, header } = attempt;
    if (chunks.length !== chunkCount(packing.slots))
      throw new Refusal("ciphertext_malformed", "the aggregate has another number of ciphertexts");
    return {
      state: { phase: "decrypting", attempt, survivors, chunks, first },
      effects: [{ type: "decrypt", roundId, epoch: header.keyEpoch.epoch, chunks, slots: packing.slots }],
    };
  }
  if (state.phase !== "decrypting" && state.phase !== "released")
    throw new Refusal("message_unexpected", `aggregate while ${state.phase}`);
  if (!isDeepStrictEqual(chunks, state.chunks))
    throw new Refusal(conflicts.aggregate, "a second, different aggregate");
  if (state.phase === "decrypting") return { state: { ...state, first: state.first || first }, effects: [] };
  return { state, effects: [send(released(state, first))] };
}

/** Step 6: the count is right and every digit in range before anything of the sum leaves. */
function onDecrypted(
  { attempt, survivors, chunks, first }: In<"decrypting">,
  { slots }: Event<"decrypted">,
  { id, identity }: PartyContext,
): PartyStep {
  const { roundId, header, packing } = attempt;
  dequantizeSum(slots, packing, survivors.length);
  const sum = encodeSum(slots);
  const digest = digestOf(sum);
  const signature = signStatement(roundId, id, { purpose: "release", digest }, identity);
  const state: In<"released"> = { phase: "released", attempt, chunks, sum, digest, signature };
  return {
    state,
    effects: [
      { type: "record", record: { kind: "release", roundId, header, digest, survivors } },
      send(released(state, first)),
    ],
  };
}

const released = (
  { attempt: { roundId }, sum, digest, signature }: In<"released">,
  first: boolean,
): Released => ({
  type: "released",
  roundId,
  sum: first ? sum : new Uint8Array(),
  digest,
  signature,
});
