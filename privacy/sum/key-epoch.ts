/** Key epochs: the BFV secret key that all enterprises of a roster hold and the coordinator never sees. */

import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { hpkeOpen, hpkeSeal, type Identity, signFor, verifyFor } from "../identity.ts";
import type { Roster } from "../roster.ts";
import { checkSecretKey } from "./encryption/bfv-format.ts";
import type { PartyId } from "./graph.ts";
import type { EpochConfirmed, EpochDealt, EpochKey, SealedKey } from "./messages.ts";

/** Rounds after which a new epoch begins at the latest. */
export const maxEpochRounds = 64;

export interface EpochContext {
  readonly id: PartyId;
  readonly identity: Identity;
  readonly roster: Roster;
}

/** An epoch as headers name it. */
export interface KeyEpoch {
  readonly epoch: number;
  /** SHA-256 of the serialized secret key. */
  readonly commitment: Digest;
}

/** @returns the member with the lowest SHA-256(roster digest ‖ epoch ‖ id): nobody chooses who deals. */
export function epochDealer(roster: Roster, epoch: number): PartyId {
  const epochBytes = Buffer.alloc(8);
  epochBytes.writeBigUInt64BE(BigInt(epoch));
  const place = (id: PartyId): Digest => digestOf(Buffer.from(roster.digest, "hex"), epochBytes, id);
  const [dealer] = roster.members.map(({ id }) => id).sort((a, b) => (place(a) < place(b) ? -1 : 1));
  if (dealer === undefined) throw new RangeError("a roster without members has no dealer");
  return dealer;
}

const sealedDigest = ({ party, encapsulated, ciphertext }: SealedKey): Digest =>
  digestOf(
    canonicalBytes({
      party,
      encapsulated: Buffer.from(encapsulated).toString("hex"),
      ciphertext: Buffer.from(ciphertext).toString("hex"),
    }),
  );

const sealInfo = (roster: Digest, epoch: number, party: PartyId): Uint8Array =>
  canonicalBytes({ use: "fedcredit/v1/epoch-key", roster, epoch, party });

type DealtStatement = Pick<EpochKey, "epoch" | "roster" | "commitment" | "dealer" | "sealedDigests">;

const dealtPayload = ({ epoch, roster, commitment, dealer, sealedDigests }: DealtStatement): Uint8Array =>
  canonicalBytes({ epoch, roster, commitment, dealer, sealedDigests });

const confirmedPayload = (party: PartyId, roster: Digest, { epoch, commitment }: KeyEpoch): Uint8Array =>
  canonicalBytes({ party, roster, epoch, commitment });

/**
 * Dealer: seals a fresh key to every member.
 * @param secretKey - of `Bfv.generateKey`; the dealer gets its own back through `acceptEpochKey`.
 * @throws Refusal message_malformed when a member's HPKE key cannot be sealed to
 */
export async function dealEpoch(
  epoch: number,
  secretKey: Uint8Array,
  { id, identity, roster }: EpochContext,
): Promise<EpochDealt> {
  const sealed = await Promise.all(
    roster.members.map(async ({ id: party, hpkeKey }) => ({
      party,
      ...(await hpkeSeal(hpkeKey, sealInfo(roster.digest, epoch, party), secretKey)),
    })),
  );
  const statement = {
    epoch,
    roster: roster.digest,
    commitment: digestOf(secretKey),
    dealer: id,
    sealedDigests: sealed.map(sealedDigest),
  };
  return {
    type: "epochDealt",
    epoch,
    roster: roster.digest,
    commitment: statement.commitment,
    sealed,
    signature: signFor("epoch-dealt", identity, dealtPayload(statement)),
  };
}

/** @throws Refusal unless the dealer is the right one and signed exactly this. */
function checkDealt(statement: DealtStatement, signature: Uint8Array, roster: Roster): void {
  const { dealer, epoch } = statement;
  const blame = { party: dealer };
  if (statement.roster !== roster.digest)
    throw new Refusal("roster_mismatch", "the epoch is of another roster", blame);
  if (dealer !== epochDealer(roster, epoch))
    throw new Refusal("message_unexpected", `${dealer} is not the dealer of epoch ${epoch}`, blame);
  const key = roster.byId.get(dealer)!.identityKey;
  if (!verifyFor("epoch-dealt", key, dealtPayload(statement), signature))
    throw new Refusal("signature_invalid", "the dealer has not signed this epoch", blame);
}

