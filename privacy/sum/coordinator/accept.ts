/** What the coordinator checks of each party's message before it counts. */
import { isDeepStrictEqual } from "node:util";
import { Refusal } from "../../../core/reasons.ts";
import { chunkCount } from "../encryption/bfv-format.ts";
import { type SecretKind, shareHash, slotShareBytes } from "../epoch/sharing.ts";
import { viewOf } from "../epoch/transcript.ts";
import type { PartyId } from "../graph.ts";
import { dequantizeSum } from "../layout.ts";
import type { Agree, Invalid, Released, Renounced, RevealedShare, Submit, Unmask } from "../messages.ts";
import { isRevealed } from "../noise.ts";
import { mayReveal } from "../noise-terms.ts";
import { missingPartners } from "../round-masks.ts";
import {
  revealedDigest,
  type Statement,
  selfMaskCommitment,
  signedBy,
  submissionDigest,
  submitStatement,
  sumDigest,
  sumSalt,
  survivorsDigest,
  unmaskingDigest,
} from "../statements.ts";
import { decodeSum } from "../sum-encoding.ts";
import { type In, survivorList } from "./rules.ts";
import type { Agreeing, CoordinatorContext, Fault, RoundBase, Submitted } from "./state.ts";

/** @throws Refusal signature_invalid */
function requireSigned(
  { roundId }: Pick<RoundBase, "roundId">,
  from: PartyId,
  statement: Statement,
  signature: Uint8Array,
  { roster }: CoordinatorContext,
): void {
  if (!signedBy(roster, roundId, from, statement, signature))
    throw new Refusal("signature_invalid", `${statement.purpose} is not signed by its party for this round`);
}

/** @throws Refusal signature_invalid, digest_mismatch */
export function acceptSubmit(
  { round }: In<"submitting">,
  party: PartyId,
  { chunks, digest, commitment, noiseCommitment, signature }: Submit,
  context: CoordinatorContext,
): Submitted {
  requireSigned(round, party, submitStatement({ digest, commitment, noiseCommitment }), signature, context);
  if ((noiseCommitment !== "") !== mayReveal(round.header))
    throw new Refusal(
      "message_malformed",
      "a commitment to noise where none is asked for, or none where it is",
    );
  if (chunks.length !== chunkCount(round.packing.slots) || digest !== submissionDigest(chunks))
    throw new Refusal("digest_mismatch", "the submission's digest is not of its ciphertexts");
  return { party, chunks, digest, commitment, noiseCommitment, signature };
}

/** @throws Refusal signature_invalid */
export function acceptAgree(
  state: In<"agreeing">,
  from: PartyId,
  { signature }: Agree,
  context: CoordinatorContext,
): Uint8Array {
  const survivors = survivorsDigest(survivorList(state));
  requireSigned(state.round, from, { purpose: "agree", survivors }, signature, context);
  return signature;
}

/**
 * Seeds and shares prove themselves: what is wrong with one is the holder's fault, and the others count.
 * @returns the message without what is wrong in it.
 * @throws Refusal signature_invalid, share_conflict
 */
