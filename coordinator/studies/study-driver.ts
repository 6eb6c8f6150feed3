/** Gives every running study a lead, and tells leads and key epochs what enterprises do and say. */

import type { Digest } from "../../core/canonical.ts";
import { Refusal, reasons } from "../../core/reasons.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { Closed, PartyRoundMessage } from "../../privacy/sum/messages.ts";
import { Epochs } from "../authority/epochs.ts";
import { isMember } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { lastEnds, unfinishedAttempts } from "../rounds/attempts.ts";
import type { Audience, Participants } from "../rounds/participants.ts";
import type { Attempt } from "../rounds/round.ts";
import { StateChain } from "./state-chain.ts";
import { StudyLead } from "./study-lead.ts";
import { studyRow } from "./study-row.ts";

const retryDatabaseSeconds = 1;
/** Ended attempts that members are told of when they come back. */
const mostEnds = 16;

export class StudyDriver implements Audience {
  readonly #bank: Bank;
  readonly #participants: Participants;
  readonly #bfv: Bfv;
  readonly #epochs: Epochs;
  readonly #chain: StateChain;
  readonly #leads = new Map<Digest, StudyLead>();
  readonly #attempts = new Map<Digest, Attempt>();
  readonly #since = new Map<PartyId, number>();
  readonly #startedAt: number;
  /** How the last attempts ended, for members that still wait in them. */
  #ends: Closed[] = [];
  #defect: unknown;
  #running: Promise<void>[] = [];
  #changed = false;
  #wake = (): void => {};
  #stopping = false;

  constructor(bank: Bank, participants: Participants, bfv: Bfv) {
    this.#bank = bank;
    this.#participants = participants;
    this.#bfv = bfv;
    this.#startedAt = bank.clock.now();
    this.#epochs = new Epochs(bank, participants, () => this.#wakeLeads());
    this.#chain = new StateChain(bank);
    bank.events.on("study", (study) => this.#leads.get(study)?.wake());
    bank.events.on("ordered", (study) => {
      this.wake();
      this.#endStopped(study);
    });
    bank.events.on("roster", () => {
      // Who is not in the newest roster takes no part.
      for (const party of participants.present())
        if (!isMember(bank, party))
          participants.end(
            party,
            new Refusal("roster_mismatch", "this enterprise is not in the roster any more"),
          );
      this.wake();
      this.#wakeLeads();
    });
    bank.events.on("revoked", ({ role, id }) => {
      if (role === "enterprise")
        participants.end(id, new Refusal("certificate_invalid", "the certificate was revoked"));
    });
    participants.listen(this);
  }

  /** Looks again at which studies run. */
  wake(): void {
    this.#changed = true;
    this.#wake();
  }

  #wakeLeads(): void {
    for (const lead of this.#leads.values()) lead.wake();
  }

  /** Takes up what an earlier process left. Before anyone connects. */
  async load(): Promise<void> {
    this.#ends = await lastEnds(this.#bank, mostEnds);
    for (const { roundId, study } of await unfinishedAttempts(this.#bank)) this.#epochs.hold(roundId, study);
  }

  /** Runs until `stop`. @throws only a defect: what peers and the database cause is survived. */
  async run(): Promise<void> {
    while (!this.#stopping && this.#defect === undefined) {
      this.#changed = false;
      let retryAt: number | undefined;
      try {
        await this.#appoint();
      } catch (error) {
        if (!(error instanceof Refusal) || !reasons[error.reason].retry) throw error;
        this.#bank.log.error({ reason: error.reason, detail: error.message }, "the coordinator waits");
        retryAt = retryDatabaseSeconds;
      }
      await this.#sleep(retryAt);
    }
    for (const lead of this.#leads.values()) lead.stop();
    await Promise.all(this.#running);
    if (this.#defect !== undefined) throw this.#defect;
  }

  async #appoint(): Promise<void> {
    const rows = await this.#bank.database.sql<{ digest: Digest }>`
      SELECT digest FROM study WHERE phase = 'running'
        OR phase = 'paused' AND EXISTS (
          SELECT FROM attempt WHERE study = study.digest AND attempt.phase IN ('open', 'agreeing', 'unmasking', 'releasing'))
      ORDER BY number`;
    for (const { digest } of rows) {
      if (this.#leads.has(digest)) continue;
      const lead = new StudyLead(digest, {
        bank: this.#bank,
        participants: this.#participants,
        bfv: this.#bfv,
        epochs: this.#epochs,
        chain: this.#chain,
        begun: (attempt) => this.#attempts.set(attempt.roundId, attempt),
        ended: (attempt) => this.#attempts.delete(attempt.roundId),
        gaveUp: (closed) => this.#gaveUp(closed),
        since: (party) => this.#since.get(party) ?? this.#startedAt,
      });
      this.#leads.set(digest, lead);
      this.#running.push(this.#follow(lead));
    }
  }

  async #follow(lead: StudyLead): Promise<void> {
    try {
      await lead.run();
    } catch (error) {
      this.#defect ??= error;
    }
    this.#leads.delete(lead.study);
    this.wake();
  }

  #gaveUp(closed: Closed): void {
    this.#ends = [closed, ...this.#ends].slice(0, mostEnds);
    for (const party of this.#participants.present()) this.#participants.send(party, closed);
  }

  /** Opens no new attempt, and leaves those under way. */
  stop(): void {
    this.#stopping = true;
    this.#epochs.close();
    for (const lead of this.#leads.values()) lead.stop();
    this.wake();
  }

  joined(party: PartyId): void {
    this.#since.set(party, this.#bank.clock.now());
    for (const closed of this.#ends) this.#participants.send(party, closed);
    this.#epochs.joined(party);
    for (const lead of this.#leads.values()) lead.joined(party);
  }

  gone(party: PartyId): void {
    this.#since.set(party, this.#bank.clock.now());
    this.#epochs.gone(party);
    for (const lead of this.#leads.values()) lead.gone(party);
  }

  message(from: PartyId, message: PartyRoundMessage | PartyEpochMessage): void {
    switch (message.type) {
      case "joinEpoch":
      case "epochNonce":
      case "shareEpoch":
      case "confirmEpoch":
      case "complainEpoch":
      case "answerComplaint":
      case "refuseEpoch":
        this.#epochs.message(from, message);
        break;
      case "submit":
      case "agree":
      case "unmask":
      case "released":
      case "invalid":
      case "renounced":
      case "refuse":
        this.#attempts.get(message.roundId)?.post({ type: "message", from, message });
        break;
    }
  }

  /** A study that the operator stops ends its attempt too. */
  #endStopped(study: Digest): void {
    void studyRow(this.#bank.database.sql, study).then(
      ({ phase }) => {
        if (phase !== "stopped") return;
        this.#epochs.withdraw(study);
        this.#leads.get(study)?.stopped();
      },
      () => {},
    );
  }

  async #sleep(seconds: number | undefined): Promise<void> {
    if (this.#stopping || this.#changed) return;
    await new Promise<void>((resolve) => {
      const callOff = seconds === undefined ? undefined : this.#bank.clock.after(seconds, resolve);
      this.#wake = () => {
        callOff?.();
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
