/** Key epochs, as far as the bank takes part: asking the dealer, relaying sealed keys, counting confirmations. */

import { Refusal } from "../../core/reasons.ts";
import type { Roster } from "../../privacy/roster.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import {
  checkConfirmation,
  epochDealer,
  type KeyEpoch,
  maxEpochRounds,
  relayEpoch,
} from "../../privacy/sum/key-epoch.ts";
import type { EpochConfirmed, EpochDealt, EpochKey } from "../../privacy/sum/messages.ts";
import { fromOneof, Rounds, toOneof } from "../../proto/wire.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";
import type { Transaction } from "../store/database.ts";

/** An epoch that rounds can use, and who can take part in them. */
export interface UsableEpoch extends KeyEpoch {
  readonly confirmed: ReadonlySet<PartyId>;
  readonly dealtAtMillis: number;
}

interface CurrentEpoch extends KeyEpoch {
  readonly roster: Roster;
  readonly dealer: PartyId;
  readonly messages: ReadonlyMap<PartyId, EpochKey>;
  /** Members that said over their present connection that they hold the key. */
  readonly confirmed: Set<PartyId>;
  readonly refused: Set<PartyId>;
  /** When it was relayed, Unix milliseconds; 0 for one of an earlier process. */
  readonly dealtAtMillis: number;
  /** Attempts opened under it. */
  rounds: number;
  logged: boolean;
}

interface Dealing {
  readonly epoch: number;
  readonly roster: Roster;
  readonly dealer: PartyId;
  readonly callOff: () => void;
}

const dealSeconds = 60;
const { requestSerialize, requestDeserialize } = Rounds.service.Participate;

export class Epochs {
  readonly #bank: Bank;
  readonly #participants: Participants;
  /** Called when a party became able to take part, or a dealer has to be asked anew. */
  readonly #onChange: () => void;
  #last = 0;
  #current: CurrentEpoch | undefined;
  #dealing: Dealing | undefined;

  constructor(bank: Bank, participants: Participants, onChange: () => void) {
    this.#bank = bank;
    this.#participants = participants;
    this.#onChange = onChange;
  }

