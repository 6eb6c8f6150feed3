/**
 * Key epochs: one opening at a time, for the members present, as soon as a study needs one and no sum is under way
 * in the last. Who is silent or gone is left out of the next opening, who did something wrong of all of this
 * roster's.
 */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Roster } from "../../privacy/roster.ts";
import { proposeEpoch } from "../../privacy/sum/epoch/header.ts";
import type { PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { OpenEpoch, ShareHashes } from "../../privacy/sum/epoch/secrets.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";
import { type Demand, type EpochInUse, type EpochPlan, planEpoch, whyStale } from "./epoch-plan.ts";
import { leftOutOf, nextEpochNumber, storeEpoch, storeNamed } from "./epoch-store.ts";
import { Opening, type OpeningEnd } from "./opening.ts";

/** An epoch that a round can be opened under now. */
export interface UsableEpoch {
  readonly epoch: OpenEpoch;
  readonly hashes: ShareHashes;
  /** Members that are connected as they were when it was opened. */
  readonly connected: ReadonlySet<PartyId>;
}

interface CurrentEpoch extends EpochInUse {
  readonly hashes: ShareHashes;
  slotsTaken: number;
  readonly connected: Set<PartyId>;
  /** Why no round begins under it any more. */
  givenUp: string | undefined;
}

export type Readiness =
  | { readonly kind: "ready"; readonly usable: UsableEpoch }
  /** An opening is under way, or waits for the sums under way: whoever asks is told. */
  | { readonly kind: "opening" }
  /** Worth asking again at this time, Unix milliseconds. */
  | { readonly kind: "later"; readonly atMillis: number }
  | { readonly kind: "impossible"; readonly refusal: Refusal };

/** How long an opening waits for a member that is not connected, once. */
export const rejoinSeconds = 3;
const retrySeconds = 1;

export class Epochs {
  readonly #bank: Bank;
  readonly #participants: Participants;
  readonly #onChange: () => void;
  readonly #demands = new Map<Digest, Demand>();
  /** Attempts under way, and their studies: their members need the secrets of the epoch they are under. */
  readonly #underWay = new Map<Digest, Digest>();
  /** When a member last came or left; one never seen counts from the start. */
  readonly #since = new Map<PartyId, number>();
  #startedAt = 0;
  #current: CurrentEpoch | undefined;
  #opening: Opening | "beginning" | undefined;
  /** Silent, gone or unwilling in the last openings: asked again when they come back, or when one succeeded. */
  readonly #missed = new Map<PartyId, number>();
  #lastFailed = false;
  /** Of these, who came back before one succeeded: asked again as soon as one has, or where too few are left. */
  readonly #rejoined = new Set<PartyId>();
  /** Named in openings of this roster. */
  #named: { readonly roster: Digest; readonly parties: Set<PartyId> } | undefined;
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param onChange - called when an epoch became usable, or is to be asked for again. */
  constructor(bank: Bank, participants: Participants, onChange: () => void) {
    this.#bank = bank;
    this.#participants = participants;
    this.#onChange = onChange;
    this.#startedAt = bank.clock.now();
  }

  /** Opens no epoch before this attempt has ended. */
  hold(roundId: Digest, study: Digest): void {
    this.#underWay.set(roundId, study);
  }

  release(roundId: Digest): void {
    if (this.#underWay.delete(roundId)) this.#onChange();
  }

  /** A study that runs no more needs no epoch. */
  withdraw(study: Digest): void {
    this.#demands.delete(study);
    for (const [roundId, of] of this.#underWay) if (of === study) this.release(roundId);
  }

  /** Takes a study's demand. @returns the epoch for its next sum, or what is waited for. */
  async ensure(roster: Roster, study: Digest, demand: Demand): Promise<Readiness> {
    this.#demands.set(study, demand);
    const named = await this.#namedOf(roster);
    const present = this.#participants.present().filter((id) => roster.byId.has(id) && !named.has(id));
    let plan: EpochPlan;
    try {
      this.#forgive(roster, present);
      plan = planEpoch(
        roster,
        present.filter((id) => !this.#missed.has(id)),
        this.#demands,
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { kind: "impossible", refusal: error };
    }
    const current = this.#current;
    const stale =
      current === undefined
        ? "there is none"
        : (current.givenUp ?? whyStale(current, roster, plan, this.#demands));
    if (current !== undefined && stale === undefined) {
      const { epoch, hashes, connected } = current;
      return { kind: "ready", usable: { epoch, hashes, connected: new Set(connected) } };
    }
    if (this.#opening !== undefined || this.#underWay.size > 0 || this.#closed) return { kind: "opening" };
    const awaited = roster.members.filter(({ id }) => !this.#participants.isPresent(id) && !named.has(id));
    const until = Math.max(0, ...awaited.map(({ id }) => this.#sinceOf(id) + rejoinSeconds * 1000));
    if (until > this.#bank.clock.now()) return { kind: "later", atMillis: until };
    this.#opening = "beginning";
    this.#bank.log.debug({ why: stale, members: plan.members.length }, "a key epoch is opened");
    void this.#begin(roster, plan);
    return { kind: "opening" };
  }

  #sinceOf(party: PartyId): number {
    return this.#since.get(party) ?? this.#startedAt;
  }

  /** Lateness is forgiven where an opening came about without them, or where too few are left otherwise. */
  #forgive(roster: Roster, present: readonly PartyId[]): void {
    if (this.#missed.size === 0 || this.#opening !== undefined) return;
    const stepSeconds = Math.max(...[...this.#demands.values()].map((demand) => demand.stepSeconds));
    const oldest = Math.min(...this.#missed.values()) + stepSeconds * 1000;
    const rest = present.filter((id) => !this.#missed.has(id));
    let enough = true;
    try {
      planEpoch(roster, rest, this.#demands);
    } catch {
      enough = false;
    }
    if (enough) return;
    this.#takeBack();
    if (oldest <= this.#bank.clock.now()) this.#missed.clear();
  }

  #takeBack(): void {
    for (const party of this.#rejoined) this.#missed.delete(party);
    this.#rejoined.clear();
  }

  async #namedOf(roster: Roster): Promise<ReadonlySet<PartyId>> {
    if (this.#named?.roster !== roster.digest)
      this.#named = { roster: roster.digest, parties: await leftOutOf(this.#bank, roster.digest) };
    return this.#named.parties;
  }

  async #begin(roster: Roster, plan: EpochPlan): Promise<void> {
    // Whoever was silent in earlier openings is asked once more, unless it was the last one.
    const again = this.#lastFailed ? [] : [...this.#missed.keys()];
    try {
      for (const id of again) this.#missed.delete(id);
      const members = again.length === 0 ? plan.members : this.#withAgain(roster, again, plan);
      const epoch = await nextEpochNumber(this.#bank);
      const header = proposeEpoch(roster, { ...plan, members, epoch });
      if (this.#closed) return;
      this.#current = undefined;
      this.#opening = new Opening(this.#bank, this.#participants, roster, header, (end) => {
        void this.#ended(header.roster, end).catch((error: unknown) => this.#troubled(error));
      });
    } catch (error) {
      this.#troubled(error);
    }
  }

  #withAgain(roster: Roster, again: readonly PartyId[], plan: EpochPlan): readonly PartyId[] {
    const present = [...plan.members, ...again.filter((id) => this.#participants.isPresent(id))];
    return planEpoch(roster, present, this.#demands).members;
  }

  /** The database is gone, or a defect: whoever waits asks again. */
  #troubled(error: unknown): void {
    this.#bank.log.error({ err: error }, "key epoch could not be opened");
    this.#opening = undefined;
    this.#lastFailed = true;
    this.#bank.clock.after(retrySeconds, this.#onChange);
  }

  async #ended(roster: Digest, end: OpeningEnd): Promise<void> {
    // A constructor may end the opening before it is assigned.
    await Promise.resolve();
    const opening = this.#opening;
    if (!(opening instanceof Opening)) return;
    switch (end.type) {
      case "opened": {
        const { epoch, hashes, record, shares } = end;
        await storeEpoch(this.#bank, epoch, record, shares);
        await this.#bank.crashPoint("epoch-stored");
        const connected = new Set(epoch.header.members.filter((id) => !opening.left.has(id)));
        this.#current = { epoch, hashes, slotsTaken: 0, connected, givenUp: undefined };
        this.#lastFailed = false;
        this.#takeBack();
        this.#bank.log.debug({ epoch: epoch.header.epoch, digest: epoch.digest }, "key epoch open");
        break;
      }
      case "failed": {
        const { reason, detail, leftOut, evidence } = end.failure;
        const named = leftOut.filter((one) => one.named);
        const parties = named.map(({ party }) => party);
        this.#bank.log.warn(
          { epoch: opening.header.epoch, reason, detail, named: parties },
          "key epoch failed",
        );
        if (named.length > 0) await storeNamed(this.#bank, opening.header, named, evidence, opening.opening);
        for (const { party } of named) if (this.#named?.roster === roster) this.#named.parties.add(party);
        for (const { party } of leftOut.filter((one) => !one.named)) {
          this.#missed.set(party, this.#bank.clock.now());
          if (opening.left.has(party) && this.#participants.isPresent(party)) this.#rejoined.add(party);
        }
        this.#lastFailed = true;
        break;
      }
    }
    this.#opening = undefined;
    this.#onChange();
  }

  /** Gives the next slot of an epoch out; slots reach members in their order. */
  nextSlot(epoch: OpenEpoch): number {
    const current = this.#current;
    if (current?.epoch.digest !== epoch.digest || current.slotsTaken >= epoch.header.slots)
      throw new Refusal("epoch_mismatch", `key epoch ${epoch.header.epoch} is over`);
    return current.slotsTaken++;
  }

  /** No round begins under the current epoch any more. @param silent - who the next one does without. */
  giveUp(digest: Digest, silent: readonly PartyId[], why: string): void {
    if (this.#current?.epoch.digest !== digest) return;
    this.#current.givenUp ??= why;
    for (const party of silent)
      if (this.#participants.isPresent(party)) this.#missed.set(party, this.#bank.clock.now());
    this.#lastFailed = true;
  }

  /** One after the other: a member that hears of a slot has erased all lower ones. */
  inOrder<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  joined(party: PartyId): void {
    this.#since.set(party, this.#bank.clock.now());
    if (this.#missed.has(party)) this.#rejoined.add(party);
    if (!this.#lastFailed) this.#takeBack();
  }

  gone(party: PartyId): void {
    this.#since.set(party, this.#bank.clock.now());
    this.#rejoined.delete(party);
    this.#current?.connected.delete(party);
    if (this.#opening instanceof Opening) this.#opening.gone(party);
  }

  message(from: PartyId, message: PartyEpochMessage): void {
    if (this.#opening instanceof Opening) this.#opening.message(from, message);
  }

  /** Opens no more. */
  close(): void {
    this.#closed = true;
    if (this.#opening instanceof Opening)
      this.#opening.abort("coordinator_restarted", "the coordinator shuts down");
  }
}
