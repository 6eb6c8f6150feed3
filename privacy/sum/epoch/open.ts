/** An open key epoch, as the round machines see it. */
import type { Digest } from "../../../core/canonical.ts";
import type { PartyId } from "../graph.ts";

export interface EpochHeader {
  readonly protocol: string;
  readonly consortium: string;
  readonly roster: Digest;
  readonly epoch: number;
  readonly members: readonly PartyId[];
  readonly maxColluding: number;
  readonly degree: number;
  readonly threshold: number;
  readonly slots: number;
  readonly stepSeconds: number;
}

/** Public half, both sides. */
export interface OpenEpoch {
  readonly digest: Digest;
  readonly header: EpochHeader;
  readonly commitment: Digest;
  readonly neighbours: ReadonlyMap<PartyId, readonly PartyId[]>;
  /** By slot. */
  readonly maskKeys: ReadonlyMap<PartyId, readonly Uint8Array[]>;
}

export type SecretKind = "maskSecret" | "selfMask";

/** Coordinator only: what sharers signed of each share. */
export interface ShareHashes {
  hashOf(sharer: PartyId, holder: PartyId, slot: number, kind: SecretKind): Uint8Array | undefined;
}

/** A member's secrets of one slot. */
export interface SlotSecrets {
  readonly maskSecret: Uint8Array;
  readonly selfMaskSeed: Uint8Array;
  /** Shares of neighbours, coordinate ‖ value. */
  readonly held: ReadonlyMap<PartyId, { readonly maskSecret: Uint8Array; readonly selfMask: Uint8Array }>;
}

/** Memory only, erased slot by slot. */
export interface EpochSecrets {
  readonly epoch: OpenEpoch;
  readonly bfvKey: Uint8Array;
  /** Binds the slot to this roundId. @throws Refusal slot_spent for another roundId or a lower slot */
  take(slot: number, roundId: Digest): SlotSecrets;
  erase(): void;
}
