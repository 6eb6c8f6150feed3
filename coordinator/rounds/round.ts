/** Runs one attempt of a round: performs what the pure machine asks for and feeds it what happens. */

import type { Digest } from "../../core/canonical.ts";
import { submissionsDigest } from "../../privacy/log/entry.ts";
import type { Roster } from "../../privacy/roster.ts";
import { coordinatorStep } from "../../privacy/sum/coordinator/coordinator.ts";
import type {
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
  CoordinatorStep,
  ReleasePoint,
} from "../../privacy/sum/coordinator/state.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { Bank } from "../bank.ts";
import type { NewEntry } from "../store/log.ts";
import { Aggregation } from "./aggregate.ts";
import type { Participants } from "./participants.ts";

type Of<Type> = Extract<CoordinatorEffect, { readonly type: Type }>;

export type EndedAttempt = Extract<CoordinatorState, { readonly phase: "closed" | "aborted" }>;

/** What an attempt changes outside itself. */
export interface RoundLedger {
  /** Makes log entries durable before the attempt goes on. */
  record(entries: readonly NewEntry[]): Promise<void>;
  /** From here on the attempt is finished from what is stored. */
  persist(point: ReleasePoint, entries: readonly NewEntry[]): Promise<void>;
  /** Runs the server step. @returns the digest of the state after it, durable. */
  advance(effect: Of<"advance">, entries: readonly NewEntry[]): Promise<Digest>;
  aborted(end: Extract<EndedAttempt, { phase: "aborted" }>, entries: readonly NewEntry[]): Promise<void>;
}

export class Attempt {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  /** Ciphertexts of the unmasked sum, once there is one. */
  aggregate: readonly Digest[] = [];
  readonly #bank: Bank;
  readonly #participants: Participants;
  readonly #ledger: RoundLedger;
  readonly #roster: Roster;
  readonly #aggregation: Aggregation;
  readonly #events: CoordinatorEvent[] = [];
  #wake = (): void => {};
  #callOff = (): void => {};
  /** Entries that go into the log with the next thing that must be durable. */
  #entries: NewEntry[] = [];
  /** Digests of each submission's ciphertexts. */
  readonly #chunks = new Map<PartyId, readonly Digest[]>();

  constructor(options: {
    readonly bank: Bank;
    readonly participants: Participants;
    readonly ledger: RoundLedger;
    readonly roster: Roster;
    readonly bfv: Bfv;
    readonly roundId: Digest;
    readonly header: RoundHeader;
  }) {
    this.#bank = options.bank;
    this.#participants = options.participants;
    this.#ledger = options.ledger;
    this.#roster = options.roster;
    this.#aggregation = new Aggregation(options.bank, options.bfv);
    this.roundId = options.roundId;
    this.header = options.header;
  }

  /** Hands in what happened; it is looked at after all that came before it. */
  post(event: CoordinatorEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** @param first - from `openRound` or `resumeRelease`. @returns how the attempt ended. */
  async run(first: CoordinatorStep): Promise<EndedAttempt> {
    const context = { roster: this.#roster };
    let { state, effects } = first;
    try {
      for (;;) {
        // What is recorded of a submission counts the ciphertexts that are folded after it.
        for (const effect of effects)
          if (effect.type === "fold") this.#chunks.set(effect.party, effect.chunks);
        for (const effect of effects) await this.#perform(effect);
        if (state.phase === "closed") return state;
        if (state.phase === "aborted") {
          await this.#ledger.aborted(state, this.#takeEntries());
          return state;
        }
        const event = await this.#next();
        ({ state, effects } = coordinatorStep(state, event, context));
      }
    } finally {
      this.#callOff();
      await this.#aggregation.close();
    }
  }

  async #next(): Promise<CoordinatorEvent> {
    while (this.#events.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#events.shift()!;
  }

  #takeEntries(): NewEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  async #perform(effect: CoordinatorEffect): Promise<void> {
    switch (effect.type) {
      case "send":
        return this.#participants.send(effect.to, effect.message);
      case "wait":
        this.#callOff();
        this.#callOff = this.#bank.clock.after(effect.seconds, () =>
          this.post({ type: "deadline", wait: effect.wait }),
        );
        return;
      case "fold":
        return this.post(await this.#aggregation.fold(effect));
      case "unmask":
        return this.post(await this.#aggregation.unmask(effect));
      case "persist":
        this.aggregate = effect.point.chunks;
        await this.#ledger.persist(effect.point, this.#takeEntries());
        return this.#bank.crashPoint("aggregate-stored");
      case "record":
        return this.#record(effect);
      case "advance": {
        const state = await this.#ledger.advance(effect, this.#takeEntries());
        return this.post({ type: "advanced", state });
      }
    }
  }

  async #record({ record }: Of<"record">): Promise<void> {
    const { roundId } = this;
    switch (record.kind) {
      case "submitted": {
        const { party: enterprise, digest } = record;
        this.#entries.push({
          type: "round.submitted",
          roundId,
          enterprise,
          digest,
          bytes: await this.#aggregation.bytesOf(this.#chunks.get(enterprise) ?? [], enterprise),
          layers: ["mask", "encryption"],
        });
        return;
      }
      case "survivors": {
        const survivors = record.survivors.map(({ party }) => party);
        const submissions = submissionsDigest(
          record.survivors.map(({ party, digest }) => ({ enterprise: party, digest })),
        );
        this.#entries.push({ type: "round.survivors", roundId, survivors, submissions });
        // What a survivor was told to agree to must be in the log before it is asked.
        await this.#ledger.record(this.#takeEntries());
        return this.#bank.crashPoint("survivors-logged");
      }
      case "fault":
        this.#bank.log.warn({ roundId, ...record.fault }, "fault in a round");
        return;
      case "aborted": {
        const culprit = record.faults[0]?.party;
        const { reason } = record;
        this.#entries.push(
          culprit === undefined
            ? { type: "round.aborted", roundId, reason }
            : { type: "round.aborted", roundId, reason, enterprise: culprit },
        );
        return;
      }
    }
  }
}
