/**
 * The bank's side of opening a key epoch: it passes on what members sign, and learns no secret of them.
 *
 * A runtime begins with `beginEpoch`, feeds events and performs the effects in order. When an opening fails it
 * begins the next, under a higher epoch number, without those who are left out.
 */
import type { Digest } from "../../../core/canonical.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Roster } from "../../roster.ts";
import type { PartyId } from "../graph.ts";
import type { EpochHeader } from "./header.ts";
import type {
  ComplaintKind,
  CoordinatorEpochMessage,
  EpochDealt,
  JoinEpoch,
  PartyEpochMessage,
  SealedShares,
} from "./messages.ts";
import type { OpenEpoch, ShareHashes } from "./secrets.ts";
import type { EpochTranscript } from "./transcript.ts";

export interface EpochCoordinatorContext {
  readonly roster: Roster;
}

export type EpochCoordinatorEvent =
  | { readonly type: "message"; readonly from: PartyId; readonly message: PartyEpochMessage }
  /** The member's stream ended: an opening waits for nobody. */
  | { readonly type: "gone"; readonly party: PartyId }
  /** The wait asked for under this number is over. */
  | { readonly type: "deadline"; readonly wait: number }
  /** The coordinator itself ends the opening: another roster, a drain. */
  | { readonly type: "abort"; readonly reason: Reason; readonly detail: string };

/** Who is left out of the next opening, and why. */
export interface LeftOut {
  readonly party: PartyId;
  readonly reason: Reason;
  readonly detail: string;
  /**
   * Whether it did something wrong: then it stays out for this version of the roster, until the bank admits it
   * again. Otherwise it was silent, absent or unwilling, and is asked again when it comes back.
   */
  readonly named: boolean;
}

/** Why an opening ended without an epoch. */
export interface EpochFailure {
  readonly reason: Reason;
  readonly detail: string;
  readonly leftOut: readonly LeftOut[];
  /** Canonical JSON of a settled complaint: anybody can check it (`settleComplaint`). Else empty. */
  readonly evidence: Uint8Array;
}

export type EpochCoordinatorEffect =
  | { readonly type: "send"; readonly to: PartyId; readonly message: CoordinatorEpochMessage }
  /** Start the opening's only timer anew; feed `deadline` with this number when it is over. */
  | { readonly type: "wait"; readonly wait: number; readonly seconds: number }
  /** The epoch is open: log transcript and confirmations, keep the hashes. */
  | { readonly type: "opened"; readonly epoch: OpenEpoch; readonly hashes: ShareHashes }
  /** The opening is over: log it, leave out who is to be, begin the next. */
  | { readonly type: "failed"; readonly failure: EpochFailure };

interface Base {
  readonly opening: Digest;
  readonly header: EpochHeader;
  /** Number of the wait under way. */
  readonly wait: number;
}

export type Joined = ReadonlyMap<PartyId, JoinEpoch>;

/** What is fixed once all nonces are open. */
export interface CoordinatorView {
  readonly view: Digest;
  readonly transcript: Pick<EpochTranscript, "opening" | "advertised" | "nonces" | "dealer">;
  readonly neighbours: ReadonlyMap<PartyId, readonly PartyId[]>;
}

/** What everyone sent to everyone. */
export interface Deliveries {
  /** By sharer, sorted by recipient. */
  readonly shares: ReadonlyMap<PartyId, readonly SealedShares[]>;
  readonly dealt: EpochDealt;
  readonly transcript: EpochTranscript;
}

export type EpochCoordinatorState =
  /** Waits for every member's advertisement. */
  | (Base & {
      readonly phase: "joining";
      readonly joined: Joined;
      /** All keys advertised so far. */
      readonly keys: ReadonlySet<string>;
    })
  /** Waits for every member's nonce. */
  | (Base & {
      readonly phase: "revealing";
      readonly joined: Joined;
      readonly nonces: ReadonlyMap<PartyId, Uint8Array>;
    })
  /** Waits for every member's shares, and the dealer's key. */
  | (Base & {
      readonly phase: "sharing";
      readonly joined: Joined;
      readonly view: CoordinatorView;
      readonly shares: ReadonlyMap<PartyId, readonly SealedShares[]>;
      readonly dealt: EpochDealt | undefined;
    })
  /** Waits for every member's signature of the digest. */
  | (Base & {
      readonly phase: "confirming";
      readonly joined: Joined;
      readonly view: CoordinatorView;
      readonly deliveries: Deliveries;
      readonly confirmations: ReadonlyMap<PartyId, Uint8Array>;
    })
  /** Waits for the accused to open its message. The opening is over either way. */
  | (Base & {
      readonly phase: "settling";
      readonly joined: Joined;
      readonly view: CoordinatorView;
      readonly deliveries: Deliveries;
      readonly complaint: {
        readonly by: PartyId;
        readonly about: PartyId;
        readonly kind: ComplaintKind;
        readonly signature: Uint8Array;
      };
    })
  | (Base & { readonly phase: "ready"; readonly epoch: OpenEpoch; readonly hashes: ShareHashes })
  | (Base & { readonly phase: "failed"; readonly failure: EpochFailure });

export interface EpochCoordinatorStep {
  readonly state: EpochCoordinatorState;
  readonly effects: readonly EpochCoordinatorEffect[];
}