export function acceptUnmask(
  { round, submissions }: Agreeing,
  from: PartyId,
  message: Unmask,
  context: CoordinatorContext,
): { readonly kept: Unmask; readonly faults: readonly Fault[] } {
  const { roundId, header } = round;
  const { epoch, hashes } = context;
  requireSigned(
    round,
    from,
    { purpose: "unmask", revealed: revealedDigest(message) },
    message.signature,
    context,
  );
  const neighbours = new Set(epoch.neighbours.get(from));
  const missing = missingPartners(epoch, header, new Set(submissions.keys()));
  const seen = new Set<PartyId>();
  for (const [shares, asked] of [
    [message.selfMask, submissions],
    [message.maskSecret, missing],
  ] as const)
    for (const { party, share } of shares) {
      if (seen.has(party) || share.length !== slotShareBytes || !neighbours.has(party) || !asked.has(party))
        throw new Refusal("share_conflict", `a share of ${party} that was not asked for`);
      seen.add(party);
    }
  const faults: Fault[] = [];
  const view = viewOf(epoch.transcript);
  const genuine = (kind: SecretKind, shares: readonly RevealedShare[]): readonly RevealedShare[] =>
    shares.filter(({ party, share }) => {
      const signed = hashes.hashOf(party, from, header.slot, kind);
      const hash = shareHash({ view, sharer: party, holder: from }, header.slot, kind, share);
      if (signed !== undefined && Buffer.compare(signed, hash) === 0) return true;
      const detail = `a share of the ${kind} of ${party} is not the one that was signed`;
      faults.push({ party: from, reason: "share_invalid", detail });
      return false;
    });
  const own = submissions.get(from);
  const isOwn =
    own === undefined
      ? message.selfMaskSeed.length === 0
      : selfMaskCommitment(roundId, message.selfMaskSeed) === own.commitment;
  if (!isOwn) {
    const detail = "its self-mask seed is not the one committed to";
    faults.push({ party: from, reason: "share_invalid", detail });
  }
  const isOwnNoise =
    own === undefined
      ? message.noise.length === 0
      : isRevealed(roundId, header, submissions.size, message.noise, own.noiseCommitment);
  if (!isOwnNoise) {
    const detail = "the seed of its noise is not the one committed to";
    faults.push({ party: from, reason: "share_invalid", detail });
  }
  return {
    kept: {
      ...message,
      selfMaskSeed: isOwn ? message.selfMaskSeed : new Uint8Array(),
      noise: isOwnNoise ? message.noise : new Uint8Array(),
      selfMask: genuine("selfMask", message.selfMask),
      maskSecret: genuine("maskSecret", message.maskSecret),
    },
    faults,
  };
}

/** @returns what every statement on this aggregate says. */
export const aggregateStatement = (state: In<"releasing">) => ({
  survivors: survivorsDigest(survivorList(state)),
  unmasking: unmaskingDigest(state.secrets),
  aggregate: submissionDigest(state.chunks),
});

/** @throws Refusal signature_invalid, digest_mismatch, release_invalid */
export function acceptReleased(
  state: In<"releasing">,
  from: PartyId,
  message: Released,
  context: CoordinatorContext,
): ReadonlyMap<PartyId, Released> {
  const { round, secrets, released, submissions, invalid } = state;
  const { digest, sum } = message;
  const statement = { purpose: "release", ...aggregateStatement(state), digest } as const;
  requireSigned(round, from, statement, message.signature, context);
  const before = released.get(from);
  if (invalid.has(from) || (before !== undefined && before.digest !== digest))
    throw new Refusal("digest_mismatch", "signed two sums");
  if (sum.length > 0) {
    if (sumDigest(sumSalt(round.roundId, secrets), sum) !== digest)
      throw new Refusal("release_invalid", "the sum is not the one signed");
    dequantizeSum(decodeSum(sum, round.packing.slots), round.packing, submissions.size);
  }
  // A repeated answer without the sum does not undo the one that brought it.
  return before !== undefined && sum.length === 0 ? released : new Map(released).set(from, message);
}

/** @throws Refusal signature_invalid, digest_mismatch */
export function acceptInvalid(
  state: In<"releasing">,
  from: PartyId,
  { signature }: Invalid,
  context: CoordinatorContext,
): ReadonlyMap<PartyId, Uint8Array> {
  requireSigned(state.round, from, { purpose: "invalid", ...aggregateStatement(state) }, signature, context);
  if (state.released.has(from)) throw new Refusal("digest_mismatch", "released what it calls invalid");
  return new Map(state.invalid).set(from, signature);
}

/** @throws Refusal signature_invalid */
export function acceptRenounced(
  { round }: In<"renouncing">,
  from: PartyId,
  { signature }: Renounced,
  context: CoordinatorContext,
): Uint8Array {
  requireSigned(round, from, { purpose: "renounce" }, signature, context);
  return signature;
}

/** Whether a party says again what it said before. */
export const isSameSubmission = (before: Submitted, { type: _, roundId: __, ...now }: Submit): boolean =>
  isDeepStrictEqual(before, { party: before.party, ...now });
