/** Key epochs: the BFV secret key that all enterprises of a roster hold and the coordinator never sees. */
import type { Digest } from "../canonical.ts";
import type { Identity } from "../identity.ts";
import type { Roster } from "../roster.ts";
import type { PartyId } from "./graph.ts";
import type { EpochConfirmed, EpochDealt, EpochKey } from "./messages.ts";

/** Rounds after which a new epoch begins at the latest. */
export const maxEpochRounds = 64;

export interface EpochContext {
  readonly id: PartyId;
  readonly identity: Identity;
  readonly roster: Roster;
}

/** @returns the member with the lowest SHA-256(roster digest ‖ epoch ‖ id): nobody chooses who deals. */
export function epochDealer(_roster: Roster, _epoch: number): PartyId {
  throw new Error("not written");
}

/** @param secretKey - of `Bfv.generateKey`; the dealer gets its own back through `acceptEpochKey`. */
export async function dealEpoch(
  _epoch: number,
  _secretKey: Uint8Array,
  _context: EpochContext,
): Promise<EpochDealt> {
  throw new Error("not written");
}

/**
 * Coordinator: checks what a dealer sent.
 * @returns one message for each member.
 * @throws Refusal message_unexpected, roster_mismatch, signature_invalid, message_malformed naming the dealer
 */
export function relayEpoch(
  _dealt: EpochDealt,
  _from: PartyId,
  _epoch: number,
  _roster: Roster,
): ReadonlyMap<PartyId, EpochKey> {
  throw new Error("not written");
}

/**
 * Member: opens its sealed key.
 * @param epoch - the epoch the member expects: greater than any it accepted.
 * @returns the secret key to keep and the confirmation to send.
 * @throws Refusal roster_mismatch, epoch_mismatch, signature_invalid, key_mismatch
 */
export async function acceptEpochKey(
  _message: EpochKey,
  _lastEpoch: number,
  _context: EpochContext,
): Promise<{ keep: Uint8Array; send: EpochConfirmed }> {
  throw new Error("not written");
}

/** Coordinator: @throws Refusal epoch_mismatch, key_mismatch, signature_invalid naming the member */
export function checkConfirmation(
  _message: EpochConfirmed,
  _from: PartyId,
  _expected: { readonly epoch: number; readonly commitment: Digest },
  _roster: Roster,
): void {
  throw new Error("not written");
}
