/** What the coordinator checks of each party's message before it counts. */
import { isDeepStrictEqual } from "node:util";
import { digestOf } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import { decodeSum, type Statement, signedBy, submissionDigest, survivorsDigest } from "../binding.ts";
import { chunkCount } from "../encryption/bfv-format.ts";
import type { PartyId } from "../graph.ts";
import { dequantizeSum } from "../layout.ts";
import type {
  Advertise,
  Advertised,
  PartyRoundMessage,
  Refuse,
  Released,
  Share,
  Unmask,
} from "../messages.ts";
import { shareBytes } from "../shares.ts";
import { type In, survivorList, type Waiting } from "./rules.ts";
import type { CoordinatorContext, CoordinatorEffect } from "./state.ts";

/** An accepted state, perhaps with effects that its acceptance asks for. */
export type Taken = Waiting | { readonly next: Waiting; readonly effects: readonly CoordinatorEffect[] };

/** Takes one answer. @throws Refusal what is wrong with it */
export function accepted(
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
    requireSigned(
      { purpose: "agree", survivors: survivorsDigest(survivorList(state.survivors)) },
      message.signature,
    );
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

export function isRepeated(before: unknown, from: PartyId, message: PartyRoundMessage): boolean {
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

const advertisedOf = (party: PartyId, { maskKey, shareKey, signature }: Advertise): Advertised => ({
  party,
  maskKey,
  shareKey,
  signature,
});

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
