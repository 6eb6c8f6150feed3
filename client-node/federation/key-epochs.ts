/** Key epochs at a node: runs the party's machine of an opening, and keeps the secrets of the epochs that are open. */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { parseEpochHeader } from "../../privacy/sum/epoch/header.ts";
import type { CoordinatorEpochMessage, PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import {
  type EpochPartyEffect,
  type EpochPartyEvent,
  epochPartyStep,
  idleEpochParty,
} from "../../privacy/sum/epoch/party.ts";
import type { EpochPartyContext } from "../../privacy/sum/epoch/party-state.ts";
import type { EpochSecrets } from "../../privacy/sum/epoch/secrets.ts";
import { performErase, performPrepare } from "../../privacy/sum/epoch/work.ts";
import { lastEpoch, rememberEpoch } from "../ledger/records.ts";

export interface KeyEpochOptions {
  readonly db: DatabaseSync;
  readonly bfv: Bfv;
  /** Runs something after some seconds. @returns what calls it off. */
  readonly after: (seconds: number, run: () => void) => () => void;
  context(): EpochPartyContext;
  /** The most colluding members that a study consented to counts on. */
  maxColluding(): number;
  send(message: PartyEpochMessage): void;
  /** Why an opening ended, or that an epoch is open. */
  onEnd(outcome: { readonly epoch: Digest } | { readonly reason: string; readonly detail: string }): void;
  onFailure(error: unknown): void;
}

/** Epochs whose secrets are kept: a sum under way in the last one ends while the next is open. */
const keptEpochs = 2;

export class KeyEpochs {
  readonly #options: KeyEpochOptions;
  /** By digest, the newest last. */
  readonly #open = new Map<Digest, EpochSecrets>();
  #state = idleEpochParty;
  #callOff = (): void => {};
  #work: Promise<void> = Promise.resolve();

  constructor(options: KeyEpochOptions) {
    this.#options = options;
  }

  /** @returns the secrets of an epoch, while they are kept. */
  secretsOf(epoch: Digest): EpochSecrets | undefined {
    return this.#open.get(epoch);
  }

  /** @returns an epoch's BFV key. @throws Refusal epoch_mismatch, if its secrets are not kept. */
  keyOf(epoch: Digest): Uint8Array {
    const secrets = this.#open.get(epoch);
    if (secrets === undefined)
      throw new Refusal("epoch_mismatch", `no key of the epoch ${shortDigest(epoch)} here`);
    return secrets.bfvKey;
  }

  hear(message: CoordinatorEpochMessage): void {
    if (message.type !== "openEpoch") {
      this.#feed({ type: "message", message });
      return;
    }
    const { db } = this.#options;
    const local = { maxColluding: this.#options.maxColluding(), lastEpoch: lastEpoch(db) };
    this.#feed({ type: "open", message, local });
    if (this.#state.phase === "joined") rememberEpoch(db, parseEpochHeader(message.header).epoch);
  }

  /** Forgets everything: the process ends, or the node is no member any more. */
  close(): void {
    this.#callOff();
    for (const secrets of this.#open.values()) secrets.erase();
    this.#open.clear();
  }

  #feed(event: EpochPartyEvent): void {
    const before = this.#state;
    const { state, effects } = epochPartyStep(before, event, this.#options.context());
    this.#state = state;
    if (state.phase === "failed" && before.phase !== "failed")
      this.#options.onEnd({ reason: state.reason, detail: state.detail });
    this.#work = this.#work.then(() => this.#performAll(effects)).catch(this.#options.onFailure);
  }

  async #performAll(effects: readonly EpochPartyEffect[]): Promise<void> {
    for (const effect of effects) await this.#perform(effect);
  }

  async #perform(effect: EpochPartyEffect): Promise<void> {
    switch (effect.type) {
      case "send":
        return this.#options.send(effect.message);
      case "wait": {
        const { opening, wait, seconds } = effect;
        this.#callOff();
        this.#callOff = this.#options.after(seconds, () => this.#feed({ type: "deadline", opening, wait }));
        return;
      }
      case "prepare":
        return this.#feed(await performPrepare(effect, this.#options.bfv));
      case "erase":
        return performErase(effect);
      case "opened": {
        const { digest } = effect.secrets.epoch;
        this.#callOff();
        this.#open.set(digest, effect.secrets);
        for (const [old, secrets] of this.#open) {
          if (this.#open.size <= keptEpochs) break;
          secrets.erase();
          this.#open.delete(old);
        }
        return this.#options.onEnd({ epoch: digest });
      }
    }
  }
}