  /** Takes up the epoch that was current when the process ended. */
  async load(roster: Roster | undefined): Promise<void> {
    const [row] = await this.#bank.database.sql`SELECT * FROM key_epoch ORDER BY epoch DESC LIMIT 1`;
    if (row === undefined) return;
    this.#last = row.epoch;
    if (row.roster !== roster?.digest || row.rounds >= maxEpochRounds) return;
    const dealt = fromOneof<EpochDealt>(requestDeserialize(row.dealt as Buffer));
    this.#current = {
      epoch: row.epoch,
      commitment: row.commitment,
      roster: roster!,
      dealer: row.dealer,
      messages: relayEpoch(dealt, row.dealer, row.epoch, roster!),
      confirmed: new Set(),
      refused: new Set(),
      dealtAtMillis: 0,
      rounds: row.rounds,
      logged: row.logged,
    };
  }

  /** @returns the epoch a round of this roster can use; none means that a dealer was asked. */
  ensure(roster: Roster): UsableEpoch | undefined {
    const current = this.#current;
    if (current?.roster.digest === roster.digest && current.rounds < maxEpochRounds) return current;
    this.#ask(roster);
    return undefined;
  }

  #ask(roster: Roster): void {
    const dealing = this.#dealing;
    if (dealing?.roster.digest === roster.digest && this.#participants.isPresent(dealing.dealer)) return;
    this.#stopDealing();
    const present = roster.members.filter(({ id }) => this.#participants.isPresent(id));
    if (present.length === 0) return;
    // Epoch numbers only count up; the first whose dealer is connected is dealt.
    let epoch = this.#last + 1;
    while (!this.#participants.isPresent(epochDealer(roster, epoch))) epoch++;
    this.#last = epoch;
    const dealer = epochDealer(roster, epoch);
    const callOff = this.#bank.clock.after(dealSeconds, () =>
      this.#giveUp(epoch, "the dealer took too long"),
    );
    this.#dealing = { epoch, roster, dealer, callOff };
    this.#participants.send(dealer, { type: "dealEpoch", epoch, roster: roster.digest });
  }

  #stopDealing(): void {
    this.#dealing?.callOff();
    this.#dealing = undefined;
  }

  #giveUp(epoch: number, why: string): void {
    if (this.#dealing?.epoch !== epoch) return;
    this.#bank.log.warn({ epoch, dealer: this.#dealing.dealer, why }, "key epoch was not dealt");
    this.#stopDealing();
    this.#onChange();
  }

  joined(party: PartyId): void {
    const message = this.#current?.messages.get(party);
    if (message !== undefined) this.#participants.send(party, message);
  }

  gone(party: PartyId): void {
    this.#current?.confirmed.delete(party);
    if (this.#dealing?.dealer === party) this.#giveUp(this.#dealing.epoch, "the dealer left");
  }

  /** The dealer's answer. Whatever is wrong with it costs this epoch number only. */
  async dealt(from: PartyId, message: EpochDealt): Promise<void> {
    const dealing = this.#dealing;
    if (dealing?.dealer !== from || dealing.epoch !== message.epoch) return;
    const { epoch, roster, dealer } = dealing;
    let messages: ReadonlyMap<PartyId, EpochKey>;
    try {
      messages = relayEpoch(message, from, epoch, roster);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return this.#giveUp(epoch, error.message);
    }
    const { commitment } = message;
    const bytes = requestSerialize(toOneof(message));
    await this.#bank.database.transaction(
      (sql) => sql`
        INSERT INTO key_epoch (epoch, roster, dealer, commitment, dealt)
        VALUES (${epoch}, ${roster.digest}, ${dealer}, ${commitment}, ${bytes})`,
    );
    this.#stopDealing();
    this.#current = {
      epoch,
      commitment,
      roster,
      dealer,
      messages,
      confirmed: new Set(),
      refused: new Set(),
      dealtAtMillis: this.#bank.clock.now(),
      rounds: 0,
      logged: false,
    };
    this.#bank.log.info({ epoch, dealer }, "key epoch dealt");
    for (const [party, key] of messages) this.#participants.send(party, key);
  }

  confirmed(from: PartyId, message: EpochConfirmed): void {
    const current = this.#current;
    if (current === undefined || message.epoch !== current.epoch) return;
    try {
      checkConfirmation(message, from, current, current.roster);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#bank.log.warn({ party: from, reason: error.reason }, "key epoch confirmation refused");
      return;
    }
    current.confirmed.add(from);
    this.#onChange();
  }

  /** A member cannot use its key. One liar is left out; when most say so, the dealer was the liar. */
  refused(from: PartyId): void {
    const current = this.#current;
    if (!current?.messages.has(from)) return;
    current.refused.add(from);
    this.#bank.log.warn({ party: from, epoch: current.epoch }, "key epoch refused");
    if (current.refused.size * 2 > this.#participants.present().length) this.#current = undefined;
    this.#onChange();
  }

  /**
   * Counts an attempt in the transaction that opens it; the first one puts the epoch into the log.
   * @throws Refusal epoch_mismatch when it was given up meanwhile
   */
  async use(sql: Transaction, epoch: number): Promise<void> {
    if (this.#current?.epoch !== epoch) throw new Refusal("epoch_mismatch", `epoch ${epoch} was given up`);
    const { logged, roster, dealer, commitment, confirmed } = this.#current;
    await sql`UPDATE key_epoch SET rounds = rounds + 1, logged = true WHERE epoch = ${epoch}`;
    if (logged) return;
    await this.#bank.privacyLog.append(sql, [
      {
        type: "key.epoch",
        epoch,
        roster: roster.digest,
        dealer,
        commitment,
        confirmed: [...confirmed].sort(),
      } as const,
    ]);
  }

  /** The transaction of `use` has been committed: only then does this process count on it. */
  used(epoch: number): void {
    if (this.#current?.epoch !== epoch) return;
    this.#current.rounds++;
    this.#current.logged = true;
  }
}
