import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { publicIdentity } from "../../privacy/identity.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { openRoster, type Roster } from "../../privacy/roster.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { acceptEpochKey, dealEpoch, epochDealer, type KeyEpoch } from "../../privacy/sum/key-epoch.ts";
import type { DealEpoch, EpochConfirmed, EpochDealt, EpochKey } from "../../privacy/sum/messages.ts";
import type { PartyContext } from "../../privacy/sum/party/party.ts";
import { Membership as MembershipService } from "../../proto/wire.ts";
import { lastEpoch, rememberEpoch } from "../ledger/records.ts";
import type { NodeCredentials } from "./credentials.ts";
import type { Transport } from "./transport.ts";

interface MembershipOptions {
  readonly db: DatabaseSync;
  readonly transport: Pick<Transport, "call">;
  readonly credentials: NodeCredentials;
  readonly bfv: Bfv;
  readonly random: Random;
}

/** This node's membership of the consortium: the roster it is in and the epoch key it holds. */
export class Membership {
  readonly #options: MembershipOptions;
  #roster: Roster | undefined;
  #epoch: (KeyEpoch & { readonly key: Uint8Array }) | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /**
   * Fetches the roster and makes it the current one.
   * @throws Refusal roster_unsigned, signature_invalid, note_malformed; roster_mismatch, if this node is not in it
   *   with its own keys or it is older than the one at hand.
   */
  async fetchRoster(): Promise<Roster> {
    const { credentials, transport } = this.#options;
    const { note } = await transport.call(MembershipService.service.GetRoster, {});
    const roster = openRoster(
      note,
      parseVerifierKey(credentials.bankKey),
      parseVerifierKey(credentials.auditorKey),
    );
    const own = roster.byId.get(credentials.enterprise);
    const { verifierKey, hpkeKey } = publicIdentity(credentials.identity);
    if (
      roster.consortium !== credentials.consortium ||
      own?.verifierKey !== verifierKey ||
      !Buffer.from(own.hpkeKey).equals(hpkeKey)
    )
      throw new Refusal("roster_mismatch", "this node is not in the roster with its own keys", {
        hint: "wait until the bank admits it and the auditor countersigns",
      });
    if (roster.version < (this.#roster?.version ?? 0))
      throw new Refusal("roster_mismatch", "the roster shown is older than the last one");
    this.#roster = roster;
    return roster;
  }

  /** @returns the roster of a digest, fetched anew where it is not the one at hand. @throws Refusal roster_mismatch */
  async rosterOf(digest: Digest): Promise<Roster> {
    const roster = this.#roster?.digest === digest ? this.#roster : await this.fetchRoster();
    if (roster.digest !== digest)
      throw new Refusal("roster_mismatch", "the coordinator names another roster");
    return roster;
  }

  /** @throws {RangeError} before the first roster. */
  context(): PartyContext {
    const { credentials, random } = this.#options;
    if (this.#roster === undefined) throw new RangeError("no roster was fetched");
    return {
      id: credentials.enterprise,
      identity: credentials.identity,
      roster: this.#roster,
      random,
    };
  }

  /** The epoch whose key is at hand. */
  get epoch(): KeyEpoch | undefined {
    return this.#epoch;
  }

  /** @throws Refusal epoch_mismatch, if another epoch's key is at hand, or none. */
  epochKey(epoch: number): Uint8Array {
    if (this.#epoch?.epoch !== epoch) throw new Refusal("epoch_mismatch", `no key of epoch ${epoch} here`);
    return this.#epoch.key;
  }

  /** @throws Refusal roster_mismatch, message_unexpected, if this node is not the epoch's dealer. */
  async deal({ epoch, roster: digest }: DealEpoch): Promise<EpochDealt> {
    const roster = await this.rosterOf(digest);
    if (epochDealer(roster, epoch) !== this.#options.credentials.enterprise)
      throw new Refusal("message_unexpected", `this node is not the dealer of key epoch ${epoch}`);
    const key = await this.#options.bfv.generateKey();
    try {
      return await dealEpoch(epoch, key, this.context());
    } finally {
      key.fill(0);
    }
  }

  /**
   * Takes an epoch's key and erases the one before. The last epoch's key may come again, after a reconnection or
   * a restart; an older one, or another for the same epoch, never.
   * @throws Refusal epoch_mismatch, roster_mismatch, signature_invalid, key_mismatch
   */
  async accept(message: EpochKey): Promise<EpochConfirmed> {
    const { db } = this.#options;
    await this.rosterOf(message.roster);
    const { keep, send } = await acceptEpochKey(message, lastEpoch(db), this.context());
    const { epoch, commitment } = message;
    rememberEpoch(db, { epoch, commitment });
    this.#epoch?.key.fill(0);
    this.#epoch = { epoch, commitment, key: keep };
    return send;
  }
}
