/** An enterprise's side of opening a key epoch: what it knows, hears and does. */
import type { Digest } from "../../../core/canonical.ts";
import type { Random } from "../../../core/random.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Identity } from "../../identity.ts";
import type { Roster } from "../../roster.ts";
import type { PartyId } from "../graph.ts";
import type { EpochHeader } from "./header.ts";
import type {
  Advertisement,
  CoordinatorEpochMessage,
  EpochJoined,
  OpenEpochMessage,
  PartyEpochMessage,
} from "./messages.ts";
import type { EpochSecrets } from "./secrets.ts";
import type { SlotSecretsBySlot } from "./sharing.ts";
import type { EpochTranscript } from "./transcript.ts";

export interface EpochPartyContext {
  readonly id: PartyId;
  readonly identity: Identity;
  readonly roster: Roster;
  readonly random: Random;
}

/** What only the node knows when an opening arrives. */
export interface EpochFacts {
  /** Of the policy: an epoch that counts on fewer colluding members is refused. */
  readonly maxColluding: number;
  /** The highest epoch number it has met; none that is not higher is joined. */
  readonly lastEpoch: number;
}

export type EpochPartyEvent =
  | { readonly type: "open"; readonly message: OpenEpochMessage; readonly local: EpochFacts }
  | { readonly type: "message"; readonly message: Exclude<CoordinatorEpochMessage, OpenEpochMessage> }
  /** Answers `prepare`. The key is a dealer's. */
  | {
      readonly type: "prepared";
      readonly opening: Digest;
      readonly bundles: readonly Uint8Array[];
      readonly bfvKey: Uint8Array | undefined;
    }
  /** The wait asked for under this number is over. */
  | { readonly type: "deadline"; readonly opening: Digest; readonly wait: number };

export type EpochPartyEffect =
  | { readonly type: "send"; readonly message: PartyEpochMessage }
  /** Start the opening's only timer anew; feed `deadline` with this number when it is over. */
  | { readonly type: "wait"; readonly opening: Digest; readonly wait: number; readonly seconds: number }
  /** Split the secrets and, as the dealer, make a BFV key (`performPrepare`). */
  | {
      readonly type: "prepare";
      readonly opening: Digest;
      readonly secrets: SlotSecretsBySlot;
      readonly holders: number;
      readonly threshold: number;
      readonly deals: boolean;
    }
  /** Overwrite these, and what was agreed with them (`performErase`). */
  | { readonly type: "erase"; readonly secrets: readonly Uint8Array[] }
  /** The epoch is open. */
  | { readonly type: "opened"; readonly secrets: EpochSecrets };

/** What a member made for an opening. */
export interface OwnSecrets extends SlotSecretsBySlot {
  readonly share: { readonly secretKey: Uint8Array; readonly publicKey: Uint8Array };
  readonly nonce: Uint8Array;
}

/** One opening as its member sees it. */
export interface Opening {
  readonly id: Digest;
  readonly header: EpochHeader;
  /** Number of the wait under way. */
  readonly wait: number;
}

/** What is fixed once all nonces are open. */
export interface PartyView {
  readonly view: Digest;
  readonly transcript: Pick<EpochTranscript, "opening" | "advertised" | "nonces" | "dealer">;
  readonly joined: EpochJoined["joined"];
  /** Sorted; without the member itself. */
  readonly neighbours: readonly PartyId[];
}

/** The ephemeral secrets of what a member sent, by recipient: each opens one message. */
export interface Ephemerals {
  readonly share: ReadonlyMap<PartyId, Uint8Array>;
  /** Of a dealer. */
  readonly key: ReadonlyMap<PartyId, Uint8Array>;
}

export type EpochPartyState =
  /** Waits for an opening. */
  | { readonly phase: "idle" }
  /** Has advertised; waits for everyone's advertisements. */
  | {
      readonly phase: "joined";
      readonly opening: Opening;
      readonly own: OwnSecrets;
      readonly advertised: Advertisement;
    }
  /** Has opened its nonce; waits for everyone's. */
  | {
      readonly phase: "revealed";
      readonly opening: Opening;
      readonly own: OwnSecrets;
      readonly joined: EpochJoined["joined"];
    }
  /** Waits for its secrets to be split. */
  | {
      readonly phase: "preparing";
      readonly opening: Opening;
      readonly own: OwnSecrets;
      readonly view: PartyView;
    }
  /** Has sent its shares; waits for those of its neighbours, and for the key. */
  | {
      readonly phase: "shared";
      readonly opening: Opening;
      readonly own: OwnSecrets;
      readonly view: PartyView;
      readonly ephemerals: Ephemerals;
    }
  /** Has signed the epoch; waits for all to. */
  | {
      readonly phase: "confirmed";
      readonly opening: Opening;
      readonly own: OwnSecrets;
      readonly view: PartyView;
      readonly ephemerals: Ephemerals;
      readonly transcript: EpochTranscript;
      readonly bfvKey: Uint8Array;
      readonly held: ReadonlyMap<PartyId, Uint8Array>;
    }
  /** Has complained: it never confirms this opening, but still answers who complains of it. */
  | {
      readonly phase: "complained";
      readonly opening: Opening;
      readonly own: OwnSecrets;
      readonly view: PartyView;
      readonly ephemerals: Ephemerals;
    }
  /** Has opened a message of its own, so that this opening is void for it; waits for the end. */
  | { readonly phase: "answered"; readonly opening: Opening }
  /** The epoch is open. */
  | { readonly phase: "ready"; readonly opening: Opening; readonly digest: Digest }
  /** The opening is over for this member. */
  | {
      readonly phase: "failed";
      readonly opening: Digest;
      readonly reason: Reason;
      /** Who is left out, as far as was said. */
      readonly party: PartyId;
      /** Whether the evidence of a settled complaint shows just that. */
      readonly proven: boolean;
      readonly detail: string;
    };

export interface EpochPartyStep {
  readonly state: EpochPartyState;
  readonly effects: readonly EpochPartyEffect[];
}
