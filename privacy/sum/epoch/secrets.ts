/** An epoch once it is open: what everyone knows of it, and what a member alone does. */
import type { Digest } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import { forgetSecret } from "../../identity.ts";
import { neighbours, type PartyId } from "../graph.ts";
import { type EpochHeader, epochSlots } from "./header.ts";
import type { Advertisement, SealedShares, SignedBy } from "./messages.ts";
import { eraseSlotOf, hashIn, type SecretKind, type SlotSecretsBySlot, shareOf } from "./sharing.ts";
import { type EpochTranscript, epochDigestOf, viewOf } from "./transcript.ts";

/** The public half, the same at every member and at the coordinator. */
export interface OpenEpoch {
  /** What round headers name, and every member signed. */
  readonly digest: Digest;
  readonly header: EpochHeader;
  readonly transcript: EpochTranscript;
  /** Every member's signature of the digest, sorted by party. */
  readonly confirmations: readonly SignedBy[];
  /** SHA-256 of the serialized BFV secret key. */
  readonly commitment: Digest;
  /** Sorted by party, each without itself. */
  readonly neighbours: ReadonlyMap<PartyId, readonly PartyId[]>;
  /** X25519, 32 bytes, by slot. */
  readonly maskKeys: ReadonlyMap<PartyId, Uint8Array>;
}

export const openEpochOf = (
  header: EpochHeader,
  transcript: EpochTranscript,
  confirmations: readonly SignedBy[],
  joined: readonly (Pick<Advertisement, "maskKeys"> & { readonly party: PartyId })[],
): OpenEpoch => ({
  digest: epochDigestOf(transcript),
  header,
  transcript,
  confirmations,
  commitment: transcript.commitment,
  neighbours: epochGraph(header, viewOf(transcript)),
  maskKeys: new Map(joined.map(({ party, maskKeys }) => [party, maskKeys])),
});

/** @returns who shares with whom. */
export const epochGraph = (
  { members, degree }: EpochHeader,
  view: Digest,
): ReadonlyMap<PartyId, readonly PartyId[]> => neighbours(members, Buffer.from(view, "hex"), degree);

/** @returns one of the 64 keys of an advertisement. */
export const keyOfSlot = (maskKeys: Uint8Array, slot: number): Uint8Array =>
  maskKeys.subarray(32 * slot, 32 * (slot + 1));

/** @returns all of them. */
export const keysBySlot = (maskKeys: Uint8Array): Uint8Array[] =>
  Array.from({ length: epochSlots }, (_, slot) => keyOfSlot(maskKeys, slot));

/** Coordinator: what sharers signed of each share. */
export interface ShareHashes {
  hashOf(sharer: PartyId, holder: PartyId, slot: number, kind: SecretKind): Uint8Array | undefined;
  /** The message that was signed: evidence against a sharer. */
  messageOf(sharer: PartyId, holder: PartyId): SealedShares | undefined;
}

/** @param sealed - by sharer, its messages by recipient. */
export const shareHashesOf = (sealed: ReadonlyMap<PartyId, readonly SealedShares[]>): ShareHashes => {
  const messages = new Map(
    [...sealed].map(([sharer, all]) => [sharer, new Map(all.map((m) => [m.party, m]))]),
  );
  const messageOf = (sharer: PartyId, holder: PartyId) => messages.get(sharer)?.get(holder);
  return {
    messageOf,
    hashOf(sharer, holder, slot, kind) {
      const message = messageOf(sharer, holder);
      return message && hashIn(message.hashes, slot, kind);
    },
  };
};

/** A member's secrets of one slot: copies, which whoever took them erases. */
export interface SlotSecrets {
  /** X25519, 32 bytes. */
  readonly maskSecret: Uint8Array;
  /** 32 bytes. */
  readonly selfMaskSeed: Uint8Array;
  /** The shares each neighbour entrusted to this member, `slotShareBytes` each. One of the two is ever shown. */
  readonly held: ReadonlyMap<PartyId, { readonly maskSecret: Uint8Array; readonly selfMask: Uint8Array }>;
}

/** A member's half: in memory only, gone slot by slot. */
export class EpochSecrets {
  readonly epoch: OpenEpoch;
  /** Serialized BFV secret key. */
  readonly bfvKey: Uint8Array;
  readonly #own: SlotSecretsBySlot;
  readonly #held: ReadonlyMap<PartyId, Uint8Array>;
  /** The highest slot taken, and for which round. */
  #taken: { readonly slot: number; readonly roundId: Digest } | undefined;
  #erased = false;

  /** @param held - the bundle of shares of each neighbour. */
  constructor(
    epoch: OpenEpoch,
    bfvKey: Uint8Array,
    own: SlotSecretsBySlot,
    held: ReadonlyMap<PartyId, Uint8Array>,
  ) {
    this.epoch = epoch;
    this.bfvKey = bfvKey;
    this.#own = own;
    this.#held = held;
  }

  /**
   * Binds a slot to the first roundId that asks for it, and erases all lower ones.
   * @throws Refusal slot_spent for another roundId, a lower slot, one that does not exist, or after `erase`.
   */
  take(slot: number, roundId: Digest): SlotSecrets {
    const taken = this.#taken;
    const spent = (why: string) => new Refusal("slot_spent", `slot ${slot}: ${why}`);
    if (this.#erased) throw spent("the epoch is over");
    if (!(Number.isInteger(slot) && slot >= 0 && slot < epochSlots)) throw spent("the epoch has no such");
    if (taken !== undefined && slot < taken.slot) throw spent(`slot ${taken.slot} was taken since`);
    if (taken?.slot === slot && taken.roundId !== roundId) throw spent("it serves another round");
    for (let lower = taken?.slot ?? 0; lower < slot; lower++) this.#eraseSlot(lower);
    this.#taken = { slot, roundId };
    return {
      maskSecret: this.#own.maskSecrets[slot]!.slice(),
      selfMaskSeed: this.#own.selfMaskSeeds[slot]!.slice(),
      held: new Map(
        [...this.#held].map(([party, bundle]) => [
          party,
          { maskSecret: shareOf(bundle, slot, "maskSecret"), selfMask: shareOf(bundle, slot, "selfMask") },
        ]),
      ),
    };
  }

  #eraseSlot(slot: number): void {
    forgetSecret(this.#own.maskSecrets[slot]!);
    this.#own.selfMaskSeeds[slot]!.fill(0);
    for (const bundle of this.#held.values()) eraseSlotOf(bundle, slot);
  }

  /** Forgets everything, the BFV key too. */
  erase(): void {
    this.#erased = true;
    this.bfvKey.fill(0);
    for (let slot = 0; slot < epochSlots; slot++) this.#eraseSlot(slot);
    for (const bundle of this.#held.values()) bundle.fill(0);
  }
}
