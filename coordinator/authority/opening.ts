/** One opening of a key epoch: runs the pure machine, and keeps what its members signed. */
import type { Digest } from "../../core/canonical.ts";
import type { Reason } from "../../core/reasons.ts";
import { type EpochRecord, epochRecord } from "../../privacy/log/epoch-record.ts";
import type { Roster } from "../../privacy/roster.ts";
import {
  beginEpoch,
  type EpochCoordinatorEvent,
  type EpochCoordinatorState,
  type EpochCoordinatorStep,
  type EpochFailure,
  epochCoordinatorStep,
} from "../../privacy/sum/epoch/coordinator.ts";
import { type EpochHeader, openingIdOf } from "../../privacy/sum/epoch/header.ts";
import type {
  CoordinatorEpochMessage,
  EpochJoined,
  EpochNonces,
  EpochShares,
  PartyEpochMessage,
  SealedShares,
} from "../../privacy/sum/epoch/messages.ts";
import type { OpenEpoch, ShareHashes } from "../../privacy/sum/epoch/secrets.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";

export interface Opened {
  readonly epoch: OpenEpoch;
  readonly hashes: ShareHashes;
  readonly record: EpochRecord;
  /** What sharers sealed, by sharer. */
  readonly shares: ReadonlyMap<PartyId, readonly SealedShares[]>;
}

export type OpeningEnd =
  | ({ readonly type: "opened" } & Opened)
  | { readonly type: "failed"; readonly failure: EpochFailure };

export class Opening {
  readonly header: EpochHeader;
  readonly opening: Digest;
  /** Members that left while it was under way: they count as gone, back or not. */
  readonly left = new Set<PartyId>();
  readonly #bank: Pick<Bank, "clock">;
  readonly #participants: Participants;
  readonly #roster: Roster;
  readonly #onEnd: (end: OpeningEnd) => void;
  #state: EpochCoordinatorState;
  #callOff = (): void => {};
  #joined: EpochJoined["joined"] = [];
  #nonces: EpochNonces["nonces"] = [];
  #dealt: EpochShares["dealt"] = null;
  #shares: ReadonlyMap<PartyId, readonly SealedShares[]> = new Map();

  /** @param onEnd - called once, with the epoch or why there is none. */
  constructor(
    bank: Pick<Bank, "clock">,
    participants: Participants,
    roster: Roster,
    header: EpochHeader,
    onEnd: (end: OpeningEnd) => void,
  ) {
    this.#bank = bank;
    this.#participants = participants;
    this.#roster = roster;
    this.header = header;
    this.opening = openingIdOf(header);
    this.#onEnd = onEnd;
    const first = beginEpoch(header);
    this.#state = first.state;
    this.#perform(first);
    for (const party of header.members) if (!participants.isPresent(party)) this.gone(party);
  }

  message(from: PartyId, message: PartyEpochMessage): void {
    this.#feed({ type: "message", from, message });
  }

  gone(party: PartyId): void {
    this.left.add(party);
    this.#feed({ type: "gone", party });
  }

  abort(reason: Reason, detail: string): void {
    this.#feed({ type: "abort", reason, detail });
  }

  #feed(event: EpochCoordinatorEvent): void {
    const step = epochCoordinatorStep(this.#state, event, { roster: this.#roster });
    // What was sealed is in the last state before the epoch is open.
    if (step.state.phase === "confirming") this.#shares = step.state.deliveries.shares;
    this.#state = step.state;
    this.#perform(step);
  }

  #perform({ effects }: EpochCoordinatorStep): void {
    for (const effect of effects)
      switch (effect.type) {
        case "send":
          this.#keep(effect.message);
          this.#participants.send(effect.to, effect.message);
          break;
        case "wait": {
          const { wait, seconds } = effect;
          this.#callOff();
          this.#callOff = this.#bank.clock.after(seconds, () => this.#feed({ type: "deadline", wait }));
          break;
        }
        case "opened": {
          this.#callOff();
          const said = { joined: this.#joined, nonces: this.#nonces, dealt: this.#dealt! };
          const record = epochRecord(this.header, { ...said, confirmations: effect.epoch.confirmations });
          const { epoch, hashes } = effect;
          this.#onEnd({ type: "opened", epoch, hashes, record, shares: this.#shares });
          break;
        }
        case "failed":
          this.#callOff();
          this.#onEnd({ type: "failed", failure: effect.failure });
          break;
      }
  }

  /** What everyone was sent is what everyone signed. */
  #keep(message: CoordinatorEpochMessage): void {
    switch (message.type) {
      case "epochJoined":
        this.#joined = message.joined;
        break;
      case "epochNonces":
        this.#nonces = message.nonces;
        break;
      case "epochShares":
        this.#dealt = message.dealt;
        break;
      case "openEpoch":
      case "accuse":
      case "epochReady":
      case "epochFailed":
        break;
    }
  }
}
