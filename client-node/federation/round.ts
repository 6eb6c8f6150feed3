import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { PartyRoundMessage } from "../../privacy/sum/messages.ts";
import {
  idleParty,
  type LockedStep,
  type PartyContext,
  type PartyEffect,
  type PartyEvent,
  type PartyRecord,
  type PartyState,
  partyStep,
  roundOf,
} from "../../privacy/sum/party/party.ts";
import { performDecrypt, performJudge, performSeal, performVerify } from "../../privacy/sum/work.ts";
import { LedgerFailure } from "../ledger/store.ts";

/** What the effects of a round need from the node. What is to be durable is so when the call returns. */
export interface RoundServices {
  readonly bfv: Bfv;
  context(): PartyContext;
  /** @throws Refusal epoch_mismatch, if the node does not hold this epoch's key. */
  epochKey(epoch: Digest): Uint8Array;
  contribute(header: RoundHeader, roundId: Digest): Promise<Float64Array>;
  record(record: PartyRecord): void;
  lock(header: RoundHeader, step: LockedStep, survivors: readonly PartyId[]): void;
  spend(header: RoundHeader, roundId: Digest): void;
  renounce(roundId: Digest): void;
  upload(blobs: readonly Uint8Array[], roundId: Digest): Promise<void>;
  download(digests: readonly Digest[], roundId: Digest): Promise<ReadonlyMap<Digest, Uint8Array>>;
  send(message: PartyRoundMessage): void;
  onPhase(state: PartyState): void;
  /** The ledger could not be written: nothing more is done. */
  onFailure(failure: LedgerFailure): void;
}

/**
 * Runs the party's machine of one study: events in as they come, effects one after the other.
 * What belongs to an attempt that ended meanwhile is left out.
 */
export class RoundRuntime {
  readonly #services: RoundServices;
  #state: PartyState = idleParty;
  #work: Promise<void> = Promise.resolve();
  #hasFailed = false;
  /** This node's own ciphertexts, until they are added up with the others'. */
  #submitted: ReadonlyMap<Digest, Uint8Array> = new Map();
  /** Ciphertexts of the aggregate that was checked: it is decrypted next. */
  #aggregate: ReadonlyMap<Digest, Uint8Array> = new Map();

  constructor(services: RoundServices) {
    this.#services = services;
  }

  get state(): PartyState {
    return this.#state;
  }

  /** Whether the ledger could not be written: it does nothing more, and another one takes part in what comes. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Resolves when every effect so far is done. */
  get settled(): Promise<void> {
    return this.#work;
  }

  feed(event: PartyEvent): void {
    const before = this.#state;
    const { state, effects } = partyStep(before, event, this.#services.context());
    this.#state = state;
    if (state.phase !== before.phase || roundOf(state) !== roundOf(before)) this.#services.onPhase(state);
    if (effects.length === 0) return;
    this.#work = this.#work.then(() => this.#performAll(effects));
  }

  async #performAll(effects: readonly PartyEffect[]): Promise<void> {
    const services = this.#services;
    for (const effect of effects) {
      if (this.#hasFailed || this.#isStale(effect)) continue;
      try {
        await this.#perform(effect);
      } catch (error) {
        if (error instanceof LedgerFailure) {
          this.#hasFailed = true;
          services.onFailure(error);
          return;
        }
        const roundId = roundIdOf(effect);
        const refusal = error instanceof Refusal ? error : undefined;
        this.feed({
          type: "failed",
          roundId,
          reason: refusal?.reason ?? "internal",
          detail: refusal?.message ?? String(error),
          party: refusal?.party,
        });
        return;
      }
    }
  }

  /** A promise never to unmask is kept and said whatever the machine does now. */
  #isStale(effect: PartyEffect): boolean {
    if (effect.type === "renounce") return false;
    if (effect.type === "send" && (effect.message.type === "refuse" || effect.message.type === "renounced"))
      return false;
    const { phase } = this.#state;
    return phase === "closed" || phase === "refused" || roundOf(this.#state) !== roundIdOf(effect);
  }

  async #perform(effect: PartyEffect): Promise<void> {
    const services = this.#services;
    switch (effect.type) {
      case "judge":
        return this.feed(await performJudge(effect, services.context().roster));
      case "contribute": {
        const values = await services.contribute(effect.header, effect.roundId);
        return this.feed({ type: "contributed", roundId: effect.roundId, values });
      }
      case "seal":
        return this.feed(await performSeal(effect, services.bfv, services.epochKey(effect.epoch)));
      case "record":
        return services.record(effect.record);
      case "lock": {
        const survivors = this.#state.phase === "agreed" ? this.#state.survivors : [];
        const ids = survivors.map(({ party }) => party);
        return services.lock(effect.header, effect.step, ids);
      }
      case "spend":
        return services.spend(effect.header, effect.roundId);
      case "renounce":
        return services.renounce(effect.roundId);
      case "send":
        if (effect.blobs !== undefined) await this.#upload(effect.message, effect.blobs);
        return services.send(effect.message);
      case "verify": {
        // What this node has, or comes to itself, is not fetched.
        const own = this.#submitted;
        const { chunks, picked, roundId } = effect;
        const recomputes = new Set(picked.map(({ aggregate }) => aggregate));
        const wanted = [
          ...picked.flatMap(({ submitted }) => submitted).filter((digest) => !own.has(digest)),
          ...chunks.filter((digest) => !recomputes.has(digest)),
        ];
        const fetched = await services.download(wanted, roundId);
        this.#submitted = new Map();
        const blobOf = (digest: Digest) => own.get(digest) ?? fetched.get(digest)!;
        const { event, recomputed } = await performVerify(effect, services.bfv, async (digest) =>
          blobOf(digest),
        );
        this.#aggregate = new Map(chunks.map((digest) => [digest, recomputed.get(digest) ?? blobOf(digest)]));
        return this.feed(event);
      }
      case "decrypt": {
        const aggregate = this.#aggregate;
        this.#aggregate = new Map();
        const key = services.epochKey(effect.epoch);
        const fetch = async (digest: Digest) => aggregate.get(digest)!;
        return this.feed(await performDecrypt(effect, services.bfv, key, fetch));
      }
    }
  }

  /** @param blobs - in the order of the message's digests. */
  async #upload(message: PartyRoundMessage, blobs: readonly Uint8Array[]): Promise<void> {
    const digests = message.type === "submit" ? message.chunks : [];
    this.#submitted = new Map(digests.map((digest, i) => [digest, blobs[i]!]));
    await this.#services.upload(blobs, message.roundId);
  }
}

function roundIdOf(effect: PartyEffect): Digest {
  switch (effect.type) {
    case "judge":
    case "contribute":
    case "seal":
    case "spend":
    case "renounce":
    case "verify":
    case "decrypt":
      return effect.roundId;
    case "record":
      return effect.record.roundId;
    case "lock":
      return effect.step.roundId;
    case "send":
      return effect.message.roundId;
  }
}
