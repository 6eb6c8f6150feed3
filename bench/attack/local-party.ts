/**
 * An enterprise in the attacker's own process: a friend, who does as the protocol says and gives away all it knows,
 * or, as a control, one whose defence is taken out.
 */
import { digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { CoordinatorEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import {
  type EpochPartyEffect,
  type EpochPartyEvent,
  type EpochPartyState,
  epochPartyStep,
  idleEpochParty,
} from "../../privacy/sum/epoch/party.ts";
import type { EpochSecrets, SlotSecrets } from "../../privacy/sum/epoch/secrets.ts";
import { performErase, performPrepare } from "../../privacy/sum/epoch/work.ts";
import { parseHeader, type RoundHeader } from "../../privacy/sum/header.ts";
import type { CoordinatorRoundMessage } from "../../privacy/sum/messages.ts";
import {
  type LocalFacts,
  type PartyContext,
  type PartyEffect,
  type PartyEvent,
  type PartyState,
  partyStep,
  roundOf,
} from "../../privacy/sum/party/party.ts";
import { type Consortium, willingFacts } from "../../privacy/sum/simulation.ts";
import { performDecrypt, performSeal, performVerify } from "../../privacy/sum/work.ts";
import type { EvilBank } from "./bank.ts";

/** What is taken out of a party. */
export interface Weakness {
  /** Lends a slot's secrets to every round that asks. */
  readonly lendsSlots?: boolean;
  readonly facts?: (facts: LocalFacts, header: RoundHeader) => LocalFacts;
  /** What it does in place of an effect, where that is not undefined. */
  readonly onEffect?: (effect: PartyEffect, party: LocalParty) => Promise<PartyEvent | undefined>;
  /** Answers every survivor list of a round as if it were the first. */
  readonly rewinds?: boolean;
}

export interface LocalPartyOptions {
  readonly context: PartyContext;
  readonly bank: EvilBank;
  readonly bfv: Bfv;
  /** What it contributes. */
  readonly contribute: (header: RoundHeader) => Promise<Float64Array>;
  readonly weakness?: Weakness;
  /** Takes part in whatever it is asked for. */
  readonly accomplice?: boolean;
}

export class LocalParty {
  readonly context: PartyContext;
  readonly options: LocalPartyOptions;
  state: PartyState = { phase: "idle" };
  /** All its secrets: what a friend gives away. */
  secrets: EpochSecrets | undefined;
  #opening: EpochPartyState = idleEpochParty;
  readonly #lent = new Map<number, SlotSecrets>();
  #ready: PartyState | undefined;
  #maskSecrets: readonly Uint8Array[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(options: LocalPartyOptions) {
    this.options = options;
    this.context = options.context;
  }

  get #consortium(): Consortium {
    return this.options.bank.consortium;
  }

  tellEpoch(message: CoordinatorEpochMessage): void {
    const event: EpochPartyEvent =
      message.type === "openEpoch"
        ? { type: "open", message, local: { maxColluding: 0, lastEpoch: 0 } }
        : { type: "message", message };
    this.#work = this.#work.then(() => this.#feedEpoch(event));
  }

  async #feedEpoch(event: EpochPartyEvent): Promise<void> {
    const { state, effects } = epochPartyStep(this.#opening, event, this.context);
    this.#opening = state;
    if (state.phase === "joined") this.#maskSecrets = state.own.maskSecrets.map((secret) => secret.slice());
    for (const effect of effects) await this.#performEpoch(effect);
  }

  async #performEpoch(effect: EpochPartyEffect): Promise<void> {
    switch (effect.type) {
      case "send":
        return this.options.bank.hear(this.context.id, effect.message);
      case "prepare":
        return this.#feedEpoch(await performPrepare(effect, this.options.bfv));
      case "erase":
        return performErase(effect);
      case "opened":
        this.secrets = effect.secrets;
        return;
      case "wait":
        return;
    }
  }

  tell(message: CoordinatorRoundMessage): void {
    this.#work = this.#work.then(() => this.#take(message));
  }

  async #take(message: CoordinatorRoundMessage): Promise<void> {
    const { weakness } = this.options;
    if (message.type === "survivors") {
      if (this.state.phase === "ready") this.#ready = this.state;
      else if (weakness?.rewinds && roundOf(this.state) === message.roundId) this.rewind();
    }
    await this.#feed(this.#eventOf(message));
  }

  #eventOf(message: CoordinatorRoundMessage): PartyEvent {
    if (message.type === "renounce") return { type: "renounce", message, spent: false };
    if (message.type !== "open") return { type: "message", message };
    const header = parseHeader(message.header);
    const willing = willingFacts(header, this.#consortium, this.context.id);
    const facts = {
      ...willing,
      ...(this.options.accomplice ? { seen: false, step: { locked: undefined, spent: undefined } } : {}),
      epoch: this.options.weakness?.lendsSlots ? this.#lending() : this.secrets,
      policy: {
        minCohort: 2,
        algorithms: [header.algorithm.name],
        unprotected: ["noise"],
        cohortChange: "accept",
      },
    } as const;
    return { type: "open", message, local: this.options.weakness?.facts?.(facts, header) ?? facts };
  }

  /** Forgets that it has signed a survivor list. */
  rewind(): void {
    if (this.#ready !== undefined) this.state = this.#ready;
  }

  /** @returns a copy of its mask secret of a slot that is not taken yet. */
  peek(slot: number): Uint8Array {
    return this.#maskSecrets[slot]!.slice();
  }

  /** The epoch's secrets without the rule that a slot serves once. */
  #lending(): EpochSecrets {
    const { epoch, bfvKey } = this.secrets!;
    const take: EpochSecrets["take"] = (slot, roundId) => {
      const kept = this.#lent.get(slot) ?? this.secrets!.take(slot, roundId);
      this.#lent.set(slot, kept);
      return { ...kept, maskSecret: kept.maskSecret.slice(), selfMaskSeed: kept.selfMaskSeed.slice() };
    };
    return { epoch, bfvKey, take } as EpochSecrets;
  }

  async #feed(event: PartyEvent): Promise<void> {
    const { state, effects } = partyStep(this.state, event, this.context);
    this.state = state;
    for (const effect of effects) {
      try {
        const answer =
          (await this.options.weakness?.onEffect?.(effect, this)) ?? (await this.#perform(effect));
        if (answer !== undefined) await this.#feed(answer);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const roundId = roundOf(this.state)!;
        return this.#feed({ type: "failed", roundId, reason: error.reason, detail: error.message });
      }
    }
  }

  async #perform(effect: PartyEffect): Promise<PartyEvent | undefined> {
    const { bank, bfv, contribute } = this.options;
    const { id } = this.context;
    const { seen, steps } = this.#consortium.nodes.get(id)!;
    const stepName = ({ study, round }: RoundHeader): string => `${study} ${round}`;
    switch (effect.type) {
      case "contribute":
        return { type: "contributed", roundId: effect.roundId, values: await contribute(effect.header) };
      case "seal":
        return performSeal(effect, bfv, this.secrets!.bfvKey);
      case "record":
        if (effect.record.kind === "open") seen.add(effect.record.roundId);
        return undefined;
      case "lock":
        steps.set(stepName(effect.header), {
          spent: steps.get(stepName(effect.header))?.spent,
          locked: effect.step,
        });
        return undefined;
      case "spend":
        steps.set(stepName(effect.header), {
          locked: steps.get(stepName(effect.header))?.locked,
          spent: effect.roundId,
        });
        return undefined;
      case "renounce":
        seen.add(effect.roundId);
        return undefined;
      case "send":
        for (const blob of effect.blobs ?? []) bank.blobs.set(digestOf(blob), blob);
        bank.hear(id, effect.message);
        return undefined;
      case "verify":
        return (await performVerify(effect, bfv, async (digest) => bank.blobs.get(digest)!)).event;
      case "decrypt":
        return performDecrypt(effect, bfv, this.secrets!.bfvKey, async (digest) => bank.blobs.get(digest)!);
      case "judge":
        throw new Refusal("evidence_invalid", "judges nothing");
    }
  }
}