/**
 * Coordinator: checks what a dealer sent; the keys stay opaque to it.
 * @returns one message for each member.
 * @throws Refusal message_unexpected, roster_mismatch, signature_invalid, message_malformed naming the dealer
 */
export function relayEpoch(
  dealt: EpochDealt,
  from: PartyId,
  epoch: number,
  roster: Roster,
): ReadonlyMap<PartyId, EpochKey> {
  if (dealt.epoch !== epoch)
    throw new Refusal("message_unexpected", `epoch ${dealt.epoch} was not asked for`, { party: from });
  const ids = roster.members.map(({ id }) => id);
  if (dealt.sealed.length !== ids.length || dealt.sealed.some(({ party }, i) => party !== ids[i]))
    throw new Refusal("message_malformed", "not one sealed key a member, in roster order", { party: from });
  const { commitment, signature } = dealt;
  const sealedDigests = dealt.sealed.map(sealedDigest);
  const statement = { epoch, roster: dealt.roster, commitment, dealer: from, sealedDigests };
  checkDealt(statement, signature, roster);
  return new Map(
    dealt.sealed.map((sealed) => [sealed.party, { type: "epochKey", ...statement, sealed, signature }]),
  );
}

/**
 * Member: opens its sealed key.
 * @param last - the latest epoch the member accepted; none earlier is, nor another key for the same.
 * @returns the secret key to keep and the confirmation to send.
 * @throws Refusal epoch_mismatch, roster_mismatch, message_unexpected, signature_invalid, key_mismatch
 */
export async function acceptEpochKey(
  message: EpochKey,
  last: KeyEpoch | undefined,
  { id, identity, roster }: EpochContext,
): Promise<{ keep: Uint8Array; send: EpochConfirmed }> {
  const { epoch, commitment, dealer, sealed, sealedDigests } = message;
  if (last !== undefined && (epoch < last.epoch || (epoch === last.epoch && commitment !== last.commitment)))
    throw new Refusal("epoch_mismatch", `epoch ${epoch} after epoch ${last.epoch}`);
  checkDealt(message, message.signature, roster);
  const place = roster.members.findIndex((member) => member.id === id);
  const mismatch = (text: string): Refusal => new Refusal("key_mismatch", text, { party: dealer });
  if (
    sealed?.party !== id ||
    sealedDigests.length !== roster.members.length ||
    sealedDigests[place] !== sealedDigest(sealed)
  )
    throw mismatch("the sealed key is not the one the dealer signed for this party");
  let keep: Uint8Array;
  try {
    keep = await hpkeOpen(identity.hpke, sealInfo(roster.digest, epoch, id), sealed);
  } catch (cause) {
    throw new Refusal("key_mismatch", "the sealed key does not open", { party: dealer, cause });
  }
  if (digestOf(keep) !== commitment) throw mismatch("the dealt key does not open its commitment");
  checkSecretKey(keep);
  const signature = signFor(
    "epoch-confirmed",
    identity,
    confirmedPayload(id, roster.digest, { epoch, commitment }),
  );
  return { keep, send: { type: "epochConfirmed", epoch, commitment, signature } };
}

/**
 * Coordinator: checks that a member holds the key of the epoch it relayed.
 * @throws Refusal epoch_mismatch, key_mismatch, signature_invalid naming the member
 */
export function checkConfirmation(
  { epoch, commitment, signature }: EpochConfirmed,
  from: PartyId,
  expected: KeyEpoch,
  roster: Roster,
): void {
  const blame = { party: from };
  if (epoch !== expected.epoch) throw new Refusal("epoch_mismatch", `confirms epoch ${epoch}`, blame);
  if (commitment !== expected.commitment) throw new Refusal("key_mismatch", "confirms another key", blame);
  const key = roster.byId.get(from)?.identityKey;
  if (
    key === undefined ||
    !verifyFor("epoch-confirmed", key, confirmedPayload(from, roster.digest, expected), signature)
  )
    throw new Refusal("signature_invalid", "the confirmation is not signed by its member", blame);
}
